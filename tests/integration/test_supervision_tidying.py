"""The leader's rounds over what its nodes keep: by its own clock, and not by one that has just jumped."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from db.repositories.as_run import RunKey
from supervisor.agent.interface import AgentAway
from supervisor.agent.old_recordings import OldRecordings
from supervisor.agent.tidying import RecordingsOrder
from supervisor.clock import SystemClock
from supervisor.history import History
from supervisor.tidying import NodeTidying
from tests.fixtures.agents import NodeHome, until
from tests.fixtures.stations import Station, station

DAY = timedelta(days=1)


class Set(SystemClock):
    """A clock that somebody sets."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


def _answering(here: Station) -> str:
    """Its id."""
    seen = here.supervision.nodes()
    return next((node.id for node, watch in seen if watch is not None and watch.state == "answers"), "")


async def recorded(here: Station, keep_days: int, name: str = "Ingest") -> Callable[[], bool]:
    """A recorder's file of nine days ago; whether it is there."""
    now = datetime.now(UTC)
    node = await until(lambda: _answering(here), 60, "the node answers")
    fence = here.supervision.fence
    assert fence is not None
    async with here.store.write() as tx:
        row = await tx.recorders.add({"name": name, "input_kind": "test", "keep_days": keep_days}, now)
        await tx.as_run.append(fence, RunKey(row.id, "a" * 32), node, 1, ())
    file: Path = here.home.path / "media" / "recordings" / row.id / "old.mp4"
    file.parent.mkdir(parents=True)
    written = (now - 9 * DAY).timestamp()
    for path in (file, file.with_name("old.mp4.sha256")):
        path.write_text("0" * 64 + "  x\n")
        os.utime(path, (written, written))
    await until(lambda: row.id in [it.id for it in here.supervision.recorder_rows()], 60, "the recorder is known")
    return file.exists


async def test_a_round_takes_what_is_old_off_the_node_but_not_by_a_clock_that_jumped(node_home: NodeHome) -> None:
    async with station(node_home) as here:
        is_there = await recorded(here, keep_days=10)
        clock = Set()
        seen = here.supervision
        history = History(here.store, clock, lambda: seen.fence)

        def tidying() -> NodeTidying:
            return NodeTidying(
                here.store, clock, 90, lambda: seen.fence, history, nodes=seen.nodes, recorders=seen.recorder_rows
            )

        late = tidying()
        await late.round()
        assert is_there(), "it is nine days old"
        clock.ahead = 2 * DAY
        await late.round()
        assert is_there()
        clock.ahead = timedelta()
        async with here.store.write() as tx:
            (row,) = await tx.recorders.list()
            await tx.recorders.update(row.id, row.rev, {"keep_days": 8})
        await late.round()
        assert is_there(), "the clock was set twice within a day"
        await tidying().round()
        assert not is_there()


async def test_a_node_whose_disk_hangs_is_asked_once_a_round_and_not_for_every_recorder(
    node_home: NodeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def hangs(order: RecordingsOrder) -> OldRecordings:
        asked.append(order.recorder_id)
        raise AgentAway("the disk did not answer")

    async with station(node_home) as here:
        for name in ("Ingest", "News"):
            await recorded(here, 1, name)
        monkeypatch.setattr(here.agent, "drop_recordings", hangs)
        seen = here.supervision
        history = History(here.store, SystemClock(), lambda: seen.fence)
        tidying = NodeTidying(
            here.store, SystemClock(), 0, lambda: seen.fence, history,
            nodes=seen.nodes, recorders=seen.recorder_rows,
        )  # fmt: skip
        await tidying.round()
        assert len(asked) == 1
        await tidying.round()
        assert len(asked) == 2
