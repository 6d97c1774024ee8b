"""A supervisor that says what a scene is about, behind the interface that the console's own client has."""

import asyncio
import io
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from PIL import Image

from mcr_console.client import ApiProblem, ClientError, Event, LinkMessage, Lost, TransportVerb, Unreachable
from supervisor.schemas.alarm import Alarm, Severity
from supervisor.schemas.asrun import AsRunEvent
from supervisor.schemas.asset import Asset
from supervisor.schemas.base import Page
from supervisor.schemas.channel import (
    AdjustIn,
    Channel,
    ChannelFormat,
    ChannelIn,
    ChannelLive,
    CommandDone,
    CommandIn,
    CueIn,
    DropIn,
    ItemLive,
    LoudnessLive,
    MoveIn,
    NextLive,
    Output,
    OutputLive,
    Rundown,
    RundownRow,
)
from supervisor.schemas.control import Control, ControlRenewed, ControlSeen
from supervisor.schemas.event import Reset, SupervisorInfo
from supervisor.schemas.handover import Handover, ShiftNoteIn
from supervisor.schemas.playlist import ImportResult, Item, Playlist, PlaylistImport, PlaylistRevise, Revision, Undone
from supervisor.schemas.rundown_edit import RundownEdit
from tests.console.desk_scenes import DeskScene, ScriptedDesk
from tests.console.handover_scenes import ScriptedHandover
from tests.console.lists import ASSETS, EditableList

NOON = datetime(2026, 11, 22, 14, 3, 47, tzinfo=UTC)


class FrozenClock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.passed = 0.0

    def monotonic(self) -> float:
        return 1000.0 + self.passed

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.passed)

    def local(self, instant: datetime) -> datetime:
        return instant.astimezone(UTC)


SEAT = "5ea7" * 4


def control(operator: str, seat: str = "0" * 16, station: str = "desk 2 pts/4") -> Control:
    return Control(operator=operator, seat=seat, station=station, since=NOON - timedelta(minutes=47))


def ident(number: int, kind: str = "c") -> str:
    return f"{ord(kind):04x}{number:028x}"


def channel(
    number: int,
    name: str,
    item: str | None = "headlines_1400",
    *,
    left: int = 1804,
    length: int = 9400,
    follows: str | None = "weather_am",
    rate: str = "25",
    node: str = "node-a",
    outputs: Sequence[str] = ("up",),
    **live: object,
) -> Channel:
    """On air with ``item``, ``left`` frames before its end, unless ``live`` says otherwise."""
    id_ = ident(number)
    values: dict[str, Any] = {
        "channel_id": id_,
        "version": number,
        "as_of": NOON,
        "desired": "on",
        "phase": "running",
        "observed": "on_air",
        "epoch": 7,
        "node_id": ident(1, "n"),
        "node_name": node,
        "picture": "item",
        "reason": "",
        "decision": "no action: heartbeat 0.3 s, 25 frames since the last, epoch 7 of 7",
        "item": None
        if item is None
        else ItemLive(
            item_id=f"{number}-2",
            title=item,
            position_frames=length - left,
            duration_frames=length,
            started_at=NOON - timedelta(minutes=5),
        ),
        "next": None
        if follows is None
        else NextLive(item_id=f"{number}-3", title=follows, cued=False, ready=True, in_frames_left=left),
        "hold": False,
        "outputs": tuple(
            OutputLive(
                id=ident(index, "o"),
                kind=("hls", "udp", "udp")[index],
                role="programme",
                state=state,
                detail="segment 1804" if state == "up" else "no route to host",
                frames_dropped=0,
            )
            for index, state in enumerate(outputs)
        ),
        "loudness": LoudnessLive(momentary_lufs=-22.0, short_term_lufs=-23.1 + number / 10, peak_dbfs=-6.2),
        "heartbeat_age_ms": 300,
        "heartbeat_ms": tuple((number * 37 + index * index * 13) % 90 for index in range(30)),
        "frame": 94850,
        "frames_late": 0,
        "frames_skipped": 0,
        "off_air_since": None,
        "playlist_revision": 3,
        "alarms": 0,
    }
    values.update(live)
    return Channel(
        id=id_,
        name=name,
        number=number,
        project_id=None,
        format=ChannelFormat(width=1280, height=720, rate=rate),
        outputs=tuple(Output(id=output.id, kind="hls") for output in values["outputs"]),
        playlist_id=ident(number, "p"),
        after_last="loop",
        resume_policy="continue",
        node_id=None,
        engine="ffmpeg",
        time_zone="UTC",
        day_start="06:00",
        desired=values["desired"],
        rev=1,
        created_at=NOON,
        live=ChannelLive(**values),
    )


