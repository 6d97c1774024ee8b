"""MPEG-TS appended to a file, for recordings and for tests: whole up to its last packets however the process ends."""

import os
import time
from io import FileIO
from pathlib import Path
from typing import Final

from sidecar.outputs.packet import Batch
from sidecar.outputs.programme_stream import USUAL_STREAM, ProgrammeStream
from sidecar.outputs.templates import StreamTemplates
from sidecar.outputs.transport_stream import TS_PACKET, TransportStreamMuxer
from sidecar.protocol.channel import OutputKind
from sidecar.protocol.fencing import Fencing

SYNC_EVERY_S: Final = 2.0
"""What a power cut may cost."""


class FileSink:
    """A ``Sink`` that appends to ``path``; what was there stays, up to its last whole packet.

    A killed process may leave a packet that is cut short, and everything after it would be out of step.
    """

    kind: OutputKind = "file"
    fencing: Fencing = "resource"

    def __init__(self, path: Path, stream: ProgrammeStream = USUAL_STREAM) -> None:
        self._path = path
        self._stream = stream
        self._file: FileIO | None = None
        self._muxer: TransportStreamMuxer | None = None
        self._synced_at = 0.0
        self.bytes_sent = 0
        self.segments = 0

    def open(self, templates: StreamTemplates) -> None:
        self.abandon()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("ab", buffering=0)
        if self._file.seekable():
            size = os.fstat(self._file.fileno()).st_size
            if size % TS_PACKET:
                self._file.truncate(size - size % TS_PACKET)
        self._muxer = self._stream.muxer(templates)
        self._synced_at = time.monotonic()

    def write(self, batch: Batch, *, after_gap: bool) -> None:
        if self._muxer is None:
            raise OSError("the output is not open")
        self._append(self._muxer.mux(batch))

    def abandon(self) -> None:
        if self._muxer is not None:
            self._muxer.finish()
            self._muxer = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def close(self, *, final: bool = True) -> None:
        if self._muxer is not None:
            rest, self._muxer = self._muxer.finish(), None
            try:
                self._append(rest)
                self._sync()
            finally:
                self.abandon()

    def _append(self, chunks: list[bytes]) -> None:
        if self._file is None:
            raise OSError("the output is not open")
        data = memoryview(b"".join(chunks))
        while data:
            written = self._file.write(data)
            self.bytes_sent += written
            data = data[written:]
        if time.monotonic() - self._synced_at >= SYNC_EVERY_S:
            self._sync()

    def _sync(self) -> None:
        if self._file is not None and self._file.seekable():
            os.fdatasync(self._file.fileno())
        self._synced_at = time.monotonic()
