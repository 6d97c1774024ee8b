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


def test_without_a_program_that_has_the_card_it_says_what_is_missing(tmp_path: Path) -> None:
    nowhere = {"MCR_DECKLINK_FFMPEG": str(tmp_path / "ffmpeg")}
    with sidecar(recorder_document(recorder_of(1)), tmp_path, environment=nowhere) as recorder:
        said = f"could not enable DeckLink port 1: there is no program {str(tmp_path / 'ffmpeg')!r}: install an ffmpeg"
        recorder.until(lambda s: detail(s).startswith(said), "told", 60)
