"""The console as tests see it: a frozen clock, a fixed palette, no animation."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from pytest_textual_snapshot import SVGImageExtension
from rich.style import Style
from textual.pilot import Pilot

from mcr_console.app import McrApp
from mcr_console.event_stream import LinkMessage
from mcr_console.palette import Palette, truecolor
from mcr_console.preferences import Preferences
from mcr_console.session import Session
from tests.console.lists import EditableList, item_id
from tests.console.scenes import FrozenClock, ScriptedSupervisor, channel, reset

SVGImageExtension.file_extension = "svg"
"""Syrupy 5 renamed what pytest-textual-snapshot 1.0 sets; without this its pictures are called ``.raw``."""


def screen_text(app: McrApp) -> str:
    """What the screen shows, without its colours."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


class Desk:
    """One console before one scripted supervisor."""

    def __init__(
        self,
        script: Sequence[LinkMessage],
        palette: Palette | None = None,
        preferences: Preferences | None = None,
        **supervisor: object,
    ) -> None:
        self.clock = FrozenClock()
        self.supervisor = ScriptedSupervisor(script, **cast("dict[str, Any]", supervisor))
        self.app = McrApp(self.supervisor, clock=self.clock, palette=palette or truecolor(), preferences=preferences)

    @property
    def session(self) -> Session:
        return self.app.session

    def text(self) -> str:
        """What the screen shows, without its colours."""
        return screen_text(self.app)

    def spans(self, wanted: str) -> list[Style | None]:
        """The styles with which ``wanted`` is on the screen."""
        return [
            segment.style
            for strip in self.app.screen._compositor.render_strips()
            for segment in strip
            if wanted in segment.text
        ]


def desk_with_list() -> tuple[Desk, EditableList]:
    """Channels 1 and 2, and the list of 2."""
    kids = channel(2, "Kids")
    live = kids.live
    assert live.item is not None
    assert live.next is not None
    kids = kids.model_copy(
        update={
            "live": live.model_copy(
                update={
                    "item": live.item.model_copy(update={"item_id": item_id(2)}),
                    "next": live.next.model_copy(update={"item_id": item_id(3)}),
                }
            )
        }
    )
    found = EditableList(kids)
    return Desk([reset([channel(1, "News"), kids])], editable=found), found


async def settled(pilot: Pilot[None]) -> None:
    """Everything that was told is on the screen, and every picture that was due has come."""
    app = cast("McrApp", pilot.app)
    for _ in range(200):
        await pilot.pause()
        app.tick()
        at_work = any(worker.is_running for worker in app.workers if worker.group not in {"link", "open-ended"})
        if not at_work and not app.session.thumbnails.due() and not app.session.thumbnails.busy:
            break
        await asyncio.sleep(0.02)  # for what works in a thread; what waits for an operator or for ever is given up on
    await pilot.pause()
    app.tick()
    await pilot.pause()


async def forgotten(desk: Desk, pilot: Pilot[None]) -> None:
    """What the screen last told is gone, and no time has passed: what it tells next is of the next key."""
    desk.session.message = ""
    desk.session.desk._notes.clear()
    await settled(pilot)


async def until(met: Callable[[], bool]) -> None:
    """Waits for a condition, at most a minute."""
    for _ in range(3000):
        if met():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came")


_SOON_S = 0.02
"""A timer that is due within so much is waited for: Textual draws at such intervals."""


async def idle(min_sleep: float = 0.0, max_sleep: float = 0.5) -> None:
    """Until nobody is ready to run in this loop, nor soon; ``max_sleep`` counts the time in which it could have run.

    Textual asks the clock of the processor: on a busy machine, where the process did not get any, it takes an app that
    has not even begun for one that rests; and elsewhere it waits longer than needed.
    """
    loop: Any = asyncio.get_running_loop()
    quiet = 0
    for _ in range(int(max_sleep * 1000)):
        await asyncio.sleep(0.001)
        soon = loop.time() + _SOON_S
        is_due = any(timer.when() < soon and not timer.cancelled() for timer in loop._scheduled)
        quiet = 0 if loop._ready or is_due else quiet + 1
        if quiet == 3:
            break


@pytest.fixture(autouse=True)
def steady_textual(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("textual.pilot", "textual.app"):
        monkeypatch.setattr(f"{place}.wait_for_idle", idle)


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the machine's terminal can must not show in a test, and nothing is written to somebody's home."""
    monkeypatch.setenv("MCR_HOME", str(tmp_path / "home"))
    for name in ("NO_COLOR", "MCR_ASCII", "TEXTUAL_ANIMATIONS"):
        monkeypatch.delenv(name, raising=False)
