"""One list over all channels: alarms are seen and put aside from it, and what nobody acknowledged rings."""

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from mcr_console.ringing import Means, Ringing, loud, run_command, sequence
from mcr_console.screens.attention import AttentionScreen
from mcr_console.wall_state import WallBuilder
from supervisor.schemas.alarm import Alarm, ShelveIn
from supervisor.schemas.coming import Coming
from tests.console.conftest import Desk, settled, until
from tests.console.desk_scenes import NOON, DeskScene, an_alarm, channel_id, node_id, open_alarms, what_is_coming
from tests.console.scenes import FrozenClock, channel, degraded_channels, lost, normal_channels, reset


async def test_the_loudest_comes_first_with_what_the_station_says() -> None:
    desk = Desk([reset(degraded_channels(), open_alarms())], desk=DeskScene(coming=what_is_coming()))
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("A")
        await settled(pilot)
        text = desk.text()
        assert "Call transmission on 4411; put crosspoint 12 to the standby encoder." in text
        order = ["NEEDS YOU NOW", "OFF AIR", "no route to host", "COMING", "council_live waits", "SHELVED", "node-c is"]
        places = [text.index(words, text.index("NEEDS YOU NOW")) for words in order]
        assert places == sorted(places)
        await pilot.press("a")
        await settled(pilot)
        assert desk.supervisor.acknowledged == [open_alarms()[0].id], "the selected one and no other"
    assert not desk.app.faults


async def test_an_alarm_is_put_aside_with_a_reason_and_taken_back() -> None:
    desk = Desk([reset(normal_channels(), [an_alarm(2)])])
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("f6")
        await settled(pilot)
        await pilot.press("z", "tab", "tab", "tab", "enter")
        await settled(pilot)
        assert desk.supervisor.done == [], "not without a reason"
        await pilot.press("shift+tab", "shift+tab", *"new card", "enter", "enter")
        await settled(pilot)
        values = ShelveIn(minutes=30, reason="new card")
        assert desk.supervisor.done == [("shelve", an_alarm(2).id, values)]
        aside = an_alarm(2, shelved_until=NOON + timedelta(hours=1), shelved_by="kim", shelved_reason="x")
        desk.supervisor.tell(reset(normal_channels(), [aside]))
        await settled(pilot)
        assert "SHELVED 1" in desk.text()
        await pilot.press("z")
        await settled(pilot)
        assert desk.supervisor.done[1:] == [("unshelve", an_alarm(2).id)]


async def test_enter_goes_to_the_channel_of_the_row() -> None:
    desk = Desk([reset(normal_channels(), [an_alarm(2, 3)])])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("f6", "enter")
        await settled(pilot)
        assert desk.session.focus == channel_id(3)
        assert "3 Sport" in desk.text()
        await pilot.press("escape", "escape")
        await settled(pilot)
        assert "ATTENTION" in desk.text()


async def test_an_air_key_acts_on_the_channel_of_the_row_and_not_on_another() -> None:
    desk = Desk([reset(normal_channels(), [an_alarm(2, 3)])])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("1", "f6")
        await settled(pilot)
        assert "STANDBY 3 SPORT" in desk.text().splitlines()[-1]
        await pilot.press("B")
        await settled(pilot)
        assert "STANDBY on 3 SPORT?" in desk.text()
        await pilot.press("right", "enter")
        await settled(pilot)
        assert [(id_, said) for id_, said, _ in desk.supervisor.sent] == [(channel_id(3), "standby")]
        assert desk.session.focus == channel_id(1), "the wall's focus is where it was"
    assert not desk.app.faults


async def test_off_air_is_the_loudest_on_a_screen_about_something_else() -> None:
    desk = Desk([reset(degraded_channels())])
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("f7")
        await settled(pilot)
        assert "OFF AIR  5 REGIONAL N  off air 1.8 s" in desk.text()


async def test_it_rings_every_ten_seconds_until_somebody_acknowledges(monkeypatch: pytest.MonkeyPatch) -> None:
    critical = an_alarm(1, 3, "critical", text="Sport may be off air")
    desk = Desk([reset(normal_channels(), [critical])])
    bells, written = list[float](), list[str]()
    monkeypatch.setattr(desk.app, "bell", lambda: bells.append(desk.clock.passed))
    monkeypatch.setattr(desk.app, "write_to_terminal", written.append)
    desk.app.bells.means = Means(notify="777")
    async with desk.app.run_test(size=(80, 24)) as pilot:
        for passed in (0.0, 4.0, 9.9, 10.0, 19.9, 20.0):
            desk.clock.passed = passed
            desk.supervisor.tell(reset(normal_channels(), [critical]))
            await settled(pilot)
        assert bells == [0.0, 10.0, 20.0]
        assert written[0] == "\x1b]777;notify;MCR;Sport may be off air\x07"
        seen = critical.model_copy(update={"acknowledged_at": NOON, "acknowledged_by": "ann"})
        desk.clock.passed = 40.0
        desk.supervisor.tell(reset(normal_channels(), [seen]))
        await settled(pilot)
        assert len(bells) == 3
    assert not desk.app.faults


def wall_of(*alarms: Alarm, dark: bool = False) -> WallBuilder:
    builder = WallBuilder(FrozenClock())
    there = [channel(3, "Sport", None, phase="starting", observed="gone", off_air_since=NOON)] if dark else []
    builder.merge(reset(there or normal_channels(), alarms))
    return builder


