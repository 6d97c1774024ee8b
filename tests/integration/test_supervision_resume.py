"""Where a channel goes on when it entered the air later than it was started, or after a clean end; real processes."""

import os
import signal
from datetime import UTC, datetime, timedelta
from typing import Final

from db.repositories.channels import Position
from sidecar.protocol.asrun import AsRunRecord, whole_lines
from tests.fixtures.agents import NodeHome, until
from tests.fixtures.stations import FOREVER, OLGA, station

_NS: Final = 1_000_000_000


def journal(home: NodeHome, channel_id: str, epoch: int) -> list[AsRunRecord]:
    """Every record that the channel's sidecar of ``epoch`` wrote."""
    paths = sorted((home.path / "journal" / channel_id).glob("*/*.jsonl"))
    records = [record for path in paths for _, record in whole_lines(path.read_bytes())]
    return [record for record in records if record.epoch == epoch]


async def test_a_sidecar_that_waited_muted_joins_at_the_frame_due_when_it_is_armed(node_home: NodeHome) -> None:
    """P1: what was said at its start is old by then; against the list's own time, to the frame."""
    async with station(node_home) as here:
        row = await here.channel(100, 100, FOREVER, resume_policy="schedule")
        items = await here.items(row)
        away = datetime.now(UTC) - timedelta(seconds=20)
        async with here.store.write() as tx:
            held = await tx.leader.get()
            assert held is not None
            await tx.channels.record_positions(held.fence, {row.id: Position(items[0], 50, away, "25")})
    node_home.faults(undecoded="item 2")
    async with station(node_home) as here:
        await here.commands.start(row.id, OLGA)
        await until(lambda: "waits for the first picture" in here.live(row.id).decision, 15, "muted")
        muted_at = datetime.now(UTC)
        await until(lambda: datetime.now(UTC) > muted_at + timedelta(seconds=1), 15, "a second of it")
        node_home.faults()
        await here.on_air(row.id)
        said = [it.sentence for it in here.supervision.live.explain(row.id)]
    start = next(it for it in journal(node_home, row.id, 1) if it.kind == "item_start")
    due = 50 - 200 + (start.wall_ns - int(away.timestamp() * 1e6) * 1_000) * 25 // _NS
    assert (start.item_id, start.cause) == (items[2], "resume")
    assert start.in_frames is not None
    assert due - 1 <= start.in_frames <= due, said


async def test_after_a_clean_end_it_goes_on_with_the_next_frame(node_home: NodeHome) -> None:
    """P1: not with the last one that anybody had asked about: no frame twice, and none left out."""
    async with station(node_home) as here:
        row = await here.channel(FOREVER)
        await here.start(row)
        await until(lambda: here.live(row.id).frame >= 30, what="a second of it")
        pid, asked_at = await here.pid(row.id), datetime.now(UTC)
        await until(
            lambda: datetime.now(UTC) > asked_at + timedelta(milliseconds=250), what="frames nobody asked about"
        )
        os.kill(pid, signal.SIGTERM)
        await here.on_air(row.id, epoch=2)
    end = next(it for it in journal(node_home, row.id, 1) if it.kind == "item_end")
    start = next(it for it in journal(node_home, row.id, 2) if it.kind == "item_start")
    assert end.cause == "stop"
    assert (start.item_id, start.in_frames) == (end.item_id, end.frames)


async def test_a_list_whose_items_are_all_blamed_for_kills_comes_back_by_itself(node_home: NodeHome) -> None:
    """P1: whoever kills a sidecar on each of its items in turn takes the list off for a good spell, not for long."""
    async with station(node_home, timing={"good_spell": 3.0}) as here:
        row = await here.channel(FOREVER, FOREVER)
        await here.start(row)
        for epoch in range(2, 6):
            live = await here.on_air(row.id, epoch=epoch - 1)
            assert live.item is not None
            assert live.item.title == f"item {epoch > 3:d}"
            os.kill(await here.pid(row.id), signal.SIGKILL)
        assert (await here.on_air(row.id, epoch=5)).picture == "filler"
        await until(lambda: here.live(row.id).picture == "item", what="the list again")
