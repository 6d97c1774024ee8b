"""The thread around a sink: what hangs, fails or comes back, and that nobody else notices."""

import contextlib
import math
import os
import re
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest

from sidecar.outputs.backoff import LONGEST_BACKOFF_S, backoff_s
from sidecar.outputs.file import FileSink
from sidecar.outputs.hls import HlsSink
from sidecar.outputs.interface import LeaseOver, Sink
from sidecar.outputs.packet import Batch
from sidecar.outputs.templates import StreamTemplates, make_templates
from sidecar.outputs.udp import UdpSink
from sidecar.outputs.udp_address import UdpAddress
from sidecar.outputs.worker import OutputWorker
from sidecar.protocol.channel import Output, OutputKind
from sidecar.protocol.fencing import Fencing
from sidecar.protocol.status import Link
from tests.fixtures.air import ENCODING, FORMAT, encoded, wait_until
from tests.fixtures.small_disk import small_disk
from tests.instruments.udp_receiver import UdpReceiver

TEMPLATES = make_templates(FORMAT, ENCODING)


class ScriptedSink:
    """Fails or waits where a test says so; otherwise takes everything."""

    kind: OutputKind = "file"

    def __init__(self, fencing: Fencing = "resource") -> None:
        self.fencing = fencing
        self.bytes_sent = self.segments = self.openings = 0
        self.failure: Exception | None = None
        self.abandon_failure: Exception | None = None
        self.free = threading.Event()
        self.free.set()
        self.waits = threading.Event()
        self.frames: list[tuple[int, bool]] = []
        self.is_finished = False
        self.abandonings = 0
        self.opens: Callable[[], object] = lambda: None

    def open(self, templates: StreamTemplates) -> None:
        self.openings += 1
        self.opens()
        if self.failure is not None:
            raise self.failure

    def write(self, batch: Batch, *, after_gap: bool) -> None:
        if not self.free.is_set():
            self.waits.set()
            self.free.wait()
        if self.failure is not None:
            raise self.failure
        self.frames += [(packet.pts, after_gap) for packet in batch if packet.is_video]
        self.bytes_sent += 1

    def abandon(self) -> None:
        self.abandonings += 1
        if self.abandon_failure is not None:
            raise self.abandon_failure

    def close(self, *, final: bool = True) -> None:
        self.is_finished = True


class Seconds:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def worker(
    sink: Sink,
    clock: Seconds | None = None,
    *,
    limit: int = 50,
    lease_left: Callable[[], float] = lambda: math.inf,
) -> OutputWorker:
    made = OutputWorker(
        Output("o", sink.kind),
        sink,
        TEMPLATES,
        queue_limit=limit,
        lease_left=lease_left,
        monotonic=clock or Seconds(),
    )
    made.start()
    return made


def handled(output: OutputWorker, frames: int) -> None:
    def count() -> bool:
        status = output.status()
        return status.frames_sent + status.frames_dropped >= frames

    wait_until(count, 5, f"{frames} frames sent or dropped")


def test_a_sink_that_fails_is_opened_again_at_a_keyframe_for_ever() -> None:
    """P1: retries slow down and never end."""
    sink, clock = ScriptedSink(), Seconds()
    sink.failure = OSError("no route to host")
    output = worker(sink, clock, limit=10_000)
    batches = encoded(range(20))
    for attempt in range(1, 13):
        for batch in batches:
            output.put(batch)
        handled(output, attempt * 20)
        assert sink.openings == attempt
        assert output.status().state == "down"
        assert "no route to host" in output.status().detail
        clock.now += LONGEST_BACKOFF_S * 1.5
    sink.failure = None
    for batch in batches[5:]:
        output.put(batch)
    wait_until(lambda: output.status().state == "up", 5, "the output is up again")
    handled(output, 12 * 20 + 15)
    assert sink.frames[0][0] == 10
    output.close()
    assert output.join(60)
    assert sink.is_finished


