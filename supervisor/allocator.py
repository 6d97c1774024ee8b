"""What the C library is told of this process: many threads that begin and end (as in the sidecar's)."""

import ctypes
from typing import Final

_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
"""Both of glibc's malloc.h."""
ARENAS: Final = 2
LARGE_BYTES: Final = 64 << 10


def keep_memory_small() -> None:
    """Before there are other threads; does nothing where the C library is another.

    glibc gives every thread one of eight heaps a core, and what was freed in one serves no other: each of them grows
    until it has held the most that ever met in it. Every connection to SQLite and every look at a file has a thread of
    its own here. With two heaps, and what is large mapped by itself and given back at once, a log that is read to be
    proven leaves nothing behind.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_M_ARENA_MAX, ARENAS)
    mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
