"""What the coming hours ask of somebody: holds, live inputs, gaps, overruns, the list's end, media."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from db.models import Item as Row
from sidecar.protocol.channel import Item, Playlist
from supervisor.ahead.checking import Finding
from supervisor.ahead.coming import coming
from supervisor.ahead.looking import Due, Report
from supervisor.ahead.standing import NodeClock, clocks, down_now, port_clashes
from supervisor.schemas.channel import ChannelLive
from supervisor.schemas.coming import Coming
from supervisor.schemas.schedule import ScheduleClash, UpcomingRecording
from supervisor.sidecar_lists import nanoseconds
from tests.fixtures.channels import make_channel

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ONE = "1" * 32


def clip(number: int, seconds: int, **values: Any) -> Item:
    return Item(id=f"{number:032x}", title=f"Item {number}", path="/m/a.mp4", duration_frames=seconds * 25, **values)


def live(number: int = 0, position: int = 0) -> ChannelLive:
    item = {
        "item_id": f"{number:032x}", "title": "x", "position_frames": position, "duration_frames": 1500,
        "started_at": NOON - timedelta(seconds=position / 25),
    }  # fmt: skip
    return make_channel(live={"as_of": NOON, "picture": "item", "item": item}).live


def seen(
    *items: Item, after_last: Any = "loop", report: Report | None = None, aired: dict[int, datetime] | None = None
) -> list[tuple[str, float | None, str]]:
    list_ = Playlist(revision=1, items=items, after_last=after_last)
    started = {f"{number:032x}": at for number, at in (aired or {}).items()}
    found = coming(ONE, list_, live(), Fraction(25), NOON, NOON + timedelta(hours=12), report, started)
    assert all(isinstance(one, Coming) and one.channel_id == ONE for one in found)
    return [(one.kind, None if one.at is None else (one.at - NOON).total_seconds(), one.text) for one in found]


def test_nothing_is_asked_of_anybody_where_a_list_goes_round() -> None:
    assert seen(clip(0, 60), clip(1, 60)) == []


def test_every_hold_that_can_be_foreseen_and_the_end_of_the_list() -> None:
    fixed = clip(3, 30, start_mode="fixed", fixed_at_ns=nanoseconds(NOON + timedelta(seconds=300)))
    assert seen(clip(0, 60), clip(1, 60, start_mode="hold"), clip(2, 60), fixed, after_last="filler") == [
        ("hold", 60.0, "Item 1 waits for a take"),
        ("list_end", 330.0, "the list ends"),
    ]


def test_live_gap_and_overrun() -> None:
    due = nanoseconds(NOON + timedelta(seconds=90))
    late = nanoseconds(NOON + timedelta(seconds=400))
    cut = clip(1, 60)
    first = clip(2, 60, start_mode="fixed", fixed_at_ns=due)
    show = Item(id=f"{3:032x}", title="Cup", kind="live", url="srt://x", duration_frames=2500, start_mode="fixed",
                fixed_at_ns=late)  # fmt: skip
    assert seen(clip(0, 60), cut, first, show) == [
        ("overrun", 90.0, "a fixed start cuts 0:30 of Item 1"),
        ("gap", 150.0, "nothing is planned for 4:10 before Cup: filler airs"),
        ("live", 400.0, "live: Cup"),
    ]


def test_a_fixed_start_that_was_is_none_in_a_loops_next_round() -> None:
    """It follows in its turn then, and cuts nothing."""
    at = NOON - timedelta(seconds=30)
    show = Item(id=f"{3:032x}", title="Cup", kind="live", url="srt://x", duration_frames=2500, start_mode="fixed",
                fixed_at_ns=nanoseconds(at))  # fmt: skip
    assert seen(clip(0, 60), clip(1, 60), show, aired={3: at}) == [("live", 120.0, "live: Cup")]
    later = Item(id=f"{3:032x}", title="Cup", kind="live", url="srt://x", duration_frames=2500, start_mode="fixed",
                 fixed_at_ns=nanoseconds(NOON + timedelta(seconds=90)))  # fmt: skip
    assert seen(clip(0, 60), clip(1, 60), later, aired={3: at}) == [
        ("overrun", 90.0, "a fixed start cuts 0:30 of Item 1"),
        ("live", 90.0, "live: Cup"),
    ], "one that was given a new time is still to be"


def test_media_that_are_not_as_they_should_be_are_critical_when_they_are_soon() -> None:
    row = Row(id="7" * 32, title="Ident", position=3)
    gone = (Finding("gone", "critical", "the file is gone"),)
    report = Report((Due(row, None, NOON + timedelta(minutes=5), gone),), 9, NOON)
    list_ = Playlist(revision=1, items=(clip(0, 60),), after_last="loop")
    (one,) = coming(ONE, list_, live(), Fraction(25), NOON, NOON + timedelta(hours=1), report, {})
    assert (one.kind, one.severity, one.text) == ("media", "critical", "Ident: the file is gone")


def output(state: str, role: str = "programme", detail: str = "") -> dict[str, Any]:
    return {"id": "o", "kind": "udp", "role": role, "state": state, "detail": detail, "frames_dropped": 0}


def test_outputs_that_are_down_are_told_of_a_channel_on_air_and_of_no_other() -> None:
    told = {"desired": "on", "phase": "running", "outputs": [
        output("up"), output("down", detail="no route to host"), output("stalled"), output("down", "preview"),
    ]}  # fmt: skip
    one = down_now(make_channel(live=told).live, NOON)
    assert one is not None
    assert (one.kind, one.at, one.text) == (
        "output", NOON, "2 of 3 outputs: udp is down: no route to host; udp is stalled",
    )  # fmt: skip
    assert down_now(make_channel(live={**told, "outputs": [output("up"), output("starting")]}).live, NOON) is None
    assert down_now(make_channel(live={**told, "desired": "off"}).live, NOON) is None
    assert down_now(make_channel(live={**told, "phase": "starting"}).live, NOON) is None


def test_a_clock_is_told_from_a_quarter_of_a_second_on() -> None:
    found = clocks([NodeClock("a", "alpha", 0.2), NodeClock("b" * 32, "beta", -0.3), NodeClock("c" * 32, "c", 2)], NOON)
    assert [(one.node_id, one.severity, one.text) for one in found] == [
        ("b" * 32, "info", "the clock of beta is 0.30 s behind"),
        ("c" * 32, "warning", "the clock of c is 2.00 s ahead"),
    ]


def recording(schedule: str, start: int, **clash: Any) -> UpcomingRecording:
    at = NOON + timedelta(minutes=start)
    values = {"schedule_id": None, "owner": "channel One", "recorder": "", "title": "", "what": "DeckLink port 2",
              "start_at": at, "other_start_at": NOON - timedelta(hours=9), **clash}  # fmt: skip
    return UpcomingRecording(
        schedule_id=schedule * 32, recorder_id="e" * 32, recorder="Feed", title="Bulletin", start_at=at,
        end_at=at + timedelta(minutes=30), first_at=at - timedelta(minutes=1), last_at=at + timedelta(minutes=30),
        clashes=(ScheduleClash.model_validate(values),),
    )  # fmt: skip


def test_of_two_recordings_that_want_one_port_the_second_is_told() -> None:
    first = recording("a", 10, schedule_id="b" * 32, goes_first=True)
    second = recording("b", 20, schedule_id="a" * 32, owner="recorder Other", title="Cup", goes_first=False,
                       other_start_at=NOON + timedelta(minutes=10))  # fmt: skip
    held = recording("c", 30, goes_first=False)
    assert [(one.item_id, one.at, one.text) for one in port_clashes([first, second, held])] == [
        ("b" * 32, NOON + timedelta(minutes=19),
         "Feed, Bulletin: DeckLink port 2 is wanted by recorder Other, Cup from 12:10 UTC"),
        ("c" * 32, NOON + timedelta(minutes=29),
         "Feed, Bulletin: DeckLink port 2 is wanted by channel One from 03:00 UTC"),
    ]  # fmt: skip
    equal = {"goes_first": None, "what": "the recorder Feed"}
    pair = [recording("a", 10, schedule_id="b" * 32, other_start_at=NOON + timedelta(minutes=15), **equal),
            recording("b", 15, schedule_id="a" * 32, other_start_at=NOON + timedelta(minutes=10), **equal)]  # fmt: skip
    assert [one.item_id for one in port_clashes(pair)] == ["b" * 32]
