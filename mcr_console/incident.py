"""The incident bundle: state, events, as-run, logs and a picture of the screen in one file to send.

What cannot be had is named in the bundle and holds nothing else up: it is made when things go wrong.
"""

import asyncio
import json
import os
import zipfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol, TypeVar

from pydantic import BaseModel

from mcr_console.http import ClientError
from mcr_console.log_feeds import AsRunFeed, HistoryFeed
from supervisor.schemas.alarm import Alarm
from supervisor.schemas.asrun import AsRunEvent
from supervisor.schemas.base import Page
from supervisor.schemas.channel import Channel
from supervisor.schemas.event import SupervisorInfo
from supervisor.schemas.handover import Handover
from supervisor.schemas.history import HistoryEvent
from supervisor.schemas.node import Node
from supervisor.schemas.stream_key import without_key

T = TypeVar("T", bound=BaseModel)

PART_S: Final = 10.0
"""Seconds that each part has; a supervisor that hangs must not keep the others out."""
MOST_EVENTS: Final = 5_000
LOG_BYTES: Final = 2_000_000
"""Of the end of each log."""
_PAGE: Final = 200


class IncidentFeed(HistoryFeed, AsRunFeed, Protocol):
    """Raises ``ClientError``."""

    async def supervisor(self) -> SupervisorInfo: ...
    async def channels(self) -> tuple[Channel, ...]: ...
    async def nodes(self) -> tuple[Node, ...]: ...
    async def alarms(self, *, open_only: bool = True) -> tuple[Alarm, ...]: ...
    async def handover(self, hours: int = 12) -> Handover: ...


async def collect(
    feed: IncidentFeed, now: datetime, *, hours: int, logs: Sequence[Path], more: Mapping[str, bytes] | None = None
) -> dict[str, bytes]:
    """The bundle's files by name. ``more`` are put in as they are. Stream keys in outputs' urls are taken out."""
    since = now - timedelta(hours=hours)
    faults: list[str] = []
    parts = dict(more or {})

    async def put(name: str, work: Callable[[], Awaitable[bytes]]) -> None:
        try:
            async with asyncio.timeout(PART_S):
                parts[name] = await work()
        except (ClientError, OSError, TimeoutError) as error:
            faults.append(f"{name}: {error or type(error).__name__}")

    async def one(value: Awaitable[BaseModel]) -> bytes:
        return (await value).model_dump_json(indent=2).encode()

    async def history() -> bytes:
        async def page(cursor: str | None) -> Page[HistoryEvent]:
            return await feed.history_page(cursor=cursor, limit=_PAGE)

        return _lines(await _newest(page, lambda event: event.at >= since))

    async def as_run() -> bytes:
        async def page(cursor: str | None) -> Page[AsRunEvent]:
            return await feed.asrun_page(since=since, cursor=cursor, limit=_PAGE)

        return _lines(await _newest(page, lambda _: True))

    async def channels() -> bytes:
        return _array([_without_keys(channel) for channel in await feed.channels()])

    async def nodes() -> bytes:
        return _array(await feed.nodes())

    async def alarms() -> bytes:
        return _array(await feed.alarms(open_only=False))

    await put("supervisor.json", lambda: one(feed.supervisor()))
    await put("channels.json", channels)
    await put("nodes.json", nodes)
    await put("alarms.json", alarms)
    await put("handover.json", lambda: one(feed.handover(hours)))
    await put("history.jsonl", history)
    await put("as-run.jsonl", as_run)
    for log in logs:
        await put(f"logs/{log.name}", lambda log=log: asyncio.to_thread(_tail, log))
    parts["README.txt"] = _readme(now, hours, sorted(parts), faults).encode()
    return parts


def file_name(now: datetime) -> str:
    """``mcr-incident-20261122-140347Z.zip``."""
    return f"mcr-incident-{now:%Y%m%d-%H%M%S}Z.zip"


def write(path: Path, parts: Mapping[str, bytes]) -> None:
    """One zip file that only its owner reads, whole or not at all. Raises OSError, also where it is there already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name, content in sorted(parts.items()):
                bundle.writestr(name, content)
        # Not rename: it would replace a bundle of the same second.
        os.link(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


async def _newest(page: Callable[[str | None], Awaitable[Page[T]]], wanted: Callable[[T], bool]) -> list[T]:
    found: list[T] = []
    cursor: str | None = None
    while len(found) < MOST_EVENTS:
        got = await page(cursor)
        kept = [one for one in got.items if wanted(one)]
        found += kept
        cursor = got.next_cursor
        if cursor is None or len(kept) < len(got.items):
            break
    return found[:MOST_EVENTS]


def _without_keys(channel: Channel) -> Channel:
    outputs = tuple(output.model_copy(update={"url": without_key(output.url)}) for output in channel.outputs)
    return channel.model_copy(update={"outputs": outputs})


def _array(values: Sequence[BaseModel]) -> bytes:
    return json.dumps([value.model_dump(mode="json") for value in values], indent=2).encode()


def _lines(values: Sequence[BaseModel]) -> bytes:
    """Oldest first."""
    return "".join(f"{value.model_dump_json()}\n" for value in reversed(values)).encode()


def _tail(log: Path) -> bytes:
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - LOG_BYTES))
        return file.read(LOG_BYTES)


def _readme(now: datetime, hours: int, names: Sequence[str], faults: Sequence[str]) -> str:
    missing = [f"  {fault}" for fault in faults] or ["  nothing"]
    return "\n".join(
        [
            f"MCR Console, incident bundle of {now:%Y-%m-%d %H:%M:%S} UTC; events of the {hours} h before.",
            "Stream keys in the urls of outputs are taken out. Titles, names, paths and logs are as they are:",
            "read it before you send it to somebody outside.",
            "",
            "In it:",
            *(f"  {name}" for name in names),
            "",
            "What could not be had:",
            *missing,
            "",
        ]
    )
