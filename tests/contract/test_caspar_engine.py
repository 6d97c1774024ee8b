"""The CasparCG engine against the server of the tests, whose own record of what aired is the truth."""

from collections.abc import Callable

import pytest

from sidecar.engine.entrance import Entrance
from sidecar.protocol.channel import Item, ResumePoint
from sidecar.rundown.answers import Refused
from tests.doubles.caspar.manners import Manners
from tests.fixtures.caspar_air import CasparAir, item

CLIPS = {"a": 250, "b": 125, "c": 60, "d": 500}


def shown(air: CasparAir) -> list[tuple[str, int]]:
    """What aired, by name and file's frame."""
    return [(one.path.rpartition("/")[2].partition(".")[0], one.at) for one in air.aired]


async def test_a_list_airs_to_the_frame_and_says_how_it_is_known() -> None:
    async with CasparAir([item("a", 50), item("b", 30), item("c", None)], CLIPS) as air:
        await air.arm()
        await air.run(200)
        assert air.ends() == [("a", "ended", 50, 0), ("b", "ended", 30, 0), ("c", "ended", 60, 0)]
        assert [(one.tick, one.at) for one in air.aired][:3] == [(0, 0), (50, 0), (80, 0)]
        assert {fact.proof for fact, _ in air.facts} == {"confirmed"}


async def test_a_trim_is_told_in_the_channels_frames() -> None:
    trimmed = item("a", 40, in_frames=100, source_rate="50")
    async with CasparAir([trimmed, item("b", 30)], CLIPS) as air:
        await air.arm()
        await air.run(100)
        assert shown(air)[:2] == [("a", 50), ("b", 0)]
        assert air.ends()[0] == ("a", "ended", 40, 0)


async def test_the_same_clip_again_and_again_is_counted_each_time() -> None:
    items = [Item(id=f"i{n}", title="a", path="/media/c.mp4", duration_frames=30) for n in range(6)]
    async with CasparAir(items, CLIPS) as air:
        await air.arm()
        await air.run(200)
        assert [(name, frames) for name, _, frames, _ in air.ends()] == [(f"i{n}", 30) for n in range(6)]


async def test_a_take_is_on_air_when_it_is_answered() -> None:
    async with CasparAir([item("a", 250), item("b", 125)], CLIPS) as air:
        await air.arm()
        await air.run(30)
        applied = await air.do(lambda clock: clock.take("b", "ada"))
        assert applied.item_id == "b"
        assert shown(air) == [("a", 0), ("b", 0)]
        _, cut = air.aired
        assert applied.frame is not None
        assert 0 <= applied.frame - cut.tick <= 1  # the tick in which it was told is the one before
        assert air.ends() == [("a", "take", applied.frame, 0)]
        assert air.time.ticks - cut.tick <= 5


async def test_a_take_of_a_file_that_is_not_there_leaves_the_air_alone() -> None:
    async with CasparAir([item("a", 250), item("gone", 125), item("b", 125)], CLIPS) as air:
        await air.arm()
        await air.run(10)
        assert [fact.airing.item.id for fact, _ in air.facts if fact.kind == "item_skipped" and fact.airing] == ["gone"]
        with pytest.raises(Refused):
            await air.do(lambda clock: clock.take("gone", "ada"))
        assert shown(air) == [("a", 0)]


async def test_a_take_of_a_broken_file_comes_back_to_what_aired() -> None:
    async with CasparAir([item("a", 250), item("dead", 125), item("b", 125)], CLIPS, dead=frozenset({"dead"})) as air:
        await air.arm()
        await air.run(30)
        with pytest.raises(Refused) as refusal:
            await air.do(lambda clock: clock.take("dead", "ada"))
        assert "may be broken" in refusal.value.detail
        await air.run(20)
        on_air = air.clock.on_air
        assert on_air is not None
        assert on_air.airing.item.id == "a"
        assert [fact.cause for fact, _ in air.facts if fact.kind == "item_skipped"] == ["failed"]
        name, at = shown(air)[-1]
        assert name == "a"
        assert abs(at - (air.aired[-1].tick - air.aired[0].tick)) <= 2


async def test_what_is_put_back_after_a_silence_has_the_same_time_to_open_as_any_other() -> None:
    """Not what passed while nobody could see whether it opened."""
    manners = Manners(deaf=True, opens_late_ticks=3)
    async with CasparAir([item("d", 500), item("b", 125)], CLIPS, manners=manners, reply_s=0.05) as air:
        await air.arm()
        await air.run(60)
        assert shown(air) == []
        manners.deaf = False
        await air.run(60)
        assert [name for name, _ in shown(air)] == ["d"]
        assert [fact.kind for fact, _ in air.facts if fact.kind != "late"] == ["on_air", "item_start"]
        on_air = air.clock.on_air
        assert on_air is not None
        assert (on_air.airing.item.id, on_air.started_frame) == ("d", 0)


