"""One publishing session of RTMP (Adobe, *RTMP Specification 1.0*): dialled, agreed and written to by one thread.

Not libavformat's: PyAV opens an output's protocol with the interpreter's lock held and without a timeout, so that a
peer which does not answer would stop the whole channel. Here every step has a deadline, and is over when the lease is.
"""

import contextlib
import os
import socket
import ssl
import time
from collections.abc import Callable
from typing import Final

from sidecar.certificates import certificate_sentence, tls_context
from sidecar.outputs import amf
from sidecar.outputs.interface import LeaseLeft, LeaseOver
from sidecar.outputs.rtmp_address import RtmpAddress
from sidecar.outputs.rtmp_chunks import (
    ACKNOWLEDGEMENT,
    COMMAND,
    OUR_CHUNK_SIZE,
    SET_CHUNK_SIZE,
    USER_CONTROL,
    WINDOW_SIZE,
    ChunkReader,
    Message,
    chunked,
)

_OPEN_S: Final = 5.0
"""Seconds for everything from the look-up of the name to the server's leave to publish."""
_WRITE_S: Final = 5.0
"""Seconds in which the server must take what is written."""
_UNANSWERED_MS: Final = 8_000
"""The kernel breaks a connection whose data nobody acknowledges for so long."""
_CLOSE_S: Final = 1.0
_HANDSHAKE: Final = 1536
_CONTROL, _COMMANDS = 2, 3  # chunk streams
_PING, _PONG = 6, 7


