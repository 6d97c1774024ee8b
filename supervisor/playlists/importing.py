"""From a folder or another program's list to a playlist: read, look at every file, make the items."""

import os
import stat
from pathlib import Path
from typing import Final

from db.repositories.playlists import ItemSpec
from db.store import Store
from supervisor.assets.importing import AssetImport, Wanted
from supervisor.clock import Clock
from supervisor.errors import Invalid
from supervisor.playlists.entries import of_folder
from supervisor.playlists.items import clip_item
from supervisor.playlists.reading import LARGEST_LIST, read_list
from supervisor.playlists.schedule import Schedule
from supervisor.schemas.listing import ListOptions
from supervisor.schemas.playlist import ImportResult, Playlist, PlaylistImport
from supervisor.threads import Threads

READ_S: Final = 20.0


async def import_playlist(
    values: PlaylistImport, *, store: Store, clock: Clock, assets: AssetImport, files: Threads
) -> ImportResult:
    """Makes the playlist and the assets it needs. Raises Invalid when nothing of it can be used."""
    path = Path(values.path)
    if not path.is_absolute() or "\0" in values.path:
        raise Invalid(f"{values.path!r} is not an absolute path", hint="Give the whole path, from / on.")
    try:
        found = await files.run(READ_S, _read, values.source, path)
    except TimeoutError:
        raise Invalid(f"{path} could not be read within {READ_S:.0f} s") from None
    wanted = [Wanted(event.path, event.title) for event in found.events if event.path is not None]
    imported = await assets.add_all(wanted, values.project_id)
    refused = [*found.remarks, *found.refused]
    items: list[ItemSpec] = []
    for event, one in zip(found.events, imported, strict=True):
        if one.asset is None:
            refused.append(f"{event.line}: {one.refusal}")
            continue
        try:
            items.append(clip_item(event, one.asset))
        except Invalid as error:
            refused.append(f"{event.line}: {error.detail}")
    if not items:
        raise Invalid(f"nothing in {path} can be played", hint="`refused` says why not.", refused=refused[:100])
    async with store.write() as tx:
        row = await tx.playlists.add(values.name, values.project_id, clock.now())
        row, _ = await tx.playlists.insert(row.id, row.revision, items)
    return ImportResult(
        playlist=Playlist(
            id=row.id,
            name=row.name,
            project_id=row.project_id,
            revision=row.revision,
            items=len(items),
            created_at=row.created_at,
        ),
        assets_new=sum(one.is_new for one in imported),
        refused=tuple(refused),
    )


def _read(source: str, path: Path) -> Schedule:
    """Blocks."""
    try:
        if source == "folder":
            with os.scandir(path) as listing:
                return of_folder(path, [(entry.name, entry.is_dir()) for entry in listing])
        with path.open("rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Invalid(f"{path} is not a regular file")
            data = file.read(LARGEST_LIST + 1)
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from None
    return read_list("m3u" if source == "m3u" else "ffplayout", data, path.parent, ListOptions())
