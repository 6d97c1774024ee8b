"""The as-run journal: what aired, on this disk, flushed before it is reported."""

from sidecar.journal.journal import Journal

__all__ = ["Journal"]
