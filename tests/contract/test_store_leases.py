"""Horizons, fences and vetoes of channels: what a failover goes by (P2, P6)."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from db.errors import NotLeader, StaleRev
from db.models import Channel
from db.repositories.channels import OutputSpec
from db.repositories.leader import Fence
from db.store import Store

FORMAT = {"width": 1280, "height": 720, "rate": "25"}


async def lead(store: Store, holder: str = "me", *, seize: bool = False) -> Fence:
    async with store.write() as tx:
        leadership = await tx.leader.acquire(holder, "", 60, seize=seize)
    assert leadership is not None
    return leadership.fence


async def started(store: Store, name: str, fence: Fence, now: datetime, **values: object) -> Channel:
    given: dict[str, object] = {"leased": True, "lease_seconds": 8.0, **values}
    async with store.write() as tx:
        row = await tx.channels.add({"name": name, **FORMAT}, [OutputSpec("hls")], now)
        return await tx.channels.transition(
            row.id, rev=row.rev, fence=fence, phase="starting", now=now, raise_epoch=True, **given
        )


async def left(store: Store) -> dict[str, float]:
    async with store.read() as tx:
        return dict(await tx.channels.leases_left())


async def extend(store: Store, fence: Fence, seconds: float, *rows: Channel) -> frozenset[str]:
    async with store.write() as tx:
        return await tx.channels.extend_leases(fence, {row.id: row.epoch for row in rows}, seconds)


async def row_of(store: Store, row: Channel) -> Channel:
    async with store.read() as tx:
        return await tx.channels.get(row.id)


async def test_a_start_sets_the_horizon_by_the_databases_clock(store: Store, now: datetime) -> None:
    """Whatever the leader's own clock says: ``now`` here is a year off."""
    fence = await lead(store)
    row = await started(store, "A", fence, now + timedelta(days=365))
    await started(store, "never leased", fence, now, leased=False, lease_seconds=None)
    (only,) = (await left(store)).items()
    assert only[0] == row.id
    assert 6 < only[1] <= 8
    assert row.lease_until is not None
    assert abs(row.lease_until - now) < timedelta(seconds=30)


async def test_a_horizon_is_set_at_a_start_alone(store: Store, now: datetime) -> None:
    fence = await lead(store)
    for phase in ("fencing", "running", "stopping", "off", "blocked"):
        row = await started(store, phase, fence, now)
        async with store.write() as tx:
            with pytest.raises(ValueError, match="set at a start"):
                await tx.channels.transition(row.id, rev=row.rev, fence=fence, phase=phase, now=now, lease_seconds=8.0)


async def test_off_ends_the_horizon_the_fence_and_the_need_of_a_lease(store: Store, now: datetime) -> None:
    fence = await lead(store)
    async with store.write() as tx:
        old = (await tx.nodes.add(name="old", kind="agent", now=now)).id
        new = (await tx.nodes.add(name="new", kind="agent", now=now)).id
    row = await started(store, "A", fence, now, node_id=old)
    async with store.write() as tx:
        step = {"fence": fence, "now": now}
        fencing = await tx.channels.transition(
            row.id, rev=row.rev, phase="fencing", node_id=new, fencing_node_id=old, raise_epoch=True, **step
        )
        assert (fencing.node_id, fencing.fencing_node_id, fencing.leased) == (new, old, True)
        assert fencing.lease_until == row.lease_until, "the old epoch's horizon stays until it is over"
        kept = await tx.channels.transition(row.id, rev=fencing.rev, phase="starting", **step)
        assert kept.fencing_node_id == old
        fenced = await tx.channels.transition(row.id, rev=kept.rev, phase="running", fencing_node_id=None, **step)
        assert (fenced.fencing_node_id, fenced.leased) == (None, True)
        again = await tx.channels.transition(row.id, rev=fenced.rev, phase="stopping", fencing_node_id=old, **step)
        off = await tx.channels.transition(row.id, rev=again.rev, phase="off", leased=True, node_id=None, **step)
    assert (off.lease_until, off.fencing_node_id, off.leased) == (None, None, False)
    assert await left(store) == {}


