"""Nonces, the lease, and what is answered when the playout does not (P2)."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.control import commands as commands_module
from sidecar.control.answers import Refuse
from sidecar.control.application import application
from sidecar.control.commands import Commands
from sidecar.control.nonces import GOOD_FOR_S, Lease, Nonces
from sidecar.control.reads import Identity, Reads
from sidecar.engine.playout import Applied, CommandQueueFull, Playout
from sidecar.journal import Journal
from sidecar.protocol.channel import ChannelFormat, Playlist, SidecarDocument
from sidecar.protocol.commands import RefusalCode

TOKEN = "t" * 32


class Monotonic:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class TestNonces:
    def test_a_nonce_is_good_for_six_seconds_and_once(self) -> None:
        clock = Monotonic()
        nonces = Nonces(clock)
        old, spent, fresh = nonces.issue(), nonces.issue(), nonces.issue()
        assert nonces.redeem(spent) == 1000.0
        assert nonces.redeem(spent) is None
        clock.now += GOOD_FOR_S - 0.001
        assert nonces.redeem(fresh) == 1000.0
        clock.now += 0.001
        assert nonces.redeem(old) is None
        assert nonces.redeem("0" * 32) is None

    def test_a_thousand_readers_crowd_out_only_the_oldest(self) -> None:
        nonces = Nonces(Monotonic())
        issued = [nonces.issue() for _ in range(5000)]
        assert nonces.redeem(issued[-1]) is not None
        assert nonces.redeem(issued[-1000]) is not None
        assert nonces.redeem(issued[0]) is None


class TestLease:
    def test_a_late_order_gives_no_more_time_than_its_nonce_allows(self) -> None:
        clock = Monotonic()
        lease = Lease(clock)
        assert lease.left_s() == 0
        assert lease.left_ms() is None
        issued = clock.now
        clock.now += 4
        lease.extend(issued, 6)
        assert lease.left_ms() == 2000
        clock.now += 1.999
        assert 0 < lease.left_s() < 0.002
        clock.now += 0.001
        assert lease.left_s() == 0
        assert lease.left_ms() == 0

    def test_an_extension_never_shortens(self) -> None:
        clock = Monotonic()
        lease = Lease(clock)
        lease.extend(clock.now, 10)
        lease.extend(clock.now, 2)
        assert lease.left_ms() == 10_000

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["ask", "grant", "wait"]),
                st.integers(0, 20),
                st.integers(1_000, 60_000),
                st.floats(0, 20, allow_nan=False),
            ),
            max_size=40,
        )
    )
    def test_it_never_outlives_the_nonce_it_was_given_for(self, steps: list[tuple[str, int, int, float]]) -> None:
        """I8 and I9: whatever is delayed, repeated or out of order, and a dead lease lives again by a renewal alone."""
        clock = Monotonic()
        nonces, lease = Nonces(clock), Lease(clock)
        asked: list[tuple[str, float]] = []
        promised = [0.0]
        for what, which, ttl_ms, seconds in steps:
            if what == "ask":
                asked.append((nonces.issue(), clock.now))
            elif what == "wait":
                clock.now += seconds
            elif asked:
                nonce, issue = asked[which % len(asked)]
                issued = nonces.redeem(nonce)
                assert issued in (None, issue)
                if issued is not None:
                    lease.extend(issued, ttl_ms / 1000)
                    promised.append(issue + ttl_ms / 1000)
            assert lease.left_s() == pytest.approx(max(0.0, max(promised) - clock.now), abs=1e-6)


@pytest.fixture
def silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Playout]:
    """A playout whose thread was never started: it takes commands and does none."""
    monkeypatch.setattr(commands_module, "COMMAND_S", 0.05)
    what = SidecarDocument("c" * 32, "Silent", ChannelFormat(320, 180, "25"), (), Playlist(1))
    journal = Journal(tmp_path / "journal", "c" * 32, "1" * 32, 1, "25")
    playout = Playout(what, epoch=1, journal=journal, media_root=tmp_path / "media")
    yield playout
    playout.stop("test", 1)


def client(playout: Playout, tmp_path: Path, clock: Monotonic | None = None) -> httpx.AsyncClient:
    clock = clock or Monotonic()
    lease, nonces = Lease(clock), Nonces(clock)
    journal = Journal(tmp_path / "journal", "c" * 32, "1" * 32, 1, "25")
    reads = Reads(Identity("c" * 32, 1, "25", 1), playout, journal, lease, nonces)
    commands = Commands(1, playout, lease, nonces, lambda _by: None, reads.now)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(application(reads, commands, TOKEN)),
        base_url="http://sidecar",
        headers={"Authorization": f"Bearer {TOKEN}"},
    )


HOLD: dict[str, Any] = {"command_id": "12345678", "epoch": 1, "by": "ada"}


async def test_a_command_the_playout_never_took_is_busy_and_may_be_repeated(silent: Playout, tmp_path: Path) -> None:
    async with client(silent, tmp_path) as door:
        first = await door.post("/hold", json=HOLD)
        assert (first.status_code, first.json()["code"], first.headers["retry-after"]) == (503, "busy", "1")
        give_at_once(silent, lambda future: future.set_result(Applied("holds", None, 1.0, None)))
        again = await door.post("/hold", json=HOLD)
        assert (again.status_code, again.json()["done"]) == (200, "holds")


async def test_a_command_that_was_taken_and_not_shown_is_a_failure_and_not_done_again(
    silent: Playout, tmp_path: Path
) -> None:
    async with client(silent, tmp_path) as door:
        give_at_once(silent, lambda future: None)
        first = await door.post("/hold", json=HOLD)
        assert (first.status_code, first.json()["code"]) == (502, "engine_failed")
        give_at_once(silent, lambda future: future.set_result(Applied("holds", None, 1.0, None)))
        again = await door.post("/hold", json=HOLD)
        assert again.content == first.content


async def test_every_answer_tells_the_status_as_it_is(silent: Playout, tmp_path: Path) -> None:
    """P8: who commands has not to ask what came of it; a repeated command too, whose answer else is the first one."""
    async with client(silent, tmp_path) as door:
        give_at_once(silent, lambda future: future.set_result(Applied("holds", None, 1.0, None)))
        first = (await door.post("/hold", json=HOLD)).json()
        again = (await door.post("/hold", json=HOLD)).json()
        now = (await door.get("/status")).json()
    of_first, of_again = first.pop("status"), again.pop("status")
    assert first == again
    assert len({of_first["nonce"], of_again["nonce"], now["nonce"]}) == 3, "each is good for an order of its own"
    apart = {"nonce", "at", "journal"}
    assert {key: value for key, value in of_first.items() if key not in apart} == {
        key: value for key, value in now.items() if key not in apart
    }


async def test_a_full_queue_is_busy(silent: Playout, tmp_path: Path) -> None:
    with suppress(CommandQueueFull):
        while True:
            silent.command(lambda rundown: rundown.hold(""))
    async with client(silent, tmp_path) as door:
        answer = await door.post("/hold", json=HOLD)
        assert (answer.status_code, answer.json()["code"]) == (503, "busy")


async def arm(door: httpx.AsyncClient, command_id: str) -> httpx.Response:
    nonce = (await door.get("/status")).json()["nonce"]
    return await door.post("/arm", json={"command_id": command_id, "epoch": 1, "by": "ada", "nonce": nonce})


async def test_an_arm_that_was_refused_is_not_taken_for_done(silent: Playout, tmp_path: Path) -> None:
    """P1: a muted sidecar that says it is on air would be left dark."""
    waiting: list[Future[Applied]] = []
    with suppress(CommandQueueFull):
        while True:
            waiting.append(silent.command(lambda rundown: rundown.hold("")))
    async with client(silent, tmp_path) as door:
        for attempt in range(2):
            answer = await arm(door, f"full{attempt:08}")
            assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert silent.arming is None


async def test_an_arm_that_was_queued_is_never_reported_as_nothing_done(silent: Playout, tmp_path: Path) -> None:
    """P2: the channel will enter the air, so nobody may believe that it will not."""
    async with client(silent, tmp_path) as door:
        for attempt in range(2):
            answer = await arm(door, f"late{attempt:08}")
            assert (answer.status_code, answer.json()["code"]) == (502, "engine_failed")
    assert silent.arming is not None
    assert not silent.arming.cancelled()


async def test_a_late_arm_is_refused(silent: Playout, tmp_path: Path) -> None:
    """P2: the order of a leader that others have followed, held up under way, puts nobody on the air."""
    clock = Monotonic()

    async def delayed(body: dict[str, Any]) -> AsyncIterator[bytes]:
        yield json.dumps(body)[:20].encode()
        clock.now += GOOD_FOR_S
        yield json.dumps(body)[20:].encode()

    async with client(silent, tmp_path, clock) as door:
        nonce = (await door.get("/status")).json()["nonce"]
        order = {"command_id": "late0000", "epoch": 1, "by": "ada", "nonce": nonce}
        answer = await door.post("/arm", content=delayed(order))
        assert (answer.status_code, answer.json()["code"]) == (409, "stale_nonce")
        assert (await door.get("/status")).json()["lease_left_ms"] is None
    assert silent.arming is None


async def test_a_playout_that_stops_meanwhile_says_so(silent: Playout, tmp_path: Path) -> None:
    async with client(silent, tmp_path) as door:
        give_at_once(silent, lambda future: future.cancel(), running=False)
        answer = await door.post("/hold", json=HOLD)
        assert (answer.status_code, answer.json()["code"]) == (409, "not_armed")


def give_at_once(playout: Playout, settle: Callable[["Future[Applied]"], object], *, running: bool = True) -> None:
    """Every command from now on is taken, and its future settled (or not) on the spot."""

    def command(_act: object) -> "Future[Applied]":
        future: Future[Applied] = Future()
        if running:
            future.set_running_or_notify_cancel()
        settle(future)
        return future

    playout.command = command  # type: ignore[method-assign] - a thread that hangs cannot be had on demand


async def test_a_card_neither_comes_nor_changes_on_air(silent: Playout, tmp_path: Path) -> None:
    card: dict[str, Any] = {"id": "card", "kind": "decklink", "url": "decklink://1"}
    body: dict[str, Any] = {"command_id": "12345678", "epoch": 1, "outputs": [card]}
    async with client(silent, tmp_path) as door:
        refused = await door.put("/outputs", json=body)
    assert refused.status_code == 422
    assert "cards are claimed at a channel's start" in refused.text
    assert silent.outputs == ()


def test_every_refusal_has_its_words_and_its_status() -> None:
    """One without would be told as a defect of the sidecar."""
    codes: tuple[RefusalCode, ...] = get_args(RefusalCode)
    refusals = [Refuse(code, "why").refusal for code in codes]
    assert all(refusal.title and 400 <= refusal.status < 600 for refusal in refusals)
