"""RTMP against libavformat's own server: every frame, after every loss, and no connection without a lease."""

import logging
import math
import signal
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from sidecar.outputs import rtmp_session
from sidecar.outputs.interface import LeaseOver
from sidecar.outputs.packet import Batch
from sidecar.outputs.rtmp import RtmpSink
from sidecar.outputs.rtmp_address import parse_rtmp_url
from sidecar.outputs.templates import make_templates
from sidecar.outputs.worker import OutputWorker
from sidecar.protocol.channel import Output
from tests.doubles.rtmp_server import ScriptedRtmpServer
from tests.fixtures.air import ENCODING, FORMAT, encoded, wait_until
from tests.instruments.rtmp_listener import RtmpListener

TEMPLATES = make_templates(FORMAT, ENCODING)
KEY = "secret-key"


@pytest.fixture(scope="module")
def listener() -> Iterator[RtmpListener]:
    with RtmpListener() as one:
        yield one


def sink_of(url: str, lease_left: float = math.inf) -> RtmpSink:
    return RtmpSink(parse_rtmp_url(url), lambda: lease_left)


def opened(listener: RtmpListener) -> tuple[RtmpSink, int]:
    """With the number that its session will have."""
    number = len(listener.sessions)
    wait_until(lambda: all(session.ended for session in listener.sessions), 10, "the last session's end")
    listener.wait_until_listening()
    sink = sink_of(listener.url)
    sink.open(TEMPLATES)
    return sink, number


def write(sink: RtmpSink, batches: list[Batch], *, after_gap: bool = False) -> None:
    for number, batch in enumerate(batches):
        sink.write(batch, after_gap=after_gap and number == 0)


def ended(listener: RtmpListener, number: int) -> list[int | None]:
    wait_until(lambda: len(listener.sessions) > number, 10, "the session")
    wait_until(lambda: listener.sessions[number].ended is not None, 10, "the session's end")
    assert listener.sessions[number].corrupt == 0
    return listener.sessions[number].numbers


def later(batches: list[Batch], hours: int) -> list[Batch]:
    def moved(batch: Batch) -> Batch:
        return tuple(
            replace(packet, pts=packet.pts + int(hours * 3600 / packet.time_base)) for packet in batch
        )  # fmt: skip

    return [moved(batch) for batch in batches]


def test_every_frame_arrives_and_sound_with_it(listener: RtmpListener) -> None:
    sink, number = opened(listener)
    write(sink, encoded(range(53)))
    sink.close()
    assert ended(listener, number) == list(range(53))
    assert listener.sessions[number].sounds > 90
    assert sink.bytes_sent > 30_000


def test_a_session_goes_on_over_gaps_and_after_five_hours(listener: RtmpListener) -> None:
    """Timestamps of more than 24 bits take another form, in every chunk."""
    sink, number = opened(listener)
    write(sink, encoded(range(17)))
    write(sink, encoded(range(30, 45)), after_gap=True)
    write(sink, later(encoded(range(50, 65)), 5), after_gap=True)
    sink.close()
    assert ended(listener, number) == [*range(17), *range(30, 45), *range(50, 65)]


def test_after_a_failed_session_another_is_opened(listener: RtmpListener) -> None:
    sink, number = opened(listener)
    write(sink, encoded(range(20)))
    sink.abandon()
    assert set(ended(listener, number)) <= {*range(20)}
    listener.wait_until_listening()
    sink.open(TEMPLATES)
    write(sink, encoded(range(30, 40)))
    sink.close()
    assert ended(listener, number + 1) == list(range(30, 40))


def test_writing_without_opening_is_an_error_of_the_output() -> None:
    with pytest.raises(OSError, match="not open"):
        write(sink_of(f"rtmp://127.0.0.1/live/{KEY}"), encoded(range(1)))


def test_a_server_that_does_not_answer_costs_no_more_than_the_time_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """P1: whatever hangs, hangs in the output's own thread, and not for long."""
    monkeypatch.setattr(rtmp_session, "_OPEN_S", 0.2)
    with (
        ScriptedRtmpServer() as server,
        pytest.raises(TimeoutError, match=r"did not agree to the session within 0\.2 s"),
    ):
        sink_of(f"rtmp://127.0.0.1:{server.port}/live/{KEY}").open(TEMPLATES)


def test_an_opening_is_over_when_the_lease_is() -> None:
    """P2, I7: a session that took longer to agree than the lease may never be used."""
    until = time.monotonic() + 0.3
    with ScriptedRtmpServer() as server:
        sink = RtmpSink(
            parse_rtmp_url(f"rtmp://127.0.0.1:{server.port}/live/{KEY}"), lambda: max(0.0, until - time.monotonic())
        )
        with pytest.raises(LeaseOver):
            sink.open(TEMPLATES)
        assert time.monotonic() < until + 15
        assert server.connections == 1
        with pytest.raises(LeaseOver):
            sink.open(TEMPLATES)
        assert server.connections == 1, "nobody was dialled without a lease"


def test_a_server_that_takes_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """P1: a dead peer is noticed."""
    monkeypatch.setattr(rtmp_session, "_WRITE_S", 0.3)
    first, *_ = encoded(range(1))
    large = (replace(first[0], data=first[0].data + b"\x00\x00\x01\x0c" + b"\xff" * (1 << 20)),)
    with RtmpListener() as stopped:
        sink = sink_of(stopped.url)
        sink.open(TEMPLATES)
        stopped.send_signal(signal.SIGSTOP)
        with pytest.raises(TimeoutError, match=r"took nothing for 0\.3 s"):
            write(sink, [large] * 50)
        sink.abandon()


def test_the_key_is_in_no_status_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """P7: a server may say it back, and it is a password all the same."""
    caplog.set_level(logging.DEBUG)
    with ScriptedRtmpServer(refusal=f"no right to publish {KEY}\n\x1b[31m here") as server:
        url = f"rtmp://127.0.0.1:{server.port}/live/{KEY}"
        output = OutputWorker(Output("o", "rtmp", url), sink_of(url), TEMPLATES, queue_limit=100)
        output.start()
        for batch in encoded(range(10)):
            output.put(batch)
        wait_until(lambda: output.status().state == "down", 10, "the refusal")
    detail = output.status().detail
    assert "the server refuses: NetConnection.Connect.Rejected no right to publish •••" in detail
    assert detail.isprintable()
    assert KEY not in caplog.text
    output.close()
    assert output.join(60)


def test_a_server_that_comes_back_gets_the_programme_again() -> None:
    """P1."""
    with RtmpListener() as first:
        output = OutputWorker(Output("o", "rtmp", first.url), sink_of(first.url), TEMPLATES, queue_limit=1000)
        output.start()
        for batch in encoded(range(20)):
            output.put(batch)
        wait_until(lambda: output.status().state == "up", 10, "the session")
    frame = 20

    def going_on(state: str) -> bool:
        nonlocal frame
        for batch in encoded(range(frame, frame + 10)):
            output.put(batch)
        frame += 10
        time.sleep(0.05)
        return output.status().state == state

    wait_until(lambda: going_on("down"), 10, "the loss is noticed")
    with RtmpListener(first.port) as second:
        wait_until(lambda: going_on("up"), 15, "the session again")
        output.close()
        assert output.join(60)
        numbers = ended(second, 0)
        assert numbers
        assert numbers == list(range(numbers[0] or 0, (numbers[-1] or 0) + 1))
