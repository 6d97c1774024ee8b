"""Black, a still picture and silence on the programme: since when, by looking at a few rows a few times a second."""

import logging
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from sidecar.media.interface import Samples
from sidecar.media.planes import samples_of
from sidecar.protocol.channel import ChannelFormat, Meant, WatchThresholds
from sidecar.protocol.status import OutputFaults
from sidecar.rundown.rate import frames_to_ms, parse_rate

log = logging.getLogger(__name__)

_ROWS = 36
_LOOKS_A_SECOND = 5
_BLACK_LUMA = 28
"""Code values up to this are black; video black is 16."""
_BLACK_SHARE = 0.98
"""Of the picture that has to be black: a logo may stand on it."""
_MOVED_BY = 10
"""Code values that a sample changes by where something moves, and not where only the coding's noise does."""
_MOVED_SHARE = 0.0002
_SILENT_PEAK = 0.001
"""-60 dBFS."""
_WAKE_S = 0.2
_BACKLOG_S = 2

Rows = NDArray[np.uint8]


def rows_of(picture: av.VideoFrame) -> Rows:
    """A copy of some rows of its luma, evenly over its height."""
    plane = picture.planes[0]
    step = max(1, plane.height // _ROWS)
    return samples_of(plane)[step // 2 :: step, : plane.width].copy()


@dataclass(frozen=True, slots=True)
class Portion:
    """What left with output frame ``number``. ``picture`` is None where none is looked at."""

    number: int
    picture: av.VideoFrame | None
    sound: Samples
    meant: tuple[Meant, ...]


class OutputWatch:
    """Pure: portions in, in order; what is wrong out. Time is counted in frames that left."""

    def __init__(self, rate: Fraction, thresholds: WatchThresholds) -> None:
        self._rate = rate
        self.thresholds = thresholds
        self._since: dict[Meant, int] = {}
        self._number = 0
        self._picture: av.VideoFrame | None = None
        self._looked_at = -1
        self._still_since = 0
        self._seen: Rows | None = None  # at the look at which it last moved
        self._is_black = False

    def add(self, portion: Portion) -> None:
        self._number = portion.number + 1
        if portion.sound.shape[1]:
            silent = float(np.abs(portion.sound).max()) < _SILENT_PEAK
            self._note("silence", portion, portion.number if silent else None)
        if portion.picture is not None:
            self._look(portion.picture, portion.number)
        self._note("black", portion, portion.number if self._is_black else None)
        if "freeze" in portion.meant:
            self._still_since = portion.number + 1
        # One fault is told once: black is still as well.
        self._since.pop("freeze", None)
        if self._looked_at > self._still_since and not self._is_black:
            self._since["freeze"] = self._still_since

    @property
    def faults(self) -> OutputFaults:
        lasting = {name: frames_to_ms(self._number - since, self._rate) for name, since in self._since.items()}
        allowed = self.thresholds
        limits: dict[Meant, int] = {
            "black": allowed.black_s, "freeze": allowed.freeze_s, "silence": allowed.silence_s,
        }  # fmt: skip
        raised: list[Meant] = [name for name, limit in limits.items() if limit and lasting.get(name, 0) >= limit * 1000]
        return OutputFaults(
            black_ms=lasting.get("black", 0),
            freeze_ms=lasting.get("freeze", 0),
            silence_ms=lasting.get("silence", 0),
            raised=tuple(raised),
        )

    def _note(self, name: Meant, portion: Portion, since: int | None) -> None:
        """What is meant does not count: neither now nor for what comes after it."""
        if since is None or name in portion.meant:
            self._since.pop(name, None)
        else:
            self._since.setdefault(name, since)

    def _look(self, picture: av.VideoFrame, number: int) -> None:
        self._looked_at = number
        if picture is self._picture:
            return
        self._picture = picture
        rows = rows_of(picture)
        self._is_black = float(np.mean(rows <= _BLACK_LUMA)) >= _BLACK_SHARE
        # Against what was seen first, so that a slow fade is none.
        if self._seen is None or has_moved(self._seen, rows):
            self._still_since, self._seen = number, rows


def has_moved(before: Rows, now: Rows) -> bool:
    """Whether more differs than the coding's noise."""
    if before.shape != now.shape:
        return True
    apart = np.maximum(before, now) - np.minimum(before, now)
    return float(np.mean(apart > _MOVED_BY)) > _MOVED_SHARE


class WatchThread:
    """``offer`` is the encoder thread's and costs it next to nothing; what it cannot follow it leaves out."""

    def __init__(self, channel: ChannelFormat, thresholds: WatchThresholds) -> None:
        self._rate = parse_rate(channel.rate)
        self._thresholds = thresholds
        self._step = max(1, round(self._rate / _LOOKS_A_SECOND))
        self._portions: deque[Portion] = deque(maxlen=round(self._rate * _BACKLOG_S))
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self.faults = OutputFaults()

    def start(self) -> None:
        self._thread.start()

    def use(self, thresholds: WatchThresholds) -> None:
        """From now on, for what lasts already too. From any thread."""
        self._thresholds = thresholds

    def offer(self, number: int, picture: av.VideoFrame | None, sound: Samples, meant: tuple[Meant, ...]) -> None:
        looked_at = picture if number % self._step == 0 else None
        self._portions.append(Portion(number, looked_at, sound, meant))

    def close(self) -> None:
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._watch(OutputWatch(self._rate, self._thresholds))
            except Exception:  # a watch that breaks begins anew; the air has nothing to do with it
                log.exception("the watch of the output failed")
                self.faults = OutputFaults()
                self._ended.wait(5.0)

    def _watch(self, watch: OutputWatch) -> None:
        while not self._ended.wait(_WAKE_S):
            portions: Iterable[Portion] = [self._portions.popleft() for _ in range(len(self._portions))]
            for portion in portions:
                watch.add(portion)
            watch.thresholds = self._thresholds
            self.faults = watch.faults
