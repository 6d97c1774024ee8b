"""The as-run log: every run's journal, pulled by (run, number) until all of it is in the store, once."""

import asyncio
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, fields
from typing import Final

import structlog

from db.errors import JournalGap, NotLeader, StoreError, StoreUnavailable
from db.models import AsRun, AsRunEvent
from db.repositories.as_run import AsRunEventRow, AsRunRow, RunKey
from db.repositories.leader import Fence
from db.store import Store
from sidecar.protocol.asrun import GENESIS, AsRunRecord, chain_hash, decode_line
from supervisor.agent.interface import AgentAway, AgentError, JournalLine, JournalPage, JournalRun
from supervisor.alarms import AlarmBoard
from supervisor.asrun.projection import Heard, Projection, instant_of
from supervisor.asrun.shown import shown, shown_of_run
from supervisor.clock import Clock
from supervisor.decisions.alarms import Wanted
from supervisor.decisions.timing import Timing
from supervisor.events import Events
from supervisor.loops.nodes import NodeWatch
from supervisor.loops.sight import instant
from supervisor.schemas.asrun import AsRunEvent as Aired
from supervisor.webhooks.facts import post_as_run

log = structlog.get_logger(__name__)

PAGE: Final = 500
ASRUN_ALARMS: Final = ("asrun_behind", "asrun_chain_broken")
_BEHIND, _BROKEN = ASRUN_ALARMS
_LIST_EVERY_S: Final = 30.0
_AT_ONCE: Final = 8
"""Channels whose journals are read side by side."""
PLACES: Final = 2
"""Transactions of all collections side by side."""
_EVENT_FIELDS: Final = tuple(field.name for field in fields(AsRunEventRow))


class RunCollector:
    """How far one run is collected, and what its next record must carry. Dropped when anything fails.

    Then it may be ahead of what was committed; the next one begins with what the store has.
    """

    def __init__(self, run: JournalRun, seq: int, last: JournalLine | None, projection: Projection) -> None:
        self.run = run
        self.seq = seq
        self.last = last
        self.projection = projection


@dataclass(frozen=True, slots=True)
class Behind:
    """Since when, on our monotonic clock, there was a fault in every round, and the newest."""

    since: float
    why: str


