"""Puts the loops together. The only thing an application needs of them."""

import asyncio
import random
from collections.abc import Iterable
from typing import Final

import structlog

from db.models import Channel
from db.store import Store
from supervisor.agent.interface import NodeAgent
from supervisor.alarms import AlarmBoard
from supervisor.clock import Clock
from supervisor.commands import Commands
from supervisor.decisions.alarms import Wanted
from supervisor.decisions.placement import NodeFacts
from supervisor.decisions.timing import Timing
from supervisor.events import Events
from supervisor.live import LiveBoard
from supervisor.loops.collection import Collection
from supervisor.loops.desk import Desk
from supervisor.loops.leadership import Leadership, Standing
from supervisor.loops.nodes import NodeWatch
from supervisor.loops.roster import Roster
from supervisor.nursery import Nursery

log = structlog.get_logger(__name__)

_STORE: Final = ("store_unavailable",)
_UNKNOWN: Final = ("unknown_sidecar",)
_FAULT: Final = ("supervisor_fault",)
_NODE: Final = ("node_away",)
_FAULT_SHOWN: Final = 60.0
"""Seconds after which a task of ours that failed and was begun anew counts as well again."""


class Supervision:
    """Everything that keeps channels on air. ``run`` until cancelled; what plays, plays on.

    ``agent`` is that of the node ``node_id``, named ``node_name``. ``holder`` names this supervisor (its boot id),
    ``address`` is where commands reach it. On SQLite the caller holds the lock on the store's file: there is no other
    supervisor, and the lease is taken at once.
    """

    def __init__(
        self,
        *,
        store: Store,
        agent: NodeAgent,
        events: Events,
        clock: Clock,
        holder: str,
        address: str,
        node_id: str,
        node_name: str,
        timing: Timing | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self._store = store
        self._agent = agent
        self._events = events
        self._clock = clock
        self._timing = timing or Timing()
        self._watch = NodeWatch(node_id, node_name, agent, clock, self._timing, self._news)
        self._faults: dict[str, tuple[float, str]] = {}
        self._nursery = Nursery(clock, self._task_failed)
        self._roster = Roster(store, self._nursery)
        self._leadership = Leadership(
            store,
            clock,
            self._timing,
            holder=holder,
            address=address,
            seize=store.dialect == "sqlite",
            taken=self._term_begins,
        )
        self._alarms = AlarmBoard(
            store, events, clock, self._leadership, changed=lambda channel_id: self._roster.wake((channel_id,))
        )
        self.live = LiveBoard(events, clock, self._alarms.count)
        self._desk = Desk(
            store=store,
            clock=clock,
            timing=self._timing,
            leadership=self._leadership,
            alarms=self._alarms,
            live=self.live,
            random=chance or random.Random(),  # noqa: S311 - spreads restarts, guards nothing
            watch_of=self._watch_of,
            nodes_for=self._nodes_for,
        )
        self._roster.use(self._desk)
        self.commands = Commands(self._desk, self._roster, alone=store.dialect == "sqlite")

    async def run(self) -> None:
        """Leads, watches, decides, collects; returns only by cancellation, and then touches no sidecar."""
        try:
            self._nursery.keep("leadership", self._leadership.run)
            self._nursery.keep("alarms", self._alarms.run)
            self._nursery.keep("levels of this supervisor", self._tell_levels)
            collection = Collection(
                self._watch,
                self._store,
                self._events,
                self._alarms,
                self._clock,
                self._timing,
                lambda: self._leadership.fence,
            )
            self._nursery.keep("watching the node", self._watch.run)
            self._nursery.keep("roster", self._roster.run)
            self._nursery.keep("as-run", lambda: collection.run(lambda: self._leadership.fence is not None))
            await asyncio.Event().wait()
        finally:
            await self._nursery.close()
            await self._leadership.release()

    def standing(self) -> Standing:
        """Who leads, as far as this supervisor knows."""
        return self._leadership.standing()

    def rows(self) -> tuple[Channel, ...]:
        """Every channel as it was last read: known also while the store is away."""
        return tuple(keeper.row for keeper in self._roster.keepers.values())

    def row(self, channel_id: str) -> Channel | None:
        """One channel as it was last read."""
        keeper = self._roster.keepers.get(channel_id)
        return None if keeper is None else keeper.row

    def node_answer_age_ms(self, node_id: str) -> int | None:
        """Since the node's agent last answered; None when it never did."""
        watch = self._watch_of(node_id)
        age = None if watch is None else watch.answer_age()
        return None if age is None else round(age * 1000)

    def _watch_of(self, node_id: str | None) -> NodeWatch | None:
        return self._watch if node_id in (None, self._watch.node_id) else None

    def _nodes_for(self, channel_id: str) -> tuple[NodeFacts, ...]:
        return self._roster.nodes_for(channel_id, self._watch.node_id)

    def _news(self, channel_ids: Iterable[str] | None) -> None:
        self._roster.wake(None if channel_ids is None else tuple(channel_ids))

    def _term_begins(self) -> None:
        self._roster.wake()
        self._alarms.wake()

    def _task_failed(self, name: str, error: Exception) -> None:
        self._faults[name] = (self._clock.monotonic(), repr(error))

    async def _tell_levels(self) -> None:
        """What concerns no single channel, once a second."""
        while True:
            fault = self._leadership.store_fault
            text = f"Playout goes on, but nothing can be started or changed: {fault}"
            self._alarms.want(_STORE, {_STORE[0]: Wanted("critical", text)} if fault else {})
            since = self._clock.monotonic() - _FAULT_SHOWN
            self._faults = {name: fault for name, fault in self._faults.items() if fault[0] > since}
            failed = "; ".join(f"{name}: {error}" for name, (_, error) in sorted(self._faults.items()))
            self._alarms.want(_FAULT, {_FAULT[0]: Wanted("warning", f"Tried again after: {failed}")} if failed else {})
            self._tell_node()
            await self._clock.sleep(self._timing.poll)

    def _tell_node(self) -> None:
        watch = self._watch
        away = watch.state == "away"
        text = f"The agent of {watch.name} does not answer; its channels are left alone"
        self._alarms.want(_NODE, {_NODE[0]: Wanted("critical", text)} if away else {}, node_id=watch.node_id)
        if not self._roster.is_read or away:
            return
        strangers = [report for report in watch.running() if report.channel_id not in self._roster.keepers]
        named = ", ".join(f"process {report.pid} of channel {report.channel_id}" for report in strangers)
        text = f"Sidecars run that no channel knows; they are left alone: {named}"
        self._alarms.want(_UNKNOWN, {_UNKNOWN[0]: Wanted("warning", text)} if named else {}, node_id=watch.node_id)
