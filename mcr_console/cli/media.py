"""``mcr media …``: the folders that clips lie below, on every node at the same path."""

from pathlib import Path
from typing import Annotated

import typer

from mcr_console.cli.commands import AsJson, Sure, confirm, group, print_json, with_supervisor
from mcr_console.cli.failures import Failure
from mcr_console.client import Client
from mcr_console.safe_text import safe
from supervisor.schemas.media_root import MediaRoot

app = group(
    "Media roots: folders with clips that other nodes mount at the same path. "
    "A channel can move only to a node that reads the roots its clips lie below."
)


@app.command()
def mark(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Of the supervisor's machine.")],
    as_json: AsJson = False,
) -> None:
    """Mark a folder as a media root: a file in it, .mcr-media-root, proves on each node that it is this one."""
    root = with_supervisor(lambda client: client.create_media_root(str(folder.expanduser().absolute())))
    print(root.model_dump_json(indent=2) if as_json else root_line(root))


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List media roots, one line each."""
    roots = with_supervisor(Client.media_roots)
    if as_json:
        print_json(roots)
        return
    for root in roots:
        print(root_line(root))
    if not roots:
        print("No folder is marked; no channel with clips can move to another node. mcr media mark FOLDER marks one.")


@app.command()
def forget(folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A media root.")], yes: Sure = False) -> None:
    """Forget a media root. The folder and its marker stay. Asks first."""
    path = str(folder.expanduser().absolute())

    async def run(client: Client) -> str:
        found = next((root for root in await client.media_roots() if root.path == path), None)
        if found is None:
            raise Failure("No such media root", f"{path} is none.", "mcr media list shows them.")
        confirm(f"Forget {path}? Channels with clips below it can then move to no other node.", yes=yes)
        await client.delete_media_root(found.id)
        return f"{safe(path)} is forgotten."

    print(with_supervisor(run))


def root_line(root: MediaRoot) -> str:
    return f"{safe(root.path)}: marked {root.marker} since {root.created_at:%Y-%m-%d %H:%M:%S} UTC"