async def test_only_leases_of_the_newest_epoch_on_air_are_extended(store: Store, now: datetime) -> None:
    """P2: once a channel is being fenced nobody moves its horizon, and no old epoch's report does."""
    fence = await lead(store)
    good, running, old, free, fencing = [
        await started(store, name, fence, now) for name in ("good", "running", "old", "free", "fencing")
    ]
    async with store.write() as tx:
        step = {"fence": fence, "now": now}
        running = await tx.channels.transition(running.id, rev=running.rev, phase="running", **step)
        await tx.channels.transition(old.id, rev=old.rev, phase="starting", raise_epoch=True, **step)
        free = await tx.channels.transition(free.id, rev=free.rev, phase="running", leased=False, **step)
        fencing = await tx.channels.transition(fencing.id, rev=fencing.rev, phase="fencing", raise_epoch=True, **step)
    assert await extend(store, fence, 30.0, good, running, old, free, fencing) == {good.id, running.id}
    until = await left(store)
    assert {row_id for row_id, seconds in until.items() if seconds > 8} == {good.id, running.id}
    assert (await row_of(store, good)).rev == good.rev, "the rev is not raised"


async def test_a_horizon_is_never_shortened(store: Store, now: datetime) -> None:
    fence = await lead(store)
    row = await started(store, "A", fence, now, lease_seconds=30.0)
    assert await extend(store, fence, 1.0, row) == {row.id}
    assert (await left(store))[row.id] > 20
    async with store.write() as tx:
        again = await tx.channels.transition(
            row.id, rev=row.rev, fence=fence, phase="starting", now=now, raise_epoch=True, lease_seconds=1.0
        )
    assert again.lease_until == row.lease_until


async def test_a_clock_set_back_does_not_leave_a_horizon_of_years(store: Store, now: datetime) -> None:
    """P1: the channel of a node that dies after it could not be moved until then."""
    fence = await lead(store)
    row = await started(store, "A", fence, now)
    async with store.write() as tx:
        await tx.channels._session.execute(text("UPDATE channel SET lease_until = '2999-01-01 00:00:00.000000'"))
    assert (await left(store))[row.id] > 1e9
    assert await extend(store, fence, 8.0, row) == {row.id}
    assert (await left(store))[row.id] <= 8


async def test_who_does_not_lead_extends_nothing(store: Store, now: datetime) -> None:
    """P2: a paused leader that wakes grants nothing."""
    old = await lead(store)
    row = await started(store, "A", old, now)
    await lead(store, "rival", seize=True)
    for rows in ((row,), ()):
        with pytest.raises(NotLeader):
            await extend(store, old, 30.0, *rows)
    assert (await row_of(store, row)).lease_until == row.lease_until


async def test_what_is_left_counts_down_past_nought(store: Store, now: datetime) -> None:
    fence = await lead(store)
    row = await started(store, "A", fence, now, lease_seconds=0.05)
    async with asyncio.timeout(60):
        while (await left(store))[row.id] >= 0:  # noqa: ASYNC110 - a horizon tells nobody that it is past
            await asyncio.sleep(0.01)
    assert -5 < (await left(store))[row.id] < 0


async def test_an_operators_veto_names_the_operator(store: Store, now: datetime) -> None:
    row = await started(store, "A", await lead(store), now)
    async with store.write() as tx:
        held = await tx.channels.set_hold_failover(row.id, row.rev, True, "kim")
        assert (held.hold_failover, held.hold_failover_by, held.rev) == (True, "kim", row.rev + 1)
        with pytest.raises(StaleRev):
            await tx.channels.set_hold_failover(row.id, row.rev, False, "lee")
        free = await tx.channels.set_hold_failover(row.id, held.rev, False, "lee")
    assert (free.hold_failover, free.hold_failover_by) == (False, None)


async def test_an_output_keeps_whether_it_stops_with_its_lease(store: Store, now: datetime) -> None:
    url = "udp://239.0.0.1:5000"
    async with store.write() as tx:
        row = await tx.channels.add({"name": "A", **FORMAT}, [OutputSpec("udp", url, True), OutputSpec("hls")], now)
        udp, hls = await tx.channels.outputs(row.id)
        assert (udp.lease_stop, hls.lease_stop) == (True, False)
        await tx.channels.update_spec(row.id, row.rev, {}, [OutputSpec("hls"), OutputSpec("udp", url)])
    async with store.read() as tx:
        after = await tx.channels.outputs(row.id)
    assert [(it.id, it.lease_stop) for it in after] == [(hls.id, False), (udp.id, False)]
