"""``mcr playlist …``: import and edit playlists."""

import json
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import typer
from pydantic import ValidationError

from mcr_console.cli.commands import AsJson, Sure, confirm, group, with_supervisor
from mcr_console.cli.failures import Failure
from mcr_console.cli.naming import channel_named, playlist_named
from mcr_console.cli.progress import waiting
from mcr_console.cli.wording import clock, counted
from mcr_console.client import Client
from mcr_console.safe_text import safe
from supervisor.schemas.asset import Asset, AssetIn
from supervisor.schemas.listing import ListOptions
from supervisor.schemas.playlist import (
    ImportResult,
    Item,
    ItemIn,
    ItemsInsert,
    Playlist,
    PlaylistImport,
    PlaylistRevise,
    Revision,
)

app = group("Import and edit playlists. A playlist is named by its name.")

Named = Annotated[str, typer.Argument(metavar="PLAYLIST", help="Its name.")]


Kind = Literal["folder", "csv", "json", "m3u", "ffplayout", "bxf"]
Csv = Annotated[Path | None, typer.Option(help="A table of a traffic system.")]
Schedule = Annotated[Path | None, typer.Option(help="A schedule in our own JSON.")]
Bxf = Annotated[Path | None, typer.Option(help="A schedule in BXF (SMPTE ST 2021).")]
M3u = Annotated[Path | None, typer.Option(help="An M3U list.")]
Ffplayout = Annotated[Path | None, typer.Option(help="A playlist of ffplayout (JSON).")]
Mapping = Annotated[
    Path | None, typer.Option(help="What the list does not say: columns, zone, date… as TOML or JSON (docs/lists.md).")
]
OfChannel = Annotated[str | None, typer.Option("--channel", help="Whose zone and day the list's times are in.")]


@dataclass(frozen=True, slots=True)
class PlaylistSource:
    """Where a playlist comes from; a relative ``path`` starts at the current directory."""

    kind: Kind
    path: Path

    def found(self) -> Path:
        """Its absolute path. Raises Failure when it is not there or of the wrong kind."""
        path = self.path.expanduser().absolute()
        if not path.exists():
            raise Failure("Nothing to import", f"{path} is not there.")
        if (self.kind == "folder") != path.is_dir():
            raise Failure("Nothing to import", f"{path} is {'no folder' if self.kind == 'folder' else 'a folder'}.")
        return path


async def import_from(
    client: Client,
    source: PlaylistSource,
    name: str,
    options: ListOptions | None = None,
    channel: str | None = None,
) -> ImportResult:
    """Imports what is there; the supervisor refuses it when nothing of it can be played."""
    path = source.found()
    channel_id = None if channel is None else (await channel_named(client, channel)).id
    async with waiting(f"importing {path}"):
        return await client.import_playlist(
            PlaylistImport(
                name=name, source=source.kind, path=str(path), options=options or ListOptions(), channel_id=channel_id
            )
        )


def report_refused(result: ImportResult | Revision) -> None:
    for refusal in result.refused:
        print(f"left out: {safe(refusal)}", file=sys.stderr)
    for warning in result.warnings:
        print(f"note: {safe(warning)}", file=sys.stderr)
    for house_id in result.missing:
        print(f"missing: no clip has the house id {safe(house_id)}", file=sys.stderr)


