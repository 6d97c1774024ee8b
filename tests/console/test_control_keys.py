"""Control of a channel at the console: whose hands a key is in, taking over, losing it; the read-only console."""

import asyncio

import pytest
from textual._xterm_parser import XTermParser
from textual.events import Key

from mcr_console.keypad import distinguish_keypad
from mcr_console.keys import ACTIONS
from mcr_console.screens.arming import ArmScreen
from supervisor.schemas.channel import Channel
from supervisor.schemas.control import RENEW_S, Control
from tests.console.conftest import Desk, forgotten, settled, until
from tests.console.scenes import (
    SEAT,
    channel,
    control,
    degraded_alarms,
    degraded_channels,
    ident,
    normal_channels,
    reset,
)

AIR = sorted({action.keys[0] for action in ACTIONS if action.air and "wall" in action.places})


def held_by(holder: Control | None, version: int = 50) -> list[Channel]:
    """The normal channels; the third is in ``holder``'s hands."""
    sport = channel(
        3, "Sport", "Cup final, first half", left=42000, length=67500, follows="studio_break", control=holder,
        version=version,
    )  # fmt: skip
    return [*normal_channels()[:2], sport, *normal_channels()[3:]]


async def test_without_control_an_air_key_only_says_so() -> None:
    desk = Desk([reset(held_by(control("ann")))])
    async with desk.app.run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        await pilot.press("3")
        await settled(pilot)
        assert "3 SPORT: ann has control" in desk.text()
        assert "take over from ann" in desk.text()
        assert "TAKE" not in desk.text().splitlines()[-1]
        for key in AIR:
            await forgotten(desk, pilot)
            assert "ann at desk 2 pts/4 has control" not in desk.text(), key
            await pilot.press(key)
            await settled(pilot)
            assert not isinstance(desk.app.screen, ArmScreen), key
            assert desk.supervisor.sent == [], key
            assert "ann at desk 2 pts/4 has control" in desk.text(), key
            assert not desk.app.faults, key


async def test_what_nobody_has_and_what_is_ones_own_is_commanded() -> None:
    desk = Desk([reset(held_by(control("root", SEAT)))])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("2", "t")
        await settled(pilot)
        desk.clock.passed += 2
        await pilot.press("3", "t")
        await settled(pilot)
        assert [(id_, verb) for id_, verb, _ in desk.supervisor.sent] == [(ident(2), "take"), (ident(3), "take")]
        assert "· you" in desk.text()


async def test_taking_over_asks_the_taker_with_the_focus_on_cancel() -> None:
    desk = Desk([reset(held_by(control("ann")))])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("3", "C")
        await settled(pilot)
        assert isinstance(desk.app.screen, ArmScreen)
        assert "Take control of 3 SPORT over from ann?" in desk.text()
        await pilot.press("enter")
        await settled(pilot)
        assert desk.supervisor.controlled == []
        await pilot.press("C", "right", "enter")
        await settled(pilot)
        assert desk.supervisor.controlled == [("over", ident(3))]
        assert desk.supervisor.sent == []


async def test_a_question_that_ends_twice_takes_itself_away_and_never_the_wall() -> None:
    """On a busy machine a second key or tick comes before the question is unmounted."""
    desk = Desk([reset(held_by(control("ann")))])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        wall = desk.app.screen
        await pilot.press("3", "C")
        await settled(pilot)
        question = desk.app.screen
        assert isinstance(question, ArmScreen)
        question.action_cancel()
        question.action_cancel()
        await settled(pilot)
        assert desk.app.screen is wall


async def test_a_question_is_void_when_another_takes_control_meanwhile() -> None:
    desk = Desk([reset(held_by(control("ann")))])
    async with desk.app.run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        await pilot.press("3", "C")
        await settled(pilot)
        desk.supervisor.tell(reset(held_by(control("bob", "b" * 16), 51)))
        await until(lambda: not isinstance(desk.app.screen, ArmScreen))
        await settled(pilot)
        assert desk.supervisor.controlled == []
        assert "CONTROL: the channel or its holder changed, nothing done" in desk.text()


async def test_free_control_is_taken_and_ones_own_given_back_without_a_question() -> None:
    desk = Desk([reset(held_by(None))])
    async with desk.app.run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        await pilot.press("3", "C")
        await settled(pilot)
        desk.supervisor.tell(reset(held_by(control("root", SEAT), 51)))
        await settled(pilot)
        assert "C  give control back" in desk.text()
        await pilot.press("C")
        await settled(pilot)
        assert desk.supervisor.controlled == [("take", ident(3)), ("release", ident(3))]


