"""Channels are kept on air: started, stopped, commanded, restarted; over a real store and real processes."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from db.models import Channel
from db.repositories.channels import Position
from db.repositories.playlists import ItemSpec
from db.store import Store
from supervisor.errors import Conflict, Invalid, NotFound, PlayoutFailed, PlayoutSilent, Unavailable
from supervisor.principal import Principal
from supervisor.schemas.channel import CommandIn, CueIn
from tests.fixtures.agents import NodeHome, until
from tests.fixtures.stations import FOREVER, OLGA, station


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, node_home: NodeHome) -> str:
    """Of each kind: on PostgreSQL the lease is not seized, and others may write beside us."""
    if request.param == "sqlite":
        return f"sqlite:///{node_home.path / 'mcr.db'}"
    url: str = request.getfixturevalue("migrated_postgres_url")
    return url


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    store = Store(store_url)
    yield store
    await store.close()


async def test_a_channel_starts_plays_and_stops(node_home: NodeHome, store: Store) -> None:
    async with station(node_home, store) as here:
        row = await here.channel(FOREVER, FOREVER)
        live = await here.start(row)
        assert (live.epoch, live.desired, live.node_name, live.off_air_since) == (1, "on", "here", None)
        assert live.item is not None
        assert live.item.title == "item 0"
        assert live.decision.startswith("on air: item 0")

        async def recorded() -> bool:
            return (await here.row(row.id)).position_rate == "25"

        await until(recorded, what="the position with what it counts at")
        await here.off(row.id)
        after = await here.row(row.id)
        assert (after.desired, after.phase, after.node_id, after.epoch) == ("off", "off", None, 1)
        assert not node_home.processes()
        await here.log_is_complete(row.id)
        (event,) = await here.events_of(row.id)
        assert (event.title, event.status, event.end_cause, event.by) == ("item 0", "cut", "stop", "olga")


async def test_starting_twice_is_starting_once(node_home: NodeHome) -> None:
    """P2."""
    async with station(node_home) as here:
        row = await here.channel(FOREVER)
        rows = await asyncio.gather(*(here.commands.start(row.id, OLGA) for _ in range(5)))
        assert {it.desired for it in rows} == {"on"}
        assert (await here.on_air(row.id)).epoch == 1
        assert len(node_home.processes()) == 1


async def test_a_stop_during_the_start_wins(node_home: NodeHome) -> None:
    """P7: nothing is armed after somebody wanted the channel off."""
    async with station(node_home) as here:
        row = await here.channel(FOREVER)
        await here.commands.start(row.id, OLGA)
        await until(lambda: here.live(row.id).phase == "starting", what="starting")
        await here.off(row.id)
        assert not node_home.processes()
        journals = (node_home.path / "journal" / row.id).glob("*/*.jsonl")
        assert not any(b'"on_air"' in path.read_bytes() for path in journals)


async def test_a_killed_sidecar_is_restarted_in_place_where_it_was(node_home: NodeHome, store: Store) -> None:
    """P1, P4: a new, higher epoch goes on with the item; the log says how far the old one is proven."""
    async with station(node_home, store) as here:
        row = await here.channel(FOREVER, FOREVER)
        await here.start(row)
        await here.take(row.id)
        await until(lambda: (item := here.live(row.id).item) and item.position_frames >= 25, what="a second of item 1")
        before, since = here.live(row.id).item, time.monotonic()
        assert before is not None
        os.kill(await here.pid(row.id), signal.SIGKILL)
        live = await here.on_air(row.id, epoch=2)
        assert live.item is not None
        assert live.item.title == "item 1"
        most = before.position_frames + 25 * (time.monotonic() - since + 1)  # it may have been told a heartbeat ago
        assert before.position_frames <= live.item.position_frames <= most
        assert "sidecar_restarted" in await here.alarms()
        said = [it.sentence for it in here.supervision.live.explain(row.id)]
        assert any("was ended by signal 9" in sentence and "restarts in place" in sentence for sentence in said), said
        await here.log_is_complete(row.id)
        first, second, third = await here.events_of(row.id)
        assert (first.status, first.end_cause) == ("cut", "take")
        assert (second.title, second.status, second.epoch) == ("item 1", "unknown end", 1)
        assert (third.title, third.status, third.epoch, third.start_cause) == ("item 1", "on air", 2, "resume")


async def test_an_item_that_brings_the_engine_down_twice_is_skipped_and_said_so(node_home: NodeHome) -> None:
    """P1: a bad item cannot keep a channel dark."""
    async with station(node_home) as here:
        row = await here.channel(5, FOREVER, FOREVER)
        items = await here.items(row)
        node_home.faults(die_on_item=items[1])
        await here.commands.start(row.id, OLGA)
        live = await here.on_air(row.id, epoch=3)
        assert live.item is not None
        assert live.item.title == "item 2"

        async def said() -> bool:
            return "item 1 brought the engine down 2 times" in (await here.alarms()).get("item_skipped", "")

        await until(said, what="alarm")
        await here.log_is_complete(row.id)


async def test_a_list_of_nothing_but_deadly_items_ends_in_filler_not_in_darkness(node_home: NodeHome) -> None:
    """P1."""
    async with station(node_home) as here:
        row = await here.channel(FOREVER)
        node_home.faults(die_on_item=(await here.items(row))[0])
        await here.commands.start(row.id, OLGA)
        live = await here.on_air(row.id, epoch=3)
        assert live.picture == "filler"
        node_home.faults()
        assert row.playlist_id is not None
        await here.commands.playlist_changed(row.playlist_id)
        await until(lambda: here.live(row.id).playlist_revision == 2, what="the whole list again")


async def test_outputs_that_a_sidecar_refuses_hold_no_list_back(node_home: NodeHome) -> None:
    """For good: it keeps those it has, and is not asked again before the next change. Busy: it is asked again."""
    async with station(node_home) as here:
        row = await here.channel(FOREVER)
        await here.start(row)
        playlist_id = row.playlist_id
        assert playlist_id is not None
        asked = node_home.path / "outputs.asked"

        async def insert(revision: int) -> None:
            async with here.store.write() as tx:
                await tx.playlists.insert(playlist_id, revision, [ItemSpec(title="new", kind="slate", slate_frames=9)])
            await here.commands.playlist_changed(playlist_id)
            await until(lambda: here.live(row.id).playlist_revision == revision + 1, what="the list")

        node_home.faults(refuse_outputs=(422, "invalid"))
        for _ in range(2):  # the first answer may have been on its way when the fault was planted
            seen = here.live(row.id).frame
            await until(lambda: here.live(row.id).frame > seen, what="a heartbeat that tells of other outputs")  # noqa: B023
        await insert(2)
        assert asked.read_text() == "2\n", "once, and then it was given its list"
        frame = here.live(row.id).frame
        await until(lambda: here.live(row.id).frame > frame + 25, what="passes over it")
        assert asked.read_text() == "2\n"
        node_home.faults(refuse_outputs=(503, "busy"))
        await insert(3)
        await until(lambda: asked.read_text().count("4\n") >= 2, what="asked again though it has its list")
        live = here.live(row.id)
        assert (live.observed, live.epoch) == ("on_air", 1)


async def test_starts_that_fail_are_repeated_later_and_later_but_always(node_home: NodeHome) -> None:
    """P1: no end by exhaustion, an alarm while it lasts, recovery when the cause is gone."""
    node_home.faults(exit_at_start=3)
    async with station(node_home) as here:
        row = await here.channel(FOREVER)
        await here.commands.start(row.id, OLGA)
        await until(lambda: here.live(row.id).epoch >= 3, what="three epochs")
        said = [it.sentence for it in here.supervision.live.explain(row.id)]
        assert any("ended with code 3: no such encoder: h265" in sentence for sentence in said), said
        assert here.live(row.id).off_air_since is not None
        node_home.faults()
        await here.on_air(row.id)
        assert here.live(row.id).off_air_since is None


async def test_a_sidecar_that_never_gets_ready_gets_a_new_epoch(node_home: NodeHome) -> None:
    node_home.faults(never_moves=True)
    async with station(node_home, timing={"first_frame": 1.0}) as here:
        row = await here.channel(FOREVER)
        await here.commands.start(row.id, OLGA)
        await until(lambda: here.live(row.id).epoch == 2, what="the next epoch")
        node_home.faults()
        await here.on_air(row.id)
        assert len(node_home.processes()) == 1


async def test_a_start_waits_for_its_first_picture_but_not_for_ever(node_home: NodeHome) -> None:
    """P1: frame 0 is the clip's and not the slate's; a clip that gives no picture does not keep the channel dark."""
    node_home.faults(undecoded="item 0")
    async with station(node_home, timing={"first_picture": 1.0}) as here:
        row = await here.channel(FOREVER)
        await here.commands.start(row.id, OLGA)
        await until(lambda: here.live(row.id).decision == "waits for the first picture of item 0", what="waits")
        await here.on_air(row.id, epoch=1)
        said = [it.sentence for it in here.supervision.live.explain(row.id)]
        assert any("item 0 gave no picture in 1 s: arms epoch 1 all the same" in sentence for sentence in said), said


async def test_a_frozen_sidecar_is_killed_and_replaced(node_home: NodeHome) -> None:
    """P1, P2: it neither answers nor sends; its exit is confirmed before the next begins."""
    async with station(node_home) as here:
        row = await here.channel(FOREVER)
        await here.start(row)
        pid = await here.pid(row.id)
        os.kill(pid, signal.SIGSTOP)
        live = await here.on_air(row.id, epoch=2, timeout=20.0)
        assert live.epoch == 2
        assert await here.pid(row.id) != pid
        assert len(node_home.processes()) == 1
        await here.log_is_complete(row.id)


async def test_a_short_freeze_changes_nothing(node_home: NodeHome) -> None:
    """P6 for the watched: two missed polls are not death."""
    async with station(node_home) as here:
        row = await here.channel(FOREVER)
        await here.start(row)
        pid = await here.pid(row.id)
        os.kill(pid, signal.SIGSTOP)
        await until(lambda: -1 in here.live(row.id).heartbeat_ms, what="a miss")
        os.kill(pid, signal.SIGCONT)
        await until(lambda: here.live(row.id).heartbeat_ms[-1] >= 0, what="a beat")
        assert (await here.row(row.id)).epoch == 1
        assert await here.pid(row.id) == pid


async def test_a_sidecar_that_does_not_answer_but_sends_is_left_on_air(node_home: NodeHome) -> None:
    """P6: a deaf engine is not a dark channel."""
    async with station(node_home) as here:
        row = await here.channel(FOREVER)
        await here.start(row)
        node_home.faults(hang=True)
        await until(lambda: here.live(row.id).observed == "hung", what="hung")
        assert here.live(row.id).off_air_since is None
        with pytest.raises(PlayoutSilent):
            await here.take(row.id)

        async def alarmed() -> bool:
            return "channel_hung" in await here.alarms()

        await until(alarmed, what="alarm")
        node_home.faults()
        await here.on_air(row.id, epoch=1)

        async def cleared() -> bool:
            return "channel_hung" not in await here.alarms()

        await until(cleared, what="alarm cleared")


async def test_frames_that_stand_still_are_replaced(node_home: NodeHome) -> None:
    """P1: an answer without progress is a miss."""
    async with station(node_home) as here:
        row = await here.channel(FOREVER)
        await here.start(row)
        node_home.faults(still=True)
        await until(lambda: here.live(row.id).epoch == 2, what="the next epoch")
        node_home.faults()
        await here.on_air(row.id)


async def test_outputs_that_are_down_are_told(node_home: NodeHome) -> None:
    async with station(node_home) as here:
        row = await here.channel(FOREVER)
        await here.start(row)
        node_home.faults(output_down=True, skipped="bad clip")

        async def told() -> bool:
            return {"output_down", "item_skipped"} <= (await here.alarms()).keys()

        await until(told, what="alarms")
        assert here.live(row.id).observed == "dark"
        assert (await here.row(row.id)).epoch == 1
        await until(lambda: here.live(row.id).alarms >= 2, what="counted on the tile")


@pytest.mark.parametrize("tells_nothing", [False, True])
async def test_a_take_is_answered_and_seen_at_once(node_home: NodeHome, *, tells_nothing: bool) -> None:
    """P8: answered within 150 ms, by the best of a few on a busy machine; the tile shows it before the answer, of a
    sidecar from before too, which must be asked for it."""
    node_home.faults(tells_nothing=tells_nothing)
    async with station(node_home) as here:
        row = await here.channel(FOREVER, FOREVER, FOREVER)
        await here.start(row)
        items = await here.items(row)
        done = await here.take(row.id, expect_item_id=items[1], expect_epoch=1, command_id="abcdefgh")
        assert (done.done, done.item_id, done.command_id) == ("on air: item 1", items[1], "abcdefgh")
        took = [done.took_ms]
        shown = here.live(row.id).item
        assert shown is not None
        assert shown.item_id == items[1]
        cued = await here.commands.cue(row.id, CueIn(item_id=items[0]), OLGA)
        assert cued.frame is None
        assert (await here.take(row.id)).item_id == items[0]
        took += [(await here.take(row.id)).took_ms for _ in range(6)]
        assert min(took) < 150


async def test_commands_say_what_is_in_the_way(node_home: NodeHome) -> None:
    """P7, P8: 409 is a conflict, 502 and 504 are the playout's; never mixed up."""
    async with station(node_home) as here:
        row = await here.channel(FOREVER, FOREVER)
        with pytest.raises(NotFound):
            await here.take("0" * 32)
        with pytest.raises(NotFound):
            await here.commands.start("0" * 32, OLGA)
        with pytest.raises(Conflict, match="not on air") as off:
            await here.take(row.id)
        assert off.value.conflict == "not_armed"
        with pytest.raises(Conflict):
            await here.commands.thumbnail(row.id)
        await here.start(row)
        assert await here.commands.thumbnail(row.id)
        with pytest.raises(Conflict) as stale:
            await here.take(row.id, expect_epoch=7)
        assert stale.value.conflict == "stale_epoch"
        with pytest.raises(Conflict) as changed:
            await here.take(row.id, expect_item_id="something else")
        assert changed.value.conflict == "target_changed"
        with pytest.raises(Invalid):
            await here.commands.cue(row.id, CueIn(item_id="nothing"), OLGA)
        node_home.faults(refuse_take=[409, "take_guard"])
        with pytest.raises(Conflict) as guard:
            await here.take(row.id)
        assert guard.value.conflict == "take_guard"
        node_home.faults(refuse_take=[502, "engine_failed"])
        with pytest.raises(PlayoutFailed):
            await here.take(row.id)
        node_home.faults(refuse_take=[503, "busy"])
        with pytest.raises(Unavailable):
            await here.take(row.id)
        await here.off(row.id)
        with pytest.raises(Conflict):
            await here.commands.transport(row.id, "hold", CommandIn(), OLGA)


