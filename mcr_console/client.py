"""The console's and the command line's only door to a supervisor: one method for each thing its API can do."""

import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, TypeAlias, TypeVar

from mcr_console.event_stream import SILENCE_S, Event, LinkMessage, Lost, Unreadable, event_stream
from mcr_console.http import LONG_ANSWER_S, ApiProblem, ClientError, Http, Query, Unreachable, read_as
from supervisor.schemas.ahead import Ahead
from supervisor.schemas.alarm import Alarm, Instruction, InstructionIn, ShelveIn
from supervisor.schemas.asrun import (
    AsRunEvent,
    AsRunIssue,
    AsRunIssueIn,
    AsRunNote,
    AsRunNoteIn,
    AsRunProof,
    AsRunRebuilt,
    ExportFormat,
    ServiceReport,
)
from supervisor.schemas.asset import Asset, AssetIn
from supervisor.schemas.base import Page, Schema
from supervisor.schemas.channel import (
    AdjustIn,
    Channel,
    ChannelIn,
    ChannelPatch,
    CommandDone,
    CommandIn,
    CueIn,
    DropIn,
    LogoIn,
    MoveIn,
    Rundown,
)
from supervisor.schemas.claim import Claim, ReleaseIn
from supervisor.schemas.coming import ComingBoard
from supervisor.schemas.control import Control, ControlIn, ControlRenew, ControlRenewed, ControlSeen
from supervisor.schemas.drill import Drill, DrillIn
from supervisor.schemas.event import SupervisorInfo
from supervisor.schemas.explanation import Explanation, Placement
from supervisor.schemas.handover import Handover, ShiftNote, ShiftNoteIn
from supervisor.schemas.history import HistoryEvent, HistoryKind
from supervisor.schemas.media_root import MediaRoot, MediaRootIn
from supervisor.schemas.node import LostIn, Node, NodeIn, NodePatch
from supervisor.schemas.playlist import (
    ImportResult,
    InsertNext,
    Item,
    ItemPatch,
    ItemsDrop,
    ItemsInsert,
    Playlist,
    PlaylistEdit,
    PlaylistImport,
    PlaylistIn,
    PlaylistRevise,
    Revision,
    Undone,
)
from supervisor.schemas.recorder import RecordedFile, Recorder, RecorderIn, RecorderPatch
from supervisor.schemas.rundown_edit import RundownEdit
from supervisor.schemas.schedule import Schedule, ScheduleIn, UpcomingRecording
from supervisor.schemas.supervisor import ShutdownDone, ShutdownIn
from supervisor.schemas.watched_folder import WatchedFolder, WatchedFolderIn
from supervisor.schemas.webhook import Webhook, WebhookCount, WebhookIn, WebhookMade, WebhookTried
from supervisor.schemas.what_if import WhatIf

__all__ = [
    "ApiProblem",
    "Client",
    "ClientError",
    "Event",
    "LinkMessage",
    "Lost",
    "TransportVerb",
    "Unreachable",
    "Unreadable",
]

T = TypeVar("T", bound=Schema)
TransportVerb: TypeAlias = Literal["take", "play", "pause", "resume", "skip", "hold", "recue", "standby", "rejoin"]

API = "/api/v1"
WHOLE_PAGE = 200
COMMAND_S = 10.0
"""Deadline of a command: longer than the supervisor's own wait for a sidecar, so that its reason gets here first."""


def new_command_id() -> str:
    """A name for one key press or one call; sent again with the same name it is not done again."""
    return uuid.uuid4().hex


