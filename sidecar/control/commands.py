"""The routes that act: each command is done once, in the playout thread, and answered when it shows."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Final

import msgspec
from starlette.requests import Request

from sidecar.control.answers import Answer, FirstAnswers, Refuse, answer
from sidecar.control.nonces import GOOD_FOR_S, Lease, Nonces
from sidecar.control.pool import Pool
from sidecar.control.requests import decoded, read_body
from sidecar.engine.command_queue import Applied, CommandQueueFull
from sidecar.engine.entrance import Entrance
from sidecar.engine.interface import Engine
from sidecar.protocol.channel import Output
from sidecar.protocol.commands import (
    AdjustCommand,
    ArmCommand,
    Command,
    CommandReply,
    CueCommand,
    DropCommand,
    LeaseCommand,
    LogoCommand,
    OutputsCommand,
    PlaylistCommand,
    TakeCommand,
)
from sidecar.protocol.status import Status
from sidecar.rundown.clock import Done, Refused, RundownClock

log = logging.getLogger(__name__)

COMMAND_S = 2.0
"""A command that the playout has not shown by then is answered with a failure."""
_BODY_BYTES = 64 << 10
_UNIX: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PLAYLIST_BYTES = 2 << 20
_SHOWS_NOTHING: Final = frozenset({"lease", "outputs", "stop"})
"""Commands whose answer tells no status."""

Act = Callable[[RundownClock], Done]
AnyCommand = (
    Command
    | TakeCommand
    | CueCommand
    | AdjustCommand
    | DropCommand
    | ArmCommand
    | LeaseCommand
    | LogoCommand
    | PlaylistCommand
    | OutputsCommand
)
Shape = (
    type[Command]
    | type[TakeCommand]
    | type[CueCommand]
    | type[AdjustCommand]
    | type[DropCommand]
    | type[ArmCommand]
    | type[LeaseCommand]
    | type[LogoCommand]
    | type[PlaylistCommand]
    | type[OutputsCommand]
)

PLAIN: Final[dict[str, Callable[[RundownClock, str], Done]]] = {
    "skip": RundownClock.skip,
    "play": RundownClock.play,
    "pause": RundownClock.pause,
    "resume": RundownClock.resume,
    "hold": RundownClock.hold,
    "recue": RundownClock.recue,
    "standby": RundownClock.standby,
    "rejoin": RundownClock.rejoin,
}
SHAPES: Final[dict[str, Shape]] = {
    "arm": ArmCommand,
    "lease": LeaseCommand,
    "take": TakeCommand,
    "cue": CueCommand,
    "logo": LogoCommand,
    "adjust": AdjustCommand,
    "drop": DropCommand,
    "undrop": DropCommand,
    "playlist": PlaylistCommand,
    "outputs": OutputsCommand,
    "stop": Command,
    **dict.fromkeys(PLAIN, Command),
}
"""Every command's path and what its body is."""


