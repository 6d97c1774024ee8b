"""The one door to the air: whoever starts, stops or commands a channel comes through here, in process."""

import asyncio
from typing import Final
from uuid import uuid4

import structlog

from db.errors import Missing, PortTaken, StaleRev, StoreError
from db.models import Channel
from db.repositories.ports import PortWanted
from db.transaction import Transaction
from sidecar.protocol.commands import Refusal
from sidecar.protocol.status import Status
from supervisor.agent.interface import (
    Adjust,
    AgentError,
    Cue,
    Drop,
    NotRunning,
    Order,
    Said,
    ShowLogo,
    SidecarBroken,
    SidecarRefused,
    SidecarSilent,
    Transport,
    TransportVerb,
)
from supervisor.airing import playout_of
from supervisor.decisions.view import HandMove
from supervisor.errors import Conflict, Invalid, McrError, NotFound, PlayoutFailed, PlayoutSilent, Unavailable
from supervisor.loops.channel import ChannelKeeper
from supervisor.loops.desk import Desk
from supervisor.loops.outputs import needs_of, ports_on
from supervisor.loops.roster import Roster
from supervisor.principal import Principal
from supervisor.schemas.channel import AdjustIn, CommandDone, CommandIn, CueIn, DropIn, LogoIn
from supervisor.shared_servers import require_own_server

log = structlog.get_logger(__name__)

_TRIES: Final = 5
"""How often a row is read anew because somebody changed it between reading and writing."""
_LOOK: Final = 0.1
_STEP: Final = 0.02
_MOVE: Final = 5.0
"""Seconds in which a move that a person wants has begun, or is given up."""