def read_options(path: Path | None) -> ListOptions:
    """A mapping, as TOML or JSON by its name. Raises Failure."""
    if path is None:
        return ListOptions()
    try:
        data = path.expanduser().read_bytes()
        values: object = json.loads(data) if path.suffix.lower() == ".json" else tomllib.loads(data.decode())
        return ListOptions.model_validate(values)
    except OSError as error:
        raise Failure("No mapping", f"{path} cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5])
        raise Failure("No mapping", f"{path}: {wrong}.", "docs/lists.md describes it.") from None
    except (ValueError, RecursionError) as error:
        raise Failure("No mapping", f"{path} is not what its name says: {error}.") from None


def one_source(given: dict[Kind, Path | None]) -> PlaylistSource:
    """The one that is given."""
    sources = [PlaylistSource(kind, path) for kind, path in given.items() if path is not None]
    if len(sources) != 1:
        raise typer.BadParameter("name one source: --from-folder, --csv, --schedule, --bxf, --m3u or --ffplayout")
    return sources[0]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all playlists, one line each."""
    playlists = with_supervisor(Client.playlists)
    if as_json:
        print(json.dumps([playlist.model_dump(mode="json") for playlist in playlists], indent=2))
        return
    for playlist in playlists:
        print(f"{safe(playlist.name)}: {counted(playlist.items, 'item')}, revision {playlist.revision}")
    if not playlists:
        print("There are no playlists yet; mcr playlist import makes one.")


@app.command()
def show(named: Named, as_json: AsJson = False) -> None:
    """Show a playlist's items, one line each."""

    async def run(client: Client) -> tuple[Playlist, tuple[Item, ...]]:
        playlist = await playlist_named(client, named)
        return playlist, await client.items(playlist.id)

    playlist, items = with_supervisor(run)
    if as_json:
        dumped = {**playlist.model_dump(mode="json"), "items": [item.model_dump(mode="json") for item in items]}
        print(json.dumps(dumped, indent=2))
        return
    print(f"{safe(playlist.name)}: {counted(len(items), 'item')}, revision {playlist.revision}")
    for item in items:
        length = "" if item.asset_duration_ms is None else f", asset {clock(item.asset_duration_ms / 1000)}"
        hold = ", waits for a take" if item.start_mode == "hold" else ""
        house = f", house id {safe(item.house_id)}" if item.house_id else ""
        trims = (
            f", from {item.in_timecode or 'its begin'} to {item.out_timecode or 'its end'}" if _is_trimmed(item) else ""
        )
        print(f'{item.position + 1}. "{safe(item.title)}"{length}{trims}{house}{hold}')


def _is_trimmed(item: Item) -> bool:
    return item.in_frames > 0 or item.out_frames is not None


@app.command("import")
def import_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the new playlist is called.")],
    from_folder: Annotated[Path | None, typer.Option(help="Every media file of a folder, in name order.")] = None,
    csv: Csv = None,
    schedule: Schedule = None,
    bxf: Bxf = None,
    m3u: M3u = None,
    ffplayout: Ffplayout = None,
    mapping: Mapping = None,
    channel: OfChannel = None,
    as_json: AsJson = False,
) -> None:
    """Make a playlist of a list or a folder. Files are probed; what cannot be used is named."""
    source = one_source(
        {"folder": from_folder, "csv": csv, "json": schedule, "bxf": bxf, "m3u": m3u, "ffplayout": ffplayout}
    )
    options = read_options(mapping)

    async def run(client: Client) -> ImportResult:
        return await import_from(client, source, name, options, channel)

    result = with_supervisor(run)
    if as_json:
        print(result.model_dump_json(indent=2))
        return
    report_refused(result)
    print(f"{safe(name)}: {counted(result.playlist.items, 'item')}, {counted(result.assets_new, 'new asset')}")


