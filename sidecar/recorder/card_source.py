"""A DeckLink input: a program that has the card's device captures, and what it sends raw is coded here."""

import logging
import threading
import time
from collections.abc import Mapping
from fractions import Fraction
from typing import Final

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from sidecar.media.live_opening import READ_TIMEOUT
from sidecar.media.opening import Unusable, pick_streams
from sidecar.outputs.decklink import DeckLinkDriver, PortBusy, PortMissing
from sidecar.protocol.card_program import (
    FORMAT,
    CardPort,
    Ending,
    Listing,
    Mode,
    capture_arguments,
    ending_of,
    mode_of,
    port_of,
    program_name,
    signal_of,
)
from sidecar.recorder.card_coder import CardCoder
from sidecar.recorder.card_process import CardProcess, list_ports
from sidecar.recorder.inputs import Sink, TestSource, portions

_SETTLE_S: Final = 5.0
"""A card may be busy for so long after whoever had it let go of it."""
_REST_S: Final = 1.0
"""From the end of one capture of ours to the next on the same card, which must have let go of it before."""
_OPEN_S: Final = 15.0
"""Its start, three seconds in which it looks for a signal, and the first pictures."""
_LONGEST_OPEN_S: Final = 60.0
"""On a machine so busy that it was not enough, each start gets twice as long as the one before, up to this."""
_LOOK_S: Final = 0.2
_LATE_S: Final = 0.3
"""A look that comes later than this says that nothing here gets its time, and nothing of the program."""

log = logging.getLogger(__name__)


