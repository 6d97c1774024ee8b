"""MPEG-TS appended to a file, for recordings and for tests."""

from io import FileIO
from pathlib import Path

from sidecar.outputs.packet import Batch
from sidecar.outputs.templates import StreamTemplates
from sidecar.outputs.transport_stream import TransportStreamMuxer
from sidecar.protocol.channel import OutputKind
from sidecar.protocol.fencing import Fencing


class FileSink:
    """A ``Sink`` that appends to ``path``; what was there stays."""

    kind: OutputKind = "file"
    fencing: Fencing = "resource"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: FileIO | None = None
        self._muxer: TransportStreamMuxer | None = None
        self.bytes_sent = 0
        self.segments = 0

    def open(self, templates: StreamTemplates) -> None:
        self.abandon()
        self._file = self._path.open("ab", buffering=0)
        self._muxer = TransportStreamMuxer(templates)

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