OFF: dict[str, Any] = {
    "item": None,
    "follows": None,
    "desired": "off",
    "phase": "off",
    "observed": None,
    "epoch": 0,
    "node_id": None,
    "node": "",
    "picture": None,
    "decision": "off, as asked",
    "outputs": (),
    "loudness": None,
    "heartbeat_age_ms": None,
    "heartbeat_ms": (),
    "frame": 0,
}


def normal_channels() -> tuple[Channel, ...]:
    return (
        channel(1, "News 24"),
        channel(2, "Kids", "Big Buck Bunny S01E03", left=17518, length=30000, follows="ident_kids_04", node="node-b"),
        channel(3, "Sport", "Cup final, first half", left=42000, length=67500, follows="studio_break"),
        channel(4, "Movies", "Sintel (reel 2)", left=86370, length=120000, follows="trailer_fire", rate="30000/1001"),
        channel(5, "Regional N", "council_live", left=9000, length=20000, follows="regional_bulletin", node="node-c"),
        channel(6, "Regional S", "weather_loop", left=520, length=1500, follows="council_live", node="node-b"),
        channel(7, "Music", "playlist_loop_118", left=3509, length=6000, follows="promo_autumn"),
        channel(8, "Pop-up", **OFF),
        channel(9, "Test", "countdown_25p", left=221, length=1500, follows="bars_1k", node="node-c"),
    )


def degraded_channels() -> tuple[Channel, ...]:
    one, *_, seven, eight, _nine = normal_channels()
    return (
        one,
        channel(2, "Kids", "Big Buck Bunny S01E03", left=17518, length=30000, outputs=("up", "stalled"), alarms=1),
        channel(
            3, "Sport", "LIVE ob-truck-2", left=0, length=1500, follows="studio_break", observed="late",
            heartbeat_age_ms=2400, heartbeat_ms=(40, 45, 60, 120, 240, 410, 480, -1, -1),
            decision="one heartbeat of node-a was missed: waiting, nothing is replaced on suspicion", frames_late=61,
        ),
        channel(
            4, "Movies", None, follows="trailer_fire", picture="filler", reason="sintel_reel_2.mov: no data for 2 s",
            rate="30000/1001",
        ),
        channel(
            5, "Regional N", None, follows="regional_bulletin", node="node-c", phase="starting", observed="gone",
            off_air_since=NOON - timedelta(seconds=1.8), heartbeat_age_ms=None, loudness=None,
            heartbeat_ms=(22, 30, -1, -1, -1),
            decision="the sidecar exited with code 139; starting again on node-c with epoch 9, attempt 1", alarms=1,
        ),
        channel(
            6, "Regional S", "slate", left=0, length=1500, follows="council_live", picture="hold", hold=True,
            node="node-b",
            reason="waits for a take",
        ),
        seven,
        eight,
        channel(
            9, "Test", "countdown_25p", left=221, length=1500, node="node-c", observed="silent", heartbeat_age_ms=7300,
            decision="no heartbeat for 7.3 s; it may still be on air, so nothing is replaced",
            heartbeat_ms=(20, -1, -1, -1),
        ),
    )  # fmt: skip


