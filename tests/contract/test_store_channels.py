"""Channels: what people decide, and the leader's transitions by rev and term (P2), with claims (P3)."""

import asyncio
from datetime import datetime, timedelta

import pytest

from db.errors import InUse, Missing, NotLeader, PortTaken, StaleRev, StoreError, Taken
from db.models import Channel, PortClaim
from db.repositories.channels import OutputSpec, Position
from db.repositories.leader import Fence
from db.repositories.ports import PortWanted
from db.store import Store

FORMAT = {"width": 1280, "height": 720, "rate": "30000/1001"}
NOBODY = "0" * 32


async def add(store: Store, name: str, now: datetime, **values: object) -> Channel:
    async with store.write() as tx:
        return await tx.channels.add({"name": name, **FORMAT, **values}, [OutputSpec("hls")], now)


async def lead(store: Store, holder: str = "me", *, seize: bool = False) -> Fence:
    async with store.write() as tx:
        leadership = await tx.leader.acquire(holder, "", 60, seize=seize)
    assert leadership is not None
    return leadership.fence


async def node(store: Store, now: datetime) -> str:
    async with store.write() as tx:
        return (await tx.nodes.local("f" * 32, "here", now, alone=False)).id


async def start(store: Store, channel: Channel, fence: Fence, now: datetime, *ports: PortWanted) -> Channel:
    async with store.write() as tx:
        return await tx.channels.transition(
            channel.id, rev=channel.rev, fence=fence, phase="starting", now=now, raise_epoch=True, claims=ports
        )


async def test_numbers_fill_gaps_and_are_taken_once(store: Store, now: datetime) -> None:
    one, three, two = [
        await add(store, name, now, **given)
        for name, given in (("A", {}), ("B", {"number": 3}), ("C", {"number": None}))
    ]
    assert [one.number, two.number, three.number] == [1, 2, 3]
    with pytest.raises(Taken, match="channel number 3 is taken"):
        await add(store, "D", now, number=3)
    many = await asyncio.gather(*(add(store, f"many {n}", now) for n in range(8)))
    assert sorted(channel.number for channel in many) == list(range(4, 12))
    async with store.read() as tx:
        assert [row.number for row in await tx.channels.list(after=3, limit=2)] == [4, 5]


async def test_what_it_names_must_be_there(store: Store, now: datetime) -> None:
    for column, kind in (("project_id", "project"), ("playlist_id", "playlist"), ("wanted_node_id", "node")):
        with pytest.raises(Missing, match=f"no {kind} {NOBODY}"):
            await add(store, "A", now, **{column: NOBODY})
    channel = await add(store, "A", now)
    async with store.write() as tx:
        with pytest.raises(Missing, match="no playlist"):
            await tx.channels.update_spec(channel.id, channel.rev, {"playlist_id": NOBODY})


