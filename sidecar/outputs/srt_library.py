"""The parts of libsrt that an output needs, called directly: docs/decisions/0014-srt-by-its-own-library.md says why.

Nothing here waits but ``wait``. Every failure is an OSError with libsrt's own sentence.
"""

import ctypes
import ctypes.util
import functools
import os
import socket
import struct
from pathlib import Path
from typing import Final

import av

_ERROR: Final = -1
_ASYNC_SEND: Final = 6001  # SRT_EASYNCSND: no room
_TIMEOUT: Final = 6003  # SRT_ETIMEOUT
_IN, _OUT, _ERR = 0x1, 0x4, 0x8
_CONNECTED: Final = 5  # SRTS_CONNECTED
_LOG_CRITICAL: Final = 2

SNDSYN, RCVSYN, LATENCY, PASSPHRASE, PBKEYLEN, CONNTIMEO, STREAMID, PEERIDLETIMEO = 1, 2, 23, 26, 27, 36, 46, 55


class SrtMissing(OSError):
    """The installed libraries carry no SRT."""

    def __init__(self) -> None:
        super().__init__("this machine's media libraries carry no SRT: install the av that is required, or libsrt")


class SrtFailed(OSError):
    """libsrt refused or lost something."""


class Trace(ctypes.Structure):
    """``SRT_TRACEBSTATS`` of libsrt 1.5 (srtcore/srt.h), as far as its sender's parts go."""

    _fields_ = (
        ("msTimeStamp", ctypes.c_int64), ("pktSentTotal", ctypes.c_int64), ("pktRecvTotal", ctypes.c_int64),
        ("pktSndLossTotal", ctypes.c_int), ("pktRcvLossTotal", ctypes.c_int), ("pktRetransTotal", ctypes.c_int),
        ("pktSentACKTotal", ctypes.c_int), ("pktRecvACKTotal", ctypes.c_int), ("pktSentNAKTotal", ctypes.c_int),
        ("pktRecvNAKTotal", ctypes.c_int), ("usSndDurationTotal", ctypes.c_int64), ("pktSndDropTotal", ctypes.c_int),
        ("pktRcvDropTotal", ctypes.c_int), ("pktRcvUndecryptTotal", ctypes.c_int), ("byteSentTotal", ctypes.c_uint64),
        ("byteRecvTotal", ctypes.c_uint64), ("byteRcvLossTotal", ctypes.c_uint64),
        ("byteRetransTotal", ctypes.c_uint64), ("byteSndDropTotal", ctypes.c_uint64),
        ("byteRcvDropTotal", ctypes.c_uint64), ("byteRcvUndecryptTotal", ctypes.c_uint64),
        ("pktSent", ctypes.c_int64), ("pktRecv", ctypes.c_int64), ("pktSndLoss", ctypes.c_int),
        ("pktRcvLoss", ctypes.c_int), ("pktRetrans", ctypes.c_int), ("pktRcvRetrans", ctypes.c_int),
        ("pktSentACK", ctypes.c_int), ("pktRecvACK", ctypes.c_int), ("pktSentNAK", ctypes.c_int),
        ("pktRecvNAK", ctypes.c_int), ("mbpsSendRate", ctypes.c_double), ("mbpsRecvRate", ctypes.c_double),
        ("usSndDuration", ctypes.c_int64), ("pktReorderDistance", ctypes.c_int),
        ("pktRcvAvgBelatedTime", ctypes.c_double), ("pktRcvBelated", ctypes.c_int64), ("pktSndDrop", ctypes.c_int),
        ("pktRcvDrop", ctypes.c_int), ("pktRcvUndecrypt", ctypes.c_int), ("byteSent", ctypes.c_uint64),
        ("byteRecv", ctypes.c_uint64), ("byteRcvLoss", ctypes.c_uint64), ("byteRetrans", ctypes.c_uint64),
        ("byteSndDrop", ctypes.c_uint64), ("byteRcvDrop", ctypes.c_uint64), ("byteRcvUndecrypt", ctypes.c_uint64),
        ("usPktSndPeriod", ctypes.c_double), ("pktFlowWindow", ctypes.c_int), ("pktCongestionWindow", ctypes.c_int),
        ("pktFlightSize", ctypes.c_int), ("msRTT", ctypes.c_double), ("mbpsBandwidth", ctypes.c_double),
        ("byteAvailSndBuf", ctypes.c_int), ("byteAvailRcvBuf", ctypes.c_int), ("mbpsMaxBW", ctypes.c_double),
        ("byteMSS", ctypes.c_int), ("pktSndBuf", ctypes.c_int), ("byteSndBuf", ctypes.c_int),
        ("msSndBuf", ctypes.c_int), ("msSndTsbPdDelay", ctypes.c_int),
        ("rest", ctypes.c_byte * 1024),  # the receiver's, and what later versions add
    )  # fmt: skip

    pktSentTotal: int  # noqa: N815 - libsrt's names
    pktSndLossTotal: int  # noqa: N815
    pktRetransTotal: int  # noqa: N815
    pktSndDropTotal: int  # noqa: N815
    mbpsSendRate: float  # noqa: N815
    msRTT: float  # noqa: N815
    pktSndBuf: int  # noqa: N815
    msSndTsbPdDelay: int  # noqa: N815