class Client:
    """Every method raises ``ApiProblem`` (the supervisor said no) or ``Unreachable``, both ``ClientError``.

    ``rev`` is the ``rev`` (of a playlist the ``revision``) that was seen: 409 when it has moved on.
    """

    def __init__(self, http: Http) -> None:
        self._http = http

    @classmethod
    def at(
        cls,
        *,
        socket: Path | None = None,
        url: str | None = None,
        token: str | None = None,
        authority: Path | None = None,
        read_only: bool = False,
    ) -> "Client":
        """A client of the supervisor at a unix socket, or at a URL with a bearer token. Nothing is sent yet.

        ``authority`` and ``read_only`` as for ``Http.open``.
        """
        return cls(Http.open(socket=socket, url=url, token=token, authority=authority, read_only=read_only))

    @property
    def http(self) -> Http:
        """For what is an admin's: ``mcr_console.people``."""
        return self._http

    def sit(self, session: str, station: str) -> "Client":
        """From now on every call names this session and where it sits."""
        self._http.sit(session, station)
        return self

    @property
    def seat(self) -> str:
        """What the supervisor shows of this client's session; empty without one."""
        return self._http.seat

    @property
    def where(self) -> str:
        """The socket's path or the URL, for people."""
        return self._http.where

    async def close(self) -> None:
        await self._http.close()

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    # The supervisor itself

    async def supervisor(self) -> SupervisorInfo:
        return await self._http.get(f"{API}/supervisor", SupervisorInfo)

    async def shut_down(self, *, off_air: bool) -> ShutdownDone:
        """Ends the supervisor. Playout goes on, unless ``off_air``: then each stop is confirmed first."""
        deadline_s = 120.0 if off_air else COMMAND_S
        return await self._send(
            "POST", "/supervisor/shutdown", ShutdownDone, ShutdownIn(off_air=off_air), deadline_s=deadline_s
        )

    async def alive(self) -> None:
        """Returns when something answers ``/healthz``; raises otherwise."""
        await self._http.call("GET", "/healthz", deadline_s=2.0)

    async def ready(self) -> None:
        """Returns when database and leadership are there; raises ``ApiProblem`` 503 with what is missing."""
        await self._http.call("GET", "/readyz", deadline_s=2.0)

    def events(self, *, last_id: str | None = None, silence_s: float = SILENCE_S) -> AsyncGenerator[LinkMessage, None]:
        """See ``mcr_console.event_stream.event_stream``. Close it with ``contextlib.aclosing``."""
        return event_stream(self._http, last_id=last_id, silence_s=silence_s)

    # Nodes, claims and media roots

    async def nodes(self) -> tuple[Node, ...]:
        return await self._all("/nodes", Node)

    async def create_node(self, values: NodeIn) -> Node:
        return await self._send("POST", "/nodes", Node, values)

    async def update_node(self, node_id: str, rev: int, changes: NodePatch) -> Node:
        return await self._send("PATCH", f"/nodes/{node_id}", Node, changes, rev=rev)

    async def delete_node(self, node_id: str, rev: int) -> None:
        await self._http.call("DELETE", f"{API}/nodes/{node_id}", rev=rev)

    async def declare_lost(self, node_id: str, reason: str) -> Node:
        """Somebody stands beside it and it is dead: its channels are started elsewhere without waiting."""
        return await self._send("POST", f"/nodes/{node_id}/declare-lost", Node, LostIn(reason=reason))

    async def accept_node(self, node_id: str) -> Node:
        """The machine that answers in its place now is the node from now on."""
        return await self._send("POST", f"/nodes/{node_id}/accept", Node)

    async def what_if(self, node_id: str) -> WhatIf:
        """What would become of what plays there if its machine died now."""
        return await self._http.get(f"{API}/nodes/{node_id}/what-if", WhatIf)

    async def claims(self, *, live_only: bool = True) -> tuple[Claim, ...]:
        return (await self._http.get(f"{API}/claims", Page[Claim], query={"live_only": live_only})).items

    async def release_claim(self, claim_id: str, reason: str) -> Claim:
        return await self._send("POST", f"/claims/{claim_id}/release", Claim, ReleaseIn(reason=reason))

    async def media_roots(self) -> tuple[MediaRoot, ...]:
        return (await self._http.get(f"{API}/media-roots", Page[MediaRoot])).items

    async def create_media_root(self, path: str) -> MediaRoot:
        """``path`` is of the supervisor's machine."""
        return await self._send("POST", "/media-roots", MediaRoot, MediaRootIn(path=path), deadline_s=COMMAND_S)

    async def delete_media_root(self, root_id: str) -> None:
        await self._http.call("DELETE", f"{API}/media-roots/{root_id}")

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

    async def ahead(self, channel_id: str, hours: int) -> Ahead:
        """What is wrong with the channel's coming items."""
        return await self._http.get(f"{API}/channels/{channel_id}/ahead?hours={hours}", Ahead)

    async def coming(self, hours: int = 4) -> ComingBoard:
        """What the coming hours of all channels ask of somebody."""
        return await self._http.get(f"{API}/coming", ComingBoard, query={"hours": hours})

    # Channels

    async def channels(self) -> tuple[Channel, ...]:
        return await self._all("/channels", Channel)

    async def channel(self, channel_id: str) -> Channel:
        return await self._http.get(f"{API}/channels/{channel_id}", Channel)

    async def create_channel(self, values: ChannelIn) -> Channel:
        return await self._send("POST", "/channels", Channel, values)

    async def update_channel(self, channel_id: str, rev: int, changes: ChannelPatch) -> Channel:
        return await self._send("PATCH", f"/channels/{channel_id}", Channel, changes, rev=rev)

    async def delete_channel(self, channel_id: str, rev: int) -> None:
        await self._http.call("DELETE", f"{API}/channels/{channel_id}", rev=rev)

    async def start(self, channel_id: str) -> Channel:
        """The channel is wanted on air from now on. The answer does not wait for it to be there."""
        return await self._send("POST", f"/channels/{channel_id}/start", Channel, deadline_s=COMMAND_S)

    async def stop(self, channel_id: str) -> Channel:
        """The channel is wanted off air from now on. The answer does not wait for it to be there."""
        return await self._send("POST", f"/channels/{channel_id}/stop", Channel, deadline_s=COMMAND_S)

    async def move(self, channel_id: str, values: MoveIn) -> Channel:
        """The channel goes to another node from now on. The answer does not wait for it to be on air there."""
        return await self._send("POST", f"/channels/{channel_id}/move", Channel, values, deadline_s=COMMAND_S)

    async def transport(self, channel_id: str, verb: TransportVerb, command: CommandIn) -> CommandDone:
        """Answers when the engine has done it."""
        return await self._send("POST", f"/channels/{channel_id}/{verb}", CommandDone, command, deadline_s=COMMAND_S)

    async def cue(self, channel_id: str, command: CueIn) -> CommandDone:
        return await self._send("POST", f"/channels/{channel_id}/cue", CommandDone, command, deadline_s=COMMAND_S)

    async def adjust(self, channel_id: str, command: AdjustIn) -> CommandDone:
        """The item on air becomes longer or shorter."""
        return await self._send("POST", f"/channels/{channel_id}/adjust", CommandDone, command, deadline_s=COMMAND_S)

    async def drop(self, channel_id: str, command: DropIn, *, undo: bool = False) -> CommandDone:
        """The item will not air; ``undo``: it will after all."""
        verb = "undrop" if undo else "drop"
        return await self._send("POST", f"/channels/{channel_id}/{verb}", CommandDone, command, deadline_s=COMMAND_S)

    async def logo(self, channel_id: str, command: LogoIn) -> CommandDone:
        return await self._send("POST", f"/channels/{channel_id}/logo", CommandDone, command, deadline_s=COMMAND_S)

    async def rundown(self, channel_id: str) -> Rundown:
        return await self._http.get(f"{API}/channels/{channel_id}/rundown", Rundown)

    async def preview_edit(self, channel_id: str, edit: RundownEdit) -> Rundown:
        """The rundown as it would be; nothing is changed."""
        return await self._send("POST", f"/channels/{channel_id}/rundown/preview", Rundown, edit)

    async def edit_rundown(self, channel_id: str, edit: RundownEdit) -> Rundown:
        """The rundown as it is then. 409 ``locked`` for what airs or is due, ``stale_revision`` where it moved on."""
        return await self._send("POST", f"/channels/{channel_id}/rundown/edit", Rundown, edit, deadline_s=COMMAND_S)

    async def thumbnail(self, channel_id: str) -> bytes:
        """A JPEG of what is on air now."""
        return await self._http.call("GET", f"{API}/channels/{channel_id}/thumbnail.jpg", deadline_s=3.0)

    async def explain(self, channel_id: str) -> Explanation:
        """What was decided about the channel, and why."""
        return await self._http.get(f"{API}/channels/{channel_id}/explain", Explanation)

    async def placement(self, channel_id: str) -> Placement:
        """Where the channel could go, and where not and why."""
        return await self._http.get(f"{API}/channels/{channel_id}/placement", Placement)

    async def hold_failover(self, channel_id: str, *, held: bool) -> Channel:
        """Vetoes that the channel is moved, or takes that back."""
        verb = "hold-failover" if held else "release-failover"
        return await self._send("POST", f"/channels/{channel_id}/{verb}", Channel)

    # Control of channels

    async def take_control(self, channel_id: str, *, over: bool) -> Control:
        """For this client's session (``sit``); ``over``: from who has it, too."""
        return await self._send("POST", f"/channels/{channel_id}/control", Control, ControlIn(over=over))

    async def release_control(self, channel_id: str) -> ControlSeen:
        return await self._send("POST", f"/channels/{channel_id}/release-control", ControlSeen)

    async def renew_controls(self, channel_ids: Sequence[str]) -> ControlRenewed:
        """This client's session is still there."""
        return await self._send("POST", "/controls/renew", ControlRenewed, ControlRenew(channel_ids=tuple(channel_ids)))

    async def controls(self) -> tuple[ControlSeen, ...]:
        return (await self._http.get(f"{API}/controls", Page[ControlSeen])).items

    # Drills

    async def make_drill(self, values: DrillIn) -> Drill:
        """Answers as soon as the fault is made; it is measured in the list."""
        return await self._send("POST", "/drills", Drill, values)

    async def drills(self, limit: int) -> tuple[Drill, ...]:
        """Newest first."""
        return (await self._http.get(f"{API}/drills", Page[Drill], query={"limit": limit})).items

    # Handover

    async def handover(self, hours: int = 12) -> Handover:
        """What stands now, and what was noted in the last hours."""
        return await self._http.get(f"{API}/handover", Handover, query={"hours": hours})

    async def add_shift_note(self, values: ShiftNoteIn) -> ShiftNote:
        return await self._send("POST", "/shift-log", ShiftNote, values)

    # Playlists and assets

    async def playlists(self) -> tuple[Playlist, ...]:
        return await self._all("/playlists", Playlist)

    async def create_playlist(self, values: PlaylistIn) -> Playlist:
        return await self._send("POST", "/playlists", Playlist, values)

    async def delete_playlist(self, playlist_id: str, rev: int) -> None:
        await self._http.call("DELETE", f"{API}/playlists/{playlist_id}", rev=rev)

    async def import_playlist(self, values: PlaylistImport) -> ImportResult:
        """Every file is probed, so this may take minutes."""
        return await self._send("POST", "/playlists/import", ImportResult, values, deadline_s=LONG_ANSWER_S)

    async def revise_playlist(self, playlist_id: str, values: PlaylistRevise, *, dry_run: bool) -> Revision:
        """What a revised list changes; files that it names are probed, so this may take minutes."""
        path = f"/playlists/{playlist_id}/revise"
        query: Query = {"dry_run": dry_run}
        return await self._send("POST", path, Revision, values, query=query, deadline_s=LONG_ANSWER_S)

    async def items(self, playlist_id: str) -> tuple[Item, ...]:
        return await self._all(f"/playlists/{playlist_id}/items", Item)

    async def item(self, playlist_id: str, item_id: str) -> Item:
        return await self._http.get(f"{API}/playlists/{playlist_id}/items/{item_id}", Item)

    async def find_assets(self, words: str, limit: int = 50) -> tuple[Asset, ...]:
        """Those with every word in title, house id or path; the first ``limit`` of them."""
        query: Query = {"search": words or None, "limit": limit}
        return (await self._http.get(f"{API}/assets", Page[Asset], query=query)).items

    async def insert_items(self, playlist_id: str, values: ItemsInsert) -> Playlist:
        return await self._send("POST", f"/playlists/{playlist_id}/items", Playlist, values)

    async def update_item(self, playlist_id: str, item_id: str, revision: int, changes: ItemPatch) -> Playlist:
        return await self._send("PATCH", f"/playlists/{playlist_id}/items/{item_id}", Playlist, changes, rev=revision)

    async def drop_items(self, playlist_id: str, values: ItemsDrop) -> Playlist:
        """Lets them not air, or air again."""
        return await self._send("POST", f"/playlists/{playlist_id}/items/drop", Playlist, values)

    async def insert_next(self, channel_id: str, values: InsertNext) -> Playlist:
        """Right after what is on air."""
        return await self._send("POST", f"/channels/{channel_id}/insert-next", Playlist, values)

    async def undo_edit(self, playlist_id: str, revision: int) -> Undone:
        """Takes the edit that made this revision back."""
        return await self._send(
            "POST", f"/playlists/{playlist_id}/undo", Undone, PlaylistEdit(revision=revision)
        )  # fmt: skip

    async def create_asset(self, values: AssetIn) -> Asset:
        return await self._send("POST", "/assets", Asset, values, deadline_s=60.0)

    # Alarms, history, as-run log

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

    async def asrun_page(
        self,
        *,
        channel_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str | None = None,
        limit: int = WHOLE_PAGE,
        order: Literal["asc", "desc"] = "desc",
    ) -> Page[AsRunEvent]:
        """``since`` and ``until`` are aware; the newest come first unless ``order`` says otherwise."""
        query: Query = {
            "channel_id": channel_id,
            "from": None if since is None else since.isoformat(),
            "to": None if until is None else until.isoformat(),
            "cursor": cursor,
            "limit": limit,
            "order": order,
        }
        return await self._http.get(f"{API}/asrun", Page[AsRunEvent], query=query)

    async def asrun(
        self, *, channel_id: str | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> AsyncIterator[AsRunEvent]:
        """Every event, oldest first, page by page."""
        cursor: str | None = None
        while True:
            page = await self.asrun_page(channel_id=channel_id, since=since, until=until, cursor=cursor, order="asc")
            for event in page.items:
                yield event
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def verify_asrun(
        self, channel_id: str, *, day: date | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> AsRunProof:
        """Reads every record of the span: of a day, seconds."""
        query = _span(day, since, until)
        return await self._send(
            "GET", f"/channels/{channel_id}/asrun/verify", AsRunProof, query=query, deadline_s=LONG_ANSWER_S
        )

    def export_asrun(
        self,
        channel_id: str,
        form: ExportFormat,
        *,
        day: date | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncIterator[bytes]:
        """The file, piece by piece."""
        query = {**_span(day, since, until), "format": form}
        return self._http.stream(f"{API}/channels/{channel_id}/asrun/export", query=query)

    async def service_report(self, channel_id: str, *, day: date | None = None) -> ServiceReport:
        query = _span(day, None, None)
        return await self._send(
            "GET", f"/channels/{channel_id}/asrun/service", ServiceReport, query=query, deadline_s=LONG_ANSWER_S
        )

    async def add_asrun_note(self, channel_id: str, values: AsRunNoteIn) -> AsRunNote:
        return await self._send("POST", f"/channels/{channel_id}/asrun/notes", AsRunNote, values)

    async def rebuild_asrun(self, channel_id: str) -> AsRunRebuilt:
        """Reads every record that there is."""
        path = f"/channels/{channel_id}/asrun/rebuild"
        return await self._send("POST", path, AsRunRebuilt, deadline_s=LONG_ANSWER_S)

    async def asrun_issues(self, channel_id: str) -> tuple[AsRunIssue, ...]:
        """The newest first."""
        return (await self._http.get(f"{API}/channels/{channel_id}/asrun/issues", Page[AsRunIssue])).items

    async def issue_asrun(self, channel_id: str, day: date) -> AsRunIssue:
        """Issues a day's log again."""
        return await self._send("POST", f"/channels/{channel_id}/asrun/issues", AsRunIssue, AsRunIssueIn(day=day))

    # Recorders

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

    # How the above are sent

    async def _send(
        self,
        method: str,
        path: str,
        answer: type[T],
        body: Schema | None = None,
        *,
        rev: int | None = None,
        query: Query | None = None,
        deadline_s: float = 5.0,
    ) -> T:
        content = await self._http.call(method, API + path, body=body, rev=rev, query=query, deadline_s=deadline_s)
        return read_as(answer, content)

    async def _all(self, path: str, item: type[T], *, query: Query | None = None) -> tuple[T, ...]:
        found: list[T] = []
        cursor: str | None = None
        shape = Page[item]
        while True:
            page = await self._http.get(
                API + path, shape, query={**(query or {}), "cursor": cursor, "limit": WHOLE_PAGE}
            )
            found.extend(page.items)
            if page.next_cursor is None:
                return tuple(found)
            cursor = page.next_cursor


def _span(day: date | None, since: datetime | None, until: datetime | None) -> dict[str, str]:
    """A day, or from and to, as a query; nothing for what is None."""
    found: dict[str, str] = {}
    if day is not None:
        found["day"] = day.isoformat()
    if since is not None:
        found["from"] = since.isoformat()
    if until is not None:
        found["to"] = until.isoformat()
    return found
