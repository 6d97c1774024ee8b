"""How a supervisor ends: shut down, while playout goes on, or everything off air first."""

import asyncio
from typing import Final

from db.errors import StoreError
from db.store import Store
from supervisor.audit import AuditLog
from supervisor.errors import PlayoutSilent, Unavailable
from supervisor.loops.supervision import Supervision
from supervisor.principal import Principal

OFF_AIR_S: Final = 45.0
"""Seconds in which every channel must be confirmed off air: each is asked first, and killed when it does not go."""


class Departure:
    """``asked`` is set once it is to end. While ``closing``, nothing may be started."""

    def __init__(self) -> None:
        self.asked: Final = asyncio.Event()
        self.closing = False

    def leave(self) -> None:
        """Shut down; playout goes on."""
        self.asked.set()

    async def take_off_air(self, by: Principal, store: Store, supervision: Supervision, audit: AuditLog) -> int:
        """An operator's stop of every channel; how many that were.

        Raises Unavailable without a store, and PlayoutSilent, naming those that are not confirmed off air: the
        supervisor then stays at work on them.
        """
        if self.closing:
            raise Unavailable("the supervisor is shutting down already", retry_after=5)
        self.closing = True
        still: tuple[str, ...] = ()
        finished = False
        try:
            try:
                async with store.read() as tx:
                    rows = [row for row in await tx.channels.list() if row.desired == "on" or row.phase != "off"]
            except StoreError as error:
                raise Unavailable(str(error), hint="What is on air plays on. Try again.") from error
            names = {row.id: row.name for row in rows}
            still = await supervision.commands.stop_all(by, OFF_AIR_S)
            finished = not still
        finally:
            self.closing = finished
        for channel_id in names:
            outcome = "failed" if channel_id in still else "done"
            await audit.record(by, "stop_channel", f"channel:{channel_id}", outcome, detail={"with": "supervisor"})
        if still:
            who = ", ".join(names.get(channel_id, channel_id) for channel_id in still)
            raise PlayoutSilent(
                f"not confirmed off air within {OFF_AIR_S:.0f} s: {who}",
                hint="The supervisor stays and goes on stopping them.",
                channel_ids=list(still),
            )
        return len(names)