def test_what_rings_and_what_does_not() -> None:
    critical = an_alarm(1, 3, "critical", text="dark")
    aside = critical.model_copy(update={"shelved_until": NOON + timedelta(minutes=5)})
    assert loud(wall_of(critical).state(), NOON) == ("dark",)
    assert loud(wall_of(an_alarm(1)).state(), NOON) == ()
    assert loud(wall_of(aside).state(), NOON) == ()
    assert loud(wall_of(aside).state(), NOON + timedelta(minutes=6)) == ("dark",), "a shelf ends"
    assert loud(wall_of(dark=True).state(), NOON) == ("Sport should be on air and is not",)
    assert loud(wall_of(aside, dark=True).state(), NOON) == ()


def test_something_new_rings_at_once_and_old_news_never() -> None:
    ringing, first, second = Ringing(), an_alarm(1, 3, "critical"), an_alarm(2, 4, "critical", text="another")
    builder = wall_of(first)
    assert ringing.due(builder.state(), NOON, 1000.0)
    assert not ringing.due(builder.state(), NOON, 1001.0)
    builder.merge(reset(normal_channels(), [first, second]))
    assert ringing.due(builder.state(), NOON, 1002.0).endswith("(and 1 more)")
    builder.merge(lost())
    assert not ringing.due(builder.state(), NOON, 1100.0)


def test_a_hostile_name_ends_no_sequence_early() -> None:
    assert sequence("9", "a\x07b\x1b]0;x;\u202ey") == "\x1b]9;MCR: a·b·]0,x,y\x07"
    assert sequence("off", "x") == ""


async def test_the_command_gets_the_words_as_one_argument(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    code = "import sys,pathlib; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])"
    assert await run_command((sys.executable, "-c", code, str(heard)), "Sport; rm -rf / $(x)") == ""
    assert heard.read_text() == "Sport; rm -rf / $(x)"
    assert "cannot be run" in await run_command((str(tmp_path / "nothing"),), "x")
    assert Means.of({"MCR_RING_COMMAND": "say 'now"}).fault.startswith("MCR_RING_COMMAND cannot be read")
    assert Means.of({"MCR_RING_COMMAND": "play -q 'a b.wav'"}).command == ("play", "-q", "a b.wav")


async def test_a_question_that_fails_in_this_program_is_a_fault_and_not_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk([reset(normal_channels())])

    async def broken(hours: int = 4) -> None:
        raise RuntimeError("nobody expected this")

    monkeypatch.setattr(desk.supervisor, "coming", broken)
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("f6")
        await until(lambda: bool(desk.app.faults))
        assert "nobody expected this" in desk.session.fault


async def test_what_stands_there_is_told_once_of_whom_it_concerns() -> None:
    """An output that is down or a clock that is off is an alarm, and needs no second line below."""
    told = {"severity": "warning", "at": NOON, "item_id": None}
    coming = [
        Coming.model_validate({"channel_id": channel_id(3), "kind": "output", "text": "udp is down", **told}),
        Coming.model_validate({"channel_id": channel_id(7), "kind": "output", "text": "hls is stalled", **told}),
        Coming.model_validate({"channel_id": None, "node_id": node_id(2), "kind": "clock", "text": "0.40 s", **told}),
        Coming.model_validate(
            {"channel_id": None, "recorder_id": "e" * 32, "kind": "port", "text": "port 2 is wanted", **told}
        ),
    ]
    down = an_alarm(1, 3, code="output_down", text="Sport: udp is down, says the alarm")
    desk = Desk([reset(normal_channels(), [down])], desk=DeskScene(coming=coming))
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("f6")
        await settled(pilot)
        lines = desk.text().splitlines()
        assert not [line for line in lines if " OUTPUT " in line and "3 Sport" in line]
        assert [line for line in lines if " OUTPUT " in line and "7 Music" in line and "hls is stalled" in line]
        assert [line for line in lines if " CLOCK " in line and "0.40 s" in line]
        assert [line for line in lines if "PORT CLASH" in line and "recorder" in line and "port 2 is wanted" in line]
    assert not desk.app.faults


async def test_what_is_told_again_stays_as_long_as_the_first_time() -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("f6")
        await settled(pilot)
        for key in ("a", "z"):
            await pilot.press(key)
            await settled(pilot)
            assert "this row is no open alarm" in desk.text()
            desk.clock.passed += 3
        await settled(pilot)
        assert "this row is no open alarm" in desk.text(), "3 s after the second time"
        desk.clock.passed += 3
        await settled(pilot)
        assert "this row is no open alarm" not in desk.text()
    assert not desk.app.faults


async def test_the_row_that_one_stands_on_stays_in_sight_when_others_come_above_it() -> None:
    old = (an_alarm(90), an_alarm(91))
    desk = Desk([reset(normal_channels(), old)])
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("A", "j")
        await settled(pilot)
        screen = desk.app.screen
        assert isinstance(screen, AttentionScreen)
        stands_on = screen.selected
        assert stands_on == f"a:{old[1].id}"
        desk.supervisor.tell(reset(normal_channels(), [*(an_alarm(number) for number in range(30)), *old]))
        await settled(pilot)
        assert screen.selected == stands_on
        cursor, top = screen.sheet.cursor, screen.sheet.scroll_offset.y
        assert cursor is not None
        assert top <= cursor < top + screen.sheet.size.height
