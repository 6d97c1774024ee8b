"""The channel's own card: its name, a clock to the second, and why no programme airs. Silence goes with it."""

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
_REASON_LENGTH = 120


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where things stand, in pixels, all even so that they begin on a chroma sample."""

    name_size: int
    clock_size: int
    small_size: int
    cell_width: int
    cell_height: int
    clock_x: int
    clock_y: int


class Slate:
    """The card of one channel. ``time_zone`` is an IANA name; ZoneInfoNotFoundError for an unknown one.

    Only the second's digits are drawn anew each second; the rest when the date, the zone's offset or the reason
    changes. Not for several threads at once.
    """

    def __init__(self, name: str, channel: ChannelFormat, time_zone: str) -> None:
        self._name = _one_line(name)
        self._width = channel.width
        self._height = channel.height
        self._zone = ZoneInfo(time_zone)
        self._layout = _layout(channel.width, channel.height)
        self._cells = {character: _planes(self._cell(character)) for character in "0123456789:"}
        self._card_key: tuple[str, str] | None = None
        self._card: _Plane = np.zeros((0, 0), np.uint8)
        self._shown: tuple[str, str, str] | None = None
        self._frame: VideoFrame | None = None

    def picture(self, wall: datetime, reason: str = "") -> VideoFrame:
        """The card at ``wall`` (aware); the same object within a second. ``reason`` is cut to one short line."""
        local = wall.astimezone(self._zone)
        day = local.strftime("%A %d %B %Y   %Z")
        clock = local.strftime("%H:%M:%S")
        shown = (day, clock, reason)
        if self._frame is None or shown != self._shown:
            if self._card_key != (day, reason):
                self._card_key = (day, reason)
                self._card = _joined(_planes(self._draw_card(day, _one_line(reason))), self._width, self._height)
            self._shown, self._frame = shown, self._with_clock(clock)
        return self._frame

    def _with_clock(self, clock: str) -> VideoFrame:
        layout = self._layout
        card = self._card.copy()
        luma, blue, red = _views(card, self._width, self._height)
        for position, character in enumerate(clock):
            x, y = layout.clock_x + position * layout.cell_width, layout.clock_y
            cell = self._cells[character]
            luma[y : y + layout.cell_height, x : x + layout.cell_width] = cell[0]
            for plane, part in ((blue, cell[1]), (red, cell[2])):
                plane[y // 2 : (y + layout.cell_height) // 2, x // 2 : (x + layout.cell_width) // 2] = part
        frame = VideoFrame.from_ndarray(card, format="yuv420p")
        frame.colorspace = 1  # BT.709
        frame.color_range = 1  # video range
        return frame

    def _cell(self, character: str) -> Image.Image:
        layout = self._layout
        cell = Image.new("RGB", (layout.cell_width, layout.cell_height), _BACKGROUND)
        draw = ImageDraw.Draw(cell)
        middle = (layout.cell_width / 2, layout.cell_height / 2)
        draw.text(middle, character, _CLOCK, ImageFont.load_default(layout.clock_size), anchor="mm")
        return cell

    def _draw_card(self, day: str, reason: str) -> Image.Image:
        layout, width, height = self._layout, self._width, self._height
        card = Image.new("RGB", (width, height), _BACKGROUND)
        draw = ImageDraw.Draw(card)
        self._line(draw, self._name, layout.name_size, height * 0.30, _NAME)
        inset = round(width * 0.36)
        draw.line(((inset, round(height * 0.41)), (width - inset, round(height * 0.41))), _LINE, max(1, height // 360))
        self._line(draw, day, layout.small_size, layout.clock_y + layout.cell_height + height * 0.05, _QUIET)
        if reason:
            self._line(draw, reason, layout.small_size, height * 0.86, _QUIET)
        return card

    def _line(self, draw: ImageDraw.ImageDraw, text: str, size: int, y: float, colour: tuple[int, int, int]) -> None:
        font = ImageFont.load_default(size)
        room = self._width * 0.86
        length = draw.textlength(text, font)
        if length > room:
            font = ImageFont.load_default(max(size * 0.5, size * room / length))
            while text and draw.textlength(text + "…", font) > room:
                text = text[: max(0, int(len(text) * 0.95) - 1)]
            text += "…" if draw.textlength(text, font) < room and length > room * 2 else ""
        draw.text((self._width / 2, y), text, colour, font, anchor="mm")


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_REASON_LENGTH]


def _layout(width: int, height: int) -> _Layout:
    scale = min(height, width * 9 / 16)
    clock_size = max(8, round(scale * 0.13))
    font = ImageFont.load_default(clock_size)
    boxes = [font.getbbox(character) for character in "0123456789:"]
    cell_width = _even(max(right - left for left, _, right, _ in boxes) + clock_size * 0.06)
    cell_height = _even(clock_size * 1.15)
    return _Layout(
        name_size=max(8, round(scale * 0.11)),
        clock_size=clock_size,
        small_size=max(6, round(scale * 0.035)),
        cell_width=cell_width,
        cell_height=cell_height,
        clock_x=_even((width - _CLOCK_CELLS * cell_width) / 2),
        clock_y=_even(height * 0.47),
    )


def _even(length: float) -> int:
    return round(length / 2) * 2


def _planes(image: Image.Image) -> tuple[_Plane, _Plane, _Plane]:
    """BT.709 video range, the chroma of every 2 x 2 pixels averaged."""
    rgb = np.asarray(image, np.float32) / 255
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    height, width = luma.shape

    def halved(plane: NDArray[np.float32]) -> NDArray[np.float32]:
        return plane.reshape(height // 2, 2, width // 2, 2).mean((1, 3))

    return (
        np.rint(16 + 219 * luma).astype(np.uint8),
        np.rint(128 + 224 * halved((blue - luma) / 1.8556)).astype(np.uint8),
        np.rint(128 + 224 * halved((red - luma) / 1.5748)).astype(np.uint8),
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
