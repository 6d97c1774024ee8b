"""A recorder at a DeckLink input, with the stand-in for a card: what it says when it cannot have it."""

from pathlib import Path

import pytest

from sidecar.protocol.recording import RecorderInput, Recording
from sidecar.protocol.status import Status
from tests.fixtures.recordings import files_of, held, recorder_document
from tests.fixtures.sidecars import sidecar

pytestmark = pytest.mark.realtime


def detail(status: Status) -> str:
    return "" if status.recording is None else status.recording.detail


def recorder_of(index: int) -> Recording:
    return Recording(RecorderInput("decklink", device_index=index), floor_mb=0)


def test_a_card_is_recorded_held_by_one_and_told_from_one_that_is_not_there(tmp_path: Path) -> None:
    cards = tmp_path / "cards"
    cards.mkdir()
    (cards / "io0").touch()
    stand_in = {"MCR_DECKLINK_STAND_IN": str(cards)}
    first, second = recorder_document(recorder_of(1)), recorder_document(recorder_of(1), name="Other")
    with sidecar(first, tmp_path / "first", environment=stand_in) as recorder:
        recorder.arm()
        recorder.until(lambda s: s.recording is not None and s.recording.frames > 20, "recorded", 60)
        with sidecar(second, tmp_path / "second", environment=stand_in) as other:
            other.arm()
            other.until(lambda s: detail(s).startswith("could not enable DeckLink port 1: it settles"), "busy", 60)
            recorder.do("stop")
            recorder.ended()
            other.until(lambda s: s.recording is not None and s.recording.frames > 5, "taken over", 60)
    (file,) = files_of(recorder)
    assert held(file).numbers
    missing = recorder_document(recorder_of(2))
    with sidecar(missing, tmp_path / "third", environment=stand_in) as recorder:
        recorder.until(lambda s: detail(s).startswith("not there: this node has no DeckLink port 2"), "told", 60)


def test_without_a_driver_it_says_that_it_could_not_enable_the_card(tmp_path: Path) -> None:
    with sidecar(recorder_document(recorder_of(1)), tmp_path) as recorder:
        recorder.until(
            lambda s: detail(s) == "could not enable DeckLink port 1: this engine drives no DeckLink card", "told", 60
        )
