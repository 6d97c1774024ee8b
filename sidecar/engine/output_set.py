"""Every output of a channel, and what each gets: programme outputs the programme, previews the preview."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

from msgspec import structs

from sidecar.engine.encoder_settings import gop_frames, preview_format
from sidecar.engine.encoder_thread import FrameJob
from sidecar.engine.own_encode import OwnEncode
from sidecar.engine.preview import PreviewThread
from sidecar.outputs.interface import LeaseLeft
from sidecar.outputs.packet import Batch
from sidecar.outputs.sinks import UnusableSink, live_folder, make_sink, recordings_folder
from sidecar.outputs.templates import StreamTemplates, make_templates
from sidecar.outputs.worker import OutputWorker
from sidecar.protocol.channel import Output, SidecarDocument
from sidecar.protocol.outputs import outputs_digest
from sidecar.protocol.status import OutputStatus
from sidecar.rundown.rate import parse_rate

QUEUE_S = 4
"""Seconds of packets that may wait for one output."""
_ENCODE_END_S = 1.0
_PREVIEW = Output(id="preview", kind="hls", role="preview")


@dataclass(slots=True, eq=False)
class _Place:
    """A programme output, and its own encode where it has one."""

    output: Output
    worker: OutputWorker
    encode: OwnEncode | None = None

    def start(self) -> None:
        self.worker.start()
        if self.encode is not None:
            self.encode.start()

    def offer(self, job: FrameJob, batch: Batch) -> None:
        if self.encode is not None:
            self.encode.offer(job)
        elif batch:
            self.worker.put(batch)

    def close(self, *, final: bool) -> None:
        """What its own encode still holds is encoded first; that ends in the encode's thread."""
        if self.encode is None:
            self.worker.close(final=final)
            return
        self.encode.close()
        self.encode.join(_ENCODE_END_S)
        self.worker.close(final=final)

    def status(self) -> OutputStatus:
        status = self.worker.status()
        if self.encode is None or not self.encode.pictures_left_out:
            return status
        return structs.replace(status, frames_dropped=status.frames_dropped + self.encode.pictures_left_out)


class OutputSet:
    """``deliver`` is the encoder thread's and never waits. A channel always has a preview."""

    def __init__(self, document: SidecarDocument, *, epoch: int, media_root: Path, lease_left: LeaseLeft) -> None:
        self._document = document
        self._epoch = epoch
        self._media_root = media_root
        self._lease_left = lease_left
        self._preview = PreviewThread(document.format, document.encoding, self._deliver_preview)
        self._templates = make_templates(document.format, document.encoding)
        preview = make_templates(preview_format(document.format), document.encoding)
        outputs = document.outputs
        if not any(output.role == "preview" for output in outputs):
            outputs = (*outputs, _PREVIEW)
        self._lock = threading.Lock()  # of whoever changes the set; those who deliver and look take it as it is
        self._is_started = self._is_closed = False
        self._leaving: list[_Place] = []
        self._had_hls = any(output.kind == "hls" and output.role != "preview" for output in outputs)
        self.digest = outputs_digest(document.outputs)
        self._programmes = tuple(self._place(output) for output in outputs if output.role != "preview")
        self._previews = [self._worker(output, preview) for output in outputs if output.role == "preview"]

    def _place(self, output: Output) -> _Place:
        if output.encoding is None:
            return _Place(output, self._worker(output, self._templates))
        worker = self._worker(output, make_templates(self._document.format, output.encoding))
        return _Place(output, worker, OwnEncode(self._document.format, output.encoding, worker.put, name=output.id[:8]))

    def _worker(self, output: Output, templates: StreamTemplates) -> OutputWorker:
        document = self._document
        rate = parse_rate(document.format.rate)
        gop = gop_frames(rate, (output.encoding or document.encoding).gop_ms)
        sink = make_sink(
            output,
            live=live_folder(self._media_root, document.channel_id),
            epoch=self._epoch,
            segment_length=Fraction(gop) / rate,
            lease_left=self._lease_left,
            document=document,
            recordings=recordings_folder(self._media_root, document.channel_id),
        )
        return OutputWorker(output, sink, templates, queue_limit=round(QUEUE_S * rate), lease_left=self._lease_left)

    def start(self) -> None:
        """Opens every output, on its own thread."""
        with self._lock:
            self._is_started = True
            self._preview.start()
            for place in self._programmes:
                place.start()
            for worker in self._previews:
                worker.start()

    def replace(self, outputs: Sequence[Output]) -> str:
        """The programme outputs from now on; a sentence on what that changed. What is the same, word for word, keeps
        its place, thread and session; previews stay as they are."""
        with self._lock:
            if self._is_closed:
                return "leaves the air; nothing was changed"
            there = {place.output.id: place for place in self._programmes}
            places: list[_Place] = []
            opened: list[_Place] = []
            for output in outputs:
                known = there.get(output.id)
                if output.role == "preview":
                    continue
                if known is not None and known.output == output:
                    places.append(known)
                else:
                    opened.append(self._place(output) if self._may_open(output) else self._unusable(output))
                    places.append(opened[-1])
            left = [place for place in self._programmes if place not in places]
            self._programmes = tuple(places)
            self.digest = outputs_digest(outputs)
            for place in opened if self._is_started else ():
                place.start()
            self._leave(left)
        return f"{len(places)} outputs: {len(opened)} opened, {len(left)} ended"

    def _may_open(self, output: Output) -> bool:
        """An epoch's HLS is one playlist, which was ended: another writer would begin it anew under its players."""
        is_first = output.kind != "hls" or not self._had_hls
        self._had_hls |= output.kind == "hls"
        return is_first

    def _unusable(self, output: Output) -> _Place:
        sink = UnusableSink(output, "its HLS was ended while on air; it comes back at the channel's next start")
        return _Place(output, OutputWorker(output, sink, self._templates, queue_limit=1))

    def _leave(self, places: list[_Place]) -> None:
        """Each ends cleanly, and whoever blocks at it blocks a thread of its own."""
        self._leaving = [place for place in self._leaving if not place.worker.join(0)]
        for place in places:
            if self._is_started:
                self._leaving.append(place)
                name = f"leaving-{place.output.id[:8]}"
                threading.Thread(target=partial(place.close, final=True), name=name, daemon=True).start()

    def deliver(self, job: FrameJob, batch: Batch) -> None:
        """One frame's packets, and its picture for the preview and for those that encode it themselves."""
        for place in self._programmes:
            place.offer(job, batch)
        if job.picture is not None:
            self._preview.offer(job.number, job.wall_ns, job.picture)
        sound = tuple(packet for packet in batch if not packet.is_video)
        if sound:
            self._deliver_preview(sound)

    def _deliver_preview(self, batch: Batch) -> None:
        for worker in self._previews:
            worker.put(batch)

    def close(self, timeout: float, *, final: bool) -> bool:
        """The clean end of every output, in ``timeout`` seconds together; False when one of them still blocks."""
        until = time.monotonic() + timeout
        with self._lock:
            self._is_closed = True
        for place in self._programmes:
            place.close(final=final)
        self._preview.close()
        self._preview.join(max(0.0, until - time.monotonic()))
        for worker in self._previews:
            worker.close(final=final)
        workers = [*(place.worker for place in (*self._programmes, *self._leaving)), *self._previews]
        ended = [worker.join(max(0.0, until - time.monotonic())) for worker in workers]
        return all(ended)

    def statuses(self) -> tuple[OutputStatus, ...]:
        places = tuple(place.status() for place in self._programmes)
        return (*places, *(worker.status() for worker in self._previews))
