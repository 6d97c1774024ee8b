"""Recorders: their spec, and transitions by the same rules as a channel's (P2, P3)."""

import asyncio
from datetime import datetime

import pytest

from db.errors import Inconsistent, InUse, Missing, NotLeader, StaleRev, Taken
from db.models import Recorder
from db.repositories.leader import Fence
from db.repositories.ports import PortWanted
from db.store import Store

NOBODY = "0" * 32


async def add(store: Store, name: str, now: datetime, **values: object) -> Recorder:
    async with store.write() as tx:
        return await tx.recorders.add({"name": name, "input_kind": "decklink", "device_index": 1, **values}, now)


async def lead(store: Store, holder: str = "me", *, seize: bool = False) -> Fence:
    async with store.write() as tx:
        leadership = await tx.leader.acquire(holder, "", 60, seize=seize)
    assert leadership is not None
    return leadership.fence


async def start(store: Store, row: Recorder, fence: Fence, now: datetime, *ports: PortWanted) -> Recorder:
    async with store.write() as tx:
        return await tx.recorders.transition(
            row.id, rev=row.rev, fence=fence, phase="starting", now=now, raise_epoch=True, claims=ports
        )


async def test_it_begins_off_and_its_spec_changes_by_rev(store: Store, now: datetime) -> None:
    row = await add(store, "INGEST", now)
    assert (row.desired, row.phase, row.epoch, row.rev, row.node_id) == ("off", "off", 0, 1, None)
    srt = {"input_kind": "srt", "input_url": "srt://0.0.0.0:9000", "device_index": None}
    async with store.write() as tx:
        assert (await tx.recorders.update(row.id, 1, srt)).rev == 2
        with pytest.raises(StaleRev):
            await tx.recorders.update(row.id, 1, {"name": "OTHER"})
        with pytest.raises(Taken, match="recorder name 'INGEST'"):
            await tx.recorders.add({"name": "INGEST", **srt}, now)
        for column, kind in (("project_id", "project"), ("wanted_node_id", "node")):
            with pytest.raises(Missing, match=f"no {kind}"):
                await tx.recorders.update(row.id, 2, {column: NOBODY})
        with pytest.raises(ValueError, match="epoch"):
            await tx.recorders.update(row.id, 2, {"epoch": 7})
        with pytest.raises(ValueError, match="off or on"):
            await tx.recorders.set_desired(row.id, 2, "paused")
    for name in "CAB":
        await add(store, name, now)
    async with store.read() as tx:
        assert [it.name for it in await tx.recorders.list(after="A", limit=2)] == ["B", "C"]
        assert (await tx.recorders.get(row.id)).input_url == "srt://0.0.0.0:9000"


async def test_a_decklink_input_and_no_other_has_a_device_index(store: Store, now: datetime) -> None:
    for wrong in ({"device_index": None}, {"input_kind": "srt"}):
        with pytest.raises(Inconsistent):
            await add(store, "INGEST", now, **wrong)


async def test_of_many_decisions_on_one_rev_exactly_one_is_made(store: Store, now: datetime) -> None:
    row, fence = await add(store, "INGEST", now), await lead(store)
    results = await asyncio.gather(*(start(store, row, fence, now) for _ in range(10)), return_exceptions=True)
    (winner,) = [result for result in results if isinstance(result, Recorder)]
    assert winner.epoch == 1
    assert all(isinstance(result, StaleRev) for result in results if result is not winner)


async def test_a_write_of_an_old_term_changes_nothing(store: Store, now: datetime) -> None:
    row, old = await add(store, "INGEST", now), await lead(store)
    await lead(store, "rival", seize=True)
    with pytest.raises(NotLeader):
        await start(store, row, old, now)
    async with store.read() as tx:
        assert (await tx.recorders.get(row.id)).rev == 1


async def test_it_goes_only_when_it_is_off_and_holds_nothing(store: Store, now: datetime) -> None:
    row, fence = await add(store, "INGEST", now), await lead(store)
    async with store.write() as tx:
        node = await tx.nodes.add(name="mcr-a", kind="agent", now=now)
    port = PortWanted(node.id, "index:1", 1)
    async with store.write() as tx:
        step = {"fence": fence, "now": now}
        on = await tx.recorders.set_desired(row.id, 1, "on", [port], now)
        with pytest.raises(InUse, match="wanted on"):
            await tx.recorders.delete(row.id, on.rev)
        up = await tx.recorders.transition(
            row.id, rev=on.rev, phase="starting", raise_epoch=True, node_id=node.id, claims=[port], **step
        )
        assert await tx.nodes.placed() == {node.id: 1}
        with pytest.raises(InUse, match="recorder 'INGEST'"):
            await tx.nodes.delete(node.id, 1)
        off = await tx.recorders.set_desired(row.id, up.rev, "off", now=now)
        with pytest.raises(InUse, match="phase starting"):
            await tx.recorders.delete(row.id, off.rev)
        gone = await tx.recorders.transition(row.id, rev=off.rev, phase="off", node_id=None, **step)
        with pytest.raises(InUse, match="index:1"):
            await tx.recorders.delete(row.id, gone.rev)
        await tx.ports.release("recorder", row.id, gone.epoch, by="exit", now=now)
        await tx.recorders.delete(row.id, gone.rev)
        await tx.nodes.delete(node.id, 1)
        with pytest.raises(Missing, match="no recorder"):
            await tx.recorders.get(row.id)


async def test_a_project_with_a_recorder_stays(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        project = await tx.projects.add("News", now)
    row = await add(store, "INGEST", now, project_id=project.id)
    async with store.write() as tx:
        with pytest.raises(InUse, match="1 recorder"):
            await tx.projects.delete(project.id, 1)
        await tx.recorders.delete(row.id, 1)
        await tx.projects.delete(project.id, 1)