def test_a_defect_of_a_sink_is_a_failure_like_others(caplog: pytest.LogCaptureFixture) -> None:
    sink, clock = ScriptedSink(), Seconds()
    sink.failure = ZeroDivisionError("mine")
    output = worker(sink, clock)
    for batch in encoded(range(10)):
        output.put(batch)
    handled(output, 10)
    assert "ZeroDivisionError: mine" in output.status().detail
    assert "Traceback" in caplog.text
    output.close()
    assert output.join(60)


def test_a_sink_that_hangs_is_stalled_drops_and_comes_back_at_a_keyframe() -> None:
    sink, clock = ScriptedSink(), Seconds()
    output = worker(sink, clock, limit=8)
    batches = encoded(range(60))
    output.put(batches[0])
    handled(output, 1)
    sink.free.clear()
    for batch in batches[1:30]:
        output.put(batch)
    assert sink.waits.wait(60)
    clock.now += 3
    assert output.status().state == "stalled"
    assert output.status().detail == "has not taken anything for 3 s"
    assert output.status().frames_dropped >= 20
    sink.free.set()
    wait_until(lambda: output.status().state == "up" and len(sink.frames) >= 8, 5, "the output is up again")
    for batch in batches[30:]:
        output.put(batch)
        handled(output, batch[0].pts + 1)
    gaps = [frame for frame, after_gap in sink.frames if after_gap]
    assert gaps == [30]
    assert output.status().frames_sent + output.status().frames_dropped == 60
    output.close()
    assert output.join(60)


def test_without_a_lease_nothing_leaves_a_lease_stop_output() -> None:
    """P2: a sidecar that may not be alone any more is silent where nothing else refuses it."""
    sink = ScriptedSink("lease_stop")
    output = worker(sink, lease_left=lambda: 0.0)
    for batch in encoded(range(10)):
        output.put(batch)
    handled(output, 10)
    assert sink.openings == 0
    status = output.status()
    assert (status.state, status.detail, status.fencing) == ("stopped", "the lease has run out", "lease_stop")
    output.close()
    assert output.join(60)
    assert not sink.is_finished


@pytest.mark.parametrize("fencing", ["resource", "hold", "cable"])
def test_other_outputs_never_ask_for_a_lease(fencing: Fencing) -> None:
    """P5: what the loss of the control plane must not stop, it does not stop."""

    def ask() -> float:
        raise AssertionError("asked for the lease")

    sink = ScriptedSink(fencing)
    output = worker(sink, lease_left=ask)
    for batch in encoded(range(10)):
        output.put(batch)
    handled(output, 10)
    assert (len(sink.frames), output.status().state, output.status().fencing) == (10, "up", fencing)
    output.close()
    assert output.join(60)


def test_an_open_session_runs_on_without_a_lease_and_no_other_is_opened() -> None:
    """P2 and I7: an old epoch whose session broke stays away, however long, until the lease is renewed."""
    lease, clock = [6.0], Seconds()
    sink = ScriptedSink("session")
    output = worker(sink, clock, lease_left=lambda: lease[0], limit=1000)
    batches = encoded(range(60))
    for number, batch in enumerate(batches[:30]):
        lease[0] = 6.0 if number == 0 else 0.0
        output.put(batch)
        handled(output, number + 1)
    assert len(sink.frames) == 30
    sink.failure = OSError("the peer hung up")
    output.put(batches[30])
    handled(output, 31)
    sink.failure = None
    for number, batch in enumerate(batches[31:51], start=31):
        clock.now += LONGEST_BACKOFF_S * 1.5
        output.put(batch)
        handled(output, number + 1)
    status = output.status()
    assert (status.state, status.detail) == ("down", "waits for a lease before it connects")
    assert sink.openings == 1
    lease[0] = 6.0
    for number, batch in enumerate(batches[51:], start=51):
        output.put(batch)
        handled(output, number + 1)
    assert sink.openings == 1, "there was no keyframe since"
    for batch in batches[:5]:
        output.put(batch)
    handled(output, 65)
    assert (sink.openings, output.status().state) == (2, "up")
    output.close()
    assert output.join(60)


