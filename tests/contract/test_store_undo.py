"""The last edit of a playlist can be taken back, whatever it was, and done again; nothing older can."""

from datetime import UTC, datetime

import pytest

from db.errors import StaleRevision
from db.repositories.playlists import ItemSpec, KeptItem
from db.store import Store

EIGHT = datetime(2026, 3, 29, 18, 0, tzinfo=UTC)
SPECS = [
    ItemSpec("A", kind="slate", slate_frames=50, airing={"repeat": 2, "meant": ["black"]}),
    ItemSpec("B", start_mode="fixed", fixed_at=EIGHT, planned_start=EIGHT, traffic_id="T1", listed={"in": {"x": 1}}),
    ItemSpec("C", kind="live", url="srt://h:9000", block="b", block_until=EIGHT, end_at=EIGHT),
    ItemSpec("D"),
    ItemSpec("E"),
]


async def whole(store: Store, playlist_id: str) -> list[dict[str, object]]:
    """Every column of every item, in order."""
    async with store.read() as tx:
        rows = await tx.playlists.items(playlist_id)
    assert [row.position for row in rows] == list(range(len(rows))), "dense from 0"
    return [{column.key: getattr(row, column.key) for column in row.__table__.columns} for row in rows]


@pytest.mark.parametrize("edit", ["insert", "remove", "move up", "move down", "patch", "drop", "replace"])
async def test_the_last_edit_is_taken_back_and_done_again(store: Store, now: datetime, edit: str) -> None:
    async with store.write() as tx:
        made = await tx.playlists.add("Today", None, now)
        of = made.id
        _, (a, b, c, d, e) = await tx.playlists.insert(of, 1, SPECS)
    before = await whole(store, of)
    async with store.write() as tx:
        match edit:
            case "insert":
                await tx.playlists.insert(of, 2, [ItemSpec("x"), ItemSpec("y")], 1)
            case "remove":
                await tx.playlists.remove(of, 2, [b, c, e])
            case "move up":
                await tx.playlists.move(of, 2, d, 1)
            case "move down":
                await tx.playlists.move(of, 2, a, 3)
            case "patch":
                await tx.playlists.patch(of, 2, b, {"title": "b", "start_mode": "follow", "fixed_at": None})
            case "drop":
                await tx.playlists.set_dropped(of, 2, [a, d], dropped=True)
            case _:
                await tx.playlists.replace(of, 2, [KeptItem(e), ItemSpec("x"), KeptItem(b, {"title": "b"})])
    after = await whole(store, of)
    assert after != before
    async with store.write() as tx:
        done = await tx.playlists.undo(of, 3)
        assert done is not None
        assert done[0].revision == 4
    assert await whole(store, of) == before
    async with store.write() as tx:
        again = await tx.playlists.undo(of, 4)
        assert again is not None
        assert again[1].startswith("took back: ")
    assert await whole(store, of) == after


async def test_what_is_no_edit_of_items_cannot_be_taken_back(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        playlist = await tx.playlists.add("Today", None, now)
        await tx.playlists.insert(playlist.id, 1, SPECS)
        await tx.playlists.rename(playlist.id, 2, "Tonight")
    with pytest.raises(StaleRevision):
        async with store.write() as tx:
            await tx.playlists.undo(playlist.id, 2)
    async with store.write() as tx:
        assert await tx.playlists.last_edit(playlist.id, 3) is None
        assert await tx.playlists.undo(playlist.id, 3) is None
    assert len(await whole(store, playlist.id)) == len(SPECS)
