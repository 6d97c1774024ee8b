"""Puts the loops together. The only thing an application needs of them."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Final

import structlog

from db.elector import Elector
from db.elector import elector as elector_of
from db.models import Channel, Node, Recorder
from db.repositories.leader import Fence
from db.store import Store
from supervisor.agent.interface import AgentAway, NodeAgent
from supervisor.ahead.standing import NodeClock
from supervisor.alarms import AlarmBoard
from supervisor.clock import Clock
from supervisor.commands import Commands
from supervisor.control import Controls
from supervisor.decisions.alarms import Wanted
from supervisor.decisions.by_hand import HandVerdict
from supervisor.decisions.timing import Timing
from supervisor.decisions.view import Candidate
from supervisor.errors import NotFound, Unavailable
from supervisor.events import Events
from supervisor.history import History
from supervisor.live import UNDRIVEN, LiveBoard, NodeSeen
from supervisor.loops.collection import PLACES, Collection
from supervisor.loops.desk import Desk
from supervisor.loops.fleet import AgentSource, Fleet
from supervisor.loops.leadership import Leadership, Standing
from supervisor.loops.leases import Leases
from supervisor.loops.list_ends import ListEnds
from supervisor.loops.media import MediaWatch
from supervisor.loops.node_alarms import NodeAlarms
from supervisor.loops.nodes import NodeWatch
from supervisor.loops.recorder_roster import RecorderRoster
from supervisor.loops.roster import Roster
from supervisor.loops.what_if import Outlook, outlook
from supervisor.nursery import Nursery
from supervisor.recorder_board import RecorderBoard
from supervisor.recorder_commands import RecorderCommands
from supervisor.tally import Tally

log = structlog.get_logger(__name__)

SUPERVISOR_ALARMS: Final = ("store_unavailable", "mass_silence", "supervisor_fault")
_STORE: Final = SUPERVISOR_ALARMS[:1]
_SILENCE: Final = SUPERVISOR_ALARMS[1:2]
_FAULT: Final = SUPERVISOR_ALARMS[2:]
_FAULT_SHOWN: Final = 60.0
"""Seconds after which a task of ours that failed and was begun anew counts as well again."""


class Supervision:
    """Everything that keeps channels on air. ``run`` until cancelled; what plays, plays on.

    ``agents`` are those of all nodes in the store. ``holder`` names this supervisor (its boot id), ``address`` is where
    commands reach it. On SQLite the caller holds the lock on the store's file: there is no other supervisor, and the
    lease is taken at once.
    """

    def __init__(
        self,
        *,
        store: Store,
        agents: AgentSource,
        events: Events,
        clock: Clock,
        holder: str,
        address: str,
        timing: Timing | None = None,
        chance: random.Random | None = None,
        elector: Elector | None = None,
    ) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._timing = timing or Timing()
        self._faults: dict[str, tuple[float, str]] = {}
        self.tally = Tally()
        self._nursery = Nursery(clock, self._task_failed)
        self._media = MediaWatch()
        self._list_ends = ListEnds()
        self._collecting = asyncio.Semaphore(PLACES)
        self._collections: dict[str, Collection] = {}
        self._leases = Leases()
        self._roster = Roster(store, self._nursery, self._media)
        self._recorders = RecorderRoster(store, self._nursery)
        self._roster.others_placed = self._recorders.placed
        self._recorders.are_any = lambda: self._roster.are_recorders
        self._leadership = Leadership(
            elector or elector_of(store, timeout=self._timing.store),
            clock,
            self._timing,
            holder=holder,
            address=address,
            taken=self._term_begins,
        )
        self.alarms = self._alarms = AlarmBoard(
            store,
            events,
            clock,
            self._leadership,
            changed=lambda channel_id: self._wake((channel_id,)),
            is_recorder=lambda id_: id_ in self._recorders.keepers,
        )
        self.history = self._history = History(store, clock, lambda: self._leadership.fence)
        self._fleet = Fleet(
            agents,
            clock,
            self._timing,
            self._nursery,
            news=self._wake,
            leases=self._leases.round_for,
            refused=self._leadership.refused,
            led_since=lambda: self._leadership.led_since,
            watching=self._begin_collecting,
        )
        self._nodes_told = NodeAlarms(
            self._fleet, self._alarms, self._history, store, self._timing, lambda: self._leadership.fence
        )
        self.controls = Controls(clock, lambda: self._leadership.standing().term, self._control_changed)
        self.live = LiveBoard(events, clock, self._alarms.count, self.controls.of)
        self._desk = Desk(
            store=store,
            clock=clock,
            timing=self._timing,
            leadership=self._leadership,
            alarms=self._alarms,
            live=self.live,
            history=self._history,
            fleet=self._fleet,
            leases=self._leases,
            random=chance or random.Random(),  # noqa: S311 - spreads restarts, guards nothing
            keepers=self._roster.keepers.values,
            keeper_of=self._roster.keeper_of,
            outputs_of=self._roster.outputs_of,
            nodes_for=self._roster.nodes_for,
            tally=self.tally,
        )
        for part in (self._roster, self._leases, self._media, self._list_ends):
            part.use(self._desk)
        self.recorders_live = RecorderBoard(events, clock, self._alarms.count)
        self._recorders.use(self._desk, self.recorders_live)
        self.recorders = RecorderCommands(self._desk, self._recorders)
        self.commands = Commands(self._desk, self._roster, alone=store.dialect == "sqlite")

    def keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Runs ``work`` as a task of this supervisor's: after an error again, with an alarm, and never its end."""
        self._nursery.keep(name, work)

    def alarm_acknowledged(self, code: str, channel_id: str | None, node_id: str | None) -> None:
        """Somebody has seen it, as the store knows already."""
        self._alarms.acknowledged(code, channel_id, node_id)

    async def run(self) -> None:
        """Leads, watches, decides, collects; returns only by cancellation, and then touches no sidecar."""
        try:
            self._nursery.keep("leadership", self._leadership.run)
            self._nursery.keep("alarms", self._alarms.run)
            self._nursery.keep("history", self._history.run)
            self._nursery.keep("levels of this supervisor", self._tell_levels)
            self._nursery.keep("whether this supervisor stood still", self._fleet.run)
            self._nursery.keep("roster", self._roster.run)
            self._nursery.keep("recorders", self._recorders.run)
            self._nursery.keep("leases", self._leases.run)
            self._nursery.keep("media on the nodes", self._media.run)
            self._nursery.keep("ends of lists", self._list_ends.run)
            self._nursery.keep("control of channels", self.controls.run)
            await asyncio.Event().wait()
        finally:
            await self._nursery.close()
            await self._leadership.close()

    @property
    def fence(self) -> Fence | None:
        """What a leader's write must carry; None while this supervisor does not lead."""
        return self._leadership.fence

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

    def nodes(self) -> tuple[tuple[Node, NodeWatch | None], ...]:
        """Every node as it was last read, with its watch; None: it takes no orders from this supervisor."""
        return tuple((row, self._fleet.watches.get(row.id)) for row in self._fleet.rows.values())

    def recorder_rows(self) -> tuple[Recorder, ...]:
        """Every recorder as it was last read."""
        return tuple(keeper.recorder for keeper in self._recorders.keepers.values())

    def journal_lag(self) -> dict[str, int]:
        """By channel, of those on air: as-run records that are not collected. Empty while another collects."""
        lags: Counter[str] = Counter()
        for node_id, collection in self._collections.items():
            if node_id in self._fleet.watches and self._leadership.fence is not None:
                lags.update(collection.lag())
        return lags

    def missed(self) -> dict[str, int]:
        """By channel: polls that its sidecars did not answer well, since this supervisor watches their nodes."""
        missed: Counter[str] = Counter()
        for watch in self._fleet.watches.values():
            missed.update(watch.missed)
        for recorder_id in self._recorders.keepers:
            missed.pop(recorder_id, None)
        return missed

    def now(self) -> datetime:
        """By this supervisor's wall clock."""
        return self._clock.now()

    @property
    def store_fault(self) -> str:
        """Why the store cannot be used; empty while it can."""
        return self._leadership.store_fault

    def node_seen(self, node_id: str) -> NodeSeen:
        """A node as this supervisor sees it; one that takes no orders from it says so."""
        watch = self._fleet.watches.get(node_id)
        if watch is None:
            return UNDRIVEN
        state = "foreign" if watch.foreign else "other_cluster" if watch.other_cluster else watch.state
        return NodeSeen(
            state, watch.answer_age(), watch.offset_s, watch.condition, watch.fault, watch.foreign,
            watch.certificate, watch.is_encrypted,
        )  # fmt: skip

    def agent_of(self, node_id: str) -> NodeAgent | None:
        """Who takes this supervisor's orders there; None where nobody does."""
        watch = self._fleet.watches.get(node_id)
        return None if watch is None else watch.agent

    def clocks(self) -> tuple[NodeClock, ...]:
        """Of the nodes that answer."""
        return tuple(
            NodeClock(watch.node_id, watch.name, watch.offset_s)
            for watch in self._fleet.watches.values()
            if watch.state == "answers" and watch.offset_s is not None
        )

    def why_stay(self, node_id: str) -> str:
        """Why nothing would be moved now off this node if it did not answer; empty where it would be."""
        return self._fleet.why_stay(node_id)

    def placement(self, channel_id: str) -> tuple[Candidate, ...]:
        """Every other node than where the channel is: whether it could be moved there, and why not."""
        keeper = self._roster.keepers.get(channel_id)
        return () if keeper is None else keeper.placement()

    def judge_move(self, channel_id: str) -> HandVerdict:
        """Where the channel would go if a person moved it now, or why it may not be moved."""
        keeper = self._roster.keepers.get(channel_id)
        return HandVerdict(None, "it is not watched yet") if keeper is None else keeper.judge_move(None)

    def what_if(self, node_id: str) -> Outlook:
        """What would become of a node's channels and recorders if its machine died now."""
        channels, recorders = self._roster.keepers.values(), self._recorders.keepers.values()
        return outlook(node_id, channels, recorders, self._roster.nodes_at_large(), self._fleet.away())

    async def live_file(self, channel_id: str, path: str) -> bytes:
        """A file of the channel's HLS, from the node where its newest epoch is; of a channel that is off, from whoever
        has it still.

        Raises NotFound, and Unavailable while that node does not answer.
        """
        keeper = self._roster.keepers.get(channel_id)
        airing = None if keeper is None else keeper.airing_watch
        watches = (airing,) if airing is not None else tuple(self._fleet.watches.values())
        silent = ""
        for watch in watches:
            try:
                return await watch.agent.live_file(channel_id, path)
            except FileNotFoundError:
                continue
            except AgentAway as error:
                silent = f"node {watch.name}, where it may be, does not answer: {error}"
        if silent:
            raise Unavailable(silent)
        raise NotFound(f"channel {channel_id} has no {path}")

    def _wake(self, ids: Iterable[str] | None = None) -> None:
        """Something happened to these channels and recorders; None: to all."""
        told = None if ids is None else tuple(ids)
        self._roster.wake(told)
        self._recorders.wake(told)

    def _begin_collecting(self, watch: NodeWatch) -> tuple[asyncio.Task[None], ...]:
        collection = Collection(
            watch,
            self._store,
            self._events,
            self._alarms,
            self._clock,
            self._timing,
            lambda: self._leadership.fence,
            self._collecting,
            lambda channel_id: channel_id in self._recorders.keepers,
        )
        self._collections[watch.node_id] = collection
        return (self._nursery.keep(f"as-run of {watch.name}", collection.run),)

    def _control_changed(self, channel_id: str) -> None:
        self.live.look_again(channel_id)

    def _term_begins(self) -> None:
        standing = self._leadership.standing()
        self._history.leader(f"this supervisor at {standing.address} leads, term {standing.term}")
        self._roster.look.anew()
        self._recorders.look.anew()
        self._wake()
        self._alarms.wake()

    def _task_failed(self, name: str, error: Exception) -> None:
        self._faults[name] = (self._clock.monotonic(), repr(error))
        self.tally.task_faults += 1

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
            silence = self._fleet.mass_silence()
            self._alarms.want(_SILENCE, {_SILENCE[0]: Wanted("critical", silence)} if silence else {})
            if self._roster.is_read:
                await self._nodes_told.tell(self._roster.keepers)
            self.tally.passes += 1
            await self._clock.sleep(self._timing.poll)
