"""The real console in a terminal before what no supervisor should be: it lives, says so, and shows nothing old as live.

``python -m bench console_hostile`` does the same with more of it.
"""

from collections.abc import Generator

import pytest

from bench.console_hostile import Desk, desk_of, garbage, resized, stopped

pytestmark = [pytest.mark.realtime, pytest.mark.timeout(400)]


@pytest.fixture
def desk() -> Generator[Desk]:
    with desk_of() as made:
        made.looks_s, made.grace_s = 0.5, 15.0  # what is asked is that it stops to believe, on any machine
        yield made


def test_silence_garbage_and_a_screen_of_one_cell(desk: Desk) -> None:
    assert not resized(desk)
    assert not stopped(desk)
    assert not garbage("other")(desk)
    assert not desk.terminal.has_ended()
    assert "has a fault" not in desk.terminal.text()
