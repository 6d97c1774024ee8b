"""Fragmented MP4: what was written up to a fragment's end can be read, whatever happened then.

A fragment is at most half a second long and written at once, so that with a flush to the disk after each nobody loses
more than a second. Coded pictures and sound are copied, not coded again.
"""

import errno
import hashlib
import os
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.container import OutputContainer
from av.error import FFmpegError
from av.stream import Stream
from av.video.stream import VideoStream

from sidecar.recorder.media import Coded, InputMedia

FRAGMENT_US: Final = 500_000
ENDING: Final = ".mp4"
_OPTIONS: Final = {
    "movflags": "empty_moov+delay_moov+default_base_moof+skip_trailer",
    "frag_duration": str(FRAGMENT_US),
    "flush_packets": "1",
    "max_interleave_delta": "200000",
}
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""What file systems say that have no hard links."""
_SYNCED_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY


class FragmentedFile:
    """One recording, to be at ``path``, where nothing is yet. Not thread-safe, but for ``sync``.

    It gets its name when its first fragment is whole: a file that can be seen can be opened. ``zero`` is the input's
    time that is the file's first instant.
    """

    def __init__(self, path: Path, media: InputMedia, zero: Fraction) -> None:
        """Raises OSError, and FFmpegError for streams that this kind of file cannot hold."""
        self.path = path
        self.bytes = 0
        self.pictures = 0
        self.is_named = False
        self._zero = zero
        self._digest = hashlib.sha256()
        self._hidden = hidden_of(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._hidden.open("wb", buffering=0)
        self._pending = bytearray()
        self._synced = 0
        try:
            self._container = av.open(self, "w", format="mp4", options=dict(_OPTIONS))
            self._streams = [_copied(self._container, it) for it in media.streams]
            self._filters = [_filter_of(it) for it in media.streams]
        except BaseException:
            self._file.close()
            self._hidden.unlink(missing_ok=True)
            raise

    def write(self, data: bytes) -> int:
        """For the muxer alone, which writes a fragment in pieces."""
        self._pending += data
        return len(data)

    @property
    def digest(self) -> str:
        """SHA-256 of what is in the file."""
        return self._digest.hexdigest()

    def add(self, one: Coded, shift: Fraction = Fraction(0)) -> None:
        """``shift``: later by so many seconds than its own time says. What lies before the file's beginning is left
        out. Raises OSError, FFmpegError."""
        dts = one.dts - self._zero + shift
        if dts < 0:
            return
        packet, base = one.packet, one.packet.time_base
        packet.dts, packet.pts = round(dts / base), round((one.pts - self._zero + shift) / base)
        self.pictures += one.is_picture
        filter_ = self._filters[one.index]
        for made in (packet,) if filter_ is None else filter_.filter(packet):
            made.stream = self._streams[one.index]
            self._container.mux(made)
        self._put()

    def sync(self) -> None:
        """To the disk, if there is anything new. Raises OSError; from any thread."""
        if self._synced == self.bytes or self._file.closed:
            return
        written = self.bytes
        os.fdatasync(self._file.fileno())
        self._synced = written

    def close(self) -> None:
        """Writes what is left. Raises OSError, FFmpegError; the file is closed all the same."""
        try:
            self._container.close()
            self._put()
            os.fsync(self._file.fileno())
        finally:
            self._end()

    def abandon(self) -> None:
        """Closes it without another word, after a fault."""
        try:
            self._container.close()
        except (FFmpegError, OSError):
            return  # what it had, it has
        finally:
            self._end()

    def _end(self) -> None:
        self._file.close()
        if not self.is_named:
            self._hidden.unlink(missing_ok=True)

    def _put(self) -> None:
        """What the muxer made, at once: a fragment is there or it is not."""
        data, self._pending = self._pending, bytearray()
        view = memoryview(data)
        while view:
            written = self._file.write(view)
            self._digest.update(view[:written])
            self.bytes += written
            view = view[written:]
        if self.bytes and not self.is_named:
            self._name()

    def _name(self) -> None:
        os.fsync(self._file.fileno())
        try:
            os.link(self._hidden, self.path)  # never over another
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._claim()
        else:
            self._hidden.unlink()
        self.is_named = True
        sync_folder(self.path.parent)

    def _claim(self) -> None:
        """The name first, by an empty file that nobody else can make, then all of it over that."""
        with self.path.open("xb"):
            pass
        try:
            self._hidden.replace(self.path)
        except OSError:
            self.path.unlink(missing_ok=True)
            raise


def hidden_of(path: Path) -> Path:
    """Where it is written until it has its name."""
    return path.with_name(f".{path.name}.new")


def sync_folder(path: Path) -> None:
    """So that a new file's name survives a power cut. Raises OSError."""
    descriptor = os.open(path, _SYNCED_FOLDER)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copied(container: OutputContainer, stream: VideoStream | AudioStream) -> Stream:
    # PyAV leaves the keywords of it untyped.
    return container.add_stream_from_template(stream)  # pyright: ignore[reportUnknownMemberType]


def _filter_of(stream: VideoStream | AudioStream) -> BitStreamFilterContext | None:
    """AAC of a transport stream has its configuration in every packet; MP4 wants it once."""
    context = stream.codec_context
    if context.name == "aac" and not context.extradata:
        return BitStreamFilterContext("aac_adtstoasc", stream)
    return None
