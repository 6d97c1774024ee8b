"""Leases on the real process, as a receiver sees them (P2)."""

import signal
import socket
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from sidecar.clips.make import make_clip
from sidecar.clips.specification import ClipSpecification
from sidecar.protocol.channel import Encoding, Item, Output, SidecarDocument
from sidecar.protocol.status import OutputStatus, Status
from tests.fixtures.air import wait_until
from tests.fixtures.sidecars import PROGRAMME, RunningSidecar, document, sidecar
from tests.instruments.rtmp_listener import RtmpListener
from tests.instruments.udp_receiver import UdpReceiver

GRACE_S = 0.5
"""What left before a process was stopped may arrive until then."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Item:
    made = make_clip(ClipSpecification(1, "One", 320, 180, Fraction(25), 500), tmp_path_factory.mktemp("clip"))
    return Item(id="1" * 32, title="One", path=str(made))


@pytest.fixture
def receiver() -> Iterator[UdpReceiver]:
    with UdpReceiver() as one:
        yield one


def channel(clip: Item, *outputs: Output, leased: bool = True) -> SidecarDocument:
    what = document((clip,), leased=leased, encoding=Encoding(gop_ms=400))
    return msgspec.structs.replace(what, outputs=(PROGRAMME, *outputs))


def renew(running: RunningSidecar) -> None:
    running.do("lease", nonce=running.status().nonce, ttl_ms=1_000, by=None)


def output(status: Status, which: str) -> OutputStatus:
    return next(one for one in status.outputs if one.id == which)


@pytest.mark.realtime
def test_a_sidecar_that_was_stopped_for_longer_than_its_lease_sends_no_datagram_more(
    clip: Item, receiver: UdpReceiver, tmp_path: Path
) -> None:
    """P2, I7, I9, F3: on waking it looks at its lease first; HLS, which needs none, plays on; a renewal revives it."""
    datagrams = receiver.reception.datagrams
    what = channel(clip, Output("udp", "udp", receiver.url, lease_stop=True))
    with sidecar(what, tmp_path) as running:
        running.arm()
        wait_until(lambda: len(datagrams) > 20, 5, "datagrams")
        left = running.status().lease_left_ms
        assert left is not None
        running.process.send_signal(signal.SIGSTOP)
        stopped_at = time.monotonic()
        time.sleep(left / 1000 + 0.1)
        sent = len(datagrams)
        assert receiver.reception.arrivals[-1] < stopped_at + GRACE_S
        running.process.send_signal(signal.SIGCONT)
        status = running.until(lambda s: output(s, "udp").state == "stopped", "the output stops")
        assert (status.leased, status.lease_left_ms) == (True, 0)
        assert output(status, "udp").detail == "the lease has run out"
        on = running.until(lambda s: s.frame > status.frame + 20, "the channel plays on")
        assert output(on, PROGRAMME.id).frames_sent > output(status, PROGRAMME.id).frames_sent
        assert len(datagrams) == sent
        renew(running)
        wait_until(lambda: len(datagrams) > sent + 20, 5, "datagrams under the renewed lease")
        renewed_until = time.monotonic() + 1.0
        running.until(lambda s: output(s, "udp").state == "stopped", "the renewed lease ends")
        assert receiver.reception.arrivals[-1] < renewed_until


@pytest.mark.realtime
def test_an_rtmp_session_outlives_its_lease_and_is_not_opened_again_without_one(clip: Item, tmp_path: Path) -> None:
    """P2, I7, F8: the receiver decides between two sessions; an old epoch that lost its own stays away."""
    with RtmpListener() as first, sidecar(channel(clip, Output("rtmp", "rtmp", first.url)), tmp_path) as running:
        running.arm()
        wait_until(lambda: bool(first.sessions and first.sessions[0].frames), 5, "frames over RTMP")
        running.until(lambda s: s.lease_left_ms == 0, "the lease ends")
        received = len(first.sessions[0].frames)
        wait_until(lambda: len(first.sessions[0].frames) > received + 25, 5, "a second of the session")
        assert output(running.status(), "rtmp").fencing == "session"
        first.send_signal(signal.SIGKILL)
        waits = "waits for a lease before it connects"
        status = running.until(lambda s: output(s, "rtmp").detail == waits, "the session's loss")
        assert output(status, "rtmp").state == "down"
        with RtmpListener(first.port) as second:
            running.until(lambda s: s.frame > status.frame + 30, "over a second without a lease")
            assert second.sessions == []
            renew(running)
            wait_until(lambda: bool(second.sessions and second.sessions[0].frames), 5, "a session under a lease")
            assert "secret-key" not in running.log


@pytest.mark.realtime
def test_a_channel_that_is_not_leased_is_never_stopped(clip: Item, receiver: UdpReceiver, tmp_path: Path) -> None:
    """P5: a channel that cannot be moved plays on, whoever is away."""
    what = channel(clip, Output("udp", "udp", receiver.url, lease_stop=True), leased=False)
    with sidecar(what, tmp_path) as running:
        running.arm()
        status = running.until(lambda s: s.lease_left_ms == 0, "the arm's lease ends")
        sent = len(receiver.reception.datagrams)
        later = running.until(lambda s: s.frame > status.frame + 25, "a second of air")
        assert len(receiver.reception.datagrams) > sent + 20
        assert (output(later, "udp").state, later.leased) == ("up", False)
        assert output(later, "udp").fencing == "lease_stop"


def test_a_muted_sidecar_emits_nothing(clip: Item, receiver: UdpReceiver, tmp_path: Path) -> None:
    """P2: neither a datagram, nor a connection, nor a file, also with a live lease."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        url = f"rtmp://127.0.0.1:{listener.getsockname()[1]}/live/key"
        what = channel(clip, Output("udp", "udp", receiver.url, lease_stop=True), Output("rtmp", "rtmp", url))
        with sidecar(what, tmp_path) as running:
            running.until(lambda s: s.next is not None and s.next.ready, "the first item decoded")
            renew(running)
            until = time.monotonic() + 0.5
            running.until(lambda _: time.monotonic() > until, "half a second under a lease")
            assert {one.state for one in running.status().outputs} == {"starting"}
            assert receiver.reception.datagrams == []
            with pytest.raises(BlockingIOError):
                listener.accept()
            assert not running.live.exists()