@functools.cache
def _library() -> ctypes.CDLL:
    found = sorted((Path(av.__file__).parent.parent / "av.libs").glob("libsrt*.so*"))
    name = str(found[0]) if found else ctypes.util.find_library("srt")
    if name is None:
        raise SrtMissing
    try:
        library = _copy_of(found[0]) if found else ctypes.CDLL(name)
    except OSError as error:
        raise SrtMissing from error
    library.srt_getlasterror_str.restype = ctypes.c_char_p
    library.srt_rejectreason_str.restype = ctypes.c_char_p
    library.srt_setloglevel(_LOG_CRITICAL)
    if library.srt_startup() == _ERROR:
        raise _failure("SRT could not be started", library)
    return library


def _copy_of(path: Path) -> ctypes.CDLL:
    """The library once more, with sockets of its own. Raises OSError.

    ``srt_cleanup`` of 1.5.4 does not count its users, and libavformat calls it whenever it closes a session: in the
    copy that libavformat has, a live input that ends would end every output.
    """
    memory = os.memfd_create("libsrt")
    try:
        with os.fdopen(os.dup(memory), "wb") as file:
            file.write(path.read_bytes())
        return ctypes.CDLL(f"/proc/self/fd/{memory}")
    finally:
        os.close(memory)


def _failure(what: str, library: ctypes.CDLL) -> SrtFailed:
    said: bytes = library.srt_getlasterror_str()
    return SrtFailed(f"{what}: {said.decode(errors='replace')}")


