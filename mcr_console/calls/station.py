"""What belongs to the station as a whole: watched folders, webhooks, drills, the handover."""

from mcr_console.calls.base import API, COMMAND_S, Calls
from supervisor.schemas.base import Page
from supervisor.schemas.coming import ComingBoard
from supervisor.schemas.drill import Drill, DrillIn
from supervisor.schemas.handover import Handover, ShiftNote, ShiftNoteIn
from supervisor.schemas.watched_folder import WatchedFolder, WatchedFolderIn
from supervisor.schemas.webhook import Webhook, WebhookCount, WebhookIn, WebhookMade, WebhookTried


class StationCalls(Calls):
    """Of no channel alone."""

    async def watched_folders(self) -> tuple[WatchedFolder, ...]:
        return (await self._http.get(f"{API}/watched-folders", Page[WatchedFolder])).items

    async def create_watched_folder(self, values: WatchedFolderIn) -> WatchedFolder:
        return await self._send("POST", "/watched-folders", WatchedFolder, values, deadline_s=COMMAND_S)

    async def delete_watched_folder(self, folder_id: str) -> None:
        await self._http.call("DELETE", f"{API}/watched-folders/{folder_id}")

    async def webhooks(self) -> tuple[Webhook, ...]:
        return (await self._http.get(f"{API}/webhooks", Page[Webhook])).items

    async def create_webhook(self, values: WebhookIn) -> WebhookMade:
        return await self._send("POST", "/webhooks", WebhookMade, values)

    async def delete_webhook(self, webhook_id: str) -> None:
        await self._http.call("DELETE", f"{API}/webhooks/{webhook_id}")

    async def test_webhook(self, webhook_id: str) -> WebhookTried:
        """Calls the receiver, which may take its time."""
        return await self._send("POST", f"/webhooks/{webhook_id}/test", WebhookTried, deadline_s=2 * COMMAND_S)

    async def retry_webhook(self, webhook_id: str) -> int:
        """How many deliveries that were given up are tried again."""
        return (await self._send("POST", f"/webhooks/{webhook_id}/retry", WebhookCount)).deliveries

    async def forget_webhook(self, webhook_id: str) -> int:
        return (await self._send("POST", f"/webhooks/{webhook_id}/forget", WebhookCount)).deliveries

    async def coming(self, hours: int = 4) -> ComingBoard:
        """What the coming hours of all channels ask of somebody."""
        return await self._http.get(f"{API}/coming", ComingBoard, query={"hours": hours})

    async def make_drill(self, values: DrillIn) -> Drill:
        """Answers as soon as the fault is made; it is measured in the list."""
        return await self._send("POST", "/drills", Drill, values)

    async def drills(self, limit: int) -> tuple[Drill, ...]:
        """Newest first."""
        return (await self._http.get(f"{API}/drills", Page[Drill], query={"limit": limit})).items

    async def handover(self, hours: int = 12) -> Handover:
        """What stands now, and what was noted in the last hours."""
        return await self._http.get(f"{API}/handover", Handover, query={"hours": hours})

    async def add_shift_note(self, values: ShiftNoteIn) -> ShiftNote:
        return await self._send("POST", "/shift-log", ShiftNote, values)