@app.command()
def revise(
    named: Named,
    csv: Csv = None,
    schedule: Schedule = None,
    bxf: Bxf = None,
    m3u: M3u = None,
    ffplayout: Ffplayout = None,
    mapping: Mapping = None,
    channel: OfChannel = None,
    append: Annotated[bool, typer.Option("--append", help="Add it at the end; replace nothing.")] = False,
    lock: Annotated[int, typer.Option(min=0, max=3600, help="Seconds before its start that an item is kept.")] = 60,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would change.")] = False,
    yes: Sure = False,
    as_json: AsJson = False,
) -> None:
    """Replace what is not aired, on air, cued or due at once by a revised list, after showing the difference."""
    source = one_source({"csv": csv, "json": schedule, "bxf": bxf, "m3u": m3u, "ffplayout": ffplayout})
    options = read_options(mapping)

    async def run(client: Client) -> Revision:
        playlist = await playlist_named(client, named)
        values = PlaylistRevise(
            revision=playlist.revision,
            source=source.kind,
            path=str(source.found()),
            options=options,
            channel_id=None if channel is None else (await channel_named(client, channel)).id,
            append=append,
            lock_s=lock,
        )
        async with waiting("comparing"):
            shown = await client.revise_playlist(playlist.id, values, dry_run=True)
        changed = any(change.verdict not in ("kept", "locked") for change in shown.changes)
        if dry_run or not changed:
            return shown
        if not as_json:
            print_difference(shown)
        confirm(f"Change {playlist.name} so?", yes=yes)
        async with waiting("changing"):
            return await client.revise_playlist(playlist.id, values, dry_run=False)

    result = with_supervisor(run)
    if as_json:
        print(result.model_dump_json(indent=2))
        return
    if not result.applied:
        print_difference(result)
    report_refused(result)
    counts = Counter(change.verdict for change in result.changes)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in SIGNS if counts[verdict])
    done = "changed" if result.applied else "not changed"
    print(f"{safe(named)}: {done}; {told}; revision {result.playlist.revision}")


SIGNS: Final = {"kept": " ", "inserted": "+", "removed": "-", "moved": ">", "changed": "~", "locked": "!"}
"""What stands before each line of a difference."""


def print_difference(shown: Revision) -> None:
    """What changes and what is refused, one line each; what is kept is only counted."""
    for change in shown.changes:
        if change.verdict == "kept":
            continue
        start = f"{change.planned_start:%F %T}Z " if change.planned_start else ""
        house = f" ({safe(change.house_id)})" if change.house_id else ""
        what = f": {safe(change.what)}" if change.what else ""
        print(f'{SIGNS[change.verdict]} {change.verdict:8} {start}"{safe(change.title)}"{house}{what}')


@app.command()
def add(
    named: Named,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Media files to append.")],
    at: Annotated[int | None, typer.Option(min=1, help="Insert before this line instead.")] = None,
    hold: Annotated[bool, typer.Option("--hold", help="They wait for a take.")] = False,
    in_: Annotated[str | None, typer.Option("--in", metavar="TIMECODE", help="First picture, of one file.")] = None,
    out: Annotated[str | None, typer.Option(metavar="TIMECODE", help="One past its last picture.")] = None,
) -> None:
    """Add files to a playlist. A channel that plays it goes on undisturbed.

    In and out are labels of the timecode that the file itself begins with, 00:00:00:00 where it has none.
    """
    if (in_ or out) and len(files) > 1:
        raise typer.BadParameter("--in and --out are of one file; name one")

    async def run(client: Client) -> str:
        playlist = await playlist_named(client, named)
        assets: list[Asset] = []
        async with waiting(f"probing {counted(len(files), 'file')}"):
            for file in files:
                assets.append(await client.create_asset(AssetIn(path=str(file.expanduser().absolute()))))  # noqa: PERF401
        items = tuple(
            ItemIn(asset_id=asset.id, start_mode="hold" if hold else "follow", in_timecode=in_, out_timecode=out)
            for asset in assets
        )
        insert = ItemsInsert(revision=playlist.revision, at=None if at is None else at - 1, items=items)
        await client.insert_items(playlist.id, insert)
        return f"{safe(playlist.name)}: {counted(len(items), 'item')} added"

    print(with_supervisor(run))


@app.command()
def delete(named: Named, yes: Sure = False) -> None:
    """Delete a playlist that no channel plays. Its assets and the as-run log stay."""

    async def run(client: Client) -> str:
        playlist = await playlist_named(client, named)
        confirm(f"Delete the playlist {playlist.name} with {counted(playlist.items, 'item')}?", yes=yes)
        await client.delete_playlist(playlist.id, playlist.revision)
        return f"{safe(playlist.name)} is deleted."

    print(with_supervisor(run))
