"""Carries out what was decided about one channel, and remembers what the row does not."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, assert_never
from uuid import uuid4

import msgspec
import structlog

from db.errors import Missing, NotLeader, StaleRev, StoreError
from db.models import Channel
from db.repositories.leader import Fence
from db.transaction import Transaction
from sidecar.protocol.channel import Look, Output, Rate, ResumePoint, SidecarDocument
from sidecar.protocol.outputs import look_digest, outputs_digest
from sidecar.protocol.status import Status
from supervisor.agent.interface import (
    AgentAway,
    AgentError,
    Arm,
    NotRunning,
    Order,
    Replace,
    SetOutputs,
    SidecarRefused,
    StaleEpoch,
    StaleTerm,
    StartOrder,
    StopOrder,
)
from supervisor.decisions.fencing import as_fencing, fencing_of_engine, fencing_of_output, strictest
from supervisor.decisions.phases import as_phase, check_transition
from supervisor.decisions.restarts import Restarts
from supervisor.decisions.resume import Beginning, Position, beginning, said_at_arming
from supervisor.decisions.view import (
    Action,
    ArmNow,
    End,
    GiveList,
    MoveTo,
    NoteFailure,
    Place,
    Relocate,
    Start,
    StartToEnd,
)
from supervisor.loops.desk import Desk
from supervisor.loops.documents import Material, document_of, look_of, read_material
from supervisor.loops.nodes import NodeWatch
from supervisor.loops.notes import MOVES, STAY, EpochNotes, Given, Holds, Placing, beside
from supervisor.loops.outputs import OutputNeeds, needs_of, ports_on
from supervisor.principal import SYSTEM
from supervisor.schemas.channel import Phase

log = structlog.get_logger(__name__)

_RAISES: Final = 1000
"""How far a row's epoch is raised at once over what its node has seen (a store restored from a backup)."""
_ARM: Final = 4.0
"""Seconds for the answer to an arm order, which comes with the first frame."""


class _Doubted(Exception):
    """What was decided is void: this supervisor stood still after it had looked."""


