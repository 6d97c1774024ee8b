"""Playlists and their items. Every edit names the revision it saw and raises it by one, whole or not at all."""

from collections.abc import Collection, Mapping, Sequence, Set, Sized
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime

from sqlalchemy import bindparam, case, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import InUse, Missing, StaleRevision
from db.models import Asset, Channel, Item, Playlist, PlaylistUndo, Project, new_id
from db.repositories import playlist_undo
from db.repositories.playlist_undo import Steps
from db.repositories.rows import checked, get_row, insert_row, require

_ITEM_SPEC = frozenset(
    {
        "title",
        "in_frames",
        "out_frames",
        "slate_frames",
        "start_mode",
        "fixed_at",
        "end_at",
        "block",
        "block_until",
        "url",
        "dropped",
        "airing",
    }
)
_IDS_A_QUERY = 500
_PLAYED = select(Playlist.id, Playlist.revision).where(
    Playlist.id.in_(select(Channel.playlist_id).where(Channel.playlist_id.is_not(None)))
)

_ITEMS = select(Item).where(Item.playlist_id == bindparam("of")).order_by(Item.position)


@dataclass(frozen=True, slots=True)
class ItemSpec:
    """An item to insert. Frames count at the asset's rate, ``out_frames`` is exclusive; the rest as in ``Item``."""

    title: str
    asset_id: str | None = None
    kind: str = "clip"
    in_frames: int = 0
    out_frames: int | None = None
    slate_frames: int | None = None
    start_mode: str = "follow"
    traffic_id: str | None = None
    planned_start: datetime | None = None
    house_id: str | None = None
    listed: dict[str, object] | None = None
    fixed_at: datetime | None = None
    end_at: datetime | None = None
    block: str | None = None
    block_until: datetime | None = None
    url: str | None = None
    airing: dict[str, object] | None = None


@dataclass(frozen=True, slots=True)
class KeptItem:
    """An item that is there already, with the columns of it that change."""

    item_id: str
    changes: Mapping[str, object] = field(default_factory=dict[str, object])


_LISTED = frozenset(one.name for one in fields(ItemSpec))
"""What a list may change of an item."""


