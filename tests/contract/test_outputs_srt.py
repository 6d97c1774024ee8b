"""SRT against libavformat's own SRT: every frame, who may connect and when, and what the link's figures say."""

import math
import time
from collections.abc import Callable
from functools import partial

import av
import pytest
from av.error import FFmpegError

from sidecar.outputs.srt import SrtSink
from sidecar.outputs.srt_address import parse_srt_url
from sidecar.outputs.srt_library import STREAMID, SrtFailed, SrtSocket
from sidecar.outputs.templates import make_templates
from sidecar.outputs.worker import OutputWorker
from sidecar.protocol.channel import Output
from sidecar.protocol.status import Link
from tests.fixtures.air import ENCODING, FORMAT, encoded, wait_until
from tests.instruments.srt_receiver import SrtReceiver, free_udp_port

TEMPLATES = make_templates(FORMAT, ENCODING)
FRAMES = encoded(range(1000))
SECRET = "correct horse battery"
WRITTEN = "correct%20horse%20battery"


def sink_of(port: int, options: str = "", lease_left: Callable[[], float] = lambda: math.inf) -> SrtSink:
    return SrtSink(parse_srt_url(f"srt://127.0.0.1:{port}?latency=120{options}"), lease_left)


SURE = 68
"""Of 75 pictures, those that were sent and are known to be whole whatever their size."""


def opened(sink: SrtSink) -> None:
    """A receiver that was just started needs a moment until it listens."""
    until = time.monotonic() + 60
    while True:
        try:
            sink.open(TEMPLATES)
        except OSError:
            if time.monotonic() > until:
                raise
        else:
            return


def write(sink: SrtSink, frames: range, *, paced: bool = True) -> None:
    for batch in FRAMES[frames.start : frames.stop]:
        sink.write(batch, after_gap=False)
        if paced:
            time.sleep(0.004)


@pytest.mark.parametrize(("ours", "theirs"), [("", {}), (f"&passphrase={WRITTEN}", {"passphrase": WRITTEN})])
def test_every_frame_arrives_at_a_listener(ours: str, theirs: dict[str, str]) -> None:
    port = free_udp_port()
    with SrtReceiver(port, "listener", **theirs) as receiver:
        sink = sink_of(port, ours)
        opened(sink)
        write(sink, range(75))
        # libavformat reads nothing more once the sender hung up, although libsrt has it. Until then what does not fill
        # a datagram has not left, and the picture before it is not known to be whole.
        wait_until(lambda: len(receiver.numbers) >= SURE, 20, "the pictures")
        wait_until(lambda: _sampled(sink).packets_sent > 0, 10, "the link's figures")
        link = sink.link()
        sink.close()
        receiver.join(60)
    assert (receiver.numbers, receiver.corrupt) == (list(range(len(receiver.numbers))), 0)
    assert isinstance(link, Link)
    assert (link.receivers, link.latency_ms) == (1, 120)
    assert link.round_trip_ms is not None
    assert 0 <= link.round_trip_ms < 150
    assert link.packets_lost == 0


def test_the_figures_are_those_of_libsrt() -> None:
    """The layout of its structure is ours to know: counts that we know otherwise must come out of it."""
    port = free_udp_port()
    with SrtReceiver(port, "listener", latency="333000"):
        sink = sink_of(port)
        opened(sink)
        write(sink, range(50))
        wait_until(lambda: _sampled(sink).packets_sent * 1316 >= sink.bytes_sent * 0.9, 10, "the count of packets")
        wait_until(lambda: _sampled(sink).packets_sent * 1316 > sink.bytes_sent - 5000, 10, "all of them")
        link = _sampled(sink)
        assert link.latency_ms == 333, "the longer of both sides"
        assert link.packets_sent == pytest.approx(sink.bytes_sent / 1316, abs=3)
        sink.close()


def _sampled(sink: SrtSink) -> Link:
    sink.write((), after_gap=False)  # counts anew every second
    link = sink.link()
    assert link is not None
    return link