def test_a_session_that_took_longer_to_open_than_the_lease_is_let_go() -> None:
    """P2."""
    lease = [6.0]
    sink = ScriptedSink("session")
    sink.opens = lambda: lease.__setitem__(0, 0.0)
    output = worker(sink, lease_left=lambda: lease[0])
    for batch in encoded(range(10)):
        output.put(batch)
    handled(output, 10)
    assert (sink.openings, sink.abandonings, sink.frames) == (1, 1, [])
    assert output.status().detail == "waits for a lease before it connects"
    output.close()
    assert output.join(60)


def test_udp_asks_for_the_lease_before_every_datagram() -> None:
    """P2: a frame's datagrams are spread over milliseconds, and the lease may end between any two."""
    left = [10]

    def lease_left() -> float:
        left[0] -= 1
        return max(0.0, left[0])

    with UdpReceiver() as receiver:
        sink = UdpSink(UdpAddress("127.0.0.1", receiver.port), lease_left)
        sink.open(TEMPLATES)
        with pytest.raises(LeaseOver):  # noqa: PT012 - whichever frame is too much
            for batch in encoded(range(100)):
                sink.write(batch, after_gap=False)
        with pytest.raises(LeaseOver):
            sink.close()
        wait_until(lambda: len(receiver.reception.datagrams) == 9, 5, "nine datagrams")
        assert sink.bytes_sent == len(receiver.reception.data())


def test_a_lease_won_back_begins_with_a_keyframe() -> None:
    """P1: what was lost without the lease leaves no picture that cannot be decoded."""
    lease = [True]
    sink = ScriptedSink("lease_stop")
    output = worker(sink, lease_left=lambda: 6.0 * lease[0])
    for number, batch in enumerate(encoded(range(30))):
        lease[0] = not 5 <= number < 15
        output.put(batch)
        handled(output, number + 1)
    assert [frame for frame, _ in sink.frames] == [*range(5), *range(20, 30)]
    assert [frame for frame, after_gap in sink.frames if after_gap] == [20]
    assert (sink.openings, sink.abandonings) == (2, 1), "what the lost lease kept back is never sent"
    output.close()
    assert output.join(60)


def test_a_sink_that_cannot_even_let_go_is_down_and_opened_again(caplog: pytest.LogCaptureFixture) -> None:
    """P1: on a full disk closing a file fails as well; the output's thread lives on and says so."""
    sink, clock = ScriptedSink(), Seconds()
    sink.failure, sink.abandon_failure = OSError("disk full"), OSError("disk still full")
    output = worker(sink, clock)
    for batch in encoded(range(10)):
        output.put(batch)
    handled(output, 10)
    assert output.status().state == "down"
    assert "disk full" in output.status().detail
    assert "disk still full" in caplog.text
    sink.failure = sink.abandon_failure = None
    clock.now += LONGEST_BACKOFF_S * 1.5
    for batch in encoded(range(10)):
        output.put(batch)
    handled(output, 20)
    assert output.status().state == "up"
    output.close()
    assert output.join(60)


def test_a_defect_around_the_sink_does_not_end_the_output() -> None:
    """P1: the thread goes on whatever raises in it."""
    broken = [True]

    def lease_left() -> float:
        if broken[0]:
            raise ZeroDivisionError("mine")
        return 6.0

    sink, clock = ScriptedSink("lease_stop"), Seconds()
    output = worker(sink, clock, lease_left=lease_left)
    batches = encoded(range(20))
    for batch in batches[:10]:
        output.put(batch)
    handled(output, 10)
    assert output.status().state == "down"
    assert "ZeroDivisionError: mine" in output.status().detail
    broken[0] = False
    clock.now += LONGEST_BACKOFF_S * 1.5
    for batch in batches[10:]:
        output.put(batch)
    handled(output, 20)
    assert output.status().state == "up"
    output.close()
    assert output.join(60)


