"""What a channel's explanation says of commands that were not done."""

from datetime import timedelta

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


async def test_a_refusal_is_explained_with_who_when_and_why() -> None:
    desk = Desk([reset(normal_channels())], desk=DeskScene(refused=TOLD))
    async with desk.app.run_test(size=(120, 60)) as pilot:
        await settled(pilot)
        await pilot.press("1", "e")
        await settled(pilot)
        text = desk.text()
        assert "WHAT WAS REFUSED, TO WHOM AND WHY" in text
        assert "refused: take by ann, 409 controlled: olga at desk 1 has control of 1 News 24" in text
        assert "failed: move by token: the database is away" in text
    assert not desk.app.faults