async def test_what_was_told_after_a_look_was_asked_is_not_told_again_for_what_that_look_saw() -> None:
    """A server that was silent for a while answers what it was asked before it was told."""
    manners = Manners(deaf=True)
    async with CasparAir([item("a", 250), item("b", 125)], CLIPS, manners=manners, reply_s=0.4) as air:
        await air.arm()
        await air.run(3)
        manners.deaf, manners.info_delay_s = False, 0.15
        before = len(air.server.received)
        while not any("INFO 1" in line for line in air.server.received[before:]):
            await air.step()
        await air.do(lambda clock: clock.take("b", "ada"))
        await air.run(60)
        told = [line for line in air.server.received if "PLAY 1-10" in line and "b.mp4" in line]
        assert len(told) == 1, told
        assert [name for name, _ in shown(air)] == ["b"]


async def test_hold_stands_on_the_last_picture_until_the_take() -> None:
    async with CasparAir([item("a", 50), item("b", 125)], CLIPS) as air:
        await air.arm()
        await air.run(10)
        await air.do(lambda clock: clock.hold("ada"))
        await air.run(100)
        assert shown(air) == [("a", 0)]
        assert air.clock.picture == "hold"
        await air.do(lambda clock: clock.take(None, "ada"))
        assert shown(air)[-1] == ("b", 0)


async def test_pause_freezes_and_resume_goes_on_from_there() -> None:
    async with CasparAir([item("a", 100), item("b", 125)], CLIPS) as air:
        await air.arm()
        await air.run(20)
        await air.do(lambda clock: clock.pause("ada"))
        await air.run(50)
        layer = air.server.layers[10]
        assert layer.foreground is not None
        assert layer.foreground.paused
        await air.do(lambda clock: clock.resume("ada"))
        await air.run(120)
        ends = air.ends()
        assert ends[0][:2] == ("a", "ended")
        assert ends[0][2] is not None
        assert 150 <= ends[0][2] <= 158


async def test_standby_is_a_card_and_rejoin_comes_back_in_time() -> None:
    async with CasparAir([item("d", 500)], CLIPS) as air:
        await air.arm()
        await air.run(50)
        await air.do(lambda clock: clock.standby("ada"))
        assert shown(air)[-1][0].startswith("#")
        await air.run(100)
        await air.do(lambda clock: clock.rejoin("ada"))
        await air.run(30)
        name, at = shown(air)[-1]
        assert name == "d"
        assert abs(at - air.aired[-1].tick) <= 2


async def test_a_longer_item_is_told_to_the_server() -> None:
    async with CasparAir([item("a", 100), item("b", 125)], CLIPS) as air:
        await air.arm()
        await air.run(20)
        await air.do(lambda clock: clock.adjust(2000, "ada"))
        await air.run(150)
        assert air.ends()[0] == ("a", "ended", 150, 0)


async def test_what_plays_already_is_left_to_play() -> None:
    async with CasparAir([item("a", 250), item("b", 125)], CLIPS) as air:
        await air.arm()
        await air.run(40)
        await air.link.close()  # the sidecar dies, and another comes
        air.time.ticks += 10
        air.begin()
        await air.arm(Entrance(ResumePoint("a", 45)))
        await air.run(250)
        assert shown(air)[:2] == [("a", 0), ("b", 0)]
        assert air.aired[1].tick == 250


async def test_a_server_that_was_cleared_gets_it_back_at_the_right_frame() -> None:
    async with CasparAir([item("d", 500)], CLIPS) as air:
        await air.arm()
        await air.run(100)
        air.server.do(["CLEAR", "1-10"], "CLEAR 1-10")
        await air.run(20)
        name, at = shown(air)[-1]
        assert name == "d"
        assert abs(at - air.aired[-1].tick) <= 3


BAD_MANNERS: list[tuple[str, Callable[[], Manners]]] = [
    ("best behaviour", Manners),
    ("AUTO hangs", lambda: Manners(auto_hangs=True)),
    ("AUTO comes late", lambda: Manners(auto_late_ticks=3)),
    ("replies out of order", lambda: Manners(channel_delay_s=0.002)),
    ("replies in pieces", lambda: Manners(in_pieces=True)),
    ("PLAY and LOADBG are not answered", lambda: Manners(silent_commands={"PLAY", "LOADBG"})),
    ("INFO is not answered", lambda: Manners(silent_commands={"INFO"})),
    ("the connection is closed again and again", lambda: Manners(close_after=40)),
]


