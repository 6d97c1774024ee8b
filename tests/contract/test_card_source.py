"""What reads a card's program, while this machine is too busy for it: a stand-in for the program, and real media."""

import threading
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import pytest

from sidecar.media.live_opening import READ_TIMEOUT
from sidecar.recorder.card_source import CardSource
from sidecar.recorder.media import Coded, InputMedia
from tests.doubles.decklink_ffmpeg import installed

pytestmark = pytest.mark.realtime


@dataclass
class SlowSink:
    """Takes its time over the tenth picture; ``closed`` is set with the fiftieth."""

    closed: threading.Event
    pictures: int = 0
    opened_times: int = 0
    lost_for: list[str] = field(default_factory=list)

    def opened(self, media: InputMedia) -> None:
        self.opened_times += 1

    def came(self, media: InputMedia, one: Coded, behind: Fraction = Fraction(0)) -> None:
        self.pictures += one.is_picture
        if one.is_picture and self.pictures == 10:
            self.closed.wait(READ_TIMEOUT + 1)
        if self.pictures == 50:
            self.closed.set()

    def lost(self, why: str) -> None:
        self.lost_for.append(why)


def test_a_program_that_sends_is_not_ended_because_who_reads_it_is_slow(tmp_path: Path) -> None:
    """Ended, it is started anew, which a busy machine has even less time for."""
    (tmp_path / "io0").touch()
    sink = SlowSink(closed := threading.Event())
    CardSource(1, {"MCR_DECKLINK_FFMPEG": str(installed(tmp_path))}).read(sink, closed)
    assert (sink.pictures, sink.opened_times, sink.lost_for) == (50, 1, [])
