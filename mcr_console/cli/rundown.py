"""``mcr rundown …``: a channel's list with its times, and what an operator changes in it."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from mcr_console.cli.commands import AsJson, group, with_supervisor
from mcr_console.cli.failures import Failure
from mcr_console.cli.naming import channel_named
from mcr_console.cli.progress import waiting
from mcr_console.cli.wording import counted, frames_clock, local_time
from mcr_console.client import Client
from mcr_console.safe_text import safe
from supervisor.schemas.airing import BeforeFixed, EndMode, HoldShow, LatePolicy, Logo, StartMode
from supervisor.schemas.asset import AssetIn
from supervisor.schemas.channel import Rundown, RundownRow
from supervisor.schemas.playlist import InsertNext, ItemIn, ItemPatch, ItemsDrop

app = group("See and change what a channel will air, as its rundown shows it. Every edit names the revision it saw.")

Named = Annotated[str, typer.Argument(metavar="CHANNEL", help="Its number or name.")]
Which = Annotated[str, typer.Argument(metavar="ITEM", help="Line number in the rundown (from 1), title or id.")]
Several = Annotated[list[str], typer.Argument(metavar="ITEM...", help="Line numbers (from 1), titles or ids.")]


@app.command()
def show(named: Named, as_json: AsJson = False) -> None:
    """Show every line with its start, what fixed starts cut or leave open, and when somebody has to act."""

    async def run(client: Client) -> Rundown:
        return await client.rundown((await channel_named(client, named)).id)

    found = with_supervisor(run)
    if as_json:
        print(found.model_dump_json(indent=2))
        return
    for line in [*summary_lines(found), *(row_line(row, found) for row in found.rows)]:
        print(line)


def summary_lines(found: Rundown) -> list[str]:
    """The list's revision, over or under to the next fixed start, the next action and the list's end."""
    lines = [f"Revision {found.revision}, {counted(len(found.rows), 'item')}, {safe(found.time_zone)}"]
    fixed = next((row for row in found.rows if row.item_id == found.next_fixed_item_id), None)
    if fixed is not None and fixed.over_under_frames is not None:
        lines.append(f'{over_under_words(fixed.over_under_frames, found.rate)} to "{safe(fixed.title)}"')
    if found.next_action_at is not None:
        lines.append(f"Next action at {local_time(found.next_action_at, found.time_zone)}: {safe(found.next_action)}")
    if found.ends_at is not None:
        lines.append(f"The list ends at {local_time(found.ends_at, found.time_zone)}")
    return lines


def over_under_words(frames: int, rate: str) -> str:
    """``over 0:12``, ``under 1:30`` or ``on time``."""
    if frames == 0:
        return "On time"
    return f"{'Over' if frames > 0 else 'Under'} {frames_clock(abs(frames), rate)}"


def row_line(row: RundownRow, found: Rundown) -> str:
    if row.kind == "comment":
        return f"{row.position + 1}. # {safe(row.title)}"
    when = local_time(row.start_at, found.time_zone) if row.start_at else "at a take"
    length = frames_clock(row.duration_frames, found.rate) if row.duration_frames is not None else "open"
    said = [] if row.state == "planned" else [row.state.replace("_", " ")]
    if row.fixed_at is not None:
        said.append(f"fixed {local_time(row.fixed_at, found.time_zone)}")
    if row.over_under_frames:
        said.append(over_under_words(row.over_under_frames, found.rate).lower())
    if row.cut_frames:
        said.append(f"cut by {frames_clock(row.cut_frames, found.rate)}")
    if row.gap_frames:
        said.append(f"filler of {frames_clock(row.gap_frames, found.rate)} before it")
    if row.overlap_frames:
        word = "planned over what is above by" if row.overlap_frames > 0 else "planned after a gap of"
        said.append(f"{word} {frames_clock(abs(row.overlap_frames), found.rate)}")
    said += [safe(row.note)] if row.note else []
    return f'{row.position + 1}. {when} "{safe(row.title)}" {length}{"".join(f", {one}" for one in said)}'


@app.command("set")
def set_(
    named: Named,
    item: Which,
    title: Annotated[str | None, typer.Option(help="Another title.")] = None,
    start: Annotated[StartMode | None, typer.Option(help="follow, hold, or fixed with --at.")] = None,
    at: Annotated[str | None, typer.Option(help="Fixed start: 20:15:00, 25:30:00 or 2026-03-29 02:30:00.")] = None,
    soft: Annotated[bool | None, typer.Option("--soft/--hard", help="Soft waits for the end of what airs.")] = None,
    late: Annotated[LatePolicy | None, typer.Option(help="What a fixed start does that comes too late.")] = None,
    late_limit: Annotated[float | None, typer.Option(min=0, help="Seconds that are not too late.")] = None,
    end: Annotated[EndMode | None, typer.Option(help="duration, at with --until, or take.")] = None,
    until: Annotated[str | None, typer.Option(help="When it ends, as --at.")] = None,
    before_fixed: Annotated[BeforeFixed | None, typer.Option(help="When a fixed start stands in its way.")] = None,
    expendable: Annotated[bool | None, typer.Option("--expendable/--needed", help="May be dropped for time.")] = None,
    hold_show: Annotated[HoldShow | None, typer.Option(help="What is shown while it waits.")] = None,
    repeat: Annotated[int | None, typer.Option(min=0, help="How often it airs; 0: until a take.")] = None,
    logo: Annotated[Logo | None, typer.Option(help="on, off, or inherit: as its category, else its channel.")] = None,
    category: Annotated[str | None, typer.Option(help="Its sort, for the logo; '' for none.")] = None,
) -> None:
    """Change how an item airs: its start, its end, and what happens in between."""
    given: dict[str, object] = {
        "title": title,
        "start_mode": "fixed" if start is None and at is not None else start,
        "fixed_time": at,
        "fixed_kind": None if soft is None else "soft" if soft else "hard",
        "late_policy": late,
        "late_limit_ms": None if late_limit is None else round(late_limit * 1000),
        "end_mode": "at" if end is None and until is not None else end,
        "end_time": until,
        "before_fixed": before_fixed,
        "expendable": expendable,
        "hold_show": hold_show,
        "repeat": repeat,
        "logo": logo,
        "category": category,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise typer.BadParameter("say what is to change; mcr rundown set --help lists it")

    async def run(client: Client) -> str:
        found, (row,) = await _rows(client, named, [item])
        patch = ItemPatch.model_validate(changes)
        done = await client.update_item(_list_of(found), row.item_id, found.revision, patch)
        return f'"{safe(row.title)}" is changed, revision {done.revision}'

    print(with_supervisor(run))


@app.command()
def drop(named: Named, items: Several) -> None:
    """Let items not air; they stand in the list. What is on air airs to its end."""
    print(with_supervisor(lambda client: _drop(client, named, items, dropped=True)))


@app.command()
def undrop(named: Named, items: Several) -> None:
    """Let dropped items air again."""
    print(with_supervisor(lambda client: _drop(client, named, items, dropped=False)))


async def _drop(client: Client, named: str, items: list[str], *, dropped: bool) -> str:
    found, rows = await _rows(client, named, items)
    ids = tuple(row.item_id for row in rows)
    done = await client.drop_items(
        _list_of(found), ItemsDrop(revision=found.revision, item_ids=ids, dropped=dropped)
    )  # fmt: skip
    return f"{counted(len(ids), 'item')} {'dropped' if dropped else 'will air again'}, revision {done.revision}"


@app.command()
def insert(
    named: Named,
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE...]", help="Media files.")] = None,
    live: Annotated[str | None, typer.Option(help="A live input's url instead: srt://host:9000.")] = None,
    hold: Annotated[bool, typer.Option("--hold", help="It waits for a take.")] = False,
) -> None:
    """Insert right after what is on air."""
    if bool(files) == (live is not None):
        raise typer.BadParameter("name files, or a live input with --live")

    async def run(client: Client) -> str:
        channel = await channel_named(client, named)
        mode: Literal["hold", "follow"] = "hold" if hold else "follow"
        items: list[ItemIn] = []
        if live is not None:
            items.append(ItemIn(kind="live", url=live, end_mode="take", start_mode=mode))
        async with waiting(f"probing {counted(len(files or ()), 'file')}"):
            for file in files or ():
                asset = await client.create_asset(AssetIn(path=str(file.expanduser().absolute())))
                items.append(ItemIn(asset_id=asset.id, start_mode=mode))
        revision = (await client.rundown(channel.id)).revision
        done = await client.insert_next(channel.id, InsertNext(revision=revision, items=tuple(items)))
        return f"{counted(len(items), 'item')} next, revision {done.revision}"

    print(with_supervisor(run))


@app.command()
def undo(named: Named) -> None:
    """Take the last edit of the channel's list back; twice does it again."""

    async def run(client: Client) -> str:
        found = await client.rundown((await channel_named(client, named)).id)
        done = await client.undo_edit(_list_of(found), found.revision)
        return f"Taken back: {safe(done.what)}, revision {done.playlist.revision}"

    print(with_supervisor(run))


async def _rows(client: Client, named: str, items: list[str]) -> tuple[Rundown, tuple[RundownRow, ...]]:
    found = await client.rundown((await channel_named(client, named)).id)
    return found, tuple(pick_row(item, found.rows) for item in items)


def pick_row(named: str, rows: tuple[RundownRow, ...]) -> RundownRow:
    """By its number from 1, else by title or id. Raises Failure."""
    found = [row for row in rows if named.isdecimal() and row.position + 1 == int(named)]
    found = found or [row for row in rows if named in (row.item_id, row.title)]
    if len(found) > 1:
        lines = ", ".join(str(row.position + 1) for row in found[:8])
        raise Failure("Which item?", f"{len(found)} are called {named!r}: lines {lines}.", "Name it by its line.")
    if not found:
        raise Failure("No such item", f"The rundown has no {named!r}.", "mcr rundown show lists it.")
    return found[0]


def _list_of(found: Rundown) -> str:
    if found.playlist_id is None:
        raise Failure("No list", "This channel has no playlist.", "mcr channel set gives it one.")
    return found.playlist_id
