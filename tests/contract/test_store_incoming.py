"""What the store keeps of lists and media that come in: watched folders, waiting items, assets that move."""

from datetime import datetime

import pytest

from db.errors import Missing, Taken
from db.models import Asset
from db.repositories.playlists import ItemSpec
from db.repositories.watched_folders import FolderSpec
from db.store import Store

NOBODY = "0" * 32


async def add_asset(store: Store, now: datetime, project_id: str | None = None, **facts: object) -> Asset:
    plain = {"path": "/media/a.mxf", "title": "A", "size_bytes": 1, "fingerprint": "f" * 64, "project_id": project_id}
    async with store.write() as tx:
        return await tx.assets.add({**plain, **facts}, now)


async def add_project(store: Store, now: datetime, name: str) -> str:
    async with store.write() as tx:
        return (await tx.projects.add(name, now)).id


async def add_playlist(store: Store, now: datetime, project_id: str | None, *items: ItemSpec) -> str:
    async with store.write() as tx:
        playlist = await tx.playlists.add("Day", project_id, now)
        await tx.playlists.insert(playlist.id, playlist.revision, items)
        return playlist.id


async def test_a_folder_is_watched_once(store: Store, now: datetime) -> None:
    project_id = await add_project(store, now, "News")
    options = {"encoding": "cp1252"}
    async with store.write() as tx:
        made = await tx.watched_folders.add(FolderSpec("media", "/in/b", project_id=project_id, options=options), now)
        await tx.watched_folders.add(FolderSpec("media", "/in/a"), now)
    async with store.read() as tx:
        assert [row.path for row in await tx.watched_folders.list()] == ["/in/a", "/in/b"]
        row = await tx.watched_folders.get(made.id)
        assert (row.kind, row.project_id, row.options, row.append) == ("media", project_id, options, False)
    with pytest.raises(Taken):
        async with store.write() as tx:
            await tx.watched_folders.add(FolderSpec("media", "/in/a"), now)
    for spec in (FolderSpec("lists", "/in/c", channel_id=NOBODY), FolderSpec("media", "/in/c", project_id=NOBODY)):
        with pytest.raises(Missing):
            async with store.write() as tx:
                await tx.watched_folders.add(spec, now)
    async with store.write() as tx:
        await tx.watched_folders.delete(made.id)
    with pytest.raises(Missing):
        async with store.write() as tx:
            await tx.watched_folders.delete(made.id)


async def test_items_wait_for_a_clip_of_their_own_project(store: Store, now: datetime) -> None:
    project_id = await add_project(store, now, "News")
    ours = await add_playlist(
        store, now, project_id, ItemSpec("a", house_id="N1"), ItemSpec("b", house_id="N2"), ItemSpec("c")
    )
    await add_playlist(store, now, None, ItemSpec("d", house_id="N1"))

    async def waiting() -> list[tuple[str, str | None]]:
        async with store.read() as tx:
            return [(item.title, of) for item, of in await tx.playlists.waiting(10)]

    assert await waiting() == []
    asset = await add_asset(store, now, project_id, house_id="N1")
    assert await waiting() == [("a", project_id)]
    async with store.write() as tx:
        items = await tx.playlists.items(ours)
        changes = {item.id: {"asset_id": asset.id, "in_frames": 5, "out_frames": 9} for item in items[:1]}
        assert (await tx.playlists.link(ours, 2, changes)).revision == 3
    assert await waiting() == []
    async with store.read() as tx:
        first, second, _ = await tx.playlists.items(ours)
    assert (first.asset_id, first.in_frames, first.out_frames) == (asset.id, 5, 9)
    assert second.asset_id is None
    async with store.write() as tx:
        other = {first.id: {"asset_id": asset.id, "in_frames": 1}}
        await tx.playlists.link(ours, 3, other)
        assert (await tx.playlists.item(ours, first.id)).in_frames == 5, "it waits no more"
    with pytest.raises(Missing):
        async with store.write() as tx:
            await tx.playlists.link(ours, 4, {second.id: {"asset_id": NOBODY}})


async def test_every_playlist_of_an_asset_gets_a_new_revision_once(store: Store, now: datetime) -> None:
    one, two = await add_asset(store, now), await add_asset(store, now, path="/media/b.mxf")
    both = await add_playlist(store, now, None, ItemSpec("a", asset_id=one.id), ItemSpec("b", asset_id=two.id))
    none = await add_playlist(store, now, None, ItemSpec("c"))
    async with store.write() as tx:
        rows = await tx.playlists.raise_revision_of({one.id, two.id})
    assert [(row.id, row.revision) for row in rows] == [(both, 3)]
    async with store.write() as tx:
        rows = await tx.playlists.swap_assets({one.id: two.id})
        assert [(row.id, row.revision) for row in rows] == [(both, 4)]
        assert {item.asset_id for item in await tx.playlists.items(both)} == {two.id}
        assert (await tx.playlists.get(none)).revision == 2


async def test_assets_by_place_and_by_how_much_is_known(store: Store, now: datetime) -> None:
    inside = await add_asset(store, now, path="/in/100%_a/x.mxf", facts=1)
    await add_asset(store, now, path="/in/100xxa/x.mxf")
    async with store.write() as tx:
        assert [row.id for row in await tx.assets.below("/in/100%_a", None)] == [inside.id]
        (half,) = await tx.assets.half_known(1, 10)
        assert half.path == "/in/100xxa/x.mxf"
        facts = {"facts": 1, "audio_tracks": ["mono", "mono"], "captions": True, "mtime_ns": 2**60}
        known = await tx.assets.found(half.id, half.rev, facts)
        assert (known.audio_tracks, known.captions, known.mtime_ns) == (["mono", "mono"], True, 2**60)
        assert await tx.assets.half_known(1, 10) == []
        assert [row.id for row in await tx.assets.at_paths([inside.path], None)] == [inside.id]
        assert {row.id for row in await tx.assets.by_fingerprints(["f" * 64], None)} == {inside.id, half.id}


async def test_what_is_not_measured_is_asked_for_without_what_cannot_be(store: Store, now: datetime) -> None:
    mute, first, second = [
        await add_asset(store, now, path=f"/media/{name}", audio_codec=codec)
        for name, codec in (("mute", None), ("first", "aac"), ("second", "aac"))
    ]  # fmt: skip
    async with store.write() as tx:
        assert [row.id for row in await tx.assets.unmeasured(10)] == [second.id, first.id]
        assert [row.id for row in await tx.assets.unmeasured(1, {second.id, mute.id})] == [first.id]
        assert await tx.assets.newest() == second.id
        assert await tx.assets.measured(first.id, first.fingerprint, -2300, -100)
        assert await tx.assets.unmeasured(10, {second.id}) == []


async def test_watched_folders_go_with_their_channel(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        facts = {"name": "One", "number": 1, "width": 1280, "height": 720, "rate": "25"}
        channel = await tx.channels.add(facts, (), now)
        await tx.watched_folders.add(FolderSpec("lists", "/in", channel_id=channel.id), now)
    async with store.write() as tx:
        await tx.channels.delete(channel.id, channel.rev)
    async with store.read() as tx:
        assert await tx.watched_folders.list() == []
