"""What ``engine.interface.Engine`` promises, of every engine: the embedded one, and the CasparCG one with a server in
each of its bad manners. What only one of them can do is in the tests of that one."""

import itertools
from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sidecar.engine.entrance import Entrance
from sidecar.protocol.channel import AfterLast, Item, Output, Playlist, ResumePoint
from sidecar.rundown.answers import Refused
from tests.doubles.caspar.manners import Manners
from tests.fixtures.engine_stage import LIVE_URL, Kind, Stage, stage

pytestmark = pytest.mark.realtime  # hardly any work, much waiting for a server that answers late or not

CLIPS = {"a": 60, "b": 50, "c": 75, "long": 3000, "far": 3000, "ob": 60_000}
UDP = Output("udp", "udp", "udp://127.0.0.1:5004")
KINDS = [
    Kind("ffmpeg"),
    Kind("caspar", Manners),
]
BAD = [
    Kind("caspar, AUTO hangs", lambda: Manners(auto_hangs=True), exact=False),
    Kind("caspar, AUTO comes late", lambda: Manners(auto_late_ticks=3), exact=False),
    Kind("caspar, replies out of order", lambda: Manners(channel_delay_s=0.005)),
    Kind("caspar, replies in pieces", lambda: Manners(in_pieces=True)),
    Kind(
        "caspar, INFO is not answered",
        lambda: Manners(silent_commands={"INFO"}),
        exact=False,
        reply_s=0.1,
        confirms=False,
    ),
    Kind(
        "caspar, neither INFO nor OSC",
        lambda: Manners(silent_commands={"INFO"}, no_osc=True),
        exact=False,
        reply_s=0.1,
        confirms=False,
        tells=False,
    ),
    Kind(
        "caspar, PLAY and LOADBG are not answered",
        lambda: Manners(silent_commands={"PLAY", "LOADBG"}),
        exact=False,
        reply_s=0.1,
    ),
    Kind("caspar, VERSION is not answered", lambda: Manners(silent_commands={"VERSION"}), exact=False, reply_s=0.1),
    Kind(
        "caspar, ADD and REMOVE are not answered",
        lambda: Manners(silent_commands={"ADD", "REMOVE"}),
        exact=False,
        reply_s=0.1,
        confirms=False,
    ),
    Kind("caspar, the connection is closed again and again", lambda: Manners(close_after=40), exact=False),
    Kind("caspar, deaf for a while", lambda: Manners(deaf=True), heals_s=3.0, exact=False, reply_s=0.3),
    Kind("caspar, its queue is full for a while", lambda: Manners(queue_full=True), heals_s=2.5, exact=False),
    Kind("caspar, its time stands for a while", lambda: Manners(time_stands=True), heals_s=2.5, exact=False),
    Kind("caspar, outputs die", lambda: Manners(outputs_die={"udp"})),
    Kind("caspar, outputs freeze", lambda: Manners(outputs_freeze={"udp", "m3u8"})),
    Kind("caspar, a second ADD fails", lambda: Manners(second_add_fails=True)),
]
Staged = Callable[..., Stage]


@pytest.fixture(
    params=[*KINDS, *[pytest.param(kind, marks=pytest.mark.long) for kind in BAD]], ids=lambda kind: kind.name
)
def staged(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Staged]:
    """Makes a stage of this kind, once."""
    with ExitStack() as stack:

        def make(*items: Item, after_last: AfterLast = "filler", **more: object) -> Stage:
            made = Stage(request.param, tmp_path, CLIPS, items, after_last=after_last, **more)  # type: ignore[arg-type]
            return stack.enter_context(stage(made))

        yield make


def item(name: str, frames: int | None = None, id_: str = "", **more: object) -> Item:
    return Item(id=id_ or name, title=name, path=f"/media/{name}.mp4", duration_frames=frames, **more)  # type: ignore[arg-type]


