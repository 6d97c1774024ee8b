"""The one door to recordings: whoever starts or stops a recorder comes through here, in process."""

from datetime import datetime
from typing import Final

from db.errors import Missing, PortTaken, StaleRev, StoreError
from db.models import Recorder
from supervisor.agent.interface import AgentError
from supervisor.errors import Conflict, NotFound, PlayoutFailed, Unavailable
from supervisor.loops.desk import Desk
from supervisor.loops.recorder_roster import RecorderRoster
from supervisor.principal import Principal
from supervisor.schedules.planning import plan_of
from supervisor.schedules.stored import planned

_TRIES: Final = 5


class RecorderCommands:
    """Raises as ``supervisor.commands.Commands``."""

    def __init__(self, desk: Desk, roster: RecorderRoster) -> None:
        self._desk, self._roster = desk, roster

    async def start(self, recorder_id: str, by: Principal) -> Recorder:
        """It is wanted recording from now on; repeating it changes nothing.

        Raises ``db.errors.PortTaken`` where its DeckLink port has another owner; then nothing is changed.
        """
        row = await self._want(recorder_id, "on")
        keeper = self._roster.update(row)
        keeper.actions.started_by = by.name
        keeper.wake()
        return row

    async def stop(self, recorder_id: str, by: Principal) -> Recorder:
        """It is wanted off from now on, and until what its schedules want now is over."""
        row = await self._want(recorder_id, "off")
        keeper = self._roster.update(row)
        keeper.actions.stopped_by = by.name
        keeper.wake()
        return row

    async def thumbnail(self, recorder_id: str) -> bytes:
        """A JPEG of its input."""
        keeper = self._roster.keepers.get(recorder_id)
        watch = None if keeper is None else keeper.watch
        if keeper is None or watch is None or keeper.row.phase == "off":
            raise Conflict(f"recorder {recorder_id} is off", conflict="not_armed", hint="Start it first.")
        try:
            return await watch.agent.thumbnail(recorder_id, keeper.row.epoch)
        except AgentError as error:
            raise PlayoutFailed(f"{keeper.row.name}: {error}") from error

    async def changed(self, recorder_id: str) -> None:
        """It was added, its spec changed, or it was deleted: looks at it now."""
        try:
            async with self._desk.store.read(timeout=self._desk.timing.store) as tx:
                row = await tx.recorders.get(recorder_id)
        except Missing:
            self._roster.remove(recorder_id)
            return
        except StoreError as error:
            raise Unavailable(str(error)) from error
        self._roster.update(row).look()

    async def _want(self, recorder_id: str, desired: str) -> Recorder:
        leadership, now = self._desk.leadership, self._desk.clock.now()
        if leadership.fence is None:
            address = leadership.standing().address
            raise Unavailable(f"this supervisor does not decide now: {leadership.why_not}", leader=address)
        for _ in range(_TRIES):
            try:
                async with self._desk.store.write(timeout=self._desk.timing.store) as tx:
                    row = await tx.recorders.get(recorder_id)
                    held: datetime | None = None
                    if desired == "off":
                        held = plan_of(map(planned, await tx.schedules.list(recorder_id)), now).until
                    if (row.desired, row.wanted_by, row.held_until) == (desired, "person", held):
                        return row
                    claims = self._roster.claims_of(row) if desired == "on" else ()
                    return await tx.recorders.set_desired(row.id, row.rev, desired, claims, now, held_until=held)
            except Missing as error:
                raise NotFound(str(error)) from error
            except StaleRev:
                continue
            except PortTaken:
                raise
            except StoreError as error:
                raise Unavailable(str(error), hint="What records goes on. Try again.") from error
        raise Unavailable(f"recorder {recorder_id} is being changed by others all the time", retry_after=1)