@pytest.mark.long
def test_a_wrong_passphrase_is_refused_with_the_reason_and_without_the_secret() -> None:
    port = free_udp_port()
    with SrtReceiver(port, "listener", passphrase="another-secret"):
        sink = sink_of(port, f"&passphrase={WRITTEN}")
        said = ""
        until = time.monotonic() + 60
        while "passphrase" not in said and time.monotonic() < until:
            with pytest.raises(OSError, match="receiver") as refused:
                sink.open(TEMPLATES)
            said = str(refused.value)
    assert said == "the receiver refused the call: Incorrect passphrase"
    assert SECRET not in said
    shown = repr(parse_srt_url(f"srt://host:9?passphrase={WRITTEN}&streamid=my-key"))
    assert SECRET not in shown
    assert "my-key" not in shown


def test_callers_come_and_go_at_a_listener_and_each_gets_the_programme() -> None:
    port = free_udp_port()
    sink = sink_of(port, "&mode=listener")
    worker = OutputWorker(Output("o", "srt"), sink, TEMPLATES, queue_limit=1000)
    worker.start()
    frames = iter(FRAMES)
    try:
        _play(worker, frames, lambda: worker.status().detail == "listens; no receiver has called")
        assert worker.status().state == "down"
        with SrtReceiver(port, "caller") as first, SrtReceiver(port, "caller") as second:
            _play(worker, frames, lambda: len(first.numbers) > 20 and len(second.numbers) > 20)
            assert worker.status().state == "up"
            assert (worker.status().link or Link(0, None, 0, 0, 0, 0, 0, 0, 0)).receivers == 2
            first.hang_up()
            seen = len(second.numbers)
            _play(worker, frames, lambda: len(second.numbers) > seen + 60 and not first.is_alive())
        _play(worker, frames, lambda: worker.status().state == "down")
        for one in (first, second):
            numbers = [number for number in one.numbers if number is not None]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    finally:
        worker.close()
        assert worker.join(60)


def _play(worker: OutputWorker, frames: object, until: Callable[[], bool]) -> None:
    """Twice as fast as it is, until it is so."""
    deadline = time.monotonic() + 20
    while not until():
        assert time.monotonic() < deadline, worker.status()
        worker.put(next(frames))  # type: ignore[call-overload] - an iterator of batches
        time.sleep(0.02)


def test_a_session_of_libavformat_that_ends_in_this_process_ends_no_output() -> None:
    """A live input over SRT comes and goes in the same process: libsrt's own clean-up must not reach this output."""
    port = free_udp_port()
    with SrtReceiver(port, "listener") as receiver:
        sink = sink_of(port)
        opened(sink)
        write(sink, range(40))
        with pytest.raises(FFmpegError):
            av.open(f"srt://127.0.0.1:{free_udp_port()}?mode=caller&connect_timeout=200", "r", format="mpegts")
        write(sink, range(40, 100))
        wait_until(lambda: len(receiver.numbers) >= SURE + 25, 20, "the pictures")
        sink.close()
    assert receiver.numbers == list(range(len(receiver.numbers)))


def test_a_listener_with_a_stream_id_turns_others_away() -> None:
    port = free_udp_port()
    sink = sink_of(port, "&mode=listener&streamid=right")
    sink.open(TEMPLATES)
    with (
        SrtReceiver(port, "caller", streamid="wrong") as stranger,
        SrtReceiver(port, "caller", streamid="right") as one,
    ):
        until = time.monotonic() + 60
        for batch in FRAMES:
            sink.write(batch, after_gap=False)
            time.sleep(0.02)
            if len(one.numbers) > 10 or time.monotonic() > until:
                break
        sink.close()
    assert len(one.numbers) > 10
    assert stranger.numbers == []


