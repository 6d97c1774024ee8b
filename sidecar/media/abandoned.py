"""Reading threads that were given up but have not ended: most do within milliseconds, a hung read never does.

Nothing can stop a thread that the kernel keeps in a read, so their number is bounded: one a file, a few a folder
(a dead file server usually takes whole folders), and a limit for all. A healthy file elsewhere still opens.
"""

import threading
import time
from pathlib import PurePath

MOST = 64
MOST_IN_A_FOLDER = 8
_MOST_OF_A_FILE = 3  # while none of them is stuck for certain
_GRACE = 1.0  # seconds an abandoned thread may take to end before it counts as stuck on its file


class Abandoned:
    """All threads given up in this process. No method blocks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: dict[threading.Thread, tuple[str, float]] = {}

    def add(self, thread: threading.Thread, path: str) -> None:
        """``thread`` was told to end while reading ``path``."""
        with self._lock:
            self._threads[thread] = (path, time.monotonic())

    def refusal(self, path: str) -> str:
        """Why ``path`` is better not opened now; empty when it may be."""
        now = time.monotonic()
        with self._lock:
            self._threads = {thread: entry for thread, entry in self._threads.items() if thread.is_alive()}
            stuck = [(held, since) for held, since in self._threads.values() if now - since > _GRACE]
            alive = len(self._threads)
            same = [since for held, since in self._threads.values() if held == path]
        if len(same) >= _MOST_OF_A_FILE or any(held == path for held, _ in stuck):
            return f"reading it has hung for {now - min(same):.0f} s: {path}"
        folder = PurePath(path).parent
        hung_here = sum(PurePath(held).parent == folder for held, _ in stuck)
        if hung_here >= MOST_IN_A_FOLDER:
            return f"{hung_here} files of its folder hang, is its disk or server there? {path}"
        if alive >= MOST:
            return f"{alive} files hang, no more are opened until one of them answers: {path}"
        return ""


abandoned = Abandoned()
