"""FLV over RTMP to a server elsewhere: a session that runs on without a lease, and is never opened without one."""

from fractions import Fraction
from typing import Final

from sidecar.outputs import flv
from sidecar.outputs.interface import LeaseLeft
from sidecar.outputs.packet import Batch, EncodedPacket
from sidecar.outputs.rtmp_address import RtmpAddress
from sidecar.outputs.rtmp_chunks import AUDIO, DATA, VIDEO, Message
from sidecar.outputs.rtmp_session import RtmpSession
from sidecar.outputs.templates import StreamTemplates
from sidecar.protocol.channel import OutputKind
from sidecar.protocol.fencing import Fencing

_CHUNK_STREAMS: Final = {DATA: 5, AUDIO: 4, VIDEO: 6}


class RtmpSink:
    """A ``Sink``. Timestamps are milliseconds from the session's first picture."""

    kind: OutputKind = "rtmp"
    fencing: Fencing = "session"

    def __init__(self, address: RtmpAddress, lease_left: LeaseLeft) -> None:
        self._address = address
        self._lease_left = lease_left
        self._session: RtmpSession | None = None
        self._audio_header = b""
        self._video_header = b""
        self._metadata = b""
        self._start: Fraction | None = None
        self.bytes_sent = 0
        self.segments = 0

    def open(self, templates: StreamTemplates) -> None:
        self.abandon()
        video, audio = templates.video.codec_context, templates.audio.codec_context
        self._metadata = flv.metadata(video.width, video.height, float(templates.video.average_rate or 0))
        self._audio_header = flv.audio_header(audio.extradata or b"")
        self._video_header, self._start = b"", None
        session = RtmpSession(self._address, self._lease_left)
        session.open()
        self._session = session

    def write(self, batch: Batch, *, after_gap: bool) -> None:
        if self._session is None:
            raise OSError("the output is not open")
        for packet in sorted(batch, key=_seconds):  # a frame's sound may begin before its picture
            if packet.is_video:
                self._write_picture(packet)
            elif self._start is not None and _seconds(packet) >= self._start:
                self._send(AUDIO, flv.audio_body(packet), packet)

    def abandon(self) -> None:
        if self._session is not None:
            self._session.drop()
            self._session = None

    def close(self, *, final: bool = True) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def _write_picture(self, packet: EncodedPacket) -> None:
        if packet.keyframe:
            header = flv.video_header(packet.data)
            if self._start is None:
                self._start = _seconds(packet)
                self._send(DATA, self._metadata, packet)
                self._send(AUDIO, self._audio_header, packet)
            if header != self._video_header:
                self._video_header = header
                self._send(VIDEO, header, packet)
        self._send(VIDEO, flv.video_body(packet), packet)

    def _send(self, kind: int, payload: bytes, packet: EncodedPacket) -> None:
        if self._session is None or self._start is None:
            raise OSError("the output is not open")
        timestamp = int((_seconds(packet) - self._start) * 1000)
        self.bytes_sent += self._session.send(Message(kind, 0, payload, timestamp), _CHUNK_STREAMS[kind])


def _seconds(packet: EncodedPacket) -> Fraction:
    return packet.pts * packet.time_base