async def test_what_was_given_back_is_not_said_to_have_lapsed() -> None:
    """The supervisor's word of it may come after a beat that shows the wall as it was."""
    desk = Desk([reset(held_by(control("root", SEAT)))])
    async with desk.app.run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        await pilot.press("3", "C")
        await settled(pilot)
        for holder, version in ((control("root", SEAT), 51), (None, 52)):
            desk.supervisor.tell(reset(held_by(holder, version)))
            await settled(pilot)
        desk.clock.passed += RENEW_S + 0.1
        await settled(pilot)
        assert desk.supervisor.controlled == [("release", ident(3))]
        assert "lapsed" not in desk.text()


async def test_who_is_taken_over_is_told_by_whom() -> None:
    desk = Desk([reset(held_by(control("root", SEAT)))])
    async with desk.app.run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        desk.supervisor.tell(reset(held_by(control("bob", station="gallery 1"), 51)))
        await settled(pilot)
        assert "CONTROL: bob at gallery 1 has control now" in desk.text()
        assert "· bob" in desk.text()


async def test_control_is_renewed_while_the_console_lives_and_given_back_when_it_ends() -> None:
    desk = Desk([reset(held_by(control("root", SEAT)))])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert desk.supervisor.controlled == []
        for passed in (1, 2, 3):
            desk.clock.passed = passed * RENEW_S + 0.1
            desk.app.tick()
            wanted = [("renew", ident(3))] * passed
            await until(lambda wanted=wanted: desk.supervisor.controlled == wanted)
    assert desk.supervisor.controlled[-1] == ("release", ident(3))


async def test_what_lapsed_is_said_and_a_new_leader_is_asked_at_once() -> None:
    desk = Desk([reset(held_by(control("root", SEAT)))])
    async with desk.app.run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        desk.supervisor.tell(reset(held_by(None, 51)))
        await settled(pilot)
        assert desk.supervisor.controlled == [("renew", ident(3))], "this leader may only not know yet"
        assert "lapsed" not in desk.text()
        desk.supervisor.lapsed.add(ident(3))
        desk.clock.passed = RENEW_S + 0.1
        await settled(pilot)
        assert "CONTROL: it lapsed" in desk.text()


async def test_a_read_only_console_sends_nothing_and_says_what_it_is() -> None:
    desk = Desk([reset(degraded_channels(), degraded_alarms())])
    desk.session.read_only = True
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert "READ ONLY" in desk.text().splitlines()[0]
        assert "TAKE" not in desk.text().splitlines()[-1]
        for key in [*AIR, "a", "C"]:
            await forgotten(desk, pilot)
            assert "this console is read-only" not in desk.text(), key
            await pilot.press("5", key)
            await settled(pilot)
            assert not isinstance(desk.app.screen, ArmScreen), key
            sent = (desk.supervisor.sent, desk.supervisor.acknowledged, desk.supervisor.controlled)
            assert sent == ([], [], []), key
            assert "this console is read-only" in desk.text(), key


@pytest.mark.parametrize("sent", ["\x1bOM", "\x1b[57414u"], ids=["VT100", "Kitty"])
def test_the_keypads_enter_is_a_key_of_its_own(sent: str) -> None:
    distinguish_keypad()
    assert [event.key for event in XTermParser().feed(sent) if isinstance(event, Key)] == ["kp_enter"]
    assert [event.key for event in XTermParser().feed("\r") if isinstance(event, Key)] == ["enter"]
    assert [event.key for event in XTermParser().feed("\x1bOs") if isinstance(event, Key)] == ["3"]


async def test_the_keypads_enter_takes_and_in_a_dialog_it_is_enter() -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("3", "kp_enter")
        await settled(pilot)
        assert [(id_, verb) for id_, verb, _ in desk.supervisor.sent] == [(ident(3), "take")]
        await pilot.press("colon", *"ch 4", "kp_enter")
        await settled(pilot)
        assert desk.session.focus == ident(4)
        desk.clock.passed += 2
        await pilot.press("X", "kp_enter")
        await settled(pilot)
        assert not isinstance(desk.app.screen, ArmScreen)
        assert len(desk.supervisor.sent) == 1, "the focus was on Cancel"
        await asyncio.sleep(0)
