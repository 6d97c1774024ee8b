"""What a server tells by OSC: the same state as INFO, once a tick, and also while it answers no command.

From ``protocol/osc/client.cpp`` and a running 2.5.0: one bundle a channel and tick, its time tag a plain counter, split
over several datagrams where it is long; bools are T and F, frame counts h, times two f. Bundles may be left out: this
is newest state and no series of events.

Parsed here: a library (python-osc) is made for dispatching message by message, where the newest whole bundle is wanted,
and would be one more thing to lock for sixty lines.
"""

import asyncio
import logging
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from sidecar.caspar.info import ChannelInfo, Layer, Port, Side

log = logging.getLogger(__name__)

Value = int | float | str | bool
Values = tuple[Value, ...]
_BUNDLE: Final = b"#bundle\0"
_MOST_DEPTH: Final = 4
_MOST_KEPT: Final = 4096
_FRESH_NS: Final = 500_000_000
_ENDLESS: Final = 1 << 31
_FIXED: Final = {"i": ">i", "h": ">q", "f": ">f", "d": ">d", "t": ">q"}
_PLAIN: Final[dict[str, Value]] = {"T": True, "F": False}


class NotOscError(ValueError):
    """The datagram is not OSC, or of a kind that the server does not send."""


@dataclass(frozen=True, slots=True)
class Message:
    """``tag``: the time tag of its bundle; 0 for one that came alone."""

    address: str
    values: Values
    tag: int = 0


def read_osc(data: bytes) -> list[Message]:
    """Raises NotOscError."""
    found: list[Message] = []
    try:
        _read(data, 0, 0, found)
    except (struct.error, UnicodeDecodeError, IndexError) as error:
        raise NotOscError(f"a datagram of {len(data)} bytes is not OSC: {error}") from error
    return found


def _read(data: bytes, tag: int, depth: int, found: list[Message]) -> None:
    if not data.startswith(_BUNDLE):
        found.append(_message(data, tag))
        return
    if depth >= _MOST_DEPTH:
        raise NotOscError("bundles in bundles without end")
    (tag,) = struct.unpack_from(">Q", data, len(_BUNDLE))
    at = len(_BUNDLE) + 8
    while at < len(data):
        (size,) = struct.unpack_from(">i", data, at)
        at += 4
        if size <= 0 or at + size > len(data):
            raise NotOscError(f"an element of {size} bytes in {len(data)}")
        _read(data[at : at + size], tag, depth + 1, found)
        at += size


def _message(data: bytes, tag: int) -> Message:
    address, at = _string(data, 0)
    types, at = _string(data, at)
    if not address.startswith("/") or not types.startswith(","):
        raise NotOscError(f"no address, or no types: {address[:40]!r} {types[:20]!r}")
    values: list[Value] = []
    for one in types[1:]:
        if one in _FIXED:
            (value,) = struct.unpack_from(_FIXED[one], data, at)
            at += struct.calcsize(_FIXED[one])
        elif one == "s":
            value, at = _string(data, at)
        elif one in _PLAIN:
            value = _PLAIN[one]
        else:
            raise NotOscError(f"a value of type {one!r}")
        values.append(value)
    return Message(address, tuple(values), tag)


def _string(data: bytes, at: int) -> tuple[str, int]:
    """Ended by a zero byte, and filled up to four."""
    end = data.index(b"\0", at) if b"\0" in data[at:] else -1
    if end < 0:
        raise NotOscError("a string without an end")
    return data[at:end].decode(), at + (end - at) // 4 * 4 + 4


