"""The channel's own card: its name and a clock to the second. Silence goes with it.

Why no programme airs is for operators (status, as-run, alarms) and not for viewers: it may name files.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from sidecar.protocol.channel import ChannelFormat

_Plane = NDArray[np.uint8]

_BACKGROUND = (16, 20, 27)
_LINE = (58, 66, 78)
_NAME = (236, 238, 241)
_CLOCK = (200, 205, 212)
_QUIET = (138, 147, 158)

_CLOCK_CELLS = 8  # HH:MM:SS
_NAME_LENGTH = 120


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where things stand, in pixels; places are even so that they begin on a chroma sample."""

    name_size: int
    clock_size: int
    small_size: int
    cell_width: int
    cell_height: int
    clock_x: int
    clock_y: int
    band_height: int
    day_y: int


class Slate:
    """The card of one channel. ``time_zone`` is an IANA name; ZoneInfoNotFoundError for an unknown one.

    Only the digits are drawn anew each second, and a line of text when the date or the zone's offset changes. Not for
    several threads at once.
    """

    def __init__(self, name: str, channel: ChannelFormat, time_zone: str) -> None:
        self._width = channel.width
        self._height = channel.height
        self._zone = ZoneInfo(time_zone)
        self._layout = _layout(channel.width, channel.height)
        self._cells = {character: _planes(self._cell(character)) for character in "0123456789:"}
        self._base = _joined(_planes(self._draw_base(_one_line(name))), channel.width, channel.height)
        self._card = self._base
        self._card_day: str = ""
        self._shown = ("", "")
        self._frame: VideoFrame | None = None

    def picture(self, wall: datetime) -> VideoFrame:
        """The card at ``wall`` (aware); the same object within a second."""
        local = wall.astimezone(self._zone)
        day = local.strftime("%A %d %B %Y   %Z")
        clock = local.strftime("%H:%M:%S")
        if self._frame is None or (day, clock) != self._shown:
            if day != self._card_day:
                self._card_day = day
                self._card = self._with_day(day)
            self._shown, self._frame = (day, clock), self._with_clock(clock)
        return self._frame

    def _with_day(self, day: str) -> _Plane:
        card = self._base.copy()
        self._lay(card, _planes(self._band(day)), 0, self._layout.day_y)
        return card

    def _with_clock(self, clock: str) -> VideoFrame:
        layout = self._layout
        card = self._card.copy()
        for position, character in enumerate(clock):
            self._lay(card, self._cells[character], layout.clock_x + position * layout.cell_width, layout.clock_y)
        frame = VideoFrame.from_ndarray(card, format="yuv420p")
        frame.colorspace = 1  # BT.709
        frame.color_range = 1  # video range
        return frame

    def _lay(self, card: _Plane, part: tuple[_Plane, _Plane, _Plane], x: int, y: int) -> None:
        for plane, piece, scale in zip(_views(card, self._width, self._height), part, (1, 2, 2), strict=True):
            top, left = y // scale, x // scale
            plane[top : top + piece.shape[0], left : left + piece.shape[1]] = piece

    def _cell(self, character: str) -> Image.Image:
        layout = self._layout
        cell = Image.new("RGB", (layout.cell_width, layout.cell_height), _BACKGROUND)
        middle = (layout.cell_width / 2, layout.cell_height / 2)
        font = ImageFont.load_default(layout.clock_size)
        ImageDraw.Draw(cell).text(middle, character, _CLOCK, font, anchor="mm")
        return cell

    def _band(self, text: str) -> Image.Image:
        band = Image.new("RGB", (self._width, self._layout.band_height), _BACKGROUND)
        self._write(ImageDraw.Draw(band), text, self._layout.small_size, self._layout.band_height / 2, _QUIET)
        return band

    def _draw_base(self, name: str) -> Image.Image:
        width, height = self._width, self._height
        card = Image.new("RGB", (width, height), _BACKGROUND)
        draw = ImageDraw.Draw(card)
        self._write(draw, name, self._layout.name_size, height * 0.30, _NAME)
        inset, y = round(width * 0.36), round(height * 0.41)
        draw.line(((inset, y), (width - inset, y)), _LINE, max(1, height // 360))
        return card

    def _write(self, draw: ImageDraw.ImageDraw, text: str, size: int, y: float, colour: tuple[int, int, int]) -> None:
        """One line in the middle; text too long for it gets smaller, down to half, and is then cut."""
        room = self._width * 0.86
        font = ImageFont.load_default(size)
        length = draw.textlength(text, font)
        if length > room:
            font = ImageFont.load_default(size * max(0.5, room / length))
        whole = text
        while text and draw.textlength(text, font) > room:
            text = text[:-2].rstrip("…") + "…" if len(text) > 2 else ""
        if text or not whole:
            draw.text((self._width / 2, y), text, colour, font, anchor="mm")


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_NAME_LENGTH]


def _layout(width: int, height: int) -> _Layout:
    scale = min(height, width * 9 / 16)
    clock_size = max(8, round(scale * 0.13))
    font = ImageFont.load_default(clock_size)
    boxes = [font.getbbox(character) for character in "0123456789:"]
    cell_width = _even(max(right - left for left, _, right, _ in boxes) + clock_size * 0.06)
    cell_height = _even(clock_size * 1.15)
    clock_y = _even(height * 0.47)
    small_size = max(6, round(scale * 0.035))
    band_height = _even(small_size * 1.8)
    return _Layout(
        name_size=max(8, round(scale * 0.11)),
        clock_size=clock_size,
        small_size=small_size,
        cell_width=cell_width,
        cell_height=cell_height,
        clock_x=_even((width - _CLOCK_CELLS * cell_width) / 2),
        clock_y=clock_y,
        band_height=band_height,
        day_y=_even(clock_y + cell_height + height * 0.03),
    )


def _even(length: float) -> int:
    return round(length / 2) * 2


def _planes(image: Image.Image) -> tuple[_Plane, _Plane, _Plane]:
    """BT.709 video range, the chroma of every 2 x 2 pixels averaged."""
    rgb: NDArray[np.float32] = np.asarray(image, np.float32)
    rgb *= np.float32(1 / 255)
    red, blue = rgb[..., 0], rgb[..., 2]
    luma: NDArray[np.float32] = rgb @ np.array((0.2126, 0.7152, 0.0722), np.float32)

    def halved(plane: NDArray[np.float32]) -> NDArray[np.float32]:
        # Four slices, and not a mean over two axes, which takes ten times as long of every start.
        return (plane[::2, ::2] + plane[::2, 1::2] + plane[1::2, ::2] + plane[1::2, 1::2]) * np.float32(0.25)

    return (
        np.rint(16 + 219 * luma).astype(np.uint8),
        np.rint(128 + 224 * halved(blue - luma) / 1.8556).astype(np.uint8),
        np.rint(128 + 224 * halved(red - luma) / 1.5748).astype(np.uint8),
    )


def _joined(planes: tuple[_Plane, _Plane, _Plane], width: int, height: int) -> _Plane:
    """The planes one below the other, as PyAV's yuv420p arrays are laid out: (height * 3 / 2, width)."""
    return np.concatenate([plane.ravel() for plane in planes]).reshape(height * 3 // 2, width)


def _views(card: _Plane, width: int, height: int) -> tuple[_Plane, _Plane, _Plane]:
    flat, area = card.reshape(-1), width * height
    chroma = (height // 2, width // 2)
    return (
        flat[:area].reshape(height, width),
        flat[area : area + area // 4].reshape(chroma),
        flat[area + area // 4 :].reshape(chroma),
    )