class Playlists:
    """Positions are dense from 0 after every edit."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, playlist_id: str) -> Playlist:
        """Raises ``Missing``."""
        return await get_row(self._session, Playlist, playlist_id)

    async def list(
        self, after: str | None = None, limit: int | None = None, *, projects: Set[str] | None = None
    ) -> Sequence[Playlist]:
        """In the order they were made; ``after`` is the last id seen."""
        query = select(Playlist).order_by(Playlist.id).limit(limit)
        if after is not None:
            query = query.where(Playlist.id > after)
        if projects is not None:
            query = query.where(Playlist.project_id.in_(projects))
        return (await self._session.scalars(query)).all()

    async def revisions_played(self) -> dict[str, int]:
        """The revision of every playlist that a channel plays, by id."""
        return {row[0]: row[1] for row in await self._session.execute(_PLAYED)}

    async def item_counts(self, playlist_ids: Collection[str] | None = None) -> dict[str, int]:
        """How many items each has (None: all of them); empty playlists are left out."""
        query = select(Item.playlist_id, func.count()).group_by(Item.playlist_id)
        if playlist_ids is not None:
            query = query.where(Item.playlist_id.in_(playlist_ids))
        counts = await self._session.execute(query)
        return {row[0]: row[1] for row in counts}

    async def items(self, playlist_id: str, after: int | None = None, limit: int | None = None) -> Sequence[Item]:
        """In order; ``after`` is the last position seen."""
        query = _ITEMS if limit is None else _ITEMS.limit(limit)
        if after is not None:
            query = query.where(Item.position > after)
        return (await self._session.scalars(query, {"of": playlist_id})).all()

    async def item(self, playlist_id: str, item_id: str) -> Item:
        """Raises ``Missing``."""
        row = await self._session.scalar(select(Item).where(Item.playlist_id == playlist_id, Item.id == item_id))
        if row is None:
            raise Missing("item", item_id)
        return row

    async def add(self, name: str, project_id: str | None, now: datetime) -> Playlist:
        """Empty, at revision 1. Raises ``Missing`` (the project)."""
        await require(self._session, Project, project_id)
        row = Playlist(name=name, project_id=project_id, created_at=now)
        await insert_row(self._session, row)
        return row

    async def rename(self, playlist_id: str, revision: int, name: str) -> Playlist:
        """Raises the revision too. Raises ``Missing``, ``StaleRevision``."""
        return await self._edit(playlist_id, revision, {"name": name})

    async def delete(self, playlist_id: str, revision: int) -> None:
        """Its items go with it. Raises ``Missing``, ``StaleRevision``, and ``InUse`` by the channels that play it."""
        await self._edit(playlist_id, revision)
        played = or_(Channel.playlist_id == playlist_id, Channel.filler_playlist_id == playlist_id)
        name = await self._session.scalar(select(Channel.name).where(played).order_by(Channel.number).limit(1))
        if name is not None:
            raise InUse("playlist", playlist_id, f"channel {name!r}")
        await self._session.execute(delete(PlaylistUndo).where(PlaylistUndo.playlist_id == playlist_id))
        await self._session.execute(delete(Item).where(Item.playlist_id == playlist_id))
        await self._session.execute(delete(Playlist).where(Playlist.id == playlist_id))

    async def insert(
        self, playlist_id: str, revision: int, items: Sequence[ItemSpec], at: int | None = None
    ) -> tuple[Playlist, Sequence[str]]:
        """``items`` before position ``at`` (None or past the end: at the end), with their new ids in order.

        Raises ``Missing`` (playlist or asset) and ``StaleRevision``.
        """
        row = await self._edit(playlist_id, revision)
        await self._require_assets({item.asset_id for item in items if item.asset_id is not None})
        count = await self._count(playlist_id)
        at = count if at is None else max(0, min(at, count))
        if at < count:
            await self._session.execute(
                update(Item)
                .where(Item.playlist_id == playlist_id, Item.position >= at)
                .values(position=Item.position + len(items))
                .execution_options(synchronize_session=False)
            )
        rows: list[dict[str, object]] = [
            {"id": new_id(), "playlist_id": playlist_id, "position": position, **asdict(item)}
            for position, item in enumerate(items, at)
        ]
        if rows:
            connection = await self._session.connection()
            await connection.execute(insert(Item), rows)
        ids = [str(values["id"]) for values in rows]
        await self._undo_by(row, _counted("inserted", ids), Steps(delete=ids))
        return row, ids

    async def remove(self, playlist_id: str, revision: int, item_ids: Collection[str]) -> Playlist:
        """All of them or none. Raises ``Missing`` (playlist or item) and ``StaleRevision``."""
        row = await self._edit(playlist_id, revision)
        was = await playlist_undo.rows_of(self._session, playlist_id, item_ids)
        missing = set(item_ids)
        wanted = sorted(missing)
        for start in range(0, len(wanted), _IDS_A_QUERY):
            statement = (
                delete(Item)
                .where(Item.playlist_id == playlist_id, Item.id.in_(wanted[start : start + _IDS_A_QUERY]))
                .returning(Item.id)
                .execution_options(synchronize_session=False)
            )
            missing.difference_update(await self._session.scalars(statement))
        if missing:
            raise Missing("item", min(missing))
        await self._close_gaps(playlist_id)
        await self._undo_by(row, _counted("removed", was), Steps(put=was))
        return row

    async def replace(
        self, playlist_id: str, revision: int, entries: Sequence[KeptItem | ItemSpec]
    ) -> tuple[Playlist, Sequence[str]]:
        """The list is ``entries`` afterwards, in this order; ids of the new ones, in order. What is not in it goes.

        Raises ``Missing`` (playlist, item or asset) and ``StaleRevision``; then nothing is changed.
        """
        row = await self._edit(playlist_id, revision)
        was = await playlist_undo.rows_of(self._session, playlist_id)
        there = {str(one["id"]) for one in was}
        kept = {entry.item_id for entry in entries if isinstance(entry, KeptItem)}
        if missing := kept - there:
            raise Missing("item", min(missing))
        named = {entry.asset_id for entry in entries if isinstance(entry, ItemSpec)}
        named |= {_text(entry.changes.get("asset_id")) for entry in entries if isinstance(entry, KeptItem)}
        await self._require_assets({asset_id for asset_id in named if asset_id is not None})
        gone = sorted(there - kept)
        for start in range(0, len(gone), _IDS_A_QUERY):
            await self._session.execute(
                delete(Item)
                .where(Item.id.in_(gone[start : start + _IDS_A_QUERY]))
                .execution_options(synchronize_session=False)
            )
        places = [
            {"key": entry.item_id, "place": position}
            for position, entry in enumerate(entries)
            if isinstance(entry, KeptItem)
        ]
        connection = await self._session.connection()
        if places:
            moved = update(Item).where(Item.id == bindparam("key")).values(position=bindparam("place"))
            await connection.execute(moved, places)
        for entry in entries:
            if isinstance(entry, KeptItem) and entry.changes:
                await connection.execute(
                    update(Item).where(Item.id == entry.item_id).values(checked(entry.changes, _LISTED))
                )
        rows: list[dict[str, object]] = [
            {"id": new_id(), "playlist_id": playlist_id, "position": position, **asdict(entry)}
            for position, entry in enumerate(entries)
            if isinstance(entry, ItemSpec)
        ]
        if rows:
            await connection.execute(insert(Item), rows)
        ids = [str(values["id"]) for values in rows]
        await self._undo_by(row, "put another list in its place", Steps(delete=ids, put=was))
        return row, ids

    async def waiting(self, limit: int) -> Sequence[tuple[Item, str | None]]:
        """Clips without an asset of which the project has one of their house id by now; each with its project's id."""
        there = select(Asset.id).where(
            Asset.house_id == Item.house_id, Asset.project_id.is_not_distinct_from(Playlist.project_id)
        )
        query = (
            select(Item, Playlist.project_id)
            .join(Playlist, Playlist.id == Item.playlist_id)
            .where(Item.asset_id.is_(None), Item.house_id.is_not(None), Item.kind == "clip", there.exists())
            .order_by(Item.playlist_id, Item.position)
            .limit(limit)
        )
        return [(row[0], row[1]) for row in await self._session.execute(query)]

    async def link(self, playlist_id: str, revision: int, changes: Mapping[str, Mapping[str, object]]) -> Playlist:
        """What waiting items change with the clip that came, by item id; one that waits no more stays as it is.

        Raises ``Missing`` (playlist or asset) and ``StaleRevision``.
        """
        row = await self._edit(playlist_id, revision)
        named = {_text(columns.get("asset_id")) for columns in changes.values()}
        await self._require_assets({asset_id for asset_id in named if asset_id is not None})
        connection = await self._session.connection()
        for item_id, columns in changes.items():
            await connection.execute(
                update(Item)
                .where(Item.id == item_id, Item.playlist_id == playlist_id, Item.asset_id.is_(None))
                .values(checked(columns, _LISTED))
            )
        return row

    async def raise_revision_of(self, asset_ids: Collection[str]) -> Sequence[Playlist]:
        """Every playlist that names one of the assets, at a new revision: what is known of a clip of it changed."""
        found: dict[str, Playlist] = {}
        wanted = sorted(set(asset_ids))
        for start in range(0, len(wanted), _IDS_A_QUERY):
            named = select(Item.playlist_id).where(Item.asset_id.in_(wanted[start : start + _IDS_A_QUERY]))
            statement = (
                update(Playlist)
                .where(Playlist.id.in_(named), Playlist.id.not_in(found))
                .values(revision=Playlist.revision + 1)
                .returning(Playlist)
                .execution_options(populate_existing=True, synchronize_session=False)
            )
            found.update((row.id, row) for row in await self._session.scalars(statement))
        return tuple(found.values())

    async def swap_assets(self, newer: Mapping[str, str]) -> Sequence[Playlist]:
        """Items of these assets (by id) have the other from now on; the playlists, at a new revision. Trims stay."""
        rows = await self.raise_revision_of(newer.keys())
        for old, new in newer.items():
            await self._session.execute(
                update(Item)
                .where(Item.asset_id == old)
                .values(asset_id=new)
                .execution_options(synchronize_session=False)
            )
        return rows

    async def move(self, playlist_id: str, revision: int, item_id: str, to: int) -> Playlist:
        """The item stands at position ``to`` afterwards (past the end: last). Raises as ``remove`` does."""
        row = await self._edit(playlist_id, revision)
        item = await self.item(playlist_id, item_id)
        was = await playlist_undo.rows_of(self._session, playlist_id, [item_id])
        to = max(0, min(to, await self._count(playlist_id) - 1))
        low, high = sorted((item.position, to))
        step = -1 if to > item.position else 1
        await self._session.execute(
            update(Item)
            .where(Item.playlist_id == playlist_id, Item.position.between(low, high))
            .values(position=case((Item.id == item_id, to), else_=Item.position + step))
            .execution_options(synchronize_session=False)
        )
        await self._undo_by(row, f"moved {item.title!r}", Steps(put=was))
        return row

    async def patch(
        self, playlist_id: str, revision: int, item_id: str, changes: Mapping[str, object]
    ) -> tuple[Playlist, Item]:
        """What people decide of one item. Raises as ``remove`` does."""
        row = await self._edit(playlist_id, revision)
        was = await playlist_undo.rows_of(self._session, playlist_id, [item_id])
        item = await self._session.scalar(
            update(Item)
            .where(Item.playlist_id == playlist_id, Item.id == item_id)
            .values({"id": item_id, **checked(changes, _ITEM_SPEC)})
            .returning(Item)
            .execution_options(populate_existing=True, synchronize_session=False)
        )
        if item is None:
            raise Missing("item", item_id)
        await self._undo_by(row, f"changed {item.title!r}", Steps(put=was))
        return row, item

    async def set_dropped(
        self, playlist_id: str, revision: int, item_ids: Collection[str], *, dropped: bool
    ) -> Playlist:
        """All of them or none. Raises as ``remove`` does."""
        row = await self._edit(playlist_id, revision)
        was = await playlist_undo.rows_of(self._session, playlist_id, item_ids)
        if missing := set(item_ids) - {str(one["id"]) for one in was}:
            raise Missing("item", min(missing))
        await self._session.execute(
            update(Item)
            .where(Item.playlist_id == playlist_id, Item.id.in_(item_ids))
            .values(dropped=dropped)
            .execution_options(synchronize_session=False)
        )
        await self._undo_by(row, _counted("dropped" if dropped else "let air again", was), Steps(put=was))
        return row

    async def last_edit(self, playlist_id: str, revision: int) -> str | None:
        """What the edit that made this revision did, if it can be taken back."""
        kept = await playlist_undo.kept(self._session, playlist_id, revision)
        return None if kept is None else kept[0]

    async def undo(self, playlist_id: str, revision: int) -> tuple[Playlist, str] | None:
        """Takes the edit that made ``revision`` back, and says what it was; None, and nothing done, where that is not
        known. Raises ``Missing`` (playlist, or an asset that is gone since) and ``StaleRevision``."""
        row = await self._edit(playlist_id, revision)
        kept = await playlist_undo.kept(self._session, playlist_id, revision)
        if kept is None:
            return None
        what, steps = kept
        await self._require_assets(steps.asset_ids)
        back = await playlist_undo.apply(self._session, playlist_id, steps)
        await self._undo_by(row, f"took back: {what}"[:200], back)
        return row, what

    async def _undo_by(self, row: Playlist, what: str, steps: Steps) -> None:
        await playlist_undo.keep(self._session, row.id, row.revision, what, steps)

    async def _edit(self, playlist_id: str, revision: int, changes: Mapping[str, object] | None = None) -> Playlist:
        """Raises the revision, which keeps every other edit of this playlist out until the transaction ends."""
        row = await self._session.scalar(
            update(Playlist)
            .where(Playlist.id == playlist_id, Playlist.revision == revision)
            .values({**(changes or {}), "revision": Playlist.revision + 1})
            .returning(Playlist)
            .execution_options(populate_existing=True, synchronize_session=False)
        )
        if row is not None:
            return row
        is_ = await self._session.scalar(select(Playlist.revision).where(Playlist.id == playlist_id))
        if is_ is None:
            raise Missing("playlist", playlist_id)
        raise StaleRevision(playlist_id, revision, is_)

    async def _close_gaps(self, playlist_id: str) -> None:
        order = select(Item.id, (func.row_number().over(order_by=Item.position) - 1).label("dense")).where(
            Item.playlist_id == playlist_id
        )
        ranked = order.subquery()
        await self._session.execute(
            update(Item)
            .where(Item.id == ranked.c.id, Item.position != ranked.c.dense)
            .values(position=ranked.c.dense)
            .execution_options(synchronize_session=False)
        )

    async def _count(self, playlist_id: str) -> int:
        return await self._session.scalar(select(func.count()).where(Item.playlist_id == playlist_id)) or 0

    async def _require_assets(self, asset_ids: Collection[str]) -> None:
        missing = set(asset_ids)
        wanted = sorted(missing)
        for start in range(0, len(wanted), _IDS_A_QUERY):
            query = (
                select(Asset.id)
                .where(Asset.id.in_(wanted[start : start + _IDS_A_QUERY]))
                .with_for_update(read=True, key_share=True)
            )
            missing.difference_update(await self._session.scalars(query))
        if missing:
            raise Missing("asset", min(missing))


def _counted(done: str, items: Sized) -> str:
    return f"{done} {len(items)} item{'' if len(items) == 1 else 's'}"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
