"""Alarms, the station's instructions, and the history."""

from collections.abc import Sequence

from mcr_console.calls.base import API, WHOLE_PAGE, Calls
from mcr_console.http import Query
from supervisor.schemas.alarm import Alarm, Instruction, InstructionIn, ShelveIn
from supervisor.schemas.base import Page
from supervisor.schemas.history import HistoryEvent, HistoryKind


class AlarmCalls(Calls):
    """What needs or needed somebody."""

    async def history_page(
        self,
        *,
        channel_id: str | None = None,
        node_id: str | None = None,
        kinds: Sequence[HistoryKind] = (),
        cursor: str | None = None,
        limit: int = WHOLE_PAGE,
    ) -> Page[HistoryEvent]:
        """Newest first."""
        query: Query = {
            "channel_id": channel_id,
            "node_id": node_id,
            "kind": tuple(kinds),
            "cursor": cursor,
            "limit": limit,
        }
        return await self._http.get(f"{API}/history", Page[HistoryEvent], query=query)

    async def alarms(self, *, open_only: bool = True) -> tuple[Alarm, ...]:
        return await self._all("/alarms", Alarm, query={"open_only": open_only})

    async def newest_alarms(self, limit: int) -> tuple[Alarm, ...]:
        """Those that are cleared too, newest first."""
        return (await self._http.get(f"{API}/alarms", Page[Alarm], query={"open_only": False, "limit": limit})).items

    async def acknowledge(self, alarm_id: str) -> Alarm:
        return await self._send("POST", f"/alarms/{alarm_id}/acknowledge", Alarm)

    async def instructions(self) -> tuple[Instruction, ...]:
        return (await self._http.get(f"{API}/instructions", Page[Instruction])).items

    async def set_instruction(self, values: InstructionIn) -> Instruction:
        return await self._send("PUT", "/instructions", Instruction, values)

    async def delete_instruction(self, instruction_id: str) -> None:
        await self._http.call("DELETE", f"{API}/instructions/{instruction_id}")

    async def shelve(self, alarm_id: str, values: ShelveIn) -> Alarm:
        """Puts it aside for a while."""
        return await self._send("POST", f"/alarms/{alarm_id}/shelve", Alarm, values)

    async def unshelve(self, alarm_id: str) -> Alarm:
        return await self._send("POST", f"/alarms/{alarm_id}/unshelve", Alarm)