@dataclass(slots=True)
class Newest:
    """The newest whole state of one channel. A bundle is whole when the next one begins."""

    channel: int
    _tag: int = -1
    _coming: dict[str, Values] = field(default_factory=dict[str, Values])
    _whole: dict[str, Values] = field(default_factory=dict[str, Values])
    _whole_ns: int | None = None

    def take(self, data: bytes, now_ns: int) -> None:
        """Raises NotOscError."""
        prefix = f"/channel/{self.channel}/"
        for message in read_osc(data):
            if not message.address.startswith(prefix):
                continue
            if message.tag != self._tag:
                self._whole, self._coming = self._coming, {}
                self._whole_ns = now_ns if self._whole else None
                self._tag = message.tag
            if len(self._coming) < _MOST_KEPT:
                self._coming[message.address.removeprefix(prefix)] = message.values

    def info(self, now_ns: int) -> ChannelInfo | None:
        """As ``INFO`` would tell it; None where nothing has come for a while, or not enough."""
        if self._whole_ns is None or now_ns - self._whole_ns > _FRESH_NS:
            return None
        state = self._whole
        rate = state.get("framerate", ())
        if len(rate) != 2 or not all(isinstance(one, int) and one > 0 for one in rate):
            return None
        ticks = Fraction(int(rate[0]), int(rate[1]))
        layers = {
            number: Layer(
                _side(state, f"stage/layer/{number}/foreground/", ticks),
                _side(state, f"stage/layer/{number}/background/", ticks),
            )
            for number in _numbers(state, "stage/layer/")
        }
        ports = {number: _port(state, f"output/port/{number}/") for number in _numbers(state, "output/port/")}
        return ChannelInfo(_text(state, "format"), ticks, layers, ports)


def _numbers(state: dict[str, Values], prefix: str) -> set[int]:
    parts = {one.removeprefix(prefix).partition("/")[0] for one in state if one.startswith(prefix)}
    return {int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 10}


def _side(state: dict[str, Values], prefix: str, rate: Fraction) -> Side:
    position, file_length = _two(state, f"{prefix}file/time", rate)
    clip_in, clip_length = _two(state, f"{prefix}file/clip", rate)
    left = _whole(state, f"{prefix}frames_left")
    return Side(
        producer=_text(state, f"{prefix}producer") or "empty",
        path=_text(state, f"{prefix}file/path") or _text(state, f"{prefix}file/name"),
        position=position,
        file_length=file_length,
        clip_in=clip_in,
        clip_length=clip_length,
        loop=state.get(f"{prefix}loop") == (True,),
        paused=state.get(f"{prefix}paused") == (True,),
        ticks_left=None if left is None or left >= _ENDLESS else left,
        auto_pending=left is not None,
    )


def _port(state: dict[str, Values], prefix: str) -> Port:
    return Port(
        _text(state, f"{prefix}consumer"), _text(state, f"{prefix}file/path"), _whole(state, f"{prefix}file/frame")
    )


def _two(state: dict[str, Values], name: str, rate: Fraction) -> tuple[int | None, int | None]:
    """Seconds in 32 bits: exact to the tick for a day."""
    values = state.get(name, ())
    if len(values) != 2 or not all(isinstance(one, float) and -1e7 < one < 1e9 for one in values):
        return None, None
    return round(Fraction(values[0]) * rate), round(Fraction(values[1]) * rate)


def _text(state: dict[str, Values], name: str) -> str:
    values = state.get(name, ())
    return values[0] if values and isinstance(values[0], str) else ""


def _whole(state: dict[str, Values], name: str) -> int | None:
    values = state.get(name, ())
    return values[0] if values and isinstance(values[0], int) and not isinstance(values[0], bool) else None


class Ear(asyncio.DatagramProtocol):
    """Takes what comes from ``sender`` alone."""

    def __init__(self, channel: int, sender: str, monotonic_ns: Callable[[], int]) -> None:
        self.newest = Newest(channel)
        self._sender = sender
        self._now = monotonic_ns
        self._transport: asyncio.DatagramTransport | None = None
        self._has_complained = False

    @classmethod
    async def open(cls, channel: int, sender: str, monotonic_ns: Callable[[], int]) -> "Ear":
        """On a port of its own, where ``sender`` reaches it. Raises OSError."""
        address = "127.0.0.1" if sender.startswith("127.") else "0.0.0.0"  # noqa: S104 - from one sender alone
        loop = asyncio.get_running_loop()
        _, ear = await loop.create_datagram_endpoint(lambda: cls(channel, sender, monotonic_ns), (address, 0))
        return ear

    @property
    def port(self) -> int:
        assert self._transport is not None
        return int(self._transport.get_extra_info("sockname")[1])

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        if addr[0] != self._sender:
            return
        try:
            self.newest.take(data, self._now())
        except NotOscError as error:
            if not self._has_complained:
                log.warning("%s", error)
            self._has_complained = True

    def info(self) -> ChannelInfo | None:
        return self.newest.info(self._now())

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