class SrtSocket:
    """One socket that does not block. It is closed by ``close``, which may be repeated."""

    def __init__(self, handle: int | None = None) -> None:
        """``handle``: of a socket that a listener accepted. Raises SrtMissing and SrtFailed."""
        self._library = _library()
        self._handle = int(self._library.srt_create_socket()) if handle is None else handle
        if self._handle == _ERROR:
            raise _failure("no SRT socket", self._library)
        self._is_closed = False
        try:
            for option in (SNDSYN, RCVSYN):
                self.set_number(option, 0)
        except SrtFailed:
            self.close()
            raise

    def set_number(self, option: int, value: int) -> None:
        """Raises SrtFailed."""
        number = ctypes.c_int32(value)
        self._set(option, ctypes.byref(number), ctypes.sizeof(number))

    def set_text(self, option: int, value: str) -> None:
        """Raises SrtFailed, which does not repeat ``value``."""
        coded = value.encode()
        self._set(option, coded, len(coded))

    def text(self, option: int) -> str:
        """Raises SrtFailed."""
        buffer = ctypes.create_string_buffer(513)
        size = ctypes.c_int(512)
        if self._library.srt_getsockflag(self._handle, option, buffer, ctypes.byref(size)) == _ERROR:
            raise _failure("an option of SRT", self._library)
        return buffer.raw[: size.value].decode(errors="replace")

    def bind_and_listen(self, host: str, port: int, backlog: int) -> None:
        """Raises OSError."""
        address = _address(host, port)
        if self._library.srt_bind(self._handle, address, len(address)) == _ERROR:
            raise _failure(f"port {port} cannot be listened on", self._library)
        if self._library.srt_listen(self._handle, backlog) == _ERROR:
            raise _failure(f"port {port} cannot be listened on", self._library)

    def accept(self) -> "SrtSocket | None":
        """A caller that is there already; None when there is none. Raises SrtFailed for one that hung up meanwhile."""
        handle = int(self._library.srt_accept(self._handle, None, None))
        return None if handle == _ERROR else SrtSocket(handle)

    def connect(self, host: str, port: int, timeout: float) -> None:
        """Blocks for at most ``timeout`` seconds. Raises OSError."""
        address = _address(host, port)
        if self._library.srt_connect(self._handle, address, len(address)) == _ERROR:
            raise self._refusal("the receiver cannot be called")
        self._wait_writable(timeout)
        if self._library.srt_getsockstate(self._handle) != _CONNECTED:
            raise self._refusal(f"the receiver did not answer within {timeout:.1f} s")

    def send(self, datagram: bytes) -> bool:
        """False when there is no room. Raises SrtFailed when the peer is gone."""
        if self._library.srt_sendmsg2(self._handle, datagram, len(datagram), None) != _ERROR:
            return True
        if self._library.srt_getlasterror(None) == _ASYNC_SEND:
            return False
        raise _failure("the receiver is gone", self._library)

    def trace(self) -> Trace | None:
        """None when the connection is over."""
        trace = Trace()
        return None if self._library.srt_bstats(self._handle, ctypes.byref(trace), 0) == _ERROR else trace

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._library.srt_close(self._handle)

    def _set(self, option: int, value: object, size: int) -> None:
        if self._library.srt_setsockflag(self._handle, option, value, size) == _ERROR:
            raise _failure("an option of SRT", self._library)

    def _wait_writable(self, timeout: float) -> None:
        poll = int(self._library.srt_epoll_create())
        events = ctypes.c_int(_OUT | _ERR)
        ready, ready_size = (ctypes.c_int * 1)(), ctypes.c_int(1)
        failed, failed_size = (ctypes.c_int * 1)(), ctypes.c_int(1)
        try:
            self._library.srt_epoll_add_usock(poll, self._handle, ctypes.byref(events))
            self._library.srt_epoll_wait(
                poll, failed, ctypes.byref(failed_size), ready, ctypes.byref(ready_size),
                ctypes.c_int64(max(1, int(timeout * 1000))), None, None, None, None,
            )  # fmt: skip
        finally:
            self._library.srt_epoll_release(poll)

    def _refusal(self, otherwise: str) -> SrtFailed:
        reason = int(self._library.srt_getrejectreason(self._handle))
        if reason <= 0:
            return SrtFailed(otherwise)
        said: bytes = self._library.srt_rejectreason_str(reason)
        return SrtFailed(f"the receiver refused the call: {said.decode(errors='replace')}")


def _address(host: str, port: int) -> bytes:
    """A ``sockaddr``. Names are looked up, which may take a while. Raises OSError."""
    family, _, _, _, found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    packed = socket.inet_pton(family, str(found[0]).partition("%")[0])
    if family == socket.AF_INET:
        return struct.pack("=HH4s8x", family, socket.htons(port), packed)
    scope = int(found[3]) if len(found) == 4 else 0
    return struct.pack("=HHI16sI", family, socket.htons(port), 0, packed, scope)
