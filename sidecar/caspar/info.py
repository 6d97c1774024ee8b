"""What ``INFO <channel>`` tells: layers, their clips' positions, and outputs, as values.

Positions come as seconds in decimal; they are turned into whole ticks of the channel (fields where it is interlaced),
which is what AMCP counts in. Elements may be absent: image, colour and route have few. What INFO says is not what airs
where a file cannot be read: it then names the dead clip, whose time stands at 0, while the old one plays on (seen on
2.5.0). Nothing here does I/O.
"""

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final
from xml.etree import ElementTree as ET

_NUMBERED: Final = re.compile(r"(?:layer|port)_([0-9]{1,9})")
_ENDLESS: Final = 1 << 31
"""``frames_left`` of what never ends is near 2**32."""
_DECLARATION: Final = "<!"
"""The server sends neither a document type nor an entity."""


class UnreadableInfoError(ValueError):
    """Not the XML of a channel."""


@dataclass(frozen=True, slots=True)
class Side:
    """The foreground or the background of a layer.

    ``position``, ``clip_in`` and ``clip_length`` in ticks from the file's start; ``file_length`` the whole file's.
    ``producer`` is ``empty`` where there is none, and ``transition`` while something is cued or has not shown a frame.
    ``ticks_left`` stands only while an AUTO is pending; None too when it never comes.
    """

    producer: str = "empty"
    path: str = ""
    position: int | None = None
    file_length: int | None = None
    clip_in: int | None = None
    clip_length: int | None = None
    loop: bool = False
    paused: bool = False
    ticks_left: int | None = None
    auto_pending: bool = False

    @property
    def is_dead(self) -> bool:
        """Named, but nothing of it was ever decoded: it is not what airs."""
        return self.producer == "transition" and not self.position and not self.clip_length and not self.file_length

    @property
    def has_ended(self) -> bool:
        """It stands on its last frame; nothing else tells."""
        if self.position is None or self.clip_in is None or not self.clip_length:
            return False
        return not self.loop and self.position >= self.clip_in + self.clip_length - 1


@dataclass(frozen=True, slots=True)
class Layer:
    foreground: Side = Side()
    background: Side = Side()


@dataclass(frozen=True, slots=True)
class Port:
    """An output. ``frame`` is None for a card; a frame that stands still is an output that is dead but still listed."""

    consumer: str = ""
    path: str = ""
    frame: int | None = None


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """``rate`` in ticks a second: fields where the format is interlaced."""

    format: str
    rate: Fraction
    layers: dict[int, Layer] = field(default_factory=dict[int, Layer])
    ports: dict[int, Port] = field(default_factory=dict[int, Port])


def read_info(xml: str) -> ChannelInfo:
    """Raises UnreadableInfoError; also for the list that a server answers for a channel that it does not have."""
    channel = _parsed(xml)
    rates = [_number(element.text) for element in channel.findall("framerate")]
    if channel.tag != "channel" or len(rates) != 2 or any(rate is None or rate <= 0 for rate in rates):
        raise UnreadableInfoError(f"INFO is not of a channel: {xml[:120]!r}")
    numerator, denominator = (rate or Fraction(1) for rate in rates)
    rate = numerator / denominator
    layers = {number: _layer(element, rate) for number, element in _numbered(channel, "stage/layer")}
    ports = {number: _port(element) for number, element in _numbered(channel, "output/port")}
    return ChannelInfo(_text(channel, "format"), rate, layers, ports)


def media_folder(xml: str) -> str:
    """Of ``INFO PATHS``, as the server names it; empty where it does not. Raises UnreadableInfoError."""
    return _text(_parsed(xml), "media-path")


def _parsed(xml: str) -> ET.Element:
    if _DECLARATION in xml:
        raise UnreadableInfoError("INFO holds a declaration, which no server sends")
    try:
        return ET.fromstring(xml)  # noqa: S314 - without declarations there are no entities to expand
    except ET.ParseError as error:
        raise UnreadableInfoError(f"INFO is not XML: {error}") from error


def _numbered(channel: ET.Element, path: str) -> list[tuple[int, ET.Element]]:
    found = channel.find(path)
    children = [] if found is None else list(found)
    return [(int(match[1]), child) for child in children if (match := _NUMBERED.fullmatch(child.tag))]


def _layer(element: ET.Element, rate: Fraction) -> Layer:
    return Layer(_side(element.find("foreground"), rate), _side(element.find("background"), rate))


def _side(element: ET.Element | None, rate: Fraction) -> Side:
    if element is None:
        return Side()
    position, file_length = _two(element, "file/time", rate)
    clip_in, clip_length = _two(element, "file/clip", rate)
    left = _number(_text(element, "frames_left"))
    return Side(
        producer=_text(element, "producer") or "empty",
        path=_text(element, "file/path") or _text(element, "path") or _text(element, "file/name"),
        position=position,
        file_length=file_length,
        clip_in=clip_in,
        clip_length=clip_length,
        loop=_text(element, "loop") == "true",
        paused=_text(element, "paused") == "true",
        ticks_left=None if left is None or left >= _ENDLESS else int(left),
        auto_pending=left is not None,
    )


def _port(element: ET.Element) -> Port:
    frame = _number(_text(element, "file/frame"))
    return Port(_text(element, "consumer"), _text(element, "file/path"), None if frame is None else int(frame))


def _two(element: ET.Element, path: str, rate: Fraction) -> tuple[int | None, int | None]:
    values = [_number(one.text) for one in element.findall(path)][:2]
    ticks = [None if value is None else round(value * rate) for value in values]
    return (ticks[0], ticks[1]) if len(ticks) == 2 else (None, None)


def _text(element: ET.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _number(text: str | None) -> Fraction | None:
    try:
        return Fraction((text or "").strip())
    except (ValueError, ZeroDivisionError):
        return None
