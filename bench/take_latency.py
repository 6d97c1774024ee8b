"""From the take to the new picture: the command at the supervisor's API, the picture at a UDP receiver.

Seen from outside: an instant is noted before the request is written, the datagrams are noted as they come, and
afterwards the stream is decoded to learn which picture was the first of another clip. What lies between is the
supervisor, the node agent, the sidecar's clock, one encode and the pacing of the sender.
"""

import asyncio
import tempfile
import time
from fractions import Fraction
from pathlib import Path

from bench.record import keep, median
from mcr_console.client import new_command_id
from sidecar.clips.make import make_clip
from sidecar.clips.specification import ClipSpecification
from supervisor.schemas.channel import ChannelFormat, ChannelIn, CommandIn, OutputIn
from supervisor.schemas.playlist import PlaylistImport
from tests.e2e.supervisor_process import SupervisorProcess, eventually
from tests.fixtures.homes import new_home
from tests.instruments.frame_cells import read_frame
from tests.instruments.udp_receiver import UdpReceiver

TAKES = 50
_APART_S = 1.7
"""Between two takes: beyond the take guard, and no whole number of frames."""
_CLIPS = tuple(ClipSpecification(n, f"Take {n}", 1280, 720, Fraction(25), 1500) for n in range(1, 5))


def measure(_clips: list[Path], takes: int = TAKES) -> None:
    with tempfile.TemporaryDirectory() as folder, new_home() as home, UdpReceiver() as receiver:
        media = Path(folder)
        for clip in _CLIPS:
            make_clip(clip, media)
        with SupervisorProcess(home) as supervisor:
            asked, answered = asyncio.run(_take(supervisor, media, receiver.url, takes))
        shown = _first_pictures(receiver)
    seen = [at - began for began in asked for at in [next((it for it in shown if it > began), None)] if at is not None]
    if len(seen) != len(asked):
        raise ValueError(f"{len(asked)} takes, {len(seen)} new pictures")
    replies = [at - began for began, at in zip(asked, answered, strict=True)]
    keep(
        "take_latency",
        figures={
            "takes": len(seen),
            "to_picture_ms": round(median(seen) * 1000),
            "to_picture_worst_ms": round(max(seen) * 1000),
            "to_reply_ms": round(median(replies) * 1000),
            "to_reply_worst_ms": round(max(replies) * 1000),
        },
        samples={"to_picture": seen, "to_reply": replies},
    )


async def _take(supervisor: SupervisorProcess, media: Path, url: str, takes: int) -> tuple[list[float], list[float]]:
    """When each take was asked for and answered, in seconds of the monotonic clock."""
    async with supervisor.client() as client:

        async def made() -> str:
            request = PlaylistImport(name="Takes", source="folder", path=str(media))
            return (await client.import_playlist(request)).playlist.id

        channel = await client.create_channel(
            ChannelIn(
                name="Takes",
                format=ChannelFormat(width=1280, height=720, rate="25"),
                playlist_id=await eventually(made, "the list"),
                after_last="loop",
                outputs=(OutputIn(kind="udp", url=url),),
            )
        )
        await client.start(channel.id)

        async def ready() -> bool:
            live = (await client.channel(channel.id)).live
            return live.observed == "on_air" and live.next is not None and live.next.ready

        await eventually(ready, "on air, and the next clip ready", 30)
        asked: list[float] = []
        answered: list[float] = []
        for _ in range(takes):
            await asyncio.sleep(_APART_S)
            await eventually(ready, "the next clip ready", 30)
            asked.append(time.monotonic())
            await client.transport(channel.id, "take", CommandIn(command_id=new_command_id()))
            answered.append(time.monotonic())
        await asyncio.sleep(1)  # the last picture is still on its way
        return asked, answered


def _first_pictures(receiver: UdpReceiver) -> list[float]:
    """When the first datagram came of each picture that shows another clip than the one before."""
    arrived = dict(receiver.reception.picture_arrivals())
    found: list[float] = []
    before: int | None = None
    for frame in receiver.reception.pictures():
        clip = read_frame(frame, (Fraction(16, 9),)).clip
        if clip is not None and clip != before:
            if before is not None:
                found.append(arrived[frame.pts])
            before = clip
    return found