def in_order(here: Stage) -> None:
    """The journal: numbered without a gap, in the order of frames, each item begun before it ends, once."""
    records = here.records()
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    frames = [record.frame for record in records if record.kind != "late"]
    assert frames == sorted(frames)
    begun: list[int | None] = []
    for record in records:
        if record.kind == "item_start":
            begun.append(record.airing)
        if record.kind == "item_end":
            assert begun == [record.airing]
            begun.clear()


def test_it_starts_muted_and_enters_the_air_once(staged: Staged) -> None:
    here = staged(item("long"), outputs=(UDP,))
    here.start()
    assert (here.status.state, here.status.frame, here.item) == ("muted", 0, "")
    assert here.engine.arming is None
    if here.kind.exact:
        here.until(lambda: (health := here.status.engine) is None or health.answers, "its server")
    here.arm()
    here.on_air("long")
    assert here.status.state == "on_air"
    assert here.engine.arming is not None
    with pytest.raises(RuntimeError):
        here.engine.arm("op")
    assert here.stop()
    assert here.records()[0].kind == "on_air"
    assert here.records()[0].by == "op"
    assert here.showed("long")


def test_a_list_airs_in_order_with_repeats_and_ends_in_filler(staged: Staged) -> None:
    here = staged(item("a"), item("a", 20, "again"), item("a", None, "third"), item("b"), item("c", 20))
    here.start()
    here.arm()
    here.until(lambda: len(here.ended()) == 5, "five ends")
    here.until(lambda: here.status.picture == "filler", "filler")
    assert here.status.item is None
    assert here.status.reason
    assert here.stop()
    in_order(here)
    names = ["a", "again", "third", "b", "c"]
    assert [name for name, _ in here.ended("ended")] == names
    if here.kind.exact:
        assert here.ended() == [("a", 60), ("again", 20), ("third", 60), ("b", 50), ("c", 20)]
    assert here.showed("a", "a", "a", "b", "c")


def test_a_list_that_loops_goes_round(staged: Staged) -> None:
    here = staged(item("a"), item("b"), after_last="loop")
    here.start()
    here.arm()
    here.until(lambda: len(here.ended()) >= 4, "four ends")
    assert here.stop()
    in_order(here)
    assert [name for name, _ in here.ended()][:4] == ["a", "b", "a", "b"]


def test_a_take_is_answered_with_the_frame_that_shows_it(staged: Staged) -> None:
    here = staged(item("long"), item("far", 2500, "b"), item("c"))
    here.start()
    here.arm()
    here.play(10)
    applied = here.do(lambda clock: clock.take("b", "op"))
    assert applied.item_id == "b"
    here.on_air("b")
    here.play(10)
    assert here.stop()
    in_order(here)
    start = [record for record in here.records() if record.kind == "item_start"][-1]
    assert (start.item_id, start.frame, start.cause, start.by) == ("b", applied.frame, "take", "op")
    assert here.showed("long", "far")


def test_a_take_of_what_is_not_next_is_refused(staged: Staged) -> None:
    here = staged(item("long"), item("b"), item("c"))
    here.start()
    here.arm()
    with pytest.raises(Refused) as refusal:
        here.do(lambda clock: clock.take("c", "op"))
    assert refusal.value.code == "target_changed"
    assert here.stop()
    assert here.showed("long")


def test_a_cue_is_what_the_take_goes_to_and_a_skip_ignores_it(staged: Staged) -> None:
    here = staged(item("long"), item("far", 2500, "b"), item("c", 2000), item("long", 2500, "d"))
    here.start()
    here.arm()
    here.play(5)
    here.do(lambda clock: clock.cue("c", "op"))
    here.until(
        lambda: (there := here.status.next) is not None and (there.item_id, there.cued) == ("c", True), "the cue"
    )
    here.do(lambda clock: clock.skip("op"))
    here.on_air("b")
    here.do(lambda clock: clock.cue("d", "op"))
    here.play(30)  # the take guard
    here.do(lambda clock: clock.take(None, "op"))
    here.on_air("d")
    assert here.stop()
    in_order(here)
    assert here.showed("long", "far", "long")


