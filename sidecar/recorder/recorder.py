"""Takes what an input sends and keeps it: files by job and period, gaps to the frame, room on the disk watched."""

import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from av.error import FFmpegError

from sidecar.journal import Journal
from sidecar.protocol.channel import Item, Playlist, SidecarDocument
from sidecar.protocol.recording import Recording, RecordingState, RecordingStatus
from sidecar.recorder.finishing import LEFT_AFTER_S, Finishing, Mended
from sidecar.recorder.fragments import ENDING, FragmentedFile
from sidecar.recorder.jobs import job_at
from sidecar.recorder.media import Coded, InputMedia
from sidecar.recorder.naming import Named, file_name, free_path
from sidecar.recorder.timeline import Placed, Timeline
from sidecar.rundown.model import Airing, Fact
from sidecar.rundown.rate import format_rate

_SILENT_S: Final = 1.0
"""An input that is silent for longer is told as lost, unless it comes in portions."""
_KEPT_BYTES: Final = 64 << 20
_ROOM_S: Final = 1.0
_FIRST_LOOK_S: Final = 2.0
_AGAIN_S: Final = 2.0
"""After a fault of the disk the next file is begun so much later."""
_TRAILS_S: Final = Fraction(1)
"""Sound of a file may come so much later than the first picture of the next."""
_RATE: Final = Fraction(25)

log = logging.getLogger(__name__)


class _Open:
    """The file that is written, and what of the recording it is."""

    def __init__(self, file: FragmentedFile, airing: Airing, media: InputMedia, frame: int, zero: Fraction) -> None:
        self.file, self.airing, self.format, self.first, self.zero = file, airing, media.format, frame, zero