async def test_an_edited_list_reaches_the_sidecar_and_a_hung_one_later(node_home: NodeHome) -> None:
    async with station(node_home) as here:
        row = await here.channel(FOREVER, FOREVER)
        await here.start(row)
        items = await here.items(row)
        assert row.playlist_id is not None
        node_home.faults(hang=True)
        async with here.store.write() as tx:
            await tx.playlists.move(row.playlist_id, 2, items[1], 0)
        await here.commands.playlist_changed(row.playlist_id)
        node_home.faults()

        async def has_it() -> bool:
            report = await here.agent.poll(row.id, 1)
            return report.status is not None and report.status.playlist_revision == 3

        await until(has_it, what="the new list")
        item = here.live(row.id).item
        assert item is not None
        assert item.item_id == items[0]


async def test_an_edit_that_nobody_tells_of_reaches_the_sidecar_too(node_home: NodeHome) -> None:
    """P1: one made through another supervisor, or committed just before the store went away."""
    async with station(node_home) as here:
        row = await here.channel(FOREVER, FOREVER)
        await here.start(row)
        items = await here.items(row)
        assert row.playlist_id is not None
        async with here.store.write() as tx:
            await tx.playlists.move(row.playlist_id, 2, items[1], 0)

        async def has(revision: int, after_last: str) -> bool:
            status = (await here.agent.poll(row.id, 1)).status
            return status is not None and (status.playlist_revision, status.after_last) == (revision, after_last)

        await until(lambda: has(3, "loop"), what="the edited list")
        async with here.store.write() as tx:
            fresh = await tx.channels.get(row.id)
            await tx.channels.update_spec(row.id, fresh.rev, {"after_last": "hold"})
        await until(lambda: has(3, "hold"), what="the channel's new end of list")


