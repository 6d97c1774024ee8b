"""What nodes keep: the leader has only that taken away which its log has whole, and writes down what goes."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from db.models import Recorder
from db.repositories.leader import Fence
from db.store import Store
from supervisor.agent.interface import AgentAway
from supervisor.agent.local import LocalAgent
from supervisor.agent.old_recordings import MOST_FILES
from supervisor.agent.old_recordings import OldRecordings as Found
from supervisor.agent.tidying import RecordingsOrder
from supervisor.asrun.spans import span_between
from supervisor.asrun.verifying import Verifying
from supervisor.clock import SystemClock
from supervisor.history import History
from supervisor.kept import Kept
from supervisor.old_journals import OldJournals
from supervisor.old_recordings import ACTION, OldRecordings
from supervisor.retention import RetentionJob
from supervisor.threads import Threads
from tests.contract.test_store_retention import Now
from tests.fixtures.agents import NodeHome, until
from tests.fixtures.as_run import NODE, Part, air

CHANNEL = "c" * 32
DAY = timedelta(days=1)


@pytest.fixture
async def agent(node_home: NodeHome) -> AsyncIterator[LocalAgent]:
    async with node_home.agent() as agent:
        yield agent


async def leads(store: Store) -> Fence:
    async with store.write() as tx:
        leadership = await tx.leader.acquire("test", "", 60, seize=False)
        assert leadership is not None
        return leadership.fence


async def aired(store: Store, home: NodeHome, now: datetime, ages: Sequence[int]) -> None:
    """Runs a, b, d, e…, so many days ago, in the log and in the journals of their node."""
    for epoch, age in enumerate(ages, 1):
        run_id = "abdef"[epoch - 1] * 32
        await air(store, CHANNEL, run_id, epoch, now - age * DAY, [Part("x", 50), Part("y", 50)])
        async with store.read() as tx:
            rows = await tx.as_run.records(CHANNEL, run_id)
        folder = home.path / "journal" / CHANNEL / run_id
        folder.mkdir(parents=True)
        (folder / "000000000001.0.jsonl").write_text("".join(f"{row.line}\n" for row in rows))


def left(home: NodeHome) -> str:
    """Runs whose journals lie on the node."""
    return "".join(sorted(path.name[0] for path in (home.path / "journal" / CHANNEL).iterdir()))


async def tidied(store: Store, agent: LocalAgent, now: datetime, days: int, fence: Fence | None) -> int:
    return await OldJournals(store, Now(now), days, lambda: fence).round(NODE, agent)


async def test_old_journals_go_that_are_whole_in_the_log_and_the_log_is_proven_as_before(
    real_store: Store, node_home: NodeHome, agent: LocalAgent, now: datetime
) -> None:
    """P4."""
    await aired(real_store, node_home, now, (200, 150, 100, 5))
    fence = await leads(real_store)
    assert await tidied(real_store, agent, now, 0, fence) == 0, "for ever, where the station says so"
    assert await tidied(real_store, agent, now, 120, None) == 0, "another leads"
    assert left(node_home) == "abde"
    assert await tidied(real_store, agent, now, 120, fence) == 2
    assert left(node_home) == "de"
    assert await tidied(real_store, agent, now, 120, fence) == 0
    for age in (200, 150, 100):
        start = now - age * DAY
        of = span_between(None, CHANNEL, start - timedelta(hours=1), start + timedelta(hours=1), "25")
        assert (await Verifying(real_store, Threads("test", places=1)).verify(of, now)).faults == []
    async with real_store.read() as tx:
        gone = {run.run_id[0]: run.journal_gone_at for run in await tx.as_run.runs(CHANNEL)}
    assert gone == {"a": now, "b": now, "d": None, "e": None}
    # However old all of it is, the newest stays: the next run's first record names its end.
    assert await tidied(real_store, agent, now + 900 * DAY, 120, fence) == 1
    assert left(node_home) == "e"


async def test_a_journal_stays_while_the_log_lacks_a_record_or_has_another(
    real_store: Store, node_home: NodeHome, agent: LocalAgent, now: datetime
) -> None:
    """P4: a store that was restored from a backup, that was changed by hand, or that lost rows."""
    await aired(real_store, node_home, now, (200, 190, 180, 170, 1))
    fence = await leads(real_store)
    behind = node_home.path / "journal" / CHANNEL / ("a" * 32) / "000000000001.0.jsonl"
    (more,) = behind.read_bytes().splitlines(keepends=True)[-1:]
    engine = create_async_engine(real_store.url)
    async with engine.begin() as connection:
        # A backup of when this run was not over: its last record is on the node alone.
        await connection.execute(text("DELETE FROM as_run WHERE run_id = :run AND kind = 'run_end'"), {"run": "a" * 32})
        await connection.execute(
            text("UPDATE as_run_run SET collected_seq = collected_seq - 1 WHERE run_id = :run"), {"run": "a" * 32}
        )
        await connection.execute(text("DELETE FROM as_run WHERE run_id = :run AND seq = 3"), {"run": "b" * 32})
        await connection.execute(
            text("UPDATE as_run SET line = replace(line, 'Item x', 'Item z') WHERE run_id = :run"), {"run": "d" * 32}
        )
    await engine.dispose()
    assert await tidied(real_store, agent, now, 120, fence) == 1
    assert left(node_home) == "abdf"
    assert behind.read_bytes().endswith(more)


async def test_a_journal_goes_whose_records_went_from_the_log_for_their_age(
    real_store: Store, node_home: NodeHome, agent: LocalAgent, now: datetime
) -> None:
    await aired(real_store, node_home, now, (200, 100, 1))
    fence = await leads(real_store)
    await RetentionJob(real_store, Now(now), Kept(asrun=150), lambda: fence).round()
    async with real_store.read() as tx:
        assert await tx.as_run.records(CHANNEL, "a" * 32) == []
    assert await tidied(real_store, agent, now, 190, fence) == 1
    assert left(node_home) == "bd"


class Falls:
    """An agent of whose second answer nothing comes."""

    def __init__(self, agent: LocalAgent) -> None:
        self._agent = agent
        self.drop_journals = agent.drop_journals

    async def drop_recordings(self, order: RecordingsOrder) -> object:
        answer = await self._agent.drop_recordings(order)
        if order.chosen:
            raise AgentAway("its answer was lost")
        return answer


async def ingest(store: Store, home: NodeHome, now: datetime) -> tuple[Recorder, Path]:
    """A recorder that keeps two days, and its folder."""
    async with store.write() as tx:
        row = await tx.recorders.add({"name": "Ingest", "input_kind": "test", "keep_days": 2}, now)
    folder = home.path / "media" / "recordings" / row.id
    folder.mkdir(parents=True)
    return row, folder


async def test_what_goes_of_a_recorder_is_in_the_audit_log_though_its_node_never_answers(
    real_store: Store, node_home: NodeHome, agent: LocalAgent
) -> None:
    """P7; and what is an asset, or a channel's STANDBY, stays."""
    clock = SystemClock()
    now = clock.now()
    row, folder = await ingest(real_store, node_home, now)
    files: list[Path] = []
    for name, age in (("lost", 9), ("asset", 8), ("standby", 7), ("old", 6), ("young", 1)):
        file = folder / f"{name}.mp4"
        files.append(file)
        for path in (file, folder / f"{name}.mp4.sha256"):
            path.write_text("0" * 64 + "  x\n")
            os.utime(path, ((now - age * DAY).timestamp(),) * 2)
    asset = {"path": str(files[1]), "title": "a", "size_bytes": 1, "fingerprint": "f"}
    channel = {"name": "One", "width": 320, "height": 180, "rate": "25"}
    playout = {"standby": {"path": str(files[2])}}
    async with real_store.write() as tx:
        await tx.assets.add(asset, now)
        await tx.channels.add({**channel, "playout": playout}, [("hls", "")], now)
    fence = await leads(real_store)
    history = History(real_store, clock, lambda: fence)
    job = OldRecordings(real_store, clock, lambda: fence, history)

    async def audited() -> list[list[str]]:
        async with real_store.read() as tx:
            rows = [it for it in await tx.audit.list() if it.action == ACTION]
        assert {(it.principal, it.target) for it in rows} <= {("system", f"recorder:{row.id}")}
        return [[Path(file["path"]).name for file in it.detail["files"]] for it in reversed(rows)]

    async def keeps(days: int) -> None:
        async with real_store.write() as tx:
            now_known = await tx.recorders.get(row.id)
            await tx.recorders.update(row.id, now_known.rev, {"keep_days": days})

    await keeps(0)
    assert await job.round(row.id, NODE, agent) == 0
    await keeps(2)
    with pytest.raises(AgentAway):
        await job.round(row.id, NODE, Falls(agent))
    assert [file.exists() for file in files] == [False, True, True, False, True]
    assert await audited() == [["lost.mp4", "old.mp4"]]
    assert await job.round(row.id, NODE, agent) == 0
    os.utime(files[4], ((now - 3 * DAY).timestamp(),) * 2)
    os.utime(folder / "young.mp4.sha256", ((now - 3 * DAY).timestamp(),) * 2)
    assert await job.round(row.id, NODE, agent) == 1
    assert await audited() == [["lost.mp4", "old.mp4"], ["young.mp4"]]
    writing = asyncio.create_task(history.run())

    async def told() -> list[str]:
        async with real_store.read() as tx:
            return [it.text for it in await tx.events.list(channel_id=row.id)]

    said = await until(told, 60, "the event")
    writing.cancel()
    assert said == ["1 recording of Ingest was taken away (0.0 GiB): older than 2 days"]


