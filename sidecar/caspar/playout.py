"""A channel that a CasparCG server plays: the engine that the sidecar's control sees, and the thread that drives it."""

import asyncio
import logging
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from sidecar.caspar.badge import Badge, logo_place
from sidecar.caspar.consumers import Places
from sidecar.caspar.drive import Drive
from sidecar.caspar.former import Former
from sidecar.caspar.link import Link
from sidecar.caspar.minder import Minder
from sidecar.caspar.outputs import Outputs
from sidecar.caspar.server_config import ServerFolder, wanted_mode
from sidecar.engine.command_queue import Applied, CommandQueue
from sidecar.engine.entrance import Entrance
from sidecar.engine.interface import PlayoutStatus, status_of
from sidecar.engine.pacing import NS, PlayoutTime, SystemTime, instant
from sidecar.engine.playout_thread import AirView, FactSink
from sidecar.engine.process import end_process
from sidecar.engine.threads import OnDeath, vital_thread
from sidecar.engine.thumbnail import Thumbnailer
from sidecar.journal.journal import Journal
from sidecar.media.slate import Slate
from sidecar.outputs.interface import LeaseLeft, not_leased
from sidecar.protocol.channel import CasparServer, LogoOverride, Look, Output, SidecarDocument
from sidecar.protocol.outputs import look_digest
from sidecar.protocol.status import EngineHealth, Loudness, OutputFaults, SkippedItem
from sidecar.rundown.clock import Done, RundownClock
from sidecar.rundown.model import Fact
from sidecar.rundown.rate import frames_to_ms, parse_rate

log = logging.getLogger(__name__)

_SKIPPED_KEPT: Final = 20
_END_NS: Final = 2 * NS
"""Well within what a node waits before it ends a sidecar by force."""
_LOOK_NS: Final = NS // 20
_END_AGAIN_NS: Final = NS // 5
_LAST_WORDS_S: Final = 1.0
_NOT_MEASURED: Final = Loudness(None, None, None)

Pause = Callable[[asyncio.Event, int], Awaitable[None]]
"""Until something woke it, or the monotonic nanosecond has come."""


