"""Projects, nodes, assets, alarms and the audit log."""

import asyncio
from datetime import datetime, timedelta

import pytest

from db.errors import InUse, Missing, StaleRev, Taken
from db.repositories.alarms import NewAlarm
from db.repositories.playlists import ItemSpec
from db.repositories.ports import PortWanted
from db.store import Store

CHANNEL = {"width": 1280, "height": 720, "rate": "25"}
FILE = {"title": "Clip", "path": "/media/clip.mp4", "size_bytes": 1, "fingerprint": "f"}
NOBODY = "0" * 32


async def test_changes_name_the_rev_they_saw(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        project = await tx.projects.add("News", now)
        changed = await tx.projects.update(project.id, 1, {"name": "News at ten"})
        assert (changed.rev, changed.name) == (2, "News at ten")
        with pytest.raises(StaleRev, match="is at rev 2; this change saw rev 1") as caught:
            await tx.projects.update(project.id, 1, {"name": "Sport"})
        assert (caught.value.kind, caught.value.saw, caught.value.is_) == ("project", 1, 2)
        with pytest.raises(Missing):
            await tx.projects.update(NOBODY, 1, {"name": "Sport"})
        with pytest.raises(StaleRev):
            await tx.projects.delete(project.id, 1)
        with pytest.raises(ValueError, match="rev"):
            await tx.projects.update(project.id, 2, {"rev": 7})
    async with store.read() as tx:
        assert (await tx.projects.get(project.id)).name == "News at ten"


async def test_a_project_with_anything_in_it_stays(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        project = await tx.projects.add("News", now)
        playlist = await tx.playlists.add("Today", project.id, now)
        channel = await tx.channels.add({"name": "One", "project_id": project.id, **CHANNEL}, [], now)
        with pytest.raises(InUse, match="in use by 1 channel"):
            await tx.projects.delete(project.id, 1)
        await tx.channels.delete(channel.id, 1)
        with pytest.raises(InUse, match="in use by 1 playlist"):
            await tx.projects.delete(project.id, 1)
        await tx.playlists.delete(playlist.id, 1)
        await tx.projects.delete(project.id, 1)
    async with store.read() as tx:
        with pytest.raises(Missing):
            await tx.projects.get(project.id)


async def test_pages_follow_on(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        for name in "ABCDE":
            await tx.projects.add(name, now)
        ids = [(await tx.assets.add({**FILE, "title": title}, now)).id for title in "ab"]
    async with store.read() as tx:
        assert [row.name for row in await tx.projects.list(limit=2)] == ["A", "B"]
        assert [row.name for row in await tx.projects.list(after="B", limit=2)] == ["C", "D"]
        assert {row.id for row in await tx.assets.list()} == set(ids)
        (last,) = await tx.assets.list(after=min(ids))
        assert last.id == max(ids)


async def test_a_node_with_channels_or_claims_stays(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        node = await tx.nodes.local(NOBODY, "here", now, alone=False)
        channel = await tx.channels.add({"name": "One", "wanted_node_id": node.id, **CHANNEL}, [], now)
        with pytest.raises(InUse, match="channel 'One'"):
            await tx.nodes.delete(node.id, 1)
        await tx.channels.update_spec(channel.id, 1, {"wanted_node_id": None})
        wanted = PortWanted(node.id, "index:1", 1)
        await tx.ports.claim(wanted, owner_kind="recorder", owner_id=NOBODY, epoch=1, now=now)
        with pytest.raises(InUse, match="index:1"):
            await tx.nodes.delete(node.id, 1)
        await tx.ports.release("recorder", NOBODY, 1, by="kim", now=now)
        await tx.nodes.delete(node.id, 1)


async def test_a_supervisor_finds_its_own_node_by_its_id(store: Store, now: datetime) -> None:
    """P2: two homes that share a database are two nodes, whatever their hosts are called."""
    mine, other, third = "1" * 32, "2" * 32, "3" * 32
    async with store.write() as tx:
        node = await tx.nodes.local(mine, "h" * 80, now, alone=False)
        assert (node.id, node.name, node.kind) == (mine, "h" * 80, "local")
        assert (await tx.nodes.local(mine, "other name", now, alone=False)).name == node.name, "made once"
        assert (await tx.nodes.local(other, "h" * 80, now, alone=False)).name == "h" * 78 + " 2"
        assert (await tx.nodes.local(third, "h" * 80, now, alone=False)).name == "h" * 78 + " 3"


async def test_a_store_restored_into_another_home_keeps_its_node(store: Store, now: datetime) -> None:
    """P1: its channels are not left on a node that nobody is."""
    async with store.write() as tx:
        node = await tx.nodes.local("1" * 32, "old host", now, alone=True)
        assert (await tx.nodes.local("2" * 32, "new host", now, alone=True)).id == node.id


async def test_another_incarnation_is_another_node_until_people_accept_it(store: Store, now: datetime) -> None:
    """F31: a new machine that answers at the old one's address."""
    async with store.write() as tx:
        node = await tx.nodes.add(name="mcr-a", kind="agent", now=now)
        met = await tx.nodes.met(node.id, "a" * 32)
        assert (met.incarnation, met.rev) == ("a" * 32, 2)
        again = await tx.nodes.met(node.id, "b" * 32)
        assert (again.incarnation, again.rev) == ("a" * 32, 2), "noted once"
        with pytest.raises(StaleRev):
            await tx.nodes.accept(node.id, 1, "b" * 32)
        assert (await tx.nodes.accept(node.id, 2, "b" * 32)).incarnation == "b" * 32
        with pytest.raises(Missing):
            await tx.nodes.met(NOBODY, "a" * 32)


async def test_a_node_is_lost_by_an_operators_word_until_it_is_found(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        node = await tx.nodes.add(name="mcr-a", kind="agent", now=now)
        with pytest.raises(ValueError, match="only with a reason"):
            await tx.nodes.declare_lost(node.id, 1, by="kim", reason=" ", now=now)
        lost = await tx.nodes.declare_lost(node.id, 1, by="kim", reason="it burns", now=now)
        assert (lost.lost_at, lost.lost_by, lost.lost_reason, lost.rev) == (now, "kim", "it burns", 2)
        with pytest.raises(StaleRev):
            await tx.nodes.declare_lost(node.id, 1, by="lee", reason="too", now=now)
        for _ in range(2):
            found = await tx.nodes.found_again(node.id)
            assert (found.lost_at, found.lost_by, found.lost_reason, found.rev) == (None, None, None, 3)
        assert (await tx.nodes.update(node.id, 3, {"maintenance": True})).maintenance


async def test_a_node_that_may_still_be_on_air_stays(store: Store, now: datetime) -> None:
    """P2: its channel is being moved, and nobody knows yet that it is gone there."""
    async with store.write() as tx:
        node = await tx.nodes.add(name="mcr-a", kind="agent", now=now)
        lead = await tx.leader.acquire("me", "", 60)
        assert lead is not None
        channel = await tx.channels.add({"name": "One", **CHANNEL}, [], now)
        await tx.channels.transition(
            channel.id, rev=1, fence=lead.fence, phase="fencing", now=now, raise_epoch=True, fencing_node_id=node.id
        )
        with pytest.raises(InUse, match="channel 'One'"):
            await tx.nodes.delete(node.id, 1)
        await tx.channels.transition(channel.id, rev=2, fence=lead.fence, phase="off", now=now)
        await tx.nodes.delete(node.id, 1)


async def test_an_asset_in_a_playlist_stays(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        asset = await tx.assets.add(FILE, now)
        playlist = await tx.playlists.add("Today", None, now)
        _, (item,) = await tx.playlists.insert(playlist.id, 1, [ItemSpec("Clip", asset.id)])
        with pytest.raises(InUse, match="playlist 'Today'"):
            await tx.assets.delete(asset.id, 1)
        await tx.playlists.remove(playlist.id, 2, [item])
        await tx.assets.delete(asset.id, 1)


async def test_assets_are_found_by_what_they_hold_within_their_project(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        project = await tx.projects.add("News", now)
        ids = await tx.assets.add_many([{**FILE, "project_id": None}, {**FILE, "project_id": project.id}], now)
        assert len(await tx.assets.by_ids(ids)) == 2
        here, elsewhere = ("f", FILE["path"]), ("f", "/media/other.mp4")
        found = await tx.assets.by_contents([here, elsewhere], project.id)
        assert {place: row.id for place, row in found.items()} == {here: ids[1]}
        with pytest.raises(Missing, match="project"):
            await tx.assets.add_many([{**FILE, "project_id": NOBODY}], now)


async def test_an_alarm_is_raised_once_until_cleared(store: Store, now: datetime) -> None:
    later = now + timedelta(seconds=5)
    async with store.write() as tx:
        first, is_new = await tx.alarms.raise_once("dark", NOBODY, None, "warning", "dark for 1 s", now)
        assert is_new
        await tx.alarms.acknowledge(first.id, "kim", now)
        await tx.alarms.acknowledge(first.id, "lee", later)
        again, is_new = await tx.alarms.raise_once("dark", NOBODY, None, "critical", "dark for 9 s", later)
        assert not is_new
        assert (again.id, again.raised_at, again.acknowledged_by) == (first.id, now, "kim")
        assert (again.severity, again.text) == ("critical", "dark for 9 s")
        _, other = await tx.alarms.raise_once("dark", None, NOBODY, "critical", "another", now)
        assert other
        cleared = await tx.alarms.clear("dark", NOBODY, None, later)
        assert cleared is not None
        assert cleared.cleared_at == later
        assert await tx.alarms.clear("dark", NOBODY, None, later) is None
        third, is_new = await tx.alarms.raise_once("dark", NOBODY, None, "critical", "again", later)
        assert is_new
    async with store.read() as tx:
        assert len(await tx.alarms.list()) == 2
        everything = await tx.alarms.list(open_only=False)
        assert len(everything) == 3
        assert everything[0].id == third.id
        assert await tx.alarms.list(open_only=False, after=everything[0].id) == everything[1:]
        assert [row.id for row in await tx.alarms.list(open_only=False, channel_id=NOBODY, limit=1)] == [third.id]


async def test_many_alarms_at_once_are_raised_and_cleared_like_one(store: Store, now: datetime) -> None:
    later = now + timedelta(seconds=5)
    codes = [f"code_{number}" for number in range(450)]
    async with store.write() as tx:
        first, _ = await tx.alarms.raise_once(codes[7], NOBODY, None, "warning", "before", now)
        new = [NewAlarm(code, NOBODY, None, "critical", "dark", later) for code in codes]
        rows = await tx.alarms.raise_all(new)
        assert sorted(row.code for row in rows) == sorted(codes)
        kept = next(row for row in rows if row.code == codes[7])
        assert (kept.id, kept.raised_at, kept.severity, kept.text) == (first.id, now, "critical", "dark")
        assert {row.raised_at for row in rows if row is not kept} == {later}
        gone = await tx.alarms.clear_all(
            [*((code, NOBODY, None) for code in codes[:400]), ("never", None, None)], later
        )
        assert sorted(row.code for row in gone) == sorted(codes[:400])
        assert {row.cleared_at for row in gone} == {later}
        assert await tx.alarms.clear_all([], later) == await tx.alarms.raise_all([]) == ()
    async with store.read() as tx:
        assert sorted(row.code for row in await tx.alarms.list()) == sorted(codes[400:])


async def test_many_that_raise_the_same_alarm_raise_one(store: Store, now: datetime) -> None:
    async def raise_it() -> bool:
        async with store.write() as tx:
            _, is_new = await tx.alarms.raise_once("dark", NOBODY, None, "critical", "dark", now)
            return is_new

    assert sorted(await asyncio.gather(*(raise_it() for _ in range(20)))) == [False] * 19 + [True]


async def test_the_audit_log_reads_backwards(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        for number in range(5):
            await tx.audit.add(now, "kim", "unix", "take", "x" * 500, "done", {"number": number, "text": "a\0b"})
    async with store.read() as tx:
        newest = await tx.audit.list(limit=2)
        rest = await tx.audit.list(before=newest[-1].id)
    assert [row.detail["number"] for row in (*newest, *rest)] == [4, 3, 2, 1, 0]


async def test_names_are_taken_by_kind(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        await tx.nodes.add(name="One", kind="agent", url="http://one", now=now)
        await tx.channels.add({"name": "One", **CHANNEL}, [], now)
        with pytest.raises(Taken, match="node name"):
            await tx.nodes.add(name="One", kind="agent", url="http://one", now=now)
        node = await tx.nodes.add(name="Two", kind="agent", url="http://two", now=now)
        with pytest.raises(Taken, match="node name 'One'"):
            await tx.nodes.update(node.id, 1, {"name": "One"})
