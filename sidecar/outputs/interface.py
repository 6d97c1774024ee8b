"""The contract of an output."""

from collections.abc import Callable
from typing import Protocol

from sidecar.outputs.packet import Batch
from sidecar.outputs.templates import StreamTemplates
from sidecar.protocol.channel import OutputKind


class Sink(Protocol):
    """One place the programme goes to, driven by one ``OutputWorker`` thread of its own.

    * Any method may block for as long as it likes: only this output stalls, and its status says so.
    * ``open`` and ``write`` raise ``OSError`` or ``av.error.FFmpegError`` when the place fails. The worker then calls
      ``abandon``, waits with backoff and jitter, and opens again; that never ends. What a sink must carry over a
      reopening (an HLS window, totals) it keeps in itself.
    * The first batch after ``open``, and the first after a gap, begins with a keyframe.
    * ``close`` is the clean end of the run and is called once, by the same thread.
    * ``bytes_sent`` and ``segments`` only grow, and may be read from any thread.
    """

    kind: OutputKind
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


MaySend = Callable[[], bool]
"""Whether the lease allows writing at this instant."""
