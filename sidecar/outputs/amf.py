"""AMF0, the form of RTMP's commands (Adobe, *Action Message Format, AMF 0*, 2007): what a publisher needs of it."""

import struct
from collections.abc import Mapping
from typing import TypeAlias

Amf: TypeAlias = "float | bool | str | Mapping[str, Amf] | list[Amf] | None"

_NUMBER, _BOOLEAN, _STRING, _OBJECT, _NULL, _UNDEFINED, _ECMA_ARRAY, _END, _STRICT_ARRAY, _DATE, _LONG_STRING = (
    0, 1, 2, 3, 5, 6, 8, 9, 10, 11, 12,
)  # fmt: skip
_DEEPEST = 8
_MOST_ITEMS = 1000


def encoded(*values: Amf) -> bytes:
    return b"".join(_encode(value) for value in values)


def _encode(value: Amf) -> bytes:
    if value is None:
        return bytes([_NULL])
    if isinstance(value, bool):
        return bytes([_BOOLEAN, value])
    if isinstance(value, int | float):
        return struct.pack(">Bd", _NUMBER, value)
    if isinstance(value, str):
        return bytes([_STRING]) + _name(value)
    if isinstance(value, list):
        return struct.pack(">BI", _STRICT_ARRAY, len(value)) + encoded(*value)
    members = b"".join(_name(name) + _encode(member) for name, member in value.items())
    return bytes([_OBJECT]) + members + b"\x00\x00" + bytes([_END])


def _name(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def decoded(data: bytes) -> list[Amf]:
    """Every value of ``data``. Raises ValueError for what is no AMF0, or deeper or longer than a command has to be."""
    values: list[Amf] = []
    reader = _Reader(data)
    while reader.left and len(values) < _MOST_ITEMS:
        values.append(reader.value(0))
    return values


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def value(self, depth: int) -> Amf:
        if depth > _DEEPEST:
            raise ValueError("AMF0 nested too deep")
        kind = self._bytes(1)[0]
        if kind == _NUMBER:
            number: float = struct.unpack(">d", self._bytes(8))[0]
            return number
        if kind == _BOOLEAN:
            return self._bytes(1) != b"\x00"
        if kind == _STRING:
            return self._text(2)
        if kind == _LONG_STRING:
            return self._text(4)
        if kind in (_NULL, _UNDEFINED):
            return None
        if kind == _DATE:
            self._bytes(10)
            return None
        return self._composed(kind, depth)

    def _composed(self, kind: int, depth: int) -> Amf:
        if kind == _STRICT_ARRAY:
            count = self._number(4)
            if count > _MOST_ITEMS:
                raise ValueError("AMF0 array too long")
            return [self.value(depth + 1) for _ in range(count)]
        if kind == _ECMA_ARRAY:
            self._bytes(4)  # a count that nobody keeps to
        elif kind != _OBJECT:
            raise ValueError(f"AMF0 type {kind} is none of a command")
        members: dict[str, Amf] = {}
        while True:
            name = self._text(2)
            if not name and self.left and self._data[self._at] == _END:
                self._at += 1
                return members
            if len(members) >= _MOST_ITEMS:
                raise ValueError("AMF0 object too long")
            members[name] = self.value(depth + 1)

    def _text(self, width: int) -> str:
        return self._bytes(self._number(width)).decode("utf-8", "replace")

    def _number(self, width: int) -> int:
        return int.from_bytes(self._bytes(width), "big")

    def _bytes(self, count: int) -> bytes:
        if count > self.left:
            raise ValueError("AMF0 cut short")
        data = self._data[self._at : self._at + count]
        self._at += count
        return data
