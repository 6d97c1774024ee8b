"""What is wrong with an item that will air, and how bad that is. Pure: from rows and looks to sentences."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, Literal

from db.models import Asset, Item
from sidecar.rundown.rate import parse_rate
from supervisor.errors import Invalid
from supervisor.playlists.items import listed_trim, waiting_frames

Code = Literal[
    "missing", "arriving", "unreadable", "changed", "short", "rate", "variable_rate", "aspect", "audio_layout",
    "no_audio", "silent", "unmeasured", "loudness", "captions", "live",
]  # fmt: skip
Severity = Literal["critical", "warning", "info"]
"""``critical``: it does not air, or not all of it. ``warning``: it airs, and not as it should. ``info``: it is
converted on the way, as it may be meant."""
_NEAR_SHAPES: Final = 200
"""A difference of one part in so many is rounding and no shape of its own, as in ``sidecar.media.geometry``."""
_LU: Final = 100
"""Hundredths: within one loudness unit of the target nothing is to do, and more than six up is not done."""
_MOST_UP: Final = 6 * _LU


@dataclass(frozen=True, slots=True)
class FileLook:
    """A file as it lies on the disk now. ``unknown``: its disk does not say."""

    state: Literal["there", "gone", "unreadable", "unknown"] = "unknown"
    size_bytes: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """An asset's integrated loudness in hundredths of LUFS; None: silent all through, or too short to tell."""

    integrated: int | None


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """What items are compared with. ``shape`` is width to height. ``target`` in hundredths of LUFS, None: loudness is
    left as it is."""

    rate: Fraction
    shape: Fraction
    target: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of what an item airs. ``candidate``: of a clip that is waited for, the asset that has its house id
    and cannot be used. ``arriving``: what is with a file of that name that is on its way, empty where there is none.
    ``live_fault``: why its live input does not connect."""

    asset: Asset | None = None
    look: FileLook = field(default_factory=FileLook)
    candidate: Asset | None = None
    arriving: str = ""
    measured: Measured | None = None
    live_fault: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    code: Code
    severity: Severity
    text: str


def check(item: Item, known: Known, channel: ChannelFacts) -> tuple[Finding, ...]:
    """The worst first. Empty for slates, comments, and what is as it should be."""
    if item.kind == "live":
        return (Finding("live", "critical", known.live_fault),) if known.live_fault else ()
    if item.kind != "clip":
        return ()
    if known.asset is None:
        return (_waiting(item, known),)
    found = _file(known.asset, known.look)
    if not any(one.severity == "critical" for one in found):
        found += _length(item, known.asset)
        found += _picture(known.asset, channel)
        found += _sound(known.asset, known.measured, channel)
    order = {"critical": 0, "warning": 1, "info": 2}
    return tuple(sorted(found, key=lambda one: order[one.severity]))


def _waiting(item: Item, known: Known) -> Finding:
    if known.candidate is not None:
        try:
            listed_trim(item.listed, known.candidate)
        except Invalid as error:
            return Finding("short", "critical", error.detail)
    if known.arriving in ("arriving", "waiting", "probing"):
        return Finding("arriving", "critical", f"its clip {item.house_id} is {_COMING[known.arriving]}")
    if known.arriving:
        return Finding("unreadable", "critical", f"its clip {item.house_id} came and is refused: {known.arriving}")
    named = f"of house id {item.house_id}" if item.house_id else "for it"
    return Finding("missing", "critical", f"there is no clip {named}")


_COMING: Final[Mapping[str, str]] = {
    "arriving": "still being written",
    "waiting": "there and waits to be looked into",
    "probing": "being looked into",
}


def _file(asset: Asset, look: FileLook) -> list[Finding]:
    match look.state:
        case "gone":
            return [Finding("missing", "critical", f"there is no file at {asset.path}")]
        case "unreadable":
            return [Finding("unreadable", "critical", f"{asset.path} cannot be read: {look.detail}")]
        case "there" if look.size_bytes is not None and look.size_bytes != asset.size_bytes:
            text = f"{asset.path} has {look.size_bytes} bytes and had {asset.size_bytes} when it was looked into"
            return [Finding("changed", "warning", text)]
        case _:
            return []


def _length(item: Item, asset: Asset) -> list[Finding]:
    if asset.rate is None or asset.duration_frames is None:
        return []
    length = asset.duration_frames
    if item.in_frames >= length:
        text = f"its in point is frame {item.in_frames} of a clip that has {length}"
        return [Finding("short", "critical", text)]
    missing = (item.out_frames or 0) - length
    if missing <= 0:
        wanted = waiting_frames(item.listed, parse_rate(asset.rate))
        airs = (item.out_frames or length) - item.in_frames
        missing = 0 if wanted is None else wanted - airs
    if missing <= 0:
        return []
    return [Finding("short", "warning", f"the clip ends {missing} frames before its list wants it to")]


def _picture(asset: Asset, channel: ChannelFacts) -> list[Finding]:
    found: list[Finding] = []
    if asset.rate is None:
        return [Finding("aspect", "info", "it has no picture: the slate is shown")]
    rate = parse_rate(asset.rate)
    if asset.variable_rate:
        found.append(
            Finding("variable_rate", "warning", f"its pictures come at a rate that varies around {asset.rate}")
        )
    elif rate not in (channel.rate, channel.rate / 2, channel.rate * 2):
        text = (
            f"it has {_rate(rate)} pictures a second, the channel {_rate(channel.rate)}: pictures repeat or go missing"
        )
        found.append(Finding("rate", "warning", text))
    shape = Fraction(asset.aspect) if asset.aspect else None
    if shape is not None and abs(shape - channel.shape) * _NEAR_SHAPES > channel.shape:
        where = "beside" if shape < channel.shape else "above and below"
        text = f"it is {_shape(shape)}, the channel {_shape(channel.shape)}: black {where} it"
        found.append(Finding("aspect", "info", text))
    if asset.captions and rate != channel.rate:
        text = f"its captions are lost: they pass only at the channel's {_rate(channel.rate)} pictures a second"
        found.append(Finding("captions", "warning", text))
    return found


def _sound(asset: Asset, measured: Measured | None, channel: ChannelFacts) -> list[Finding]:
    if asset.audio_codec is None:
        return [Finding("no_audio", "warning", "it has no sound")]
    found: list[Finding] = []
    if asset.silent:
        found.append(Finding("silent", "warning", "its sound is silent"))
    if text := _layout(asset.audio_tracks or ()):
        found.append(Finding("audio_layout", "info", text))
    if channel.target is None or asset.silent:
        return found
    if measured is None:
        return [*found, Finding("unmeasured", "warning", "its loudness is not measured: it airs as it is")]
    if measured.integrated is None:
        return found
    off = channel.target - measured.integrated
    if off > _MOST_UP:
        text = f"it is {off / _LU:.1f} LU below the target, and only {_MOST_UP // _LU} are made up"
        found.append(Finding("loudness", "warning", text))
    elif abs(off) > _LU:
        text = f"it is {abs(off) / _LU:.1f} LU {'below' if off > 0 else 'above'} the target: it is levelled"
        found.append(Finding("loudness", "info", text))
    return found


def _layout(tracks: "list[str] | tuple[str, ...]") -> str:
    """What of the sound is not heard as it is in the file; empty for mono, stereo and two tracks of left and right."""
    match tuple(tracks):
        case () | ("mono",) | ("stereo",) | ("mono", "mono"):
            return ""
        case ("mono", "mono", *others):
            return f"of its {len(others) + 2} mono tracks the first two air, as left and right"
        case (one,):
            return f"its sound is {one}, and is mixed down to stereo"
        case all_:
            return f"of its {len(all_)} sound tracks the first ({all_[0]}) airs"


def _rate(rate: Fraction) -> str:
    return str(rate.numerator) if rate.denominator == 1 else f"{float(rate):.2f}"


def _shape(shape: Fraction) -> str:
    return f"{shape.numerator}:{shape.denominator}" if shape.denominator < 30 else f"{float(shape):.2f}:1"
