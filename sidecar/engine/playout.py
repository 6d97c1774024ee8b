"""One channel's playout as its control sees it: start muted, arm, command, look, stop."""

import time as deadlines
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfoNotFoundError

import av

from sidecar.engine.command_queue import Applied, CommandQueue, CommandQueueFull
from sidecar.engine.encoder import programme_encoders
from sidecar.engine.encoder_thread import EncoderThread, FrameJob, most_pictures
from sidecar.engine.entrance import Entrance
from sidecar.engine.interface import PlayoutStatus, status_of
from sidecar.engine.live_scout import LiveScout
from sidecar.engine.logo import LogoReader, drawing, read_logo
from sidecar.engine.logo_switch import LogoSwitch
from sidecar.engine.loudness import LoudnessThread
from sidecar.engine.output_set import OutputSet
from sidecar.engine.output_watch import WatchThread
from sidecar.engine.pacing import PlayoutTime, SystemTime
from sidecar.engine.playout_thread import PlayoutThread
from sidecar.engine.process import end_process, steady_threads
from sidecar.engine.slate_thread import SlateThread
from sidecar.engine.source_pool import OpenSource, SourcePool
from sidecar.engine.threads import OnDeath
from sidecar.engine.thumbnail import Thumbnailer
from sidecar.journal.journal import Journal
from sidecar.media.opener import source_of
from sidecar.media.slate import Slate
from sidecar.outputs.interface import LeaseLeft, not_leased
from sidecar.outputs.packet import Batch
from sidecar.protocol.channel import Item, LogoOverride, Look, Output, SidecarDocument
from sidecar.protocol.outputs import look_digest
from sidecar.rundown.clock import Done, Refused, RundownClock
from sidecar.rundown.coming_live import coming_live
from sidecar.rundown.rate import parse_rate

__all__ = ["Applied", "CommandQueueFull", "Entrance", "Playout", "PlayoutStatus"]

_ENCODER_PATIENCE_S = 10
_JOURNAL_LAST_WORDS_S = 1.0


