"""Twenty minutes of air with everything that may happen, and the decoded output held against the as-run log.

``python -m bench agreement --minutes N``. One channel goes round a list of clips of several rates, a slate and a live
input by SRT that is cut and restored; outputs are added and taken away on air; there are takes, holds, STANDBY and
REJOIN. A UDP receiver keeps the first output whole; each of its pictures is read and held against the records.
"""

import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import httpx

from bench.record import keep
from mcr_console.client import Client, ClientError, new_command_id
from sidecar.clips.make import make_clip
from sidecar.clips.specification import ClipSpecification
from supervisor.schemas.channel import ChannelFormat, ChannelIn, ChannelPatch, CommandIn, OutputIn
from supervisor.schemas.playlist import ItemIn, ItemsInsert, PlaylistImport
from tests.e2e.supervisor_process import SupervisorProcess, eventually
from tests.fixtures.homes import new_home
from tests.fixtures.live_senders import CLIP as LIVE_CLIP
from tests.fixtures.live_senders import RATE as LIVE_RATE
from tests.fixtures.live_senders import SenderProcess, free_port
from tests.instruments.agreement import Agreement, Numbered, Record, agree, spans_of
from tests.instruments.frame_cells import Seen, read_frame
from tests.instruments.udp_receiver import UdpReceiver

MINUTES = 20
RATE = Fraction(25)
_TICKS = 90_000  # of a transport stream's clock, a second
_LIVE = "live from the stadium"
_SLATE = "back shortly"
_LIVE_FRAMES = 25 * 50
_CUT_AFTER_S, _CUT_S = 12.0, 6.0
_CLIPS = (
    ClipSpecification(11, "Headlines", 640, 360, Fraction(25), 700),
    ClipSpecification(12, "Sport", 640, 360, Fraction(50), 1100),
    ClipSpecification(13, "Kids", 640, 480, Fraction(30000, 1001), 640, audio_channels=1),
    ClipSpecification(14, "Feature", 640, 360, Fraction(24000, 1001), 500, audio_channels=6),
    ClipSpecification(15, "Archive", 720, 576, Fraction(25), 400, Fraction(16, 15), 2, "mpeg2video", "mp2", ".mpg"),
    ClipSpecification(16, "Promo", 640, 360, Fraction(60000, 1001), 900),
    ClipSpecification(17, "Ident", 640, 360, Fraction(25), 130, audio_channels=0),
)
_ASPECTS = (Fraction(16, 9), Fraction(4, 3))


@dataclass
class Story:
    """What was done, by name, and what was refused."""

    done: dict[str, int] = field(default_factory=dict[str, int])
    refused: list[str] = field(default_factory=list[str])

    async def act(self, what: str, act: Callable[[], Awaitable[object]]) -> None:
        try:
            await act()
        except ClientError as error:
            self.refused.append(f"{what}: {error}")
        else:
            self.done[what] = self.done.get(what, 0) + 1


def measure(_clips: list[Path], minutes: float = MINUTES) -> None:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, new_home() as home, UdpReceiver() as receiver:
        media = Path(folder)
        for clip in _CLIPS:
            make_clip(clip, media)
        with (
            SupervisorProcess(home) as supervisor,
            SenderProcess(f"srt://127.0.0.1:{port}?mode=listener", "mpegts") as sender,
        ):
            story, records = asyncio.run(_air(supervisor, media, receiver.url, port, sender, minutes))
        print(f"agreement: {len(records)} records, {len(receiver.reception.datagrams)} datagrams", file=sys.stderr)
        result = held_against(receiver, records)
    keep(
        "agreement",
        figures={
            "minutes": round(float(result.frames / RATE / 60), 1),
            "frames": result.frames,
            "disagreeing_frames": result.disagreements,
            "continuity_errors": receiver.reception.continuity_errors(),
            "starts": sum(record["kind"] in ("item_start", "filler_start") for record in records),
        }
        | {f"frames_of_{kind}": count for kind, count in sorted(result.by_kind.items())}
        | {what.replace(" ", "_"): count for what, count in sorted(story.done.items())},
        samples={"faults": result.faults, "refused": story.refused},
    )


def held_against(receiver: UdpReceiver, records: list[Record]) -> Agreement:
    known = {clip.title: Numbered(clip.number, clip.rate) for clip in _CLIPS}
    known |= {_stem(clip): Numbered(clip.number, clip.rate) for clip in _CLIPS}
    known[_LIVE] = Numbered(LIVE_CLIP, Fraction(LIVE_RATE), live=True)
    return agree(_seen(receiver), spans_of(records), known, RATE)


def _seen(receiver: UdpReceiver) -> Iterator[tuple[int, Seen]]:
    """(output frame, what it shows): the first picture that was received is output frame 0."""
    first: int | None = None
    for frame in receiver.reception.pictures():
        first = frame.pts if first is None else first
        yield round((frame.pts - first) * RATE / _TICKS), read_frame(frame, _ASPECTS)


