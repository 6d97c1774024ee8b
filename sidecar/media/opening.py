"""Opening a media file: local files only, media only, and a sentence for everything that is neither."""

import errno
import stat
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.audio.stream import AudioStream
from av.codec import CodecContext
from av.container import InputContainer
from av.error import DecoderNotFoundError, ExitError, FFmpegError, InvalidDataError
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from sidecar.media.timing import source_rate

_PLAYED_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,mpegvideo,mxf,avi,asf,flv,gxf,lxf,nut,ogg,dv,rm,wtv,ivf,"
    "h264,hevc,av1,obu,m4v,yuv4mpegpipe,wav,w64,aiff,caf,flac,mp3,aac,ac3,eac3,au,tta,wv,ape"
)
"""Demuxers that read their own file and nothing else. Playlists (hls, dash, concat, sdp…) reach elsewhere, and
subtitles and still pictures have no duration."""

OPEN_TIMEOUT = 20.0
READ_TIMEOUT = 10.0
"""Seconds after which FFmpeg gives up between two reads: an endless file without media in it ends there. A single
read that hangs is not interrupted by it."""


class Unusable(Exception):
    """The file cannot be played; the text is for operators."""


@dataclass(frozen=True, slots=True)
class OpenMedia:
    """``sound`` is empty, one stream, or the two mono streams that are left and right. ``rate`` is None without
    picture."""

    container: InputContainer
    picture: VideoStream | None
    sound: tuple[AudioStream, ...]
    rate: Fraction | None
    seekable: bool

    @property
    def is_without_pts(self) -> bool:
        """AVI counts frames as they are stored; what FFmpeg makes of that for reordered pictures is guesswork."""
        return self.container.format.name == "avi"

    def close(self) -> None:
        self.container.close()


def open_media(path: str) -> OpenMedia:
    """Opens ``path``, which is always a file's path, also with a colon in it. Blocks as long as the disk does.

    Raises ``Unusable``.
    """
    seekable = _check_file(path)
    try:
        container = av.open(
            "file:" + path,
            "r",
            container_options={"protocol_whitelist": "file", "format_whitelist": _PLAYED_FORMATS},
            metadata_errors="replace",
            timeout=(OPEN_TIMEOUT, READ_TIMEOUT),
        )
    except (FFmpegError, OSError, ValueError) as error:
        raise Unusable(sentence(error, path)) from error
    try:
        return pick_streams(container, path, seekable=seekable)
    except BaseException:
        container.close()
        raise


def _check_file(path: str) -> bool:
    """Whether the file can be sought in."""
    if not path or "\0" in path:
        raise Unusable(f"not a path: {path!r}")
    try:
        status = Path(path).stat()
    except OSError as error:
        raise Unusable(sentence(error, path)) from error
    if stat.S_ISDIR(status.st_mode):
        raise Unusable(f"a folder, not a file: {path}")
    if stat.S_ISREG(status.st_mode):
        if status.st_size == 0:
            raise Unusable(f"the file is empty: {path}")
        return True
    if not stat.S_ISFIFO(status.st_mode):
        raise Unusable(f"a device, not a file: {path}")
    return False


def pick_streams(container: InputContainer, path: str, *, seekable: bool) -> OpenMedia:
    """What of ``container`` is played. Raises ``Unusable``."""
    moving = [s for s in container.streams.video if not s.disposition & _STILL]
    sounding = [s for s in container.streams.audio if _is_decodable(s) and s.codec_context.sample_rate]
    picture = next((s for s in moving if _is_decodable(s)), None)
    if picture is None and moving:
        raise Unusable(f"no decoder for its picture: {path}")
    if picture is None and not sounding:
        raise Unusable(f"no picture or sound in it: {path}")
    rate = source_rate(picture.average_rate, picture.base_rate) if picture else None
    return OpenMedia(container, picture, sound_streams(sounding), rate, seekable)


def _is_decodable(stream: Stream) -> bool:
    # PyAV's stub forgets that a stream without a decoder has no context.
    return cast("CodecContext | None", stream.codec_context) is not None


_STILL = Disposition.attached_pic | Disposition.timed_thumbnails


def sound_streams(streams: list[AudioStream]) -> tuple[AudioStream, ...]:
    """The first stream, in the file's order; the first two where both are mono (left and right on tracks 1 and 2)."""
    first_two = streams[:2]
    if len(first_two) == 2 and all(stream.codec_context.layout.nb_channels == 1 for stream in first_two):
        return tuple(first_two)
    return tuple(streams[:1])


def sentence(error: BaseException, path: str) -> str:
    """What an operator reads about an error of the system or of FFmpeg."""
    if isinstance(error, FileNotFoundError):
        return f"no such file: {path}"
    if isinstance(error, PermissionError):
        return f"not allowed to read: {path}"
    if isinstance(error, InvalidDataError | EOFError):
        return f"not a media file, or damaged beyond reading: {path}"
    if isinstance(error, FFmpegError) and error.errno == errno.EINVAL:
        return f"not a kind of file that is played (a playlist, a subtitle, a still picture?): {path}"
    if isinstance(error, ExitError | TimeoutError):
        return f"no media within {OPEN_TIMEOUT:.0f} s of reading: {path}"
    if isinstance(error, DecoderNotFoundError):
        return f"no decoder for it: {path}"
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{reason}: {path}"


def shortfall(picture: VideoStream, length: Fraction) -> Fraction:
    """Seconds missing of a picture stream whose frames last for ``length``, by what the file's index says of it.

    0 without an index, and for what rounding or a ragged last frame explains.
    """
    if picture.duration is None or picture.time_base is None:
        return Fraction(0)
    told = picture.duration * picture.time_base
    return told - length if told - length > max(Fraction(1), told / 50) else Fraction(0)
