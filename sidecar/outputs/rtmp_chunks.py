"""RTMP's messages in chunks (Adobe, *RTMP Specification 1.0*, section 5.3). No I/O."""

import struct
from dataclasses import dataclass, field
from typing import Final

SET_CHUNK_SIZE, ACKNOWLEDGEMENT, USER_CONTROL, WINDOW_SIZE, AUDIO, VIDEO, DATA, COMMAND = 1, 3, 4, 5, 8, 9, 18, 20
OUR_CHUNK_SIZE: Final = 4096
"""What common servers take without being configured for it."""
_EXTENDED: Final = 0xFFFFFF
_HEADER_LENGTHS: Final = (11, 7, 3, 0)
_LARGEST_MESSAGE: Final = 1 << 20
_MOST_STREAMS: Final = 64


@dataclass(frozen=True, slots=True)
class Message:
    """``timestamp`` in milliseconds, 32 bits."""

    kind: int
    stream_id: int
    payload: bytes
    timestamp: int = 0


def chunked(message: Message, chunk_stream: int, size: int = OUR_CHUNK_SIZE) -> bytes:
    """With a whole header: 11 bytes a message, and it depends on nothing before. ``chunk_stream`` is 2 to 63."""
    timestamp = message.timestamp & 0xFFFFFFFF
    short = min(timestamp, _EXTENDED)
    # In a later chunk of the message too, as every server expects it.
    extended = struct.pack(">I", timestamp) if short == _EXTENDED else b""
    payload = message.payload
    header = short.to_bytes(3, "big") + len(payload).to_bytes(3, "big") + bytes([message.kind])
    parts = [bytes([chunk_stream]), header, struct.pack("<I", message.stream_id), extended, payload[:size]]
    for at in range(size, len(payload), size):
        parts += [bytes([0xC0 | chunk_stream]), extended, payload[at : at + size]]
    return b"".join(parts)


@dataclass(slots=True)
class _Incoming:
    """A chunk stream's last header, and what has come of its message."""

    kind: int = 0
    stream_id: int = 0
    length: int = 0
    timestamp: int = 0
    is_extended: bool = False
    body: bytearray = field(default_factory=bytearray)


class ChunkReader:
    """``feed`` gives the messages that are whole; the other side's chunk size is taken care of."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._size = 128
        self._streams: dict[int, _Incoming] = {}

    def feed(self, data: bytes) -> list[Message]:
        """Raises ConnectionError for what is no RTMP."""
        self._buffer += data
        messages: list[Message] = []
        while (taken := self._take_chunk(messages)) > 0:
            del self._buffer[:taken]
        return messages

    def _take_chunk(self, messages: list[Message]) -> int:
        """How many bytes it was; 0 when it is not all there."""
        buffer = self._buffer
        if not buffer or len(buffer) < 1 + {0: 1, 1: 2}.get(buffer[0] & 63, 0):
            return 0
        form, number, at = buffer[0] >> 6, buffer[0] & 63, 1
        if number < 2:
            number, at = (buffer[1] + 64, 2) if number == 0 else (buffer[1] + 256 * buffer[2] + 64, 3)
        stream = self._stream(number, known=form != 0)
        header = bytes(buffer[at : at + _HEADER_LENGTHS[form]])
        at += _HEADER_LENGTHS[form]
        is_extended = stream.is_extended if form == 3 else header[:3] == b"\xff\xff\xff"
        at += 4 * is_extended
        length = int.from_bytes(header[3:6], "big") if form <= 1 else stream.length
        if length > _LARGEST_MESSAGE:
            raise ConnectionError(f"the server announced a message of {length} bytes")
        begun = 0 if form <= 1 else len(stream.body)
        piece = min(self._size, length - begun)
        if len(buffer) < at + piece:
            return 0
        if form <= 1:
            stream.length, stream.kind = length, header[6]
            stream.body.clear()
        if form == 0:
            stream.stream_id = int.from_bytes(header[7:11], "little")
        stream.is_extended = is_extended
        stream.body += buffer[at : at + piece]
        if len(stream.body) >= stream.length:
            self._finish(stream, messages)
        return at + piece

    def _stream(self, number: int, *, known: bool) -> _Incoming:
        stream = self._streams.get(number)
        if stream is None:
            if known or len(self._streams) >= _MOST_STREAMS:
                raise ConnectionError("the server does not speak RTMP")
            stream = self._streams[number] = _Incoming()
        return stream

    def _finish(self, stream: _Incoming, messages: list[Message]) -> None:
        message = Message(stream.kind, stream.stream_id, bytes(stream.body))
        stream.body.clear()
        if message.kind == SET_CHUNK_SIZE:
            self._size = int.from_bytes(message.payload[:4], "big")
            if not 1 <= self._size <= 0xFFFFFF:
                raise ConnectionError("the server set an impossible chunk size")
        else:
            messages.append(message)
