"""What air keys do: one press, one command, to the target that stood there when it was pressed."""

import asyncio
from typing import Any

import pytest

from mcr_console.air import words_of
from mcr_console.client import ApiProblem, Unreachable
from mcr_console.screens.arming import ArmScreen
from supervisor.schemas.channel import AdjustIn, Channel, CueIn, DropIn
from tests.console.conftest import Desk, idle, settled, until
from tests.console.scenes import channel, ident, normal_channels, reset


@pytest.mark.parametrize("key", ["t", "f12", "kp_enter"])
async def test_take_sends_one_command_with_the_target_of_the_press(key: str) -> None:
    """P8: and the answer is on the tile, with its time and its frame."""
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("3")
        await settled(pilot)
        assert "TAKE 3 SPORT → studio_break" in desk.text()
        await pilot.press(key)
        await settled(pilot)
        [(channel_id, verb, command)] = desk.supervisor.sent
        assert (channel_id, verb) == (ident(3), "take")
        assert command is not None
        assert (command.expect_item_id, command.expect_epoch) == ("3-3", 7)
        assert command.command_id
        assert "took 84 ms, frame 12345" in desk.text()
    assert not desk.app.faults


async def test_the_target_is_not_what_comes_after_the_press() -> None:
    desk = Desk([reset(normal_channels())], gate=asyncio.Event())
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("t")
        moved_on = (channel(1, "News 24", "weather_am", follows="sport_desk"), *normal_channels()[1:])
        desk.supervisor.tell(reset(moved_on))
        await settled_but_waiting(desk)
        await pilot.press("2")
        assert desk.supervisor.gate is not None
        desk.supervisor.gate.set()
        await settled(pilot)
        [(channel_id, _, command)] = desk.supervisor.sent
        assert channel_id == ident(1)
        assert command is not None
        assert command.expect_item_id == "1-3"


async def test_nothing_is_sent_twice_while_one_is_pending_or_a_key_is_held_down() -> None:
    desk = Desk([reset(normal_channels())], gate=asyncio.Event())
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        for _ in range(20):
            await pilot.press("t")
            desk.clock.passed += 0.033
        await pilot.press("H")
        await until(lambda: len(desk.supervisor.sent) > 0)
        await settled_but_waiting(desk)
        assert len(desk.supervisor.sent) == 1
        assert desk.supervisor.gate is not None
        desk.supervisor.gate.set()
        await settled(pilot)
        for _ in range(30):
            desk.clock.passed += 0.033
            await pilot.press("t")
        assert len(desk.supervisor.sent) == 1, "the key was never let go"
        desk.clock.passed += 1.0
        await pilot.press("t")
        await settled(pilot)
        assert len(desk.supervisor.sent) == 2


async def test_after_150_ms_the_screen_says_what_it_waits_for() -> None:
    """P8."""
    desk = Desk([reset(normal_channels())], gate=asyncio.Event())
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("t")
        await until(lambda: shows(desk, "… TAKE weather_am"))
        assert "waits for" not in desk.text()
        desk.clock.passed += 0.16
        await until(lambda: shows(desk, "0.2 s: waits for node-a"))
        assert desk.supervisor.gate is not None
        desk.supervisor.gate.set()
        await settled(pilot)
        assert "took 84 ms" in desk.text()


@pytest.mark.parametrize(
    ("problem", "shown"),
    [
        (ApiProblem("Take guard", "Not twice a second.", "Press again.", code="take_guard", status=409), "Take guard"),
        (Unreachable("No supervisor there", "/run/mcr.sock: refused"), "may still have been done"),
    ],
    ids=["refused", "unreachable"],
)
async def test_a_refusal_stands_on_the_channel_and_the_next_press_is_free(problem: Exception, shown: str) -> None:
    desk = Desk([reset(normal_channels())], problem=problem)
    async with desk.app.run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        await pilot.press("2", "t")
        await settled(pilot)
        line = next(line for line in desk.text().splitlines() if shown in line)
        assert "TAKE" in line
        desk.supervisor.problem = None
        desk.clock.passed += 2
        await pilot.press("t")
        await settled(pilot)
        assert len(desk.supervisor.sent) == 2
        assert shown not in desk.text()
    assert not desk.app.faults


async def test_take_with_nothing_next_says_so_and_sends_nothing() -> None:
    desk = Desk([reset([channel(1, "News", follows=None)])])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert "nothing next" in desk.text()
        await pilot.press("t")
        await settled(pilot)
        assert desk.supervisor.sent == []
        assert "nothing is next" in desk.text()


