"""One programme output of the set: its thread, its own encode where it has one, and what of it the list now wants."""

import threading
from dataclasses import dataclass
from typing import Final

from msgspec import structs

from sidecar.engine.encoder_thread import FrameJob
from sidecar.engine.own_encode import OwnEncode
from sidecar.outputs.packet import Batch
from sidecar.outputs.worker import OutputWorker
from sidecar.protocol.channel import Output
from sidecar.protocol.status import OutputStatus

ENCODE_END_S: Final = 1.0
LATER: Final = "plays on as it was: its change holds from the channel's next start"


@dataclass(slots=True, eq=False)
class OutputPlace:
    """``output`` is what the list says, ``airs`` what it was opened as: HLS that is changed runs on as it was."""

    output: Output
    worker: OutputWorker
    encode: OwnEncode | None = None
    airs: Output | None = None
    waits: bool = False
    """Its predecessor at the same place has not ended yet."""

    def start(self) -> None:
        self.worker.start()
        self.start_encode()

    def start_encode(self) -> None:
        if self.encode is not None:
            self.encode.start()

    def offer(self, job: FrameJob, batch: Batch) -> None:
        if self.encode is not None:
            self.encode.offer(job)
        elif batch:
            self.worker.put(batch)

    @property
    def is_otherwise(self) -> bool:
        """Whether it airs as something else than the list says."""
        return self.airs is not None and structs.replace(self.airs, id=self.output.id) != self.output

    def wanted_as(self, output: Output) -> "OutputPlace":
        """The same one, for a list that wants it otherwise."""
        return OutputPlace(output, self.worker, self.encode, self.airs or self.output, self.waits)

    def end_encode(self) -> None:
        """What its own encode still holds is encoded first; that ends in the encode's thread."""
        if self.encode is not None:
            self.encode.close()

    def close(self, *, final: bool, patience: float = ENCODE_END_S) -> None:
        """After ``end_encode``."""
        if self.encode is not None:
            self.encode.join(patience)
        self.worker.close(final=final)

    def leave(self) -> None:
        """Its clean end, in a thread of its own: whoever blocks at it blocks that."""

        def end() -> None:
            self.end_encode()
            self.close(final=True)

        threading.Thread(target=end, name=f"leaving-{self.output.id[:8]}", daemon=True).start()

    def status(self) -> OutputStatus:
        status = self.worker.status()
        if self.encode is not None:
            status = structs.replace(status, frames_dropped=status.frames_dropped + self.encode.pictures_left_out)
            if self.encode.fault:
                status = structs.replace(status, state="down", detail=self.encode.fault)
        if self.waits:
            status = structs.replace(status, detail="waits until what was there before it has ended")
        detail = status.detail or (LATER if self.is_otherwise else "")
        return structs.replace(status, id=self.output.id, detail=detail)
