"""The connection to a live input: on a thread of its own that nobody waits for, and made again whenever it ends."""

import logging
import random
import threading
import time
from fractions import Fraction

from av.error import FFmpegError

from sidecar.media.live_opening import live_sentence, open_live
from sidecar.media.live_timeline import LiveMoment, LiveTimeline
from sidecar.media.opening import Unusable
from sidecar.protocol.channel import ChannelFormat
from sidecar.protocol.live_url import LiveAddress
from sidecar.rundown.rate import parse_rate

KEPT_S = 1
_KEPT_BYTES = 96 << 20
_KEPT_AT_LEAST = 8
"""Channel frames kept of the input; older ones are dropped whether or not anybody took them."""

PAUSE_S = 0.7
"""What came before so long a pause is shown by nobody who did not show it at its time."""

MOST_INPUTS = 24
"""Threads at once in this process, those that were given up but hang included."""

_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 5.0
_LINGER_S = 1.0
"""An input that nobody wants any more is kept so long, so that who wants it again finds it connected."""

_AHEAD_S = Fraction(1, 2)
"""An input that is pulled is read so far ahead of its own clock."""

_log = logging.getLogger(__name__)


class LiveInput:
    """Channel frames of one address, numbered from 0 without a gap; any number of readers, none of which is waited for.

    Reading needs no lock: one thread writes a slot and then raises ``newest``.
    """

    def __init__(self, address: LiveAddress, channel: ChannelFormat) -> None:
        self.address = address
        self.newest = -1
        """The number of the newest frame, -1 before the first."""
        self.newest_at = 0.0
        """When that came, in seconds of the monotonic clock."""
        self.since = 0
        """The number of the first frame after the last pause of more than ``PAUSE_S``."""
        self.trouble = ""
        """Why there is no connection now, in an operator's words; empty while there is one, and before the first."""
        self.channel = channel
        self._rate = parse_rate(channel.rate)
        picture_bytes = channel.width * channel.height * 3 // 2
        self.kept = max(_KEPT_AT_LEAST, min(round(KEPT_S * self._rate), _KEPT_BYTES // picture_bytes))
        """How many frames may be behind ``newest``, itself included."""
        self._slots: list[tuple[int, LiveMoment] | None] = [None] * self.kept
        self._lock = threading.Lock()
        self._readers = 0
        self._left_at = time.monotonic()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"live {address.shown}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def join(self, timeout: float) -> bool:
        """For tests and the end of a process: whether its thread has ended."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def enter(self) -> bool:
        """One reader more; False when the input has ended and another is needed."""
        with self._lock:
            if self._closed.is_set():
                return False
            self._readers += 1
            return True

    def leave(self) -> None:
        with self._lock:
            self._readers -= 1
            self._left_at = time.monotonic()

    def moment(self, number: int) -> LiveMoment | None:
        """Frame ``number``; None when it is not there yet or no longer."""
        slot = self._slots[number % self.kept]
        return slot[1] if slot is not None and slot[0] == number else None

    # --- the thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        pause = _FIRST_PAUSE_S
        while self._is_wanted():
            before = self.newest
            try:
                self._connected()
                trouble = f"the sender ended: {self.address.shown}"
            except Unusable as verdict:
                trouble = str(verdict)
            except FFmpegError as error:
                trouble = live_sentence(error, self.address)
            except Exception as error:
                # The thread's owner is whoever asks for its state; the next attempt may go well.
                _log.exception("the live input %s failed", self.address.shown)
                trouble = f"{type(error).__name__} while reading it: {self.address.shown}"
            if trouble != self.trouble and self._is_wanted():
                _log.warning("live input: %s", trouble)
            self.trouble = trouble
            had_media = self.newest > before
            if had_media or self.address.listens or self.address.scheme == "udp":
                pause = _FIRST_PAUSE_S
            # Not all at the same instant when a server comes back.
            self._closed.wait(pause * random.uniform(0.8, 1.2))  # noqa: S311 - no secret
            pause = min(_LONGEST_PAUSE_S, pause * 2)
        # Whoever still reads finds nothing new; the pictures go back.
        self._slots = [None] * self.kept

    def _is_wanted(self) -> bool:
        with self._lock:
            if self._readers == 0 and time.monotonic() - self._left_at > _LINGER_S:
                self._closed.set()
            return not self._closed.is_set()

    def _connected(self) -> None:
        media = open_live(self.address)
        try:
            assert media.picture is not None
            large = media.picture.width * media.picture.height > 1280 * 720
            media.picture.codec_context.thread_type = "AUTO"
            media.picture.codec_context.thread_count = 2 if large else 1
            timeline = LiveTimeline(media, self.channel)
            pace = _Pace(self._rate, self._closed) if self.address.scheme in ("http", "https") else None
            for packet in media.container.demux((media.picture, *media.sound)):
                for moment in timeline.feed(packet):
                    if pace is not None:
                        pace.wait()
                    self._put(moment)
                if not self._is_wanted():
                    return
        finally:
            media.close()

    def _put(self, moment: LiveMoment) -> None:
        number = self.newest + 1
        self._slots[number % self.kept] = (number, moment)
        now = time.monotonic()
        if now - self.newest_at > PAUSE_S:
            self.since = number
        self.newest_at = now
        self.newest = number
        if self.trouble:
            _log.info("live input: connected again: %s", self.address.shown)
            self.trouble = ""


class _Pace:
    """Real time for what comes as fast as it is read. What comes late moves all that follows."""

    def __init__(self, rate: Fraction, closed: threading.Event) -> None:
        self._step = float(1 / rate)
        self._closed = closed
        self._due: float | None = None

    def wait(self) -> None:
        now = time.monotonic()
        due = now - float(_AHEAD_S) if self._due is None else self._due + self._step
        self._due = max(due, now - float(_AHEAD_S))
        ahead = self._due - now
        if ahead > 0:
            self._closed.wait(ahead)


class LiveInputs:
    """All of this process, by address and format: two airings of one address share its connection."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inputs: list[LiveInput] = []

    def enter(self, address: LiveAddress, channel: ChannelFormat) -> LiveInput:
        """Does not block. Raises OSError when too many inputs hang."""
        with self._lock:
            self._inputs = [one for one in self._inputs if one.is_running]
            for one in self._inputs:
                if one.address == address and one.channel == channel and one.enter():
                    return one
            if len(self._inputs) >= MOST_INPUTS:
                raise OSError(f"{len(self._inputs)} live inputs are open or hang, no more are opened: {address.shown}")
            made = LiveInput(address, channel)
            made.enter()
            made.start()
            self._inputs.append(made)
            return made

    def addresses(self) -> tuple[LiveAddress, ...]:
        """Those that are connected or connecting now, and what hangs. From any thread."""
        with self._lock:
            return tuple(one.address for one in self._inputs if one.is_running)


live_inputs = LiveInputs()
