"""The thread that puts one frame on the air at every frame time, and waits for nothing else."""

import threading
from collections import deque
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

import av
import numpy as np

from sidecar.engine.command_queue import CommandQueue
from sidecar.engine.encoder_thread import EncoderThread, FrameJob
from sidecar.engine.entrance import Entering, Entrance
from sidecar.engine.logo_switch import LogoSwitch
from sidecar.engine.pacing import PlayoutTime, Timetable, instant
from sidecar.engine.slate_thread import SlateThread
from sidecar.engine.sound import SoundJoiner, amplified
from sidecar.engine.source_pool import SourcePool
from sidecar.engine.threads import OnDeath, vital_thread
from sidecar.media.interface import Samples
from sidecar.protocol.channel import AfterLast, ChannelFormat, Meant
from sidecar.protocol.status import ItemNext, Picture, SidecarState, SkippedItem
from sidecar.rundown.clock import OnAir, RundownClock
from sidecar.rundown.model import Fact, Shown
from sidecar.rundown.output import NO_DATA
from sidecar.rundown.rate import due_ns, frames_in, frames_to_ms, parse_rate, samples_before

_MUTED_PASS_S = 0.02
_SKIPPED_KEPT = 20
_ANSWERED_S = Fraction(3, 25)
"""Seconds after a command's frame in which no source is opened and none closed: both take a core for some 30 ms, and
whoever gave the command is being answered."""
_SOON_S = 2
"""Seconds before an item's end, or a fixed start, from which on what follows is opened at once."""


class FactSink(Protocol):
    """Where facts go; the journal."""

    def write(self, fact: Fact, wall_ns: int) -> None:
        """Never blocks."""
        ...


@dataclass(frozen=True, slots=True)
class AirView:
    """What the playout thread shows of itself: replaced whole at every frame, so readers need no lock."""

    state: SidecarState = "muted"
    frame: int = 0
    late: int = 0
    skipped: int = 0
    picture: Picture = "filler"
    reason: str = "muted"
    on_air: OnAir | None = None
    on_air_since_ns: int = 0
    next: ItemNext | None = None
    hold: bool = False
    playlist_revision: int = 0
    after_last: AfterLast = "filler"
    skipped_items: tuple[SkippedItem, ...] = ()
    hold_left_ms: int | None = None
    dropped: tuple[str, ...] = ()
    since_frame: int | None = None
    """As in ``Status``."""
    stands_at: str | None = None
    """The item that the list goes on after, also while filler or the standby card is on air; None: it begins."""


