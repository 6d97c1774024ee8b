"""Where files lie that a person may have read: below folders that an admin named, links resolved. Everything blocks.

It is asked when a path is named, and again of the file that was opened: a link that was changed in between leads
nowhere.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from supervisor.errors import Invalid


@dataclass(frozen=True, slots=True)
class Confined:
    """``roots`` are the folders; ``private`` is this program's own home, of which nothing is read but its media."""

    roots: tuple[Path, ...]
    private: Path | None = None

    def outside(self, paths: Sequence[Path]) -> frozenset[Path]:
        """Those that lie elsewhere."""
        roots = [_resolved(root) for root in self.roots]
        return frozenset(path for path in paths if not self._is_inside(_resolved(path), roots))

    def require_opened(self, descriptor: int, path: Path) -> None:
        """Of an open file or folder. Raises Invalid."""
        if not self._is_inside(_opened(descriptor, path), [_resolved(root) for root in self.roots]):
            raise Invalid(f"{path} leads out of the folders that may be read", hint="Is it a link?")

    def _is_inside(self, real: Path, roots: Sequence[Path]) -> bool:
        if self.private is not None:
            home = _resolved(self.private)
            if real.is_relative_to(home) and not real.is_relative_to(home / "media"):
                return False
        return any(real.is_relative_to(root) for root in roots)


def _opened(descriptor: int, path: Path) -> Path:
    """Where it is by the kernel's own account, if it gives one."""
    try:
        return Path(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115 - Path would resolve nothing else
    except OSError:
        return _resolved(path)


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return Path("/")
