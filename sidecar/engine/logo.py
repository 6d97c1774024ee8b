"""The channel's logo: a PNG on the picture, read off every thread that air depends on."""

import logging
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Generic, TypeVar

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sidecar.engine.captions import copier
from sidecar.media.planes import samples_of
from sidecar.protocol.channel import ChannelFormat, Logo

log = logging.getLogger(__name__)

_MOST_PIXELS = 7680 * 4320
_AGAIN_S = 10.0
T = TypeVar("T")
_Levels = NDArray[np.float32] | NDArray[np.float64]


class BadLogo(Exception):
    """The logo cannot be shown; the text is for operators."""


class _Layer:
    """The logo in one plane, 8 bits of fraction: what is added, and what stays of the picture."""

    def __init__(self, levels: _Levels, alpha: _Levels, left: int, top: int) -> None:
        self._added = np.round(levels * alpha * 256 + 128).astype(np.uint16)
        self._stays = np.round((1 - alpha) * 256).astype(np.uint16)
        height, width = alpha.shape
        self._place = (slice(top, top + height), slice(left, left + width))

    def blend(self, plane: NDArray[np.uint8]) -> None:
        part = plane[self._place]
        part[:] = (part * self._stays + self._added) >> 8


class LogoOverlay:
    """Puts one logo on pictures of one format."""

    def __init__(self, rgba: NDArray[np.uint8], logo: Logo, channel: ChannelFormat) -> None:
        """``rgba``: shape (height, width, 4). Its place is rounded down to whole chroma samples; what lies outside of
        the picture is cut off. Raises BadLogo where nothing is left."""
        left, top = logo.x // 2 * 2, logo.y // 2 * 2
        image = rgba[: max(0, channel.height - top), : max(0, channel.width - left)]
        if not image.size:
            raise BadLogo(_outside(logo))
        image = np.pad(image, ((0, image.shape[0] % 2), (0, image.shape[1] % 2), (0, 0)))
        red, green, blue, alpha = (image[:, :, index].astype(np.float32) / 255 for index in range(4))
        alpha *= logo.opacity / 100
        luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        small = _quarter(alpha)
        self._layers = [_Layer(16 + 219 * luma, alpha, left, top)]
        for difference in ((blue - luma) / 1.8556, (red - luma) / 1.5748):
            # Weighed by alpha: what cannot be seen has no colour.
            level = np.divide(_quarter(difference * alpha), small, out=np.zeros_like(small), where=small > 0)
            self._layers.append(_Layer(128 + 224 * level, small, left // 2, top // 2))
        self._last: tuple[av.VideoFrame, av.VideoFrame] | None = None
        self._copier = copier(channel)

    def on(self, picture: av.VideoFrame) -> av.VideoFrame:
        """A picture of its own, with the captions of the one given, which is shared. The same picture gives the same
        one again."""
        if self._last is not None and self._last[0] is picture:
            return self._last[1]
        made = self._copier.of(picture)
        for layer, plane in zip(self._layers, made.planes, strict=True):
            layer.blend(samples_of(plane))
        self._last = (picture, made)
        return made


def _quarter(values: _Levels) -> _Levels:
    """The mean of every 2 x 2."""
    height, width = values.shape
    return values.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))


def read_logo(logo: Logo, channel: ChannelFormat) -> LogoOverlay:
    """Blocks as long as the disk does. Raises BadLogo."""
    return LogoOverlay(_pixels(logo), logo, channel)


def measure_logo(logo: Logo, channel: ChannelFormat) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    """Left, top, width and height in fractions of the picture. As ``read_logo``."""
    height, width = _pixels(logo).shape[:2]
    if logo.x >= channel.width or logo.y >= channel.height:
        raise BadLogo(_outside(logo))
    left, top = Fraction(logo.x, channel.width), Fraction(logo.y, channel.height)
    return left, top, Fraction(width, channel.width), Fraction(height, channel.height)


def _outside(logo: Logo) -> str:
    return f"the logo at {logo.x}, {logo.y} lies outside of the picture: {logo.path}"


def _pixels(logo: Logo) -> NDArray[np.uint8]:
    """Height, width, RGBA. Raises BadLogo."""
    try:
        with Path(logo.path).open("rb") as file, Image.open(file, formats=("PNG",)) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise BadLogo(f"the logo is larger than any picture, {image.width} x {image.height}: {logo.path}")
            return np.asarray(image.convert("RGBA"))
    except OSError as error:
        raise BadLogo(f"the logo cannot be read ({error.strerror or 'not a whole PNG'}): {logo.path}") from error
    except (ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadLogo(f"the logo is not a PNG that can be read: {logo.path}") from error


def drawing(logo: Logo | None) -> tuple[str, int, int, int] | None:
    """What of a logo makes its overlay; the rest says when it is shown."""
    return None if logo is None else (logo.path, logo.x, logo.y, logo.opacity)


class LogoReader(Generic[T]):
    """Reads the logo, and tries again while that fails. ``made`` and ``fault`` may be read by any thread.

    ``read`` makes of it what is needed. ``before`` is what stays on until the logo is read: a channel that airs is not
    without one meanwhile.
    """

    def __init__(
        self, logo: Logo | None, channel: ChannelFormat, read: Callable[[Logo, ChannelFormat], T],
        before: T | None = None,
    ) -> None:  # fmt: skip
        self._logo = logo
        self._read = read
        self._channel = channel
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="logo", daemon=True)
        self._before = None if logo is None else before
        self.made: T | None = self._before
        self.fault = "" if logo is None or before is not None else f"the logo is still being read: {logo.path}"

    def start(self) -> None:
        if self._logo is not None:
            self._thread.start()

    def close(self) -> None:
        self._ended.set()

    def _run(self) -> None:
        assert self._logo is not None
        while not self._ended.is_set():
            try:
                self.made = self._read(self._logo, self._channel)
            except BadLogo as error:
                self.fault = self._with_before(str(error))
            except Exception as error:  # told where the channel is watched; the air goes on without a logo
                log.exception("the logo could not be read")
                self.fault = self._with_before(
                    f"the logo could not be read ({type(error).__name__}): {self._logo.path}"
                )
            else:
                self.fault, self._before = "", None
                return
            self._ended.wait(_AGAIN_S)

    def _with_before(self, fault: str) -> str:
        return fault if self._before is None else f"{fault}; the one before stays on"