@pytest.mark.parametrize(("name", "manners"), BAD_MANNERS, ids=[name for name, _ in BAD_MANNERS])
async def test_a_list_goes_on_whatever_the_servers_manners(name: str, manners: Callable[[], Manners]) -> None:
    items = [item("a", 75), item("b", 50), item("c", 60), item("a2", 50)]
    clips = {**CLIPS, "a2": 250}
    async with CasparAir(items, clips, after_last="loop", manners=manners(), reply_s=0.05) as air:
        await air.arm()
        await air.run(600)
        played = [end for end in air.ends() if end[1] == "ended"]
        assert [end[0] for end in played][:5] == ["a", "b", "c", "a2", "a"], name
        order = [name for name, _ in shown(air) if not name.startswith("#")]
        compact = [one for n, one in enumerate(order) if n == 0 or order[n - 1] != one]
        assert compact[:5] == ["a", "b", "c", "a2", "a"], name
        for _, _, frames, late in played:
            assert frames is not None
            assert late is not None
        assert [frames - late for _, _, frames, late in played if frames is not None and late is not None][:4] == [
            75,
            50,
            60,
            50,
        ], name


async def test_a_broken_file_in_the_list_is_passed_over() -> None:
    items = [item("a", 50), item("dead", 50), item("b", 50)]
    async with CasparAir(items, CLIPS, dead=frozenset({"dead"})) as air:
        await air.arm()
        await air.run(220)
        assert [(name, cause, frames) for name, cause, frames, late in air.ends() if not late] == [("b", "ended", 50)]
        assert air.ends()[0][:2] == ("a", "ended")  # its last picture stood while nothing came
        skipped = [fact for fact, _ in air.facts if fact.kind == "item_skipped"]
        assert [fact.airing.item.id for fact in skipped if fact.airing] == ["dead"]
        assert "may be broken" in skipped[0].detail
        assert [name for name, _ in shown(air)][:2] == ["a", "b"]


async def test_time_that_stands_is_told_and_moves_nothing() -> None:
    async with CasparAir([item("a", 100), item("b", 50)], CLIPS) as air:
        await air.arm()
        await air.run(20)
        air.server.manners.time_stands = True
        frame = air.clock.frame
        await air.run(100)
        assert air.clock.frame <= frame + 3
        assert not air.drive.health.moves
        assert "stood" in air.drive.health.detail
        assert (air.drive.health.answers, air.drive.health.reached) == (True, True)
        assert air.drive.health.wrong_ms >= 3000
        air.server.manners.time_stands = False
        await air.run(150)
        assert air.drive.health.moves
        assert air.ends()[0] == ("a", "ended", 100, 0) or air.ends()[0][1] == "ended"


async def test_a_foreground_that_was_made_to_loop_ends_all_the_same() -> None:
    async with CasparAir([item("c", None), item("b", 50)], CLIPS) as air:
        await air.arm()
        await air.run(20)
        air.server.do(["CALL", "1-10", "LOOP", "1"], "")
        await air.run(100)
        assert [name for name, _ in shown(air)][:2] == ["c", "b"]
        assert air.ends()[0][:2] == ("c", "ended")


async def test_what_somebody_else_plays_on_our_layer_is_put_right() -> None:
    async with CasparAir([item("d", 500), item("b", 50)], CLIPS) as air:
        await air.arm()
        await air.run(50)
        air.server.do(["PLAY", "1-10", "/media/c.mp4"], "")
        await air.run(20)
        name, at = shown(air)[-1]
        assert name == "d"
        assert abs(at - air.aired[-1].tick) <= 3


async def test_a_server_that_says_nothing_for_a_while_finds_the_list_where_it_should_be() -> None:
    items = [item("a", 50), item("b", 50), item("c", 60), item("d", 500)]
    async with CasparAir(items, CLIPS, reply_s=0.02) as air:
        await air.arm()
        await air.run(20)
        air.server.manners.deaf = True
        await air.run(180)
        assert "inferred" in {fact.proof for fact, _ in air.facts}
        assert (air.drive.health.answers, air.drive.health.reached) == (False, True)
        assert air.drive.health.wrong_ms >= 3000
        on_air = air.clock.on_air
        assert on_air is not None
        assert on_air.airing.item.id == "d"
        air.server.manners.deaf = False
        await air.run(20)
        name, at = shown(air)[-1]
        assert name == "d"
        assert abs(at - (air.aired[-1].tick - 160)) <= 4
        assert (air.drive.health.answers, air.drive.health.wrong_ms) == (True, 0)


async def test_a_take_while_the_servers_queue_is_full_is_tried_until_it_is_done() -> None:
    async with CasparAir([item("a", 250), item("b", 125)], CLIPS) as air:
        await air.arm()
        await air.run(30)
        air.server.manners.queue_full = True
        answer = air.commands.put(lambda clock: clock.take("b", "ada"))
        await air.run(15)
        assert not answer.done()
        assert shown(air) == [("a", 0)]
        air.server.manners.queue_full = False
        await air.run(10)
        assert answer.result(timeout=0).item_id == "b"
        assert shown(air) == [("a", 0), ("b", 0)]
        assert air.ends()[0][:2] == ("a", "take")
