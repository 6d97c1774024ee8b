"""The watcher dies, sleeps, or loses its store: the watched play on, and nothing is lost or doubled."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path

import msgspec
import pytest

from db.errors import StoreUnavailable
from db.store import Store
from db.transaction import Transaction
from sidecar.protocol.asrun import encode_line, whole_lines
from supervisor.agent.interface import StartOrder
from supervisor.errors import Unavailable
from tests.fixtures.agents import NodeHome, document, until
from tests.fixtures.stations import FOREVER, OLGA, SERVE, station


@contextmanager
def supervisor_process(home: NodeHome) -> Iterator["subprocess.Popen[str]"]:
    """A supervisor in a process of its own, leading; killed with -9 at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(home.path)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip().isdigit():
                break
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


async def test_a_killed_supervisor_finds_its_sidecars_and_touches_nothing(node_home: NodeHome) -> None:
    """P5, P4: the same process and epoch, no frame lost, every record once."""
    async with station(node_home) as here:
        row = await here.channel(FOREVER, FOREVER)
        await here.start(row)
        pid = await here.pid(row.id)
    with supervisor_process(node_home) as other:
        store = Store(f"sqlite:///{node_home.path / 'mcr.db'}")

        async def recorded() -> bool:
            async with store.read() as tx:
                fresh = await tx.channels.get(row.id)
            return fresh.position_frame is not None and fresh.position_frame > 50

        await until(recorded, what="positions")
        await store.close()
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
    async with station(node_home) as here:
        live = await here.on_air(row.id, epoch=1)
        assert await here.pid(row.id) == pid
        assert f"found running as process {pid} and adopted untouched" in live.decision
        await here.take(row.id)
        await here.off(row.id)
        await here.log_is_complete(row.id)
        runs = {event.run_id for event in await here.events_of(row.id)}
        assert len(runs) == 1
        assert [event.title for event in await here.events_of(row.id)] == ["item 0", "item 1"]


async def test_a_channel_comes_back_after_a_power_cut(node_home: NodeHome) -> None:
    """P1, P5: what was wanted on air is put on air again, where it was, without anybody's help."""
    async with station(node_home) as here:
        row = await here.channel(FOREVER, FOREVER)
        await here.start(row)
        await here.take(row.id)

        async def recorded() -> bool:
            fresh = await here.row(row.id)
            return fresh.position_item_id == (await here.items(row))[1] and (fresh.position_frame or 0) > 25

        await until(recorded, what="position")
    for pid in node_home.processes():
        os.kill(pid, signal.SIGKILL)
    async with station(node_home) as here:
        live = await here.on_air(row.id, epoch=2)
        assert live.item is not None
        assert live.item.title == "item 1"
        assert live.item.position_frames >= 25
        await here.log_is_complete(row.id)


async def test_a_channel_that_was_stopped_stays_off(node_home: NodeHome) -> None:
    async with station(node_home) as here:
        row = await here.channel(FOREVER)
        await here.start(row)
        await here.off(row.id)
    async with station(node_home) as here:
        await until(lambda: here.live(row.id).decision == "off, as wanted", what="a pass")
        assert not node_home.processes()


async def test_a_supervisor_that_slept_fails_nothing_over(node_home: NodeHome) -> None:
    """P6: frozen for longer than three misses and its own lease, it leaves the sidecars alone when it wakes."""
    async with station(node_home) as here:
        row = await here.channel(FOREVER)
        await here.start(row)
        pid = await here.pid(row.id)
    with supervisor_process(node_home) as other:
        os.kill(other.pid, signal.SIGSTOP)
        await asyncio.sleep(6.0)  # the fault itself
        os.kill(other.pid, signal.SIGCONT)
        store = Store(f"sqlite:///{node_home.path / 'mcr.db'}")
        frames: set[int | None] = set()

        async def beats() -> bool:
            async with store.read() as tx:
                fresh = await tx.channels.get(row.id)
            assert fresh.epoch == 1
            frames.add(fresh.position_frame)
            return len(frames) > 6

        await until(beats, timeout=40.0, what="more heartbeats recorded than misses it would take")
        await store.close()
    async with station(node_home) as here:
        await here.on_air(row.id, epoch=1)
        assert await here.pid(row.id) == pid


