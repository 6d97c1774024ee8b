"""An RTMP server that stops where a test says: after accepting, or with a refusal in its own words."""

import contextlib
import socket
import threading
from typing import Self

from sidecar.outputs import amf
from sidecar.outputs.rtmp_chunks import COMMAND, ChunkReader, Message, chunked


class ScriptedRtmpServer:
    """``refusal``: what it answers to ``connect`` with; None: it accepts connections and says nothing, ever."""

    def __init__(self, refusal: str | None = None) -> None:
        self._refusal = refusal
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run, name="rtmp-server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            connection.close()
        self._thread.join(5)

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                self.connections += 1
                if self._refusal is not None:
                    self._refuse(connection, self._refusal)

    def _refuse(self, connection: socket.socket, words: str) -> None:
        hello = b""
        while len(hello) < 1537:
            hello += connection.recv(1537 - len(hello))
        connection.sendall(b"\x03" + bytes(1536) + hello[1:])
        answer = b""
        while len(answer) < 1536:
            answer += connection.recv(1536 - len(answer))
        reader = ChunkReader()
        while not any(message.kind == COMMAND for message in reader.feed(connection.recv(4096))):
            pass
        about = {"level": "error", "code": "NetConnection.Connect.Rejected", "description": words}
        error = Message(COMMAND, 0, amf.encoded("_error", 1.0, None, about))
        connection.sendall(chunked(error, 3, 128))