class RtmpSession:
    """``open`` raises OSError for what fails, and LeaseOver when the lease ends under way: nothing is sent then, and
    no connection made. After that it never asks for the lease again. No text it raises holds the key."""

    def __init__(self, address: RtmpAddress, lease_left: LeaseLeft, now: Callable[[], float] = time.monotonic) -> None:
        self._address = address
        self._lease_left = lease_left
        self._now = now
        self._socket: socket.socket | None = None
        self._reader = ChunkReader()
        self._waiting: list[Message] = []
        self._window = 0
        self._received = 0
        self._acknowledged = 0
        self._stream_id = 1

    def open(self) -> None:
        """Dials, and returns when the server has given leave to publish."""
        until = self._now() + _OPEN_S
        try:
            self._dial(until)
            self._shake_hands(until)
            self._agree(until)
        except TimeoutError as error:
            self.drop()
            if self._lease_left() <= 0:
                raise LeaseOver from error
            raise TimeoutError(f"the server did not agree to the session within {_OPEN_S:g} s") from error
        except BaseException:
            self.drop()
            raise

    def send(self, message: Message, chunk_stream: int) -> int:
        """Bytes sent. Looks first what the server has said meanwhile. Raises OSError."""
        self._hear()
        data = chunked(Message(message.kind, self._stream_id, message.payload, message.timestamp), chunk_stream)
        self._write(data, _WRITE_S)
        return len(data)

    def close(self) -> None:
        """Tells the server that this is the end; one that does not listen any more is not waited for."""
        if self._socket is not None:
            goodbye = self._command("FCUnpublish", 6, None, self._address.key)
            goodbye += self._command("deleteStream", 7, None, float(self._stream_id))
            with contextlib.suppress(OSError):
                self._write(goodbye, _CLOSE_S)
                self._socket.shutdown(socket.SHUT_WR)
        self.drop()

    def drop(self) -> None:
        """Closes the connection at once."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    # --- opening ----------------------------------------------------------------------------------------------------

    def _left(self, until: float) -> float:
        """Seconds for the next step. Asked right before everything that leaves."""
        lease = self._lease_left()
        if lease <= 0:
            raise LeaseOver
        left = min(until - self._now(), lease)
        if left <= 0:
            raise TimeoutError
        return left

    def _dial(self, until: float) -> None:
        host, port = self._address.host, self._address.port
        failure: OSError = OSError("the name has no address")
        for family, kind, protocol, _, target in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            dialled = self._socket = socket.socket(family, kind, protocol)
            try:
                dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNANSWERED_MS)
                dialled.settimeout(self._left(until))
                dialled.connect(target)
                if self._address.secure:
                    dialled.settimeout(self._left(until))
                    self._socket = tls_context().wrap_socket(dialled, server_hostname=host)
            except ssl.SSLCertVerificationError as error:
                failure = ConnectionError(certificate_sentence(error))
                self.drop()
            except OSError as error:
                failure = error
                self.drop()
            else:
                return
        raise failure

    def _shake_hands(self, until: float) -> None:
        self._write(b"\x03" + bytes(8) + os.urandom(_HANDSHAKE - 8), self._left(until))
        answer = b""
        while len(answer) < 1 + 2 * _HANDSHAKE:
            answer += self._read(self._left(until))
        if answer[0] != 3:
            raise ConnectionError("the server does not speak RTMP")
        self._write(answer[1 : 1 + _HANDSHAKE], self._left(until))
        self._take_in(answer[1 + 2 * _HANDSHAKE :])

    def _agree(self, until: float) -> None:
        address = self._address
        about: dict[str, amf.Amf] = {
            "app": address.app,
            "type": "nonprivate",
            "flashVer": "FMLE/3.0 (compatible; MCR Console)",
            "tcUrl": address.tc_url,
        }
        size = Message(SET_CHUNK_SIZE, 0, OUR_CHUNK_SIZE.to_bytes(4, "big"))
        self._write(chunked(size, _CONTROL) + self._command("connect", 1, about), self._left(until))
        self._await_result(1, until)
        asked = self._command("releaseStream", 2, None, address.key) + self._command("FCPublish", 3, None, address.key)
        self._write(asked + self._command("createStream", 4, None), self._left(until))
        created = self._await_result(4, until)
        if not created or not isinstance(created[-1], float):
            raise ConnectionError("the server made no stream to publish on")
        self._stream_id = int(created[-1])
        publish = self._command("publish", 5, None, address.key, "live", stream_id=self._stream_id)
        self._write(publish, self._left(until))
        while (said := _status(self._next_command(until))) is None:
            pass
        if said != "NetStream.Publish.Start":
            raise ConnectionError(f"the server does not let us publish: {self._shown(said)}")
        if self._lease_left() <= 0:
            raise LeaseOver

    def _await_result(self, transaction: int, until: float) -> list[amf.Amf]:
        while True:
            command = self._next_command(until)
            if len(command) > 1 and command[0] in ("_result", "_error") and command[1] == transaction:
                if command[0] == "_error":
                    raise ConnectionError(f"the server refuses: {self._shown(_reason(command))}")
                return command

    def _next_command(self, until: float) -> list[amf.Amf]:
        while True:
            while self._waiting:
                message = self._waiting.pop(0)
                if message.kind == COMMAND:
                    return _values(message)
            self._take_in(self._read(self._left(until)))

    def _command(self, name: str, transaction: int, *values: amf.Amf, stream_id: int = 0) -> bytes:
        return chunked(Message(COMMAND, stream_id, amf.encoded(name, float(transaction), *values)), _COMMANDS)

    # --- the connection ---------------------------------------------------------------------------------------------

    def _hear(self) -> None:
        """Takes in what the server sent, without waiting. Raises ConnectionError when it has ended the session."""
        while True:
            try:
                self._take_in(self._read(0.0))
            except (BlockingIOError, ssl.SSLWantReadError):
                break
        for message in self._waiting:
            said = _status(_values(message)) if message.kind == COMMAND else None
            if said is not None and said != "NetStream.Publish.Start":
                raise ConnectionError(f"the server ended the session: {self._shown(said)}")
        self._waiting.clear()

    def _take_in(self, data: bytes) -> None:
        self._received += len(data)
        for message in self._reader.feed(data):
            if message.kind == WINDOW_SIZE:
                self._window = int.from_bytes(message.payload[:4], "big")
            elif message.kind == USER_CONTROL and message.payload[:2] == _PING.to_bytes(2, "big"):
                pong = Message(USER_CONTROL, 0, _PONG.to_bytes(2, "big") + message.payload[2:6])
                self._write(chunked(pong, _CONTROL), _WRITE_S)
            else:
                self._waiting.append(message)
        if self._window and self._received - self._acknowledged >= self._window // 2:
            self._acknowledged = self._received
            count = (self._received & 0xFFFFFFFF).to_bytes(4, "big")
            self._write(chunked(Message(ACKNOWLEDGEMENT, 0, count), _CONTROL), _WRITE_S)

    def _read(self, timeout: float) -> bytes:
        connection = self._connection()
        connection.settimeout(timeout)
        data = connection.recv(1 << 16)
        if not data:
            raise ConnectionError("the server closed the connection")
        return data

    def _write(self, data: bytes, timeout: float) -> None:
        connection = self._connection()
        connection.settimeout(timeout)
        try:
            connection.sendall(data)
        except TimeoutError as error:
            raise TimeoutError(f"the server took nothing for {timeout:g} s") from error

    def _connection(self) -> socket.socket:
        if self._socket is None:
            raise OSError("the output is not open")
        return self._socket

    def _shown(self, text: str) -> str:
        """What another side said, fit for a line of text and without the key."""
        return self._address.masked("".join(letter for letter in text if letter.isprintable())[:200])


def _values(message: Message) -> list[amf.Amf]:
    try:
        return amf.decoded(message.payload)
    except ValueError as error:
        raise ConnectionError(f"the server sent a command that cannot be read: {error}") from error


def _status(command: list[amf.Amf]) -> str | None:
    """The code of an ``onStatus``; None for any other command."""
    return _reason(command) if command and command[0] == "onStatus" else None


def _reason(command: list[amf.Amf]) -> str:
    for value in reversed(command):
        if isinstance(value, dict):
            code, words = value.get("code"), value.get("description")
            said = code if isinstance(code, str) else ""
            if isinstance(words, str) and said != "NetStream.Publish.Start":
                return f"{said} {words}".strip()
            return said
    return "it does not say why"
