"""Small pictures of what is on air: fetched for what is visible only, scaled once, dimmed when they are old."""

import asyncio
import io
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final, Protocol

from PIL import Image
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from mcr_console.clock import Clock
from mcr_console.http import ClientError
from mcr_console.safe_text import age

EVERY_S: Final = 2.0
"""Seconds between two fetches of one channel's picture."""
ASKED: Final = 8
AT_ONCE: Final = 4
OLD_S: Final = 3.0
"""Older than a missed fetch, and it is drawn dim, with its age."""
KEPT: Final = 64
LARGEST: Final = (320, 180)
"""Pixels a picture is kept at; no tile shows more."""
UNREADABLE: Final = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
"""What Pillow raises for bytes that are no picture, a broken one or a trap."""
SIZES_KEPT: Final = 8
_LEVELS: Final = [value & ~7 | value >> 5 for value in range(256)]
"""32 of each colour, black and white among them: neighbours are then more often equal, and one style serves many."""
PictureLine = tuple[Segment, ...]

log = logging.getLogger(__name__)


class PictureSource(Protocol):
    """Where pictures come from. Raises ``ClientError``."""

    async def thumbnail(self, channel_id: str) -> bytes: ...


@dataclass(slots=True)
class _Picture:
    image: Image.Image
    fetched: float
    scaled: dict[tuple[int, int, bool], tuple[PictureLine, ...]]


class Thumbnails:
    """The pictures by channel id. ``lines`` never waits: it draws what is there."""

    def __init__(self, source: PictureSource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._pictures: dict[str, _Picture] = {}
        self._tried: dict[str, float] = {}
        self._busy: set[str] = set()
        self.wanted: Sequence[str] = ()
        """Channels whose picture is visible and moves; the screen that is on top says which."""

    def lines(self, channel_id: str, width: int, height: int, *, stale: bool) -> tuple[PictureLine, ...] | None:
        """``height`` lines of ``width`` cells, two pixels a cell; None without a picture. Dim when stale or old."""
        picture = self._pictures.get(channel_id)
        if picture is None or width < 2 or height < 1:
            return None
        old = stale or self._clock.monotonic() - picture.fetched > OLD_S
        key = (width, height, old)
        if key not in picture.scaled:
            if len(picture.scaled) >= SIZES_KEPT:
                picture.scaled.clear()
            picture.scaled[key] = half_blocks(picture.image, width, height, dimmed=old)
        return picture.scaled[key]

    def age(self, channel_id: str) -> int | None:
        """Whole seconds since the picture came, where these make it an old one."""
        picture = self._pictures.get(channel_id)
        passed = 0.0 if picture is None else self._clock.monotonic() - picture.fetched
        return int(passed) if passed > OLD_S else None

    @property
    def busy(self) -> bool:
        """True while a fetch is under way."""
        return bool(self._busy)

    def due(self) -> tuple[str, ...]:
        """Which of the wanted are to be fetched now, so many as may be under way at once. To be asked ``ASKED`` times
        in ``EVERY_S``: those that were fetched before come one after the other then, and not all in one moment."""
        now = self._clock.monotonic()
        waiting = [
            id_ for id_ in self.wanted if id_ not in self._busy and now - self._tried.get(id_, -EVERY_S) >= EVERY_S
        ]
        waiting.sort(key=lambda id_: self._tried.get(id_, -1.0))
        new = sum(id_ not in self._tried for id_ in waiting)
        most = max(new, -(-len(self.wanted) // ASKED))
        return tuple(waiting[: min(most, AT_ONCE - len(self._busy))])

    def fetch(self, channel_id: str) -> Callable[[], Coroutine[None, None, None]]:
        """Marks one picture as being fetched; what is returned fetches it when it is called.

        A channel that has none keeps the one before, which grows old.
        """
        self._busy.add(channel_id)
        self._tried[channel_id] = self._clock.monotonic()
        return partial(self._fetch, channel_id)

    async def _fetch(self, channel_id: str) -> None:
        try:
            data = await self._source.thumbnail(channel_id)
            image = await asyncio.to_thread(decode, data)
        except (ClientError, *UNREADABLE) as error:
            log.debug("no picture of %s: %s", channel_id, error)
            return
        finally:
            self._busy.discard(channel_id)
        while len(self._pictures) >= KEPT and channel_id not in self._pictures:
            oldest = min(self._pictures, key=lambda id_: self._pictures[id_].fetched)
            del self._pictures[oldest]
        self._pictures[channel_id] = _Picture(image, self._clock.monotonic(), {})


def decode(data: bytes) -> Image.Image:
    """A small RGB picture of JPEG or PNG bytes. Raises one of ``UNREADABLE``."""
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
        if image.width * image.height > 4096 * 2304:
            raise ValueError(f"a picture of {image.width}x{image.height} is none of ours")
        image.draft("RGB", LARGEST)
        image.thumbnail(LARGEST)
        return image.convert("RGB")


def half_blocks(image: Image.Image, width: int, height: int, *, dimmed: bool) -> tuple[PictureLine, ...]:
    """``image`` as ``height`` lines of ``▀``: the text colour is the upper pixel, the ground the lower."""
    pixels = image.resize((width, height * 2), Image.Resampling.BOX).point(_LEVELS * 3)
    if dimmed:
        pixels = pixels.convert("L").point([value * 45 // 100 for value in range(256)]).convert("RGB")
    data = pixels.tobytes()
    stride = width * 3
    made: list[PictureLine] = []
    for row in range(height):
        upper = data[row * 2 * stride : (row * 2 + 1) * stride]
        lower = data[(row * 2 + 1) * stride : (row * 2 + 2) * stride]
        made.append(tuple(_runs(upper, lower)))
    return tuple(made)


def with_age(row: PictureLine, seconds: int, style: Style) -> PictureLine:
    """A line of a picture with its age at the right end."""
    words = f" {seconds} s old " if seconds < 60 else f" {age(seconds)} old "
    strip = Strip(row)
    kept = strip.cell_length - len(words)
    return row if kept < 0 else (*strip.crop(0, kept), Segment(words, style))


def _runs(upper: bytes, lower: bytes) -> list[Segment]:
    """Neighbours of equal colour in one segment: bars and slates then cost a few bytes of SSH instead of hundreds."""
    made: list[Segment] = []
    last, count = b"", 0
    for index in range(0, len(upper), 3):
        pair = upper[index : index + 3] + lower[index : index + 3]
        if pair != last and count:
            made.append(_cell(last, count))
            count = 0
        last = pair
        count += 1
    made.append(_cell(last, count))
    return made


def _cell(pair: bytes, count: int) -> Segment:
    return Segment("▀" * count, _style(pair))


@lru_cache(maxsize=8192)
def _style(pair: bytes) -> Style:
    return Style(color=Color.from_rgb(*pair[:3]), bgcolor=Color.from_rgb(*pair[3:]))
