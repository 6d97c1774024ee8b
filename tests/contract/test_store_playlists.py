"""Edits of playlists: dense positions, one revision an edit, whole or not at all."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.errors import InUse, Missing, StaleRevision
from db.repositories.playlists import ItemSpec, KeptItem
from db.store import Store

NOBODY = "0" * 32


async def make(store: Store, now: datetime, titles: str = "") -> str:
    async with store.write() as tx:
        playlist = await tx.playlists.add("Today", None, now)
        await tx.playlists.insert(playlist.id, 1, [ItemSpec(title) for title in titles])
        return playlist.id


async def titles(store: Store, playlist_id: str) -> str:
    async with store.read() as tx:
        items = await tx.playlists.items(playlist_id)
    assert [item.position for item in items] == list(range(len(items))), "dense from 0"
    return "".join(item.title for item in items)


@pytest.fixture
async def ids(store: Store, now: datetime) -> AsyncGenerator[dict[str, str], None]:
    """A playlist of A to F at revision 2: ids by title, its own under ""."""
    playlist_id = await make(store, now, "ABCDEF")
    async with store.read() as tx:
        yield {"": playlist_id, **{item.title: item.id for item in await tx.playlists.items(playlist_id)}}


@pytest.mark.parametrize(
    ("at", "after"), [(0, "xyABCDEF"), (2, "ABxyCDEF"), (6, "ABCDEFxy"), (None, "ABCDEFxy"), (99, "ABCDEFxy")]
)
async def test_insert(store: Store, ids: dict[str, str], at: int | None, after: str) -> None:
    async with store.write() as tx:
        playlist, made = await tx.playlists.insert(ids[""], 2, [ItemSpec("x"), ItemSpec("y")], at)
        assert playlist.revision == 3
        assert (await tx.playlists.item(ids[""], made[1])).title == "y"
    assert await titles(store, ids[""]) == after


@pytest.mark.parametrize(
    ("item", "to", "after"),
    [("A", 3, "BCDAEF"), ("E", 1, "AEBCDF"), ("C", 2, "ABCDEF"), ("A", 99, "BCDEFA"), ("F", 0, "FABCDE")],
)
async def test_move(store: Store, ids: dict[str, str], item: str, to: int, after: str) -> None:
    async with store.write() as tx:
        assert (await tx.playlists.move(ids[""], 2, ids[item], to)).revision == 3
    assert await titles(store, ids[""]) == after


async def test_remove_and_patch(store: Store, ids: dict[str, str]) -> None:
    async with store.write() as tx:
        await tx.playlists.remove(ids[""], 2, [ids["A"], ids["D"], ids["F"]])
        playlist, item = await tx.playlists.patch(ids[""], 3, ids["C"], {"title": "c", "out_frames": 50})
        assert (playlist.revision, item.title, item.out_frames, item.position) == (4, "c", 50, 1)
        _, same = await tx.playlists.patch(ids[""], 4, ids["C"], {})
        assert same.title == "c"
        with pytest.raises(ValueError, match="position"):
            await tx.playlists.patch(ids[""], 5, ids["C"], {"position": 0})
    assert await titles(store, ids[""]) == "BcE"


async def test_a_page_of_items(store: Store, ids: dict[str, str]) -> None:
    async with store.read() as tx:
        page = await tx.playlists.items(ids[""], after=1, limit=2)
        assert [item.title for item in page] == ["C", "D"]
        assert await tx.playlists.item_counts() == {ids[""]: 6}
        assert await tx.playlists.item_counts([NOBODY]) == {}


@pytest.mark.parametrize("edit", ["insert", "move", "remove", "patch", "rename", "delete"])
async def test_an_edit_that_saw_an_older_revision_changes_nothing(store: Store, ids: dict[str, str], edit: str) -> None:
    arguments: dict[str, tuple[object, ...]] = {
        "insert": ([ItemSpec("x")], 0),
        "move": (ids["A"], 3),
        "remove": ([ids["A"]],),
        "patch": (ids["A"], {"title": "x"}),
        "rename": ("Tomorrow",),
        "delete": (),
    }
    with pytest.raises(StaleRevision, match="is at revision 2; this edit saw revision 1"):
        async with store.write() as tx:
            await getattr(tx.playlists, edit)(ids[""], 1, *arguments[edit])
    assert await titles(store, ids[""]) == "ABCDEF"


async def test_an_edit_that_fails_midway_changes_nothing(store: Store, ids: dict[str, str], now: datetime) -> None:
    with pytest.raises(Missing, match="no asset"):
        async with store.write() as tx:
            await tx.playlists.insert(ids[""], 2, [ItemSpec("x"), ItemSpec("y", asset_id=NOBODY)], 0)
    with pytest.raises(Missing, match="no item"):
        async with store.write() as tx:
            await tx.playlists.remove(ids[""], 2, [ids["A"], NOBODY])
    other = await make(store, now, "Z")
    with pytest.raises(Missing, match="no item"):
        async with store.write() as tx:
            await tx.playlists.move(other, 2, ids["A"], 0)
    async with store.read() as tx:
        assert (await tx.playlists.get(ids[""])).revision == 2
    assert await titles(store, ids[""]) == "ABCDEF"


async def test_of_many_edits_of_one_revision_exactly_one_is_made(store: Store, ids: dict[str, str]) -> None:
    async def insert(title: str) -> None:
        async with store.write() as tx:
            await tx.playlists.insert(ids[""], 2, [ItemSpec(title)], 0)

    results = await asyncio.gather(*(insert(str(n)) for n in range(10)), return_exceptions=True)
    assert results.count(None) == 1
    assert sum(isinstance(result, StaleRevision) for result in results) == 9
    assert (await titles(store, ids[""]))[1:] == "ABCDEF"


async def test_a_playlist_that_a_channel_plays_stays(store: Store, ids: dict[str, str], now: datetime) -> None:
    async with store.write() as tx:
        values = {"name": "One", "playlist_id": ids[""], "width": 1280, "height": 720, "rate": "25"}
        channel = await tx.channels.add(values, [], now)
        with pytest.raises(InUse, match="channel 'One'"):
            await tx.playlists.delete(ids[""], 2)
    async with store.write() as tx:
        await tx.channels.update_spec(channel.id, 1, {"playlist_id": None})
        revision = (await tx.playlists.get(ids[""])).revision
        await tx.playlists.delete(ids[""], revision)
        assert await tx.playlists.item_counts() == {}


async def test_ten_thousand_items(store: Store, now: datetime) -> None:
    playlist_id = await make(store, now)
    async with store.write() as tx:
        asset = await tx.assets.add({"title": "a", "path": "/a", "size_bytes": 1, "fingerprint": "f"}, now)
    async with store.write() as tx:
        _, made = await tx.playlists.insert(playlist_id, 2, [ItemSpec(f"{n},", asset.id) for n in range(10_000)])
    async with store.write() as tx:
        await tx.playlists.move(playlist_id, 3, made[0], 9_999)
        await tx.playlists.remove(playlist_id, 4, made[1:5_000])
        await tx.playlists.insert(playlist_id, 5, [ItemSpec("first,")], 0)
    assert await titles(store, playlist_id) == "first," + "".join(f"{n}," for n in range(5_000, 10_000)) + "0,"
    async with store.read() as tx:
        assert (await tx.assets.of_playlist(playlist_id)).keys() == {asset.id}


EDITS = st.lists(
    st.tuples(st.sampled_from(["insert", "move", "remove"]), st.integers(0, 12), st.integers(0, 12)), max_size=6
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS)
def test_any_edits_do_what_they_do_to_a_list(
    runner: asyncio.Runner, sqlite_store: Store, edits: list[tuple[str, int, int]]
) -> None:
    async def both() -> None:
        playlist_id = await make(sqlite_store, datetime.fromisoformat("2026-01-01T00:00Z"), "ABCD")
        expected = list("ABCD")
        for number, (edit, first, second) in enumerate(edits):
            async with sqlite_store.write() as tx:
                revision = (await tx.playlists.get(playlist_id)).revision
                items = await tx.playlists.items(playlist_id)
                item = items[first % len(items)] if items else None
                if edit == "insert":
                    new = [f"{number}{n}" for n in range(second % 3)]
                    await tx.playlists.insert(playlist_id, revision, [ItemSpec(title) for title in new], first)
                    expected[first:first] = new
                elif item and edit == "move":
                    await tx.playlists.move(playlist_id, revision, item.id, second)
                    expected.insert(second, expected.pop(item.position))
                elif item:
                    gone = items[item.position : item.position + second % 3 + 1]
                    await tx.playlists.remove(playlist_id, revision, [one.id for one in gone])
                    del expected[item.position : item.position + len(gone)]
        assert await titles(sqlite_store, playlist_id) == "".join(expected)

    runner.run(both())


async def test_a_list_is_replaced_whole_with_what_is_kept_and_what_is_new(
    store: Store, ids: dict[str, str], now: datetime
) -> None:
    new = ItemSpec("x", traffic_id="T1", planned_start=now, house_id="H1", listed={"length": {"frames": 25}})
    entries = [KeptItem(ids["C"]), new, KeptItem(ids["A"], {"title": "a", "traffic_id": "T2"})]
    async with store.write() as tx:
        row, made = await tx.playlists.replace(ids[""], 2, entries)
        assert row.revision == 3
    assert await titles(store, ids[""]) == "Cxa"
    async with store.read() as tx:
        item = await tx.playlists.item(ids[""], made[0])
        assert (item.traffic_id, item.planned_start, item.house_id) == ("T1", now, "H1")
        assert item.listed == {"length": {"frames": 25}}
        assert (await tx.playlists.item(ids[""], ids["A"])).traffic_id == "T2"


async def test_a_replacement_that_saw_another_list_changes_nothing(store: Store, ids: dict[str, str]) -> None:
    with pytest.raises(StaleRevision):
        async with store.write() as tx:
            await tx.playlists.replace(ids[""], 1, [])
    for entries in ([KeptItem(NOBODY)], [ItemSpec("x", asset_id=NOBODY)]):
        with pytest.raises(Missing):
            async with store.write() as tx:
                await tx.playlists.replace(ids[""], 2, entries)
    with pytest.raises(ValueError, match="position"):
        async with store.write() as tx:
            await tx.playlists.replace(ids[""], 2, [KeptItem(ids["A"], {"position": 4})])
    assert await titles(store, ids[""]) == "ABCDEF"


async def test_of_clips_of_one_house_id_the_newest_is_found(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        facts = [
            {"title": title, "path": f"/{title}", "size_bytes": 1, "fingerprint": title, "house_id": house}
            for title, house in (("a", "H1"), ("b", "H1"), ("c", "H2"))
        ]
        made = [await tx.assets.add(one, now) for one in facts]
        project = await tx.projects.add("Other", now)
        await tx.assets.add({**facts[0], "project_id": project.id}, now)
        found = await tx.assets.by_house_ids({"H1", "H2", "H3"}, None)
        assert {house: asset.id for house, asset in found.items()} == {
            "H1": max(made[0].id, made[1].id),
            "H2": made[2].id,
        }
