"""Many channels at once: named before, each with its own target, and each answer told."""

import pytest

from mcr_console.client import ApiProblem
from mcr_console.screens.arming import ArmScreen
from mcr_console.screens.marked import ResultScreen
from supervisor.schemas.channel import CommandDone, CommandIn, DropIn
from tests.console.conftest import Desk, settled
from tests.console.scenes import channel, ident, normal_channels, reset


@pytest.mark.parametrize(("key", "verb"), [("t", "take"), ("H", "hold"), ("D", "drop")])
async def test_the_marked_channels_are_named_asked_for_and_told_of(key: str, verb: str) -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("1", "space", "3", "space", "8", "space", "2")
        await settled(pilot)
        assert "TAKE 3: 1 NEWS 24, 3 SPORT, 8 POP-UP" in desk.text()
        assert "◆News 24" in desk.text()
        await pilot.press(key)
        await settled(pilot)
        assert isinstance(desk.app.screen, ArmScreen)
        for words in ("1 NEWS 24", "3 SPORT", "left out: 8 POP-UP is off"):
            assert words in desk.text()
        await pilot.press("enter")
        await settled(pilot)
        assert desk.supervisor.sent == [], "the focus is on Cancel"
        desk.clock.passed += 2
        await pilot.press(key)
        await settled(pilot)
        await pilot.press("right", "enter")
        await settled(pilot)
        assert sorted((id_, what) for id_, what, _ in desk.supervisor.sent) == [(ident(1), verb), (ident(3), verb)]
        commands = {id_: command for id_, _, command in desk.supervisor.sent}
        news = commands[ident(1)]
        assert news is not None
        if verb == "take":
            assert (news.expect_item_id, news.expect_epoch) == ("1-3", 7)
        if isinstance(news, DropIn):
            assert news.item_id == "1-3"
        assert isinstance(desk.app.screen, ResultScreen)
        assert "2 done, 0 not" in desk.text()
        await pilot.press("escape")
        await settled(pilot)
        assert desk.session.marked == {ident(8)}, "what it was done to is marked no more"
    assert not desk.app.faults


async def test_one_that_is_refused_keeps_no_other_from_being_done(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk([reset(normal_channels())])
    whole = desk.supervisor.transport

    async def transport(channel_id: str, verb: str, command: CommandIn) -> CommandDone:
        if channel_id == ident(3):
            raise ApiProblem("Take guard", "The last take was 0.4 s ago.", "", code="take_guard", status=409)
        return await whole(channel_id, verb, command)

    monkeypatch.setattr(desk.supervisor, "transport", transport)
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("1", "space", "3", "space", "t")
        await settled(pilot)
        await pilot.press("right", "enter")
        await settled(pilot)
        assert "1 done, 1 not" in desk.text()
        assert "REFUSED: 3 SPORT, Take guard. The last take was 0.4 s ago" in desk.text()
        assert "done: 1 NEWS 24" in desk.text()
    assert not desk.app.faults


async def test_hold_is_one_verb_for_all_and_a_release_only_where_all_are_held() -> None:
    held = channel(2, "Kids", hold=True, picture="hold")
    desk = Desk([reset([channel(1, "News"), held])])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("1", "space", "2", "space", "H")
        await settled(pilot)
        assert "left out: 2 KIDS is held" in desk.text()
        await pilot.press("escape", "1", "space", "H")
        await settled(pilot)
        await pilot.press("right", "enter")
        await settled(pilot)
        assert [(id_, verb) for id_, verb, _ in desk.supervisor.sent] == [(ident(2), "play")]


async def test_the_question_is_void_when_a_marked_channel_changes() -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("1", "space", "3", "space", "t")
        await settled(pilot)
        changed = [
            channel(3, "Sport", follows="another", epoch=8) if one.number == 3 else one for one in normal_channels()
        ]
        desk.supervisor.tell(reset(changed))
        for _ in range(100):
            await pilot.pause(0.05)
            if "a channel changed, nothing sent" in desk.text():
                break
        assert not isinstance(desk.app.screen, ArmScreen)
        assert "a channel changed, nothing sent" in desk.text()
        assert desk.supervisor.sent == []


async def test_escape_clears_the_marks_and_without_them_keys_act_on_the_focus() -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("1", "space", "3", "space", "escape", "2", "t")
        await settled(pilot)
        assert desk.session.marked == set()
        assert [(id_, verb) for id_, verb, _ in desk.supervisor.sent] == [(ident(2), "take")]
        await pilot.press("D")
        await settled(pilot)
        assert "space marks channels" in desk.text()
    assert not desk.app.faults
