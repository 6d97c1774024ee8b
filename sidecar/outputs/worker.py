"""The thread that drives one sink: it alone waits for it, sees it fail and opens it again."""

import logging
import queue
import random
import threading
import time
from collections.abc import Callable

from av.error import FFmpegError

from sidecar.outputs.backoff import backoff_s
from sidecar.outputs.delay import DelayMeter
from sidecar.outputs.interface import LeaseLeft, LeaseOver, Linked, Sink, not_leased
from sidecar.outputs.packet import Batch
from sidecar.outputs.packet_queue import Delivery, PacketQueue
from sidecar.outputs.templates import StreamTemplates
from sidecar.protocol.channel import Output
from sidecar.protocol.status import Link, OutputState, OutputStatus

log = logging.getLogger(__name__)

STALLED_AFTER_S = 2.0


class OutputWorker:
    """One output. ``put`` is the encoder's and never waits; everything that can, happens in this object's thread."""

    def __init__(
        self,
        output: Output,
        sink: Sink,
        templates: StreamTemplates,
        *,
        queue_limit: int,
        lease_left: LeaseLeft = not_leased,
        monotonic: Callable[[], float] = time.monotonic,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._output = output
        self._sink = sink
        self._linked = sink if isinstance(sink, Linked) else None
        self._templates = templates
        self._lease_left = lease_left
        self._monotonic = monotonic
        self._delay = DelayMeter(wall_ns)
        self._queue = PacketQueue(queue_limit)
        self._thread = threading.Thread(target=self._run, name=f"output-{output.kind}-{output.id[:8]}", daemon=True)
        self._state: OutputState = "starting"
        self._detail = ""
        self._blocked_since: float | None = None
        self._is_open = False
        self._gap = False
        self._bytes_before = 0  # what the sink had sent when it was opened
        self._failures = 0
        self._retry_at = 0.0
        self._frames_sent = 0
        self._frames_lost = 0
        self._final = True

    def start(self) -> None:
        self._thread.start()

    def put(self, batch: Batch) -> None:
        self._queue.put(batch)

    def close(self, *, final: bool = True) -> None:
        """Asks for the clean end, of the programme or (not ``final``) of this run of it; ``join`` waits for it."""
        self._final = final
        self._queue.close()

    def join(self, timeout: float) -> bool:
        """False when the sink still blocks after ``timeout`` seconds; its thread is then left behind (a daemon)."""
        if self._thread.ident is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def status(self) -> OutputStatus:
        state, detail = self._state, self._detail
        blocked_since = self._blocked_since
        if blocked_since is not None and (waited := self._monotonic() - blocked_since) > STALLED_AFTER_S:
            state, detail = "stalled", f"has not taken anything for {waited:.0f} s"
        link = self._link()
        if link is not None and not link.receivers and state in ("starting", "up", "down"):
            state, detail = "down", "listens; no receiver has called"
        elif link is not None and link.fault and not detail:
            detail = link.fault
        return OutputStatus(
            id=self._output.id,
            kind=self._output.kind,
            role=self._output.role,
            state=state,
            detail=detail,
            bytes_sent=self._sink.bytes_sent,
            frames_sent=self._frames_sent,
            frames_dropped=self._queue.frames_dropped + self._frames_lost,
            segments=self._sink.segments,
            fencing=self._sink.fencing,
            link=link,
            delay_ms=self._delay.ms,
        )

    def _link(self) -> Link | None:
        return None if self._linked is None else self._linked.link()

    def _run(self) -> None:
        while (delivery := self._next()) is not None:
            try:
                self._take(delivery)
            except Exception as error:  # a defect here must not end this output for ever while its status says "up"
                log.exception("output %s failed", self._output.id)
                self._lose(delivery)
                self._fail(f"{type(error).__name__}: {error}")
        self._end()

    def _take(self, delivery: Delivery) -> None:
        if self._waits_for_a_lease():
            self._lose(delivery)
        elif (self._is_open and self._goes_on(delivery)) or (not self._is_open and self._opened(delivery)):
            self._write(delivery)
        else:
            self._lose(delivery)

    def _waits_for_a_lease(self) -> bool:
        needs_one = self._sink.fencing == "lease_stop" or (self._sink.fencing == "session" and not self._is_open)
        if not needs_one or self._lease_left() > 0:
            return False
        self._fence()
        return True

    def _fence(self) -> None:
        """Only a renewal of the lease opens it again, and then at once: its place has not failed."""
        if self._is_open:
            self._is_open = False
            self._abandon()
        if self._sink.fencing == "session":
            self._state, self._detail = "down", "waits for a lease before it connects"
        else:
            self._state, self._detail = "stopped", "the lease has run out"

    def _next(self) -> Delivery | None:
        try:
            return self._queue.get(timeout=STALLED_AFTER_S)
        except queue.Empty:  # a frozen encoder is not this output's fault
            return self._queue.get()

    def _lose(self, delivery: Delivery) -> None:
        self._gap = True
        self._frames_lost += sum(packet.is_video for packet in delivery.batch)

    def _goes_on(self, delivery: Delivery) -> bool:
        """After a gap nothing can be decoded before a keyframe."""
        return not self._gap or _begins_with_keyframe(delivery)

    def _opened(self, delivery: Delivery) -> bool:
        if not _begins_with_keyframe(delivery) or self._monotonic() < self._retry_at:
            return False
        self._bytes_before = self._sink.bytes_sent
        self._is_open = self._attempt(lambda: self._sink.open(self._templates))
        if self._is_open and self._sink.fencing == "session" and self._lease_left() <= 0:
            self._fence()  # it took longer than the lease: what was connected by then may not be used
        return self._is_open

    def _write(self, delivery: Delivery) -> None:
        after_gap = delivery.after_gap or self._gap
        sent, segments = self._sink.bytes_sent, self._sink.segments
        self._delay.taken(delivery.batch)
        if self._attempt(lambda: self._sink.write(delivery.batch, after_gap=after_gap)):
            self._gap = False
            if self._sink.segments > segments:  # what made the segment whole begins the next one
                self._delay.handed_on(delivery.batch)
            elif self._sink.bytes_sent > sent:
                self._delay.handed_on()
            if (link := self._link()) is not None and not link.receivers:
                self._delay.forget()  # what nobody received is nobody's delay, also when one calls hours later
            self._frames_sent += sum(packet.is_video for packet in delivery.batch)
            if self._sink.bytes_sent > self._bytes_before:  # a sink may collect for seconds before it can fail
                self._failures = 0
                self._state, self._detail = "up", ""
        else:
            self._lose(delivery)

    def _attempt(self, call: Callable[[], None]) -> bool:
        self._blocked_since = self._monotonic()
        try:
            call()
        except (OSError, FFmpegError) as error:
            self._fail(str(error))
        except LeaseOver:
            self._fence()
        except Exception as error:  # a defect of one sink must not end its retries, and nobody else's air
            log.exception("the sink of output %s failed", self._output.id)
            self._fail(f"{type(error).__name__}: {error}")
        else:
            return True
        finally:
            self._blocked_since = None
        return False

    def _fail(self, detail: str) -> None:
        self._is_open = False
        self._delay.forget()
        self._failures += 1
        wait = backoff_s(self._failures, random.random())  # noqa: S311 - spreads retries, hides nothing
        self._retry_at = self._monotonic() + wait
        self._state, self._detail = "down", f"{detail}; trying again in {wait:.1f} s"
        self._abandon()

    def _abandon(self) -> None:
        try:
            self._sink.abandon()
        except Exception:  # it is opened again all the same
            log.exception("the sink of output %s did not let go of its failed opening", self._output.id)

    def _end(self) -> None:
        if self._is_open and not self._attempt(lambda: self._sink.close(final=self._final)):
            return
        self._state, self._detail = "stopped", ""


def _begins_with_keyframe(delivery: Delivery) -> bool:
    first = delivery.batch[0]
    return first.is_video and first.keyframe
