"""RTMP as a receiver of publishers needs it: chunks put together to messages, AMF0, and a server's few answers.

Source: Adobe's RTMP specification 1.0 (2012), sections 5 and 7; AMF0 specification (2007).
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

HANDSHAKE = 1536
CHUNK_SIZE, ACKNOWLEDGE, WINDOW, BANDWIDTH = 1, 3, 5, 6
AUDIO, VIDEO, DATA, COMMAND = 8, 9, 18, 20
_EXTENDED = 0xFFFFFF
_MOST = 16 << 20

Amf = float | bool | str | None | Mapping[str, "Amf"]


@dataclass(frozen=True, slots=True)
class Message:
    """``timestamp`` in milliseconds of the publisher's clock."""

    kind: int
    timestamp: int
    stream: int
    body: bytes


@dataclass(slots=True)
class _Chunks:
    """One chunk stream's last header and what has come of its message."""

    timestamp: int = 0
    delta: int = 0
    length: int = 0
    kind: int = 0
    stream: int = 0
    extended: bool = False
    body: bytearray = field(default_factory=bytearray)


class MessageReader:
    """Feed it what comes after the handshake, in pieces of any size. Raises ValueError for what is no RTMP."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._streams: dict[int, _Chunks] = {}
        self._chunk = 128

    def feed(self, data: bytes) -> Iterator[Message]:
        self._data += data
        while True:
            taken = self._next()
            if taken is None:
                return
            length, message = taken
            del self._data[:length]
            if message is None:
                continue
            if message.kind == CHUNK_SIZE:
                self._chunk = int.from_bytes(message.body[:4], "big") & 0x7FFFFFFF
            yield message

    def _next(self) -> tuple[int, Message | None] | None:
        """The bytes of the first whole chunk, and the message that it ends; None while it is not whole."""
        data = self._data
        if len(data) < 3:
            return None
        form, number, at = data[0] >> 6, data[0] & 0x3F, 1
        if number == 0:
            number, at = 64 + data[1], 2
        elif number == 1:
            number, at = 64 + data[1] + (data[2] << 8), 3
        header = (11, 7, 3, 0)[form]
        if len(data) < at + header:
            return None
        known = self._streams.get(number)
        if known is None and form != 0:
            raise ValueError(f"chunk stream {number} begins without a header")
        state = _Chunks() if known is None else known
        fresh = not state.body
        stamp = int.from_bytes(data[at : at + 3], "big") if form < 3 else 0
        extended = stamp == _EXTENDED if form < 3 else state.extended
        body_at = at + header + (4 if extended else 0)
        length = int.from_bytes(data[at + 3 : at + 6], "big") if form < 2 else state.length
        if length > _MOST:
            raise ValueError(f"a message of {length} bytes")
        part = min(self._chunk, length - len(state.body))
        if len(data) < body_at + part:
            return None
        if extended:
            stamp = int.from_bytes(data[at + header : body_at], "big")
        self._streams[number] = state
        state.length, state.extended = length, extended
        if form < 2:
            state.kind = data[at + 6]
        if form == 0:
            state.stream = int.from_bytes(data[at + 7 : at + 11], "little")
            state.timestamp, state.delta = stamp, 0
        elif form < 3:
            state.delta = stamp
            state.timestamp += stamp
        elif fresh:
            state.timestamp += state.delta
        state.body += data[body_at : body_at + part]
        if len(state.body) < length:
            return body_at + part, None
        message = Message(state.kind, state.timestamp, state.stream, bytes(state.body))
        state.body.clear()
        return body_at + part, message


def chunked(kind: int, stream: int, body: bytes, *, channel: int = 3, size: int = 128) -> bytes:
    """One message at timestamp 0, as chunks of ``size``."""
    header = bytes([channel]) + bytes(3) + len(body).to_bytes(3, "big") + bytes([kind]) + stream.to_bytes(4, "little")
    parts = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
    return header + bytes([0xC0 | channel]).join(parts)


def encode(*values: Amf) -> bytes:
    return b"".join(_encode(value) for value in values)


def _encode(value: Amf) -> bytes:
    match value:
        case None:
            return b"\x05"
        case bool():
            return bytes([1, value])
        case int() | float():
            return b"\x00" + struct.pack(">d", value)
        case str():
            return b"\x02" + _text(value)
        case _:
            return b"\x03" + b"".join(_text(key) + _encode(one) for key, one in value.items()) + b"\x00\x00\x09"


def _text(value: str) -> bytes:
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


def decode(data: bytes) -> list[Amf]:
    """Raises ValueError or IndexError for what is cut short or not of AMF0."""
    values: list[Amf] = []
    at = 0
    while at < len(data):
        value, at = _decode(data, at)
        values.append(value)
    return values


def _decode(data: bytes, at: int) -> tuple[Amf, int]:
    kind, at = data[at], at + 1
    match kind:
        case 0:
            (number,) = struct.unpack_from(">d", data, at)
            return float(number), at + 8
        case 1:
            return bool(data[at]), at + 1
        case 2:
            return _read_text(data, at)
        case 3 | 8:
            return _read_object(data, at + (4 if kind == 8 else 0))
        case 5 | 6:
            return None, at
        case _:
            raise ValueError(f"AMF0 marker {kind}")


def _read_text(data: bytes, at: int) -> tuple[str, int]:
    length = int.from_bytes(data[at : at + 2], "big")
    return data[at + 2 : at + 2 + length].decode("utf-8", "replace"), at + 2 + length


def _read_object(data: bytes, at: int) -> tuple[dict[str, Amf], int]:
    values: dict[str, Amf] = {}
    while data[at : at + 3] != b"\x00\x00\x09":
        key, at = _read_text(data, at)
        values[key], at = _decode(data, at)
    return values, at + 3
