"""What stands, by the rules: only what is not as it is when nobody touched it and nothing is broken."""

from datetime import timedelta

from supervisor.handover import standing
from supervisor.schemas.channel import Channel, LogoLive
from supervisor.schemas.handover import Standing
from tests.console.desk_scenes import machine
from tests.console.scenes import NOON, OFF, alarm, channel, control, ident, normal_channels


def kinds(*channels: Channel) -> list[str]:
    return [one.kind for one in standing(channels, (), ())]


def only(found: tuple[Standing, ...]) -> Standing:
    [one] = found
    return one


def test_a_channel_that_plays_as_it_should_is_not_mentioned() -> None:
    assert kinds(*normal_channels()[:7]) == []


def test_what_somebody_left_is_named_by_its_kind() -> None:
    assert kinds(channel(1, "One", hold=True)) == ["hold"]
    assert kinds(channel(1, "One", picture="hold", hold=True)) == ["hold"]
    assert kinds(channel(1, "One", picture="standby", reason="by ann")) == ["standby"]
    assert kinds(channel(1, "One", picture="freeze")) == ["frozen"]
    assert kinds(channel(1, "One", logo=LogoLive(shown=False, override="off", fault=""))) == ["logo"]
    assert kinds(channel(1, "One", logo=LogoLive(shown=True, override="auto", fault=""))) == []
    assert kinds(channel(8, "Pop-up", **OFF)) == ["stopped"]


def test_a_veto_and_control_tell_whose_they_are() -> None:
    vetoed = channel(1, "One").model_copy(update={"hold_failover": True, "hold_failover_by": "ann"})
    assert only(standing([vetoed], (), ())).by == "ann"
    held = only(standing([channel(1, "One", control=control("bob"))], (), ()))
    assert (held.by, held.since) == ("bob", NOON - timedelta(minutes=47))


def test_the_loudest_comes_first() -> None:
    dark = channel(9, "Nine", None, observed="gone", phase="starting", off_air_since=NOON)
    found = standing(
        [channel(1, "One", hold=True), dark],
        [machine(1, "node-a", maintenance=True), machine(2, "node-b", draining=True), machine(3, "node-c")],
        [alarm(1, 9, "warning", "w", 5, by="ann"), alarm(2, 9, "critical", "c", 3)],
    )
    assert [(one.kind, one.who) for one in found] == [
        ("off air", "9 Nine"),
        ("alarm", "9 Nine"),
        ("alarm", "9 Nine"),
        ("hold", "1 One"),
        ("maintenance", "node-a"),
        ("draining", "node-b"),
    ]
    assert [one.text for one in found[1:3]] == ["critical: c", "warning: w"]
    assert found[2].by == "ann"


def test_an_alarm_says_what_the_station_wants_done() -> None:
    told = alarm(1, 1, "critical", "off air", 3).model_copy(update={"instruction": "call 4711"})
    one = only(standing([channel(1, "One")], (), [told]))
    assert (one.who, one.text, one.channel_id) == ("1 One", "critical: off air (call 4711)", ident(1))
    assert only(standing([], (), [alarm(1, None, "info", "old backup", 3)])).who == "system"