def test_a_caller_that_hung_up_before_it_was_let_in_ends_nobody_elses_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """When libsrt has done its handshake and the peer is gone, every question about its socket fails."""
    port = free_udp_port()
    sink = sink_of(port, "&mode=listener&streamid=right")
    sink.open(TEMPLATES)
    text, asked = SrtSocket.text, list[int]()

    def gone_at_first(one: SrtSocket, option: int) -> str:
        asked.append(option)
        if len(asked) == 1:
            one.close()  # as the library finds it then
        return text(one, option)

    monkeypatch.setattr(SrtSocket, "text", gone_at_first)
    hasty, patient = SrtSocket(), SrtSocket()
    try:
        for caller in (hasty, patient):
            before = len(asked)
            caller.set_text(STREAMID, "right")
            caller.connect("127.0.0.1", port, 5)
            wait_until(partial(_is_asked, sink, asked, before), 10, "the look at the caller")
        assert _sampled(sink).receivers == 1
    finally:
        hasty.close()
        patient.close()
        sink.close()


def test_a_socket_that_is_gone_fails_and_says_so() -> None:
    """What the one above takes for granted of libsrt."""
    one = SrtSocket()
    one.close()
    with pytest.raises(SrtFailed):
        one.text(STREAMID)


def test_a_caller_is_not_let_in_when_the_lease_ended_while_it_was_looked_for() -> None:
    port = free_udp_port()
    lease = [6.0]
    answers: list[float] = []

    def lease_left() -> float:
        return answers.pop(0) if answers else lease[0]

    sink = sink_of(port, "&mode=listener", lease_left)
    sink.open(TEMPLATES)
    caller = SrtSocket()
    try:
        caller.connect("127.0.0.1", port, 5)
        lease[0] = 0.0
        answers.append(0.1)  # at the look before
        sink.write((), after_gap=False)
        assert _sampled(sink).receivers == 0
    finally:
        caller.close()
        sink.close()


def _is_asked(sink: SrtSink, asked: list[int], before: int) -> bool:
    sink.write((), after_gap=False)
    return len(asked) > before


def test_without_a_lease_nobody_is_called_and_nobody_is_let_in() -> None:
    """P2: an old epoch keeps the session it has, and gets no other."""
    port = free_udp_port()
    lease = [6.0]
    sink = sink_of(port, "&mode=listener", lambda: lease[0])
    sink.open(TEMPLATES)
    with SrtReceiver(port, "caller") as first:
        until = time.monotonic() + 60
        frames = iter(FRAMES)
        while len(first.numbers) < 10 and time.monotonic() < until:
            sink.write(next(frames), after_gap=False)
            time.sleep(0.02)
        lease[0] = 0.0
        sink.write(next(frames), after_gap=False)
        with SrtReceiver(port, "caller", connect_timeout="700") as late:
            seen = len(first.numbers)
            while (late.is_alive() or len(first.numbers) < seen + 30) and time.monotonic() < until:
                sink.write(next(frames), after_gap=False)
                time.sleep(0.02)
            assert late.ended_by
            assert late.numbers == []
        assert len(first.numbers) >= seen + 30, "the session that was there goes on"
        sink.close()


def test_a_port_that_is_taken_after_a_lease_ends_no_receivers_session_and_is_tried_again() -> None:
    port = free_udp_port()
    lease = [6.0]
    sink = sink_of(port, "&mode=listener", lambda: lease[0])
    worker = OutputWorker(Output("o", "srt"), sink, TEMPLATES, queue_limit=3000, lease_left=lambda: lease[0])
    worker.start()
    frames = iter(FRAMES)
    other: SrtSocket | None = None
    try:
        _play(worker, frames, lambda: worker.status().state == "down")
        with SrtReceiver(port, "caller") as first:
            _play(worker, frames, lambda: len(first.numbers) > 10)
            lease[0] = 0.0
            other = _listening(port, lambda: worker.put(next(frames)))
            lease[0] = 6.0
            _play(worker, frames, lambda: bool(worker.status().link and worker.status().link.fault))
            assert worker.status().state == "up"
            assert worker.status().detail.startswith(f"port {port} cannot be listened on")
            seen = len(first.numbers)
            _play(worker, frames, lambda: len(first.numbers) > seen + 30)
            other.close()
            _play(worker, frames, lambda: not worker.status().detail)
            with SrtReceiver(port, "caller") as second:
                _play(worker, frames, lambda: len(second.numbers) > 5)
        numbers = [number for number in first.numbers if number is not None]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    finally:
        if other is not None:
            other.close()
        worker.close()
        assert worker.join(60)


