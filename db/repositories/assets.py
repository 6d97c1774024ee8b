"""Media files and what is known of them."""

from collections.abc import Collection, Mapping, Sequence, Set
from datetime import datetime

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from db.errors import InUse
from db.models import Asset, Channel, Item, Playlist, Project, new_id
from db.repositories.rows import checked, get_row, insert_row, lock_rev, require, update_by_rev

_SPEC = frozenset({"house_id", "title"})
_FOUND = frozenset({
    "path", "size_bytes", "fingerprint", "mtime_ns", "rate", "duration_frames", "asset_duration_ms", "width", "height",
    "video_codec", "audio_codec", "audio_channels", "start_timecode", "scan", "aspect", "variable_rate", "captions",
    "audio_tracks", "silent", "facts",
})  # fmt: skip
"""What looking at a file tells, once or again."""
_FACTS = _SPEC | _FOUND | {"project_id"}
_IDS_A_QUERY = 500


class Assets:
    """An asset that a playlist names cannot be deleted."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, asset_id: str) -> Asset:
        """Raises ``Missing``."""
        return await get_row(self._session, Asset, asset_id)

    async def by_ids(self, asset_ids: Collection[str]) -> dict[str, Asset]:
        """Those there are, by id."""
        found: dict[str, Asset] = {}
        wanted = sorted(set(asset_ids))
        for start in range(0, len(wanted), _IDS_A_QUERY):
            query = select(Asset).where(Asset.id.in_(wanted[start : start + _IDS_A_QUERY]))
            found.update((row.id, row) for row in await self._session.scalars(query))
        return found

    async def of_playlist(self, playlist_id: str) -> dict[str, Asset]:
        """Every asset that the playlist's items name, by id, in one query."""
        named = select(Item.asset_id).where(Item.playlist_id == playlist_id, Item.asset_id.is_not(None))
        return {row.id: row for row in await self._session.scalars(select(Asset).where(Asset.id.in_(named)))}

    async def by_house_ids(self, house_ids: Collection[str], project_id: str | None) -> dict[str, Asset]:
        """The project's newest asset (None: of no project) of each house id; those there are."""
        rows = await self._oldest_first(Asset.house_id, house_ids, project_id)
        return {row.house_id: row for row in rows if row.house_id}

    async def by_contents(
        self, contents: Collection[tuple[str, str]], project_id: str | None
    ) -> dict[tuple[str, str], Asset]:
        """The project's assets (None: of no project) by content and place (fingerprint, path); those there are.

        Of several the oldest.
        """
        rows = await self._oldest_first(Asset.fingerprint, {fingerprint for fingerprint, _ in contents}, project_id)
        wanted = set(contents)
        places = {(row.fingerprint, row.path): row for row in reversed(rows)}
        return {place: row for place, row in places.items() if place in wanted}

    async def _oldest_first(
        self,
        column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None],
        values: Collection[str],
        project_id: str | None,
    ) -> Sequence[Asset]:
        """The project's assets (None: of no project) of which ``column`` is one of ``values``, however many."""
        found: list[Asset] = []
        wanted = sorted(set(values))
        for start in range(0, len(wanted), _IDS_A_QUERY):
            among = column.in_(wanted[start : start + _IDS_A_QUERY])
            query = select(Asset).where(among, Asset.project_id.is_not_distinct_from(project_id))
            found.extend(await self._session.scalars(query))
        # Ids begin with the time at which they were made.
        return sorted(found, key=lambda row: row.id)

    async def list(
        self,
        after: str | None = None,
        limit: int | None = None,
        *,
        projects: Set[str] | None = None,
        words: Collection[str] = (),
    ) -> Sequence[Asset]:
        """In the order they were made; ``after`` is the last id seen. Each of ``words`` is in title, house id or path,
        in either case."""
        query = select(Asset).order_by(Asset.id).limit(limit)
        if after is not None:
            query = query.where(Asset.id > after)
        if projects is not None:
            query = query.where(Asset.project_id.in_(projects))
        for word in words:
            places = (Asset.title, Asset.house_id, Asset.path)
            query = query.where(or_(*(place.icontains(word, autoescape=True) for place in places)))
        return (await self._session.scalars(query)).all()

    async def paths_with(self, part: str, limit: int) -> Sequence[str]:
        """Paths of assets that have ``part`` in them, in no order."""
        query = select(Asset.path).where(Asset.path.contains(part, autoescape=True)).limit(limit)
        return (await self._session.scalars(query)).all()

    async def paths_of_size(self, sizes: Collection[int], limit: int) -> Sequence[str]:
        """Paths of assets that have one of these sizes in bytes, in no order."""
        query = select(Asset.path).where(Asset.size_bytes.in_(sizes)).limit(limit)
        return (await self._session.scalars(query)).all()

    async def add(self, values: Mapping[str, object], now: datetime) -> Asset:
        """``values`` by column name: path, size, fingerprint, title and what the probe said. Raises ``Missing``."""
        facts = checked(values, _FACTS)
        await require(self._session, Project, facts.get("project_id"))
        row = Asset(**facts, created_at=now)
        await insert_row(self._session, row)
        return row

    async def add_many(self, values: Sequence[Mapping[str, object]], now: datetime) -> Sequence[str]:
        """Many at once, the same columns in each; their new ids in order. Raises ``Missing``."""
        for project_id in {facts.get("project_id") for facts in values}:
            await require(self._session, Project, project_id)
        rows = [{**checked(facts, _FACTS), "id": new_id(), "created_at": now, "rev": 1} for facts in values]
        if rows:
            connection = await self._session.connection()
            await connection.execute(insert(Asset), rows)
        return [str(row["id"]) for row in rows]

    async def update(self, asset_id: str, rev: int, changes: Mapping[str, object]) -> Asset:
        """Title and house id. Raises ``Missing``, ``StaleRev``."""
        return await update_by_rev(self._session, Asset, asset_id, rev, checked(changes, _SPEC))

    async def found(self, asset_id: str, rev: int, facts: Mapping[str, object]) -> Asset:
        """What looking at the file again told, or where it is now. Raises ``Missing``, ``StaleRev``."""
        return await update_by_rev(self._session, Asset, asset_id, rev, checked(facts, _FOUND))

    async def by_fingerprints(self, fingerprints: Collection[str], project_id: str | None) -> Sequence[Asset]:
        """All of the project (None: of no project) with one of these contents, the oldest first."""
        return await self._oldest_first(Asset.fingerprint, fingerprints, project_id)

    async def below(self, folder: str, project_id: str | None) -> Sequence[Asset]:
        """All of the project (None: of no project) whose file lies below ``folder``, in the order they were made."""
        query = (
            select(Asset)
            .where(Asset.path.startswith(f"{folder}/", autoescape=True))
            .where(Asset.project_id.is_not_distinct_from(project_id))
            .order_by(Asset.id)
        )
        return (await self._session.scalars(query)).all()

    async def at_paths(self, paths: Collection[str], project_id: str | None) -> Sequence[Asset]:
        """All of the project (None: of no project) whose file is, or was, at one of these places; the oldest first."""
        return await self._oldest_first(Asset.path, paths, project_id)

    async def half_known(self, facts: int, limit: int) -> Sequence[Asset]:
        """Assets that an older version looked at, of which less than ``facts`` is known; the newest first."""
        query = select(Asset).where(Asset.facts < facts).order_by(Asset.id.desc()).limit(limit)
        return (await self._session.scalars(query)).all()

    async def measured(
        self, asset_id: str, fingerprint: str, loudness_mb: int | None, true_peak_mb: int | None
    ) -> bool:
        """How loud this content is; whether the asset still has it. No edit: its ``rev`` stays, so that nobody who is
        editing it is refused."""
        result = await self._session.execute(
            update(Asset)
            .where(Asset.id == asset_id, Asset.fingerprint == fingerprint)
            .values(measured_mb=loudness_mb, measured_peak_mb=true_peak_mb, measured_fingerprint=fingerprint)
            .returning(Asset.id)
        )
        return result.scalar_one_or_none() is not None

    async def unmeasured(self, limit: int, besides: Collection[str] = ()) -> Sequence[Asset]:
        """Assets with sound of which nobody knows how loud it is, the newest first, without the ids of ``besides``.

        Looks at every asset where there is none.
        """
        stale = or_(Asset.measured_fingerprint.is_(None), Asset.measured_fingerprint != Asset.fingerprint)
        query = select(Asset).where(Asset.audio_codec.is_not(None), stale).order_by(Asset.id.desc()).limit(limit)
        if besides:
            query = query.where(Asset.id.not_in(sorted(besides)))
        return (await self._session.scalars(query)).all()

    async def newest(self) -> str | None:
        """The id of the asset that was made last."""
        return await self._session.scalar(select(func.max(Asset.id)))

    async def delete(self, asset_id: str, rev: int) -> None:
        """Raises ``Missing``, ``StaleRev``, and ``InUse`` by the playlists that have it."""
        await lock_rev(self._session, Asset, asset_id, rev)
        query = (
            select(Playlist.name, func.count())
            .join(Item, Item.playlist_id == Playlist.id)
            .where(Item.asset_id == asset_id)
            .group_by(Playlist.id, Playlist.name)
            .order_by(Playlist.name)
            .limit(4)
        )
        names = [repr(name) for name, _ in await self._session.execute(query)]
        if names:
            more = " and more" if len(names) > 3 else ""
            raise InUse("asset", asset_id, f"playlist {', '.join(names[:3])}{more}")
        channel = await self._session.scalar(select(Channel.name).where(Channel.standby_asset_id == asset_id).limit(1))
        if channel is not None:
            raise InUse("asset", asset_id, f"channel {channel!r} as its STANDBY clip")
        await self._session.execute(delete(Asset).where(Asset.id == asset_id))
