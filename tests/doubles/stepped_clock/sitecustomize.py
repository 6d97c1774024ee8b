"""The wall clock of a whole program, stepped by a test while it runs; monotonic clocks run on untouched.

Python imports this first where this folder is on its path. ``MCR_TEST_CLOCK`` names a file that holds the seconds to
add: its change is the step.
"""

import datetime as dt
import os
import threading
import time
from pathlib import Path

import time_machine


def _follow(path: Path) -> None:
    travelling: time_machine.travel | None = None
    seen = 0.0
    while True:
        try:
            offset = float(path.read_text())
        except (OSError, ValueError):
            offset = seen  # not written yet, or half
        if offset != seen:
            if travelling is not None:
                travelling.stop()
            real = dt.datetime.now(dt.UTC)
            travelling = time_machine.travel(real + dt.timedelta(seconds=offset), tick=True)
            travelling.start()
            seen = offset
        time.sleep(0.05)


if "MCR_TEST_CLOCK" in os.environ:
    threading.Thread(target=_follow, args=(Path(os.environ["MCR_TEST_CLOCK"]),), name="clock", daemon=True).start()
