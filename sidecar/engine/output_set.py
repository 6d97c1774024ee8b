"""Every output of a channel, and what each gets: programme outputs the programme, previews the preview."""

import threading
import time
from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

from sidecar.engine.encoder_settings import gop_frames, preview_format
from sidecar.engine.encoder_thread import FrameJob
from sidecar.engine.output_place import ENCODE_END_S, OutputPlace
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
_LOOK_S = 0.5
_PREVIEW = Output(id="preview", kind="hls", role="preview")


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
        self._leaving: list[OutputPlace] = []
        self._had_hls = any(output.kind == "hls" and output.role != "preview" for output in outputs)
        self.outputs = document.outputs
        self.digest = outputs_digest(document.outputs)
        self._programmes = tuple(self._place(output) for output in outputs if output.role != "preview")
        self._previews = [self._worker(output, preview) for output in outputs if output.role == "preview"]

    def _place(self, output: Output) -> OutputPlace:
        if output.encoding is None:
            return OutputPlace(output, self._worker(output, self._templates))
        worker = self._worker(output, make_templates(self._document.format, output.encoding))
        return OutputPlace(
            output, worker, OwnEncode(self._document.format, output.encoding, worker.put, name=output.id[:8])
        )

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
        its place, thread and session; previews stay as they are. HLS that is changed plays on as it was until the
        channel's next start: an epoch has one playlist."""
        with self._lock:
            if self._is_closed:
                return "leaves the air; nothing was changed"
            there = {place.output.id: place for place in self._programmes}
            spare_hls = [it for it in self._programmes if it.output.kind == "hls" and it.output not in outputs]
            places: list[OutputPlace] = []
            opened: list[OutputPlace] = []
            later = 0
            for output in outputs:
                known = there.get(output.id)
                if known is not None and known.output == output:
                    places.append(known)
                elif output.kind == "hls" and (hls := _same_hls(output, spare_hls)) is not None:
                    spare_hls.remove(hls)
                    places.append(hls.wanted_as(output))
                    later += places[-1].is_otherwise
                elif output.role != "preview":
                    opened.append(self._place(output) if self._may_open(output) else self._unusable(output))
                    places.append(opened[-1])
            kept = {id(place.worker) for place in places}
            left = [place for place in self._programmes if id(place.worker) not in kept]
            self._programmes = tuple(places)
            self.outputs = tuple(outputs)
            self.digest = outputs_digest(outputs)
            if self._is_started:
                self._leave(left)
                self._open(opened)
        said = f"{len(places)} outputs: {len(opened)} opened, {len(left)} ended"
        return f"{said}, {later} to be changed at the next start" if later else said

    def _may_open(self, output: Output) -> bool:
        """An epoch's HLS is one playlist, which was ended: another writer would begin it anew under its players."""
        is_first = output.kind != "hls" or not self._had_hls
        self._had_hls |= output.kind == "hls"
        return is_first

    def _unusable(self, output: Output) -> OutputPlace:
        sink = UnusableSink(output, "its HLS was ended while on air; it comes back at the channel's next start")
        return OutputPlace(output, OutputWorker(output, sink, self._templates, queue_limit=1))

    def _leave(self, places: list[OutputPlace]) -> None:
        self._leaving = [place for place in self._leaving if not place.worker.join(0)]
        for place in places:
            self._leaving.append(place)
            place.leave()

    def _open(self, places: list[OutputPlace]) -> None:
        """A file, a group or a key has one sender at a time: who follows another there waits for its end."""
        for place in places:
            before = [other for other in self._leaving if _where(other.output) == _where(place.output)]
            if not before or place.output.kind == "hls":
                place.start()
                continue
            place.waits = True
            place.start_encode()
            begin = partial(self._begin_after, place, before)
            threading.Thread(target=begin, name=f"opening-{place.output.id[:8]}", daemon=True).start()

    def _begin_after(self, place: OutputPlace, before: Sequence[OutputPlace]) -> None:
        while not all(other.worker.join(_LOOK_S) for other in before):
            if self._is_closed or place not in self._programmes:
                return
        with self._lock:
            if not self._is_closed and place in self._programmes:
                place.waits = False
                place.worker.start()

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
        encodes_until = time.monotonic() + min(ENCODE_END_S, timeout / 2)
        for place in self._programmes:
            place.end_encode()
        self._preview.close()
        for place in sorted(self._programmes, key=lambda place: place.encode is not None):
            place.close(final=final, patience=max(0.0, encodes_until - time.monotonic()))
        self._preview.join(max(0.0, until - time.monotonic()))
        for worker in self._previews:
            worker.close(final=final)
        workers = [*(place.worker for place in (*self._programmes, *self._leaving)), *self._previews]
        ended = [worker.join(max(0.0, until - time.monotonic())) for worker in workers]
        return all(ended)

    def statuses(self) -> tuple[OutputStatus, ...]:
        places = tuple(place.status() for place in self._programmes)
        return (*places, *(worker.status() for worker in self._previews))


def _same_hls(output: Output, spare: Sequence[OutputPlace]) -> OutputPlace | None:
    """The HLS on air that ``output`` goes on with; another one only as programme."""
    same = next((place for place in spare if place.output.id == output.id), None)
    return same or (spare[0] if spare and output.role == "programme" else None)


def _where(output: Output) -> tuple[str, str]:
    return output.kind, output.url.partition("?")[0]
