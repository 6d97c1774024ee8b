"""What the console makes of what it is told: order, age, and when to stop believing."""

from datetime import timedelta

import pytest

from mcr_console.asrun_pages import AsRunPages
from mcr_console.client import ApiProblem, Event, Lost, Unreachable, Unreadable
from mcr_console.condition import condition
from mcr_console.drawing.attention import attention
from mcr_console.drawing.header import render_banner
from mcr_console.http import Silent
from mcr_console.palette import truecolor
from mcr_console.wall_state import WallBuilder
from supervisor.schemas.event import Beat, ChannelDeleted, PlaylistChanged
from tests.console.scenes import (
    NOON,
    FrozenClock,
    ScriptedSupervisor,
    alarm,
    asrun_events,
    channel,
    degraded_channels,
    ident,
    normal_channels,
    reset,
    supervisor_info,
)


def built(clock: FrozenClock, *messages: Event | Lost | Unreadable) -> WallBuilder:
    builder = WallBuilder(clock)
    for message in messages:
        builder.merge(message)
    return builder


def event(name: str, payload: object) -> Event:
    return Event(name, "b1-2", payload)  # type: ignore[arg-type] - any of the schemas


def test_the_newest_version_of_a_channel_wins_whatever_comes_later() -> None:
    builder = built(FrozenClock(), reset([channel(1, "News", version=5)]))
    builder.merge(event("channel_live", channel(1, "News", "new item", version=9).live))
    builder.merge(event("channel_live", channel(1, "News", "old item", version=7).live))
    item = builder.state().channels[ident(1)].live.item
    assert item is not None
    assert item.title == "new item"


def test_a_state_is_a_value_and_the_same_one_while_nothing_happens() -> None:
    builder = built(FrozenClock(), reset(normal_channels()))
    before = builder.state()
    assert builder.state() is before
    builder.merge(event("channel_deleted", ChannelDeleted(channel_id=ident(3))))
    assert ident(3) in before.channels
    assert ident(3) not in builder.state().channels
    assert builder.state().channels[ident(1)] is before.channels[ident(1)]


def test_positions_run_on_with_the_clock_and_stop_at_the_end_and_when_the_link_is_lost() -> None:
    clock = FrozenClock()
    builder = built(clock, reset([channel(1, "News", left=50, length=1000, heartbeat_age_ms=400)]))
    state = builder.state().channels[ident(1)]
    assert state.position(clock.monotonic()) == 950 + 10
    clock.passed = 1.0
    assert state.position(clock.monotonic()) == 950 + 35
    clock.passed = 60.0
    assert state.position(clock.monotonic()) == 1000
    assert builder.state().stale(clock.monotonic()), "no event for 60 s"
    assert state.position(builder.state().as_of(clock.monotonic())) == 960


def test_a_held_or_frozen_picture_does_not_run_on() -> None:
    clock = FrozenClock()
    for picture in ("hold", "freeze"):
        builder = built(clock, reset([channel(1, "News", left=50, length=1000, picture=picture)]))
        clock.passed += 1.0
        assert builder.state().channels[ident(1)].position(clock.monotonic()) == 950


def test_lost_counts_from_the_last_word_and_a_reset_ends_it() -> None:
    clock = FrozenClock()
    builder = built(clock, reset(normal_channels()))
    clock.passed = 5.0
    for _ in range(3):
        builder.merge(Lost(Unreachable("No supervisor there", "refused"), 0.5))
        clock.passed += 1
    link = builder.state().link
    assert (link.kind, link.since, clock.monotonic() - link.heard) == ("lost", NOON, 8.0)
    builder.merge(reset(normal_channels()[:2]))
    state = builder.state()
    assert not state.stale(clock.monotonic())
    assert len(state.order) == 2


def test_before_the_first_word_it_is_connecting_and_nothing_is_empty_yet() -> None:
    clock = FrozenClock()
    state = built(clock, Lost(Unreachable("No supervisor there", "refused"), 0.5)).state()
    assert state.link.kind == "connecting"
    assert state.stale(clock.monotonic())
    assert not state.loaded


