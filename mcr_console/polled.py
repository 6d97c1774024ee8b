"""What is asked for again and again while somebody looks at it: the last good answer, its age, and why it grows old."""

from collections.abc import Callable, Coroutine
from typing import Final, Generic, Protocol, TypeVar

from mcr_console.client import ClientError
from mcr_console.clock import Clock

T = TypeVar("T")
RETRY_S: Final = 2.0


class Question(Protocol):
    """A ``Polled`` whatever it asks for."""

    @property
    def due(self) -> bool: ...
    @property
    def age(self) -> float | None: ...
    @property
    def trouble(self) -> str: ...
    def begin(self) -> Callable[[], Coroutine[None, None, None]]: ...


class Polled(Generic[T]):
    """Never more than one question at a time; the next is due ``every_s`` seconds after the last was answered."""

    def __init__(self, clock: Clock, ask: Callable[[], Coroutine[None, None, T]] | None, every_s: float) -> None:
        self._clock = clock
        self._ask = ask
        self._every_s = every_s
        self._next_at = 0.0
        self._turn = 0
        self._busy = False
        self._answered_at: float | None = None
        self.value: T | None = None
        self.trouble: str = ""

    @property
    def asks(self) -> bool:
        """There is something to ask."""
        return self._ask is not None

    @property
    def due(self) -> bool:
        """It is time to ask, and nobody does."""
        return self._ask is not None and not self._busy and self._clock.monotonic() >= self._next_at

    @property
    def age(self) -> float | None:
        """Seconds since the last good answer; None while there is none."""
        return None if self._answered_at is None else self._clock.monotonic() - self._answered_at

    def about(self, ask: Callable[[], Coroutine[None, None, T]] | None) -> None:
        """Another question: what was answered to the one before is forgotten, and what still comes is not taken."""
        self._ask, self._next_at, self._busy = ask, 0.0, False
        self._turn += 1
        self._answered_at, self.value, self.trouble = None, None, ""

    def again(self) -> None:
        """Something was changed: ask at once."""
        self._next_at = 0.0

    def begin(self) -> Callable[[], Coroutine[None, None, None]]:
        """Takes the turn; what is returned asks."""
        ask, turn = self._ask, self._turn
        self._busy = True

        async def fetch() -> None:
            if ask is None:
                return
            try:
                value = await ask()
            except ClientError as error:
                if turn == self._turn:
                    self.trouble = f"{error.title}: {error.detail} {error.hint}".strip()
                    self._next_at = self._clock.monotonic() + RETRY_S
            else:
                if turn == self._turn:
                    self.value, self.trouble = value, ""
                    self._answered_at = self._clock.monotonic()
                    self._next_at = self._answered_at + self._every_s
            finally:
                if turn == self._turn:
                    self._busy = False

        return fetch
