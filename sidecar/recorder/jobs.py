"""Which job a recording belongs to now. Pure."""

from sidecar.protocol.channel import Item, Playlist


def job_at(jobs: Playlist, wall_ns: int) -> Item | None:
    """The newest whose time has come; None while there is none."""
    due = [item for item in jobs.items if item.fixed_at_ns is None or item.fixed_at_ns <= wall_ns]
    return max(due, key=lambda item: item.fixed_at_ns or 0, default=None)