class Commands:
    """Checks, fixes the target, passes on and answers. Audit rows are the API's.

    Every method raises NotFound for an unknown channel, Unavailable where this supervisor does not lead or has no
    store, Conflict (its ``conflict`` names what) where the channel's state is in the way, PlayoutFailed for a sidecar
    that broke and PlayoutSilent for one that did not answer. ``alone``: no other supervisor can lead, so that what a
    running channel is told needs no store.
    """

    def __init__(self, desk: Desk, roster: Roster, *, alone: bool) -> None:
        self._desk = desk
        self._roster = roster
        self._alone = alone

    async def start(self, channel_id: str, by: Principal) -> Channel:
        """The channel is wanted on air from now on; repeating it changes nothing. The rest is seen live.

        Raises ``db.errors.PortTaken`` where a DeckLink port of it has another owner, and Conflict (``server_taken``)
        where its CasparCG server plays another channel; then nothing is changed.
        """
        row = await self._want(channel_id, "on")
        keeper = self._roster.update(row)
        keeper.actions.started_by = by.name
        keeper.wake()
        return row

    async def stop(self, channel_id: str, by: Principal) -> Channel:
        """The channel is wanted off air from now on. Repeating it changes nothing."""
        row = await self._want(channel_id, "off")
        keeper = self._roster.update(row)
        keeper.actions.stopped_by = by.name
        keeper.wake()
        return row

    async def move(
        self, channel_id: str, node_id: str | None, by: Principal, expect_epoch: int | None = None
    ) -> Channel:
        """The channel goes to that node, None: to the best, by the way that failover takes. Answers once the move has
        begun: the new sidecar gets ready there.

        Raises Conflict (``not_movable``) where it may not be moved, with the reason.
        """
        self._require_leader()
        keeper = await self._keeper(channel_id)
        row = keeper.row
        _refuse_other_epoch(row, expect_epoch)
        if keeper.by_hand is not None:
            raise Conflict(f"{row.name} is being moved by {keeper.by_hand.by} at this moment", conflict="not_movable")
        verdict = keeper.judge_move(node_id)
        if verdict.target is None:
            raise Conflict(
                f"{row.name} is not moved: {verdict.why_not}",
                conflict="not_movable",
                hint=verdict.hint,
                phase=row.phase,
            )
        target, clock = verdict.target, self._desk.clock
        keeper.by_hand = HandMove(by.name, target.node_id)
        keeper.wake()
        deadline = clock.monotonic() + _MOVE
        try:
            while keeper.row.node_id == row.node_id and clock.monotonic() < deadline:
                await clock.sleep(_STEP)
        finally:
            keeper.by_hand = None
        if keeper.row.node_id == row.node_id:
            raise Unavailable(
                f"{row.name}: its move to {target.node_name} has not begun in {_MOVE:g} s, and was given up",
                hint="Look where it is before you repeat it; its tile says what is in the way.",
            )
        if keeper.row.node_id != target.node_id:
            raise Conflict(
                f"{row.name} went elsewhere meanwhile, not to {target.node_name}",
                conflict="target_changed",
                hint="Look where it is now, and decide again.",
            )
        return keeper.row

    async def stop_all(self, by: Principal, timeout: float) -> tuple[str, ...]:
        """Every channel off air, confirmed. Those that still run after ``timeout`` seconds, by id: empty is success.

        One that cannot be told to stop keeps no other on air; it is among those that still run.
        """
        deadline = self._desk.clock.monotonic() + timeout
        try:
            await self._roster.read()
        except StoreError as error:
            raise Unavailable(str(error)) from error
        for channel_id in tuple(self._roster.keepers):
            try:
                await self.stop(channel_id, by)
            except NotFound:
                # Deleted meanwhile, which it can be only when it is off.
                continue
            except McrError as error:
                log.warning("a channel could not be told to stop", channel=channel_id, why=str(error))
        while True:
            left = tuple(
                id_
                for id_, keeper in self._roster.keepers.items()
                if keeper.row.phase != "off" or keeper.row.desired != "off"
            )
            if not left or self._desk.clock.monotonic() >= deadline:
                return left
            await self._desk.clock.sleep(_LOOK)

    async def transport(self, channel_id: str, verb: TransportVerb, command: CommandIn, by: Principal) -> CommandDone:
        """take, skip, play, pause, resume, hold, recue, standby, rejoin. ``expect_item_id`` is for take."""
        expected = command.expect_item_id if verb == "take" else None
        return await self._say(channel_id, command, Transport(verb, expected), by)

    async def cue(self, channel_id: str, command: CueIn, by: Principal) -> CommandDone:
        """Makes ``item_id`` what the next take cuts to; None clears the cue."""
        return await self._say(channel_id, command, Cue(command.item_id), by)

    async def adjust(self, channel_id: str, command: AdjustIn, by: Principal) -> CommandDone:
        """Makes the item on air longer or shorter; refused when it is another than ``expect_item_id``."""
        expected = command.expect_item_id
        keeper = await self._keeper(channel_id)
        status = keeper.on_air
        if expected is not None and status is not None and not status.look_digest:
            # A sidecar from before this version refuses the word. What it said last is nearly as good.
            _refuse_other_item(keeper.row.name, status, expected)
            expected = None
        return await self._say(channel_id, command, Adjust(command.ms, expected), by)

    def takes_look_now(self, channel_id: str) -> bool:
        """Whether another logo and other thresholds hold at once. A sidecar from before this version takes them
        at a start."""
        keeper = self._roster.keepers.get(channel_id)
        status = None if keeper is None else keeper.on_air
        return status is None or bool(status.look_digest)

    async def drop(self, channel_id: str, command: DropIn, by: Principal, *, is_dropped: bool) -> CommandDone:
        """The item will not air in this run, or, not ``is_dropped``, will after all."""
        return await self._say(channel_id, command, Drop(command.item_id, is_dropped), by)

    async def logo(self, channel_id: str, command: LogoIn, by: Principal) -> CommandDone:
        """The logo on or off until the next item begins."""
        return await self._say(channel_id, command, ShowLogo(command.show), by)

    async def thumbnail(self, channel_id: str) -> bytes:
        """A JPEG of what is on air."""
        keeper = await self._keeper(channel_id)
        watch = keeper.watch
        if watch is None or keeper.report is None or keeper.row.phase == "off":
            raise _not_on_air(keeper)
        try:
            return await watch.agent.thumbnail(channel_id, keeper.row.epoch)
        except AgentError as error:
            raise self._mapped(keeper, error) from error

    async def channel_changed(self, channel_id: str) -> None:
        """A channel was added, its spec changed, or it was deleted: looks at it now, and tells its sidecar its list."""
        try:
            async with self._desk.store.read(timeout=self._desk.timing.store) as tx:
                row = await tx.channels.get(channel_id)
        except Missing:
            self._roster.remove(channel_id)
            return
        except StoreError as error:
            raise Unavailable(str(error)) from error
        keeper = self._roster.update(row)
        keeper.edited()
        keeper.look()

    async def loudness_measured(self) -> None:
        """More is known of how loud clips are: running sidecars that level them are told their lists again."""
        for keeper in tuple(self._roster.keepers.values()):
            if playout_of(keeper.row).loudness_profile != "off":
                keeper.edited()

    async def playlist_changed(self, playlist_id: str) -> None:
        """A playlist was edited: running sidecars that play it are told at once, and again until they have it."""
        for keeper in tuple(self._roster.keepers.values()):
            if playlist_id in (keeper.row.playlist_id, keeper.row.filler_playlist_id):
                keeper.edited()

    async def _want(self, channel_id: str, desired: str) -> Channel:
        self._require_leader()
        for _ in range(_TRIES):
            try:
                async with self._desk.store.write(timeout=self._desk.timing.store) as tx:
                    row = await tx.channels.get(channel_id)
                    if row.desired == desired:
                        return row
                    if desired == "on" and row.engine == "caspar":
                        require_own_server(row, await tx.channels.list(), len(await tx.nodes.list()))
                    claims = await self._claims(tx, row) if desired == "on" else ()
                    return await tx.channels.set_desired(row.id, row.rev, desired, claims, self._desk.clock.now())
            except Missing as error:
                raise NotFound(str(error)) from error
            except StaleRev:
                continue
            except PortTaken:
                # A conflict, which names the owner; nothing was changed.
                raise
            except StoreError as error:
                raise Unavailable(str(error), hint="What is on air plays on. Try again.") from error
        raise Unavailable(f"channel {channel_id} is being changed by others all the time", retry_after=1)

    async def _claims(self, tx: Transaction, row: Channel) -> tuple[PortWanted, ...]:
        """The DeckLink ports that a start of this channel takes, on the node people want it on."""
        ports = needs_of(await tx.channels.outputs(row.id)).ports
        if not ports or row.wanted_node_id is None:
            return ()
        watch = self._desk.watch_of(row.wanted_node_id)
        devices = () if watch is None or watch.condition is None else watch.condition.devices
        return ports_on(row.wanted_node_id, ports, devices)

    async def _say(self, channel_id: str, command: CommandIn, said: Said, by: Principal) -> CommandDone:
        began = self._desk.clock.monotonic()
        if not self._alone:
            self._require_leader()
        keeper = await self._keeper(channel_id)
        row, watch = keeper.row, keeper.watch
        if watch is None or keeper.on_air is None:
            raise _not_on_air(keeper)
        _refuse_other_epoch(row, command.expect_epoch)
        command_id = command.command_id or uuid4().hex
        term = self._desk.leadership.standing().term
        order = Order(row.id, row.epoch, term, command_id, by.name, said)
        try:
            reply = await watch.agent.command(order, self._desk.timing.command)
        except AgentError as error:
            await self._show(keeper)
            raise self._mapped(keeper, error) from error
        took = self._desk.clock.monotonic() - began
        if reply.status is None:
            await self._show(keeper)
        else:
            watch.heard(row.id, row.epoch, reply.status)
            keeper.look()
        return CommandDone(
            command_id=command_id,
            channel_id=row.id,
            done=reply.done,
            frame=reply.frame,
            item_id=reply.item_id,
            took_ms=round(took * 1000, 1),
        )

    async def _show(self, keeper: ChannelKeeper) -> None:
        """The tile shows what was done before the key press is answered (P8). Where the answer does not tell, or there
        is none, the sidecar is asked."""
        watch = keeper.watch
        if watch is None:
            return
        try:
            async with asyncio.timeout(_LOOK):
                await watch.poll(keeper.row.id, keeper.row.epoch)
        except (AgentError, TimeoutError) as error:
            log.info("what a command did is shown with the next heartbeat", channel=keeper.row.id, why=repr(error))
        keeper.look()

    async def _keeper(self, channel_id: str) -> ChannelKeeper:
        keeper = self._roster.keepers.get(channel_id)
        if keeper is not None:
            return keeper
        try:
            async with self._desk.store.read(timeout=self._desk.timing.store) as tx:
                return self._roster.update(await tx.channels.get(channel_id))
        except Missing as error:
            raise NotFound(str(error)) from error
        except StoreError as error:
            raise Unavailable(str(error)) from error

    def _require_leader(self) -> None:
        leadership = self._desk.leadership
        if leadership.fence is None:
            address = leadership.standing().address
            hint = f"Its address is {address}." if address else "What is on air plays on. Try again."
            raise Unavailable(f"this supervisor does not decide now: {leadership.why_not}", hint=hint, leader=address)

    def _mapped(self, keeper: ChannelKeeper, error: AgentError) -> McrError:
        name = keeper.row.name
        match error:
            case SidecarRefused(refusal=refusal):
                return _refused(name, refusal)
            case SidecarSilent():
                return PlayoutSilent(
                    f"{name}: {error}", hint="Whether it was done is not known: look before you repeat."
                )
            case SidecarBroken():
                return PlayoutFailed(f"{name}: {error}")
            case NotRunning():
                return _not_on_air(keeper)
            case _:
                return Unavailable(f"{name}: {error}")


