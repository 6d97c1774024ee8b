"""The video modes that a CasparCG server knows by name, and what each counts in. Pure.

From ``core/video_format.cpp`` (2.3.3 to 2.5.0). INFO, AMCP and OSC count *ticks*: a tick is a frame, and a field where
the mode is interlaced (``framerate`` times ``field_count``), so 1080i5000 counts fifty a second. The mode's own number
is fields a second there, and frames a second elsewhere.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from sidecar.rundown.rate import parse_rate

FieldOrder = Literal["progressive", "upper first", "lower first"]
_RATES: Final = {
    "2398": "24000/1001", "2400": "24", "2500": "25", "2997": "30000/1001", "3000": "30", "5000": "50",
    "5994": "60000/1001", "6000": "60",
}  # fmt: skip
_ALL: Final = tuple(_RATES)


@dataclass(frozen=True, slots=True)
class Mode:
    """``rate`` in frames a second. ``order``: which of a frame's fields is shown first."""

    name: str
    width: int
    height: int
    rate: Fraction
    order: FieldOrder = "progressive"

    @property
    def per_frame(self) -> int:
        """Ticks a frame."""
        return 1 if self.order == "progressive" else 2

    @property
    def ticks(self) -> Fraction:
        """A second, as INFO tells."""
        return self.rate * self.per_frame


def _progressive(name: str, width: int, height: int, rates: tuple[str, ...]) -> list[Mode]:
    return [Mode(f"{name}p{rate}", width, height, parse_rate(_RATES[rate])) for rate in rates]


_KNOWN: Final = (
    # Lines of 525 begin with the lower field; all other interlaced ones with the upper (SMPTE 170M, 274M, BT.601).
    Mode("PAL", 720, 576, parse_rate("25"), "upper first"),
    Mode("NTSC", 720, 486, parse_rate("30000/1001"), "lower first"),
    *_progressive("576", 720, 576, ("2500",)),
    *_progressive("720", 1280, 720, _ALL),
    Mode("1080i5000", 1920, 1080, parse_rate("25"), "upper first"),
    Mode("1080i5994", 1920, 1080, parse_rate("30000/1001"), "upper first"),
    Mode("1080i6000", 1920, 1080, parse_rate("30"), "upper first"),
    *_progressive("1080", 1920, 1080, _ALL),
    *_progressive("1556", 2048, 1556, ("2398", "2400", "2500")),
    *_progressive("2160", 3840, 2160, _ALL),
    *_progressive("4kDCI", 4096, 2160, _ALL),
)
_BY_NAME: Final = {mode.name.casefold(): mode for mode in _KNOWN}


def mode_named(name: str) -> Mode | None:
    """None: not one of the server's own, or one that its configuration made up."""
    return _BY_NAME.get(name.strip().casefold())


def progressive_mode(width: int, height: int, rate: Fraction) -> Mode | None:
    """The server's own of this format; None: it has none, and would have to be told of one (from 2.4 on)."""
    for mode in _KNOWN:
        if mode.order == "progressive" and (mode.width, mode.height, mode.rate) == (width, height, rate):
            return mode
    return None
