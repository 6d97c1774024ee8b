"""The demo's channels: makes them, or finds them again, and puts them on air."""

import contextlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar, cast

from mcr_console.cli.places import Home
from mcr_console.cli.playlists import report_refused
from mcr_console.cli.progress import Progress
from mcr_console.client import Client
from supervisor.schemas.channel import Channel, ChannelFormat, ChannelIn, ChannelPatch
from supervisor.schemas.playlist import ItemIn, ItemsInsert, Playlist, PlaylistImport, PlaylistIn

T = TypeVar("T")

LIBRARY: Final = "All clips"
MOST: Final = 32
_OWN_CLIP: Final = re.compile(r"\d+_(.+)_\d+x\d+p\d+")


@dataclass(frozen=True, slots=True)
class Planned:
    """A channel the demo wants; its name finds it again."""

    name: str
    format: ChannelFormat


_NAMED: Final = (("News 24", "25"), ("Kids", "25"), ("Sport", "30000/1001"), ("Movies", "25"))


def plan(count: int) -> list[Planned]:
    """``count`` channels at 1280x720; one of the first four at 29.97."""
    named = [*_NAMED, *((f"Channel {number}", "25") for number in range(len(_NAMED) + 1, MOST + 1))]
    return [Planned(name, ChannelFormat(width=1280, height=720, rate=rate)) for name, rate in named[:count]]


def rotated(items: Sequence[T], position: int, count: int, *, backwards: bool) -> list[T]:
    """The list as the channel at ``position`` of ``count`` plays it: all of it, begun elsewhere."""
    offset = position * len(items) // max(1, count)
    turned = [*items[offset:], *items[:offset]]
    return turned[::-1] if backwards else turned


def own_title(stem: str) -> str:
    """``Headlines`` for ``01_headlines_1280x720p25``: what a clip of our own is called on screen."""
    found = _OWN_CLIP.fullmatch(stem)
    return found[1].replace("_", " ").capitalize() if found else stem


def stamp(folder: Path) -> dict[str, object]:
    """What is in the folder, by name, size and time of change: equal stamps need no new import."""
    files: list[list[object]] = []
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        paths = []  # the import says why it cannot be read
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue  # gone between listing and looking
        files.append([path.name, status.st_size, status.st_mtime_ns])
    return {"folder": str(folder), "files": files}


def read_stamp(path: Path) -> dict[str, object]:
    """What an earlier start wrote when everything was in place; empty when there was none."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return cast("dict[str, object]", found) if isinstance(found, dict) else {}


def is_unchanged(home: Home, folder: Path) -> bool:
    """Whether the folder is as the last complete start found it."""
    earlier = read_stamp(stamp_path(home))
    return folder.is_dir() and stamp(folder).items() <= earlier.items()


def stamp_path(home: Home) -> Path:
    return home.path / "demo.json"


class Lineup:
    """``mixed``: every other channel plays the list backwards, so that the demo's few clips look like four channels."""

    def __init__(self, client: Client, home: Home, folder: Path, count: int, *, mixed: bool) -> None:
        self._client = client
        self._folder = folder
        self._plan = plan(count)
        self._mixed = mixed
        self._stamp_path = stamp_path(home)

    async def prepare(self, progress: Progress) -> list[Channel]:
        """The channels, each with its playlist; a second start with the same files imports nothing."""
        now = {**stamp(self._folder), "count": len(self._plan)}
        channels = {channel.name: channel for channel in await self._client.channels()}
        playlists = {playlist.name: playlist for playlist in await self._client.playlists()}
        complete = all(planned.name in channels and planned.name in playlists for planned in self._plan)
        if complete and now == read_stamp(self._stamp_path):
            return [channels[planned.name] for planned in self._plan]
        self._stamp_path.unlink(missing_ok=True)
        progress.step("importing clips")
        items = await self._import(playlists.get(LIBRARY))
        made: list[Channel] = []
        for position, planned in enumerate(self._plan):
            progress.step(f"making channels {position + 1}/{len(self._plan)}")
            order = rotated(items, position, len(self._plan), backwards=self._mixed and position % 2 == 1)
            channel = channels.get(planned.name)
            made.append(await self._one(planned, channel, playlists.get(planned.name), order, position + 1, channels))
        with contextlib.suppress(OSError):  # then the next start imports once more, and that is all
            self._stamp_path.write_text(json.dumps(now))
        return made

    async def start(self, wanted: Sequence[Channel]) -> None:
        """Starts them, and stops what an earlier, larger demo left wanted."""
        ids = {channel.id for channel in wanted}
        for channel in await self._client.channels():
            if channel.id in ids and channel.desired == "off":
                await self._client.start(channel.id)
            elif channel.id not in ids and channel.desired == "on":
                await self._client.stop(channel.id)

    async def _import(self, earlier: Playlist | None) -> list[ItemIn]:
        """The folder's files as items, in the order of their names."""
        if earlier is not None:
            await self._client.delete_playlist(earlier.id, earlier.revision)
        result = await self._client.import_playlist(
            PlaylistImport(name=LIBRARY, source="folder", path=str(self._folder))
        )
        report_refused(result)
        items = await self._client.items(result.playlist.id)
        return [
            ItemIn(asset_id=item.asset_id, title=own_title(item.title) if self._mixed else item.title) for item in items
        ]

    async def _one(
        self,
        planned: Planned,
        channel: Channel | None,
        earlier: Playlist | None,
        items: Sequence[ItemIn],
        number: int,
        others: dict[str, Channel],
    ) -> Channel:
        if channel is not None and channel.playlist_id is not None:
            channel = await self._client.update_channel(channel.id, channel.rev, ChannelPatch(playlist_id=None))
        if earlier is not None:
            await self._client.delete_playlist(earlier.id, earlier.revision)
        playlist = await self._client.create_playlist(PlaylistIn(name=planned.name))
        await self._client.insert_items(playlist.id, ItemsInsert(revision=playlist.revision, items=tuple(items)))
        if channel is not None:
            return await self._client.update_channel(channel.id, channel.rev, ChannelPatch(playlist_id=playlist.id))
        taken = any(other.number == number for other in others.values())
        values = ChannelIn(
            name=planned.name,
            number=None if taken else number,
            format=planned.format,
            playlist_id=playlist.id,
            after_last="loop",
        )
        return await self._client.create_channel(values)
