"""MPEG-TS over SRT, as a caller or for callers: a session runs on without a lease, none begins without one."""

import logging
import random
import time
from collections import deque
from typing import Final

from sidecar.outputs.backoff import backoff_s
from sidecar.outputs.interface import LeaseLeft
from sidecar.outputs.pacing import Pacer
from sidecar.outputs.packet import Batch
from sidecar.outputs.programme_stream import USUAL_STREAM, ProgrammeStream
from sidecar.outputs.srt_address import SrtAddress
from sidecar.outputs.srt_library import (
    CONNTIMEO,
    LATENCY,
    PASSPHRASE,
    PBKEYLEN,
    PEERIDLETIMEO,
    STREAMID,
    SrtFailed,
    SrtSocket,
    Trace,
)
from sidecar.outputs.templates import StreamTemplates
from sidecar.outputs.transport_stream import TransportStreamMuxer
from sidecar.protocol.channel import OutputKind
from sidecar.protocol.fencing import Fencing
from sidecar.protocol.status import Link

log = logging.getLogger(__name__)

CONNECT_S: Final = 3.0
_PEER_SILENT_MS: Final = 3_000
_LAST_WORDS_S: Final = 1.5
_MOST_RECEIVERS: Final = 8
_SAMPLE_S: Final = 1.0
_SAMPLES: Final = 11
"""Loss is told of the last ten seconds."""