def degraded_alarms() -> tuple[Alarm, ...]:
    return (
        alarm(1, 5, "critical", "off air: the sidecar exited with code 139", seconds=1.8),
        alarm(2, 2, "warning", "output udp stalled: no route to host 10.0.4.7", seconds=95),
        alarm(3, None, "info", "backup of the database is 26 hours old", seconds=7200, by="ann"),
    )


def alarm(number: int, of: int | None, severity: Severity, text: str, seconds: float, by: str | None = None) -> Alarm:
    return Alarm(
        id=ident(number, "a"),
        channel_id=None if of is None else ident(of),
        node_id=None,
        code="code",
        severity=severity,
        text=text,
        raised_at=NOON - timedelta(seconds=seconds),
        acknowledged_by=by,
        acknowledged_at=None if by is None else NOON,
        cleared_at=None,
    )


def supervisor_info() -> SupervisorInfo:
    return SupervisorInfo(name="mcr-1", version="0.1.0", boot_id="b1", leader=True, term=3, loop_lag_ms=0.4, at=NOON)


def reset(channels: Sequence[Channel], alarms: Sequence[Alarm] = ()) -> Event:
    snapshot = Reset(supervisor=supervisor_info(), channels=tuple(channels), nodes=(), alarms=tuple(alarms))
    return Event("reset", "b1-1", snapshot)


def lost() -> Lost:
    return Lost(Unreachable("The supervisor did not answer", "/run/mcr.sock: nothing within 3 s"), 2.0)


def rundown(of: Channel) -> Rundown:
    live = of.live
    titles = ["opener_1400", live.item.title if live.item else "headlines_1400", live.next.title if live.next else "-"]
    titles += [
        "promo_autumn",
        "LIVE ob-truck-2",
        "break_14b",
        "council_report",
        "ident_kids_99",
        "promo_winter",
        "ident_top",
    ]
    lengths = [300, 9400, 3750, 750, 30000, 4500, 36000, 250, 4000, 250]
    rows: list[RundownRow] = []
    at = NOON - timedelta(seconds=12 + 300)
    for index, (title, length) in enumerate(zip(titles, lengths, strict=True)):
        held = title.startswith("LIVE")
        rows.append(
            RundownRow(
                item_id=f"{of.number}-{index + 1}",
                position=index,
                title=title,
                kind="clip",
                start_mode="hold" if held else "follow",
                start_at=None if index > 5 else at,
                duration_frames=length,
                duration_ms=length * 40,
                asset_duration_ms=length * 40,
                state="aired" if index == 0 else "missing" if title == "ident_kids_99" else "planned",
                note="waits for a take" if held else "file is gone" if title == "ident_kids_99" else "",
            )
        )
        at += timedelta(milliseconds=length * 40)
    return Rundown(
        channel_id=of.id, playlist_id=of.playlist_id, revision=3, rate=of.format.rate, time_zone="UTC", rows=tuple(rows)
    )


def asrun_events(count: int = 12) -> tuple[AsRunEvent, ...]:
    """Newest first, over channels 1 to 4."""
    made: list[AsRunEvent] = []
    titles = ("headlines_1400", "sponsor_bank", "opener_1400", "world_tonight", "weather_am", "promo_autumn")
    for index in range(count):
        of, on_air = index % 4 + 1, index < 4
        status: Any = "on air" if on_air else ("aired", "aired", "cut", "aired short", "aired")[index % 5]
        made.append(
            AsRunEvent(
                channel_id=ident(of), run_id="r1", epoch=7, seq=1000 - index,
                kind="filler" if index == 9 else "item", item_id=f"{of}-2", asset_id=None, house_id=None,
                title="" if index == 9 else titles[index % 6], start_at=NOON - timedelta(seconds=37.44 * index + 12),
                end_at=None if on_air else NOON - timedelta(seconds=37.44 * (index - 1)),
                start_frame=90000 - 936 * index,
                frames=None if on_air else 936 - index, planned_frames=936, rate="25",
                start_cause="take" if index % 5 == 2 else "follow",
                end_cause=None if on_air else "rejoin" if status == "cut" else "ended",
                by="ann" if index % 5 == 2 else "", status=status,
                detail="no data for 2 s" if status == "aired short" else "", late=61 if index == 7 else 0,
            )
        )  # fmt: skip
    return tuple(made)


