"""Captures UDP at one port and tells senders apart, with the kernel's own receive time of every datagram.

A sender is a source address and port: two processes can share neither on one machine, nor can two machines. The TS
continuity counters say the same a second time, from inside: two senders' counters do not fit into one another.
"""

import io
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Self

import av

from tests.instruments.frame_cells import Seen, read_frame
from tests.instruments.heard import Span, spans
from tests.instruments.udp_receiver import Reception, picture_times

_TIMESTAMPNS = 35  # SO_TIMESTAMPNS of asm-generic/socket.h: the socket module has no name for it
_OVERFLOWN = 40  # SO_RXQ_OVFL: how many datagrams the kernel dropped because we were slow
_FORCED_BUFFER = 33  # SO_RCVBUFFORCE
_BUFFER = 8 << 20
_SECONDS_NANOSECONDS = struct.Struct("@qq")
_COUNT = struct.Struct("@I")
WIDE = (Fraction(16, 9),)


@dataclass(frozen=True, slots=True)
class Datagram:
    """``at_ns`` is UTC: the kernel's receive time, or ours where it gives none."""

    at_ns: int
    sender: str
    data: bytes


@dataclass
class Capture:
    """What came, in order. ``dropped`` by the kernel: above 0 the capture proves nothing."""

    datagrams: list[Datagram] = field(default_factory=list)
    dropped: int = 0
    kernel_times: bool = False

    def heard(self) -> Iterator[tuple[str, int]]:
        for datagram in self.datagrams:
            yield datagram.sender, datagram.at_ns

    def spans(self) -> list[Span]:
        return spans(self.heard())

    def senders(self) -> list[str]:
        """In order of appearance."""
        return list(dict.fromkeys(datagram.sender for datagram in self.datagrams))

    def of(self, sender: str) -> Reception:
        """One sender's datagrams alone, for its continuity and its pictures."""
        mine = [datagram for datagram in self.datagrams if datagram.sender == sender]
        return Reception([datagram.at_ns / 1e9 for datagram in mine], [datagram.data for datagram in mine])

    def continuity_errors(self) -> int:
        """Over everything that came, whoever sent it: what a receiver without a look at addresses would notice."""
        return Reception([], [datagram.data for datagram in self.datagrams]).continuity_errors()

    def first_after(self, at_ns: int, *, not_of: str = "") -> int | None:
        """When the first datagram after ``at_ns`` came that is not of ``not_of``."""
        later = (one.at_ns for one in self.datagrams if one.at_ns > at_ns and one.sender != not_of)
        return min(later, default=None)

    def picture_times(self, sender: str) -> list[tuple[int, int]]:
        """(PTS in 90 kHz ticks, instant) of each picture of ``sender``."""
        return [(pts, one.at_ns) for one in self.datagrams if one.sender == sender for pts in picture_times(one.data)]

    def pictures(self, sender: str) -> list[Seen]:
        """The numbers in the pictures of ``sender``; it may have been joined in the middle."""
        with av.open(io.BytesIO(self.of(sender).data()), format="mpegts") as container:
            return [read_frame(frame, WIDE) for frame in container.decode(video=0)]


class SenderCapture:
    """Captures on a thread until left.

    ``bound`` is a UDP socket of another network namespace, already bound; without it, a loopback port is taken.
    """

    def __init__(self, bound: socket.socket | None = None) -> None:
        self._socket = bound or _loopback()
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _FORCED_BUFFER, _BUFFER)
        except PermissionError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        for option in (_TIMESTAMPNS, _OVERFLOWN):
            self._socket.setsockopt(socket.SOL_SOCKET, option, 1)
        self._socket.settimeout(0.2)
        self.host, self.port = self._socket.getsockname()[:2]
        self.capture = Capture()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sender-capture", daemon=True)

    @property
    def url(self) -> str:
        return f"udp://{self.host}:{self.port}"

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
                data, ancillary, _, (host, port, *_) = self._socket.recvmsg(65536, 128)
            except TimeoutError:
                continue
            at_ns = time.time_ns()
            for level, kind, value in ancillary:
                if level != socket.SOL_SOCKET:
                    continue
                if kind == _TIMESTAMPNS:
                    seconds, nanoseconds = _SECONDS_NANOSECONDS.unpack(value[: _SECONDS_NANOSECONDS.size])
                    at_ns = seconds * 1_000_000_000 + nanoseconds
                    self.capture.kernel_times = True
                elif kind == _OVERFLOWN:
                    (self.capture.dropped,) = _COUNT.unpack(value[: _COUNT.size])
            self.capture.datagrams.append(Datagram(at_ns, f"{host}:{port}", data))


def _loopback() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    return made