@dataclass(slots=True)
class Commands:
    """``stop(by)`` begins the clean end of the process and returns at once. ``status`` is as in ``Reads.now``, of an
    engine whose status shows a command before it is answered; None of another."""

    epoch: int
    playout: Engine
    lease: Lease
    nonces: Nonces
    stop: Callable[[str], None]
    status: Callable[[], Status] | None
    answers: FirstAnswers = field(default_factory=FirstAnswers)
    openings: Pool = field(default_factory=lambda: Pool("outputs", 1))

    async def handle(self, verb: str, request: Request) -> Answer:
        """Checks shape and epoch, then does it, or gives the answer a repeated ``command_id`` had before."""
        arrived = time.monotonic()
        most = _PLAYLIST_BYTES if verb == "playlist" else _BODY_BYTES
        command: AnyCommand = decoded(await read_body(request, most), SHAPES[verb])
        if command.epoch != self.epoch:
            raise Refuse("stale_epoch", f"this sidecar is epoch {self.epoch}, the command is of epoch {command.epoch}")
        given = await self.answers.once(command.command_id, partial(self._do, verb, command, arrived))
        return given if verb in _SHOWS_NOTHING else self._with_status(given)

    async def _do(self, verb: str, command: AnyCommand, arrived: float) -> Answer:
        match command:
            case ArmCommand():
                return await self._arm(command, arrived)
            case LeaseCommand():
                issued = self._issue_of(command.nonce)
                self.lease.extend(issued, command.ttl_ms / 1000)
                return _at_once(command, f"lease for {self.lease.left_ms()} ms", arrived)
            case OutputsCommand():
                return _at_once(command, await self._replace_outputs(command), arrived)
            case PlaylistCommand():
                return await self._replace_playlist(command)
            case TakeCommand():
                act: Act = partial(_take, command)
            case CueCommand():
                act = partial(_cue, command)
            case LogoCommand():
                logo = partial(self.playout.logo, command.show, command.by)
                return _applied(command, await self._shown(logo))
            case AdjustCommand():
                act = partial(_adjust, command)
            case DropCommand():
                act = partial(_drop if verb == "drop" else _undrop, command)
            case Command() if verb == "stop":
                log.info("stop, asked for by %s", command.by or "nobody named")
                self.stop(command.by)
                return _at_once(command, "leaves the air", arrived)
            case Command():
                act = partial(_plain, verb, command)
        return _applied(command, await self._shown(partial(self.playout.command, act)))

    async def _arm(self, command: ArmCommand, arrived: float) -> Answer:
        issued = self._issue_of(command.nonce)
        arming = self.playout.arming
        if arming is not None:
            await self._shown(lambda: arming, revocable=False)
            return _at_once(command, "on air already", arrived)
        self.lease.extend(issued, GOOD_FOR_S)
        log.info("armed by %s", command.by or "nobody named")
        try:
            arm = partial(self.playout.arm, command.by, _entrance(command))
            return _applied(command, await self._shown(arm, revocable=False))
        except RuntimeError as error:
            raise Refuse("not_armed", f"this sidecar cannot enter the air any more: {error}") from error

    async def _replace_playlist(self, command: PlaylistCommand) -> Answer:
        replaced = await self._shown(partial(self.playout.command, partial(_replace, command)))
        if command.look is not None:
            self.playout.replace_look(command.look)
            log.info("logo and watching changed by %s", command.by or "nobody named")
        return _applied(command, replaced)

    async def _replace_outputs(self, command: OutputsCommand) -> str:
        """Nothing of it waits for a place: outputs open and end on threads of their own."""
        ids = [output.id for output in command.outputs]
        if len(set(ids)) < len(ids):
            raise Refuse("invalid", "an output id comes twice")
        if any(output.lease_stop and output.kind != "udp" for output in command.outputs):
            raise Refuse("invalid", "lease_stop is for udp alone")
        if _cards(command.outputs) != _cards(self.playout.outputs):
            raise Refuse("invalid", "cards are claimed at a channel's start: none comes, goes or changes on air")
        said = await self.openings.run(partial(self.playout.replace_outputs, command.outputs), COMMAND_S)
        log.info("outputs changed by %s: %s", command.by or "nobody named", said)
        return said

    def _with_status(self, given: Answer) -> Answer:
        """Kept answers have none: it is large, and of that moment."""
        if self.status is None or given.status != HTTPStatus.OK:
            return given
        reply = msgspec.json.decode(given.body, type=CommandReply)
        return answer(msgspec.structs.replace(reply, status=self.status()))

    def _issue_of(self, nonce: str) -> float:
        issued = self.nonces.redeem(nonce)
        if issued is None:
            raise Refuse(
                "stale_nonce",
                f"the nonce is not of a status of this process less than {GOOD_FOR_S:g} s ago, or was used before",
                hint="read the status again and use its nonce at once",
            )
        return issued

    async def _shown(self, give: Callable[[], "Future[Applied]"], *, revocable: bool = True) -> Applied:
        """Waits for the frame that shows it. Raises Refuse, with what the rundown clock said or what went wrong.

        ``revocable``: what the playout does not take in time is taken back, and nothing was done.
        """
        try:
            future = give()
        except CommandQueueFull as error:
            raise Refuse("busy", str(error), done_nothing=True) from error
        wrapped = asyncio.wrap_future(future)
        done, _ = await asyncio.wait({wrapped}, timeout=COMMAND_S)
        if not done and revocable and future.cancel():
            raise Refuse(
                "busy",
                f"the playout did not take the command within {COMMAND_S:g} s; nothing was done",
                done_nothing=True,
            )
        if not done:
            wrapped.add_done_callback(_log_late)
            raise Refuse("engine_failed", f"the playout has the command, but did not show it within {COMMAND_S:g} s")
        try:
            return future.result(timeout=0)
        except Refused as refused:
            raise Refuse(refused.code, refused.detail) from refused
        except CancelledError as error:
            raise Refuse("not_armed", "the channel is leaving the air; nothing was done") from error
        except Exception as error:
            log.exception("a command failed")
            raise Refuse("engine_failed", f"the playout failed at it: {error!r}") from error


def _cards(outputs: Iterable[Output]) -> dict[str, Output]:
    return {output.id: output for output in outputs if output.kind == "decklink"}


def _entrance(command: ArmCommand) -> Entrance | None:
    if command.resume is None:
        return None
    at = command.resume_at
    return Entrance(command.resume, None if at is None else (at - _UNIX) // timedelta(microseconds=1) * 1_000)


def _replace(command: PlaylistCommand, clock: RundownClock) -> Done:
    return clock.replace_playlist(command.playlist, command.by)


def _take(command: TakeCommand, clock: RundownClock) -> Done:
    return clock.take(command.expect_item_id, command.by)


def _cue(command: CueCommand, clock: RundownClock) -> Done:
    return clock.cue(command.item_id, command.by)


def _adjust(command: AdjustCommand, clock: RundownClock) -> Done:
    return clock.adjust(command.ms, command.by, command.expect_item_id)


def _drop(command: DropCommand, clock: RundownClock) -> Done:
    return clock.drop(command.item_id, command.by)


def _undrop(command: DropCommand, clock: RundownClock) -> Done:
    return clock.undrop(command.item_id, command.by)


def _plain(verb: str, command: Command, clock: RundownClock) -> Done:
    return PLAIN[verb](clock, command.by)


def _applied(command: AnyCommand, applied: Applied) -> Answer:
    return answer(
        CommandReply(
            command_id=command.command_id,
            epoch=command.epoch,
            done=applied.sentence,
            frame=applied.frame,
            took_ms=applied.took_ms,
            item_id=applied.item_id,
        )
    )


def _at_once(command: AnyCommand, done: str, arrived: float) -> Answer:
    took_ms = round((time.monotonic() - arrived) * 1000, 2)
    return answer(CommandReply(command.command_id, command.epoch, done, None, took_ms))


def _log_late(wrapped: "asyncio.Future[Applied]") -> None:
    if not wrapped.cancelled() and wrapped.exception() is not None:
        log.error("a command that was given up failed: %r", wrapped.exception())
