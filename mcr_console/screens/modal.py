"""A screen before another: it takes itself away, and never the one below."""

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

T = TypeVar("T")


class OwnModal(ModalScreen[T]):
    """Textual's ``dismiss`` takes away whatever is on top: called again before the screen is unmounted (by a timer, a
    second Enter, work that ends), it would take the wall, and leave a console that shows nothing."""

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        if not self.is_active:
            return AwaitComplete.nothing()
        return super().dismiss(result)
