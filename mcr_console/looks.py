"""Theme and order of the wall: chosen by a command, and remembered with screen and filter for the next time."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Protocol

from textual.theme import Theme

from mcr_console.palette import Palette, choose
from mcr_console.preferences import (
    SORT_CALLED,
    SORTS,
    THEME_CALLED,
    THEMES,
    Base,
    Preferences,
    Remembered,
    ThemeName,
    remember,
)
from mcr_console.session import Session


class Host(Protocol):
    """The app, as far as its looks need it."""

    @property
    def no_color(self) -> bool: ...
    def color_system(self) -> str | None: ...
    def use(self, palette: Palette) -> None: ...
    def base(self) -> Base: ...
    def start_work(self, name: str, work: Callable[[], Coroutine[None, None, None]]) -> None: ...


class Looks:
    """What is configured or remembered is taken when the console starts; a palette given by hand stays as it is."""

    def __init__(self, session: Session, preferences: Preferences, host: Host) -> None:
        self._session = session
        self._preferences = preferences
        self._host = host
        self._theme: ThemeName = preferences.theme
        self._is_writing = False
        self._kept = Remembered(
            theme=preferences.theme, screen=preferences.screen, sort=preferences.sort, filter=preferences.filter
        )

    def handlers(self) -> dict[str, Callable[[], None]]:
        """By the ids of the table."""
        return {"theme": self.theme, "sort": self.sort}

    def theme(self, name: str = "") -> None:
        """The one of this name, else the next."""
        wanted = THEME_CALLED.get(name.strip())
        if name.strip() and wanted is None:
            self._session.message = f"no theme {name.strip()!r}; there are {', '.join(THEMES)}"
            return
        self._theme = wanted or THEMES[(THEMES.index(self._theme) + 1) % len(THEMES)]
        palette = choose(
            self._host.color_system(),
            no_color=self._host.no_color,
            ascii_only=self._preferences.ascii_only,
            theme=self._theme,
        )
        self._host.use(palette)
        self._session.message = f"theme {self._theme}: {palette.name}"
        self.remember()

    def sort(self, name: str = "") -> None:
        """By number, name or node, or what needs somebody first; without a name the next of these."""
        wanted = SORT_CALLED.get(name.strip())
        if name.strip() and wanted is None:
            self._session.message = f"no order {name.strip()!r}; there are {', '.join(SORTS)}"
            return
        session = self._session
        session.sort = wanted or SORTS[(SORTS.index(session.sort) + 1) % len(SORTS)]
        session.message = f"sorted by {session.sort}" if session.sort != "trouble" else "trouble first"
        self.remember()

    def remember(self) -> None:
        """Writes what changed, beside the screen."""
        file = self._preferences.state_file
        session = self._session
        now = Remembered(theme=self._theme, screen=self._host.base(), sort=session.sort, filter=session.filter_text)
        if file is None or now == self._kept:
            return
        self._kept = now
        if not self._is_writing:
            self._is_writing = True
            self._host.start_work("remember", partial(self._write, file))

    async def _write(self, file: Path) -> None:
        """One write at a time, the latest last."""
        written: Remembered | None = None
        try:
            while written != self._kept:
                written = self._kept
                await asyncio.to_thread(remember, file, written)
        except OSError as error:
            self._session.message = f"what you chose is not remembered: {file}: {error.strerror}"
        finally:
            self._is_writing = False


def theme_of(palette: Palette) -> Theme:
    """Textual's own widgets, the dialogs', in the palette's colours."""
    ground, panel = palette.ground.bgcolor, palette.panel_focus.bgcolor
    text = palette.strong.color
    signal, warning = palette.signal.color, palette.warning.color
    primary = signal.name if signal is not None else "#ffffff"
    amber = warning.name if warning is not None else "#ffffff"
    return Theme(
        name=f"mcr-{palette.name}",
        primary=primary,
        accent=primary,
        warning=amber,
        error=amber,
        success=primary,
        background=ground.name if ground is not None else "#000000",
        surface=panel.name if panel is not None else "#000000",
        panel=panel.name if panel is not None else "#000000",
        foreground=text.name if text is not None else "#ffffff",
        dark=palette.name != "light",
    )
