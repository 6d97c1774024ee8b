"""The contract of an output."""

import math
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from sidecar.outputs.packet import Batch
from sidecar.outputs.templates import StreamTemplates
from sidecar.protocol.channel import OutputKind
from sidecar.protocol.fencing import Fencing
from sidecar.protocol.status import Link

LeaseLeft = Callable[[], float]
"""Seconds for which the lease still runs, 0 when it is over. May be asked from any thread, and never waits."""


def not_leased() -> float:
    """The ``LeaseLeft`` of a channel that is given no leases: nothing of it ever waits for one."""
    return math.inf


class LeaseOver(Exception):
    """The lease ended under way: what was left to write stayed here. Not a failure of the place."""


class Sink(Protocol):
    """One place the programme goes to, driven by one ``OutputWorker`` thread of its own.

    * Any method may block for as long as it likes: only this output stalls, and its status says so.
    * ``open`` and ``write`` raise ``OSError`` or ``av.error.FFmpegError`` when the place fails. The worker then calls
      ``abandon``, waits with backoff and jitter, and opens again; that never ends. What a sink must carry over a
      reopening (an HLS window, totals) it keeps in itself.
    * ``fencing`` says what a lost lease does. ``lease_stop``: the worker opens and writes under a live lease only, and
      ``write`` and ``close`` look again before everything that leaves, raising ``LeaseOver``; the worker then abandons
      it and opens it again under the next lease. ``session``: ``open`` is called under a live lease only, and must be
      over, well or not, when that lease is. The others are never asked for a lease.
    * The first batch after ``open``, and the first after a gap, begins with a keyframe.
    * ``close`` is the clean end of the run and is called once, by the same thread.
    * ``bytes_sent`` and ``segments`` only grow, and may be read from any thread.
    """

    kind: OutputKind
    fencing: Fencing
    bytes_sent: int
    segments: int

    def open(self, templates: StreamTemplates) -> None:
        """Makes ready for a stream as ``templates`` describe it."""
        ...

    def write(self, batch: Batch, *, after_gap: bool) -> None:
        """``after_gap``: batches before this one were dropped because this sink was too slow."""
        ...

    def abandon(self) -> None:
        """Forgets a failed opening without raising; nothing of it is finished."""
        ...

    def close(self, *, final: bool = True) -> None:
        """Finishes what was written. Not ``final``: another epoch goes on, and nobody may be told that it ended.

        Raises as ``write``.
        """
        ...


@runtime_checkable
class Linked(Protocol):
    """A sink whose place answers."""

    def link(self) -> Link | None:
        """None while it is not open. From any thread, and never waits."""
        ...
