"""Live inputs that a CasparCG server plays: opened unseen ahead, swapped on air, lost and back, told to nobody."""

import pytest

from sidecar.protocol.channel import Item, Rules
from sidecar.rundown.answers import Refused
from tests.doubles.caspar.layers import Feed
from tests.doubles.caspar.manners import Manners
from tests.fixtures.caspar_air import CasparAir, item

CLIPS = {"a": 50, "b": 3000, "f": 3000}
SECRET = "dont-tell-anyone"
URL = f"srt://ob.example:9000?passphrase={SECRET}"
TOLD = "PLAY 1-12 "


def live(seconds: int | None = None, id_: str = "ob", url: str = URL, **more: object) -> Item:
    frames = None if seconds is None else seconds * 25
    return Item(id=id_, title=id_, kind="live", url=url, duration_frames=frames, **more)  # type: ignore[arg-type]


def on(*items: Item, feed: Feed | None = None, **more: object) -> CasparAir:
    feeds = {"srt://ob": feed or Feed([(0, None)])}
    return CasparAir(items, CLIPS, feeds=feeds, **more)  # type: ignore[arg-type]


def shown(air: CasparAir) -> list[str]:
    """What aired, by name; a colour is empty."""
    names = [one.path.partition("?")[0].rpartition("/")[2].partition(".")[0] for one in air.aired]
    return ["" if one.startswith("#") else one for one in names]


def told(air: CasparAir, *verbs: str) -> list[str]:
    """Commands, without their ids."""
    commands = [line.partition(" ")[2].partition(" ")[2] for line in air.server.received]
    return [command for command in commands if command.split()[0] in verbs]


def facts(air: CasparAir, *kinds: str) -> list[tuple[str, int, str]]:
    return [(fact.kind, fact.frame, fact.proof) for fact, _ in air.facts if fact.kind in kinds]


def state(air: CasparAir) -> str:
    """Of the live input that comes next."""
    coming = air.clock.next_item(air.drive.ticking.view)
    return "" if coming is None or coming.live is None else coming.live.state


async def test_it_is_opened_unseen_ahead_and_swapped_on_air(caplog: pytest.LogCaptureFixture) -> None:
    async with on(item("a", 50), live(10), item("b", 60)) as air:
        await air.arm()
        await air.run(30)
        assert state(air) == "ready"
        assert (air.server.mixer[12, "OPACITY"], air.server.mixer[12, "VOLUME"]) == ("0", "0")
        assert told(air, "MIXER", "PLAY")[-3:-1] == ["MIXER 1-12 OPACITY 0", "MIXER 1-12 VOLUME 0"], "before it plays"
        assert shown(air) == ["a"]
        await air.run(380)
        assert shown(air)[:3] == ["a", "ob", "b"]
        first, second, third = [one.tick for one in air.aired][:3]
        assert second - first in (50, 51), "its last picture may stand for a frame until the swap"
        assert third - second in (250, 251, 252)
        ended = air.ends()
        assert [(name, cause) for name, cause, *_ in ended] == [("a", "ended"), ("ob", "ended"), ("b", "ended")]
        assert [(frames or 0) - (late or 0) for *_, frames, late in ended] == [50, 250, 60]
        assert {fact.proof for fact, _ in air.facts} == {"confirmed"}
        assert 12 not in air.server.layers
        assert not any(" AUTO" in command for command in told(air, "LOADBG")), "it never comes behind a live input"
    assert SECRET not in caplog.text


async def test_one_that_never_connects_leaves_its_time_to_the_ladder(caplog: pytest.LogCaptureFixture) -> None:
    rules = Rules(ladder=("filler", "slate"), filler=(item("f", None),))
    async with on(item("a", 50), live(8), item("b", 500), feed=Feed(), rules=rules) as air:
        await air.arm()
        await air.run(30)
        assert state(air) == "connecting"
        with pytest.raises(Refused) as refusal:
            await air.do(lambda clock: clock.take("ob", "ada"))
        assert "srt://ob.example:9000" in refusal.value.detail
        await air.run(60)
        assert air.clock.picture == "filler"
        assert "no picture has come yet: srt://ob.example:9000" in air.clock.reason
        await air.run(300)
        assert shown(air) == ["a", "f", "b"]
        assert air.ends()[1][:3] == ("ob", "ended", 200)
        (lost,) = facts(air, "live_lost")
        assert lost[1] in range(50, 60), "its time has come, with its input or without"
        assert len([one for one in told(air, "PLAY") if "srt://" in one]) > 1, "tried again and again"
        assert SECRET not in refusal.value.detail + air.clock.reason
    assert SECRET not in caplog.text


async def test_one_that_is_lost_is_covered_and_comes_back_when_it_is_steady() -> None:
    feed = Feed([(0, None)])
    rules = Rules(ladder=("filler", "slate"), filler=(item("f", None),))
    async with on(item("a", 50), live(60), feed=feed, rules=rules) as air:
        await air.arm()
        await air.run(150)
        feed.end(air.time.ticks)
        await air.run(25)
        assert shown(air) == ["a", "ob"], "its last picture stands for a while"
        await air.run(50)
        assert shown(air) == ["a", "ob", "f"]
        assert air.clock.picture == "filler"
        feed.begin(air.time.ticks)
        returned = air.time.ticks
        await air.run(400)
        assert shown(air) == ["a", "ob", "f", "ob"]
        assert 5 * 25 <= air.aired[-1].tick - returned <= 15 * 25
        assert air.server.mixer[12, "OPACITY"] == "0"
        lost, back = facts(air, "live_lost", "live_back")
        assert (lost[0], back[0]) == ("live_lost", "live_back")
        assert (lost[2], back[2]) == ("confirmed", "confirmed")
        assert abs(back[1] - air.aired[-1].tick) <= 2


