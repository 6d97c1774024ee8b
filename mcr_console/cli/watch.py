"""``mcr watch …``: folders into which lists and media come by themselves."""

from pathlib import Path
from typing import Annotated

import typer

from mcr_console.cli.commands import AsJson, Sure, confirm, group, print_json, with_supervisor
from mcr_console.cli.failures import Failure
from mcr_console.cli.follow import follow
from mcr_console.cli.naming import channel_named
from mcr_console.cli.playlists import Mapping, read_options
from mcr_console.cli.wording import counted
from mcr_console.client import Client
from mcr_console.safe_text import safe
from supervisor.schemas.listing import ListFormat
from supervisor.schemas.watched_folder import WatchedFolder, WatchedFolderIn

app = group(
    "Say what changes, a line each. With a noun: watched folders, by which lists and media come in by themselves."
)
app.info.no_args_is_help = False
app.callback(invoke_without_command=True)(follow)

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Of the supervisor's machine.")]


@app.command()
def lists(
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="Whose lists come there.")],
    folder: Folder,
    source: Annotated[ListFormat | None, typer.Option(help="Their format; else their names tell.")] = None,
    mapping: Mapping = None,
    append: Annotated[bool, typer.Option("--append", help="Each comes after all there is; none replaces.")] = False,
    as_json: AsJson = False,
) -> None:
    """Apply each list that comes into a folder, and move it to done/ or refused/ there, beside a report."""
    options = read_options(mapping)

    async def run(client: Client) -> WatchedFolder:
        values = WatchedFolderIn(
            kind="lists",
            path=_whole(folder),
            channel_id=(await channel_named(client, channel)).id,
            source=source,
            options=options,
            append=append,
        )
        return await client.create_watched_folder(values)

    made = with_supervisor(run)
    print(made.model_dump_json(indent=2) if as_json else f"Lists that come into {safe(made.path)} are applied.")


@app.command()
def media(folder: Folder, as_json: AsJson = False) -> None:
    """Make assets of the media that come into a folder or below it. A file's name is its house id."""
    values = WatchedFolderIn(kind="media", path=_whole(folder))
    made = with_supervisor(lambda client: client.create_watched_folder(values))
    print(made.model_dump_json(indent=2) if as_json else f"Media that come into {safe(made.path)} become assets.")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List watched folders and what is coming in."""

    async def run(client: Client) -> tuple[tuple[WatchedFolder, ...], dict[str, str]]:
        return await client.watched_folders(), {one.id: one.name for one in await client.channels()}

    folders, channels = with_supervisor(run)
    if as_json:
        print_json(folders)
        return
    for folder in folders:
        of = f" of {safe(channels.get(folder.channel_id or '', '?'))}" if folder.channel_id else ""
        print(f"{safe(folder.path)}: {folder.kind}{of}, {progress(folder)}")
        for file in folder.files:
            print(f"  {file.state:8} {safe(file.name)}{': ' if file.detail else ''}{safe(file.detail)}")
    if not folders:
        print("No folder is watched; mcr watch lists and mcr watch media make one.")


@app.command()
def stop(folder: Folder, yes: Sure = False) -> None:
    """Watch a folder no more. What came out of it stays. Asks first."""
    path = _whole(folder)

    async def run(client: Client) -> str:
        found = next((one for one in await client.watched_folders() if one.path == path), None)
        if found is None:
            raise Failure("No such watched folder", f"{path} is none.", "mcr watch list shows them.")
        confirm(f"Watch {path} no more?", yes=yes)
        await client.delete_watched_folder(found.id)
        return f"{safe(path)} is watched no more."

    print(with_supervisor(run))


def progress(folder: WatchedFolder) -> str:
    """One phrase on what is seen of it."""
    if folder.fault:
        return safe(folder.fault)
    if folder.looked_at is None:
        return "not looked at yet"
    counts = {
        "arriving": folder.arriving,
        "waiting": folder.waiting,
        "being looked into": folder.probing,
        "refused": folder.refused,
    }
    told = [f"{count} {word}" for word, count in counts.items() if count]
    if folder.kind == "media":
        told.insert(0, counted(folder.taken, "asset"))
    return ", ".join(told) or "nothing is coming in"


def _whole(folder: Path) -> str:
    return str(folder.expanduser().absolute())
