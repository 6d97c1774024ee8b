"""One channel's keeper: sees, decides, acts; once a second, and at once when something happened."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from db.models import Channel, Node
from sidecar.protocol.status import Status
from supervisor.agent.interface import SidecarReport
from supervisor.decisions.alarms import CHANNEL_ALARMS, Wanted, channel_alarms
from supervisor.decisions.by_hand import HandVerdict, judge
from supervisor.decisions.channel import decide
from supervisor.decisions.fencing import ServerPlace, as_fencing
from supervisor.decisions.observed import observe
from supervisor.decisions.phases import as_phase
from supervisor.decisions.placement import NodeFacts, candidates, choose_site
from supervisor.decisions.resume import Position
from supervisor.decisions.view import (
    Action,
    AgentState,
    Candidate,
    Decision,
    HandMove,
    MoveTo,
    OldSidecar,
    Place,
    Relocate,
    Stray,
    View,
)
from supervisor.live import Sight
from supervisor.loops.actions import Actions
from supervisor.loops.airwatch import AirWatch
from supervisor.loops.desk import Desk
from supervisor.loops.documents import server_place_of
from supervisor.loops.nodes import NodeWatch
from supervisor.loops.sight import position_of, sighting_of, skipped_of
from supervisor.schemas.channel import Desired

_WRITTEN: Final = (MoveTo, Place, Relocate)
"""Actions that are a transaction and nothing else: they are done in turns."""
_STEPS: Final = 12
"""Steps of the state machine in one pass."""
_LOOK: Final = 1.25
"""Seconds without news until a channel is looked at all the same; heartbeats come once a second."""
_LOOK_WHILE_ACTING: Final = 1.0
_LOOK_IN_QUEUE: Final = 3.0
"""The same while it waits for its turn, which wakes it as news does: a thousand that wait would hold up whose turn it
is."""
_ADOPTION_SHOWN: Final = 60.0


class ChannelKeeper:
    """Keeps one channel as people want it. Its passes belong to one task; everything else only wakes it."""

    def __init__(self, row: Channel, desk: Desk) -> None:
        self._desk = desk
        self._actions = self._make_actions(row, desk)
        self._wake = asyncio.Event()
        self._began = self._looked_at = desk.clock.monotonic()
        self._phase = (row.phase, row.epoch, self._began)
        self._adopts = row.epoch if row.phase == "running" else 0
        self._air = AirWatch(desk.clock)
        self._lease_over: tuple[int, float] | None = None
        self.by_hand: HandMove | None = None
        """Where a person wants it now. Whoever sets it waits for it, and takes it back."""

    def _make_actions(self, row: Channel, desk: Desk) -> Actions:
        return Actions(row, desk)

    def _show(self, sight: Sight) -> None:
        self._desk.live.show(sight)

    def _decide(self, view: View) -> Decision:
        return decide(view, self._desk.timing)

    def _alarms_of(self, view: View, decision: Decision) -> dict[str, Wanted]:
        return channel_alarms(view, decision, self._desk.timing)

    @property
    def row(self) -> Channel:
        return self._actions.row

    @property
    def actions(self) -> Actions:
        return self._actions

    @property
    def watch(self) -> NodeWatch | None:
        """Of the node it is placed on."""
        node_id = self.row.node_id
        return None if node_id is None else self._desk.watch_of(node_id)

    @property
    def report(self) -> SidecarReport | None:
        """The newest sidecar of an epoch that the row knows, on the node it is placed on."""
        row, watch = self.row, self.watch
        return None if watch is None else watch.newest(row.id, row.epoch)

    @property
    def on_air(self) -> Status | None:
        """The status of the row's sidecar while it lives and is on air."""
        return self._on_air(self.report)

    def _on_air(self, report: SidecarReport | None) -> Status | None:
        if report is None or report.exit is not None or report.status is None or report.epoch != self.row.epoch:
            return None
        return report.status if report.status.state == "on_air" else None

    @property
    def airing_watch(self) -> NodeWatch | None:
        """Of the node whose HLS is the channel's now: until a new sidecar enters the air, the old one's."""
        fencing = self.row.fencing_node_id if self.row.phase == "fencing" else None
        return self.watch if fencing is None else self._desk.watch_of(fencing)

    @property
    def renewed(self) -> tuple[str, Status] | None:
        """Whose lease is to be renewed: the node, and the last answer of what is on air there.

        In a move that is the old one as long as it is healthy: it stays on air until the new one is ready.
        """
        if self.row.phase == "fencing":
            old = self._old()
            status = self._old_on_air() if old is not None and old.healthy else None
            return (old.node_id, status) if old is not None and status is not None else None
        status = self.on_air
        return (self.row.node_id, status) if self.row.node_id is not None and status is not None else None

    def is_heard(self, within: float) -> bool:
        """Whether the row's sidecar answered in the last ``within`` seconds."""
        watch, report = self.watch, self.report
        if watch is None or report is None or report.epoch != self.row.epoch or report.exit is not None:
            return False
        age = watch.age(report)
        return age is not None and age <= within

    def note_lease(self, epoch: int, left: float, now: float) -> None:
        """Of a move with this epoch: by the database's clock every lease is over in ``left`` seconds from ``now``.

        By no more than a horizon, and not before our own clock says so too: the database's may be set meanwhile.
        """
        self._lease_over = (epoch, now + min(left, self._desk.timing.horizon))

    def placement(self) -> tuple[Candidate, ...]:
        """Every other node: whether the channel could be moved there, and why not."""
        return candidates(self.nodes(), self.row.node_id, self.row.engine)

    def judge_move(self, node_id: str | None) -> HandVerdict:
        """Whether it may be moved now because a person says so; ``node_id`` None: to the best node."""
        report = self.report
        return judge(self._view(self.watch, report, self._on_air(report), seeks=True), node_id)

    def wake(self) -> None:
        """Something happened: look at once."""
        self._wake.set()

    def update(self, row: Channel) -> None:
        """The row as somebody read it; one that is older than ours is no news."""
        if row.rev > self.row.rev:
            self._actions.row = row
            self.wake()

    def compare_list(self, revisions: Mapping[str, int]) -> None:
        """``revisions`` of all playlists that are played: what its sidecar was not given yet, it is given."""
        if self._actions.lacks(revisions):
            self.edited()

    def edited(self) -> None:
        """Its playlist was edited, or it plays another one now. The roster's next look would find it too."""
        self._actions.edited()
        self.wake()

    async def run(self) -> None:
        """Passes until cancelled."""
        try:
            while True:
                self._wake.clear()
                again = await self.pass_over()
                try:
                    async with asyncio.timeout(again):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            self._desk.turns.forgo(self.row.id)

    async def pass_over(self) -> float:
        """Sees, decides and acts until nothing is to be done now; in how many seconds to look again at the latest."""
        turns = self._desk.turns
        for _ in range(_STEPS):
            decision = self.look()
            self._actions.decided_on = self.row.rev
            if not any(isinstance(action, _WRITTEN) for action in decision.actions):
                turns.forgo(self.row.id)
                done = await self._all_done(decision)
            elif turns.take(self.row.id, self.wake):
                try:
                    done = await self._all_done(decision)
                finally:
                    turns.leave()
            else:
                return _LOOK_IN_QUEUE
            if not done:
                return _again_in(self.look())
            if not decision.actions:
                return _again_in(decision)
        self.wake()
        return _LOOK

    async def _all_done(self, decision: Decision) -> bool:
        for action in decision.actions:
            if not await self._done(action, decision):
                return False
        return True

    async def _done(self, action: Action, decision: Decision) -> bool:
        """Does it, and looks on meanwhile, however long a node or the store takes to answer."""
        doing = asyncio.ensure_future(self._actions.do(action, self._looked_at))
        try:
            while not (await asyncio.wait({doing}, timeout=_LOOK_WHILE_ACTING))[0]:
                self._look_on(decision)
        finally:
            if not doing.done():
                doing.cancel()
                await asyncio.wait({doing})
        return doing.result()

    def look(self) -> Decision:
        """Sees and decides without acting; shows it, and says what is to be alarmed."""
        desk, watch, report = self._desk, self.watch, self.report
        status = self._on_air(report)
        self._follow(report, status)
        view = self._view(watch, report, status)
        decision = self._decide(view)
        self._looked_at = view.now
        self._tell(view, decision, watch, report)
        desk.history.decision(self.row.id, decision.sentence if decision.kept is None else decision.kept)
        return decision

    def _look_on(self, decision: Decision) -> None:
        """What is seen now, while ``decision`` is being carried out; nothing new is decided."""
        watch, report = self.watch, self.report
        view = self._view(watch, report, self._on_air(report))
        self._tell(view, replace(decision, observed=observe(view, self._desk.timing)), watch, report)

    def _tell(self, view: View, decision: Decision, watch: NodeWatch | None, report: SidecarReport | None) -> None:
        """Shows what is seen and decided, and says what is to be alarmed."""
        desk = self._desk
        self._count_return(view, decision)
        self._air.note(view.desired, decision.observed)
        view = self._air.told(view)
        # While the store is away nobody can know who leads: then whoever sees a dark channel says so.
        if not view.why_not_leading or desk.leadership.store_fault:
            wanted = self._alarms_of(view, decision)
            desk.alarms.want(CHANNEL_ALARMS, wanted, channel_id=self.row.id)
        self._show(self._sight(view, decision, watch, report))

    def _count_return(self, view: View, decision: Decision) -> None:
        """Of an interruption that is over. Told by who leads, and not by everybody who sees it."""
        airs = self.row.node_id if view.phase in ("starting", "running") else None
        back = self._air.came_back(view.desired, decision.observed, airs)
        if back is not None and not view.why_not_leading and self._actions.owner_kind == "channel":
            self._desk.tally.back_on_air(self.row.id, back.seconds, elsewhere=back.elsewhere)

    def _follow(self, report: SidecarReport | None, status: Status | None) -> None:
        """Keeps up with the row and with what the sidecar says about itself; ``status`` while it is on air."""
        row, now = self.row, self._desk.clock.monotonic()
        if (row.phase, row.epoch) != self._phase[:2]:
            self._phase = (row.phase, row.epoch, now)
        if row.phase == "off" and row.desired == "off":
            self._actions.at_rest()
        if status is not None and row.phase in ("starting", "running"):
            self._actions.seen_on_air(status, position_of(status))
        old = self._old_on_air()
        if old is not None:
            self._actions.position = position_of(old) or self._actions.position
        self._follow_left()
        if report is not None and report.epoch == row.epoch and report.status is not None:
            notes = self._actions.of_epoch(row.epoch)
            notes.muted_at = now if notes.muted_at is None else notes.muted_at
        if report is not None and report.exit is not None and report.exit.item_id is not None:
            self._actions.went_on(report.exit.item_id)

    def _follow_left(self) -> None:
        """The last sidecar ended cleanly: its journal says where, to the frame, until another one is on air."""
        row = self.row
        watch = self.watch if row.phase != "fencing" else self._desk.watch_of(row.fencing_node_id or "")
        last = None if watch is None else watch.newest(row.id, row.epoch)
        left = None if last is None or last.exit is None else last.exit.left
        if left is not None:
            self._actions.position = Position(left.item_id, left.frame, left.at, left.rate)

    def _view(
        self, watch: NodeWatch | None, report: SidecarReport | None, status: Status | None, *, seeks: bool = False
    ) -> View:
        """``seeks``: with the nodes where it could be, whatever its state."""
        row, desk, actions = self.row, self._desk, self._actions
        # Each once: to ask a row for a value costs more than the value is worth, and every channel asks every second.
        node_id, epoch, phase = row.node_id, row.epoch, as_phase(row.phase)
        now = desk.clock.monotonic()
        of_this = actions.of_epoch(epoch)
        placed = desk.fleet.rows.get(node_id or "")
        old = self._old()
        agent: AgentState = "answers" if node_id is None else _agent_state(watch)
        leaves = placed is not None and placed.maintenance
        # A channel that plays where it answers asks for no other node, and costs nothing for those there are.
        seeks |= agent != "answers" or leaves or self.by_hand is not None
        seeks |= phase in ("placing", "blocked", "fencing")
        nodes = self.nodes() if seeks else ()
        server = server_place_of(row)
        return View(
            name=row.name,
            desired=_desired(row.desired),
            phase=phase,
            epoch=epoch,
            now=now,
            phase_for=now - self._phase[2],
            why_not_leading="" if desk.leadership.fence else desk.leadership.why_not,
            agent=agent,
            agent_name=placed.name if placed else node_id or "no node",
            node_id=node_id,
            site=choose_site(nodes, self._wanted_node(server, placed), node_id, row.engine),
            sighting=None
            if watch is None or report is None
            else sighting_of(report, watch.pulse(report), of_this.begins_with),
            restarts=actions.restarts,
            strays=self._strays(watch),
            muted_for=0.0 if of_this.muted_at is None else now - of_this.muted_at,
            armed_for=None if of_this.armed_at is None else now - of_this.armed_at,
            start_ordered=of_this.start_ordered,
            ended=of_this.ended,
            fault=of_this.fault,
            skipped=(*actions.skipped(), *(() if status is None else skipped_of(status))),
            off_air_for=self._air.off_air_for(now),
            unseen_for=self._air.unseen_for(now),
            was_on_air=self._air.was_on_air,
            adopted=self._adopts == epoch and now - self._began < _ADOPTION_SHOWN,
            list_changed=actions.list_changed,
            beginning=of_this.beginning,
            fencing=as_fencing(row.fenced_by if row.fencing_by is None else row.fencing_by),
            lease_left=self._lease_left(now),
            targets=candidates(nodes, node_id, row.engine),
            pinned=row.wanted_node_id is not None,
            vetoed_by=row.hold_failover_by or "an operator" if row.hold_failover else "",
            why_stay=desk.fleet.why_stay(row.fencing_node_id or node_id) if agent != "answers" else "",
            node_lost=placed is not None and placed.lost_at is not None,
            fresh=watch is not None and watch.is_fresh(desk.leadership.led_since),
            placed_now=of_this.term == desk.leadership.standing().term,
            server=server,
            leave_node="in maintenance" if leaves else "",
            old=old,
            elsewhere=self._elsewhere(),
            by_hand=self.by_hand,
        )

    def _lease_left(self, now: float) -> float | None:
        """None until the horizon was read for this very move: that of an earlier one says nothing about it."""
        if self._lease_over is None or self._lease_over[0] != self.row.epoch:
            return None
        over = max(self._lease_over[1], self._desk.leases.own_end(self.row.id))
        return over + self._desk.timing.fence_margin - now

    def _wanted_node(self, server: ServerPlace, placed: Node | None) -> str | None:
        """Where people want it: a failover that is held keeps it where it is, and so does its own node's server, which
        plays on until a stop is confirmed or that machine is dead."""
        row = self.row
        if server == "here" and row.node_id is not None and (placed is None or placed.lost_at is None):
            return row.node_id
        return row.wanted_node_id or (row.node_id if row.hold_failover else None)

    def nodes(self) -> Sequence[NodeFacts]:
        """All of them, as its placement sees them."""
        restarts, now = self._actions.restarts, self._desk.clock.monotonic()
        return self._desk.nodes_for(self.row, restarts.troubled(now, self._desk.timing.troubled))

    def _strays(self, watch: NodeWatch | None) -> tuple[int, ...]:
        """Other epochs that run on its node, but for one that a move is being made sure of there."""
        if watch is None:
            return ()
        return tuple(it.epoch for it in watch.of(self.row.id) if it.exit is None and it.epoch != self.row.epoch)

    def _old(self) -> OldSidecar | None:
        """In a move: what is known of the sidecar that is left behind."""
        row, node_id = self.row, self.row.fencing_node_id
        if node_id is None:
            return None
        known = self._desk.fleet.rows.get(node_id)
        name, watch = known.name if known else node_id, self._desk.watch_of(node_id)
        lost = known is not None and known.lost_at is not None
        if watch is None:
            return OldSidecar(node_id, name, "undriven", lost=lost)
        living = [it for it in watch.of(row.id) if it.exit is None and it.epoch < row.epoch]
        # A container engine that does not answer confirms nothing.
        sure = watch.condition is not None and not watch.condition.engine_fault
        healthy = watch.state == "answers" and any(
            it.status is not None and it.status.state == "on_air" and watch.pulse(it).misses == 0 for it in living
        )
        state = watch.state if sure else "away"
        if state == "answers" and not living and not watch.is_fresh(self._desk.leadership.led_since):
            # Absence in an old report is no absence.
            state = "unseen"
        return OldSidecar(node_id, name, state, tuple(it.epoch for it in living), healthy, lost)

    def _old_on_air(self) -> Status | None:
        """In a move: the last answer of the old sidecar while that is on air."""
        node_id = self.row.fencing_node_id if self.row.phase == "fencing" else None
        watch = None if node_id is None else self._desk.watch_of(node_id)
        reports = () if watch is None else watch.of(self.row.id)
        living = [
            it.status for it in reports if it.exit is None and it.epoch < self.row.epoch and it.status is not None
        ]
        return next((status for status in living if status.state == "on_air"), None)

    def _elsewhere(self) -> tuple[Stray, ...]:
        row, channel_id = self.row, self.row.id
        known = [watch for watch in self._desk.fleet.watches.values() if channel_id in watch.channels]
        spared = (row.node_id, row.fencing_node_id if row.phase == "fencing" else None)
        return tuple(
            Stray(watch.node_id, watch.name, report.epoch)
            for watch in known
            if watch.node_id not in spared and watch.state == "answers"
            for report in watch.of(channel_id)
            if report.exit is None
        )

    def _sight(self, view: View, decision: Decision, watch: NodeWatch | None, report: SidecarReport | None) -> Sight:
        if view.old is not None and view.old.healthy:
            # Until the new one enters the air, the old one is what airs.
            watch = self._desk.watch_of(view.old.node_id)
            report = None if watch is None else next((it for it in watch.of(self.row.id) if it.exit is None), None)
        alive = report is not None and report.exit is None and report.epoch <= view.epoch and view.phase != "off"
        status = report.status if report is not None and alive else None
        return Sight(
            channel_id=self.row.id,
            desired=view.desired,
            phase=view.phase,
            observed=decision.observed,
            epoch=view.epoch,
            node_id=self.row.node_id,
            node_name=view.agent_name if self.row.node_id else None,
            decision=decision.sentence,
            status=status,
            age_s=watch.age(report) if watch and report and alive else None,
            beats_ms=watch.beats(self.row.id) if watch and alive else (),
            off_air_since=self._air.off_air_at,
            playlist_revision=self._actions.given_revision or (status.playlist_revision if status else 0),
        )


def _again_in(decision: Decision) -> float:
    return _LOOK if decision.again_in is None else min(decision.again_in, _LOOK)


def _agent_state(watch: NodeWatch | None) -> AgentState:
    return "undriven" if watch is None else watch.state


def _desired(text: str) -> Desired:
    return "on" if text == "on" else "off"