class Collection:
    """Collects one node's journals. One task; safe to end and begin anew at any point.

    Records are written with the number up to which the run is collected in one transaction, so that no kill loses or
    doubles one. A hash that does not follow from the line before raises ``asrun_chain_broken`` and is stored all the
    same: the log is what the journal says. A channel whose records lie uncollected for long has ``asrun_behind``.
    """

    def __init__(
        self,
        watch: NodeWatch,
        store: Store,
        events: Events,
        alarms: AlarmBoard,
        clock: Clock,
        timing: Timing,
        fence: Callable[[], Fence | None],
        places: asyncio.Semaphore | None = None,
        records: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """``fence``: what a write of ours must carry; None while we do not lead. ``records``: whether this is the id
        of a recorder, of which nothing is published as aired.

        ``places`` at the store are shared by the collections of all nodes. Else a thousand channels that enter the air
        at once fill the queue of its writers, and those who place channels, and the leader's own lease, wait in it past
        their deadlines.
        """
        self._watch = watch
        self._store = store
        self._events = events
        self._alarms = alarms
        self._clock = clock
        self._timing = timing
        self._fence_now = fence
        self._records = records
        self._complete: dict[str, set[str]] | None = None
        self._listed: tuple[JournalRun, ...] = ()
        self._listed_at = -_LIST_EVERY_S
        self._inventory: frozenset[tuple[str, int, bool, str]] = frozenset()
        self._runs: dict[tuple[str, str], RunCollector] = {}
        self._heard: dict[tuple[str, str], Heard] = {}
        self._behind: dict[str | None, Behind] = {}
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._places = places or asyncio.Semaphore(PLACES)

    async def run(self) -> None:
        """Once a second until cancelled. A store or an agent that is away is waited for."""
        while True:
            if self._fence_now() is not None:
                await self.round()
            else:
                # Another collects: what we hold grows old.
                self._runs.clear()
                self._complete = None
                self._listed_at = -_LIST_EVERY_S
                self._behind.clear()
                self._heard.clear()
            await self._clock.sleep(self._timing.poll)

    def lag(self) -> dict[str, int]:
        """By channel: how many records its living sidecars say that they have and of which we know that they are not in
        the store."""
        behind: dict[str, int] = {}
        for (channel_id, run_id), seq in self._due().items():
            collected = self._collected(channel_id, run_id)
            if collected is not None and not self._records(channel_id):
                behind[channel_id] = behind.get(channel_id, 0) + max(0, seq - collected)
        return behind

    async def round(self) -> None:
        """Everything that is there now, channels side by side. What fails is logged, told, and tried again."""
        self._hear()
        due = self._due()
        try:
            by_channel = await self._to_collect()
        except (StoreUnavailable, AgentAway) as error:
            # Both have an alarm of their own.
            log.warning("as-run is collected later", node=self._watch.name, why=str(error))
            return
        except (StoreError, AgentError, OSError) as error:
            self._tell({None: str(error)})
            return
        async with asyncio.TaskGroup() as group:
            tasks = {
                channel_id: group.create_task(self._collect_channel(runs)) for channel_id, runs in by_channel.items()
            }
        faults: dict[str | None, str | None] = {channel_id: task.result() for channel_id, task in tasks.items()}
        for (channel_id, run_id), seq in due.items():
            collected = self._collected(channel_id, run_id)
            if collected is not None and collected < seq and faults.get(channel_id, "") == "":
                faults[channel_id] = f"run {run_id} has records up to {seq}, of which {collected} are collected"
        self._tell(faults)

    async def _to_collect(self) -> dict[str, list[JournalRun]]:
        if self._complete is None:
            self._complete = await self._completed()
        by_channel: dict[str, list[JournalRun]] = {}
        for run in await self._list(self._complete):
            by_channel.setdefault(run.channel_id, []).append(run)
        return by_channel

    async def _list(self, complete: Mapping[str, Set[str]]) -> tuple[JournalRun, ...]:
        """The node's runs, asked for when its sidecars changed, while one waits for its end, and now and then.

        Not every second: what is complete is named in the question, and there is ever more of it.
        """
        now = self._clock.monotonic()
        inventory = frozenset(
            (it.channel_id, it.epoch, it.exit is None, it.status.run_id if it.status else "")
            for it in self._watch.reports()
        )
        is_settled = inventory == self._inventory and all(run.alive for run in self._listed)
        if not is_settled or now - self._listed_at >= _LIST_EVERY_S:
            self._listed = await self._watch.agent.runs(complete)
            self._inventory, self._listed_at = inventory, now
        return self._listed

    async def _collect_channel(self, runs: list[JournalRun]) -> str | None:
        """One channel's runs, oldest first; why not all of it was collected, empty when it was.

        None when the store or the agent is away or another leads, which says nothing about the channel.
        Whatever goes wrong with one run or one channel holds up no other.
        """
        fault = ""
        for run in runs:
            if self._has_all(run):
                continue
            try:
                async with self._at_once:
                    await self._collect_or_drop(run)
            except (StoreUnavailable, NotLeader, AgentAway) as error:
                log.warning("as-run is collected later", channel=run.channel_id, run=run.run_id, why=str(error))
                return None
            except (StoreError, AgentError, OSError) as error:
                log.warning("a run is collected later", channel=run.channel_id, run=run.run_id, why=str(error))
                fault = fault or f"run {run.run_id}: {error}"
            except Exception as error:
                log.exception("a run cannot be collected", channel=run.channel_id, run=run.run_id)
                fault = fault or f"run {run.run_id}: {error!r}"
        return fault

    async def _collect_or_drop(self, run: JournalRun) -> None:
        try:
            await self._collect(run)
        except BaseException:
            self._runs.pop((run.channel_id, run.run_id), None)
            raise

    def _hear(self) -> None:
        """Keeps each run's last heartbeat: what a killed sidecar could not write any more."""
        for report in self._watch.reports():
            status = report.status
            if status is None or self._collected(report.channel_id, status.run_id) is None:
                continue
            item = status.item
            if item is None and status.since_frame is None:
                continue
            begun = (None, None) if item is None else (item.item_id, item.started_frame)
            self._heard[report.channel_id, status.run_id] = Heard(
                status.frame, instant(status.at), status.since_frame, *begun
            )

    def _due(self) -> dict[tuple[str, str], int]:
        """How far the living sidecars themselves say that their journals go."""
        return {
            (report.channel_id, report.status.journal.run_id): report.status.journal.last_seq
            for report in self._watch.running()
            if report.status is not None
        }

    def _collected(self, channel_id: str, run_id: str) -> int | None:
        """None for a run that is complete."""
        if self._complete is not None and run_id in self._complete.get(channel_id, ()):
            return None
        collector = self._runs.get((channel_id, run_id))
        return 0 if collector is None else collector.seq

    def _tell(self, faults: Mapping[str | None, str | None]) -> None:
        """``asrun_behind`` for every channel that has had a fault for long; under None, one of the whole node.

        A fault that is None is not known: what was before stands.
        """
        now, before = self._clock.monotonic(), self._behind
        self._behind = {}
        for channel_id, why in faults.items():
            known = before.get(channel_id)
            if why is None and known is not None:
                self._behind[channel_id] = known
            elif why:
                self._behind[channel_id] = Behind(known.since if known else now, why)
        late = {
            channel_id: Wanted("warning", f"As-run records lie uncollected on {self._watch.name}: {behind.why}")
            for channel_id, behind in self._behind.items()
            if now - behind.since >= self._timing.asrun_alarm
        }
        self._alarms.want_of_node(_BEHIND, late, node_id=self._watch.node_id)

    def _has_all(self, run: JournalRun) -> bool:
        """The living sidecar itself says that there is no more than we have."""
        collector = self._runs.get((run.channel_id, run.run_id))
        if collector is None or not run.alive:
            return False
        statuses = [report.status for report in self._watch.of(run.channel_id) if report.exit is None]
        return any(
            status is not None and status.journal.run_id == run.run_id and status.journal.last_seq <= collector.seq
            for status in statuses
        )

    async def _completed(self) -> dict[str, set[str]]:
        complete: dict[str, set[str]] = {}
        async with self._store.read(timeout=self._timing.store) as tx:
            for row in await tx.as_run.runs():
                # What is gone from there need not be named to it.
                if row.complete and row.node_id == self._watch.node_id and row.journal_gone_at is None:
                    complete.setdefault(row.channel_id, set()).add(row.run_id)
        return complete

    async def _collect(self, run: JournalRun) -> None:
        collector = await self._collector(run)
        while True:
            page = await self._watch.agent.asrun(run.channel_id, run.run_id, collector.seq, PAGE)
            if page is None:
                return
            if page.lines:
                await self._write(collector, page)
            elif page.last_seq > collector.seq:
                self._broken(run, f"number {collector.seq + 1} is missing, there are records up to {page.last_seq}")
                return
            if not page.alive and collector.seq >= page.last_seq:
                await self._finish(collector)
                return
            if collector.seq >= page.last_seq or not page.lines:
                return

    async def _collector(self, run: JournalRun) -> RunCollector:
        key = (run.channel_id, run.run_id)
        known = self._runs.get(key)
        if known is not None:
            return known
        async with self._places, self._store.read(timeout=self._timing.store) as tx:
            seq = await tx.as_run.collected_seq(*key)
            rows = await tx.as_run.records(*key, seq - 1, 1) if seq else ()
            first = await tx.as_run.records(*key, 0, 1) if seq else ()
            open_events = await tx.as_run.open_events(RunKey(*key)) if seq else ()
            newest = await tx.as_run.last_event(RunKey(*key)) if seq else None
        last = _line(rows[0]) if rows else None
        projection = Projection(
            map(_event_row, open_events),
            _event_row(newest) if newest else None,
            predicts=bool(first) and _line(first[0]).record.predicts,
        )
        collector = RunCollector(run, seq, last, projection)
        self._runs[key] = collector
        return collector

    async def _write(self, collector: RunCollector, page: JournalPage) -> None:
        run = collector.run
        await self._check_chain(collector, page)
        records = [line.record for line in page.lines]
        events = collector.projection.add(records)
        rows = [_row(line) for line in page.lines]
        try:
            async with self._places, self._store.write(timeout=self._timing.store) as tx:
                key = RunKey(run.channel_id, run.run_id)
                seq = await tx.as_run.append(self._fence(), key, self._watch.node_id, records[0].epoch, rows, events)
                linked = await tx.as_run.link(key) if any(row.kind == "on_air" for row in rows) else None
                told = self._told(run, records[0].epoch, events, linked)
                await post_as_run(tx, told, self._clock.now())
        except JournalGap as gap:
            self._broken(run, str(gap))
            raise
        collector.seq = seq
        collector.last = page.lines[-1]
        self._publish(told)

    async def _finish(self, collector: RunCollector) -> None:
        run = collector.run
        if collector.last is None:
            # It died before its first record was whole: there is nothing to be written.
            self._forget(run)
            return
        key = RunKey(run.channel_id, run.run_id)
        events = collector.projection.end(collector.last.record, self._heard.get(key))
        epoch = collector.last.record.epoch
        async with self._places, self._store.write(timeout=self._timing.store) as tx:
            fence = self._fence()
            await tx.as_run.append(fence, key, self._watch.node_id, epoch, (), events)
            await tx.as_run.mark_complete(fence, key)
            linked = await tx.as_run.link_after(key, epoch)
            told = self._told(run, epoch, events, linked)
            await post_as_run(tx, told, self._clock.now())
        log.info("a run is complete in the as-run log", channel=run.channel_id, run=run.run_id, records=collector.seq)
        self._forget(run)
        self._publish(told)

    def _fence(self) -> Fence:
        fence = self._fence_now()
        if fence is None:
            raise NotLeader(0)
        return fence

    def _forget(self, run: JournalRun) -> None:
        assert self._complete is not None
        self._complete.setdefault(run.channel_id, set()).add(run.run_id)
        self._runs.pop((run.channel_id, run.run_id), None)
        self._heard.pop((run.channel_id, run.run_id), None)

    async def _check_chain(self, collector: RunCollector, page: JournalPage) -> None:
        before = collector.last or await self._tail_before(collector.run, page.lines[0].record)
        for line in page.lines:
            if before is not None and line.record.prev != chain_hash(before.line):
                self._broken(collector.run, f"record {line.record.seq} does not follow from the one before it")
            before = line

    async def _tail_before(self, run: JournalRun, first: AsRunRecord) -> JournalLine | None:
        """The last line of the run before, which the first of this one must follow; None where we cannot know it.

        A journal that begins anew (its older runs are gone with their disk) says so with ``GENESIS``.
        """
        if first.prev == GENESIS:
            return None
        async with self._store.read(timeout=self._timing.store) as tx:
            runs = await tx.as_run.runs(run.channel_id)
            older = [row for row in runs if row.epoch == first.epoch - 1 and row.node_id == self._watch.node_id]
            if len(older) != 1 or not older[0].complete:
                return None
            rows = await tx.as_run.records(run.channel_id, older[0].run_id, older[0].collected_seq - 1, 1)
        return _line(rows[0]) if rows else None

    def _broken(self, run: JournalRun, why: str) -> None:
        text = f"the as-run journal of run {run.run_id} was changed or is damaged: {why}"
        log.error("as-run chain broken", channel=run.channel_id, run=run.run_id, why=why)
        self._alarms.want((_BROKEN,), {_BROKEN: Wanted("critical", text)}, channel_id=run.channel_id)

    def _told(
        self, run: JournalRun, epoch: int, events: tuple[AsRunEventRow, ...], linked: AsRunEvent | None
    ) -> list[Aired]:
        """What is told of it. ``linked``: the next segment of an event that a failover broke, as it is in the store."""
        if self._records(run.channel_id):
            return []
        others = (it for it in events if linked is None or (linked.run_id, linked.seq) != (run.run_id, it.seq))
        told = [shown_of_run(event, run.channel_id, run.run_id, epoch) for event in others]
        return told if linked is None else [*told, shown(linked)]

    def _publish(self, told: Sequence[Aired]) -> None:
        for event in told:
            self._events.publish("asrun", event)


def _row(line: JournalLine) -> AsRunRow:
    record = line.record
    return AsRunRow(record.seq, record.kind, record.frame, instant_of(record.wall_ns), line.line.decode().rstrip("\n"))


def _line(row: AsRun) -> JournalLine:
    line = row.line.encode() + b"\n"
    return JournalLine(line, decode_line(line))


def _event_row(row: AsRunEvent) -> AsRunEventRow:
    return AsRunEventRow(**{name: getattr(row, name) for name in _EVENT_FIELDS})