class CasparPlayout:
    """``engine.interface.Engine`` by a server. One thread with a loop of its own steps the drive."""

    def __init__(
        self,
        document: SidecarDocument,
        *,
        epoch: int,
        journal: Journal,
        media_root: Path,
        folder: Path,
        lease_left: LeaseLeft = not_leased,
        time: PlayoutTime | None = None,
        pause: Pause | None = None,
        reply_s: float = 0.5,
        environment: Mapping[str, str] | None = None,
        on_death: OnDeath | None = None,
    ) -> None:
        """``folder``: this channel's own on this node, for what outlives a run. ``environment``: of a server that is
        started; its own when left out. Raises ValueError for a format, a server's mode or a time zone that cannot be.
        """
        server = document.caspar or CasparServer()
        mode = wanted_mode(server, document.format)
        self._time = SystemTime() if time is None else time
        self._pause = pause or self._real_pause
        self._rate = parse_rate(document.format.rate)
        self._facts: FactSink = journal
        die = on_death or partial(end_process, last_words=partial(journal.close, _LAST_WORDS_S))
        self._slate = Slate(document.name, document.format, document.time_zone)
        self._thumbnailer = Thumbnailer(lambda: self._slate.picture(datetime.now(UTC)))
        self._commands = CommandQueue(self._time)
        self._link = Link(server.host, server.port, self._time.monotonic_ns, reply_s=reply_s)
        self._link.listens_to = server.channel
        self._rundown = RundownClock(document.playlist, self._rate, document.resume)
        has_logo_elsewhere = document.logo is not None and not server.program
        logo = logo_place(server) if has_logo_elsewhere else None
        self._former = Former(folder, server, self._time.monotonic_ns, reply_s, logo)
        self._look = Look(document.logo, document.watch)
        self._badge = Badge(
            document.logo, server, document.format, self._link, self._time.monotonic_ns, self._former.may_use
        )
        self._drive = Drive(
            server,
            self._rundown,
            self._rate,
            link=self._link,
            commands=self._commands,
            record=self._record,
            time=self._time,
            watch=self._badge.see,
            may_use=self._former.may_use,
        )
        self._minder: Minder | None = None
        if server.program:
            self._minder = Minder(server, mode, ServerFolder(folder, media_root), environment)
        self._outputs = Outputs(document, self._link, server.channel, Places(media_root, epoch), lease_left)
        self._skipped_items: deque[SkippedItem] = deque(maxlen=_SKIPPED_KEPT)
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._arming: Future[Applied] | None = None
        self._stop: tuple[str, bool] | None = None
        self._has_ended_well = True
        self._has_stopped: bool | None = None
        self._started_number, self._started_ns = -1, 0
        self._thread = vital_thread("caspar", self._run, die)
        self._view = AirView()

    # --- for any thread ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._badge.start()
        self._thread.start()

    def arm(self, by: str, entrance: Entrance | None = None) -> "Future[Applied]":
        if self._arming is not None or self._has_stopped is not None:
            raise RuntimeError("the playout was armed or stopped before")

        def act(rundown: RundownClock) -> Done:
            rundown.arm(by)
            self._drive.arm(entrance)
            return Done("on air", shows=True)

        answer = self._arming = self._commands.put(act)
        self._hurry()
        return answer

    @property
    def arming(self) -> "Future[Applied] | None":
        return self._arming

    def command(self, act: Callable[[RundownClock], Done]) -> "Future[Applied]":
        answer = self._commands.put(act)
        self._hurry()
        return answer

    def logo(self, show: LogoOverride, by: str) -> "Future[Applied]":
        def act(rundown: RundownClock) -> Done:
            return self._badge.order(rundown, None if show == "auto" else show == "on", by)

        answer = self._commands.put(act)
        self._hurry()
        return answer

    def replace_look(self, look: Look) -> None:
        """The logo; this engine watches no picture."""
        self._badge.use(look.logo)
        self._look = look
        self._hurry()

    @property
    def outputs(self) -> tuple[Output, ...]:
        return self._outputs.outputs

    def replace_outputs(self, outputs: tuple[Output, ...]) -> str:
        loop = self._loop
        if loop is None:
            return "leaves the air; nothing was changed"
        done: Future[str] = Future()

        def replace() -> None:
            try:
                done.set_result(self._outputs.replace(outputs))
            except StopIteration:
                done.set_exception(ValueError("more outputs than a channel can have"))

        loop.call_soon_threadsafe(replace)
        self._hurry()
        return done.result(timeout=1.0)

    def stop(self, by: str, timeout: float, *, final: bool = True) -> bool:
        if self._has_stopped is None:
            self._stop = by, final
            self._hurry()
            if self._thread.ident is not None:
                self._thread.join(timeout)
            self._has_stopped = not self._thread.is_alive() and self._has_ended_well
        return self._has_stopped

    def status(self) -> PlayoutStatus:
        return status_of(
            self._view,
            outputs=self._outputs.statuses,
            outputs_digest=self._outputs.digest,
            loudness=_NOT_MEASURED,
            faults=OutputFaults(),
            logo=self._badge.status(),
            look_digest=look_digest(self._look),
            engine=self._health(),
        )

    def thumbnail(self) -> bytes:
        """The channel's card: no picture of the server's comes here."""
        return self._thumbnailer.jpeg()

    # --- the thread -------------------------------------------------------------------------------------------------

    def _hurry(self) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake.set)

    def _run(self) -> None:
        asyncio.run(self._play())

    def _health(self) -> EngineHealth:
        health, former = self._drive.health, self._former.fault
        if not former:
            return health
        return replace(health, detail=f"{health.detail}; {former}" if health.detail else former)

    def _mind_server(self) -> None:
        """Nobody else's server is driven where ours is not there."""
        if self._minder is not None:
            self._minder.mind(self._time.monotonic_ns())
            self._link.barred = "" if self._minder.is_alive else self._minder.fault or "the server is being started"

    async def _play(self) -> None:
        self._loop = asyncio.get_running_loop()
        former = asyncio.create_task(self._former.run(), name="former servers")
        try:
            while self._stop is None:
                self._wake.clear()
                self._mind_server()
                due_ns = await self._drive.step()
                self._publish()  # an output that the server answers nothing about takes its time
                if self._drive.is_on_air:
                    await self._badge.keep(self._drive.info, self._drive.names)
                    await self._outputs.mind(
                        self._drive.info,
                        self._time.monotonic_ns(),
                        self._time.wall_ns(),
                        moves=self._drive.health.moves,
                    )
                self._publish()
                await self._pause(self._wake, due_ns)
            await self._leave(*self._stop)
        finally:
            self._commands.close()
            self._badge.close()
            former.cancel()
            await asyncio.wait({former})
            await self._former.close()
            await self._link.close()
            self._loop = None

    async def _real_pause(self, woken: asyncio.Event, due_ns: int) -> None:
        wait_s = max(0, due_ns - self._time.monotonic_ns()) / NS
        try:
            await asyncio.wait_for(woken.wait(), wait_s)
        except TimeoutError:
            return

    async def _leave(self, by: str, final: bool) -> None:
        self._drive.leave(by)
        self._publish()
        if final:
            self._has_ended_well = await self._end_server()

    async def _end_server(self) -> bool:
        """Again and again while there is time: a server plays on until it has been told."""
        until_ns = self._time.monotonic_ns() + _END_NS
        is_clear = False
        while not (is_clear and self._former.is_done):
            if self._minder is None or self._minder.is_alive:
                is_clear = await self._drive.clear() and not await self._badge.clear() and await self._outputs.end()
            else:
                is_clear = True  # it is gone, and what it played with it
            if self._time.monotonic_ns() >= until_ns:
                break
            if not (is_clear and self._former.is_done):
                await self._pause(asyncio.Event(), self._time.monotonic_ns() + _END_AGAIN_NS)
        if self._minder is not None:
            is_clear = await self._end_program(self._minder)
        if is_clear and self._former.is_done:
            self._former.forget()
            return True
        why = self._former.fault or self._link.fault
        log.error("the CasparCG server did not confirm the end and may play on: %s", why)
        return False

    async def _end_program(self, minder: Minder) -> bool:
        """By its own word, then by signals: before 2.5 SIGTERM ends it without closing its files."""
        if self._link.is_up:
            await self._link.tried("KILL")
        for number, patience_ns in ((None, 2 * NS), (signal.SIGTERM, NS), (signal.SIGKILL, 2 * NS)):
            until_ns = self._time.monotonic_ns() + patience_ns
            while minder.is_alive and self._time.monotonic_ns() < until_ns:
                if number is not None:
                    minder.end(number)
                await self._pause(asyncio.Event(), self._time.monotonic_ns() + _LOOK_NS)
            if not minder.is_alive:
                return minder.end(signal.SIGKILL)
        return False

    def _record(self, fact: Fact, wall_ns: int) -> None:
        self._facts.write(fact, wall_ns)
        if fact.airing is not None and (fact.could_not_air or self._drive.ticking.never_came(fact)):
            item = fact.airing.item
            self._skipped_items.append(SkippedItem(item.id, item.title, fact.detail or fact.cause, instant(wall_ns)))

    def _publish(self) -> None:
        rundown, ticking = self._rundown, self._drive.ticking
        on_air, playlist = rundown.on_air, rundown.playlist
        is_on_air = self._drive.is_on_air and self._stop is None
        if on_air is not None and on_air.airing.number != self._started_number:
            self._started_number = on_air.airing.number
            self._started_ns = ticking.wall(on_air.started_frame)
        hold_left = rundown.hold_left
        state = "stopping" if self._stop is not None else "on_air" if is_on_air else "muted"
        self._view = AirView(
            state=state,
            frame=rundown.frame,
            late=rundown.frames_late,
            skipped=ticking.skipped,
            picture=rundown.picture if is_on_air else "filler",
            reason="stopped" if self._stop is not None else rundown.reason,
            on_air=on_air if is_on_air else None,
            on_air_since_ns=self._started_ns,
            next=rundown.next_item(ticking.view) if self._stop is None else None,
            hold=rundown.is_held,
            playlist_revision=playlist.revision,
            after_last=playlist.after_last,
            skipped_items=tuple(self._skipped_items),
            hold_left_ms=None if hold_left is None else frames_to_ms(hold_left, self._rate),
            dropped=rundown.dropped,
            since_frame=rundown.since if is_on_air else None,
        )
        self._commands.tell()
