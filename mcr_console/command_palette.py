"""The palette: from the same table as the keys."""

from functools import partial
from typing import Final, Protocol, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from mcr_console.keys import ACTIONS, Action

_ABOVE: Final = 1e6
"""More than Textual's score of any match."""


class Doing(Protocol):
    """The app, as far as the palette needs it."""

    def act(self, action_id: str) -> None: ...


def is_offered(action: Action) -> bool:
    """By the palette: it is done without being told more."""
    return bool(action.command) and (not action.argument or action.argument.startswith("["))


def _called(action: Action, query: str) -> float:
    """More than any match of the help where the action is called so, most where that is all of its name."""
    names, wanted = {action.word.casefold(), action.command.casefold()}, query.strip().casefold()
    if wanted in names:
        return 3 * _ABOVE
    if any(name.startswith(wanted) for name in names):
        return 2 * _ABOVE
    return _ABOVE if any(wanted in name for name in names) else 0.0


class Commands(Provider):
    """The palette, from the same table as the keys."""

    async def discover(self) -> Hits:
        for action in ACTIONS:
            if is_offered(action):
                yield DiscoveryHit(action.word, partial(self._do, action.id), help=action.help)

    async def search(self, query: str) -> Hits:
        """Those that are called so come before all whose help only says it: Enter does the first."""
        matcher = self.matcher(query)
        for action in ACTIONS:
            if not is_offered(action):
                continue
            score = _called(action, query) + matcher.match(f"{action.word} {action.help}")
            if score > 0:
                yield Hit(score, matcher.highlight(action.word), partial(self._do, action.id), help=action.help)

    def _do(self, action_id: str) -> None:
        app: object = self.app  # pyright: ignore[reportUnknownMemberType] - App is generic
        cast("Doing", app).act(action_id)
