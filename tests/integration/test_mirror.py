"""What a leader writes to the store is told to the readers of a follower, once, and to nobody by one that leads."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from db.repositories.as_run import AsRunEventRow, AsRunRow, RunKey
from db.repositories.channels import OutputSpec
from db.store import Store
from supervisor.api.nodes_seen import read_nodes
from supervisor.clock import SystemClock
from supervisor.events import Events, Subscription
from supervisor.live import LiveBoard, NodeSeen
from supervisor.mirror import Mirror
from supervisor.schemas.event import PAYLOADS, ChannelDeleted, NodeDeleted, PlaylistChanged
from tests.fixtures.running import Json

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SPEC = {"width": 320, "height": 180, "rate": "25", "after_last": "filler"}


@dataclass
class Follower:
    """A supervisor that follows, as far as its readers can tell: a mirror over a store that another writes to."""

    store: Store
    leads: bool = False
    events: Events = field(default_factory=Events)
    seen: NodeSeen = field(default_factory=lambda: NodeSeen("answers", 0.1, 0.0, None))
    reader: Subscription | None = None

    def __post_init__(self) -> None:
        clock = SystemClock()
        supervision: Json = SimpleNamespace(node_seen=lambda _: self.seen)
        self.mirror = Mirror(
            self.store,
            self.events,
            clock,
            leads=lambda: self.leads,
            live=LiveBoard(self.events, clock, lambda _: 0).get,
            read_nodes=lambda tx: read_nodes(tx, supervision, clock.now()),
        )

    async def look(self) -> list[Json]:
        """What a reader hears of one look. Each is what its schema says."""
        subscription = self.events.subscribe()
        await self.mirror.look()
        subscription.close()
        return [PAYLOADS[event.name].model_validate_json(event.data) async for event in subscription]


@pytest.fixture
async def follower(tmp_path: Path) -> AsyncGenerator[Follower]:
    store = Store(str(tmp_path / "mcr.db"))
    await store.migrate()
    yield Follower(store)
    await store.close()


def run(seq: int, title: str, at: datetime, *, ended: bool) -> AsRunEventRow:
    return AsRunEventRow(
        seq, "item", title, at, seq * 100, "25", "follow", "aired" if ended else "on air",
        end_at=at + timedelta(seconds=4) if ended else None, frames=100 if ended else None,
    )  # fmt: skip


async def test_channels_nodes_alarms_and_lists_are_told_when_they_change_and_not_again(follower: Follower) -> None:
    store = follower.store
    async with store.write() as tx:
        local = await tx.nodes.local("1" * 32, "here", NOW, alone=True)
        playlist = await tx.playlists.add("Day", None, NOW)
        old = await tx.channels.add({**SPEC, "name": "Old"}, [OutputSpec("hls")], NOW)
    await follower.mirror.look()
    async with store.write() as tx:
        made = await tx.channels.add(
            {**SPEC, "name": "One", "playlist_id": playlist.id}, [OutputSpec("udp", "udp://10.0.0.1:5000", True)], NOW
        )
        held = await tx.channels.set_hold_failover(old.id, old.rev, True, "root")
        await tx.nodes.update(local.id, local.rev, {"draining": True})
        added = await tx.nodes.add(name="node-b", kind="agent", url="http://h:1", now=NOW)
        alarm, _ = await tx.alarms.raise_once("channel_dark", made.id, None, "critical", "dark", NOW)
        await tx.playlists.rename(playlist.id, playlist.revision, "Night")
    told = await follower.look()
    channels = {it.id: it for it in told if type(it).__name__ == "Channel"}
    assert (channels[made.id].outputs[0].url, channels[made.id].outputs[0].lease_stop) == ("udp://10.0.0.1:5000", True)
    assert (channels[old.id].hold_failover_by, channels[old.id].rev) == ("root", held.rev)
    nodes = {it.name: it for it in told if type(it).__name__ == "Node"}
    assert (nodes["here"].draining, nodes["node-b"].url) == (True, "http://h:1")
    assert [it.text for it in told if type(it).__name__ == "Alarm"] == ["dark"]
    assert PlaylistChanged(playlist_id=playlist.id, revision=playlist.revision + 1, channel_ids=(made.id,)) in told
    assert await follower.look() == []
    async with store.write() as tx:
        await tx.alarms.acknowledge(alarm.id, "olga", NOW)
    (seen,) = await follower.look()
    assert seen.acknowledged_by == "olga"
    async with store.write() as tx:
        await tx.alarms.clear("channel_dark", made.id, None, NOW)
        await tx.channels.delete(old.id, held.rev)
        await tx.nodes.delete(added.id, added.rev)
    told = await follower.look()
    assert ChannelDeleted(channel_id=old.id) in told
    assert NodeDeleted(node_id=added.id) in told
    assert [it.cleared_at for it in told if type(it).__name__ == "Alarm"] == [NOW]
    assert len(told) == 3
    assert await follower.look() == []


async def test_what_aired_is_told_at_its_start_and_at_its_end(follower: Follower) -> None:
    """P4: an item that began before the newest page of the log is told its end all the same."""
    store = follower.store
    async with store.write() as tx:
        long = await tx.channels.add({**SPEC, "name": "Long"}, [OutputSpec("hls")], NOW)
        busy = await tx.channels.add({**SPEC, "name": "Busy"}, [OutputSpec("hls")], NOW)
        leader = await tx.leader.acquire("another", "unix:/another", 60.0)
    assert leader is not None
    fence = leader.fence
    await follower.mirror.look()
    key = RunKey(long.id, "a" * 32)

    def record(seq: int) -> AsRunRow:
        return AsRunRow(seq, "item", 0, NOW, f"line {seq}")

    async with store.write() as tx:
        await tx.as_run.append(fence, key, "1" * 32, 1, [record(1)], [run(1, "film", NOW, ended=False)])
    (begun,) = await follower.look()
    assert (begun.title, begun.status) == ("film", "on air")
    async with store.write() as tx:
        many = [run(seq, f"spot {seq}", NOW + timedelta(seconds=5 * seq), ended=True) for seq in range(1, 251)]
        rows = [record(seq) for seq in range(1, 251)]
        await tx.as_run.append(fence, RunKey(busy.id, "b" * 32), "1" * 32, 1, rows, many)
    told = await follower.look()
    assert [it.title for it in told] == [f"spot {seq}" for seq in range(51, 251)]
    async with store.write() as tx:
        await tx.as_run.append(fence, key, "1" * 32, 1, [record(2)], [run(1, "film", NOW, ended=True)])
    (ended,) = await follower.look()
    assert (ended.title, ended.status, ended.frames) == ("film", "aired", 100)
    assert await follower.look() == []


async def test_one_that_leads_tells_nothing_and_what_it_told_is_not_told_again(follower: Follower) -> None:
    """Whoever leads publishes itself; when it loses the lead only what it did not tell is told."""
    store = follower.store
    async with store.write() as tx:
        row = await tx.channels.add({**SPEC, "name": "One"}, [OutputSpec("hls")], NOW)
    follower.leads = True
    await follower.mirror.look()
    async with store.write() as tx:
        row = await tx.channels.set_hold_failover(row.id, row.rev, True, "root")
    assert await follower.look() == []
    follower.leads = False
    (told,) = await follower.look()
    assert (told.id, told.rev) == (row.id, row.rev)
    follower.leads = True
    async with store.write() as tx:
        row = await tx.channels.set_hold_failover(row.id, row.rev, False, "root")
    follower.events.publish("channel", told.model_copy(update={"rev": row.rev}))
    follower.leads = False
    assert await follower.look() == []


async def test_how_a_node_is_seen_is_news_and_its_age_is_not(follower: Follower) -> None:
    async with follower.store.write() as tx:
        await tx.nodes.local("1" * 32, "here", NOW, alone=True)
    await follower.mirror.look()
    follower.seen = NodeSeen("answers", 0.9, 0.1, None)
    assert await follower.look() == []
    follower.seen = NodeSeen("away", 5.0, 0.1, None, "no answer within 2 s")
    (node,) = await follower.look()
    assert (node.state, node.fault) == ("away", "no answer within 2 s")


async def test_a_reader_that_was_there_before_the_first_look_is_told_all(follower: Follower) -> None:
    async with follower.store.write() as tx:
        await tx.channels.add({**SPEC, "name": "One"}, [OutputSpec("hls")], NOW)
    assert [it.name for it in await follower.look()] == ["One"]
