"""An RTMP server between one publisher and its players, as a station has one: what comes in is played on at once."""

import socket
from contextlib import suppress

from tests.instruments.rtmp_messages import AUDIO, COMMAND, DATA, VIDEO, Message, decode, encode
from tests.instruments.rtmp_receiver import Connection, RtmpReceiver

_CHUNK = 4096  # what RtmpReceiver announces
_USER_CONTROL = 4
_STREAM_BEGIN = bytes(2) + (1).to_bytes(4, "big")


class RtmpRelay(RtmpReceiver):
    """Players get the stream's headers first, and then what is published; one that does not read is left."""

    def __init__(self) -> None:
        super().__init__("last")
        self._headers: dict[str, bytes] = {}
        self._players: list[socket.socket] = []
        self.played_keys: list[str] = []

    def _message(self, door: socket.socket, connection: Connection, message: Message, at_ns: int) -> None:
        super()._message(door, connection, message, at_ns)
        if message.kind in (AUDIO, VIDEO, DATA):
            self._play_on(message)
        elif message.kind == COMMAND:
            name, _, *more = decode(message.body)
            if name == "play":
                self.played_keys.append(str(more[1]))
                door.sendall(_framed(_USER_CONTROL, 0, 0, _STREAM_BEGIN, channel=2))
                self._status(door, "status", "NetStream.Play.Start", "playing")
                door.sendall(b"".join(self._headers.values()))
                self._players.append(door)

    def _play_on(self, message: Message) -> None:
        body = message.body
        if message.kind == DATA:
            body = body.removeprefix(encode("@setDataFrame"))
        framed = _framed(message.kind, message.timestamp, 1, body)
        if message.kind == DATA:
            self._headers["data"] = framed
        elif len(body) > 1 and body[1] == 0 and body[0] in (0x17, 0xAF):  # AVC's and AAC's sequence headers
            self._headers["video" if message.kind == VIDEO else "audio"] = framed
        for player in list(self._players):
            try:
                player.sendall(framed)
            except OSError:
                self._players.remove(player)

    def throw_out_players(self) -> None:
        for player in self._players:
            with suppress(OSError):
                player.shutdown(socket.SHUT_RDWR)


def _framed(kind: int, timestamp: int, stream: int, body: bytes, *, channel: int = 6) -> bytes:
    header = (
        bytes([channel]) + timestamp.to_bytes(3, "big") + len(body).to_bytes(3, "big") + bytes([kind])
        + stream.to_bytes(4, "little")
    )  # fmt: skip
    parts = [body[at : at + _CHUNK] for at in range(0, len(body), _CHUNK)] or [b""]
    return header + bytes([0xC0 | channel]).join(parts)
