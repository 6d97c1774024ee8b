"""What the C library is told of this process: many threads that begin and end, and buffers of whole pictures."""

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
    until it has held the most that ever met in it. Every item's reader is a new thread, so that a channel of 320x180
    grew from 80 to 180 MiB within two minutes of seams, of which 46 were in use. With two heaps, and what is large
    mapped by itself and given back at once, it stays at 75.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_M_ARENA_MAX, ARENAS)
    mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