def _refuse_other_epoch(row: Channel, expected: int | None) -> None:
    if expected is not None and expected != row.epoch:
        raise Conflict(
            f"{row.name} was restarted meanwhile: it is at epoch {row.epoch}, not {expected}",
            conflict="stale_epoch",
            hint="Look at what is on air now, and decide again.",
        )


def _refuse_other_item(name: str, status: Status, expected: str) -> None:
    now = status.item
    if now is None or now.item_id != expected:
        what = "nothing of the rundown" if now is None else now.title
        raise Conflict(
            f"{name}: {what} is on air now, not {expected}",
            conflict="target_changed",
            hint="Look at what is on air now, and decide again.",
        )


def _not_on_air(keeper: ChannelKeeper) -> Conflict:
    row = keeper.row
    wanted = "wanted on air" if row.desired == "on" else "off, as wanted"
    hint = "Start it first." if row.desired == "off" else "It is being started; see what its tile says."
    return Conflict(
        f"{row.name} is not on air: {wanted if row.phase == row.desired else f'{wanted}, {row.phase}'}",
        conflict="not_armed",
        hint=hint,
        phase=row.phase,
    )


def _refused(name: str, refusal: Refusal) -> McrError:
    """A sidecar's refusal as the caller's conflict, or as a fault of the playout; never mixed up."""
    detail = f"{name}: {refusal.detail or refusal.title}"
    if refusal.status == 409:
        return Conflict(detail, conflict=refusal.code, hint=refusal.hint)
    if refusal.status == 422:
        return Invalid(detail, hint=refusal.hint)
    if refusal.status == 503:
        return Unavailable(detail, retry_after=1, hint=refusal.hint)
    return PlayoutFailed(detail, hint=refusal.hint, refusal=refusal.code)