def test_hls_on_a_full_disk_is_down_between_segments_too_and_slows_down(tmp_path: Path) -> None:
    """P1: a segment collected in memory is nothing that was sent."""
    with small_disk(tmp_path / "disk", "1m") as disk:
        clock = Seconds()
        output = worker(HlsSink(disk / "live", 1, Fraction(2, 5)), clock, limit=100)
        batches = encoded(range(40))
        for batch in batches:
            output.put(batch)
        wait_until(lambda: output.status().segments == 3, 5, "three segments")
        assert output.status().state == "up"
        with (disk / "hog").open("wb", buffering=0) as hog, contextlib.suppress(OSError):
            while True:
                hog.write(bytes(4096))
        done, states, waits = 40, list[str](), list[float]()
        for _ in range(8):
            for batch in batches[10:]:
                output.put(batch)
                done += 1
                handled(output, done)
                states.append(output.status().state)
            waited = re.search(r"trying again in ([0-9.]+) s", output.status().detail)
            assert waited is not None
            waits.append(float(waited[1]))
            clock.now += LONGEST_BACKOFF_S * 1.5
        assert "No space left" in output.status().detail
        assert waits[-1] >= LONGEST_BACKOFF_S / 2
        (disk / "hog").unlink()
        for batch in batches[10:]:
            output.put(batch)
        wait_until(lambda: output.status().state == "up", 5, "the output is up again")
        output.close()
        assert output.join(60)
    assert set(states[states.index("down") :]) == {"down"}


def test_an_output_that_really_hangs_stalls_no_other(tmp_path: Path) -> None:
    """P1: a FIFO that nobody reads blocks its writer in the kernel; UDP beside it and the encoder's side go on."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    hung = worker(FileSink(fifo), limit=20)
    other = worker(UdpSink(UdpAddress("127.0.0.1", 9)), limit=20)
    batches = encoded(range(400), encoding=ENCODING)
    for batch in batches:
        hung.put(batch)
        other.put(batch)
        handled(other, batch[0].pts + 1)
    assert other.status().frames_sent == 400
    assert hung.status().frames_sent < 400
    assert hung.status().frames_dropped > 0
    assert not hung.join(0.1)
    read = bytearray()

    def drained() -> bool:
        with contextlib.suppress(BlockingIOError):
            read.extend(os.read(reader, 1 << 20))
        return hung.join(0)

    hung.close()
    wait_until(drained, 5, "the hung output ends once somebody reads")
    os.close(reader)
    (tmp_path / "read.ts").write_bytes(read)
    with av.open(str(tmp_path / "read.ts")) as container:
        assert not any(packet.is_corrupt for packet in container.demux())
    other.close()
    assert other.join(60)


def test_backoff_grows_to_ten_seconds_and_is_spread() -> None:
    assert [backoff_s(failures, 0.5) for failures in (1, 2, 3, 6, 1_000_000)] == [0.5, 1.0, 2.0, 10.0, 10.0]
    assert backoff_s(3, 0.0) == 1.0
    assert backoff_s(3, 1.0) == 3.0


class Listener(ScriptedSink):
    """Sends only while somebody has called."""

    receivers = 0

    def write(self, batch: Batch, *, after_gap: bool) -> None:
        sent = self.bytes_sent
        super().write(batch, after_gap=after_gap)
        if not self.receivers:
            self.bytes_sent = sent

    def link(self) -> Link | None:
        return Link(self.receivers, None, 0.0, 0, 0, 0, 0, 0, 120)


def test_a_listeners_delay_counts_from_when_somebody_receives() -> None:
    sink, now = Listener(), [0]
    output = OutputWorker(Output("o", "srt"), sink, TEMPLATES, queue_limit=1000, wall_ns=lambda: now[0])
    output.start()
    batches, pictures = encoded(range(60)), [0]

    def put(first: int, end: int) -> None:
        for batch in batches[first:end]:
            pictures[0] += sum(packet.is_video for packet in batch)
            now[0] = next((packet.wall_ns for packet in batch if packet.is_video), now[0])
            output.put(batch)
            handled(output, pictures[0])

    put(0, 50)
    assert output.status().delay_ms is None
    sink.receivers = 1
    put(50, 60)
    delay_ms = output.status().delay_ms
    assert delay_ms is not None
    assert delay_ms < 100, "not the two seconds for which nobody listened"
    output.close()
    assert output.join(60)
