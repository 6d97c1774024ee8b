"""The bounded way from the encoder to one output: a full queue drops up to the next keyframe, and counts."""

import queue
from dataclasses import dataclass

from sidecar.outputs.packet import Batch


@dataclass(frozen=True, slots=True)
class Delivery:
    """A batch, and whether any were dropped before it."""

    batch: Batch
    after_gap: bool


class PacketQueue:
    """``put`` never blocks; it is for the encoder's side, ``get`` for the output's thread.

    ``limit`` counts batches. While the queue is full, and from then on until a keyframe finds it half empty, batches
    are dropped whole, so that an output that comes back begins with pictures it can decode.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._queue: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        self._dropping = True  # nothing can be decoded before the first keyframe
        self._began = False
        self._gap = False
        self.frames_dropped = 0
        """Pictures that this output will not get."""

    def put(self, batch: Batch) -> None:
        depth = self._queue.qsize()
        if self._dropping:
            if not (batch[0].is_video and batch[0].keyframe and depth * 2 < self._limit):
                self._count(batch)
                return
            self._dropping, self._began = False, True
        elif depth >= self._limit:
            self._dropping = True
            self._count(batch)
            return
        self._queue.put(Delivery(batch, self._gap))
        self._gap = False

    def _count(self, batch: Batch) -> None:
        self._gap = self._began
        self.frames_dropped += sum(packet.is_video for packet in batch)

    def close(self) -> None:
        """Nothing follows; ``get`` gives None after what is queued."""
        self._queue.put(None)

    def get(self, timeout: float | None = None) -> Delivery | None:
        """Raises queue.Empty after ``timeout`` seconds."""
        return self._queue.get(timeout=timeout)
