"""Threads whose death somebody sees."""

import sys
import threading
import traceback
from collections.abc import Callable

OnDeath = Callable[[str], None]
"""Told what died and why, from the dying thread."""


def vital_thread(name: str, run: Callable[[], None], on_death: OnDeath) -> threading.Thread:
    """A daemon thread without which there is no air: whatever it raises is reported, never swallowed."""

    def guarded() -> None:
        try:
            run()
        except BaseException as error:
            traceback.print_exc(file=sys.stderr)
            on_death(f"the {name} thread died: {type(error).__name__}: {error}")

    return threading.Thread(target=guarded, name=name, daemon=True)
