"""What a channel's explanation says of commands that were not done."""

from dataclasses import replace
from datetime import timedelta

import pytest

from supervisor.schemas.explanation import Refused
from tests.console.conftest import Desk, settled
from tests.console.desk_scenes import NOON, DeskScene
from tests.console.scenes import normal_channels, reset

TOLD = (
    Refused(
        at=NOON - timedelta(seconds=9), by="ann", action="take", outcome="refused", status=409, code="controlled",
        why="olga at desk 1 has control of 1 News 24",
    ),
    Refused(at=NOON, by="token", action="move_channel", outcome="failed", why="the database is away"),
)  # fmt: skip


LONG_NIGHT = tuple((4000 - 100 * number, f"decision {number} of a long night") for number in range(40))
"""How many seconds ago, and what was decided, the oldest first."""


async def test_a_refusal_is_explained_with_who_when_and_why() -> None:
    desk = Desk([reset(normal_channels())], desk=DeskScene(refused=TOLD))
    async with desk.app.run_test(size=(120, 60)) as pilot:
        await settled(pilot)
        await pilot.press("1", "e")
        await settled(pilot)
        text = desk.text()
        assert "WHAT WAS DECIDED OR REFUSED, AND WHY" in text
        assert "refused: take by ann, 409 controlled: olga at desk 1 has control of 1 News 24" in text
        assert "failed: move by token: the database is away" in text
    assert not desk.app.faults


@pytest.mark.parametrize("keys", [("1", "e"), ("1", "enter", "e")])
async def test_at_80_columns_the_newest_stands_in_sight_without_a_key(keys: tuple[str, ...]) -> None:
    """A long night of decisions, and what was refused a moment ago."""
    desk = Desk([reset(normal_channels())], desk=DeskScene(refused=TOLD, decided=LONG_NIGHT))
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press(*keys)
        await settled(pilot)
        text = desk.text()
        assert "THE NEWEST FIRST" in text
        newest, before = text.index("failed: move by token"), text.index("refused: take by ann")
        assert newest < before < text.index("decision 39") < text.index("decision 38")
        assert "decision 0 " not in text
        await pilot.press("G")
        await settled(pilot)
        assert "node node-c is full" in desk.text(), "all of it can be reached"
    assert not desk.app.faults


async def test_what_one_reads_stays_where_it_is_when_something_newer_comes() -> None:
    desk = Desk([reset(normal_channels())], desk=DeskScene(decided=LONG_NIGHT))
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("1", "e")
        await settled(pilot)
        await pilot.press(*["pagedown"] * 2)
        await settled(pilot)
        before = desk.text().splitlines()
        assert any("decision 20 " in line for line in before)
        desk.supervisor.desk = replace(desk.supervisor.desk, decided=(*LONG_NIGHT, (1, "decision 40 is the newest")))
        desk.clock.passed += 3.0
        await settled(pilot)
        after = desk.text().splitlines()
        where = [index for index, line in enumerate(before) if "decision 20 " in line]
        assert where == [index for index, line in enumerate(after) if "decision 20 " in line]
        await pilot.press("g")
        await settled(pilot)
        assert "decision 40 is the newest" in desk.text()
    assert not desk.app.faults
