"""Recorders, what they recorded, and their schedules."""

from mcr_console.calls.base import API, COMMAND_S, Calls
from supervisor.schemas.base import Page
from supervisor.schemas.recorder import RecordedFile, Recorder, RecorderIn, RecorderPatch
from supervisor.schemas.schedule import Schedule, ScheduleIn, UpcomingRecording


class RecorderCalls(Calls):
    """Start and stop answer when it is so."""

    async def recorders(self) -> tuple[Recorder, ...]:
        return (await self._http.get(f"{API}/recorders", Page[Recorder])).items

    async def create_recorder(self, values: RecorderIn) -> Recorder:
        return await self._send("POST", "/recorders", Recorder, values)

    async def update_recorder(self, recorder_id: str, rev: int, changes: RecorderPatch) -> Recorder:
        return await self._send("PATCH", f"/recorders/{recorder_id}", Recorder, changes, rev=rev)

    async def delete_recorder(self, recorder_id: str, rev: int) -> None:
        await self._http.call("DELETE", f"{API}/recorders/{recorder_id}", rev=rev)

    async def start_recorder(self, recorder_id: str) -> Recorder:
        return await self._send("POST", f"/recorders/{recorder_id}/start", Recorder, deadline_s=COMMAND_S)

    async def stop_recorder(self, recorder_id: str) -> Recorder:
        return await self._send("POST", f"/recorders/{recorder_id}/stop", Recorder, deadline_s=COMMAND_S)

    async def recordings(self, recorder_id: str) -> tuple[RecordedFile, ...]:
        """The newest first."""
        return (await self._http.get(f"{API}/recorders/{recorder_id}/recordings", Page[RecordedFile])).items

    async def schedules(self) -> tuple[Schedule, ...]:
        return (await self._http.get(f"{API}/schedules", Page[Schedule])).items

    async def upcoming(self, hours: int) -> tuple[UpcomingRecording, ...]:
        """What is recorded within ``hours``, the first first."""
        query = {"hours": hours}
        return (await self._http.get(f"{API}/schedules/upcoming", Page[UpcomingRecording], query=query)).items

    async def create_schedule(self, values: ScheduleIn) -> Schedule:
        return await self._send("POST", "/schedules", Schedule, values)

    async def delete_schedule(self, schedule_id: str, rev: int) -> None:
        await self._http.call("DELETE", f"{API}/schedules/{schedule_id}", rev=rev)