def test_an_unreadable_event_is_kept_in_sight_until_the_next_snapshot() -> None:
    builder = built(FrozenClock(), reset([]), Unreadable("channel", ApiProblem("t", "bad", code="c", status=0)))
    assert "bad" in builder.state().unreadable
    builder.merge(reset([]))
    assert builder.state().unreadable == ""


def test_what_cannot_be_read_is_no_sign_that_what_is_shown_is_still_so() -> None:
    clock = FrozenClock()
    builder = built(clock, reset(normal_channels()))
    for _ in range(4):
        clock.passed += 1.0
        builder.merge(Unreadable("beat", ApiProblem("t", "bad", code="c", status=0)))
    assert builder.state().stale(clock.monotonic())
    builder.merge(reset(normal_channels()))
    assert not builder.state().stale(clock.monotonic())


@pytest.mark.parametrize("name", ["reset", "channel", "channel_live", "channel_deleted"])
def test_a_channel_that_cannot_be_read_makes_all_old_while_beats_can_be(name: str) -> None:
    clock = FrozenClock()
    builder = built(clock, reset(normal_channels()))
    beat = event("beat", Beat(supervisor=supervisor_info()))
    clock.passed += 1.0
    builder.merge(Unreadable(name, ApiProblem("t", "bad", code="c", status=0)))
    seen = clock.monotonic() - 1.0
    for _ in range(5):
        builder.merge(beat)
        assert builder.state().stale(clock.monotonic())
        assert builder.state().as_of(clock.monotonic()) == seen, "positions do not run on with beats"
        clock.passed += 1.0
    banner = " ".join(strip.text for strip in render_banner(builder.state(), "", 120, clock, truecolor()))
    assert "CANNOT READ SUPERVISOR since" in banner
    assert f"cannot read from supervisor: {name}: bad" in banner
    assert "LOST" not in banner
    builder.merge(Lost(Unreachable("No supervisor there", "refused"), 0.5))
    lost = " ".join(strip.text for strip in render_banner(builder.state(), "", 120, clock, truecolor()))
    assert "SUPERVISOR LOST since" in lost
    builder.merge(Lost(Silent("The supervisor did not answer", "nothing within 3 s"), 0.5))
    silent = " ".join(strip.text for strip in render_banner(builder.state(), "", 120, clock, truecolor()))
    assert "SUPERVISOR SILENT since" in silent
    assert "The supervisor did not answer: nothing within 3 s" in silent
    builder.merge(reset(normal_channels()))
    assert not builder.state().stale(clock.monotonic())
    assert builder.state().unreadable == ""


def test_rundowns_are_to_be_fetched_again_when_told_and_after_every_reset() -> None:
    builder = built(FrozenClock(), reset(normal_channels()))
    news = [builder.state().rundown_news[ident(1)]]
    builder.merge(event("playlist", PlaylistChanged(playlist_id=ident(1, "p"), revision=4, channel_ids=(ident(1),))))
    news.append(builder.state().rundown_news[ident(1)])
    builder.merge(reset(normal_channels()))
    news.append(builder.state().rundown_news[ident(1)])
    assert news == [1, 2, 3]


def test_as_run_events_are_corrected_in_place_and_bounded() -> None:
    builder = built(FrozenClock(), reset([]))
    for one in asrun_events(400):
        builder.merge(event("asrun", one))
    newest = builder.state().asrun[0]
    builder.merge(event("asrun", newest.model_copy(update={"status": "aired", "frames": 900})))
    state = builder.state()
    assert len(state.asrun) == 300
    assert (state.asrun[0].seq, state.asrun[0].status) == (newest.seq, "aired")


def test_a_beat_tells_the_supervisors_clock() -> None:
    clock = FrozenClock()
    builder = built(clock, reset([]))
    builder.merge(
        event("beat", Beat(supervisor=supervisor_info().model_copy(update={"at": NOON + timedelta(seconds=90)})))
    )
    clock.passed = 10.0
    assert builder.state().supervisor_now(clock.monotonic()) == NOON + timedelta(seconds=100)


