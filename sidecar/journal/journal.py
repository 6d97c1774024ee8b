"""The journal as its callers see it: a bounded queue in, flushed numbers out, a thread of its own between."""

from pathlib import Path

from sidecar.protocol.asrun import AsRunPage
from sidecar.rundown.model import Fact


class Journal:
    """Append-only segments below ``<directory>/<run id>/``.

    ``directory`` is the channel's: older runs lie beside this one. No method but ``close`` blocks on the disk of this
    run; ``page`` reads files and is for a worker thread.
    """

    def __init__(self, directory: Path, channel_id: str, run_id: str, epoch: int, rate: str) -> None:
        raise NotImplementedError

    def start(self) -> None:
        """Finds the chain's end in older runs and starts the thread. Raises nothing for a failing disk."""
        raise NotImplementedError

    def write(self, fact: Fact, wall_ns: int) -> None:
        """Hands a fact to the journal's thread; never blocks. ``wall_ns``: UTC in nanoseconds of the frame's due time."""
        raise NotImplementedError

    def page(self, run_id: str, after: int, limit: int) -> AsRunPage | None:
        """Flushed records with ``seq > after``; None for a run that is not on this disk."""
        raise NotImplementedError

    def runs(self) -> tuple[tuple[str, int], ...]:
        """(run id, last readable number) of every run on this disk, oldest first."""
        raise NotImplementedError

    def close(self, timeout: float) -> bool:
        """Flushes and ends the thread; False when the disk did not take everything within ``timeout`` seconds."""
        raise NotImplementedError

    @property
    def last_seq(self) -> int:
        """The highest number that is on disk; 0 before the first."""
        raise NotImplementedError

    @property
    def degraded(self) -> str | None:
        """Why records are only in memory; None when all is well."""
        raise NotImplementedError
