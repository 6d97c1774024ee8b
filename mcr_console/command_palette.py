"""The palette: from the same table as the keys."""

from functools import partial
from typing import Protocol, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from mcr_console.keys import ACTIONS, Action


class Doing(Protocol):
    """The app, as far as the palette needs it."""

    def act(self, action_id: str) -> None: ...


def is_offered(action: Action) -> bool:
    """By the palette: it is done without being told more."""
    return bool(action.command) and (not action.argument or action.argument.startswith("["))


class Commands(Provider):
    """The palette, from the same table as the keys."""

    async def discover(self) -> Hits:
        for action in ACTIONS:
            if is_offered(action):
                yield DiscoveryHit(action.word, partial(self._do, action.id), help=action.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action in ACTIONS:
            if not is_offered(action):
                continue
            score = matcher.match(f"{action.word} {action.help}")
            if score > 0:
                yield Hit(score, matcher.highlight(action.word), partial(self._do, action.id), help=action.help)

    def _do(self, action_id: str) -> None:
        app: object = self.app  # pyright: ignore[reportUnknownMemberType] - App is generic
        cast("Doing", app).act(action_id)
