"""From whatever a decoder gives to the channel's picture: deinterlacing, shape, colour.

High dynamic range (PQ, HLG) and wide gamut are converted plainly, matrix and range only: such pictures look flat
but nothing is clipped. They want a tone curve of their own, which is a decision per station.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

from av.filter import Graph
from av.sidedata.sidedata import SideData, Type
from av.video.frame import VideoFrame

from sidecar.media.geometry import SWAPPING, Placement, Turn, place, turn_of
from sidecar.media.graph import Step, chain, pictures_of
from sidecar.protocol.channel import ChannelFormat

# FFmpeg's AVColorSpace and AVColorRange.
_BT709 = 1
_UNDECLARED = 2
_VIDEO_RANGE = 1
_FULL_RANGE = 2
_MATRIX_NAMES = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020", 10: "bt2020"}

_SD_WIDTH = 1024
_SD_HEIGHT = 576

_TURN_STEPS: dict[Turn, list[Step]] = {
    "none": [],
    "hflip": [("hflip", {})],
    "vflip": [("vflip", {})],
    "half": [("hflip", {}), ("vflip", {})],
    "clock": [("transpose", {"dir": "clock"})],
    "cclock": [("transpose", {"dir": "cclock"})],
    "clock_flip": [("transpose", {"dir": "clock_flip"})],
    "cclock_flip": [("transpose", {"dir": "cclock_flip"})],
}


@dataclass(frozen=True, slots=True)
class PictureKind:
    """What decides how a picture is converted; the conversion is set up anew when it changes."""

    width: int
    height: int
    pixel_format: str
    colour_space: int
    colour_range: int
    rotation: int
    sample_aspect: Fraction

    @property
    def is_full_range(self) -> bool:
        """0 to 255 (JPEG) rather than 16 to 235."""
        return self.colour_range == _FULL_RANGE or self.pixel_format.startswith("yuvj")

    @property
    def matrix(self) -> str:
        """The declared matrix; undeclared it is BT.601 up to 576 lines and BT.709 above."""
        declared = _MATRIX_NAMES.get(self.colour_space)
        if declared:
            return declared
        return "bt601" if self.width <= _SD_WIDTH and self.height <= _SD_HEIGHT else "bt709"


def kind_of(frame: VideoFrame, sample_aspect: Fraction) -> PictureKind:
    """``sample_aspect`` is width to height of one sample; 0 where it is not known."""
    return PictureKind(
        frame.width,
        frame.height,
        frame.format.name,
        frame.colorspace,
        frame.color_range,
        frame.rotation,
        sample_aspect,
    )


class Conform:
    """Brings pictures into the channel's format. Pictures that have it already pass untouched."""

    def __init__(self, channel: ChannelFormat, threads: int = 1) -> None:
        self._channel = channel
        self._threads = threads
        self._kind: PictureKind | None = None
        self._graph: Graph | None = None

    def picture(self, frame: VideoFrame, sample_aspect: Fraction) -> VideoFrame:
        """Raises ``FFmpegError`` for a pixel format that cannot be converted."""
        kind = kind_of(frame, sample_aspect)
        if kind != self._kind:
            self._set_up(kind, frame)
        if self._graph is not None:
            # What the filters make of a time stamp is of no use: the channel's clock gives one.
            frame.pts = None  # pyright: ignore[reportAttributeAccessIssue] - None is allowed, PyAV's stub forgets it
            self._graph.vpush(frame)
            frame = next(pictures_of(self._graph))
        frame.pts = None  # pyright: ignore[reportAttributeAccessIssue]
        # A decoder's I, P or B would make an encoder do the same.
        frame.pict_type = 0
        frame.colorspace = _BT709
        frame.color_range = _VIDEO_RANGE
        return frame

    def _set_up(self, kind: PictureKind, frame: VideoFrame) -> None:
        self._kind = kind
        turn = turn_of(_display_matrix(frame), kind.rotation)
        placement = self._placement(kind, turn)
        self._graph = None if self._is_channels(kind, turn, placement) else chain(self._steps(kind, turn, placement))

    def _placement(self, kind: PictureKind, turn: Turn) -> Placement:
        width, height, aspect = kind.width, kind.height, kind.sample_aspect
        if turn in SWAPPING:
            width, height, aspect = height, width, (1 / aspect if aspect else aspect)
        return place(width, height, aspect, (self._channel.width, self._channel.height))

    def _is_channels(self, kind: PictureKind, turn: Turn, placement: Placement) -> bool:
        size = (self._channel.width, self._channel.height)
        return (
            turn == "none"
            and kind.pixel_format == "yuv420p"
            and (kind.width, kind.height) == size
            and (placement.width, placement.height) == size
            and kind.matrix == "bt709"
            and not kind.is_full_range
        )

    def _steps(self, kind: PictureKind, turn: Turn, placement: Placement) -> list[Step]:
        channel = self._channel
        steps: list[Step] = [
            _buffer(kind, Fraction(1, 1000)),
            *_TURN_STEPS[turn],
            (
                "scale",
                {
                    "w": str(placement.width),
                    "h": str(placement.height),
                    "in_color_matrix": kind.matrix,
                    "out_color_matrix": "bt709",
                    "in_range": "full" if kind.is_full_range else "limited",
                    "out_range": "limited",
                    "flags": "bicubic+accurate_rnd",
                    "threads": str(self._threads),
                },
            ),
            ("format", {"pix_fmts": "yuv420p"}),
        ]
        if (placement.width, placement.height) != (channel.width, channel.height):
            pad = {"w": channel.width, "h": channel.height, "x": placement.x, "y": placement.y}
            steps.append(("pad", {name: str(value) for name, value in pad.items()}))
        return [*steps, ("buffersink", {})]