class Playout:
    """Owns every thread between the playlist and the outputs.

    playout thread (one frame at every frame time) -> encoder -> a thread an output; beside them preview, loudness,
    watch, logo and slate. The first two are vital: when one dies the process ends with a reason and exit code 70.
    """

    def __init__(
        self,
        document: SidecarDocument,
        *,
        epoch: int,
        journal: Journal,
        media_root: Path,
        lease_left: LeaseLeft = not_leased,
        open_source: OpenSource = source_of,
        time: PlayoutTime | None = None,
        on_death: OnDeath | None = None,
    ) -> None:
        """``lease_left`` is asked by the outputs whose fencing needs it, from their threads.

        Opens the encoder (some 50 ms). Raises ValueError for a format or a time zone that cannot be.
        """
        clock = SystemTime() if time is None else time
        rate = parse_rate(document.format.rate)
        die = on_death or partial(end_process, last_words=partial(journal.close, _JOURNAL_LAST_WORDS_S))
        self._outputs = OutputSet(document, epoch=epoch, media_root=media_root, lease_left=lease_left)
        self._loudness = LoudnessThread(document.format.sample_rate)
        self._watch = WatchThread(document.format, document.watch)
        self._logo, self._logo_switch = LogoReader(document.logo, document.format, read_logo), LogoSwitch(document.logo)
        self._format = document.format
        self._look: Look = Look(document.logo, document.watch)
        self._encoded_picture: av.VideoFrame | None = None
        try:
            slate = Slate(document.name, document.format, document.time_zone)
        except ZoneInfoNotFoundError as error:
            raise ValueError(f"no such time zone: {document.time_zone}") from error
        self._slate = SlateThread(slate, clock)
        self._time = clock
        pictures, sounds = programme_encoders(document.format, document.encoding)
        self._encoder = EncoderThread(
            pictures,
            sounds,
            deliver=self._deliver,
            finish_picture=self._with_logo,
            most_pictures=most_pictures(document.format),
            most_waiting=round(_ENCODER_PATIENCE_S * rate),
            on_death=die,
        )
        self._commands = CommandQueue(clock)
        self._pool = SourcePool(open_source, document.format)
        self._rundown = RundownClock(document.playlist, rate, document.resume)
        self._rate = rate
        self._scout = LiveScout(self._coming_live)
        self._air = PlayoutThread(
            self._rundown,
            document.format,
            pool=self._pool,
            slate=self._slate,
            encoder=self._encoder,
            commands=self._commands,
            logo=self._logo_switch,
            facts=journal,
            time=clock,
            on_death=die,
        )
        self._thumbnailer = Thumbnailer(self._newest_picture)
        self._arming: Future[Applied] | None = None
        self._has_stopped: bool | None = None

    def start(self) -> None:
        """Opens sources and encoder, muted: no programme output, the rundown does not run."""
        steady_threads()
        self._slate.start()
        self._loudness.start()
        self._watch.start()
        self._logo.start()
        self._scout.start()
        self._encoder.start()
        self._air.start()

    def arm(self, by: str, entrance: Entrance | None = None) -> "Future[Applied]":
        """Enters the air: outputs open, frame 0 leaves now. Once; raises RuntimeError when already armed.

        ``entrance`` says where the list begins, when that is not where the document said: then frame 0 waits for its
        picture, at most ``entrance.PATIENCE_NS``.

        Raises CommandQueueFull, and then may be tried again. Once this returned, the channel enters the air, whether
        or not anybody waits for the answer.
        """
        if self._arming is not None or self._has_stopped is not None:
            raise RuntimeError("the playout was armed or stopped before")

        def act(rundown: RundownClock) -> Done:
            rundown.arm(by)
            return Done("on air", shows=True)

        answer = self._arming = self._commands.put(act)
        self._outputs.start()
        self._air.arm(entrance)
        return answer

    @property
    def arming(self) -> "Future[Applied] | None":
        """What ``arm`` gave when it was called; None before."""
        return self._arming

    def command(self, act: Callable[[RundownClock], Done]) -> "Future[Applied]":
        """Runs ``act`` on the rundown clock between two frames, in the playout thread (it must not block).

        The future ends with ``Applied``, or with what ``act`` raised (``Refused``); when the playout
        stops first it is cancelled, or ``Refused`` where the command was taken but not shown. Raises CommandQueueFull.
        """
        return self._commands.put(act)

    def logo(self, show: LogoOverride, by: str) -> "Future[Applied]":
        """An operator's logo, on or off until what is on air is over; as ``command``. May end with Refused."""

        def act(rundown: RundownClock) -> Done:
            if not self._logo_switch.is_there:
                raise Refused("no_logo", "the channel has no logo")
            if show == "on" and self._logo.made is None:
                raise Refused("no_logo", self._logo.fault)
            said = "as item and channel say" if show == "auto" else f"{show} until the next item"
            done = rundown.note_command("logo", by, f"logo {said}")
            self._logo_switch.set(None if show == "auto" else show == "on")
            return done

        return self._commands.put(act)

    @property
    def outputs(self) -> tuple[Output, ...]:
        """As they were last wanted."""
        return self._outputs.outputs

    def replace_outputs(self, outputs: tuple[Output, ...]) -> str:
        """What the programme goes to from now on; a sentence on what that changed. Outputs that stay are not touched.
        From any thread; takes some 20 ms for an output that encodes for itself."""
        return self._outputs.replace(outputs)

    def replace_look(self, look: Look) -> None:
        """Another logo, or none, and other thresholds of the watch. A logo that is drawn as before is not read again,
        and another takes its place once it is read. For one thread at a time, and never waits."""
        if drawing(look.logo) != drawing(self._look.logo):
            before = self._logo
            self._logo = LogoReader(look.logo, self._format, read_logo, before.made)
            before.close()
            self._logo.start()
        self._logo_switch.use(look.logo)
        self._watch.use(look.watch)
        self._look = look

    def stop(self, by: str, timeout: float, *, final: bool = True) -> bool:
        """Leaves the air cleanly and blocks until outputs have ended, at most ``timeout`` seconds.

        Not ``final``: the channel is to go on in another run, so its players are not told that the programme ended.

        False when an output did not end in time (it is abandoned). May be repeated; also good while muted.
        The rundown's last facts are in the journal's queue when this returns; ``run_end`` is the caller's.
        """
        if self._has_stopped is None:
            until = deadlines.monotonic() + timeout
            self._air.stop(by)
            has_ended = self._air.join(timeout)
            self._encoder.close()
            has_ended &= self._encoder.join(max(0.0, until - deadlines.monotonic()))
            if self._arming is not None:
                has_ended &= self._outputs.close(max(0.0, until - deadlines.monotonic()), final=final)
            self._slate.close()
            self._loudness.close()
            self._watch.close()
            self._logo.close()
            self._scout.close()
            self._has_stopped = has_ended
        return self._has_stopped

    def status(self) -> PlayoutStatus:
        """From any thread, without waiting for another."""
        return status_of(
            self._air.view,
            outputs=self._outputs.statuses(),
            outputs_digest=self._outputs.digest,
            loudness=self._loudness.loudness,
            faults=self._watch.faults,
            logo=self._logo_switch.status(self._logo.fault, is_there=self._logo.made is not None),
            live_faults=self._scout.faults,
            look_digest=look_digest(self._look),
        )

    def thumbnail(self) -> bytes:
        """JPEG, 192 pixels wide, of what is on air, or would be first. Blocks some ms: for a worker thread."""
        return self._thumbnailer.jpeg()

    def _newest_picture(self) -> av.VideoFrame:
        on_air = self._encoded_picture
        if on_air is not None:
            return on_air
        return self._pool.first_picture() or self._slate.picture(self._time.wall_ns())

    def _coming_live(self) -> tuple[Item, ...]:
        view = self._air.view
        on_air, left = view.on_air, 0
        if on_air is not None and on_air.duration is not None and on_air.airing.item.id == view.stands_at:
            left = max(0, on_air.duration - on_air.position)
        return coming_live(self._rundown.playlist, self._rate, self._time.wall_ns(), view.stands_at, left)

    def _with_logo(self, picture: av.VideoFrame) -> av.VideoFrame:
        overlay = self._logo.made
        return picture if overlay is None else overlay.on(picture)

    def _deliver(self, job: FrameJob, batch: Batch) -> None:
        self._loudness.offer(job.sound, job.airing)
        self._watch.offer(job.number, job.picture, job.sound, job.meant)
        if job.picture is not None:
            self._encoded_picture = job.picture
        self._outputs.deliver(job, batch)
