"""A file on air: decoded ahead on a thread of its own, taken frame by frame without ever waiting."""

import gc
import logging
import queue
import threading
import time
from collections import deque
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from sidecar.media.abandoned import abandoned
from sidecar.media.interface import Moment, Samples
from sidecar.media.opening import OpenMedia, Unusable, open_media, sentence, shortfall
from sidecar.media.picture import Conform, black
from sidecar.media.pictures import Shot
from sidecar.media.reader import Reader, SeekFailed
from sidecar.media.sound import FADE, NEVER
from sidecar.media.timing import SampleAndHold
from sidecar.protocol.channel import ChannelFormat
from sidecar.rundown.model import Airing, SourceView, Supply
from sidecar.rundown.rate import parse_rate, samples_before

_AHEAD = Fraction(4, 5)
"""Seconds decoded ahead."""
_AHEAD_BYTES = 96 << 20
_AHEAD_AT_LEAST = 4
_AT_ONCE = 2
"""Moments decoded as fast as it goes. Until it is on air the others follow at twice its speed at most: what is
opened beside other channels would take a core from them, and from who takes there."""

_SPARE = 2
"""Samples more than a frame's worth ahead: where the channel stands in its own sample pattern (1601, 1602…) is not
known here, and makes a difference of less than that."""