class Actions:
    """For one channel and one task. ``row`` is the newest we know."""

    def __init__(self, row: Channel, desk: Desk) -> None:
        self.row = row
        self.restarts = Restarts()
        self.position = _stored_position(row)
        self.list_changed = row.phase in ("starting", "running")
        self._compares_only = self.list_changed
        """For a sidecar that we found: it is given its list only if it holds another revision than the store."""
        self._given: Given | None = None
        self.started_by = SYSTEM.name
        self.stopped_by = SYSTEM.name
        self.decided_on = row.rev
        """The rev of the row that what is being done was decided on."""
        self._desk = desk
        self._notes = EpochNotes(row.epoch)
        self._titles: dict[str, str] = {}
        self._left_out: frozenset[str] = frozenset()

    @property
    def given_revision(self) -> int:
        """Of the list that its sidecar was given; 0 before."""
        return 0 if self._given is None else self._given.revision

    def of_epoch(self, epoch: int) -> EpochNotes:
        """Notes on the row's epoch; a new one begins without any."""
        if self._notes.epoch != epoch:
            self._notes = EpochNotes(epoch)
        return self._notes

    def skipped(self) -> tuple[str, ...]:
        """One sentence for every item that is kept off because it brought the engine down."""
        return tuple(
            f"{self._titles.get(item, item)} brought the engine down {self.restarts.brought_down[item]} times: "
            f"{'left out of the list' if item in self._left_out else 'starts begin after it'}"
            for item in sorted(self.restarts.skipped)
        )

    def lacks(self, revisions: Mapping[str, int]) -> bool:
        """Whether the list that the row names is another than the one its sidecar was given, or newer."""
        row, given = self.row, self._given
        if given is None or self.list_changed or row.phase not in ("starting", "running"):
            return False
        newest = 0 if row.playlist_id is None else revisions.get(row.playlist_id, 0)
        if row.playlist_id != given.playlist_id or newest > given.revision or beside(row) != given.beside:
            return True
        return revisions.get(row.filler_playlist_id or "", 0) > given.filler_revision

    def edited(self) -> None:
        self.list_changed, self._compares_only = True, False
        self.restarts = self.restarts.edited()

    def at_rest(self) -> None:
        """Off, as wanted: the next start begins without a history."""
        self.restarts = Restarts()
        self.list_changed = False
        self._given = None
        self.started_by = SYSTEM.name

    def seen_on_air(self, status: Status, position: Position | None) -> None:
        timing = self._desk.timing
        item_id = status.item.item_id if status.item else None
        # An operator's start is done: what comes after it is the supervisor's own doing.
        self.started_by = SYSTEM.name
        self.position = position or self.position
        self.restarts = self.restarts.on_air(
            self._desk.clock.monotonic(), item_id, good_spell=timing.good_spell, forgive=timing.forgive
        )
        if len(self._left_out) > 1 and self._left_out == frozenset(self._titles) and self.restarts.failures == 0:
            # Whoever ended the engine on every item of a list is hardly the items: a good spell of filler, and they
            # are tried again. A list of one item waits until it is forgiven.
            self.restarts = self.restarts.reprieved()
        if self._left_out - self.restarts.left_out(self._titles):
            self.list_changed, self._compares_only = True, False

    def went_on(self, item_id: str) -> None:
        """By its journal the sidecar had gone on to this item since it last answered: a resume begins with it."""
        if self.position is not None and self.position.item_id != item_id:
            self.position = Position(item_id, 0, self._desk.clock.now())

    async def do(self, action: Action, looked_at: float) -> bool:
        """True when it is done. What went wrong else is in the epoch's notes; another pass decides what then.

        ``looked_at``: when that was seen on which it was decided."""
        try:
            await self._do(action, looked_at)
        except StaleRev:
            # Somebody changed the channel meanwhile: what was decided is void.
            await self._read_again()
            return False
        except _Doubted:
            log.warning("did not move a channel: this supervisor stood still meanwhile", channel=self.row.name)
            return False
        except NotLeader as error:
            self._desk.leadership.lost(str(error))
            return False
        except StaleTerm as error:
            self._desk.leadership.refused(error.seen, str(error))
            return False
        except Missing as error:
            log.info("a channel is gone while it was acted on", channel=self.row.id, said=str(error))
            return False
        except (StoreError, AgentError) as error:
            log.warning("an action failed", channel=self.row.id, action=type(action).__name__, why=str(error))
            self.of_epoch(self.row.epoch).fault = str(error)
            return False
        if not isinstance(action, NoteFailure):
            self.of_epoch(self.row.epoch).fault = ""
        return True

    async def _do(self, action: Action, looked_at: float) -> None:
        match action:
            case MoveTo(phase):
                await self._transition(phase, MOVES.get(phase, STAY))
            case Place(node_id):
                await self._transition("starting", await self._placing(node_id))
            case Relocate(node_id):
                await self._relocate(node_id, looked_at)
            case Start(epoch):
                await self._start(epoch)
            case StartToEnd(node_id):
                self._moved_on(await self._write("stopping", await self._placing(node_id)))
                self.of_epoch(self.row.epoch).term = self._desk.leadership.standing().term
                await self._start(self.row.epoch)
            case ArmNow(epoch, nonce):
                await self._arm(epoch, nonce)
            case End():
                await self._end(action)
            case NoteFailure(cause, item_id, node_id):
                now, chance = self._desk.clock.monotonic(), self._desk.random.random()
                where = node_id or self.row.node_id
                self.restarts = self.restarts.failed(now, cause, chance, item_id=item_id, node_id=where)
                self._desk.tally.restarted(self.row.id)
            case GiveList(epoch):
                await self._give_list(epoch)
            case _:
                assert_never(action)

    def _as_decided(self) -> Channel:
        """The row; StaleRev when somebody else's newer one has come since the decision: it may say otherwise."""
        if self.row.rev != self.decided_on:
            raise StaleRev(self.owner_kind, self.row.id, self.decided_on, self.row.rev)
        return self.row

    def _moved_on(self, row: Channel) -> None:
        """By our own hand: what else was decided with it still holds."""
        self.row = row
        self.decided_on = row.rev

    async def _transition(self, phase: Phase, placing: Placing) -> None:
        check_transition(as_phase(self._as_decided().phase), phase)
        before = self.row
        self._moved_on(await self._write(phase, placing))
        if placing.raise_epoch:
            self.of_epoch(self.row.epoch).term = self._desk.leadership.standing().term
        log.info("phase", channel=before.name, was=before.phase, now=phase, epoch=self.row.epoch)
        self._desk.history.phase(self.row, before.phase)

    async def _write(self, phase: Phase, placing: Placing) -> Channel:
        fence, row = self._fence(), self._as_decided()
        now = self._desk.clock.now()
        async with self._desk.store.write(timeout=self._desk.timing.store) as tx:
            changed = await self._changed(tx, row, fence, phase, now, placing)
            if phase == "off":
                await tx.ports.release(self.owner_kind, row.id, changed.epoch, by=SYSTEM.name, now=now)
            elif phase == "running":
                # The sidecars before it are gone, and with them their hold on ports that it does not use.
                await tx.ports.release(self.owner_kind, row.id, changed.epoch - 1, by=SYSTEM.name, now=now)
                await tx.ports.mark(self.owner_kind, row.id, changed.epoch, "active")
            if placing.judged_at is not None and self._desk.fleet.stood_still_since(placing.judged_at):
                raise _Doubted
        return changed

    # --- what a recorder does otherwise: loops.recorder_actions -------------------------------------------------------

    owner_kind: str = "channel"

    async def _changed(
        self, tx: Transaction, row: Channel, fence: Fence, phase: Phase, now: datetime, placing: Placing
    ) -> Channel:
        """One transition in the store."""
        return await tx.channels.transition(
            row.id,
            rev=row.rev,
            fence=fence,
            phase=phase,
            now=now,
            node_id=placing.node_id,
            fencing_node_id=placing.fencing_node_id,
            fencing_by=placing.fencing_by,
            fenced_by=placing.fenced_by,
            leased=placing.leased,
            raise_epoch=placing.raise_epoch,
            claims=placing.claims,
        )

    async def _stored(self, tx: Transaction) -> Channel:
        """The row as it is now. Raises Missing."""
        return await tx.channels.get(self.row.id)

    async def _needs(self, tx: Transaction) -> OutputNeeds:
        return needs_of(await tx.channels.outputs(self.row.id))

    async def _material(self, rate: Rate) -> Material:
        """What its sidecar is to be told. Raises StoreError."""
        return await read_material(self._desk.store, self.row, rate, self._desk.timing.store)

    def _document(self, material: Material, resume: ResumePoint | None) -> SidecarDocument:
        return document_of(self.row, material, resume)

    async def _placing(self, node_id: str) -> Placing:
        """What a decision to place on this node writes."""
        # Read now: an edit of a moment ago must not leave an output without its lease or its claim.
        async with self._desk.store.read(timeout=self._desk.timing.store) as tx:
            outputs = await self._needs(tx)
        watch = self._desk.watch_of(node_id)
        devices = () if watch is None or watch.condition is None else watch.condition.devices
        fencing = strictest((outputs.fencing, fencing_of_engine(self.row.engine)))
        leased = fencing == "lease" and self._desk.can_move(self.row)
        return Placing(
            node_id=node_id,
            fenced_by="unleased" if fencing == "lease" and not leased else fencing,
            leased=leased,
            raise_epoch=True,
            claims=ports_on(node_id, outputs.ports, devices),
        )

    async def _relocate(self, node_id: str, judged_at: float) -> None:
        # A retarget keeps the one that is to be made sure of: the target before was never armed.
        old = self.row.node_id if self.row.fencing_node_id is None else None
        placing = replace(await self._placing(node_id), judged_at=judged_at)
        if old is not None:
            placing = replace(placing, fencing_node_id=old, fencing_by=self.row.fenced_by)
        await self._transition("fencing", placing)
        watch = None if old is None else self._desk.watch_of(old)
        if old is not None and watch is not None and watch.state == "away":
            self._desk.fleet.note_evacuation(old)

    async def _start(self, epoch: int) -> None:
        desk, row, watch = self._desk, self.row, self._watch()
        notes = self.of_epoch(epoch)
        self.list_changed = False
        async with desk.readings:
            material = await self._material(row.rate)
        self._titles = {item.id: item.title for item in material.playlist.items}
        self._left_out = self.restarts.left_out(self._titles)
        self._given = Given(row.playlist_id, material.playlist.revision, beside(row), material.filler_revision)
        material = material.without(self._left_out)
        notes.holds = Holds(material.playlist, row.rate)
        begin = self._begin(notes.holds)
        notes.resume, notes.beginning, notes.begins_with = begin.resume, begin.sentence, begin.item_id
        order = StartOrder(row.id, epoch, self._fence().term, self._document(material, begin.resume))
        notes.start_ordered = True
        start = watch.agent.standby if row.phase == "fencing" else watch.agent.start
        try:
            pid = await start(order)
        except StaleEpoch as error:
            await self._raise_epoch_over(error.highest)
            return
        finally:
            await watch.refresh()
        log.info("started a sidecar", channel=row.name, epoch=epoch, pid=pid, begins=begin.sentence)

    def _begin(self, holds: Holds) -> Beginning:
        """Where the list begins if the air is entered now, by the newest that is known."""
        policy = "schedule" if self.row.resume_policy == "schedule" else "continue"
        skipped, now = self.restarts.skipped, self._desk.clock.now()
        return beginning(policy, holds.playlist, self.position, skipped, holds.rate, now)

    async def _arm_with(self, watch: NodeWatch, notes: EpochNotes, nonce: str) -> Arm:
        """It may have waited muted for long: what has become of the place since it was started is said with the arm."""
        if notes.holds is None:
            notes.holds = await self._read_holds(watch, notes.epoch)
        newest = None if notes.holds is None else said_at_arming(notes.resume, self._begin(notes.holds))
        if newest is None:
            return Arm(nonce)
        notes.beginning, notes.begins_with = newest.sentence, newest.item_id
        return Arm(nonce, newest.resume, newest.at)

    async def _read_holds(self, watch: NodeWatch, epoch: int) -> Holds | None:
        """Of a sidecar that another supervisor started: the list as the store has it. No list is no reason to wait."""
        status = next((it.status for it in watch.of(self.row.id) if it.epoch == epoch), None)
        rate = self.row.rate if status is None else status.rate
        try:
            material = await self._material(rate)
        except StoreError as error:
            log.warning("arms without a place in the list", channel=self.row.name, epoch=epoch, why=str(error))
            return None
        return Holds(material.playlist, rate)

    async def _raise_epoch_over(self, highest: int) -> None:
        """The node knows a higher epoch than the store: the store is brought above it before anything else."""
        fence, row = self._fence(), self._as_decided()
        async with self._desk.store.write(timeout=self._desk.timing.store) as tx:
            for _ in range(min(_RAISES, highest + 1 - row.epoch)):
                again = Placing(raise_epoch=True)
                row = await self._changed(tx, row, fence, as_phase(row.phase), self._desk.clock.now(), again)
        log.warning("raised an epoch over what its node has seen", channel=row.name, epoch=row.epoch, seen=highest)
        self._moved_on(row)
        self.of_epoch(row.epoch).term = self._desk.leadership.standing().term

    async def _arm(self, epoch: int, nonce: str) -> None:
        watch, notes, row = self._watch(), self.of_epoch(epoch), self.row
        if row.leased and not await self._desk.leases.prepare(row.id, epoch):
            # It was changed meanwhile: what was decided is void.
            raise StaleRev("channel", row.id, row.rev, row.rev + 1)
        arm = await self._arm_with(watch, notes, nonce)
        if notes.armed_at is None:
            notes.armed_at = self._desk.clock.monotonic()
        # The term last of all: what was read before it may have outlasted the leadership.
        order = Order(self.row.id, epoch, self._fence().term, uuid4().hex, self.started_by, arm)
        try:
            await watch.agent.command(order, _ARM)
        finally:
            await self._poll(watch, epoch)

    async def _end(self, end: End) -> None:
        watch = self._watch(end.node_id)
        by = self.stopped_by if self.row.desired == "off" else SYSTEM.name
        order = StopOrder(self.row.id, end.epoch, self._fence().term, by, end.patient, end.final)
        try:
            await watch.agent.stop(order)
            if end.node_id in (None, self.row.node_id) and end.epoch >= self.row.epoch:
                self.of_epoch(self.row.epoch).ended = True
        finally:
            await watch.refresh()

    async def _give_list(self, epoch: int) -> None:
        desk, row, watch = self._desk, self.row, self._watch()
        self.list_changed = False
        try:
            holds = next((it.status for it in watch.of(self.row.id) if it.epoch == epoch), None)
            # A new frame rate of the channel holds from its next start on: this sidecar counts in its own.
            rate = row.rate if holds is None else holds.rate
            material = await self._material(rate)
            self._titles = {item.id: item.title for item in material.playlist.items}
            self._left_out = self.restarts.left_out(self._titles)
            given = material.without(self._left_out).playlist
            self._given = Given(row.playlist_id, material.playlist.revision, beside(row), material.filler_revision)
            await self._give_outputs(watch, holds, material.outputs)
            look = _other_look(row, holds)
            if holds is not None:
                same = (holds.playlist_revision, holds.after_last) == (given.revision, given.after_last)
                if self._compares_only and same and look is None:
                    return
                # Another list may have a lower revision than the one held; the sidecar's only grows.
                given = msgspec.structs.replace(given, revision=max(given.revision, holds.playlist_revision))
            order = Order(self.row.id, epoch, self._fence().term, uuid4().hex, SYSTEM.name, Replace(given, look))
            await watch.agent.command(order, desk.timing.command)
            self.of_epoch(epoch).holds = Holds(given, rate)
        except BaseException:
            self.list_changed = True
            raise
        await self._poll(watch, epoch)

    async def _give_outputs(self, watch: NodeWatch, holds: Status | None, outputs: tuple[Output, ...]) -> None:
        """To a sidecar that holds others. Cards are claimed at a start alone, and so are outputs of a channel whose
        cards change."""
        if holds is None or not holds.outputs_digest or holds.outputs_digest == outputs_digest(outputs):
            return
        cards = sorted(output.id for output in outputs if output.kind == "decklink")
        if cards != sorted(output.id for output in holds.outputs if output.kind == "decklink"):
            return
        await self._fence_for(outputs)
        said = SetOutputs(outputs)
        order = Order(self.row.id, holds.epoch, self._fence().term, uuid4().hex, SYSTEM.name, said)
        try:
            reply = await watch.agent.command(order, self._desk.timing.command)
        except SidecarRefused as error:
            # Its list goes on. What was refused for good would be again: it keeps those it has until its next start.
            log.warning("a sidecar refused its outputs", channel=self.row.name, epoch=holds.epoch, why=str(error))
            self.list_changed |= error.refusal.code == "busy"
            return
        log.info("gave a sidecar its outputs", channel=self.row.name, epoch=holds.epoch, said=reply.done)

    async def _fence_for(self, outputs: tuple[Output, ...]) -> None:
        """Before an output may send, the row says what it takes to be sure of it. Never less than before in this epoch:
        what was ended is not known to be silent until its process is gone."""
        wanted = strictest(fencing_of_output(one.kind, lease_stop=one.lease_stop) for one in outputs)
        wanted = strictest((wanted, fencing_of_engine(self.row.engine)))
        if wanted == "lease" and not self.row.leased:
            wanted = "unleased"
        fenced_by = strictest((as_fencing(self.row.fenced_by), wanted))
        if fenced_by != self.row.fenced_by:
            self._moved_on(await self._write(as_phase(self.row.phase), Placing(fenced_by=fenced_by)))

    async def _poll(self, watch: NodeWatch, epoch: int) -> None:
        try:
            await watch.poll(self.row.id, epoch)
        except (NotRunning, AgentAway):
            # Its exit, or its agent's absence, is told by the watch.
            await watch.refresh()

    async def _read_again(self) -> None:
        try:
            async with self._desk.store.read(timeout=self._desk.timing.store) as tx:
                self.row = await self._stored(tx)
        except StoreError as error:
            log.warning("a channel could not be read again", channel=self.row.id, why=str(error))

    def _watch(self, node_id: str | None = None) -> NodeWatch:
        wanted = node_id or self.row.node_id
        watch = None if wanted is None else self._desk.watch_of(wanted)
        if watch is None:
            raise AgentAway(f"no agent of node {wanted} is connected")
        return watch

    def _fence(self) -> Fence:
        fence = self._desk.leadership.fence
        if fence is None:
            raise NotLeader(self._desk.leadership.standing().term)
        return fence


def _other_look(row: Channel, holds: Status | None) -> Look | None:
    """What the sidecar is to look like where it looks otherwise; None too for one that changes that at a start only."""
    look = look_of(row)
    if holds is None or not holds.look_digest or holds.look_digest == look_digest(look):
        return None
    return look


def _stored_position(row: Channel) -> Position | None:
    if row.position_item_id is None or row.position_frame is None or row.position_at is None:
        return None
    return Position(row.position_item_id, row.position_frame, row.position_at, row.position_rate)