async def test_outputs_keep_their_order_and_equal_ones_their_id(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        given = [OutputSpec("udp", "udp://239.0.0.1:5000"), OutputSpec("hls")]
        channel = await tx.channels.add({"name": "A", **FORMAT}, given, now)
        udp, hls = await tx.channels.outputs(channel.id)
        await tx.channels.update_spec(channel.id, 1, {}, [OutputSpec("hls"), OutputSpec("hls")])
    async with store.read() as tx:
        outputs = (await tx.channels.all_outputs())[channel.id]
    assert [output.kind for output in outputs] == ["hls", "hls"]
    assert outputs[0].id == hls.id
    assert len({outputs[1].id, hls.id, udp.id}) == 3


async def test_only_people_change_the_spec_and_only_by_the_rev_they_saw(store: Store, now: datetime) -> None:
    channel = await add(store, "A", now)
    async with store.write() as tx:
        changed = await tx.channels.update_spec(channel.id, 1, {"after_last": "loop"})
        assert changed.rev == 2
        assert (await tx.channels.set_desired(channel.id, 2, "on")).desired == "on"
        with pytest.raises(StaleRev):
            await tx.channels.set_desired(channel.id, 2, "off")
        for forbidden in ("epoch", "phase", "rev", "desired", "node_id"):
            with pytest.raises(ValueError, match=forbidden):
                await tx.channels.update_spec(channel.id, 3, {forbidden: 1})


async def test_a_transition_raises_rev_and_with_it_the_epoch(store: Store, now: datetime) -> None:
    channel, fence, node_id, later = (
        await add(store, "A", now),
        await lead(store),
        await node(store, now),
        now + timedelta(1),
    )
    async with store.write() as tx:
        placed = await tx.channels.transition(
            channel.id, rev=1, fence=fence, phase="starting", now=later, node_id=node_id, raise_epoch=True
        )
        assert (placed.rev, placed.epoch, placed.phase, placed.phase_since) == (2, 1, "starting", later)
        running = await tx.channels.transition(channel.id, rev=2, fence=fence, phase="running", now=later)
        assert (running.rev, running.epoch, running.node_id) == (3, 1, node_id)
        off = await tx.channels.transition(channel.id, rev=3, fence=fence, phase="off", now=later, node_id=None)
        assert off.node_id is None
        assert await tx.nodes.placed() == {}
        with pytest.raises(StaleRev):
            await tx.channels.transition(channel.id, rev=3, fence=fence, phase="off", now=later)
        with pytest.raises(Missing):
            await tx.channels.transition(NOBODY, rev=1, fence=fence, phase="off", now=later)


async def test_a_write_of_an_old_term_changes_nothing(store: Store, now: datetime) -> None:
    """P2: whoever lost the lease, knowing it or not, decides nothing more."""
    channel, old = await add(store, "A", now), await lead(store)
    new = await lead(store, "rival", seize=True)
    for fence in (old, Fence("me", new.term), Fence("rival", old.term), Fence("rival", new.term + 1)):
        with pytest.raises(NotLeader):
            await start(store, channel, fence, now)
        async with store.write() as tx:
            with pytest.raises(NotLeader):
                await tx.channels.record_positions(fence, {channel.id: Position("item", 5, now)})
    async with store.read() as tx:
        after = await tx.channels.get(channel.id)
    assert (after.rev, after.epoch, after.phase, after.position_frame) == (1, 0, "off", None)
    assert (await start(store, channel, new, now)).epoch == 1


async def test_an_expired_term_changes_nothing_though_nobody_else_took_it(store: Store, now: datetime) -> None:
    channel, fence = await add(store, "A", now), await lead(store)
    async with store.write() as tx:
        await tx.leader.release(fence)
    with pytest.raises(NotLeader):
        await start(store, channel, fence, now)


async def test_of_many_decisions_on_one_rev_exactly_one_is_made(store: Store, now: datetime) -> None:
    """P2: an epoch is never given twice."""
    channel, fence = await add(store, "A", now), await lead(store)
    results = await asyncio.gather(*(start(store, channel, fence, now) for _ in range(20)), return_exceptions=True)
    (winner,) = [result for result in results if isinstance(result, Channel)]
    assert winner.epoch == 1
    assert all(isinstance(result, StaleRev) for result in results if result is not winner)


async def test_positions_are_kept_without_raising_the_rev(store: Store, now: datetime) -> None:
    channels = [await add(store, name, now) for name in "ABC"]
    fence = await lead(store)
    async with store.write() as tx:
        await tx.channels.record_positions(fence, {})
        await tx.channels.record_positions(
            fence, {row.id: Position(f"item {row.name}", 7, now, "25") for row in channels[:2]}
        )
    async with store.read() as tx:
        rows = await tx.channels.list()
    assert [(row.position_item_id, row.position_frame, row.position_rate, row.rev) for row in rows] == [
        ("item A", 7, "25", 1),
        ("item B", 7, "25", 1),
        (None, None, None, 1),
    ]
    assert rows[0].position_at == now


async def test_a_channel_goes_only_when_it_is_off_and_holds_nothing(store: Store, now: datetime) -> None:
    channel, fence, node_id = await add(store, "A", now), await lead(store), await node(store, now)
    async with store.write() as tx:
        await tx.channels.set_desired(channel.id, 1, "on")
        with pytest.raises(InUse, match="wanted on"):
            await tx.channels.delete(channel.id, 2)
        await tx.channels.set_desired(channel.id, 2, "off")
        stopping = {"fence": fence, "now": now}
        wanted = PortWanted(node_id, "index:1", 1)
        await tx.channels.transition(channel.id, rev=3, phase="stopping", raise_epoch=True, claims=[wanted], **stopping)
        with pytest.raises(InUse, match="phase stopping"):
            await tx.channels.delete(channel.id, 4)
        await tx.channels.transition(channel.id, rev=4, phase="off", **stopping)
        with pytest.raises(InUse, match="index:1"):
            await tx.channels.delete(channel.id, 5)
        await tx.ports.release("channel", channel.id, 1, by="exit", now=now)
        await tx.channels.delete(channel.id, 5)
        assert await tx.channels.all_outputs() == {}
        with pytest.raises(Missing):
            await tx.channels.get(channel.id)


async def test_a_port_that_is_taken_stops_the_start_and_names_its_owner(store: Store, now: datetime) -> None:
    """P3: nothing of the refused start is left, neither its epoch nor its other port."""
    first, second = await add(store, "A", now), await add(store, "B", now)
    fence, node_id = await lead(store), await node(store, now)
    fill, key, spare = (PortWanted(node_id, f"index:{n}", n) for n in (1, 2, 3))
    await start(store, first, fence, now, fill, key)
    with pytest.raises(PortTaken, match=r"^port 2 of node here belongs to channel A since 20\d\d-.+Z$") as caught:
        await start(store, second, fence, now, spare, key)
    assert (caught.value.owner_kind, caught.value.owner_id, caught.value.since) == ("channel", first.id, now)
    async with store.read() as tx:
        after = await tx.channels.get(second.id)
        claims = await tx.ports.list()
    assert (after.rev, after.epoch) == (1, 0)
    assert [(claim.port, claim.owner_id) for claim in claims] == [("index:1", first.id), ("index:2", first.id)]


async def test_a_restart_carries_its_own_claims_over(store: Store, now: datetime) -> None:
    channel, fence, node_id = await add(store, "A", now), await lead(store), await node(store, now)
    port = PortWanted(node_id, "index:1", 1)
    once = await start(store, channel, fence, now, port)
    async with store.write() as tx:
        (claim,) = await tx.ports.mark("channel", channel.id, once.epoch, "active")
        assert claim.state == "active"
    await start(store, once, fence, now, port)
    async with store.write() as tx:
        assert await tx.ports.release("channel", channel.id, 1, by="late exit", now=now) == []
        (claim,) = await tx.ports.list()
        assert (claim.epoch, claim.state) == (2, "reserved")


async def test_an_unknown_claim_still_blocks_until_released_by_name(store: Store, now: datetime) -> None:
    first, second = await add(store, "A", now), await add(store, "B", now)
    fence, node_id = await lead(store), await node(store, now)
    port = PortWanted(node_id, "index:1", 1)
    lost = await start(store, first, fence, now, port)
    async with store.write() as tx:
        await tx.ports.mark("channel", first.id, lost.epoch, "unknown")
    with pytest.raises(PortTaken):
        await start(store, second, fence, now, port)
    async with store.write() as tx:
        (claim,) = await tx.ports.release("channel", first.id, lost.epoch, by="kim", now=now)
    assert (claim.state, claim.released_by) == ("released", "kim")
    await start(store, second, fence, now, port)
    async with store.read() as tx:
        assert [claim.owner_id for claim in await tx.ports.list(node_id=node_id)] == [second.id]
        assert len(await tx.ports.list(live_only=False)) == 2


async def test_a_hundred_double_claims_have_one_winner_each(store: Store, now: datetime) -> None:
    """P3, by the unique index and not by a look before the write."""
    node_id = await node(store, now)

    async def claim(owner: str, port: int) -> PortClaim:
        async with store.write() as tx:
            return await tx.ports.claim(
                PortWanted(node_id, f"index:{port}", port), owner_kind="recorder", owner_id=owner, epoch=1, now=now
            )

    for port in range(100):
        results = await asyncio.gather(claim("a", port), claim("b", port), return_exceptions=True)
        (winner,) = [result for result in results if isinstance(result, PortClaim)]
        (loser,) = [result for result in results if isinstance(result, StoreError)]
        assert isinstance(loser, PortTaken)
        assert loser.owner_id == winner.owner_id
    async with store.read() as tx:
        assert len({claim.port for claim in await tx.ports.list()}) == len(await tx.ports.list()) == 100


async def test_one_statement_tells_what_changed(store: Store, now: datetime) -> None:
    here = await node(store, now)
    async with store.write() as tx:
        played = await tx.playlists.add("played", None, now)
        await tx.playlists.add("not played", None, now)
    channel = await add(store, "A", now, playlist_id=played.id)
    async with store.write() as tx:
        recorder = await tx.recorders.add({"name": "R", "input_kind": "test"}, now)
        before = await tx.changes.revisions()
        await tx.channels.update_spec(channel.id, channel.rev, {"name": "B"})
        await tx.playlists.rename(played.id, played.revision, "renamed")
        await tx.nodes.met(here, "1" * 32)
        await tx.recorders.update(recorder.id, recorder.rev, {"name": "S"})
    async with store.read() as tx:
        after = await tx.changes.revisions()
    assert before == ({channel.id: 1}, {played.id: 1}, {here: 1}, {recorder.id: 1})
    assert after == ({channel.id: 2}, {played.id: 2}, {here: 2}, {recorder.id: 2})
