"""The palette of commands: Enter does the first that is listed, so that must be the one that was named."""

import pytest

from tests.console.conftest import Desk, settled
from tests.console.scenes import normal_channels, reset


async def test_an_air_key_that_is_named_is_done_and_not_one_whose_help_names_it() -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+p", *"hold")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert [verb for _, verb, _ in desk.supervisor.sent] == ["hold"]
    assert not desk.app.faults


@pytest.mark.parametrize(
    "name", ["hold", "TAKE", "sTandby", "rejoin", "undo", "drop", "start", "stop", "nodes", "stand"]
)
async def test_the_one_that_is_called_so_is_listed_first(name: str) -> None:
    desk = Desk([reset(normal_channels())])
    async with desk.app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+p", *name)
        await settled(pilot)
        assert first_listed(desk).startswith(name.casefold())
    assert desk.supervisor.sent == []


def first_listed(desk: Desk) -> str:
    """The line below that of the words."""
    lines = desk.text().casefold().splitlines()
    top = next(number for number, words in enumerate(lines) if words.startswith("▔"))
    return next(words.strip() for words in lines[top + 3 :] if words.strip())
