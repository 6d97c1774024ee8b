"""What may be said to a recorder: arm, the jobs it has, a lease that it does not need, and stop."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from starlette.requests import Request

from sidecar.control.answers import Answer, FirstAnswers, Refuse, answer
from sidecar.control.nonces import GOOD_FOR_S, Lease, Nonces
from sidecar.control.requests import decoded, read_body
from sidecar.protocol.commands import ArmCommand, Command, CommandReply, LeaseCommand, PlaylistCommand
from sidecar.recorder.engine import RecorderEngine

log = logging.getLogger(__name__)

_BODY_BYTES: Final = 2 << 20
_Any = ArmCommand | LeaseCommand | PlaylistCommand | Command
_SHAPES: Final[dict[str, type[ArmCommand] | type[LeaseCommand] | type[PlaylistCommand] | type[Command]]] = {
    "arm": ArmCommand,
    "lease": LeaseCommand,
    "playlist": PlaylistCommand,
    "stop": Command,
}


@dataclass(slots=True)
class RecorderCommands:
    """As ``sidecar.control.commands.Commands``."""

    epoch: int
    engine: RecorderEngine
    lease: Lease
    nonces: Nonces
    stop: Callable[[str], None]
    answers: FirstAnswers = field(default_factory=FirstAnswers)

    async def handle(self, verb: str, request: Request) -> Answer:
        """Checks shape and epoch, then does it, or gives the answer a repeated ``command_id`` had before."""
        began = time.monotonic()
        shape = _SHAPES.get(verb)
        if shape is None:
            raise Refuse("invalid", f"this sidecar records and plays nothing: it has no {verb}")
        command: _Any = decoded(await read_body(request, _BODY_BYTES), shape)
        if command.epoch != self.epoch:
            raise Refuse("stale_epoch", f"this sidecar is epoch {self.epoch}, the command is of epoch {command.epoch}")
        return await self.answers.once(command.command_id, partial(self._do, command, began))

    async def _do(self, command: _Any, began: float) -> Answer:
        match command:
            case ArmCommand():
                said = self._arm(command)
            case LeaseCommand():
                self.lease.extend(self._issued(command.nonce), command.ttl_ms / 1000)
                said = f"lease for {self.lease.left_ms()} ms"
            case PlaylistCommand():
                if command.playlist.revision < self.engine.revision:
                    raise Refuse(
                        "stale_revision",
                        f"jobs of revision {self.engine.revision} are held, these are {command.playlist.revision}",
                    )
                self.engine.replace_jobs(command.playlist)
                said = f"has {len(command.playlist.items)} jobs"
            case Command():
                log.info("stop, asked for by %s", command.by or "nobody named")
                self.stop(command.by)
                said = "ends the recording"
        took_ms = round((time.monotonic() - began) * 1000, 2)
        return answer(CommandReply(command.command_id, command.epoch, said, None, took_ms))

    def _arm(self, command: ArmCommand) -> str:
        issued = self._issued(command.nonce)
        if self.engine.is_armed:
            return "records already"
        self.lease.extend(issued, GOOD_FOR_S)
        log.info("armed by %s", command.by or "nobody named")
        try:
            self.engine.arm(command.by)
        except RuntimeError as error:
            raise Refuse("not_armed", str(error)) from error
        return "records"

    def _issued(self, nonce: str) -> float:
        issued = self.nonces.redeem(nonce)
        if issued is None:
            raise Refuse(
                "stale_nonce",
                f"the nonce is not of a status of this process less than {GOOD_FOR_S:g} s ago, or was used before",
                hint="read the status again and use its nonce at once",
            )
        return issued
