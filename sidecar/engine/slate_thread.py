"""The slate's picture of this second, drawn off the playout thread: text takes longer than a frame has."""

import logging
import threading
from datetime import UTC, datetime
from typing import Protocol

import av

from sidecar.engine.pacing import NS, PlayoutTime

log = logging.getLogger(__name__)

_SHOWN_FOR_S = 2
"""While the slate was asked for this recently, every second is drawn ahead."""


class SlatePainter(Protocol):
    """Draws the channel's card."""

    def picture(self, wall: datetime) -> av.VideoFrame:
        """In the channel's format, its clock at ``wall`` (aware)."""
        ...


class SlateThread:
    """``picture`` never waits. The first picture after a while may show an older second, for a frame or two."""

    def __init__(self, painter: SlatePainter, time: PlayoutTime) -> None:
        """Draws one picture at once, so that there is always one."""
        self._painter = painter
        self._time = time
        self._ended = False
        self._asked_second = 0
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="slate", daemon=True)
        second = time.wall_ns() // NS
        self._drawn: dict[int, av.VideoFrame] = {second: self._draw(second)}

    def start(self) -> None:
        self._thread.start()

    def picture(self, wall_ns: int) -> av.VideoFrame:
        """What is nearest to the second of ``wall_ns``."""
        second = wall_ns // NS
        drawn = self._drawn
        if second != self._asked_second or second + 1 not in drawn:
            self._asked_second = second
            self._wake.set()
        exact = drawn.get(second)
        return exact if exact is not None else next(reversed(drawn.values()))

    def close(self) -> None:
        self._ended = True
        self._wake.set()

    def _draw(self, second: int) -> av.VideoFrame:
        return self._painter.picture(datetime.fromtimestamp(second, UTC))

    def _run(self) -> None:
        while not self._ended:
            self._wake.wait()
            self._wake.clear()
            try:
                self._draw_ahead()
            except Exception:  # the last card stands; the air has nothing to do with it
                log.exception("the slate could not be drawn")

    def _draw_ahead(self) -> None:
        asked = self._asked_second
        for second in (asked, asked + 1):
            if second not in self._drawn:
                # A new dictionary each time: the playout thread reads without a lock.
                recent = {old: picture for old, picture in self._drawn.items() if asked - _SHOWN_FOR_S <= old}
                self._drawn = {**recent, second: self._draw(second)}
