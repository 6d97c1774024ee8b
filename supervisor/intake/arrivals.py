"""When a file that comes in is whole: what is still being written is arriving, not broken, and is not read. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

LOOKS: Final = 2
"""Looks in a row at which a file must be as it was at the one before."""
OLD_NS: Final = 60 * 1_000_000_000
"""A file that was last written so long ago is whole at the first look."""
_PARTIAL: Final = frozenset(
    {".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".download", ".upload", ".incomplete", ".!ut"}
)
"""Endings of names that programs give to what they still write."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file at one look. ``name`` is relative to the folder; ``inode`` is what stays when it is renamed."""

    name: str
    size_bytes: int
    mtime_ns: int
    inode: int

    @property
    def stamp(self) -> tuple[int, int]:
        """Another one after every change that a look can see."""
        return self.size_bytes, self.mtime_ns


@dataclass(slots=True)
class _Known:
    stamp: tuple[int, int]
    unchanged: int


class Arrivals:
    """Of one folder, fed with every look at it. ``looks``: how many in a row must show no change."""

    def __init__(self, looks: int = LOOKS) -> None:
        self._looks = looks
        self._known: dict[str, _Known] = {}
        self._inodes: dict[int, tuple[str, tuple[int, int]]] = {}

    def whole(self, entries: Sequence[Entry], now_ns: int) -> frozenset[str]:
        """The names of those that nobody writes any more; the others are arriving. ``now_ns``: wall clock.

        Whole is what did not change for ``looks`` looks, what is old when it is first seen, and what was renamed: seen
        before under another name with the same content.
        """
        known: dict[str, _Known] = {}
        for entry in entries:
            was = self._known.get(entry.name)
            if was is not None:
                known[entry.name] = _Known(entry.stamp, was.unchanged + 1 if was.stamp == entry.stamp else 0)
                continue
            before = self._inodes.get(entry.inode)
            renamed = before is not None and before[0] != entry.name and before[1] == entry.stamp
            is_old = 0 <= entry.mtime_ns <= now_ns - OLD_NS and entry.size_bytes > 0
            known[entry.name] = _Known(entry.stamp, self._looks if renamed or is_old else 0)
        self._known = known
        self._inodes = {entry.inode: (entry.name, entry.stamp) for entry in entries}
        return frozenset(name for name, one in known.items() if one.unchanged >= self._looks and not is_partial(name))

    def changed(self, name: str) -> None:
        """It turned out that somebody still writes it: the looks begin anew."""
        if name in self._known:
            self._known[name].unchanged = 0


def is_partial(name: str) -> bool:
    """Whether the name says that the file is not whole."""
    path = PurePosixPath(name)
    return path.suffix.lower() in _PARTIAL or path.name.endswith("~")
