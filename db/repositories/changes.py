"""What tells in one statement, every second, which rows are to be read again."""

from typing import Final, NamedTuple

from sqlalchemy import literal, select, union, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Channel, Node, Playlist, Recorder
from db.repositories.rows import table_of


class Revisions(NamedTuple):
    """By id: the rev of every channel, node and recorder, the revision of every playlist that a channel plays or fills
    with."""

    channels: dict[str, int]
    playlists: dict[str, int]
    nodes: dict[str, int]
    recorders: dict[str, int]


class Changes:
    """Reads no row whole: of a thousand channels hardly one changes in a second."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def revisions(self) -> Revisions:
        """All of one instant."""
        found = Revisions({}, {}, {}, {})
        for of, id_, revision in await self._session.execute(_REVISIONS):
            found[of][id_] = revision
        return found


_CHANNEL: Final = table_of(Channel).c
_PLAYLIST: Final = table_of(Playlist).c
_NODE: Final = table_of(Node).c
_RECORDER: Final = table_of(Recorder).c
_PLAYED: Final = union(
    select(_CHANNEL.playlist_id).where(_CHANNEL.playlist_id.is_not(None)),
    select(_CHANNEL.filler_playlist_id).where(_CHANNEL.filler_playlist_id.is_not(None)),
)
_REVISIONS: Final = union_all(
    select(literal(0), _CHANNEL.id, _CHANNEL.rev),
    select(literal(1), _PLAYLIST.id, _PLAYLIST.revision).where(_PLAYLIST.id.in_(_PLAYED)),
    select(literal(2), _NODE.id, _NODE.rev),
    select(literal(3), _RECORDER.id, _RECORDER.rev),
)
"""The first column is the place in ``Revisions``."""
