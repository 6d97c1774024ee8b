"""The same state as INFO, as OSC: one bundle a channel and tick, split above some 2,000 bytes."""

import struct
from collections.abc import Iterator

from tests.doubles.caspar.xml import Node, channel_tree

__all__ = ["channel_bundles", "channel_tree"]
_MOST = 2048
_FLOATS = frozenset({"time", "clip"})
_LONGS = frozenset({"frames_left"})
_INTS = frozenset({"framerate", "fps"})


def channel_bundles(channel: int, tree: Node, tag: int) -> list[bytes]:
    bundles: list[bytes] = []
    elements = b""
    for address, values in _leaves(f"/channel/{channel}", tree, ""):
        message = _message(address, values)
        if elements and len(elements) + len(message) > _MOST:
            bundles.append(_bundle(tag, elements))
            elements = b""
        elements += struct.pack(">i", len(message)) + message
    return [*bundles, _bundle(tag, elements)]


def _leaves(prefix: str, node: Node, parent: str) -> Iterator[tuple[str, list[str]]]:
    for name, value in node.items():
        part = name.removeprefix(f"{parent}_") if parent else name
        if isinstance(value, str):
            yield f"{prefix}/{part}", [value]
        elif isinstance(value, list):
            yield f"{prefix}/{part}", value
        else:
            yield from _leaves(f"{prefix}/{part}", value, part)


def _message(address: str, values: list[str]) -> bytes:
    name = address.rpartition("/")[2]
    types, data = ",", b""
    for value in values:
        if value in ("true", "false"):
            types += "T" if value == "true" else "F"
        elif name in _FLOATS:
            types, data = types + "f", data + struct.pack(">f", float(value))
        elif name in _LONGS or address.endswith("/file/frame"):
            types, data = types + "h", data + struct.pack(">q", int(value))
        elif name in _INTS and len(values) == 2:
            types, data = types + "i", data + struct.pack(">i", int(value))
        else:
            types, data = types + "s", data + _string(value)
    return _string(address) + _string(types) + data


def _string(text: str) -> bytes:
    raw = text.encode()
    return raw + b"\0" * (4 - len(raw) % 4)


def _bundle(tag: int, elements: bytes) -> bytes:
    return b"#bundle\0" + struct.pack(">Q", tag) + elements
