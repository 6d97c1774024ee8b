"""Which recorders there are: rows and schedules read once a second, a keeper for each, and schedules carried out."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import structlog

from db.errors import NotLeader, PortTaken, StaleRev, StoreError
from db.models import Recorder, Schedule
from db.repositories.ports import PortWanted
from db.store import Store
from supervisor.decisions.alarms import Wanted
from supervisor.loops.desk import Desk
from supervisor.loops.looks import Look
from supervisor.loops.outputs import ports_on
from supervisor.loops.recorder import RecorderKeeper
from supervisor.nursery import Nursery
from supervisor.recorder_board import RecorderBoard
from supervisor.schedules.planning import Plan, jobs_of, plan_of
from supervisor.schedules.reserving import renew_reservations
from supervisor.schedules.stored import planned
from supervisor.schedules.windows import Planned

log = structlog.get_logger(__name__)

SCHEDULE_ALARMS: Final = ("schedule_blocked", "schedule_late")
_LATE: Final = 2.0
"""Seconds after which a window that begins late says so."""


_KEEP_EVERY: Final = 3600.0
"""Seconds; plans reach weeks ahead."""


class RecorderRoster:
    """Every recorder's keeper. Belongs to one event loop."""

    def __init__(self, store: Store, nursery: Nursery) -> None:
        self._store = store
        self._nursery = nursery
        self._keepers: dict[str, RecorderKeeper] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._late: dict[str, tuple[str, Wanted]] = {}
        """By recorder: the window that began late, and how it is told."""
        self._blocked: dict[str, Wanted] = {}
        self._kept: float | None = None
        """When ports were last kept, on our monotonic clock."""
        self.look = Look()
        """The reading that is under way."""
        self._desk: Desk
        self._board: RecorderBoard
        self.are_any: Callable[[], bool] = lambda: True
        """Whether there is a recorder, as somebody knows who reads anyway: most stations have none."""

    def use(self, desk: Desk, board: RecorderBoard) -> None:
        """Once, before anything else."""
        self._desk, self._board = desk, board

    @property
    def keepers(self) -> Mapping[str, RecorderKeeper]:
        return self._keepers

    def placed(self) -> Iterable[str | None]:
        """The node of each."""
        return tuple(keeper.row.node_id for keeper in self._keepers.values())

    def wake(self, ids: Iterable[str] | None = None) -> None:
        """Something happened to these; None: to all."""
        for recorder_id in self._keepers if ids is None else ids:
            keeper = self._keepers.get(recorder_id)
            if keeper is not None:
                keeper.wake()

    async def run(self) -> None:
        """Reads and carries out once a second until cancelled."""
        while True:
            try:
                await self.read()
            except NotLeader as error:
                self._desk.leadership.lost(str(error))
            except StoreError as error:
                log.warning("recorders cannot be read", why=str(error))
            await self._desk.clock.sleep(self._desk.timing.poll)

    async def read(self) -> None:
        """Rows and schedules in one view, and what follows from them. Raises StoreError."""
        if not self._keepers and not self.are_any():
            return
        rows, schedules = await self.look.take(self._view)
        for row in rows:
            keeper = self.update(row)
            mine = [planned(one) for one in schedules if one.recorder_id == row.id]
            await self._carry_out(keeper, mine)
        if schedules:
            await self._keep_ports()
        for recorder_id in self._keepers.keys() - {row.id for row in rows}:
            self.remove(recorder_id)

    async def _view(self) -> tuple[Sequence[Recorder], Sequence[Schedule]]:
        async with self._store.read(timeout=self._desk.timing.store) as tx:
            rows = await tx.recorders.list()
            return rows, await tx.schedules.list() if rows else ()

    async def _keep_ports(self) -> None:
        """What comes into sight with time is kept, too; who changes a plan keeps ports himself."""
        fence, now = self._desk.leadership.fence, self._desk.clock.monotonic()
        if fence is None or (self._kept is not None and now - self._kept < _KEEP_EVERY):
            return
        async with self._store.write(timeout=self._desk.timing.store) as tx:
            await tx.leader.require(fence)
            await renew_reservations(tx, self._desk.clock.now())
        self._kept = now

    def update(self, row: Recorder) -> RecorderKeeper:
        """The row as somebody read it; a keeper begins with the first."""
        keeper = self._keepers.get(row.id)
        if keeper is None:
            keeper = RecorderKeeper(row, self._desk, self._board)
            self._keepers[row.id] = keeper
            self._tasks[row.id] = self._nursery.keep(f"recorder {row.name}", keeper.run)
        else:
            keeper.take_row(row)
        return keeper

    def remove(self, recorder_id: str) -> None:
        """It was deleted, which it can be only when it is off."""
        keeper = self._keepers.pop(recorder_id, None)
        if keeper is None:
            return
        for watch in self._desk.fleet.watches.values():
            watch.forget_channel(recorder_id)
        self._tasks.pop(recorder_id).cancel()
        self._board.forget(recorder_id)
        self._desk.tally.forget(recorder_id)
        self._desk.history.forget_channel(recorder_id)
        self._desk.alarms.forget_channel(recorder_id)
        self._late.pop(recorder_id, None)
        self._blocked.pop(recorder_id, None)

    async def _carry_out(self, keeper: RecorderKeeper, schedules: Sequence[Planned]) -> None:
        now, row = self._desk.clock.now(), keeper.recorder
        plan = plan_of(schedules, now)
        by_person = row.wanted_by == "person"
        jobs = jobs_of(row.id, plan, by_person=by_person and row.desired == "on")
        if jobs or row.desired == "off":
            # Until it is off, what still comes after the last window belongs to that.
            keeper.give_jobs(jobs)
        if self._desk.leadership.fence is None:
            return
        held = row.held_until is not None and now < row.held_until
        if plan.active is None:
            self._late.pop(row.id, None)
            self._blocked.pop(row.id, None)
        if plan.active is not None and row.desired == "off" and not held:
            await self._begin(keeper, plan)
        elif plan.active is None and row.desired == "on" and not by_person:
            await self._want(keeper, "off")
        wanted: dict[str, Wanted] = {}
        if row.id in self._blocked:
            wanted["schedule_blocked"] = self._blocked[row.id]
        if row.id in self._late:
            wanted["schedule_late"] = self._late[row.id][1]
        self._desk.alarms.want(SCHEDULE_ALARMS, wanted, channel_id=row.id)

    async def _begin(self, keeper: RecorderKeeper, plan: Plan) -> None:
        active, row = plan.active, keeper.recorder
        if active is None:
            return
        try:
            await self._want(keeper, "on")
        except PortTaken as error:
            text = f"{row.name} should record {active.window.title} and cannot: {error}"
            self._blocked[row.id] = Wanted("critical", text)
            return
        self._blocked.pop(row.id, None)
        keeper.give_jobs(jobs_of(row.id, plan, by_person=False))
        late = (self._desk.clock.now() - active.first).total_seconds()
        if late > _LATE:
            text = f"{row.name} begins {active.window.title} {late:.0f} s late"
            self._late[row.id] = (active.job_id, Wanted("warning", text))
            self._desk.history.decision(row.id, text)
            log.warning("a window begins late", recorder=row.name, title=active.window.title, seconds=round(late))

    async def _want(self, keeper: RecorderKeeper, desired: str) -> None:
        """As a schedule. Raises PortTaken, StoreError."""
        row, desk = keeper.recorder, self._desk
        claims = self.claims_of(row) if desired == "on" else ()
        try:
            async with self._store.write(timeout=desk.timing.store) as tx:
                changed = await tx.recorders.set_desired(
                    row.id, row.rev, desired, claims, desk.clock.now(), by="schedule"
                )
        except StaleRev:
            return  # somebody changed it: the next look decides anew
        self.update(changed)
        keeper.wake()

    def claims_of(self, row: Recorder) -> tuple[PortWanted, ...]:
        """The DeckLink port that a start of it takes, on the node that people want it on."""
        if row.device_index is None or row.wanted_node_id is None:
            return ()
        watch = self._desk.watch_of(row.wanted_node_id)
        devices = () if watch is None or watch.condition is None else watch.condition.devices
        return ports_on(row.wanted_node_id, (row.device_index,), devices)
