"""Where a recording comes from: a thread that connects, again and again, and hands over what comes."""

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Final, Protocol

import av
import numpy as np
from av.error import FFmpegError
from av.packet import Packet

from sidecar.clips.picture import ClipPicture
from sidecar.clips.specification import ClipSpecification
from sidecar.engine.encoder import PictureEncoder, SoundEncoder
from sidecar.media.live_opening import PULL_TIMEOUT, READ_TIMEOUT, live_sentence, open_live
from sidecar.media.opening import Unusable
from sidecar.outputs.decklink import DeckLinkPort
from sidecar.outputs.packet import EncodedPacket
from sidecar.outputs.templates import make_templates
from sidecar.protocol.channel import ChannelFormat, Encoding
from sidecar.protocol.live_url import LiveAddress
from sidecar.recorder.media import MOST_SOUND, Coded, InputMedia, coded

_PAUSE_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 5.0
_WAITED_S: Final = 0.005
"""What is read in less time was there already."""
_MOST_WAITING: Final = 2_000
"""Packets, some ten seconds."""
_TEST_FORMAT: Final = ChannelFormat(640, 360, "25")

_log = logging.getLogger(__name__)


class Sink(Protocol):
    """Who takes what comes. Every call is short; from the input's thread alone."""

    def opened(self, media: InputMedia) -> None: ...

    def came(self, media: InputMedia, one: Coded, behind: Fraction = ...) -> None:
        """``behind``: so many seconds before this, where it was not handed over when it came."""
        ...

    def lost(self, why: str) -> None: ...


class Source(Protocol):
    """One kind of input. ``patience`` is for how many seconds it may be silent before it is given up."""

    @property
    def shown(self) -> str: ...

    @property
    def patience(self) -> float: ...

    def read(self, sink: Sink, closed: threading.Event) -> None:
        """One connection, to its end. Raises Unusable, FFmpegError, OSError."""
        ...


class InputThread:
    """Owns the connection. Nobody waits for it: a read that hangs ends with its time-out."""

    def __init__(self, source: Source, sink: Sink) -> None:
        self.source = source
        self._sink = sink
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"input {source.shown}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Returns at once."""
        self._closed.set()

    def _run(self) -> None:
        pause = _PAUSE_S
        while not self._closed.is_set():
            began = time.monotonic()
            try:
                self.source.read(self._sink, self._closed)
                trouble = f"the sender ended: {self.source.shown}"
            except Unusable as verdict:
                trouble = str(verdict)
            except Exception as error:
                # The thread's owner is whoever reads its state; the next attempt may go well.
                _log.exception("the input %s failed", self.source.shown)
                trouble = f"{type(error).__name__} while reading it: {self.source.shown}"
            if self._closed.is_set():
                return
            self._sink.lost(trouble)
            held = time.monotonic() - began > _LONGEST_PAUSE_S
            self._closed.wait(_PAUSE_S if held else pause)
            pause = _PAUSE_S if held else min(_LONGEST_PAUSE_S, pause * 2)


class StreamSource:
    """SRT, UDP, RTMP and HLS: what comes is recorded as it was coded."""

    def __init__(self, address: LiveAddress) -> None:
        self._address = address
        self.shown = address.shown
        self._is_pulled = address.scheme in ("http", "https")
        self.patience = PULL_TIMEOUT if self._is_pulled else READ_TIMEOUT

    def read(self, sink: Sink, closed: threading.Event) -> None:
        """As in ``Source``."""
        media = open_live(self._address)
        try:
            assert media.picture is not None
            if media.rate is None:
                raise Unusable(f"its frame rate cannot be told: {self.shown}")
            sound = [one for one in media.container.streams.audio if one.codec_context.sample_rate][:MOST_SOUND]
            opened = InputMedia(media.container, media.picture, tuple(sound), media.rate)
            sink.opened(opened)
            numbers = {stream.index: number for number, stream in enumerate(opened.streams)}
            for packets in portions(media.container.demux(opened.streams), together=not self._is_pulled):
                ones = [coded(packet, numbers[packet.stream.index]) for packet in packets]
                there = [one for one in ones if one is not None]
                newest = max((one.dts for one in there), default=Fraction(0))
                for one in there:
                    sink.came(opened, one, newest - one.dts)
                if closed.is_set():
                    return
        except FFmpegError as error:
            raise Unusable(live_sentence(error, self._address)) from None
        finally:
            media.close()


class TestSource:
    """A moving picture with its number, and silence between beeps: coded here, in real time."""

    __test__ = False  # for pytest, which takes every class of such a name for its own
    shown = "test picture"
    patience = READ_TIMEOUT

    def read(self, sink: Sink, closed: threading.Event) -> None:
        """As in ``Source``."""
        self.run(sink, closed, None)

    def run(self, sink: Sink, closed: threading.Event, port: DeckLinkPort | None) -> None:
        """``port``: fails when that does."""
        form, encoding = _TEST_FORMAT, Encoding(gop_ms=1_000)
        templates = make_templates(form, encoding)
        rate = Fraction(form.rate)
        media = InputMedia(templates.container, templates.video, (templates.audio,), rate)
        clip = ClipPicture(ClipSpecification(1, self.shown, form.width, form.height, rate, 1 << 24))
        pictures, sounds = PictureEncoder(form, encoding, threads=1), SoundEncoder(form, encoding)
        try:
            sink.opened(media)
            began, number = time.monotonic(), 0
            while not closed.wait(max(0.0, began + number / rate - time.monotonic())):
                picture = av.VideoFrame.from_ndarray(clip.frame(number), format="rgb24").reformat(format="yuv420p")
                batch = pictures.encode(number, picture, 0)
                batch += sounds.encode(_beep(number, form.sample_rate, rate))
                if port is not None:
                    port.write(tuple(batch))
                for packet in batch:
                    one = _coded(packet)
                    if one is not None:
                        sink.came(media, one)
                number += 1
        finally:
            templates.container.close()


def portions(packets: Iterable[Packet], *, together: bool) -> Iterator[list[Packet]]:
    """One by one as they come; but what came while the connection was made and looked at, ``together``, for the newest
    of it came just now and all else before."""
    waiting: list[Packet] = []
    asked = time.monotonic()
    for packet in packets:
        came_before = time.monotonic() - asked < _WAITED_S
        if together and came_before and len(waiting) < _MOST_WAITING:
            waiting.append(packet)
        else:
            if waiting:
                yield waiting
            waiting, together = [], False
            yield [packet]
        asked = time.monotonic()
    if waiting:
        yield waiting


def _coded(packet: EncodedPacket) -> Coded | None:
    made = Packet(packet.data)
    made.pts = made.dts = packet.pts
    made.time_base = packet.time_base
    made.duration = packet.duration
    made.is_keyframe = packet.keyframe
    return coded(made, 0 if packet.is_video else 1)


def _beep(number: int, sample_rate: int, rate: Fraction) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    first, end = int(number * sample_rate / rate), int((number + 1) * sample_rate / rate)
    at = np.arange(first, end)
    is_on = at % sample_rate < sample_rate // 25
    mono = (0.1 * np.sin(2 * np.pi * 1000 * at / sample_rate) * is_on).astype(np.float32)
    return np.stack([mono, mono])