def _listening(port: int, meanwhile: Callable[[], None]) -> SrtSocket:
    """Another listener at the same port, once it is free."""
    until = time.monotonic() + 60
    while True:
        one = SrtSocket()
        try:
            one.bind_and_listen("127.0.0.1", port, 1)
        except SrtFailed:
            one.close()
            assert time.monotonic() < until
            meanwhile()
            time.sleep(0.02)
        else:
            return one


def test_a_caller_waits_for_its_lease_and_then_connects() -> None:
    port = free_udp_port()
    lease = [0.0]
    sink = sink_of(port, "", lambda: lease[0])
    worker = OutputWorker(Output("o", "srt"), sink, TEMPLATES, queue_limit=3000, lease_left=lambda: lease[0])
    worker.start()
    frames = iter(FRAMES)
    with SrtReceiver(port, "listener") as receiver:
        try:
            _play(worker, frames, lambda: worker.status().detail == "waits for a lease before it connects")
            assert receiver.is_alive()
            lease[0] = 6.0
            _play(worker, frames, lambda: len(receiver.numbers) > 20)
            lease[0] = 0.0
            seen = len(receiver.numbers)
            _play(worker, frames, lambda: len(receiver.numbers) > seen + 30)
            assert worker.status().state == "up"
        finally:
            worker.close()
            assert worker.join(60)


def test_a_receiver_that_went_is_called_again() -> None:
    """P1: with backoff, for ever; what was lost leaves no picture that cannot be decoded."""
    port = free_udp_port()
    sink = sink_of(port)
    worker = OutputWorker(Output("o", "srt"), sink, TEMPLATES, queue_limit=3000)
    worker.start()
    frames = iter(FRAMES)
    try:
        with SrtReceiver(port, "listener") as first:
            _play(worker, frames, lambda: len(first.numbers) > 20)
            first.hang_up()
            _play(worker, frames, lambda: worker.status().state == "down" and not first.is_alive())
        assert "trying again" in worker.status().detail
        with SrtReceiver(port, "listener") as second:
            _play(worker, frames, lambda: len(second.numbers) > 20)
            assert second.corrupt == 0
            assert worker.status().state == "up"
    finally:
        worker.close()
        assert worker.join(60)


@pytest.mark.parametrize(
    "url",
    [
        "srt://:9000", "srt://host", "srt://host:0", "srt://host:70000", "srt://host:9?mode=rendezvous", "http://host:9",
        "srt://host:9?passphrase=short", "srt://host:9?latency=-1", "srt://host:9?latency=99999", "srt://host:9/path",
        "srt://host:9?pbkeylen=17", "srt://host:9?latency", "srt://host:9?linger=1", "srt://host:9?latency=1&latency=2",
        "srt://user@host:9", "srt://host:9?streamid=a#b", "srt://ho st:9",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"SRT|mode|latency|pbkeylen|option|streamid"):
        parse_srt_url(url)


def test_the_rest_of_a_passphrase_behind_an_ampersand_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="an & within one is written %26") as refused:
        parse_srt_url("srt://host:9?passphrase=0123456789&my-secret-rest")
    assert "my-secret" not in str(refused.value)


def test_options_are_read_as_they_are_written() -> None:
    address = parse_srt_url(
        "srt://[::1]:9000?latency=250&pbkeylen=32&passphrase=a%2Bb%20c+defgh&streamid=%23!::r=live/x,m=publish"
    )
    assert (address.host, address.port, address.mode, address.latency_ms) == ("::1", 9000, "caller", 250)
    assert (address.passphrase, address.stream_id, address.key_bytes) == ("a+b c+defgh", "#!::r=live/x,m=publish", 32)
    assert parse_srt_url("srt://:9000?mode=listener").host == "0.0.0.0"
