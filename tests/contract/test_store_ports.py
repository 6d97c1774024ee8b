"""Claims on ports by channels and recorders alike: one owner each, who is named to whom is refused (P3)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest

from db.errors import Missing, PortTaken, StaleRev
from db.models import Channel, PortClaim, Recorder
from db.repositories.leader import Fence
from db.repositories.ports import PortWanted
from db.store import Store

FORMAT = {"width": 1280, "height": 720, "rate": "25"}
INPUT = {"input_kind": "decklink", "device_index": 1}


async def lead(store: Store) -> Fence:
    async with store.write() as tx:
        leadership = await tx.leader.acquire("me", "", 60)
    assert leadership is not None
    return leadership.fence


async def node(store: Store, now: datetime, name: str = "mcr-a") -> str:
    async with store.write() as tx:
        return (await tx.nodes.add(name=name, kind="agent", now=now)).id


async def channel(store: Store, name: str, now: datetime) -> Channel:
    async with store.write() as tx:
        return await tx.channels.add({"name": name, **FORMAT}, [], now)


async def recorder(store: Store, name: str, now: datetime) -> Recorder:
    async with store.write() as tx:
        return await tx.recorders.add({"name": name, **INPUT}, now)


async def claims(store: Store, *, live_only: bool = True) -> list[PortClaim]:
    async with store.read() as tx:
        return list(await tx.ports.list(live_only=live_only))


async def test_a_recorder_and_a_channel_never_share_a_port_though_both_checked_before_either_wrote(
    store: Store, now: datetime
) -> None:
    """P3, I19, F28: both look, both see a free port, both write. One has it, the other is told who."""
    fence, node_id = await lead(store), await node(store, now)
    news, ingest = await channel(store, "NEWS", now), await recorder(store, "INGEST", now)
    names = {"channel": "NEWS", "recorder": "INGEST"}
    wins = dict.fromkeys(names, 0)

    async def race(number: int, both_looked: asyncio.Barrier, by: str, operators: bool) -> str:
        wanted = PortWanted(node_id, f"index:{number}", number)
        async with store.read() as tx:
            assert not [it for it in await tx.ports.list(node_id=node_id) if it.device_index == number]
        await both_looked.wait()
        async with store.write() as tx:
            nouns, owner = (tx.channels, news) if by == "channel" else (tx.recorders, ingest)
            row = await nouns.get(owner.id)
            if operators:
                await nouns.set_desired(row.id, row.rev, "on", [wanted], now)
            else:
                await nouns.transition(
                    row.id, rev=row.rev, fence=fence, phase="starting", now=now, raise_epoch=True, claims=[wanted]
                )
        return by

    for number in range(1, 61):
        both_looked = asyncio.Barrier(2)
        order = ("channel", "recorder") if number % 2 else ("recorder", "channel")
        results = await asyncio.gather(
            *(race(number, both_looked, by, operators=number % 3 == 0) for by in order), return_exceptions=True
        )
        (winner,) = [result for result in results if isinstance(result, str)]
        (loser,) = [result for result in results if not isinstance(result, str)]
        assert isinstance(loser, PortTaken), loser
        assert (loser.owner_kind, loser.owner_name) == (winner, names[winner])
        assert f"port {number} of node mcr-a belongs to {winner} {names[winner]} since " in str(loser)
        wins[winner] += 1
    held = await claims(store)
    assert len(held) == len({claim.port for claim in held}) == 60
    assert min(wins.values()) > 0, "both sides must have won some, or this was no race"


async def test_many_on_one_port_at_once_have_one_winner(store: Store, now: datetime) -> None:
    """P3: however many ask, channels and recorders, by the very same instant."""
    fence, node_id = await lead(store), await node(store, now)
    wanted = [PortWanted(node_id, "index:1", 1), PortWanted(node_id, "index:2", 2)]
    channels = [await channel(store, f"C{number}", now) for number in range(6)]
    recorders = [await recorder(store, f"R{number}", now) for number in range(6)]

    async def start(row: Channel | Recorder, reverse: bool) -> str:
        async with store.write() as tx:
            nouns = tx.channels if isinstance(row, Channel) else tx.recorders
            await nouns.transition(
                row.id, rev=1, fence=fence, phase="starting", now=now, raise_epoch=True,
                claims=wanted[::-1] if reverse else wanted,
            )  # fmt: skip
        return row.name

    results = await asyncio.gather(
        *(start(row, number % 2 == 0) for number, row in enumerate([*channels, *recorders])), return_exceptions=True
    )
    (winner,) = [result for result in results if isinstance(result, str)]
    assert all(isinstance(it, PortTaken) and it.owner_name == winner for it in results if it != winner), results
    assert [claim.port for claim in await claims(store)] == ["index:1", "index:2"]


async def test_a_refusal_names_owner_node_port_card_and_since_when(store: Store, now: datetime) -> None:
    node_id, row = await node(store, now), await recorder(store, "INGEST", now)
    card = PortWanted(node_id, "6a1b2c", 3)
    async with store.write() as tx:
        await tx.recorders.set_desired(row.id, 1, "on", [card], now)
        with pytest.raises(PortTaken) as caught:
            await tx.ports.claim(card, owner_kind="channel", owner_id="f" * 32, epoch=1, now=now)
        since = f"{now:%F %T}Z"
        assert str(caught.value) == (f"port 3 of node mcr-a (card 6a1b2c) belongs to recorder INGEST since {since}")
        assert (caught.value.node_id, caught.value.node_name, caught.value.since) == (node_id, "mcr-a", now)


async def test_a_start_reserves_its_ports_with_the_wish(store: Store, now: datetime) -> None:
    """P3: the operator is refused at the key press, and nothing of a refused start is left."""
    fence, node_id = await lead(store), await node(store, now)
    fill, key, spare = (PortWanted(node_id, f"index:{number}", number) for number in (1, 2, 3))
    first, second = await channel(store, "A", now), await channel(store, "B", now)
    async with store.write() as tx:
        await tx.channels.set_desired(first.id, 1, "on", [key, fill], now)
    held = await claims(store)
    assert [(it.port, it.epoch, it.state, it.owner_id) for it in held] == [
        ("index:1", 1, "reserved", first.id), ("index:2", 1, "reserved", first.id),
    ]  # fmt: skip
    async with store.write() as tx:
        with pytest.raises(PortTaken):
            await tx.channels.set_desired(second.id, 1, "on", [spare, key], now)
    async with store.read() as tx:
        after = await tx.channels.get(second.id)
    assert (after.desired, after.rev) == ("off", 1)
    assert len(await claims(store)) == 2
    async with store.write() as tx:
        placed = await tx.channels.transition(
            first.id, rev=2, fence=fence, phase="starting", now=now, raise_epoch=True, claims=[fill, key]
        )
        assert placed.epoch == 1
        with pytest.raises(StaleRev):
            await tx.channels.set_desired(first.id, 2, "off", (), now)


async def test_a_start_that_is_called_off_gives_its_ports_back(store: Store, now: datetime) -> None:
    node_id, row = await node(store, now), await channel(store, "A", now)
    async with store.write() as tx:
        await tx.channels.set_desired(row.id, 1, "on", [PortWanted(node_id, "index:1", 1)], now)
        await tx.channels.set_desired(row.id, 2, "off", now=now)
        await tx.channels.delete(row.id, 3)
    assert await claims(store, live_only=False) == []


async def test_a_start_called_off_frees_nothing_that_the_old_sidecar_may_use(store: Store, now: datetime) -> None:
    """P3: it is being stopped; start and stop again do not make its port free before its exit is confirmed."""
    fence, node_id, row = await lead(store), await node(store, now), await channel(store, "A", now)
    port, other = PortWanted(node_id, "index:1", 1), PortWanted(node_id, "index:2", 2)
    async with store.write() as tx:
        step = {"fence": fence, "now": now}
        up = await tx.channels.transition(row.id, rev=1, phase="starting", raise_epoch=True, claims=[port], **step)
        await tx.ports.mark("channel", row.id, up.epoch, "active")
        down = await tx.channels.transition(row.id, rev=up.rev, phase="stopping", **step)
        wish = await tx.channels.set_desired(row.id, down.rev, "on", [port, other], now)
        assert [(it.port, it.epoch, it.state) for it in await tx.ports.list()] == [
            ("index:1", 2, "active"), ("index:2", 2, "reserved"),
        ]  # fmt: skip
        assert await tx.ports.release("channel", row.id, up.epoch, by="exit", now=now) == []
        await tx.channels.set_desired(row.id, wish.rev, "off", now=now)
        assert {it.epoch for it in await tx.ports.list()} == {1}
        assert len(await tx.ports.release("channel", row.id, up.epoch, by="exit", now=now)) == 2


async def test_claims_are_for_a_start_and_say_since_when(store: Store, now: datetime) -> None:
    node_id, row = await node(store, now), await channel(store, "A", now)
    port = PortWanted(node_id, "index:1", 1)
    async with store.write() as tx:
        for desired, at in (("off", now), ("on", None)):
            with pytest.raises(ValueError, match="claims belong to a start"):
                await tx.channels.set_desired(row.id, 1, desired, [port], at)


async def test_an_operator_releases_by_force_and_says_why(store: Store, now: datetime) -> None:
    node_id, row = await node(store, now), await recorder(store, "INGEST", now)
    later = now + timedelta(hours=1)
    async with store.write() as tx:
        await tx.recorders.set_desired(row.id, 1, "on", [PortWanted(node_id, "index:1", 1)], now)
        await tx.ports.mark("recorder", row.id, 1, "unknown")
        (claim,) = await tx.ports.list()
        for empty in ("", " \t"):
            with pytest.raises(ValueError, match="only with a reason"):
                await tx.ports.force_release(claim.id, by="kim", reason=empty, now=later)
        freed = await tx.ports.force_release(claim.id, by="kim", reason="the machine is in the skip", now=later)
        assert (freed.state, freed.released_by, freed.released_at) == ("released", "kim", later)
        assert freed.released_reason == "the machine is in the skip"
        with pytest.raises(Missing):
            await tx.ports.force_release(claim.id, by="lee", reason="again", now=later)
        with pytest.raises(Missing):
            await tx.ports.force_release("0" * 32, by="lee", reason="none such", now=later)
    assert await claims(store) == []


OWNERS: list[Callable[[Store, str, datetime], Awaitable[Channel | Recorder]]] = [channel, recorder]


@pytest.mark.parametrize("make", OWNERS, ids=["channel", "recorder"])
async def test_mark_and_release_serve_both_kinds_of_owner(
    store: Store, now: datetime, make: Callable[[Store, str, datetime], Awaitable[Channel | Recorder]]
) -> None:
    fence, node_id, row = await lead(store), await node(store, now), await make(store, "A", now)
    kind = row.__tablename__
    fill, key = PortWanted(node_id, "index:1", 1), PortWanted(node_id, "index:2", 2)
    async with store.write() as tx:
        nouns = tx.channels if isinstance(row, Channel) else tx.recorders
        up = await nouns.transition(
            row.id, rev=1, fence=fence, phase="starting", now=now, raise_epoch=True, claims=[fill, key]
        )
        other = "recorder" if kind == "channel" else "channel"
        assert await tx.ports.mark(other, row.id, up.epoch, "active") == []
        assert {it.port for it in await tx.ports.mark(kind, row.id, up.epoch, "active")} == {"index:1", "index:2"}
        assert await tx.ports.release(other, row.id, up.epoch, by="exit", now=now) == []
        assert len(await tx.ports.release(kind, row.id, up.epoch, by="exit", now=now)) == 2
