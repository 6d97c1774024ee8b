"""A live input on air: taken frame by frame at the channel's pace, whatever the input's own clock does."""

import threading
import time
from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame

from sidecar.media.interface import Moment, Samples
from sidecar.media.live_input import PAUSE_S, LiveInputs, live_inputs
from sidecar.media.live_timeline import LiveMoment
from sidecar.media.sound import FADE
from sidecar.protocol.channel import ChannelFormat
from sidecar.protocol.live_url import parse_live_url
from sidecar.rundown.model import Airing, SourceView, Supply
from sidecar.rundown.rate import parse_rate

DELAY_S = Fraction(3, 10)
"""The picture on air is so much older than the newest that came: what comes unevenly is evened out."""

_WATCHED_S = 4
"""So long the delay is watched before one frame is repeated or passed over for the input's clock."""

_BAND = 2
"""Frames that the least of the delay may be above what is wanted, or above nothing."""

_NOT_TAKEN_S = 0.3
"""Nobody takes frames now: the delay is kept, and what came is ready as long as more comes."""


class LiveSource:
    """``sidecar.media.interface.Source`` of a live input. It never ends and never fails while its address is one.

    OPENING before the first picture, DRY while none comes; the view then says why in ``error``. The input's clock runs
    faster or slower than the channel's: when the delay has been too long or too short for a while, one frame is passed
    over or repeated, picture and sound together.
    """

    def __init__(self, airing: Airing, channel: ChannelFormat, inputs: LiveInputs = live_inputs) -> None:
        """Raises ValueError for what is no address of a live input, and OSError when too many are open."""
        address = parse_live_url(airing.item.url or "")
        rate = parse_rate(channel.rate)
        self._input = inputs.enter(address, channel)
        self._delay = max(2, min(round(DELAY_S * rate), self._input.kept // 2))
        self._window = round(_WATCHED_S * rate)
        self._next = self._input.newest + 1
        self._has_come = False
        self._taken_at = 0.0
        self._least = self._input.kept
        self._watched = 0
        self._left: Samples = np.zeros((2, 0), np.float32)
        self._last: Samples = np.zeros((2, 1), np.float32)
        self._is_joint = True
        self._closed = threading.Lock()
        self.skipped = 0
        """Frames passed over since the first, because the input's clock is faster or the channel did not take them."""
        self.repeated = 0
        """Frames shown twice because the input's clock is slower."""

    def view(self) -> SourceView:
        """See ``Source``. READY only when the delay is filled; once taken from, as long as there is one frame."""
        now = time.monotonic()
        feed = self._input
        if now - self._taken_at > _NOT_TAKEN_S:
            self._keep_up()
            ahead = feed.newest - self._next + 1
            if ahead >= self._delay and now - feed.newest_at <= PAUSE_S:
                self._has_come = True
                return SourceView(Supply.READY, frames_ahead=ahead)
            return SourceView(Supply.DRY if self._has_come else Supply.OPENING, feed.trouble)
        ahead = feed.newest - self._next + 1
        if ahead > 0:
            return SourceView(Supply.READY, frames_ahead=min(ahead, feed.kept))
        return SourceView(Supply.DRY, feed.trouble)

    def take(self, samples: int) -> Moment:
        """See ``Source``. Raises LookupError when nothing is ready."""
        moment = self._moment()
        self._taken_at = time.monotonic()
        sound = np.concatenate((self._left, moment.sound), axis=1) if self._left.shape[1] else moment.sound
        if sound.shape[1] < samples:  # the channel's pattern of 1601 and 1602 is not the input's
            missing = samples - sound.shape[1]
            sound = np.concatenate((sound, np.repeat(sound[:, -1:], missing, axis=1)), axis=1)
        self._left = sound[:, samples:]
        sound = sound[:, :samples]
        if self._is_joint:
            sound = _joined(sound, self._last)
            self._is_joint = False
        self._last = sound[:, -1:]
        self._watch_delay()
        return Moment(moment.picture, sound, moment.number)

    def peek(self) -> VideoFrame | None:
        """See ``Source``."""
        moment = self._input.moment(self._next) or self._input.moment(self._input.newest)
        return None if moment is None else moment.picture

    def close(self) -> None:
        """See ``Source``."""
        if self._closed.acquire(blocking=False):
            self._input.leave()

    def _moment(self) -> LiveMoment:
        oldest = self._input.newest - self._input.kept + 2  # one slot may be written just now
        if self._next < oldest:
            self._jump(self._input.newest - self._delay + 1)
        moment = self._input.moment(self._next)
        if moment is None and self._next <= self._input.newest:  # written over while it was looked for
            self._jump(self._input.newest - self._delay + 1)
            moment = self._input.moment(self._next)
        if moment is None:
            raise LookupError(f"nothing is ready of {self._input.address.shown}")
        self._next += 1
        return moment

    def _keep_up(self) -> None:
        """While nobody takes: stay ``_delay`` behind the newest."""
        wanted = max(self._input.newest - self._delay + 1, self._input.since)
        if self._next < wanted:
            self._next = wanted
            self._left = self._left[:, :0]
            self._is_joint = True
            self._watched, self._least = 0, self._input.kept

    def _jump(self, number: int) -> None:
        self.skipped += number - self._next
        self._next = number
        self._left = self._left[:, :0]
        self._is_joint = True

    def _watch_delay(self) -> None:
        """The least that was ahead in a while says whether the delay is too long or too short."""
        self._least = min(self._least, self._input.newest - self._next + 1)
        self._watched += 1
        if self._watched < self._window:
            return
        if self._least > self._delay + _BAND:
            self._jump(self._next + 1)
        elif self._least < _BAND:
            self._next -= 1
            self.repeated += 1
            self._left = self._left[:, :0]
            self._is_joint = True
        self._watched, self._least = 0, self._input.kept


def _joined(sound: Samples, last: Samples) -> Samples:
    """``sound`` begins from the level of ``last`` instead of with a click."""
    length = min(FADE, sound.shape[1])
    ramp = np.linspace(0, 1, length, endpoint=False, dtype=np.float32)
    sound = sound.copy()
    sound[:, :length] = sound[:, :length] * ramp + last * (1 - ramp)
    return sound