async def test_an_asset_stays_that_is_a_link_to_the_recording_and_what_the_disk_holds_is_said_once(
    real_store: Store, node_home: NodeHome, agent: LocalAgent
) -> None:
    clock = SystemClock()
    now = clock.now()
    row, folder = await ingest(real_store, node_home, now)
    files = [folder / f"{name}.mp4" for name in ("asset", "held", "old")]
    written = (now - 9 * DAY).timestamp()
    for file in files:
        for path in (file, folder / f"{file.name}.sha256"):
            path.write_text("0" * 64 + "  x\n")
            os.utime(path, times=(written, written))
    (folder / "held.mp4.jpg").mkdir()
    link = node_home.path / "media" / "best of.mp4"
    link.symlink_to(files[0])
    asset = {"path": str(link), "title": "a", "size_bytes": files[0].stat().st_size, "fingerprint": "f"}
    async with real_store.write() as tx:
        await tx.assets.add(asset, now)
    fence = await leads(real_store)
    job = OldRecordings(real_store, clock, lambda: fence, History(real_store, clock, lambda: fence))
    assert await job.round(row.id, NODE, agent) == 1
    assert [file.exists() for file in files] == [True, True, False]
    assert await job.round(row.id, NODE, agent) == 0
    async with real_store.read() as tx:
        said = {it.outcome: it.detail["files"] for it in await tx.audit.list() if it.action == ACTION}
    assert [Path(file["path"]).name for file in said["done"]] == ["held.mp4", "old.mp4"]
    assert said["failed"] == [str(files[1])]


