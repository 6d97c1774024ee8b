"""Finds what a person named: a channel by number or name, a node or a playlist by name."""

import re

from mcr_console.cli.failures import Failure
from mcr_console.client import Client
from supervisor.schemas.channel import Channel
from supervisor.schemas.node import Node
from supervisor.schemas.playlist import Playlist

_ID = re.compile(r"[0-9a-f]{32}")


def is_id(text: str) -> bool:
    """Whether it is the shape of an id of the API."""
    return _ID.fullmatch(text) is not None


def pick_channel(named: str, channels: tuple[Channel, ...]) -> Channel:
    """By number, else by name in any case, else by id. Raises Failure that names what there is."""
    wanted = named.strip()
    if wanted.isascii() and wanted.isdigit():
        found = [channel for channel in channels if channel.number == int(wanted)]
        if found:
            return found[0]
    for key in (str, str.casefold):
        found = [channel for channel in channels if key(channel.name) == key(wanted)]
        if len(found) == 1:
            return found[0]
        if found:
            numbers = ", ".join(str(channel.number) for channel in found)
            raise Failure("Which channel?", f"{len(found)} are named {wanted!r}: {numbers}.", "Name it by its number.")
    for channel in channels:
        if channel.id == wanted:
            return channel
    there = ", ".join(f"{c.number} {c.name}" for c in sorted(channels, key=lambda c: c.number)[:12])
    hint = f"There are: {there}." if channels else "There are none yet; mcr channel add makes one."
    raise Failure("No such channel", f"Nothing has the number or name {named!r}.", hint)


def pick_playlist(named: str, playlists: tuple[Playlist, ...]) -> Playlist:
    """By id where it looks like one, else by name in any case. Raises Failure that names what there is."""
    wanted = named.strip()
    if is_id(wanted):
        found = [playlist for playlist in playlists if playlist.id == wanted]
        if found:
            return found[0]
    for key in (str, str.casefold):
        found = [playlist for playlist in playlists if key(playlist.name) == key(wanted)]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(playlist.id for playlist in found)
            raise Failure("Which playlist?", f"{len(found)} are named {wanted!r}.", f"Name it by its id: {ids}.")
    there = ", ".join(playlist.name for playlist in playlists[:12])
    hint = f"There are: {there}." if playlists else "There are none yet; mcr playlist import makes one."
    raise Failure("No such playlist", f"Nothing is named {named!r}.", hint)


def pick_node(named: str, nodes: tuple[Node, ...]) -> Node:
    """By name in any case, else by id. Raises Failure that names what there is."""
    wanted = named.strip()
    for key in (str, str.casefold):
        found = [node for node in nodes if key(node.name) == key(wanted)]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(node.name for node in found)
            raise Failure("Which node?", f"{len(found)} are named {wanted!r}: {names}.", "Write it as it is written.")
    for node in nodes:
        if node.id == wanted:
            return node
    there = ", ".join(node.name for node in nodes[:12])
    raise Failure("No such node", f"Nothing is named {named!r}.", f"There are: {there}." if there else "")


async def node_named(client: Client, named: str) -> Node:
    return pick_node(named, await client.nodes())


async def channel_named(client: Client, named: str) -> Channel:
    return pick_channel(named, await client.channels())


async def playlist_named(client: Client, named: str) -> Playlist:
    return pick_playlist(named, await client.playlists())