class SrtSink:
    """A ``Sink``, and ``Linked``. A listener sends to whoever called, up to eight; it is down while nobody did."""

    kind: OutputKind = "srt"
    fencing: Fencing = "session"

    def __init__(self, address: SrtAddress, lease_left: LeaseLeft, stream: ProgrammeStream = USUAL_STREAM) -> None:
        self._address = address
        self._lease_left = lease_left
        self._stream = stream
        self._muxer: TransportStreamMuxer | None = None
        self._listener: SrtSocket | None = None
        self._refusals = 0  # of its port, in a row
        self._listen_at = 0.0
        self._deaf = ""
        self._peers: list[SrtSocket] = []
        self._pacer = Pacer(self._send, stream.transport.mux_rate)
        self._sampled_at = 0.0
        self._samples: deque[tuple[int, int]] = deque(maxlen=_SAMPLES)
        self._left_out = 0
        self._link: Link | None = None
        self.bytes_sent = 0
        self.segments = 0

    def open(self, templates: StreamTemplates) -> None:
        self.abandon()
        if self._address.mode == "caller":
            self._peers = [self._called()]
        else:
            self._listen()
        self._samples.clear()
        self._sampled_at = 0.0
        self._left_out = 0
        self._pacer = Pacer(self._send, self._stream.transport.mux_rate)
        self._muxer = self._stream.muxer(templates)
        self._sample()

    def write(self, batch: Batch, *, after_gap: bool) -> None:
        if self._muxer is None:
            raise OSError("the output is not open")
        if self._address.mode == "listener":
            self._look_for_callers()
        self._pacer.write(self._muxer.mux(batch))
        self._sample()

    def abandon(self) -> None:
        if self._muxer is not None:
            self._muxer.finish()
            self._muxer = None
        for one in self._peers:
            one.close()
        self._peers = []
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self._hears_again()
        self._link = None

    def close(self, *, final: bool = True) -> None:
        if self._muxer is not None:
            rest, self._muxer = self._muxer.finish(), None
            try:
                self._pacer.write(rest, whole=False)
                self._let_arrive()
            finally:
                self.abandon()

    def link(self) -> Link | None:
        """As in ``Linked``."""
        return self._link

    def _called(self) -> SrtSocket:
        one = SrtSocket()
        try:
            self._prepare(one)
            one.set_number(CONNTIMEO, int(CONNECT_S * 1000))
            if self._address.stream_id:
                one.set_text(STREAMID, self._address.stream_id)
            one.connect(self._address.host, self._address.port, min(CONNECT_S, self._lease_left()))
        except BaseException:
            one.close()
            raise
        return one

    def _listen(self) -> None:
        one = self._listener = SrtSocket()
        self._prepare(one)
        one.bind_and_listen(self._address.host, self._address.port, _MOST_RECEIVERS)

    def _prepare(self, one: SrtSocket) -> None:
        one.set_number(LATENCY, self._address.latency_ms)
        one.set_number(PEERIDLETIMEO, _PEER_SILENT_MS)
        if self._address.passphrase:
            one.set_number(PBKEYLEN, self._address.key_bytes)
            one.set_text(PASSPHRASE, self._address.passphrase)

    def _look_for_callers(self) -> None:
        """Without a lease nobody is let in, and nobody can call; those who are there stay."""
        if self._lease_left() <= 0:
            if self._listener is not None:
                self._listener.close()
                self._listener = None
            self._hears_again()
            return
        if self._listener is None:
            self._listen_again()
        if self._listener is not None and (caller := self._accepted(self._listener)) is not None:
            self._peers.append(caller)

    def _listen_again(self) -> None:
        """After a lease that had ended. Its port may be somebody else's now: those who are there go on meanwhile."""
        if time.monotonic() < self._listen_at:
            return
        try:
            self._listen()
        except OSError as error:
            if self._listener is not None:
                self._listener.close()
                self._listener = None
            if not self._peers:
                raise
            self._refusals += 1
            wait = backoff_s(self._refusals, random.random())  # noqa: S311 - spreads retries, hides nothing
            self._listen_at = time.monotonic() + wait
            self._deaf = str(error)
            log.warning("no new receiver over SRT can call: %s; trying again in %.1f s", error, wait)
        else:
            self._hears_again()

    def _hears_again(self) -> None:
        """Or need not: without a lease nobody may call."""
        self._refusals, self._listen_at, self._deaf = 0, 0.0, ""

    def _accepted(self, listener: SrtSocket) -> SrtSocket | None:
        """A caller that may have the programme. One that hangs up meanwhile is nobody else's loss."""
        caller: SrtSocket | None = None
        try:
            caller = listener.accept()
            if caller is None or self._may_have_it(caller):
                return caller
            log.info("a caller over SRT was turned away")
        except SrtFailed as error:
            log.info("a caller over SRT hung up before it was let in: %s", error)
        if caller is not None:
            caller.close()
        return None

    def _may_have_it(self, caller: SrtSocket) -> bool:
        """Asks the lease again: libsrt lets callers in by itself, and the look at the lease before may be old."""
        wanted = self._address.stream_id
        if len(self._peers) >= _MOST_RECEIVERS or (wanted and caller.text(STREAMID) != wanted):
            return False
        return self._lease_left() > 0

    def _send(self, datagram: bytes) -> None:
        """One that a peer has no room for is lost to it: SRT drops by itself what would come too late."""
        for one in tuple(self._peers):
            try:
                if one.send(datagram):
                    self.bytes_sent += len(datagram)
                else:
                    self._left_out += 1
            except SrtFailed as error:
                if self._address.mode == "caller":
                    raise
                log.info("a receiver over SRT is gone: %s", error)
                one.close()
                self._peers.remove(one)

    def _let_arrive(self) -> None:
        """Closing drops what has not arrived yet, and at the receiver what is not due yet."""
        latency_s = max((trace.msSndTsbPdDelay for trace in self._traces()), default=0) / 1000
        until = time.monotonic() + _LAST_WORDS_S
        while time.monotonic() < until and any(trace.pktSndBuf > 0 for trace in self._traces()):
            time.sleep(0.01)  # the library tells nobody that its buffer is empty
        time.sleep(max(0.0, min(latency_s + 0.05, until - time.monotonic())))

    def _traces(self) -> list[Trace]:
        return [trace for one in self._peers if (trace := one.trace()) is not None]

    def _sample(self) -> None:
        now = time.monotonic()
        was = self._link
        same = was is not None and (was.receivers, was.fault) == (len(self._peers), self._deaf)
        if same and now - self._sampled_at < _SAMPLE_S:
            return
        self._sampled_at = now
        traces = self._traces()
        sent = sum(trace.pktSentTotal for trace in traces)
        lost = sum(trace.pktSndLossTotal for trace in traces)
        if self._samples and (sent < self._samples[-1][0] or lost < self._samples[-1][1]):
            self._samples.clear()  # a receiver went, and its counts with it
        self._samples.append((sent, lost))
        first = self._samples[0]
        self._link = Link(
            receivers=len(self._peers),
            round_trip_ms=max((round(trace.msRTT, 1) for trace in traces), default=None),
            loss_percent=round(100 * (lost - first[1]) / max(1, sent - first[0]), 2),
            packets_sent=sent,
            packets_lost=lost,
            packets_sent_again=sum(trace.pktRetransTotal for trace in traces),
            packets_dropped=self._left_out + sum(trace.pktSndDropTotal for trace in traces),
            rate_kbps=round(sum(trace.mbpsSendRate for trace in traces) * 1000),
            latency_ms=max((trace.msSndTsbPdDelay for trace in traces), default=self._address.latency_ms),
            fault=self._deaf,
        )