def picture(number: int) -> bytes:
    """Colour bars of another order for each channel, as PNG so that no decoder's rounding shows in a snapshot."""
    bars = ((192, 192, 192), (192, 192, 0), (0, 192, 192), (0, 192, 0), (192, 0, 192), (160, 60, 40), (0, 0, 192))
    image = Image.new("RGB", (280, 160))
    for index in range(7):
        image.paste(bars[(index + number) % 7], (index * 40, 0, index * 40 + 40, 120))
        image.paste((index * 30, index * 30, index * 30), (index * 40, 120, index * 40 + 40, 160))
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


@dataclass
class ScriptedSupervisor(ScriptedDesk, ScriptedHandover):
    """``script`` is told at once; ``tell`` tells more. ``answer`` may hold a command back or refuse it."""

    script: Sequence[LinkMessage] = ()
    pictures: bool = True
    problem: ClientError | None = None
    refuses_start: ClientError | None = None
    gate: asyncio.Event | None = None
    history: Sequence[AsRunEvent] = ()
    editable: EditableList | None = None
    sent: list[tuple[str, str, CommandIn | None]] = field(default_factory=list[Any])
    moved: list[tuple[str, MoveIn]] = field(default_factory=list[Any])
    created: list[ChannelIn] = field(default_factory=list[Any])
    acknowledged: list[str] = field(default_factory=list[Any])
    controlled: list[tuple[str, str]] = field(default_factory=list[Any])
    lapsed: set[str] = field(default_factory=set[str])
    bare: bool = False
    """No list has a row."""
    pages: int = 0
    where: str = "/run/mcr.sock"
    desk: DeskScene = field(default_factory=DeskScene)
    page: Handover | None = None
    noted: list[ShiftNoteIn] = field(default_factory=list[Any])
    done: list[tuple[Any, ...]] = field(default_factory=list[Any])

    def __post_init__(self) -> None:
        self._more: asyncio.Queue[LinkMessage] = asyncio.Queue(100)
        self._channels: dict[str, Channel] = {}
        for message in self.script:
            if isinstance(message, Event) and isinstance(message.payload, Reset):
                self._channels = {one.id: one for one in message.payload.channels}

    async def events(self) -> AsyncGenerator[LinkMessage, None]:
        for message in self.script:
            yield message
        while True:
            yield await self._more.get()

    def tell(self, message: LinkMessage) -> None:
        self._more.put_nowait(message)

    async def _command(self, channel_id: str, verb: str, command: CommandIn | None) -> CommandDone:
        self.sent.append((channel_id, verb, command))
        if self.gate is not None:
            await self.gate.wait()
        if self.problem is not None:
            raise self.problem
        name = command.command_id if command is not None else None
        return CommandDone(
            command_id=name or "none",
            channel_id=channel_id,
            done=f"{verb} done",
            frame=12345,
            item_id=None,
            took_ms=84.0,
        )

    async def transport(self, channel_id: str, verb: TransportVerb, command: CommandIn) -> CommandDone:
        return await self._command(channel_id, verb, command)

    async def cue(self, channel_id: str, command: CueIn) -> CommandDone:
        return await self._command(channel_id, "cue", command)

    async def drop(self, channel_id: str, command: DropIn, *, undo: bool = False) -> CommandDone:
        return await self._command(channel_id, "undrop" if undo else "drop", command)

    async def adjust(self, channel_id: str, command: AdjustIn) -> CommandDone:
        return await self._command(channel_id, "adjust", command)

    async def start(self, channel_id: str) -> Channel:
        await self._command(channel_id, "start", None)
        if self.refuses_start is not None:
            raise self.refuses_start
        return self._channels.get(channel_id) or channel(1, "new")

    async def move(self, channel_id: str, values: MoveIn) -> Channel:
        self.moved.append((channel_id, values))
        if self.problem is not None:
            raise self.problem
        return self._channels.get(channel_id) or channel(1, "new")

    async def stop(self, channel_id: str) -> Channel:
        await self._command(channel_id, "stop", None)
        return self._channels[channel_id]

    async def supervisor(self) -> SupervisorInfo:
        return supervisor_info()

    async def channels(self) -> tuple[Channel, ...]:
        return tuple(self._channels.values())

    async def alarms(self, *, open_only: bool = True) -> tuple[Alarm, ...]:
        return degraded_alarms()

    @property
    def seat(self) -> str:
        return SEAT

    async def take_control(self, channel_id: str, *, over: bool) -> Control:
        self.controlled.append(("over" if over else "take", channel_id))
        if self.problem is not None:
            raise self.problem
        return control("you", SEAT)

    async def release_control(self, channel_id: str) -> ControlSeen:
        self.controlled.append(("release", channel_id))
        return ControlSeen(channel_id=channel_id, control=None)

    async def renew_controls(self, channel_ids: Sequence[str]) -> ControlRenewed:
        self.controlled.extend(("renew", channel_id) for channel_id in channel_ids)
        held = tuple(one for one in channel_ids if one not in self.lapsed)
        return ControlRenewed(held=held, lost=tuple(one for one in channel_ids if one in self.lapsed))

    async def rundown(self, channel_id: str) -> Rundown:
        self._asked()
        if self.bare:
            return rundown(self._channels[channel_id]).model_copy(update={"rows": ()})
        return rundown(self._channels[channel_id]) if self.editable is None else self.editable.rundown()

    def _list(self) -> EditableList:
        if self.editable is None:
            raise ApiProblem("Not found", "This scene has no list to edit.", "", code="not_found", status=404)
        return self.editable

    async def item(self, playlist_id: str, item_id: str) -> Item:
        return await self._list().item(item_id)

    async def find_assets(self, words: str, limit: int = 50) -> tuple[Asset, ...]:
        found = [one for one in ASSETS if all(word in f"{one.title} {one.house_id}" for word in words.split())]
        return tuple(found[:limit])

    async def preview_edit(self, channel_id: str, edit: RundownEdit) -> Rundown:
        return await self._list().preview(edit)

    async def edit_rundown(self, channel_id: str, edit: RundownEdit) -> Rundown:
        return await self._list().do(edit)

    async def undo_edit(self, playlist_id: str, revision: int) -> Undone:
        return await self._list().undo()

    async def revise_playlist(self, playlist_id: str, values: PlaylistRevise, *, dry_run: bool) -> Revision:
        return await self._list().revise(values, dry_run=dry_run)

    async def thumbnail(self, channel_id: str) -> bytes:
        if not self.pictures:
            raise ApiProblem("No picture", "", code="not_found", status=404)
        return picture(self._channels[channel_id].number)

    async def acknowledge(self, alarm_id: str) -> Alarm:
        self.acknowledged.append(alarm_id)
        return degraded_alarms()[0]

    async def create_channel(self, values: ChannelIn) -> Channel:
        self.created.append(values)
        return channel(1, values.name)

    async def import_playlist(self, values: PlaylistImport) -> ImportResult:
        if self.problem is not None:
            raise self.problem
        made = Playlist(id=ident(1, "p"), name=values.name, project_id=None, revision=1, items=5, created_at=NOON)
        return ImportResult(playlist=made, assets_new=5, refused=())

    async def asrun_page(
        self, *, channel_id: str | None = None, cursor: str | None = None, limit: int = 200, **_: object
    ) -> Page[AsRunEvent]:
        self.pages += 1
        self._asked()
        found = [event for event in self.history if channel_id in {None, event.channel_id}]
        first = int(cursor or 0)
        last = first + limit
        return Page[AsRunEvent](items=tuple(found[first:last]), next_cursor=str(last) if last < len(found) else None)