async def _air(
    supervisor: SupervisorProcess, media: Path, url: str, port: int, sender: SenderProcess, minutes: float
) -> tuple[Story, list[Record]]:
    socket = supervisor.home.path / "run" / "mcr.sock"
    async with supervisor.client() as client:
        playlist_id = await _list(client, media, port)
        first = OutputIn(kind="udp", url=url)
        channel = await client.create_channel(
            ChannelIn(
                name="Agreement", format=ChannelFormat(width=640, height=360, rate="25"), playlist_id=playlist_id,
                after_last="loop", outputs=(first, OutputIn(kind="hls")),
            )
        )  # fmt: skip
        await client.start(channel.id)

        async def on_air() -> bool:
            return (await client.channel(channel.id)).live.observed == "on_air"

        await eventually(on_air, "on air", 30)
        story = Story()
        ends = time.monotonic() + minutes * 60
        await asyncio.gather(
            _operate(client, channel.id, story, ends),
            _change_outputs(client, channel.id, first, story, ends),
            _cut(client, channel.id, sender, story, ends),
        )
        await client.stop(channel.id)

        async def collected() -> list[Record] | None:
            records = await _records(client, socket, channel.id)
            return records if records and records[-1]["kind"] == "run_end" else None

        return story, await eventually(collected, "the whole journal", 60)


async def _list(client: Client, media: Path, port: int) -> str:
    async def made() -> str:
        request = PlaylistImport(name="Agreement", source="folder", path=str(media))
        return (await client.import_playlist(request)).playlist.id

    playlist_id = await eventually(made, "the list", 60)
    clips = len(await client.items(playlist_id))
    playlist = next(it for it in await client.playlists() if it.id == playlist_id)
    live = ItemIn(
        kind="live", title=_LIVE, url=f"srt://127.0.0.1:{port}?mode=caller&latency=120", slate_frames=_LIVE_FRAMES
    )
    slate = ItemIn(kind="slate", title=_SLATE, slate_frames=100)
    await client.insert_items(playlist_id, ItemsInsert(revision=playlist.revision, at=clips // 2, items=(live, slate)))
    return playlist_id


async def _operate(client: Client, channel_id: str, story: Story, ends: float) -> None:
    chance = random.Random(4)

    async def say(verb: str) -> None:
        await story.act(
            verb, lambda: client.transport(channel_id, verb, CommandIn(command_id=new_command_id()))  # type: ignore[arg-type] - one of the verbs
        )  # fmt: skip

    while time.monotonic() < ends - 30:
        await asyncio.sleep(chance.uniform(8, 20))
        match chance.choice(("take", "take", "standby", "hold", "pause")):
            case "standby":
                await say("standby")
                await asyncio.sleep(chance.uniform(2, 6))
                await say("rejoin")
            case "hold":
                await say("hold")
                await asyncio.sleep(chance.uniform(3, 10))
                await say("play")
            case "pause":
                await say("pause")
                await asyncio.sleep(chance.uniform(1, 3))
                await say("resume")
            case verb:
                await say(verb)


async def _change_outputs(client: Client, channel_id: str, first: OutputIn, story: Story, ends: float) -> None:
    """Adds a UDP output and takes it away again, all the time; the first one stays."""
    more = OutputIn(kind="udp", url=f"udp://127.0.0.1:{free_port()}")
    hls = OutputIn(kind="hls")
    while time.monotonic() < ends - 30:
        for what, outputs in (("output added", (first, hls, more)), ("output removed", (first, hls))):
            await asyncio.sleep(17)
            rev = (await client.channel(channel_id)).rev

            async def change(rev: int = rev, outputs: tuple[OutputIn, ...] = outputs) -> None:
                await client.update_channel(channel_id, rev, ChannelPatch(outputs=outputs))

            await story.act(what, change)


async def _cut(client: Client, channel_id: str, sender: SenderProcess, story: Story, ends: float) -> None:
    """Cuts the live input's sender each time it has been on air for a while."""
    while time.monotonic() < ends:
        await asyncio.sleep(1)
        item = (await client.channel(channel_id)).live.item
        if item is None or item.title != _LIVE:
            continue
        await asyncio.sleep(_CUT_AFTER_S)
        sender.cut()
        await asyncio.sleep(_CUT_S)
        sender.restore()
        story.done["live input cut"] = story.done.get("live input cut", 0) + 1
        await asyncio.sleep(_LIVE_FRAMES / float(RATE) - _CUT_AFTER_S - _CUT_S)


async def _records(client: Client, socket: Path, channel_id: str) -> list[Record]:
    """The run's records as its sidecar wrote them. Raises ValueError when there was more than one run."""
    runs = {event.run_id async for event in client.asrun(channel_id=channel_id)}
    if len(runs) != 1:
        raise ValueError(f"one run was to air all of it: {runs}")
    found: list[Record] = []
    transport = httpx.AsyncHTTPTransport(uds=str(socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://supervisor/api/v1", timeout=10) as http:
        while True:
            query = {"channel_id": channel_id, "run_id": min(runs), "after": len(found), "limit": 200}
            answer = await http.get("/asrun/records", params=query)
            rows = answer.raise_for_status().json()["items"]
            found += [json.loads(row["line"][9:]) for row in rows]
            if not rows:
                return found


def _stem(clip: ClipSpecification) -> str:
    return Path(clip.file_name).stem
