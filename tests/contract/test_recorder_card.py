"""A recorder of a DeckLink port through a program that has it: a stand-in with FFmpeg's words and real media."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import av
import pytest

from sidecar.protocol.recording import RecorderInput, Recording
from sidecar.protocol.status import Status
from tests.doubles.decklink_ffmpeg import installed
from tests.fixtures.recordings import files_of, held, recorded, recorder_document
from tests.fixtures.sidecars import RunningSidecar, sidecar

pytestmark = [pytest.mark.realtime, pytest.mark.long]

DEADLINE_S = 90.0


def detail(status: Status) -> str:
    return "" if status.recording is None else status.recording.detail


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    """One port, and the program that captures from it."""
    directory = tmp_path / "cards"
    directory.mkdir()
    (directory / "io0").touch()
    installed(directory)
    return directory


@contextmanager
def recorder_at(cards: Path, home: Path, index: int = 1) -> Iterator[RunningSidecar]:
    what = Recording(RecorderInput("decklink", device_index=index), floor_mb=0)
    environment = {"MCR_DECKLINK_FFMPEG": str(cards / "ffmpeg")}
    with sidecar(recorder_document(what), home, environment=environment) as recorder:
        yield recorder


def test_a_card_is_recorded_in_its_own_chroma_and_fields_and_a_lost_signal_is_a_gap(
    cards: Path, tmp_path: Path
) -> None:
    with recorder_at(cards, tmp_path / "home") as recorder:
        recorder.arm()
        recorder.until(lambda s: recorded(s, 40), "recorded", DEADLINE_S)
        (cards / "no_signal").touch()
        lost = recorder.until(lambda s: detail(s) == "no signal at DeckLink port 1", "told as lost", DEADLINE_S)
        # What is back before a picture came meanwhile was no gap.
        recorder.until(lambda s: s.frame >= lost.frame + 10, "some pictures lost", DEADLINE_S)
        (cards / "no_signal").unlink()
        at = recorder.until(lambda s: s.recording is not None and s.recording.gaps == 1, "back", DEADLINE_S).recording
        assert at is not None
        recorder.until(lambda s: recorded(s, at.frames + 20), "goes on", DEADLINE_S)
        recorder.do("stop")
        recorder.ended()
    (file,) = files_of(recorder)
    there = held(file)
    (jump,) = [(one, two) for one, two in pairwise(there.numbers) if two != one + 1]
    assert jump[1] - jump[0] - 1 == at.lost_frames, "one clock throughout: the card's"
    assert there.sound > 1
    with av.open(str(file)) as container:
        picture = next(container.decode(video=0))
        assert (picture.format.name, picture.interlaced_frame) == ("yuv422p", True)


def test_what_a_card_and_its_program_do_wrong_is_told_and_minded(cards: Path, tmp_path: Path) -> None:
    """Busy, hung, gone: each by its name, and each time it goes on by itself."""
    with recorder_at(cards, tmp_path / "one") as one:
        one.arm()
        one.until(lambda s: recorded(s, 10), "recorded", DEADLINE_S)
        with recorder_at(cards, tmp_path / "two") as two:
            two.arm()
            two.until(lambda s: detail(s).startswith("could not enable DeckLink port 1: "), "busy", DEADLINE_S)
            one.do("stop")
            one.ended()
            two.until(lambda s: recorded(s, 10), "taken over", DEADLINE_S)
            (cards / "hangs").touch()
            hung = "the program that captures did nothing any more, and was ended"
            two.until(lambda s: detail(s) == f"DeckLink port 1: {hung}", "told as hung", DEADLINE_S)
            (cards / "hangs").unlink()
            there = two.status().recording
            assert there is not None
            two.until(lambda s: recorded(s, there.frames + 10), "goes on", DEADLINE_S)
            (cards / "io0").rename(cards / "was0")
            (cards / "hangs").touch()
            two.until(lambda s: detail(s).startswith("not there: this node has no DeckLink port 1"), "gone", DEADLINE_S)