def test_a_hold_stays_on_the_last_picture_until_the_take(staged: Staged) -> None:
    here = staged(item("a"), item("long"))
    here.start()
    here.arm()
    here.do(lambda clock: clock.hold("op"))
    here.until(lambda: here.status.hold, "what was told")
    here.until(lambda: here.status.picture == "hold", "the hold")
    here.play(20)
    assert here.item == "a"
    here.do(lambda clock: clock.take(None, "op"))
    here.on_air("long")
    assert here.stop()
    in_order(here)
    assert here.showed("a", "long")


def test_a_freeze_stands_and_goes_on_from_there(staged: Staged) -> None:
    here = staged(item("c"), item("long"))
    here.start()
    here.arm()
    here.do(lambda clock: clock.pause("op"))
    here.until(lambda: here.status.picture == "freeze", "the freeze")
    here.play(50)
    assert here.item == "c"
    here.do(lambda clock: clock.resume("op"))
    here.on_air("long")
    assert here.stop()
    in_order(here)
    kinds = [record.kind for record in here.records()]
    assert kinds.index("freeze_start") < kinds.index("freeze_end") < kinds.index("item_end")
    assert here.showed("c", "long")


def test_standby_is_a_slate_and_rejoin_comes_back(staged: Staged) -> None:
    here = staged(item("long", 2500))
    here.start()
    here.arm()
    here.play(10)
    here.do(lambda clock: clock.standby("op"))
    here.until(lambda: here.status.picture == "standby", "standby")
    here.play(25)
    here.do(lambda clock: clock.rejoin("op"))
    here.on_air("long")
    here.play(10)
    position = here.status.item
    assert position is not None
    assert position.position_frames >= 35
    assert here.stop()
    in_order(here)
    assert here.showed("long", "", "long")


def test_a_list_is_replaced_on_air_and_what_airs_is_left_alone(staged: Staged) -> None:
    here = staged(item("c"), item("a"))
    here.start()
    here.arm()
    items = (item("c"), item("b"), item("long"))
    replaced = Playlist(2, items if here.kind.tells else tuple(map(here.known, items)), "filler")
    here.do(lambda clock: clock.replace_playlist(replaced, "op"))
    here.until(lambda: here.status.playlist_revision == 2, "the new list")
    with pytest.raises(Refused):
        here.do(lambda clock: clock.replace_playlist(Playlist(1, ()), "op"))
    here.on_air("long")
    assert here.stop()
    in_order(here)
    assert [name for name, _ in here.ended("ended")] == ["c", "b"]
    assert here.showed("c", "b", "long")


def test_what_cannot_be_played_is_passed_over_and_said(staged: Staged) -> None:
    here = staged(item("a"), item("gone"), item("dead", 50), item("long"), dead=frozenset({"dead"}))
    here.start()
    here.arm()
    here.on_air("long")
    # Of a file that it took, a server that shows nothing of what it plays tells nobody that no picture comes.
    said = ["gone", "dead"] if here.kind.tells else ["gone"]
    here.until(lambda: [one.item_id for one in here.status.skipped] == said, "all said")
    assert all(one.reason for one in here.status.skipped)
    assert here.stop()
    in_order(here)
    records = here.records()
    assert [name for name in here.aired() if name][-1] == "long"
    never = [one.item_id for one in records if one.kind == "item_skipped"]
    if here.kind.heals_s is not None:
        # It told nothing, or took nothing, when their time came: then the list went on by time, and their end says it.
        never += [one.item_id for one in records if one.kind == "item_end" and one.cause == "failed"]
    assert sorted(one or "" for one in never) == sorted(said)
    if not here.kind.tells:
        (end,) = [one for one in records if one.kind == "item_end" and one.item_id == "dead"]
        assert (end.frames, end.proof) == (50, "inferred"), "not a frame longer than it was to air"


