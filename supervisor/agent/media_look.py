"""Which media this node can read: the marker in a root's directory, and each clip by its first byte.

A path that merely exists proves nothing: an unmounted directory exists, and a dead file server's too.
"""

import asyncio
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from supervisor.agent.interface import MediaRootSeen, MediaSeen
from supervisor.errors import Unavailable
from supervisor.threads import Threads

MARKER_FILE: Final = ".mcr-media-root"
MOST_PATHS: Final = 5_000
MOST_ROOTS: Final = 64
_PATIENCE: Final = 4.0
"""Seconds that the disk below one root has for all that is asked of it."""
_MARKER: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_OPEN: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_ELSEWHERE: Final = ""
"""The lane of paths that lie below none of the roots asked for."""


@dataclass(slots=True)
class _Look:
    """One root's part of a question, filled by a thread that may hang half-way."""

    root: str
    paths: list[str]
    marker: MediaRootSeen | None = None
    faults: dict[str, str] = field(default_factory=dict[str, str])
    looked: int = 0

    def run(self) -> None:
        """Blocks."""
        if self.root != _ELSEWHERE:
            self.marker = _marker_of(self.root)
        for path in self.paths:
            fault = _fault_of(path)
            if fault:
                self.faults[path] = fault
            self.looked += 1


class MediaLook:
    """One lane for each root, so that a disk that hangs is a fault of its own paths and of no others.

    Belongs to one event loop. A thread that hangs keeps its root's lane until it comes back.
    """

    def __init__(self) -> None:
        self._lanes: dict[str, Threads] = {}

    async def look(self, roots: Sequence[str], paths: Sequence[str]) -> MediaSeen:
        """As ``NodeAgent.media``. Raises ValueError for more roots or paths than one question may have."""
        if len(paths) > MOST_PATHS or len(roots) > MOST_ROOTS:
            raise ValueError(f"at most {MOST_PATHS} paths and {MOST_ROOTS} roots in one question")
        looks = {root: _Look(root, []) for root in (*roots, _ELSEWHERE)}
        for path in paths:
            looks[_root_of(path, roots)].paths.append(path)
        asked = [look for look in looks.values() if look.root != _ELSEWHERE or look.paths]
        # Side by side: the deadlines of several dead disks must not add up.
        whys = await asyncio.gather(*(self._run(look) for look in asked))
        self._lanes = {root: lane for root, lane in self._lanes.items() if lane.is_full}
        seen: list[MediaRootSeen] = []
        missing: dict[str, str] = {}
        for look, why in zip(asked, whys, strict=True):
            if why:
                # A thread that hangs may move on at any moment: what it finds after this is left to the next look.
                missing |= dict.fromkeys(look.paths[look.looked :], why)
            missing |= look.faults
            if look.root != _ELSEWHERE:
                seen.append(look.marker or MediaRootSeen(look.root, None, why))
        return MediaSeen(tuple(seen), missing)

    async def _run(self, look: _Look) -> str:
        """Why it was not finished; empty when it was."""
        lane = self._lanes.setdefault(look.root, Threads(f"looks below {look.root or 'no root'}", places=1))
        try:
            await lane.run(_PATIENCE, look.run)
        except (TimeoutError, Unavailable):
            return f"the disk did not answer within {_PATIENCE:g} s"
        return ""


def _root_of(path: str, roots: Sequence[str]) -> str:
    """The longest of ``roots`` that ``path`` lies below."""
    pure = PurePosixPath(path)
    return max((root for root in roots if pure.is_relative_to(root)), key=len, default=_ELSEWHERE)


def _marker_of(root: str) -> MediaRootSeen:
    try:
        text = _first_bytes(os.path.join(root, MARKER_FILE), 64).decode("ascii", "replace").strip()  # noqa: PTH118
    except (OSError, ValueError) as error:
        return MediaRootSeen(root, None, f"its marker file {MARKER_FILE} cannot be read: {_said(error)}")
    if _MARKER.fullmatch(text) is None:
        return MediaRootSeen(root, None, f"its marker file {MARKER_FILE} holds no marker")
    return MediaRootSeen(root, text)


def _fault_of(path: str) -> str:
    """Empty when the first byte of a file can be read there."""
    try:
        return "" if _first_bytes(path, 1) else "the file is empty"
    except (OSError, ValueError) as error:
        return _said(error)


def _first_bytes(path: str, count: int) -> bytes:
    """Raises OSError, and ValueError for what can be no path."""
    if not path.startswith("/"):
        raise ValueError("not an absolute path")
    descriptor = os.open(path, _OPEN)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("not a file")
        return os.read(descriptor, count)
    finally:
        os.close(descriptor)


def _said(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
