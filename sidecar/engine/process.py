"""What playout asks of its process: steady threads, and an end that is seen when one of them dies."""

import gc
import logging
import os
import sys
from collections.abc import Callable

log = logging.getLogger(__name__)

EXIT_DIED = 70  # EX_SOFTWARE: the supervisor starts a new one
_SWITCH_INTERVAL_S = 0.001


def steady_threads() -> None:
    """Lets the playout thread have the interpreter within 1 ms (5 is Python's default), and takes everything made
    until now out of the garbage collector's sight, so that no collection lasts."""
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()


def end_process(reason: str, last_words: Callable[[], object]) -> None:
    """Ends the process at once, so that the supervisor sees it: half a playout would be dark in silence.

    ``last_words`` gets what must reach the disk there; it may take a second.
    """
    try:
        log.critical("playout ends: %s", reason)
        last_words()
    finally:
        os._exit(EXIT_DIED)
