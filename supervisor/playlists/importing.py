"""From a folder or another program's list to a new playlist."""

from db.models import Channel
from db.store import Store
from supervisor.clock import Clock
from supervisor.errors import Invalid
from supervisor.playlists.preparing import ListSource, Preparing
from supervisor.schemas.playlist import ImportResult, Playlist


async def import_playlist(
    name: str,
    source: ListSource,
    *,
    project_id: str | None,
    channel: Channel | None,
    preparing: Preparing,
    store: Store,
    clock: Clock,
) -> ImportResult:
    """Makes the playlist and the assets it needs. Raises Invalid when nothing of it can be used."""
    found = await preparing.prepare(source, project_id, channel)
    if found.changes_only:
        raise Invalid(
            "this list only changes single events of another", hint="Revise the playlist that holds them with it."
        )
    if not found.items:
        where = source.path or "the list"
        raise Invalid(
            f"nothing in {where} can be played", hint="`refused` says why not.", refused=list(found.refused[:100])
        )
    async with store.write() as tx:
        row = await tx.playlists.add(name, project_id, clock.now())
        row, _ = await tx.playlists.insert(row.id, row.revision, [item.spec for item in found.items])
    return ImportResult(
        playlist=Playlist(
            id=row.id,
            name=row.name,
            project_id=row.project_id,
            revision=row.revision,
            items=len(found.items),
            created_at=row.created_at,
        ),
        assets_new=found.assets_new,
        refused=found.refused,
        warnings=found.warnings,
        missing=found.missing,
    )