@pytest.mark.parametrize(("key", "verb"), [("X", "stop"), ("F", "pause")])
async def test_armed_keys_take_two_and_the_first_enter_does_nothing(key: str, verb: str) -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("3", key)
        await settled(pilot)
        assert isinstance(desk.app.screen, ArmScreen)
        assert "3 SPORT" in desk.text()
        await pilot.press("enter")
        await settled(pilot)
        assert desk.supervisor.sent == []
        desk.clock.passed += 2
        await pilot.press(key)
        await settled(pilot)
        await pilot.press("right", "enter")
        await settled(pilot)
        assert [(id_, what) for id_, what, _ in desk.supervisor.sent] == [(ident(3), verb)]


async def test_an_armed_question_is_void_when_the_channel_changes_or_nobody_answers() -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("3", "X")
        await settled(pilot)
        changed = [channel(3, "Sport", epoch=8, version=99) if one.number == 3 else one for one in normal_channels()]
        desk.supervisor.tell(reset(changed))
        await until(lambda: not isinstance(desk.app.screen, ArmScreen))
        await settled(pilot)
        assert "channel changed, nothing sent" in desk.text()
        desk.clock.passed += 2
        await pilot.press("X")
        desk.clock.passed += 11
        await until(lambda: not isinstance(desk.app.screen, ArmScreen))
        assert desk.supervisor.sent == []


async def test_hold_sets_and_releases_by_what_is_so() -> None:
    held = channel(2, "Kids", hold=True, picture="hold")
    desk = Desk([reset([channel(1, "News"), held])])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("H")
        await settled(pilot)
        await pilot.press("2")
        await settled(pilot)
        assert "release" in desk.text()
        await pilot.press("H")
        await settled(pilot)
        assert [verb for _, verb, _ in desk.supervisor.sent] == ["hold", "play"]


async def test_cue_acts_on_the_selected_row() -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("2", "enter")
        await settled(pilot)
        await pilot.press("j", "j")
        await settled(pilot)
        assert "cue LIVE ob-truck-2" in desk.text()
        await pilot.press("c")
        await settled(pilot)
        [(channel_id, verb, command)] = desk.supervisor.sent
        assert (channel_id, verb) == (ident(2), "cue")
        assert isinstance(command, CueIn)
        assert command.item_id == "2-5"


async def test_a_cue_of_what_is_on_air_says_that_it_will_start_over() -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("2", "enter")
        await settled(pilot)
        await pilot.press("k")
        await settled(pilot)
        assert "cue again, from its start: Big Buck Bunny" in desk.text()
        await pilot.press("c")
        await settled(pilot)
        assert [(verb, command.item_id) for _, verb, command in desk.supervisor.sent if isinstance(command, CueIn)] == [
            ("cue", "2-2")
        ]


async def test_drop_acts_on_the_selected_row_and_undo_takes_it_back() -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        await pilot.press("2", "enter")
        await settled(pilot)
        await pilot.press("j", "j")
        await settled(pilot)
        assert "drop LIVE ob-truck-2" in desk.text()
        await pilot.press("D")
        await settled(pilot)
        assert "undo DROP" in desk.text()
        await pilot.press("j", "U")
        await settled(pilot)
        sent = [(channel_id, verb, command) for channel_id, verb, command in desk.supervisor.sent]
        assert [(channel_id, verb) for channel_id, verb, _ in sent] == [(ident(2), "drop"), (ident(2), "undrop")]
        assert [command.item_id for *_, command in sent if isinstance(command, DropIn)] == ["2-5", "2-5"]


async def test_the_item_on_air_is_made_longer_and_shorter_and_no_other() -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("3", "right_square_bracket")
        await settled(pilot)
        await pilot.press("left_square_bracket")
        await settled(pilot)
        told = [
            (command.ms, command.expect_item_id)
            for *_, command in desk.supervisor.sent
            if isinstance(command, AdjustIn)
        ]
        on_air = normal_channels()[2].live.item
        assert on_air is not None
        assert told == [(30_000, on_air.item_id), (-30_000, on_air.item_id)]


@pytest.mark.parametrize(
    ("key", "undone"),
    [("t", ("cue", "3-2")), ("H", ("play", None)), ("right_square_bracket", ("adjust", -30_000))],
    ids=["take", "hold", "longer"],
)
async def test_undo_takes_back_what_this_console_did_last(key: str, undone: tuple[str, object]) -> None:
    """A take is not made undone on air: the item that it cut off is cued again, for the next take."""
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        await pilot.press("3", "U")
        await settled(pilot)
        assert "nothing of yours to take back" in desk.text()
        assert not desk.supervisor.sent
        await pilot.press(key)
        desk.supervisor.tell(reset(sport(hold=key == "H")))
        await settled(pilot)
        desk.clock.passed += 1
        await pilot.press("U")
        await settled(pilot)
        (_, verb, command) = desk.supervisor.sent[-1]
        said: object = None
        if isinstance(command, CueIn):
            said = command.item_id
        elif isinstance(command, AdjustIn):
            said = command.ms
        assert (verb, said) == undone