class PlayoutThread:
    """Owns the rundown clock and the sources. ``view`` and ``last_picture`` may be read by anyone."""

    def __init__(
        self,
        rundown: RundownClock,
        channel: ChannelFormat,
        *,
        pool: SourcePool,
        slate: SlateThread,
        encoder: EncoderThread,
        commands: CommandQueue,
        logo: LogoSwitch,
        facts: FactSink,
        time: PlayoutTime,
        on_death: OnDeath,
    ) -> None:
        self._rundown = rundown
        self._rate: Fraction = parse_rate(channel.rate)
        self._sample_rate = channel.sample_rate
        self._pool = pool
        self._slate = slate
        self._encoder = encoder
        self._commands = commands
        self._logo = logo
        self._facts = facts
        self._time = time
        self._joiner = SoundJoiner(channel.sample_rate)
        self._silences: dict[int, Samples] = {}
        self._was_source = False
        self._started_number: int = -1
        self._started_ns = 0
        self._length: int | None = None
        self._answering_until = 0
        self._skipped_items: deque[SkippedItem] = deque(maxlen=_SKIPPED_KEPT)
        self._armed = threading.Event()
        self._entrance: Entrance | None = None
        self._stop_by: str | None = None
        self._thread = vital_thread("playout", self._run, on_death)
        self.last_picture: av.VideoFrame | None = None
        self.view = self._muted_view()

    def start(self) -> None:
        self._thread.start()

    def arm(self, entrance: Entrance | None = None) -> None:
        """None: the list begins where it was to begin at the start."""
        self._entrance = entrance
        self._armed.set()

    def stop(self, by: str) -> None:
        """No further frame leaves; the rundown's last facts are written."""
        self._stop_by = by
        self._armed.set()

    def join(self, timeout: float) -> bool:
        if self._thread.ident is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # --- the thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._be_muted()
            start_ns = self._enter()
            if self._stop_by is None:
                self._be_on_air(Timetable(start_ns, self._rate))
        finally:
            self._commands.close()
            self._pool.close()

    def _be_muted(self) -> None:
        while not self._armed.is_set():
            self._commands.apply(self._rundown)
            self._rundown.prepare(self._pool.view, self._time.wall_ns())
            self._pool.sync(self._rundown.wanted())
            self.view = self._muted_view()
            self._commands.tell()
            self._armed.wait(_MUTED_PASS_S)

    def _enter(self) -> int:
        """The instant at which frame 0 is due."""
        entrance = self._entrance
        if entrance is None or self._stop_by is not None:
            return self._time.monotonic_ns()
        entering = Entering(entrance, self._rundown, self._pool, self._rate, self._time)
        return entering.run(lambda: self._stop_by is not None)

    def _muted_view(self) -> AirView:
        playlist = self._rundown.playlist
        return AirView(
            next=self._rundown.next_item(self._pool.view),
            hold=self._rundown.is_held,
            playlist_revision=playlist.revision,
            after_last=playlist.after_last,
            stands_at=self._rundown.stands_at,
        )

    def _be_on_air(self, timetable: Timetable) -> None:
        frame = 0
        while True:
            self._time.sleep_until(timetable.due(frame))
            now_ns = self._time.monotonic_ns()
            timetable.pass_over(frame, now_ns)
            is_late = timetable.is_late(frame, now_ns)
            wall_ns = self._time.wall_ns() - (self._time.monotonic_ns() - timetable.due(frame))
            self._commands.apply(self._rundown)
            if self._stop_by is not None:
                self._leave_air(self._stop_by, wall_ns)
                return
            self._tick(frame, wall_ns, timetable.skipped, is_late=is_late)
            frame += 1

    def _tick(self, frame: int, wall_ns: int, skipped: int, *, is_late: bool) -> None:
        shown = self._rundown.tick(self._pool.view, wall_ns)
        picture, sound, came = self._compose(shown, wall_ns)
        self.last_picture = picture
        airing = 0 if shown.airing is None else shown.airing.number
        captions = shown.airing is None or shown.airing.item.captions
        job = FrameJob(frame, wall_ns, picture, sound, airing, _meant(shown), self._logo.decide(shown), captions)
        accepted = self._encoder.put(job)
        if self._commands.is_shown_soon and frame > 0:  # nobody waits at the desk for the way onto the air
            self._answering_until = frame + frames_in(_ANSWERED_S, self._rate)
        self._commands.shown(frame)
        if not shown.late:  # that one the rundown has counted
            self._note_late(came=came, accepted=accepted, is_late=is_late)
        for fact in shown.facts:
            self._record(fact, frame, wall_ns)
        self._publish(shown, wall_ns, skipped)
        self._commands.tell()
        wanted = self._rundown.wanted()
        if frame >= self._answering_until or self._rundown.may_change_within(frames_in(_SOON_S, self._rate)):
            self._pool.sync(wanted)

    def _leave_air(self, by: str, wall_ns: int) -> None:
        for fact in self._rundown.stop(by):
            self._record(fact, self._rundown.frame, wall_ns)
        self.view = replace(
            self.view, state="stopping", picture="filler", reason="stopped", on_air=None, next=None, hold=False
        )

    # --- one frame --------------------------------------------------------------------------------------------------

    def _compose(self, shown: Shown, wall_ns: int) -> tuple[av.VideoFrame, Samples, bool]:
        """The last says whether what the source had promised came."""
        first, end = (samples_before(shown.frame + step, self._rate, self._sample_rate) for step in (0, 1))
        picture, sound, came = self.last_picture, None, True
        if shown.action == "slate":
            picture = self._slate.picture(wall_ns)
        elif shown.action == "source" and shown.airing is not None:
            moment = self._pool.take(shown.airing, end - first)
            if moment is None:
                came = False  # the rundown sees the source as failed in the next frame
            else:
                picture, sound = moment.picture, amplified(moment.sound, shown.airing.item.gain_mb)
        if picture is None:
            picture = self._slate.picture(wall_ns)
        is_source = sound is not None and not shown.silent
        if sound is None or not is_source:
            sound = self._silence(end - first)
        cut = is_source != self._was_source or (is_source and _is_cut(shown.facts))
        self._was_source = is_source
        return picture, self._joiner.join(sound, cut=cut), came

    def _silence(self, samples: int) -> Samples:
        silence = self._silences.get(samples)
        if silence is None:
            silence = self._silences[samples] = np.zeros((2, samples), np.float32)
            silence.flags.writeable = False
        return silence

    def _note_late(self, *, came: bool, accepted: bool, is_late: bool) -> None:
        """A frame that was late for several reasons is late for the first of them."""
        if not came:
            self._rundown.note_late(NO_DATA, "its source gave nothing although it was ready")
        elif not accepted:
            self._rundown.note_late("encoder", "the encoder was behind; the pictures before stood for longer")
        elif is_late:
            self._rundown.note_late("stall", "the playout stood still; the frames left late and were caught up")

    def _record(self, fact: Fact, frame: int, wall_ns: int) -> None:
        """``wall_ns`` is ``frame``'s due time; a fact may be of an earlier one."""
        wall_ns -= due_ns(frame - fact.frame, self._rate)
        self._facts.write(fact, wall_ns)
        if fact.could_not_air and fact.airing is not None:
            item = fact.airing.item
            self._skipped_items.append(SkippedItem(item.id, item.title, fact.detail or fact.cause, instant(wall_ns)))

    def _publish(self, shown: Shown, wall_ns: int, skipped: int) -> None:
        on_air, playlist = self._rundown.on_air, self._rundown.playlist
        if on_air is not None and on_air.airing.number != self._started_number:
            self._started_number, self._started_ns = on_air.airing.number, wall_ns
            self._length = on_air.airing.item.duration_frames
        if on_air is not None and on_air.duration is not None and on_air.duration != self._length:
            self._length = on_air.duration
            self._pool.lengthen(on_air.airing, on_air.duration)
        self.view = AirView(
            state="on_air",
            frame=shown.frame + 1,
            late=self._rundown.frames_late,
            skipped=skipped,
            picture=shown.picture,
            reason=shown.reason,
            on_air=on_air,
            on_air_since_ns=self._started_ns,
            next=self._rundown.next_item(self._pool.view),
            hold=self._rundown.is_held,
            playlist_revision=playlist.revision,
            after_last=playlist.after_last,
            skipped_items=tuple(self._skipped_items),
            hold_left_ms=self._hold_left_ms(),
            dropped=self._rundown.dropped,
            since_frame=self._rundown.since,
            stands_at=self._rundown.stands_at,
        )

    def _hold_left_ms(self) -> int | None:
        frames = self._rundown.hold_left
        return None if frames is None else frames_to_ms(frames, self._rate)


def _is_cut(facts: tuple[Fact, ...]) -> bool:
    """Whether the sound of one item was broken off for another's: not at the end of an item that aired whole."""
    ends = [fact for fact in facts if fact.kind in ("item_end", "filler_end")]
    return any(fact.cause != "ended" for fact in ends)


_STILL_CARD: tuple[Meant, ...] = ("freeze", "silence")


def _meant(shown: Shown) -> tuple[Meant, ...]:
    """A slate that somebody put on air is a still card without sound; filler that nobody asked for is no such."""
    item = None if shown.airing is None else shown.airing.item
    meant = () if item is None else item.meant
    is_card = shown.action == "slate" and (shown.picture == "standby" or (item is not None and item.kind == "slate"))
    return (*meant, *_STILL_CARD) if is_card else meant