def test_a_live_input_airs_until_its_take_and_is_covered_while_it_is_away(staged: Staged) -> None:
    here = staged(item("a"), Item("ob", "ob", kind="live", url=LIVE_URL, end_mode="take"), item("long"))
    here.send(sends=True)
    here.start()
    here.arm()
    here.on_air("ob")
    if here.kind.tells:
        here.until(lambda: here.status.picture == "item", "its picture")
        here.play(10)
        here.send(sends=False)
    # Of a server that shows nothing nobody knows whether the input is there: it is not put on air.
    here.until(lambda: here.status.picture == "filler", "cover")
    there = here.status.item
    assert there is not None
    assert there.item_id == "ob", "its time passes all the same"
    assert there.live is not None
    assert "ob.example" in here.status.reason or not here.kind.exact
    if here.kind.tells:
        here.send(sends=True)
        here.until(lambda: here.status.picture == "item", "its picture again")
        here.play(10)
    here.do(lambda clock: clock.take("long", "op"))
    here.on_air("long")
    assert here.stop()
    in_order(here)
    kinds = [record.kind for record in here.records()]
    assert kinds.index("item_end") < kinds.index("live_lost") < kinds.index("live_back")
    aired = here.aired()
    names = [name for name, _ in itertools.groupby(name for name in aired if name)]
    assert (names[0], names[-1]) == ("a", "long")
    if here.kind.exact:  # covered more often where a busy machine tells late that its pictures come
        assert names == ["a", "ob", "long"]
        assert "" in aired[aired.index("ob") :]


def test_an_arm_says_where_the_list_begins(staged: Staged) -> None:
    here = staged(item("a"), item("long"), item("b"))
    here.start()
    here.arm(Entrance(ResumePoint("long", 200)))
    here.on_air("long")
    there = here.status.item
    assert there is not None
    assert there.position_frames >= 200
    assert here.stop()
    in_order(here)
    starts = [record for record in here.records() if record.kind == "item_start"]
    assert [start.item_id for start in starts] == ["long"]
    assert here.showed("long")


def test_outputs_are_replaced_on_air(staged: Staged) -> None:
    here = staged(item("long"), outputs=(UDP,))
    here.start()
    here.arm()
    before = here.engine.outputs
    said = here.engine.replace_outputs((*before, Output("more", "udp", "udp://127.0.0.1:5006")))
    assert "1 opened" in said
    assert [one.id for one in here.engine.outputs] == [*[one.id for one in before], "more"]
    assert "more" in [one.id for one in here.status.outputs]
    here.play(10)
    assert here.item == "long"
    assert here.stop()


def test_a_stop_is_the_end(staged: Staged) -> None:
    here = staged(item("long"), outputs=(UDP,))
    here.start()
    here.arm()
    here.play(10)
    assert here.stop()
    assert here.engine.stop("op", 1) is here.kind.confirms
    assert here.status.state == "stopping"
    frames = here.status.frame
    with pytest.raises(RuntimeError):
        here.engine.arm("op")
    in_order(here)
    assert here.records()[-1].kind == "item_end"
    assert here.records()[-1].cause == "stop"
    assert here.status.frame == frames
    if here.server is not None and here.kind.confirms:
        assert 10 not in here.server.layers
        assert [port for port in here.server.outputs.ports.values() if not port.removed] == []


def test_a_stop_while_muted_leaves_nothing(staged: Staged) -> None:
    here = staged(item("long"), outputs=(UDP,))
    here.start()
    with here.passing():
        stopped = here.engine.stop("op", 20)
    assert stopped is (here.kind.confirms and here.kind.heals_s is None) or stopped
    assert here.records() == []


def test_the_thumbnail_is_a_picture(staged: Staged) -> None:
    here = staged(item("long"))
    here.start()
    assert here.engine.thumbnail()[:3] == b"\xff\xd8\xff"
