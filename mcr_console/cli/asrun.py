"""``mcr asrun``: what aired, streamed page by page as lines, CSV or JSON."""

import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from mcr_console.asrun_words import how
from mcr_console.cli.commands import AsJson, with_supervisor
from mcr_console.cli.naming import is_id, pick_channel
from mcr_console.cli.spreadsheet import write_rows
from mcr_console.cli.wording import frames_clock, local_time
from mcr_console.client import Client
from mcr_console.safe_text import safe
from supervisor.schemas.asrun import AsRunEvent
from supervisor.schemas.channel import Channel

PAGE: Final = 200

COLUMNS: Final = (
    "channel", "channel_name", "start_utc", "end_utc", "title", "house_id", "kind", "status", "start_frame", "frames",
    "planned_frames", "rate", "late", "start_cause", "end_cause", "by", "detail", "item_id", "asset_id", "run_id",
    "epoch", "seq",
)  # fmt: skip


def parse_instant(text: str) -> datetime:
    """An ISO 8601 instant; without an offset it is this machine's local time. Raises typer.BadParameter."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"not a time: {text!r}; write 2026-01-31, 2026-01-31T20:15 or 2026-01-31T20:15:00+01:00"
        ) from error
    return at.astimezone(UTC)


def asrun(
    ctx: typer.Context,
    channel: Annotated[str | None, typer.Option(metavar="CHANNEL", help="Only this one; number or name.")] = None,
    since: Annotated[
        datetime | None, typer.Option("--from", parser=parse_instant, metavar="TIME", help="From this time on.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", parser=parse_instant, metavar="TIME", help="Up to this time.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with every field, in UTC.")] = False,
    as_json: AsJson = False,
    limit: Annotated[int | None, typer.Option(min=1, help="The last so many only.")] = None,
) -> None:
    """Print the as-run log, oldest first: what aired, to the frame."""
    if ctx.invoked_subcommand is not None:
        return
    if as_csv and as_json:
        raise typer.BadParameter("--csv and --json exclude each other")

    async def run(client: Client) -> None:
        channels = {found.id: found for found in await client.channels()}
        channel_id = _channel_id(channel, channels) if channel is not None else None
        events = _newest(client, channel_id, since, until, limit) if limit else client.asrun(
            channel_id=channel_id, since=since, until=until
        )  # fmt: skip
        if as_csv:
            write_rows(sys.stdout, [COLUMNS])
        async for event in events:
            if as_csv:
                write_rows(sys.stdout, [row(event, channels.get(event.channel_id))])
            elif as_json:
                print(event.model_dump_json())
            else:
                print(line(event, channels.get(event.channel_id)))

    with_supervisor(run)


def _channel_id(named: str, channels: dict[str, Channel]) -> str:
    """A whole id is taken as it is: the log of a deleted channel stays, and has nothing else to be named by."""
    return named if is_id(named) else pick_channel(named, tuple(channels.values())).id


async def _newest(
    client: Client, channel_id: str | None, since: datetime | None, until: datetime | None, limit: int
) -> AsyncIterator[AsRunEvent]:
    """The last ``limit`` events, oldest first."""
    found: list[AsRunEvent] = []
    cursor: str | None = None
    while len(found) < limit:
        page = await client.asrun_page(
            channel_id=channel_id, since=since, until=until, cursor=cursor, limit=min(PAGE, limit - len(found))
        )
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    for event in reversed(found):
        yield event


def row(event: AsRunEvent, channel: Channel | None) -> tuple[object, ...]:
    """One event under ``COLUMNS``; a channel that is deleted leaves its number and name empty."""
    return (
        channel.number if channel else None,
        channel.name if channel else None,
        _utc(event.start_at),
        _utc(event.end_at) if event.end_at else None,
        event.title,
        event.house_id,
        event.kind,
        event.status,
        event.start_frame,
        event.frames,
        event.planned_frames,
        event.rate,
        event.late,
        event.start_cause,
        event.end_cause,
        event.by,
        event.detail,
        event.item_id,
        event.asset_id,
        event.run_id,
        event.epoch,
        event.seq,
    )


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def line(event: AsRunEvent, channel: Channel | None) -> str:
    """One event, one line, in the channel's own time zone."""
    whose = f"{channel.number} {safe(channel.name)}" if channel else f"deleted channel {event.channel_id}"
    zone = channel.time_zone if channel else "UTC"
    length = "" if event.frames is None else f", {event.frames} frames ({frames_clock(event.frames, event.rate)})"
    title = f'"{safe(event.title)}"' if event.title else event.kind
    first, *rest = safe(how(event)).split("; ", 1)
    return f"{local_time(event.start_at, zone)} {whose}: {title} {first}{length}{''.join(f'; {more}' for more in rest)}"
