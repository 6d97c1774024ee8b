"""Whose hands a channel is in, as one sees it. Look at a changed picture before accepting it."""

import pytest

from tests.console.conftest import Desk
from tests.console.scenes import SEAT, channel, control, lost, normal_channels, reset
from tests.console.test_snapshots import SnapCompare, before, named

HANDS = (
    channel(1, "News 24", control=control("root", SEAT)),
    *normal_channels()[1:2],
    channel(
        3, "Sport", "Cup final, first half", left=42000, length=67500, follows="studio_break", control=control("ann")
    ),
    *normal_channels()[3:],
)


@pytest.mark.parametrize(
    ("keys", "size"),
    [
        (("3",), (80, 24)),
        (("3", "t"), (120, 40)),
        (("1",), (200, 60)),
        (("3", "C"), (80, 24)),
        (("3", "l"), (120, 40)),
        (("3", "enter"), (120, 40)),
    ],
    ids=["other", "refused", "mine", "take-over", "list", "channel"],
)
def test_hands(snap_compare: SnapCompare, keys: tuple[str, ...], size: tuple[int, int]) -> None:
    desk = Desk([reset(HANDS)])
    assert snap_compare(desk.app, terminal_size=size, run_before=before(*keys, desk=desk, passed=2.0))


def test_hands_when_the_supervisor_is_lost(snap_compare: SnapCompare) -> None:
    desk = Desk([reset(HANDS), lost()])
    assert snap_compare(desk.app, terminal_size=(80, 24), run_before=before("3", desk=desk, passed=23.0))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=named)
def test_read_only(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    desk = Desk([reset(normal_channels())])
    desk.session.read_only = True
    assert snap_compare(desk.app, terminal_size=size, run_before=before("3", "t", desk=desk))
