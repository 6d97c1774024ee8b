"""The demo without a screen: one JSON object a channel and second on stdout."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from mcr_console.cli.wording import state_words
from mcr_console.client import Client
from mcr_console.http import ClientError
from supervisor.schemas.channel import Channel

EVERY_S: Final = 1.0


def record(channel: Channel, at: datetime, lost: str | None) -> dict[str, object]:
    """What a tile shows, as data. Positions are frames at ``rate``. ``lost``: why these are the last known values."""
    live = channel.live
    return {
        "at": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "number": channel.number,
        "name": channel.name,
        "state": f"supervisor lost: {lost}" if lost else state_words(channel),
        "item": live.item.title if live.item else None,
        "position": live.item.position_frames if live.item else None,
        "duration": live.item.duration_frames if live.item else None,
        "rate": channel.format.rate,
        "next": live.next.title if live.next else None,
        "frame": live.frame,
        "late": live.frames_late,
        "skipped": live.frames_skipped,
        "epoch": live.epoch,
        "heartbeat_age_ms": live.heartbeat_age_ms,
        "outputs": [
            {"kind": output.kind, "role": output.role, "state": output.state, "dropped": output.frames_dropped}
            for output in live.outputs
        ],
    }


async def report(client: Client, ids: list[str], now: Callable[[], datetime]) -> int:
    """Prints for ever. Returns 0 when nobody reads any more. A lost supervisor shows in the lines and ends nothing."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    known: list[Channel] = []
    while True:
        lost: str | None = None
        try:
            known = sorted(
                (channel for channel in await client.channels() if channel.id in ids), key=lambda c: c.number
            )
        except ClientError as error:
            lost = error.detail or error.title
        try:
            for channel in known:
                print(json.dumps(record(channel, now(), lost)))
            sys.stdout.flush()
        except BrokenPipeError:
            # What is still buffered goes nowhere, so that the interpreter's last flush does not fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        due = max(due + EVERY_S, loop.time())
        await asyncio.sleep(due - loop.time())
