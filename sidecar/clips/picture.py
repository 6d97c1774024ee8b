"""The picture of a clip: a coloured field, a ball on its way, title, figures and cells."""

import colorsys
import math
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from sidecar.clips.cells import draw_cells, strip_height
from sidecar.clips.specification import ClipSpecification

RGB = NDArray[np.uint8]


def _colour(hue: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, 0.55, value)
    return round(red * 255), round(green * 255), round(blue * 255)


class ClipPicture:
    """Draws a clip's frames as RGB arrays of shape (height, width, 3)."""

    def __init__(self, clip: ClipSpecification) -> None:
        self._clip = clip
        self._hue = clip.number * 0.381966  # the golden angle: neighbours never look alike
        # What is drawn is squeezed so that it is round again when the player honours the sample aspect.
        self._squeeze = float(clip.sample_aspect)

    @cached_property
    def _background(self) -> RGB:
        clip = self._clip
        top, bottom = np.array(_colour(self._hue, 0.30)), np.array(_colour(self._hue + 0.08, 0.62))
        slope = np.linspace(0.0, 1.0, clip.height)[:, None, None]
        field = (top + (bottom - top) * slope).repeat(clip.width, axis=1).astype(np.uint8)
        image = Image.fromarray(field)
        draw = ImageDraw.Draw(image)
        grid = clip.height / 9
        for step in range(1, 9):
            draw.line([(0, step * grid), (clip.width, step * grid)], fill=_colour(self._hue, 0.42))
        columns = math.ceil(clip.width * self._squeeze / grid)
        for step in range(1, columns):
            x = step * grid / self._squeeze
            draw.line([(x, 0), (x, clip.height)], fill=_colour(self._hue, 0.42))
        self._paste(image, clip.title.upper(), clip.height // 6, clip.height * 0.12, (245, 245, 245))
        shape = f"{clip.width}x{clip.height}  {float(clip.rate):.5g} frames a second"
        self._paste(image, shape, clip.height // 20, clip.height * 0.30, (215, 215, 215))
        return np.asarray(image)

    def _paste(self, image: Image.Image, text: str, size: int, y: float, colour: tuple[int, int, int]) -> None:
        glyphs = self._text(text, size)
        image.paste(Image.new("RGB", glyphs.size, colour), (image.height // 12, round(y)), glyphs)

    def _text(self, text: str, size: int) -> Image.Image:
        font = ImageFont.load_default(size)
        _, _, right, bottom = font.getbbox(text)
        mask = Image.new("L", (math.ceil(right) + 2, math.ceil(bottom) + 2))
        ImageDraw.Draw(mask).text((0, 0), text, font=font, fill=255)
        return mask.resize((max(1, round(mask.width / self._squeeze)), mask.height))

    @cached_property
    def _figures(self) -> dict[str, NDArray[np.bool_]]:
        size = self._clip.height // 5
        masks = {figure: self._text(figure, size) for figure in "0123456789"}
        width = max(mask.width for mask in masks.values())
        height = max(mask.height for mask in masks.values())
        figures: dict[str, NDArray[np.bool_]] = {}
        for figure, mask in masks.items():
            cell = Image.new("L", (width, height))
            cell.paste(mask, ((width - mask.width) // 2, 0))
            figures[figure] = np.asarray(cell) > 127
        return figures

    @cached_property
    def _ball(self) -> NDArray[np.bool_]:
        radius = self._clip.height // 12
        across = round(radius / self._squeeze)
        y, x = np.ogrid[-radius : radius + 1, -across : across + 1]
        return (x * self._squeeze) ** 2 + y**2 <= radius**2

    def frame(self, number: int) -> RGB:
        clip = self._clip
        picture = self._background.copy()
        seconds = number / float(clip.rate)
        flash = is_flash(number, clip)
        ball = self._ball
        floor = clip.height - strip_height(clip.height) - ball.shape[0] - clip.height // 24
        bounce = abs(math.sin(math.pi * seconds))
        top = round(floor - bounce * clip.height * 0.22)
        left = round((0.5 - 0.5 * math.cos(2 * math.pi * seconds / 4)) * (clip.width - ball.shape[1]))
        picture[top : top + ball.shape[0], left : left + ball.shape[1]][ball] = (
            (255, 255, 255) if flash else _colour(self._hue + 0.5, 0.95)
        )
        x, y = clip.height // 12, round(clip.height * 0.42)
        for figure in f"{number:06d}":
            mask = self._figures[figure]
            picture[y : y + mask.shape[0], x : x + mask.shape[1]][mask] = (250, 250, 250)
            x += mask.shape[1]
        draw_cells(picture, number, clip.number, flash)
        return picture


def is_flash(number: int, clip: ClipSpecification) -> bool:
    """The first frame that is on screen in each whole second; its beep begins with it."""
    return number == 0 or int(number / clip.rate) != int((number - 1) / clip.rate)
