"""When each datagram of a transport stream leaves: what a receiver's clock recovery sees of ours."""

import time
from collections.abc import Callable, Iterator
from typing import Final

from sidecar.outputs.transport_stream import TS_PACKET, LaterChunk

DATAGRAM: Final = 7 * TS_PACKET  # 1316 bytes: what fits into an Ethernet frame, and SRT's own live payload
_BURST = 8  # datagrams that go at once; 8 every 2 ms are 42 Mbit/s
_PAUSE_S = 0.002
_MAX_PAUSES = 12  # so that a keyframe of any size is out within 24 ms
_CUSHION_S = 0.010
_FAR_BEHIND_S = 0.5


class Pacer:
    """Cuts a stream into datagrams and hands each to ``send`` at its time; blocks meanwhile.

    Without a rate a picture's datagrams go at once, in bursts; clock references between two pictures wait for theirs.
    At a constant rate each datagram has its instant by the bytes before it, a few together every 2 ms.
    """

    def __init__(
        self,
        send: Callable[[bytes], None],
        mux_rate: int = 0,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``mux_rate`` in bits a second, 0 for none."""
        self._send = send
        self._mux_rate = mux_rate
        self._monotonic = monotonic
        self._sleep = sleep
        self._rest = b""
        self._began: float | None = None
        self._sent = 0  # bytes since ``_began``

    def write(self, chunks: list[bytes], *, whole: bool = True) -> None:
        """``whole``: what does not fill a datagram waits for the next chunk."""
        now_ = [chunk for chunk in chunks if not isinstance(chunk, LaterChunk)]
        later = [chunk for chunk in chunks if isinstance(chunk, LaterChunk)]
        began = self._monotonic()
        data = b"".join([self._rest, *now_])
        # A clock reference that is due on time takes with it what waits before it.
        until = len(data) // DATAGRAM * DATAGRAM if whole and not later else len(data)
        self._rest = data[until:]
        if self._mux_rate:
            self._steadily(data[:until])
        else:
            self._at_once(data[:until])
        for chunk in later:
            self._wait(began + chunk.after_s)
            self._send(chunk)

    def _at_once(self, data: bytes) -> None:
        burst = max(_BURST, -(-len(data) // DATAGRAM // _MAX_PAUSES))
        for count, datagram in enumerate(_datagrams(data)):
            if count and count % burst == 0:
                self._sleep(_PAUSE_S)
            self._send(datagram)

    def _steadily(self, data: bytes) -> None:
        for datagram in _datagrams(data):
            now = self._monotonic()
            if self._began is None or now - self._due() > _FAR_BEHIND_S:
                # The first, or after a standstill that no receiver's buffer bridges: what was missed is not hurried.
                self._began, self._sent = now + _CUSHION_S, 0
            if self._due() - now > _PAUSE_S:
                self._wait(self._due())
            self._send(datagram)
            self._sent += len(datagram)

    def _due(self) -> float:
        return (self._began or 0.0) + self._sent * 8 / self._mux_rate

    def _wait(self, until: float) -> None:
        left = until - self._monotonic()
        if left > 0:
            self._sleep(left)


def _datagrams(data: bytes) -> Iterator[bytes]:
    return (data[at : at + DATAGRAM] for at in range(0, len(data), DATAGRAM))
