"""``mcr events``: what happened and what was decided, as the store kept it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, cast, get_args

import typer

from mcr_console.cli.asrun import parse_instant
from mcr_console.cli.commands import AsJson, with_supervisor
from mcr_console.cli.naming import is_id, pick_channel, pick_node
from mcr_console.client import Client
from mcr_console.safe_text import safe
from supervisor.schemas.history import HistoryEvent, HistoryKind

_KINDS: Final = ", ".join(get_args(HistoryKind))


def _kind(text: str) -> str:
    """Typer has no list of literals. Raises typer.BadParameter."""
    if text not in get_args(HistoryKind):
        raise typer.BadParameter(f"not a kind: {text!r}; there are {_KINDS}")
    return text


def events(
    channel: Annotated[str | None, typer.Option(metavar="CHANNEL", help="Only this one; number or name.")] = None,
    node: Annotated[str | None, typer.Option(metavar="NODE", help="Only this one; its name.")] = None,
    kind: Annotated[
        list[str] | None, typer.Option(parser=_kind, metavar="KIND", help=f"{_KINDS}; may be given again.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option("--from", parser=parse_instant, metavar="TIME", help="From this time on.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The last so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Print what happened and what was decided, oldest first: decisions, phases, alarms, nodes, claims, leaders."""

    async def run(client: Client) -> tuple[list[HistoryEvent], dict[str, str]]:
        channels, nodes = await client.channels(), await client.nodes()
        names = {one.id: f"{one.number} {one.name}" for one in channels} | {one.id: one.name for one in nodes}
        names |= {one.id: f"recorder {one.name}" for one in await client.recorders()}
        # What a deleted channel left has nothing else to be named by than its whole id.
        whose = channel if channel is None or is_id(channel) else pick_channel(channel, channels).id
        where = node if node is None or is_id(node) else pick_node(node, nodes).id
        return await newest(
            client, whose, where, cast("tuple[HistoryKind, ...]", tuple(kind or ())), since, limit
        ), names

    found, names = with_supervisor(run)
    for event in found:
        print(event.model_dump_json() if as_json else line(event, names))
    if not found and not as_json:
        print("Nothing of that is kept.")


async def newest(
    client: Client,
    channel_id: str | None,
    node_id: str | None,
    kinds: tuple[HistoryKind, ...],
    since: datetime | None,
    limit: int,
) -> list[HistoryEvent]:
    """The last ``limit`` events from ``since`` on, oldest first."""
    found: list[HistoryEvent] = []
    cursor: str | None = None
    while len(found) < limit:
        page = await client.history_page(
            channel_id=channel_id, node_id=node_id, kinds=kinds, cursor=cursor, limit=min(200, limit - len(found))
        )
        kept = [event for event in page.items if since is None or event.at >= since]
        found += kept
        cursor = page.next_cursor
        if cursor is None or len(kept) < len(page.items):
            break
    return found[::-1]


def line(event: HistoryEvent, names: Mapping[str, str]) -> str:
    """One event, one line, in UTC: it may be of several channels in several zones."""
    whose = safe(names.get(event.channel_id or "") or names.get(event.node_id or "") or "")
    about = f" {whose}:" if whose else ""
    return f"{event.at:%Y-%m-%d %H:%M:%S} UTC {event.kind},{about} {safe(event.text)}"
