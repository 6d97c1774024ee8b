"""What takes the last edit of a playlist back, kept beside it. Taking it back is an edit too, so twice is none."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, cast

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Item, PlaylistUndo
from db.repositories.rows import table_of, upsert

_ITEM: Final = table_of(Item)
_INSTANTS: Final = ("planned_start", "fixed_at", "end_at", "block_until")
_IDS_A_QUERY: Final = 500


@dataclass(frozen=True, slots=True)
class Steps:
    """Items to take out by id, and rows to put at the positions they had; everything else keeps its order."""

    delete: Sequence[str] = ()
    put: Sequence[Mapping[str, object]] = field(default_factory=tuple)

    @property
    def asset_ids(self) -> frozenset[str]:
        """What has to be there still."""
        return frozenset(value for row in self.put if isinstance(value := row.get("asset_id"), str))


async def rows_of(
    session: AsyncSession, playlist_id: str, item_ids: Collection[str] | None = None
) -> list[dict[str, object]]:
    """Whole rows in order, of the whole playlist or of some of its items."""
    query = select(_ITEM).where(_ITEM.c.playlist_id == playlist_id).order_by(_ITEM.c.position)
    if item_ids is None:
        return [dict(row) for row in (await session.execute(query)).mappings()]
    found: list[dict[str, object]] = []
    wanted = sorted(item_ids)
    for start in range(0, len(wanted), _IDS_A_QUERY):
        some = query.where(_ITEM.c.id.in_(wanted[start : start + _IDS_A_QUERY]))
        found += [dict(row) for row in (await session.execute(some)).mappings()]
    return found


async def keep(session: AsyncSession, playlist_id: str, revision: int, what: str, steps: Steps) -> None:
    """In the place of what was kept before. ``revision`` is the one that the edit made."""
    values = {
        "revision": revision,
        "what": what[:200],
        "steps": {"delete": list(steps.delete), "put": [_written(row) for row in steps.put]},
    }
    statement = upsert(session, PlaylistUndo).values(playlist_id=playlist_id, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["playlist_id"], set_=values))


async def kept(session: AsyncSession, playlist_id: str, revision: int) -> tuple[str, Steps] | None:
    """What was done and how it is taken back; None where the playlist moved on or nothing is known."""
    row = await session.scalar(
        select(PlaylistUndo).where(PlaylistUndo.playlist_id == playlist_id, PlaylistUndo.revision == revision)
    )
    if row is None:
        return None
    steps = cast("Mapping[str, list[object]]", row.steps)
    ids = [one for one in steps.get("delete", []) if isinstance(one, str)]
    put = [_read(cast("Mapping[str, object]", one)) for one in steps.get("put", []) if isinstance(one, dict)]
    return row.what, Steps(ids, put)


async def apply(session: AsyncSession, playlist_id: str, steps: Steps) -> Steps:
    """Does them; what takes that back again."""
    ids = {str(row["id"]) for row in steps.put}
    was = await rows_of(session, playlist_id, ids | set(steps.delete))
    there = {str(row["id"]) for row in was}
    gone = sorted(there)
    for start in range(0, len(gone), _IDS_A_QUERY):
        await session.execute(
            delete(Item)
            .where(Item.playlist_id == playlist_id, Item.id.in_(gone[start : start + _IDS_A_QUERY]))
            .execution_options(synchronize_session=False)
        )
    rest = (
        await session.execute(
            select(_ITEM.c.id, _ITEM.c.position)
            .where(_ITEM.c.playlist_id == playlist_id)
            .order_by(_ITEM.c.position)
        )
    ).all()  # fmt: skip
    put = {cast("int", row["position"]): row for row in steps.put}
    moved: list[dict[str, object]] = []
    position = 0
    for item_id, stood in rest:
        while position in put:
            position += 1
        if stood != position:
            moved.append({"key": item_id, "place": position})
        position += 1
    connection = await session.connection()
    if moved:
        await connection.execute(
            update(Item).where(Item.id == bindparam("key")).values(position=bindparam("place")), moved
        )
    if steps.put:
        await connection.execute(insert(Item), [dict(row) for row in steps.put])
    return Steps(sorted(ids - there), was)


def _written(row: Mapping[str, object]) -> dict[str, object]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


def _read(row: Mapping[str, object]) -> dict[str, object]:
    """As it is stored; columns that this version does not have are left out."""
    read = {name: value for name, value in row.items() if name in _ITEM.c}
    for name in _INSTANTS:
        if isinstance(value := read.get(name), str):
            read[name] = datetime.fromisoformat(value)
    return read