class BreakableStore(Store):
    """The real store, until a test takes it away."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.away = False

    def _checked(self) -> None:
        if self.away:
            raise StoreUnavailable("a test took it away")

    def read(self, *, timeout: float | None = None) -> AbstractAsyncContextManager[Transaction]:
        return self._through(super().read(timeout=timeout))

    def write(self, *, timeout: float | None = None) -> AbstractAsyncContextManager[Transaction]:
        return self._through(super().write(timeout=timeout))

    @asynccontextmanager
    async def _through(self, real: AbstractAsyncContextManager[Transaction]) -> AsyncIterator[Transaction]:
        self._checked()
        async with real as tx:
            yield tx


@pytest.fixture
async def breakable(node_home: NodeHome) -> AsyncIterator[BreakableStore]:
    store = BreakableStore(f"sqlite:///{node_home.path / 'mcr.db'}")
    yield store
    await store.close()


async def test_a_lost_store_touches_no_air_and_is_told(node_home: NodeHome, breakable: BreakableStore) -> None:
    """P6, P4: playout goes on, takes are answered, an alarm says so, nothing restarts; the log catches up."""
    async with station(node_home, breakable) as here:
        row = await here.channel(FOREVER, FOREVER, FOREVER)
        await here.start(row)
        pid = await here.pid(row.id)
        published: list[str] = []
        subscription = here.events.subscribe()

        async def listen() -> None:
            async for event in subscription:
                published.extend([event.data] if event.name == "alarm" else [])

        listener = asyncio.create_task(listen())
        breakable.away = True
        assert (await here.take(row.id)).done == "on air: item 1"
        await until(lambda: any("store_unavailable" in data for data in published), what="alarm without a store")
        await until(lambda: not here.supervision.standing().leader, 15.0, "the lease is not trusted any more")
        with pytest.raises(Unavailable):
            await here.commands.stop(row.id, OLGA)
        assert (await here.take(row.id)).done == "on air: item 2"
        assert here.live(row.id).observed == "on_air"
        assert "watches only" in here.live(row.id).decision
        breakable.away = False
        await until(lambda: here.supervision.standing().leader, what="leads again")
        await here.on_air(row.id, epoch=1)
        assert await here.pid(row.id) == pid

        async def history() -> bool:
            open_ = await here.alarms()
            return "store_unavailable" not in open_ and "store_unavailable" in await here.alarms(open_only=False)

        await until(history, what="the alarm in the history, cleared")
        await here.off(row.id)
        await here.log_is_complete(row.id)

        async def told() -> bool:
            events = [(event.title, event.status, event.end_cause) for event in await here.events_of(row.id)]
            return events == [("item 0", "cut", "take"), ("item 1", "cut", "take"), ("item 2", "cut", "stop")]

        await until(told, what="three events, each with its own end")
        listener.cancel()


async def test_a_second_supervisor_takes_over_and_the_first_lets_go(node_home: NodeHome) -> None:
    """P2: a write of an older term changes nothing; the older one reads again instead of deciding."""
    async with station(node_home) as old:
        row = await old.channel(FOREVER)
        await old.start(row)
        first = old.supervision.standing().term
        async with old.store.write() as tx:
            taken = await tx.leader.acquire("somebody else", "unix:there", 5.0, seize=True)
        assert taken is not None
        await until(lambda: not old.supervision.standing().leader, what="lets go")
        with pytest.raises(Unavailable, match="another supervisor leads"):
            await old.commands.stop(row.id, OLGA)
        await until(lambda: old.supervision.standing().leader, 15.0, "leads again when the other is gone")
        assert old.supervision.standing().term > first + 1
        await old.on_air(row.id, epoch=1)


async def test_a_sidecar_nobody_knows_is_told_and_left_alone(node_home: NodeHome) -> None:
    """A restored store must not end what it has forgotten."""
    stranger = "d" * 32
    async with node_home.agent() as agent:
        pid = await agent.start(StartOrder(stranger, 1, 1, document(stranger, "news")))
    async with station(node_home) as here:

        async def told() -> bool:
            return stranger in (await here.alarms()).get("unknown_sidecar", "")

        await until(told, what="alarm")
        assert pid in node_home.processes()


async def test_a_store_behind_its_node_is_brought_above_it(node_home: NodeHome) -> None:
    """P2: after a restore the node's higher epoch wins; nothing is started below it."""
    async with station(node_home) as here:
        row = await here.channel(FOREVER)
        (node_home.path / "agent" / "epochs" / row.id).write_text("41\n")
        live = await here.start(row)
        assert live.epoch == 42


async def test_a_changed_journal_is_noticed(node_home: NodeHome) -> None:
    """P4: the log is chained; a record that does not follow is told, and kept as the journal has it."""

    async with station(node_home) as here:
        row = await here.channel(FOREVER, FOREVER)
        await here.start(row)
    for pid in node_home.processes():
        os.kill(pid, signal.SIGKILL)
    (segment,) = (node_home.path / "journal" / row.id).glob("*/*.jsonl")
    lines = [record for _, record in whole_lines(segment.read_bytes())]
    lines[1] = msgspec.structs.replace(lines[1], by="nobody")
    (node_home.path / "mcr.db").unlink()
    for side in ("mcr.db-wal", "mcr.db-shm"):
        (node_home.path / side).unlink(missing_ok=True)
    segment.write_bytes(b"".join(map(encode_line, lines)))
    async with station(node_home) as here:

        async def told() -> bool:
            return "record 3 does not follow" in (await here.alarms()).get("asrun_chain_broken", "")

        await until(told, what="alarm")
        await here.log_is_complete(row.id)
