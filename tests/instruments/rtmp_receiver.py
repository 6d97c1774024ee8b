"""An RTMP server for publishers that notes which connection sent when; a receiver of the first, the last or of all.

Written here and not taken from FFmpeg: its listener takes one connection and closes the door, so a second publisher
could not even be noticed, and PyAV's build of it falls over.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, Self

from tests.instruments.heard import Span, spans
from tests.instruments.rtmp_messages import (
    AUDIO,
    BANDWIDTH,
    CHUNK_SIZE,
    COMMAND,
    HANDSHAKE,
    VIDEO,
    WINDOW,
    Message,
    MessageReader,
    chunked,
    decode,
    encode,
)

Policy = Literal["first", "last", "all"]
"""Who wins a stream: the publisher that has it, the newest (the older one is thrown out), or nobody is refused."""

_CHUNK = 4096
_IDLE_S = 30.0


@dataclass
class Connection:
    """Instants are UTC in nanoseconds, as the bytes were read. ``media`` is each picture and sound: instant, kind
    (``video`` or ``audio``), the publisher's timestamp in milliseconds, bytes."""

    peer: str
    connected_ns: int
    key: str = ""
    published_ns: int | None = None
    refused: str = ""
    closed_ns: int | None = None
    media: list[tuple[int, str, int, int]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.peer


@dataclass
class RtmpLog:
    """In order of connection, the refused ones included: an attempt is a fact too."""

    connections: list[Connection] = field(default_factory=list)

    def heard(self) -> Iterator[tuple[str, int]]:
        for connection in list(self.connections):
            for at, *_ in list(connection.media):
                yield connection.name, at

    def spans(self) -> list[Span]:
        return spans(self.heard())

    def attempts(self, since_ns: int = 0) -> list[Connection]:
        return [connection for connection in list(self.connections) if connection.connected_ns >= since_ns]

    def first_after(self, at_ns: int, *, not_of: str = "") -> int | None:
        """When the first media after ``at_ns`` came that is not of the connection ``not_of``."""
        return min((at for name, at in self.heard() if at > at_ns and name != not_of), default=None)


class RtmpReceiver:
    """Accepts on a thread until left, each connection on one of its own.

    ``bound`` is a TCP socket of another network namespace, already bound; without it, a loopback port is taken.
    """

    def __init__(self, policy: Policy = "first", bound: socket.socket | None = None) -> None:
        self._policy = policy
        self._socket = bound or _loopback()
        self._socket.listen(16)
        self._socket.settimeout(0.2)
        self.host, self.port = self._socket.getsockname()[:2]
        self.log = RtmpLog()
        self._publishing: dict[str, tuple[Connection, socket.socket]] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._accept, name="rtmp-receiver", daemon=True)]

    def url(self, key: str = "air") -> str:
        return f"rtmp://{self.host}:{self.port}/live/{key}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in list(self._threads):
            thread.join(5)
        self._socket.close()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                door, (host, port, *_) = self._socket.accept()
            except TimeoutError:
                continue
            connection = Connection(f"{host}:{port}", time.time_ns())
            self.log.connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(door, connection), name="rtmp-publisher", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, door: socket.socket, connection: Connection) -> None:
        door.settimeout(0.2)
        try:
            with door, suppress(OSError, ValueError, IndexError, EOFError):
                self._handshake(door)
                reader = MessageReader()
                while data := self._receive(door):
                    at_ns = time.time_ns()
                    for message in reader.feed(data):
                        self._message(door, connection, message, at_ns)
        finally:
            connection.closed_ns = time.time_ns()
            with self._lock:
                if self._publishing.get(connection.key, (None,))[0] is connection:
                    del self._publishing[connection.key]

    def _receive(self, door: socket.socket, size: int = 1 << 16) -> bytes:
        """Empty at the end of the connection, of the receiver, or of our patience."""
        deadline = time.monotonic() + _IDLE_S
        while not self._stop.is_set() and time.monotonic() < deadline:
            with suppress(TimeoutError):
                return door.recv(size)
        return b""

    def _exactly(self, door: socket.socket, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._receive(door, size - len(data))
            if not part:
                raise EOFError("gone in the handshake")
            data += part
        return data

    def _handshake(self, door: socket.socket) -> None:
        hello = self._exactly(door, 1 + HANDSHAKE)
        door.sendall(b"\x03" + bytes(HANDSHAKE) + hello[1:])
        self._exactly(door, HANDSHAKE)

    def _message(self, door: socket.socket, connection: Connection, message: Message, at_ns: int) -> None:
        if message.kind in (AUDIO, VIDEO):
            kind = "video" if message.kind == VIDEO else "audio"
            connection.media.append((at_ns, kind, message.timestamp, len(message.body)))
        elif message.kind == COMMAND:
            name, number, *more = decode(message.body)
            if name == "connect":
                door.sendall(
                    chunked(WINDOW, 0, (1 << 24).to_bytes(4, "big"), channel=2)
                    + chunked(BANDWIDTH, 0, (1 << 24).to_bytes(4, "big") + b"\x02", channel=2)
                    + chunked(CHUNK_SIZE, 0, _CHUNK.to_bytes(4, "big"), channel=2)
                )
                information: dict[str, str | float] = {
                    "level": "status", "code": "NetConnection.Connect.Success", "description": "connected",
                    "objectEncoding": 0.0,
                }  # fmt: skip
                self._answer(door, 0, "_result", number, {"fmsVer": "FMS/3,5", "capabilities": 31.0}, information)
            elif name == "createStream":
                self._answer(door, 0, "_result", number, None, 1.0)
            elif name == "publish":
                self._publish(door, connection, str(more[1]) if len(more) > 1 else "", at_ns)

    def _publish(self, door: socket.socket, connection: Connection, key: str, at_ns: int) -> None:
        with self._lock:
            holder = self._publishing.get(key)
            if holder is not None and self._policy == "first":
                connection.refused = f"{holder[0].name} publishes"
            else:
                self._publishing[key] = (connection, door)
                connection.key, connection.published_ns = key, at_ns
        if connection.refused:
            self._status(door, "error", "NetStream.Publish.BadName", "Already publishing")
            raise EOFError("refused")
        if holder is not None and self._policy == "last":
            with suppress(OSError):
                holder[1].shutdown(socket.SHUT_RDWR)
        self._status(door, "status", "NetStream.Publish.Start", "published")

    def _status(self, door: socket.socket, level: str, code: str, description: str) -> None:
        self._answer(door, 1, "onStatus", 0.0, None, {"level": level, "code": code, "description": description})

    def _answer(self, door: socket.socket, stream: int, *values: object) -> None:
        door.sendall(chunked(COMMAND, stream, encode(*values), size=_CHUNK))  # type: ignore[arg-type] - AMF values


def _loopback() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", 0))
    return made
