"""Threads whose death somebody sees."""

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

OnDeath = Callable[[str], None]
"""Told what died and why, from the dying thread."""


def vital_thread(name: str, run: Callable[[], None], on_death: OnDeath) -> threading.Thread:
    """A daemon thread without which there is no air: whatever it raises is reported, never swallowed."""

    def guarded() -> None:
        try:
            run()
        except BaseException as error:
            try:
                log.critical("the %s thread died", name, exc_info=error)
            finally:
                on_death(f"the {name} thread died: {type(error).__name__}: {error}")

    return threading.Thread(target=guarded, name=name, daemon=True)