async def test_another_list_of_a_lower_revision_reaches_the_sidecar(node_home: NodeHome) -> None:
    async with station(node_home) as here:
        row = await here.channel(FOREVER, FOREVER)
        await here.start(row)
        async with here.store.write() as tx:
            other = await tx.playlists.add("other", None, datetime.now(UTC))
            fresh = await tx.channels.get(row.id)
            await tx.channels.update_spec(row.id, fresh.rev, {"playlist_id": other.id})
        await here.commands.channel_changed(row.id)
        await until(lambda: here.live(row.id).playlist_revision == 1, what="revision 1 of the other list")
        report = await here.agent.poll(row.id, 1)
        assert report.status is not None
        assert report.status.next is None


async def test_a_new_frame_rate_does_not_cut_what_plays_at_the_old_one(node_home: NodeHome) -> None:
    """P1: a list given to a running sidecar counts in the sidecar's frames; the new rate holds from the next start."""
    async with station(node_home) as here:
        row = await here.channel(FOREVER)
        assert row.playlist_id is not None
        now = datetime.now(UTC)
        async with here.store.write() as tx:
            asset = await tx.assets.add(
                {"path": "/a.mp4", "size_bytes": 9, "fingerprint": "f", "title": "a", "duration_frames": 1000}
                | {"rate": "25"},
                now,
            )
            await tx.playlists.insert(row.playlist_id, 2, [ItemSpec(title="clip", kind="clip", asset_id=asset.id)])
        await here.start(row)
        async with here.store.write() as tx:
            fresh = await tx.channels.get(row.id)
            await tx.channels.update_spec(row.id, fresh.rev, {"rate": "50", "after_last": "hold"})
        await here.commands.channel_changed(row.id)

        async def given() -> bool:
            report = await here.agent.poll(row.id, 1)
            return report.status is not None and report.status.after_last == "hold"

        await until(given, what="the list again")
        await here.take(row.id)
        item = here.live(row.id).item
        assert item is not None
        assert (item.title, item.duration_frames) == ("clip", 1000)
        assert here.supervision.live.rate(row.id) == "25"


