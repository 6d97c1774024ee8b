"""Receives an MPEG transport stream by UDP and notes when each datagram came: lateness as a headend sees it."""

import contextlib
import io
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

import av

PACKET = 188
_BUFFER = 4 << 20
_RCVBUFFORCE = 33  # SO_RCVBUFFORCE of Linux, which Python has no name for


@dataclass
class Reception:
    """``arrivals`` in seconds of the monotonic clock, one a datagram."""

    arrivals: list[float] = field(default_factory=list)
    datagrams: list[bytes] = field(default_factory=list)

    def data(self) -> bytes:
        return b"".join(self.datagrams)

    def continuity_errors(self) -> int:
        """Jumps of the continuity counter (ISO/IEC 13818-1, 2.4.3.3): a lost datagram, or two senders at once."""
        errors = 0
        last: dict[int, int] = {}
        data = self.data()
        for at in range(0, len(data) - PACKET + 1, PACKET):
            pid = (data[at + 1] & 0x1F) << 8 | data[at + 2]
            counter, has_payload = data[at + 3] & 0x0F, data[at + 3] & 0x10
            if pid == 0x1FFF or not has_payload:
                continue
            if pid in last and counter != (last[pid] + 1) % 16:
                errors += 1
            last[pid] = counter
        return errors

    def pictures(self) -> Iterator[av.VideoFrame]:
        with av.open(io.BytesIO(self.data()), format="mpegts") as container:
            yield from container.decode(video=0)

    def picture_arrivals(self) -> list[tuple[int, float]]:
        """(presentation time in 90 kHz ticks, arrival) of each picture, by the datagram its PES header came in."""
        arrived = zip(self.arrivals, self.datagrams, strict=True)
        return [(pts, arrival) for arrival, datagram in arrived for pts in picture_times(datagram)]

    def lateness(self) -> list[float]:
        return lateness(self.picture_arrivals())


def lateness(pictures: list[tuple[int, float]]) -> list[float]:
    """Seconds each picture came after the earliest line through all of them: 0 is on time."""
    offsets = [arrival - pts / 90_000 for pts, arrival in pictures]
    earliest = min(offsets)
    return [offset - earliest for offset in offsets]


def picture_times(datagram: bytes) -> list[int]:
    """The presentation times, in 90 kHz ticks, of the pictures that begin in ``datagram``."""
    packets = (datagram[at : at + PACKET] for at in range(0, len(datagram) - PACKET + 1, PACKET))
    return [pts for packet in packets if (pts := _video_pts(packet)) is not None]


def _video_pts(packet: bytes) -> int | None:
    """The PTS of a PES header of a video stream (stream ids 0xE0 to 0xEF) that begins in ``packet``."""
    if not packet[1] & 0x40 or not packet[3] & 0x10:
        return None
    start = 4 + (packet[4] + 1 if packet[3] & 0x20 else 0)
    pes = packet[start:]
    if len(pes) < 14 or pes[:3] != b"\x00\x00\x01" or pes[3] & 0xF0 != 0xE0 or not pes[7] & 0x80:
        return None
    return (
        (pes[9] >> 1 & 0x07) << 30 | pes[10] << 22 | (pes[11] >> 1) << 15 | pes[12] << 7 | pes[13] >> 1
    )  # fmt: skip


class LoopbackReceiver:
    """Hands each datagram that comes to a loopback port of the kernel's choosing to ``received``, until left."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        # Beyond what the kernel allows everybody, where it lets us: a thread that waits for a core loses nothing then.
        with contextlib.suppress(PermissionError):
            self._socket.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, _BUFFER)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.port: int = self._socket.getsockname()[1]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="udp-receiver", daemon=True)

    @property
    def url(self) -> str:
        return f"udp://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)
        self._socket.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                datagram = self._socket.recv(65536)
            except TimeoutError:
                continue
            self.received(time.monotonic(), datagram)

    def received(self, arrival: float, datagram: bytes) -> None:
        raise NotImplementedError


class UdpReceiver(LoopbackReceiver):
    """Keeps the whole stream."""

    def __init__(self) -> None:
        super().__init__()
        self.reception = Reception()

    def received(self, arrival: float, datagram: bytes) -> None:
        self.reception.arrivals.append(arrival)
        self.reception.datagrams.append(datagram)


class PictureClock(LoopbackReceiver):
    """Keeps only when each picture came, so that it may listen for hours."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[tuple[int, float]] = []

    def received(self, arrival: float, datagram: bytes) -> None:
        self.pictures += [(pts, arrival) for pts in picture_times(datagram)]

    def lateness(self) -> list[float]:
        return lateness(self.pictures)
