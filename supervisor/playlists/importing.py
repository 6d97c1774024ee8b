"""From a folder or another program's list to a playlist: read, look at every file, make the items."""

import os
import stat
from fractions import Fraction
from pathlib import Path
from typing import Final

from db.models import Asset
from db.repositories.playlists import ItemSpec
from db.store import Store
from sidecar.rundown.rate import parse_rate
from supervisor.assets.importing import AssetImport, Wanted
from supervisor.clock import Clock
from supervisor.errors import Invalid
from supervisor.playlists.entries import Entries, Entry, of_ffplayout, of_folder, of_m3u
from supervisor.schemas.playlist import ImportResult, Playlist, PlaylistImport
from supervisor.threads import Threads

READ_S: Final = 20.0
LARGEST_LIST: Final = 8 * 1024 * 1024
"""Bytes."""


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
    wanted = [Wanted(entry.path, entry.title) for entry in found.entries]
    imported = await assets.add_all(wanted, values.project_id)
    refused = list(found.refused)
    items: list[ItemSpec] = []
    for entry, one in zip(found.entries, imported, strict=True):
        if one.asset is None:
            refused.append(f"{entry.line}: {one.refusal}")
            continue
        try:
            items.append(item_of(entry, one.asset))
        except Invalid as error:
            refused.append(f"{entry.line}: {error.detail}")
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


def item_of(entry: Entry, asset: Asset) -> ItemSpec:
    """The entry as an item: its seconds become the nearest frames of the asset. Raises Invalid where none is left."""
    title = entry.title or asset.title
    if entry.seconds_in == 0 and entry.seconds_out is None:
        return ItemSpec(title=title, asset_id=asset.id)
    if asset.rate is None:
        raise Invalid(f"{asset.title!r} has no picture, so no frames to trim it by")
    rate = parse_rate(asset.rate)
    begin = nearest_frame(entry.seconds_in, rate)
    end = nearest_frame(entry.seconds_out, rate) if entry.seconds_out is not None else None
    length = asset.duration_frames
    if length is not None and end is not None and end >= length:
        end = None
    if (end is not None and end <= begin) or (length is not None and begin >= length):
        raise Invalid(f"nothing of {asset.title!r} is left between in and out")
    return ItemSpec(title=title, asset_id=asset.id, in_frames=begin, out_frames=end)


def nearest_frame(seconds: Fraction, rate: Fraction) -> int:
    """The frame boundary nearest to ``seconds``, halves up."""
    return int(seconds * rate + Fraction(1, 2))


def _read(source: str, path: Path) -> Entries:
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
    if len(data) > LARGEST_LIST:
        raise Invalid(f"{path} is larger than {LARGEST_LIST} bytes: that is no list of files")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        if source != "m3u":
            raise Invalid(f"{path} is not UTF-8") from None
        text = data.decode("latin-1")  # what .m3u was before .m3u8
    return of_m3u(text, path.parent) if source == "m3u" else of_ffplayout(text, path.parent)