async def test_one_that_ends_by_a_take_goes_on_until_it_and_two_of_one_address_are_one_connection() -> None:
    async with on(live(end_mode="take"), live(10, "again"), item("b", 500)) as air:
        await air.arm()
        await air.run(60)
        assert air.clock.picture == "item"
        assert (await air.do(lambda clock: clock.take("again", "ada"))).item_id == "again"
        await air.do(lambda clock: clock.adjust(30_000, "ada"))
        await air.run(300)
        assert air.ends()[0][:2] == ("ob", "take")
        assert len(air.ends()) == 1, "ten seconds and thirty more"
        await air.do(lambda clock: clock.take("b", "ada"))
        assert shown(air)[-2:] == ["ob", "b"]
        assert len([one for one in told(air, "PLAY", "SWAP") if "1-12" in one]) == 2, "opened once, swapped once"


async def test_a_freeze_and_a_hold_stand_on_its_picture() -> None:
    async with on(live(12), live(100, "again"), item("b", 500)) as air:
        await air.arm()
        await air.run(60)
        await air.do(lambda clock: clock.pause("ada"))
        await air.run(30)
        front = air.server.layers[10].foreground
        assert front is not None
        assert front.paused
        await air.do(lambda clock: clock.resume("ada"))
        await air.do(lambda clock: clock.hold("ada"))
        await air.run(400)
        assert air.clock.picture == "hold"
        assert front.paused
        await air.do(lambda clock: clock.take("again", "ada"))
        await air.run(5)
        assert not front.paused
        assert shown(air) == ["", "ob"]


async def test_another_sidecar_leaves_it_on_air_and_a_stop_leaves_nothing() -> None:
    async with on(live(100), live(10, "other", "udp://239.9.9.9:5000"), feed=Feed([(0, None)])) as air:
        await air.arm()
        await air.run(100)
        await air.link.close()
        air.facts.clear()
        before = len(air.server.received)
        air.begin()
        await air.arm()
        await air.run(50)
        assert shown(air) == ["", "ob"]
        assert not any(line.split()[2] in ("PLAY", "SWAP", "CLEAR") for line in air.server.received[before:])
        assert air.clock.picture == "item"
        await air.do(lambda clock: clock.cue("other", "ada"))
        await air.run(10)
        assert 12 in air.server.layers
        air.drive.leave("ada")
        assert await air.drive.clear()
        assert air.server.layers == {}
        assert air.server.mixer == {}


async def test_another_sidecar_takes_what_was_opened_for_it_and_a_silent_server_keeps_what_is_on_air() -> None:
    async with on(item("b", 500), live(100)) as air:
        await air.arm()
        await air.run(30)
        await air.link.close()
        air.begin()
        await air.arm()
        await air.run(30)
        assert state(air) == "ready"
        assert len([one for one in told(air, "PLAY") if "srt://" in one]) == 1, "there is one connection"
        await air.do(lambda clock: clock.take("ob", "ada"))
        assert shown(air) == ["b", "ob"]
        air.server.manners.deaf = True
        await air.run(100)
        assert air.clock.picture == "item"
        assert shown(air) == ["b", "ob"]
        air.server.manners.deaf = False
        await air.run(50)
        assert shown(air) == ["b", "ob"]
        assert facts(air, "live_lost") == []


@pytest.mark.parametrize(
    "manners",
    [Manners(silent_commands={"SWAP"}), Manners(silent_commands={"PLAY", "MIXER"}), Manners(info_delay_s=0.05)],
    ids=["SWAP is not answered", "PLAY and MIXER are not answered", "INFO comes late"],
)
async def test_a_server_with_bad_manners_shows_it_all_the_same(manners: Manners) -> None:
    feed = Feed([(0, None)], waits=True)
    async with on(live(60), item("b", 500), feed=feed, manners=manners, reply_s=0.05, osc=True) as air:
        await air.arm()
        await air.run(100)
        if "MIXER" in manners.silent_commands:
            assert shown(air) == [""], "what may be seen and heard is not opened"
            manners.silent_commands.clear()
            await air.run(150)
        assert shown(air)[-1] == "ob"
        assert air.clock.picture == "item"


async def test_what_the_server_takes_for_a_page_or_cannot_wait_for_is_passed_over_and_said() -> None:
    page = live(10, "page", "https://ob.example/live.html")
    waits = live(10, "waits", "rtmp://ob.example/app/key?listen=1")
    async with on(item("a", 50), page, waits, item("b", 500)) as air:
        await air.arm()
        await air.run(120)
        skipped = [fact for fact, _ in air.facts if fact.kind == "item_skipped"]
        said = {fact.airing.item.id: fact.detail for fact in skipped if fact.airing}
        assert "for a page" in said["page"]
        assert "waits for no publisher" in said["waits"]
        assert shown(air) == ["a", "b"]
        assert not any("ob.example" in line for line in air.server.received)