_PICTURES_WITH_TWO_THREADS = 1280 * 720
"""Pictures with more samples are decoded on two threads, which costs a frame of latency here and nothing on air."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Ready:
    picture: VideoFrame
    number: int
    sound: Samples


class FileSource:
    """``sidecar.media.interface.Source`` of a clip.

    A picture conformed once is handed out as often as it is on screen. Without picture in the file the moments show
    black; without sound they are silent. It ends after ``duration_frames`` channel frames of the item or with the
    picture stream, whichever is first.
    """

    def __init__(self, airing: Airing, channel: ChannelFormat) -> None:
        self._airing = airing
        self._channel = channel
        self._rate = parse_rate(channel.rate)
        self._path = airing.item.path or ""
        self._length = airing.item.duration_frames
        self._ready: deque[_Ready] = deque()
        self._left: Samples = np.zeros((2, 0), np.float32)
        self._outcome: SourceView | None = None
        self._delivered = False
        self._closed = False
        self._breath_s = float(1 / self._rate / 2)
        # One token a moment that may be made: SimpleQueue never blocks its putter, unlike locks and conditions.
        self._room: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(_moments_ahead(channel, self._rate)):
            self._room.put(None)
        refusal = abandoned.refusal(self._path)
        if refusal:
            self._outcome = SourceView(Supply.FAILED, refusal)
            return
        self._thread = threading.Thread(target=self._run, name=f"source {airing.number}", daemon=True)
        self._thread.start()

    def view(self) -> SourceView:
        """See ``Source``. ``frames_ahead`` is how many moments may be taken at once."""
        outcome = self._outcome
        ahead = len(self._ready)
        if ahead:
            return SourceView(Supply.READY, frames_ahead=ahead)
        if outcome is not None:
            return outcome
        return SourceView(Supply.DRY if self._delivered else Supply.OPENING)

    def take(self, samples: int) -> Moment:
        """See ``Source``. Raises LookupError when nothing is ready."""
        try:
            ready = self._ready.popleft()
        except IndexError:
            raise LookupError(f"nothing is ready of {self._path}") from None
        self._delivered = True
        self._room.put(None)
        sound = np.concatenate((self._left, ready.sound), axis=1) if self._left.shape[1] else ready.sound
        missing = samples - sound.shape[1]
        if missing > 0:
            sound = np.concatenate((sound, np.zeros((2, missing), np.float32)), axis=1)
        self._left = sound[:, samples:]
        return Moment(ready.picture, sound[:, :samples], ready.number)

    def peek(self) -> VideoFrame | None:
        """See ``Source``."""
        try:
            return self._ready[0].picture
        except IndexError:
            return None

    def lengthen(self, frames: int) -> None:
        """See ``Lengthened``. In its last moments, when everything is decoded, it comes too late."""
        self._length = frames

    def close(self) -> None:
        """See ``Source``."""
        if self._closed:
            return
        self._closed = True
        self._room.put(None)
        self._ready.clear()
        self._left = self._left[:, :0].copy()
        if self._outcome is None:
            abandoned.add(self._thread, self._path)
            self._outcome = SourceView(Supply.ENDED)

    def _run(self) -> None:
        try:
            outcome = self._play()
        except Unusable as verdict:
            outcome = SourceView(Supply.FAILED, str(verdict))
        except FFmpegError as error:
            outcome = SourceView(Supply.FAILED, sentence(error, self._path))
        except Exception as error:
            # The thread's owner is whoever asks view(): a fault of ours is a failed item there, never a silent end.
            _log.exception("the source of airing %d failed: %s", self._airing.number, self._path)
            outcome = SourceView(Supply.FAILED, f"{type(error).__name__} while reading it: {self._path}")
        if self._closed:
            self._ready.clear()
        else:
            self._outcome = outcome
        # PyAV ties a picture whose side data was read to itself in a cycle: whole pictures would stay until the
        # collector's oldest generation has its turn. What is young here is little: about a millisecond.
        gc.collect()

    def _play(self) -> SourceView:
        media, reader = self._open()
        try:
            if media.picture is None:
                self._play_sound(reader)
                missing = Fraction(0)
            else:
                missing = self._play_pictures(media.picture, reader)
            if missing and not self._closed:
                return SourceView(Supply.FAILED, f"cut short, {float(missing):.1f} s are missing: {self._path}")
            if reader.error is not None and not self._closed:
                return SourceView(Supply.FAILED, f"cut short, the rest cannot be read: {self._path}")
            return SourceView(Supply.ENDED)
        finally:
            media.close()

    def _open(self) -> tuple[OpenMedia, Reader]:
        item = self._airing.item
        for seek in (True, False):
            media = open_media(self._path)
            try:
                rate = parse_rate(item.source_rate) if item.source_rate else media.rate or self._rate
                if media.picture is not None:
                    large = media.picture.width * media.picture.height > _PICTURES_WITH_TWO_THREADS
                    media.picture.codec_context.thread_type = "AUTO"
                    media.picture.codec_context.thread_count = 2 if large else 1
                return media, Reader(
                    media,
                    item.in_frames / rate,
                    self._airing.first_frame / self._rate,
                    per_field=media.rate is not None and self._rate * 2 > media.rate * 3,
                    seek=seek,
                )
            except SeekFailed:
                media.close()
            except Unusable as verdict:
                media.close()
                raise Unusable(f"{verdict}: {self._path}") from verdict
            except BaseException:
                media.close()
                raise
        raise Unusable(f"its in point cannot be reached: {self._path}")

    def _play_pictures(self, stream: VideoStream, reader: Reader) -> Fraction:
        """Returns the seconds by which the pictures end before the file's index says."""
        hold: SampleAndHold[Shot] = SampleAndHold(self._rate, self._airing.first_frame)
        conform = Conform(self._channel)
        zero = reader.in_point
        last: Shot | None = None
        picture: VideoFrame | None = None
        while not self._is_over(hold.index):
            while not (hold.decided or hold.ended):
                shot = reader.next_shot()
                if shot is not None:
                    hold.offer(shot.time - zero, shot.until - zero, shot)
                elif reader.pictures_ended:
                    hold.finish()
                else:
                    break
            if hold.ended:
                if not hold.length:
                    raise Unusable(f"the in point lies behind its end: {self._path}")
                return shortfall(stream, last.until if last else Fraction(0))
            if not self._wait_for_room():
                break
            index = hold.index
            shown = hold.next()
            assert shown is not None
            if picture is None or shown is not last:
                last, picture = shown, conform.picture(shown.frame, shown.sample_aspect)
            self._hand_over(reader, index, picture, shown.number)
        return Fraction(0)

    def _play_sound(self, reader: Reader) -> None:
        index = self._airing.first_frame
        picture = black(self._channel)
        while not self._is_over(index):
            until = samples_before(index + 1, self._rate, self._channel.sample_rate)
            reader.read_sound(until + FADE)
            middle = (samples_before(index, self._rate, self._channel.sample_rate) + until) // 2
            if reader.sound.end == NEVER and reader.sound.known <= middle:
                return
            if not self._wait_for_room():
                return
            self._hand_over(reader, index, picture, -1)
            index += 1

    def _is_over(self, index: int) -> bool:
        length = self._length
        return self._closed or (length is not None and index >= length)

    def _hand_over(self, reader: Reader, index: int, picture: VideoFrame, number: int) -> None:
        until = samples_before(index + 1, self._rate, self._channel.sample_rate) + _SPARE
        reader.read_sound(until + FADE)
        self._ready.append(_Ready(picture, number, reader.sound.take(until)))

    def _wait_for_room(self) -> bool:
        if not self._delivered and len(self._ready) >= _AT_ONCE:
            time.sleep(self._breath_s)  # how fast it decodes ahead
        self._room.get()
        return not self._closed


def _moments_ahead(channel: ChannelFormat, rate: Fraction) -> int:
    picture_bytes = channel.width * channel.height * 3 // 2
    return max(_AHEAD_AT_LEAST, min(round(_AHEAD * rate), _AHEAD_BYTES // picture_bytes))
