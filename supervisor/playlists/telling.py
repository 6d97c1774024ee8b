"""Who is told that a playlist changed: the sidecars that play it, and every console."""

from db.models import Playlist
from db.store import Store
from supervisor.events import Events
from supervisor.loops.supervision import Supervision
from supervisor.schemas.event import PlaylistChanged


async def tell_playlist(row: Playlist, store: Store, supervision: Supervision, events: Events) -> None:
    """After the edit is committed."""
    async with store.read() as tx:
        channels = await tx.channels.list(playlist_id=row.id)
    await supervision.commands.playlist_changed(row.id)
    playing = tuple(channel.id for channel in channels)
    events.publish("playlist", PlaylistChanged(playlist_id=row.id, revision=row.revision, channel_ids=playing))