class Recorder:
    """``inputs.Sink``. Thread-safe. ``status``, ``jobs``, ``armed_for`` and ``key`` never wait; all else waits for the
    disk when that hangs.

    ``patience`` is how long the input may be silent by its nature, seconds.
    """

    def __init__(
        self, document: SidecarDocument, what: Recording, *, epoch: int, journal: Journal, folder: Path,
        shown: str, patience: float, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """Raises ValueError for a template or a time zone that cannot be."""
        self._name, self._epoch, self._what = document.name, epoch, what
        self._zone = ZoneInfo(document.time_zone)
        self._folder, self._journal, self._shown = folder, journal, shown
        self._clock = clock
        self._silent_s = max(_SILENT_S, patience if patience > 2 * _SILENT_S else 0)
        self._lock = threading.RLock()
        self._finishing = Finishing(self._mended)
        self._began_at = time.time()
        self._mends_at: float | None = None
        self._timeline = Timeline(_RATE)
        self._jobs = document.playlist
        self._state: RecordingState = "waiting"
        self._detail = ""
        self._armed_at: float | None = None
        self._ended = False
        self._kept: list[Coded] = []
        self._kept_bytes = 0
        self._open: _Open | None = None
        self._trailing: _Open | None = None
        self._needs_key = True
        self._shift = Fraction(0)
        self._age = Fraction(0)
        """Of what is just taken, seconds: it came before it was handed over, or before it could be recorded."""
        self._began = False
        self._lost_frame: int | None = None
        self._cut_at: Fraction | None = None
        self._not_before = 0.0
        self._came_at = 0.0
        self._numbers = 0
        self._segment = 0
        self._job: Item | None = None
        self._counts = {"files": 0, "frames": 0, "gaps": 0, "lost_frames": 0}
        self._free: int | None = None
        self._room_at = 0.0
        self._published = self._status()
        self.key: tuple[str, bytes | None, bytes] | None = None
        """Codec, its configuration, and the last picture that needs no other."""
        file_name(what.template, Named("x", "x", datetime.now(self._zone), 1, 1))

    # --- what it is told --------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """What was left unfinished is finished, and the room that is left looked at before anything is written.

        A disk that does not say it in time holds the recording up no longer: the tick asks it again and again.
        """
        self._finishing.mend(self._folder, time.time(), self._began_at)
        # What was written to a moment ago, before a kill, looked as if somebody still wrote to it.
        self._mends_at = self._clock() + LEFT_AFTER_S + 1
        look = threading.Thread(target=self._look_first, name="room", daemon=True)
        look.start()
        look.join(_FIRST_LOOK_S)

    def arm(self, by: str) -> None:
        """Records from now on, beginning with the last picture that needs no other."""
        with self._lock:
            if self._armed_at is None:
                self._armed_at = self._clock()
                self._journal.write(Fact("on_air", 0, cause="arm", by=by), time.time_ns())

    def replace_jobs(self, jobs: Playlist) -> None:
        self._jobs = jobs

    @property
    def jobs(self) -> Playlist:
        return self._jobs

    @property
    def armed_for(self) -> float | None:
        """Seconds; None before."""
        armed = self._armed_at
        return None if armed is None else self._clock() - armed

    def end(self, by: str, timeout: float) -> bool:
        """Ends the file; whether that went well and what belongs beside it is there."""
        with self._lock:
            self._ended = True
            good = self._end_file("stop", by)
            self._end_trailing()
            self._published = self._status()
        return self._finishing.wait(timeout) and good

    # --- what the input sends ---------------------------------------------------------------------------------------

    def opened(self, media: InputMedia) -> None:
        """As in ``Sink``."""
        with self._lock:
            self._kept, self._kept_bytes = [], 0
            self._needs_key = True
            if media.rate != self._timeline.rate and self._open is not None:
                self._end_file("format")
            self._timeline.restart(media.rate)
            self._journal.count_at(format_rate(media.rate))
            log.info("connected: %s, %s pictures a second", self._shown, media.rate)
            self._published = self._status()

    def came(self, media: InputMedia, one: Coded, behind: Fraction = Fraction(0)) -> None:
        """As in ``Sink``."""
        with self._lock:
            if self._ended:
                return
            if one.is_picture:
                self._came_at = self._clock()
                if one.keyframe:
                    context = media.picture.codec_context
                    self.key = (context.name, context.extradata, bytes(one.packet))
            if self._armed_at is None:
                self._keep(one)
                return
            kept, self._kept = self._kept, []
            for each in (*kept, one):
                self._age = behind + max(Fraction(0), one.dts - each.dts)
                try:
                    self._take(media, each)
                except (OSError, FFmpegError) as error:
                    self._failed(error)
            self._published = self._status()

    def lost(self, why: str) -> None:
        """As in ``Sink``."""
        with self._lock:
            self._needs_key = True
            self._kept = []
            if self._detail != why:
                log.warning("no input: %s", why)
            self._detail = why
            if self._armed_at is not None:
                self._note_lost()
            self._published = self._status()

    # --- once in a while ---------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Some times a second: what was written goes to the disk, and what did not come is noticed."""
        with self._lock:
            files = [one.file for one in (self._open, self._trailing) if one is not None]
            looks = self._clock() - self._room_at >= _ROOM_S
        for file in files:
            try:
                file.sync()
            except (OSError, ValueError) as error:
                log.warning("%s cannot be flushed: %s", file.path, error)
        free = self._look_for_room() if looks else None
        if self._mends_at is not None and self._clock() >= self._mends_at:
            self._mends_at = None
            self._finishing.mend(self._folder, time.time(), self._began_at)
        with self._lock:
            now = self._clock()
            if free is not None:
                self._room_at = now
                self._heed_room(free)
            silent = now - self._came_at > self._silent_s
            if self._armed_at is not None and self._began and silent and not self._ended:
                self._note_lost()
            self._published = self._status()

    def status(self) -> RecordingStatus:
        """As it was after what happened last."""
        return self._published

    def _look_first(self) -> None:
        free = self._look_for_room()
        with self._lock:
            self._heed_room(free)
            self._published = self._status()

    def _look_for_room(self) -> int | OSError:
        """MiB that are free. Without the lock: a disk far away may take its time."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            room = os.statvfs(self._folder)
        except OSError as error:
            return error
        return room.f_bavail * room.f_frsize >> 20

    # --- under the lock ----------------------------------------------------------------------------------------------

    def _status(self) -> RecordingStatus:
        there = self._open
        return RecordingStatus(
            state=self._state,
            input=self._shown,
            detail=self._detail,
            rate=format_rate(self._timeline.rate) if self._began else "",
            title="" if there is None else there.airing.item.title,
            path="" if there is None else str(there.file.path),
            file_frames=0 if there is None else there.file.pictures,
            file_bytes=0 if there is None else there.file.bytes,
            free_mb=self._free,
            **self._counts,
        )

    def _keep(self, one: Coded) -> None:
        if one.is_picture and one.keyframe:
            self._kept, self._kept_bytes = [], 0
        elif not self._kept:
            return
        self._kept_bytes += one.packet.size
        if self._kept_bytes > _KEPT_BYTES:
            self._kept, self._kept_bytes = [], 0
            return
        self._kept.append(one)

    def _take(self, media: InputMedia, one: Coded) -> None:
        if one.is_picture:
            self._take_picture(media, one)
        else:
            self._take_sound(one)

    def _take_picture(self, media: InputMedia, one: Coded) -> None:
        if self._needs_key and not one.keyframe:
            return
        self._needs_key = False
        now = self._clock()
        placed = self._timeline.place(one.dts, now - float(self._age))
        self._began = True
        self._shift = placed.shift
        if placed.missed or self._lost_frame is not None:
            self._came_back(placed)
        time_here = one.dts + placed.shift
        if one.keyframe and self._may_write(now) and self._is_cut(media, time_here):
            self._cut(media, placed, time_here)
        if self._open is not None:
            self._open.file.add(one, placed.shift)
            self._counts["frames"] += 1
            self._state, self._detail = "recording", ""
        if self._trailing is not None and self._open is not None and time_here - self._open.zero > _TRAILS_S:
            self._end_trailing()

    def _take_sound(self, one: Coded) -> None:
        if self._open is None or self._needs_key:
            return
        if self._trailing is not None and one.pts + self._shift < self._open.zero:
            self._trailing.file.add(one, self._shift)
            return
        if self._trailing is not None and self._open.file.pictures:
            self._end_trailing()
        self._open.file.add(one, self._shift)

    def _may_write(self, now: float) -> bool:
        if self._jobs.items and job_at(self._jobs, time.time_ns()) is None:
            return False  # it was started a little before its first job
        return self._state != "no_room" and now >= self._not_before

    def _is_cut(self, media: InputMedia, here: Fraction) -> bool:
        if self._open is None:
            return True
        job = job_at(self._jobs, time.time_ns())
        if job is not None and self._job is not None and job.id != self._job.id:
            return True
        return media.format != self._open.format or (self._cut_at is not None and here >= self._cut_at)

    def _cut(self, media: InputMedia, placed: Placed, here: Fraction) -> None:
        """The next file begins with this picture."""
        job = job_at(self._jobs, time.time_ns()) or Item("0" * 32, self._name)
        is_new = self._job is None or job.id != self._job.id
        changed = self._open is not None and media.format != self._open.format
        cause = "format" if changed else "follow" if is_new else "segment"
        self._end_trailing()
        self._end_file(cause, frame=placed.frame, trails=not changed)
        self._segment = 1 if is_new else self._segment + 1
        self._job = job
        self._cut_at = self._next_cut(here, is_new=is_new)
        at = datetime.now(self._zone)
        name = file_name(self._what.template, Named(self._name, job.title, at, self._segment, self._epoch))
        path = free_path(self._folder, name, ENDING)
        file = FragmentedFile(path, media, here)
        self._numbers += 1
        item = Item(job.id, job.title or self._name, path=str(path), traffic_id=job.traffic_id)
        airing = Airing(self._numbers, item)
        self._open = _Open(file, airing, media, placed.frame, here)
        self._counts["files"] += 1
        start = "arm" if self._numbers == 1 else cause
        early = int(self._age * media.rate)
        said = f"{early} frames before this" if early else ""
        self._journal.write(Fact("item_start", placed.frame, airing, cause=start, detail=said), time.time_ns())
        log.info("records %s", path)

    def _next_cut(self, here: Fraction, *, is_new: bool) -> Fraction | None:
        period = self._what.segment_s
        if not period:
            return None
        if is_new or self._cut_at is None:
            return here + period
        # On the same grid however late the picture was that could begin a file.
        return self._cut_at + period * ((here - self._cut_at) // period + 1)

    def _end_file(self, cause: str, by: str = "", *, frame: int | None = None, trails: bool = False) -> bool:
        """``trails``: late sound of it may still come."""
        there, self._open = self._open, None
        if there is None:
            return True
        end = self._timeline.next_frame if frame is None else frame
        if self._lost_frame is not None:
            lost = self._timeline.missing(self._clock()) if frame is None else 0
            self._timeline.pass_over(lost, self._clock())
            end += lost
            self._close_gap(end, there.airing, cause)
        said = f"{there.file.pictures} pictures in {there.file.path.name}"
        fact = Fact("item_end", end, there.airing, cause=cause, by=by, detail=said, frames=end - there.first)
        self._journal.write(fact, time.time_ns())
        self._trailing = there
        return True if trails else self._end_trailing()

    def _end_trailing(self) -> bool:
        there, self._trailing = self._trailing, None
        if there is None:
            return True
        try:
            there.file.close()
        except (OSError, FFmpegError) as error:
            log.warning("%s could not be ended well: %s", there.file.path, error)
            return False
        finally:
            self._keep_file(there)
        return True

    def _keep_file(self, there: _Open) -> None:
        """It is closed: what it holds is said, and what belongs beside it is made."""
        file = there.file
        if not file.is_named:
            return
        said = f"{file.path.name}: {file.bytes} bytes, sha256 {file.digest}"
        end = self._timeline.next_frame
        self._journal.write(
            Fact("decision", end, there.airing, cause="file", detail=said, frames=file.pictures), time.time_ns()
        )
        self._finishing.finish(file.path, file.digest)

    def _mended(self, one: Mended) -> None:
        """Of an earlier run, whose log does not say it."""
        said = f"{one.path}: {one.bytes} bytes, sha256 {one.digest}"
        with self._lock:
            fact = Fact("decision", self._timeline.next_frame, cause="file", detail=said, frames=one.pictures)
            self._journal.write(fact, time.time_ns())

    def _note_lost(self) -> None:
        if self._lost_frame is not None or self._open is None:
            if self._state == "recording":
                self._state = "no_signal"
            return
        self._lost_frame = self._timeline.next_frame
        self._state = "no_signal"
        self._detail = self._detail or f"nothing comes from it: {self._shown}"
        fact = Fact("live_lost", self._lost_frame, self._open.airing, cause="live lost", detail=self._detail)
        self._journal.write(fact, time.time_ns())

    def _came_back(self, placed: Placed) -> None:
        there = self._open
        if there is not None and self._lost_frame is None:
            self._lost_frame = placed.frame - placed.missed
            fact = Fact("live_lost", self._lost_frame, there.airing, cause="live lost", detail="pictures are missing")
            self._journal.write(fact, time.time_ns())
        if there is not None:
            self._close_gap(placed.frame, there.airing, "live back")

    def _close_gap(self, frame: int, airing: Airing, cause: str) -> None:
        if self._lost_frame is None:
            return
        lost, self._lost_frame = frame - self._lost_frame, None
        if lost:
            self._counts["gaps"] += 1
            self._counts["lost_frames"] += lost
        self._journal.write(Fact("live_back", frame, airing, cause=cause, frames=lost), time.time_ns())

    def _failed(self, error: Exception) -> None:
        """The disk, or a stream that the file cannot hold: this file is over, and another is tried soon."""
        log.error("recording failed: %s", error)
        there, self._open = self._open, None
        self._state, self._not_before = "failed", self._clock() + _AGAIN_S
        self._detail = getattr(error, "strerror", None) or str(error)
        if there is None:
            return
        there.file.abandon()
        self._lost_frame = None
        end = self._timeline.next_frame
        fact = Fact("item_end", end, there.airing, cause="failed", detail=self._detail, frames=end - there.first)
        self._journal.write(fact, time.time_ns())
        self._keep_file(there)

    def _heed_room(self, free: int | OSError) -> None:
        if isinstance(free, OSError):
            self._detail = f"its disk does not answer: {free.strerror}"
            return
        self._free = free
        if self._free < self._what.floor_mb and self._state != "no_room":
            log.error("only %d MiB are left, %d are to stay free", self._free, self._what.floor_mb)
            self._end_file("no room")
            self._state = "no_room"
            self._detail = f"{self._free} MiB are left on its disk, {self._what.floor_mb} are to stay free: make room"
        elif self._state == "no_room" and self._free >= self._what.floor_mb:
            self._state, self._detail = "waiting", ""
