"""MPEG-TS in UDP datagrams of seven packets, spread over the frame's time; each may wait for a lease."""

import ipaddress
import select
import socket

from sidecar.outputs.interface import LeaseLeft, LeaseOver
from sidecar.outputs.pacing import Pacer
from sidecar.outputs.packet import Batch
from sidecar.outputs.programme_stream import USUAL_STREAM, ProgrammeStream
from sidecar.outputs.templates import StreamTemplates
from sidecar.outputs.transport_stream import TransportStreamMuxer
from sidecar.outputs.udp_address import UdpAddress
from sidecar.protocol.channel import OutputKind
from sidecar.protocol.fencing import Fencing

_SEND_BUFFER = 1 << 20
_WRITABLE_WITHIN_S = 0.5


class UdpSink:
    """A ``Sink`` for one address, unicast or multicast.

    A receiver that is not there is not noticed: UDP has no answer. Names are looked up at every opening.
    """

    kind: OutputKind = "udp"

    def __init__(
        self,
        address: UdpAddress,
        lease_left: LeaseLeft | None = None,
        stream: ProgrammeStream = USUAL_STREAM,
    ) -> None:
        """``lease_left``: of an output with ``lease_stop``; a frame's datagrams are paced over milliseconds, and the
        process may be stopped between any two of them, so each one asks."""
        self.fencing: Fencing = "hold" if lease_left is None else "lease_stop"
        self._lease_left = lease_left
        self._address = address
        self._socket: socket.socket | None = None
        self._target: tuple[str, int] | tuple[str, int, int, int] = ("", 0)
        self._muxer: TransportStreamMuxer | None = None
        self._stream = stream
        self._pacer = Pacer(self._send_datagram, stream.transport.mux_rate)
        self.bytes_sent = 0
        self.segments = 0

    def open(self, templates: StreamTemplates) -> None:
        self.abandon()
        found = socket.getaddrinfo(self._address.host, self._address.port, type=socket.SOCK_DGRAM)
        family, _, _, _, target = found[0]
        sender = socket.socket(family, socket.SOCK_DGRAM)
        self._socket = sender
        sender.setblocking(False)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        is_multicast = ipaddress.ip_address(str(target[0]).partition("%")[0]).is_multicast
        _set_options(sender, family, self._address, is_multicast=is_multicast)
        self._target = (str(target[0]), self._address.port) if family == socket.AF_INET else _six(target)
        self._muxer = self._stream.muxer(templates)
        self._pacer = Pacer(self._send_datagram, self._stream.transport.mux_rate)

    def write(self, batch: Batch, *, after_gap: bool) -> None:
        if self._muxer is None:
            raise OSError("the output is not open")
        self._pacer.write(self._muxer.mux(batch))

    def abandon(self) -> None:
        if self._muxer is not None:
            self._muxer.finish()
            self._muxer = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def close(self, *, final: bool = True) -> None:
        if self._muxer is not None:
            rest, self._muxer = self._muxer.finish(), None
            try:
                self._pacer.write(rest, whole=False)
            finally:
                self.abandon()

    def _send_datagram(self, datagram: bytes) -> None:
        if self._socket is None:
            raise OSError("the output is not open")
        while True:
            try:
                # Nothing between the two: a stopped process that is continued begins with the question again.
                if self._lease_left is not None and self._lease_left() <= 0:
                    raise LeaseOver
                self.bytes_sent += self._socket.sendto(datagram, self._target)
            except BlockingIOError:
                _, writable, _ = select.select([], [self._socket], [], _WRITABLE_WITHIN_S)
                if not writable:
                    raise TimeoutError("the network takes nothing: the socket's buffer stays full") from None
            else:
                return


def _set_options(sender: socket.socket, family: int, address: UdpAddress, *, is_multicast: bool) -> None:
    if family == socket.AF_INET6:
        if address.ttl is not None:
            option = socket.IPV6_MULTICAST_HOPS if is_multicast else socket.IPV6_UNICAST_HOPS
            sender.setsockopt(socket.IPPROTO_IPV6, option, address.ttl)
    elif address.ttl is not None:
        option = socket.IP_MULTICAST_TTL if is_multicast else socket.IP_TTL
        sender.setsockopt(socket.IPPROTO_IP, option, address.ttl)
    if address.local is not None:
        sender.bind((address.local, 0))
        if is_multicast and family == socket.AF_INET:
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address.local))


def _six(target: tuple[object, ...]) -> tuple[str, int, int, int]:
    host, port, flow, scope = target
    if not (isinstance(host, str) and isinstance(port, int) and isinstance(flow, int) and isinstance(scope, int)):
        raise OSError(f"not an address of IPv6: {target!r}")
    return host, port, flow, scope