def test_verdicts_say_tally_and_warning_apart() -> None:
    found = {one.number: condition(state) for one, state in _states(degraded_channels())}
    assert [(verdict.tally, verdict.word, verdict.warning) for verdict in found.values()] == [
        ("on_air", "ON AIR", ""),
        ("on_air", "ON AIR", "DEGRADED 1/2"),
        ("on_air", "ON AIR", "LATE"),
        ("on_air", "ON AIR", "FILLER"),
        ("off_air", "OFF AIR", "STARTING"),
        ("on_air", "ON AIR", "HOLD"),
        ("on_air", "ON AIR", ""),
        ("off", "OFF", ""),
        ("unknown", "SILENT", ""),
    ]


def test_what_waits_for_a_hand_is_not_hidden_by_what_is_late_or_broken() -> None:
    one = channel(1, "News", picture="hold", observed="late", outputs=("up", "down"))
    [(_, state)] = _states((one,))
    assert condition(state).warnings == ("HOLD", "DEGRADED 1/2", "LATE")


def test_what_a_late_channel_waits_for_is_said_once() -> None:
    reason = "held after Kids; waits for a take of Feature"
    one = channel(1, "News", picture="hold", observed="late", reason=reason)
    more = "; gives it the new list"
    live = one.live.model_copy(update={"decision": f"on air, frames late: hold, {reason}{more}"})
    [(_, state)] = _states((one.model_copy(update={"live": live}),))
    assert condition(state).why == f"{reason}; gives it the new list"


def test_attention_puts_off_air_first_and_says_nothing_twice() -> None:
    alarms = (
        alarm(1, 2, "warning", "udp stalled", 95),
        alarm(2, 5, "critical", "off air", 2),
        alarm(3, 7, "info", "old", 9, by="ann"),
    )
    found = attention(built(FrozenClock(), reset(degraded_channels(), alarms)).state(), NOON)
    assert [(one.loudness, one.channel_id) for one in found] == [
        ("off_air", ident(5)),
        ("warning", ident(2)),
        ("warning", ident(3)),
        ("warning", ident(4)),
        ("warning", ident(6)),
        ("warning", ident(9)),
        ("info", ident(7)),
    ]


def test_what_was_put_aside_is_nothing_that_needs_you() -> None:
    """Nor does its channel come back as one of which nobody speaks, unless it is dark."""
    aside = {"shelved_until": NOON + timedelta(minutes=5)}
    late = alarm(1, 2, "warning", "frames late", 95).model_copy(update=aside)
    dark = alarm(2, 5, "critical", "off air", 2).model_copy(update=aside)
    state = built(FrozenClock(), reset(degraded_channels(), (late, dark))).state()
    assert {ident(2), ident(5)} & {one.channel_id for one in attention(state, NOON)} == {ident(5)}
    assert {ident(2), ident(5)} <= {one.channel_id for one in attention(state, NOON + timedelta(minutes=6))}


def test_a_cleared_alarm_goes() -> None:
    raised = alarm(1, 2, "warning", "udp stalled", 95)
    builder = built(FrozenClock(), reset([], [raised]))
    builder.merge(event("alarm", raised.model_copy(update={"cleared_at": NOON})))
    assert builder.state().alarms == ()


def _states(channels: tuple[object, ...]) -> list[tuple[object, object]]:
    state = built(FrozenClock(), reset(channels)).state()  # type: ignore[arg-type] - channels
    return [(state.channels[id_].channel, state.channels[id_]) for id_ in state.order]


async def test_the_as_run_list_stays_bounded_in_order_and_takes_late_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """A console that is left open for days: the newest events, each once, whatever order they come in."""
    monkeypatch.setattr("mcr_console.asrun_pages.MOST", 50)
    history = asrun_events(140)
    feed = ScriptedSupervisor(history=history)
    builder = built(FrozenClock(), reset(normal_channels()))
    pages = AsRunPages(feed, None)
    for one in history[60:100]:
        builder.merge(event("asrun", one))
    assert pages.events(builder.state()) == history[60:100]
    for one in reversed(history[:60]):
        builder.merge(event("asrun", one))
        pages.events(builder.state())
    assert pages.events(builder.state()) == history[:50]
    ended = history[1].model_copy(update={"end_cause": "take"})
    builder.merge(event("asrun", ended))
    shown = pages.events(builder.state())
    assert shown == (history[0], ended, *history[2:50])
    assert pages.events(builder.state()) is shown
    assert pages.complete