async def test_keep_to_schedule_joins_in_progress(node_home: NodeHome) -> None:
    """The list as it would be had the channel never been away, frame-exact."""
    async with station(node_home) as here:
        row = await here.channel(100, 100, FOREVER, resume_policy="schedule")
        items = await here.items(row)
        async with here.store.write() as tx:
            held = await tx.leader.get()
            assert held is not None
            away = datetime.now(UTC) - timedelta(seconds=20)
            await tx.channels.record_positions(held.fence, {row.id: Position(items[0], 50, away, "25")})
    async with station(node_home) as here:
        live = await here.start(row)
        assert live.item is not None
        assert live.item.title == "item 2"
        most = 50 + 25 * (datetime.now(UTC) - away).total_seconds() - 200 + 2
        assert 350 <= live.item.position_frames <= most


async def test_everything_can_be_taken_off_air_and_confirmed(node_home: NodeHome) -> None:
    async with station(node_home) as here:
        rows = [await here.channel(FOREVER, name=f"Channel {number}") for number in range(3)]
        for row in rows:
            await here.start(row)
        assert await here.commands.stop_all(OLGA, 15.0) == ()
        assert not node_home.processes()
        assert {(await here.row(row.id)).desired for row in rows} == {"off"}


async def test_one_channel_that_cannot_be_told_to_stop_keeps_no_other_on_air(
    node_home: NodeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with station(node_home) as here:
        rows = [await here.channel(FOREVER, name=f"Channel {number}") for number in range(3)]
        for row in rows:
            await here.start(row)
        stop, stuck = here.commands.stop, rows[0].id

        async def failing(channel_id: str, by: Principal) -> Channel:
            if channel_id == stuck:
                raise Unavailable("the database is not available: locked")
            return await stop(channel_id, by)

        monkeypatch.setattr(here.commands, "stop", failing)
        assert await here.commands.stop_all(OLGA, 6.0) == (stuck,)
        assert [here.live(row.id).phase for row in rows] == ["running", "off", "off"]


async def test_a_deleted_channel_is_forgotten(node_home: NodeHome) -> None:
    async with station(node_home) as here:
        row = await here.channel(FOREVER)
        async with here.store.write() as tx:
            await tx.channels.delete(row.id, row.rev)
        await here.commands.channel_changed(row.id)
        with pytest.raises(NotFound):
            await here.take(row.id)
        assert here.live(row.id).version == 0


async def test_a_channel_that_cannot_be_placed_is_blocked_and_comes_when_it_can(node_home: NodeHome) -> None:
    """P1: somebody is told, and it is tried again without anybody's help."""
    async with station(node_home) as here:
        async with here.store.write() as tx:
            far = await tx.nodes.add(name="far", kind="local", now=datetime.now(UTC))
        row = await here.channel(FOREVER, wanted_node_id=far.id)
        await here.commands.start(row.id, OLGA)

        async def blocked() -> bool:
            return "cannot be placed" in (await here.alarms()).get("channel_blocked", "")

        await until(blocked, what="alarm")
        await until(lambda: "no agent of node far" in here.live(row.id).decision, what="why")
        async with here.store.write() as tx:
            fresh = await tx.channels.get(row.id)
            await tx.channels.update_spec(row.id, fresh.rev, {"wanted_node_id": None})
        await here.commands.channel_changed(row.id)
        await here.on_air(row.id)

        async def cleared() -> bool:
            return "channel_blocked" not in await here.alarms()

        await until(cleared, what="cleared")