@pytest.mark.parametrize("key", ["H", "right_square_bracket"], ids=["hold", "longer"])
async def test_what_was_done_to_an_item_is_not_taken_back_from_the_next(key: str) -> None:
    """30 s less, or a release, would end what airs by now."""
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        await pilot.press("3", key)
        await settled(pilot)
        desk.clock.passed += 1
        desk.supervisor.tell(reset(sport(hold=key == "H", on_air="another")))
        await settled(pilot)
        await pilot.press("U")
        await settled(pilot)
        assert "nothing of yours to take back" in desk.text()
        assert len(desk.supervisor.sent) == 1


def sport(*, hold: bool, on_air: str | None = None) -> list[Channel]:
    """The normal channels; of the third the hold and the item on air are others."""
    channels = normal_channels()
    live = channels[2].live
    assert live.item is not None
    item = live.item if on_air is None else live.item.model_copy(update={"item_id": on_air})
    changed = live.model_copy(update={"hold": hold, "item": item})
    return [*channels[:2], channels[2].model_copy(update={"live": changed}), *channels[3:]]


async def test_a_refused_order_leaves_nothing_to_undo() -> None:
    problem = ApiProblem("Take guard", "Not twice a second.", "Press again.", code="take_guard", status=409)
    desk = Desk([reset(normal_channels())], problem=problem)
    async with desk.app.run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        await pilot.press("3", "t")
        await settled(pilot)
        assert "undo" not in desk.text().splitlines()[-1]


def shows(desk: Desk, text: str) -> bool:
    desk.app.tick()
    return text in desk.text()


async def settled_but_waiting(desk: Desk) -> None:
    """Several turns of the loop and a drawing, while a command waits at the gate."""
    for _ in range(5):
        await idle()
        desk.app.tick()


async def test_a_channel_that_is_off_offers_its_start_first_and_a_take_says_so() -> None:
    off = channel(1, "News", follows=None, desired="off", phase="off", observed=None, picture=None, item=None)
    desk = Desk([reset([off])])
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert desk.text().splitlines()[-1].startswith(" S  START 1 NEWS")
        await pilot.press("t")
        await settled(pilot)
        assert desk.supervisor.sent == []
        assert "it is off, S starts it" in desk.text()


OFF = {"desired": "off", "phase": "off", "observed": None, "picture": None, "item": None, "follows": None}


@pytest.mark.parametrize(
    ("key", "fields", "words"),
    [
        ("S", {}, "it is on air already"),
        ("S", {"phase": "starting", "observed": "unknown"}, "it was started already"),
        ("X", OFF, "it is off already"),
        ("X", {"desired": "off", "phase": "stopping"}, "it was stopped already"),
    ],
)
async def test_a_start_of_what_is_on_and_a_stop_of_what_is_off_are_not_asked_about(
    key: str, fields: dict[str, Any], words: str
) -> None:
    desk = Desk([reset([channel(1, "News", **fields)])])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press(key)
        await settled(pilot)
        assert words in desk.text()
        assert not isinstance(desk.app.screen, ArmScreen)
        assert desk.supervisor.sent == []


async def test_of_a_channel_that_was_last_heard_of_long_ago_a_stop_is_asked_about() -> None:
    desk = Desk([reset([channel(1, "News", **OFF)])])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        desk.clock.passed += 60
        await pilot.press("X")
        await settled(pilot)
        assert isinstance(desk.app.screen, ArmScreen)


async def test_on_the_slate_the_way_back_stands_beside_the_take() -> None:
    desk = Desk([reset([channel(1, "A channel of a long name", picture="standby", reason="standby")])])
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        words = desk.text().splitlines()[-1]
        assert words.index("TAKE 1") < words.index("R  REJOIN") < words.index("esc")


def test_a_refusal_begins_with_what_was_refused_where_its_title_says_no_more_than_that_it_was() -> None:
    told = ApiProblem("Cannot be used", "News: ident is on air", "Take what is to air.", code="invalid", status=422)
    guarded = ApiProblem("Take guard", "The last take was 0.4 s ago.", "", code="take_guard", status=409)
    assert (words_of(told), words_of(guarded)) == ("News: ident is on air", "Take guard. The last take was 0.4 s ago.")