class Meanwhile:
    """An agent to whose first question somebody does something before it is answered."""

    def __init__(self, agent: LocalAgent, do: Callable[[], Awaitable[object]]) -> None:
        self._agent = agent
        self._do: Callable[[], Awaitable[object]] | None = do
        self.drop_journals = agent.drop_journals

    async def drop_recordings(self, order: RecordingsOrder) -> Found:
        answer = await self._agent.drop_recordings(order)
        if self._do is not None:
            do, self._do = self._do, None
            await do()
        return answer


def old_files(folder: Path, now: datetime, *names: str) -> list[Path]:
    files = [folder / f"{name}.mp4" for name in names]
    for file in files:
        for path in (file, folder / f"{file.name}.sha256"):
            path.write_text("0" * 64 + "  x\n")
            os.utime(path, ((now - 9 * DAY).timestamp(),) * 2)
    return files


async def outcomes(store: Store) -> dict[str, list[str]]:
    """Names of files by what the audit log says of them."""
    async with store.read() as tx:
        rows = [it for it in await tx.audit.list() if it.action == ACTION]
    return {
        it.outcome: [Path(file if isinstance(file, str) else file["path"]).name for file in it.detail["files"]]
        for it in rows
    }


async def test_whoever_has_files_kept_while_they_are_looked_for_is_heard(
    real_store: Store, node_home: NodeHome, agent: LocalAgent
) -> None:
    """It was a mistake, and he is quick: none of twenty steps may go on by what he took back."""
    clock = SystemClock()
    now = clock.now()
    row, folder = await ingest(real_store, node_home, now)
    (file,) = old_files(folder, now, "old")

    async def keeps_for_ever() -> None:
        async with real_store.write() as tx:
            await tx.recorders.update(row.id, (await tx.recorders.get(row.id)).rev, {"keep_days": 0})

    fence = await leads(real_store)
    job = OldRecordings(real_store, clock, lambda: fence, History(real_store, clock, lambda: fence))
    assert await job.round(row.id, NODE, Meanwhile(agent, keeps_for_ever)) == 0
    assert file.exists()
    assert await outcomes(real_store) == {}, "nothing went"


async def test_a_step_spares_what_came_into_use_in_the_step_before(
    real_store: Store, node_home: NodeHome, agent: LocalAgent
) -> None:
    clock = SystemClock()
    now = clock.now()
    row, folder = await ingest(real_store, node_home, now)
    old_files(folder, now, *(f"{number:03}" for number in range(MOST_FILES)))
    (used,) = old_files(folder, now, "used")

    async def is_used() -> None:
        channel = {"name": "One", "width": 320, "height": 180, "rate": "25", "playout": {"cover": {"path": str(used)}}}
        async with real_store.write() as tx:
            await tx.channels.add(channel, [("hls", "")], now)

    fence = await leads(real_store)
    job = OldRecordings(real_store, clock, lambda: fence, History(real_store, clock, lambda: fence))
    assert await job.round(row.id, NODE, Meanwhile(agent, is_used)) == MOST_FILES
    assert [path.name for path in folder.glob("*.mp4")] == [used.name]


async def test_what_was_to_go_and_stayed_is_written_down_as_that(
    real_store: Store, node_home: NodeHome, agent: LocalAgent
) -> None:
    """P7: somebody wrote to the file after its node had been asked."""
    clock = SystemClock()
    now = clock.now()
    row, folder = await ingest(real_store, node_home, now)
    changed, _ = old_files(folder, now, "changed", "old")

    async def writes() -> None:
        changed.write_text("more")

    fence = await leads(real_store)
    job = OldRecordings(real_store, clock, lambda: fence, History(real_store, clock, lambda: fence))
    assert await job.round(row.id, NODE, Meanwhile(agent, writes)) == 1
    assert changed.read_text() == "more"
    assert await outcomes(real_store) == {"done": ["changed.mp4", "old.mp4"], "failed": ["changed.mp4"]}
