"""Every output of a channel, and what each gets: programme outputs the programme, previews the preview."""

import time
from fractions import Fraction
from pathlib import Path

from sidecar.engine.encoder_settings import gop_frames, preview_format
from sidecar.engine.encoder_thread import FrameJob
from sidecar.engine.preview import PreviewThread
from sidecar.outputs.interface import LeaseLeft
from sidecar.outputs.packet import Batch
from sidecar.outputs.sinks import live_folder, make_sink, recordings_folder
from sidecar.outputs.templates import make_templates
from sidecar.outputs.worker import OutputWorker
from sidecar.protocol.channel import Output, SidecarDocument
from sidecar.protocol.status import OutputStatus
from sidecar.rundown.rate import parse_rate

QUEUE_S = 4
"""Seconds of packets that may wait for one output."""
_PREVIEW = Output(id="preview", kind="hls", role="preview")


class OutputSet:
    """``deliver`` is the encoder thread's and never waits. A channel always has a preview."""

    def __init__(self, document: SidecarDocument, *, epoch: int, media_root: Path, lease_left: LeaseLeft) -> None:
        rate = parse_rate(document.format.rate)
        gop = gop_frames(rate, document.encoding.gop_ms)
        self._preview = PreviewThread(document.format, document.encoding, self._deliver_preview)
        programme = make_templates(document.format, document.encoding)
        preview = make_templates(preview_format(document.format), document.encoding)
        outputs = document.outputs
        if not any(output.role == "preview" for output in outputs):
            outputs = (*outputs, _PREVIEW)
        self._programmes: list[OutputWorker] = []
        self._previews: list[OutputWorker] = []
        for output in outputs:
            is_preview = output.role == "preview"
            worker = OutputWorker(
                output,
                make_sink(
                    output,
                    live=live_folder(media_root, document.channel_id),
                    epoch=epoch,
                    segment_length=Fraction(gop) / rate,
                    lease_left=lease_left,
                    document=document,
                    recordings=recordings_folder(media_root, document.channel_id),
                ),
                preview if is_preview else programme,
                queue_limit=round(QUEUE_S * rate),
                lease_left=lease_left,
            )
            (self._previews if is_preview else self._programmes).append(worker)

    def start(self) -> None:
        """Opens every output, on its own thread."""
        self._preview.start()
        for worker in (*self._programmes, *self._previews):
            worker.start()

    def deliver(self, job: FrameJob, batch: Batch) -> None:
        """One frame's packets, and its picture for the preview."""
        if batch:
            for worker in self._programmes:
                worker.put(batch)
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
        for worker in self._programmes:
            worker.close(final=final)
        self._preview.close()
        self._preview.join(max(0.0, until - time.monotonic()))
        for worker in self._previews:
            worker.close(final=final)
        ended = [worker.join(max(0.0, until - time.monotonic())) for worker in (*self._programmes, *self._previews)]
        return all(ended)

    def statuses(self) -> tuple[OutputStatus, ...]:
        return tuple(worker.status() for worker in (*self._programmes, *self._previews))