class _Busy:
    """How long a card has been busy in a row."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._since: float | None = None

    def over(self) -> None:
        self._since = None

    def refusal(self, why: str) -> Unusable:
        """A card that is busy just after another let go of it is not told at once."""
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        settles = now - self._since < _SETTLE_S
        told = "it settles, or is in use by another process" if settles else why
        return Unusable(f"could not enable {self._shown}: {told}")


class StandInSource:
    """A port of the stand-in for a driver, and a test picture of it."""

    patience = READ_TIMEOUT

    def __init__(self, index: int, driver: DeckLinkDriver) -> None:
        self.shown = f"DeckLink port {index}"
        self._index, self._driver = index, driver
        self._busy = _Busy(self.shown)

    def read(self, sink: Sink, closed: threading.Event) -> None:
        """As in ``Source``."""
        try:
            port = self._driver.open(self._index)
        except PortMissing as error:
            raise Unusable(f"not there: {error}") from None
        except PortBusy as error:
            raise self._busy.refusal(str(error)) from None
        self._busy.over()
        try:
            TestSource().run(sink, closed, port)
        except OSError as error:
            raise Unusable(f"{self.shown}: {error}") from None
        finally:
            port.close()


class CardSource:
    """Port ``index``, from 1, by the program that ``environment`` names."""

    patience = READ_TIMEOUT

    def __init__(self, index: int, environment: Mapping[str, str]) -> None:
        self.shown = f"DeckLink port {index}"
        self._index, self._environment = index, environment
        self._program = program_name(environment)
        self._busy = _Busy(self.shown)
        self._listing: Listing | None = None
        self._free_at = 0.0
        self._open_s = _OPEN_S

    def read(self, sink: Sink, closed: threading.Event) -> None:
        """As in ``Source``."""
        port = self._find()
        closed.wait(max(0.0, self._free_at - time.monotonic()))
        if closed.is_set():
            return
        capture = _Capture(self, sink, closed, self._open_s)
        assert self._listing is not None
        form = self._environment.get(FORMAT, "")
        arguments = capture_arguments(self._program, port, self._listing, form)
        try:
            ending = capture.run(arguments, self._environment)
        except OSError as error:
            raise Unusable(f"could not enable {self.shown}: {self._program!r} cannot be started: {error}") from None
        finally:
            self._free_at = time.monotonic() + _REST_S
        if capture.came:
            self._busy.over()
            self._open_s = _OPEN_S
        elif capture.was_silent:
            self._open_s = min(_LONGEST_OPEN_S, 2 * self._open_s)
        if closed.is_set():
            return
        self._listing = None  # the card may be gone
        if ending.missing:
            raise Unusable(f"not there: {self.shown}: {ending.why}")
        if ending.busy:
            raise self._busy.refusal(f"{self.shown} {ending.why}")
        raise Unusable(f"{self.shown}: {ending.why}")

    def _find(self) -> CardPort:
        """Raises Unusable."""
        if self._listing is None:
            self._listing = list_ports(self._program, self._environment)
        listing = self._listing
        port = None if listing.fault else port_of(self._index, listing, self._environment)
        if port is not None:
            return port
        self._listing = None
        if listing.fault:
            raise Unusable(f"could not enable {self.shown}: {listing.fault}")
        there = ", ".join(it.shown for it in listing.ports) or "none"
        raise Unusable(f"not there: this node has no {self.shown}; the inputs of its cards are: {there}")


class _Capture:
    """One run of the program."""

    def __init__(self, source: CardSource, sink: Sink, closed: threading.Event, open_s: float) -> None:
        self._source, self._sink, self._closed, self._open_s = source, sink, closed, open_s
        self._mode: Mode | None = None
        self._signal = True
        self._due = 0.0
        self.was_silent = False
        """It was ended because nothing came."""
        self._over = threading.Event()
        self.came = False
        """Whether it sent a picture."""

    def run(self, arguments: list[str], environment: Mapping[str, str]) -> Ending:
        """Until it ends, is closed, or does nothing any more. Raises OSError."""
        self._due = time.monotonic() + self._open_s
        process = CardProcess(arguments, environment, self._hear)
        minding = threading.Thread(target=self._mind, args=(process,), name="minds a card program", daemon=True)
        minding.start()
        trouble = ""
        try:
            self._read(process.descriptor)
        except (FFmpegError, OSError, Unusable) as error:
            trouble = str(error)
            log.info("%s: what the program sent is over: %s", self._source.shown, error)
        finally:
            self._over.set()
            minding.join()
            lines, code, lasted = process.end()
        return ending_of(lines or [trouble], None if self.was_silent else code, lasted)

    def _hear(self, line: str) -> None:
        mode = mode_of(line)
        if mode is not None:
            self._mode = mode
        signal = signal_of(line)
        if signal is not None:
            self._signal = signal

    def _mind(self, process: CardProcess) -> None:
        """A read that waits knows no time-out. What was sent and not read yet is no silence of the program's: who reads
        and codes is behind. Nor is a time in which this machine let nobody do anything."""
        looked = time.monotonic()
        while not self._over.wait(_LOOK_S):
            now = time.monotonic()
            late, looked = now - looked - _LOOK_S, now
            if late > _LATE_S:
                self._due += late
            if process.is_ahead:
                self._due = max(self._due, now + self._source.patience)
            self.was_silent = now >= self._due
            if self._closed.is_set() or self.was_silent:
                process.cut()
                return

    def _read(self, descriptor: int) -> None:
        with av.open(f"pipe:{descriptor}", "r", format="nut", metadata_errors="replace") as container:
            media = pick_streams(container, self._source.shown, seekable=False)
            if media.picture is None or media.rate is None:
                raise Unusable("no picture in what the program sends")
            interlaced = self._mode is not None and self._mode.interlaced
            coder = CardCoder(media.picture, media.rate, interlaced=interlaced)
            try:
                self._sink.opened(coder.media)
                self._hand_over(container, coder, [media.picture, *media.sound])
            finally:
                coder.close()

    def _hand_over(self, container: InputContainer, coder: CardCoder, streams: list[VideoStream | AudioStream]) -> None:
        lost = False
        for packets in portions(container.demux(streams), together=True):
            self._due = time.monotonic() + self._source.patience
            newest = max((it.dts * it.time_base for it in packets if it.dts is not None), default=Fraction(0))
            for packet in packets:
                if self._closed.is_set():
                    return
                if not self._signal:
                    # It sends bars or black meanwhile, which nobody wants recorded. Lost are pictures: a piece of
                    # sound alone leaves no gap.
                    if packet.stream.type == "video" and not lost:
                        self._sink.lost(f"no signal at {self._source.shown}")
                        lost = True
                    continue
                if lost:
                    coder.skip()
                    lost = False
                behind = Fraction(0) if packet.dts is None else newest - packet.dts * packet.time_base
                for one in coder.coded(packet):
                    self.came |= one.is_picture
                    self._sink.came(coder.media, one, behind)
