"""Who may write to the store now. The others go on watching meanwhile, and are woken when it is their turn."""

from collections.abc import Callable


class Turns:
    """``places`` at once, first come first served; belongs to one event loop.

    After a power cut a thousand channels want a transaction at the same time. In the store's own queue they would run
    into its deadline, and the leader's lease, which stands in the same queue, with them; and what waits there looks at
    nothing.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: dict[str, Callable[[], None]] = {}
        self._called: set[str] = set()

    def take(self, name: str, wake: Callable[[], None]) -> bool:
        """True: it is your turn, until ``leave``. False: ``wake`` is called when it is, and then ask again."""
        if name in self._called:
            self._called.discard(name)
            return True
        if self._free > 0:
            self._free -= 1
            return True
        self._waiting.setdefault(name, wake)
        return False

    def leave(self) -> None:
        """The turn that was taken is over."""
        if self._waiting:
            name = next(iter(self._waiting))
            wake = self._waiting.pop(name)
            self._called.add(name)
            wake()
        else:
            self._free += 1

    def forgo(self, name: str) -> None:
        """There is nothing to write any more."""
        self._waiting.pop(name, None)
        if name in self._called:
            self._called.discard(name)
            self.leave()