def black(channel: ChannelFormat) -> VideoFrame:
    """What sound without a picture shows."""
    frame = VideoFrame(channel.width, channel.height, "yuv420p")
    for plane, level in zip(frame.planes, (16, 128, 128), strict=True):
        plane.update(bytes((level,)) * plane.buffer_size)
    frame.colorspace = _BT709
    frame.color_range = _VIDEO_RANGE
    return frame


class Deinterlacer:
    """One whole picture a frame, or one a field, by bwdif; pictures that are not marked interlaced pass through.

    The order of the fields is taken from every frame's own flag.
    """

    def __init__(self, kind: PictureKind, time_base: Fraction, per_field: bool) -> None:
        self.kind = kind
        self._graph = chain(
            [
                _buffer(kind, time_base),
                (
                    "bwdif",
                    {
                        "mode": "send_field" if per_field else "send_frame",
                        "parity": "auto",
                        "deint": "interlaced",
                        "threads": "1",
                    },
                ),
                ("buffersink", {}),
            ]
        )

    def pictures(self, frame: VideoFrame | None) -> list[VideoFrame]:
        """What is whole once ``frame`` is known, one picture late; None for the rest."""
        self._graph.vpush(frame)
        return list(pictures_of(self._graph))


def _buffer(kind: PictureKind, time_base: Fraction) -> Step:
    return (
        "buffer",
        {
            "video_size": f"{kind.width}x{kind.height}",
            "pix_fmt": kind.pixel_format,
            "time_base": str(time_base),
            "pixel_aspect": "1/1",
            "colorspace": str(kind.colour_space),
            "range": str(kind.colour_range),
        },
    )


def _display_matrix(frame: VideoFrame) -> tuple[int, ...]:
    # PyAV's stub types the mapping as something else than it is.
    data = cast("Mapping[Type, SideData]", frame.side_data).get(Type.DISPLAYMATRIX)
    return struct.unpack("9i", bytes(data)) if data is not None else (1, 0, 0, 0, 1, 0, 0, 0, 1)
