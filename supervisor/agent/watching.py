"""Keeping an eye on this node's sidecars: found again, polled, witnessed, and seen to exit."""

import asyncio
from datetime import datetime
from typing import Final

import httpx
import msgspec
import structlog

from sidecar.protocol.status import Status
from supervisor.agent.door import Door, read_door
from supervisor.agent.interface import EngineAway, Exit, Left, NotRunning, SidecarBroken, SidecarRefused, SidecarSilent
from supervisor.agent.journals import Journals
from supervisor.agent.launcher import Launcher
from supervisor.agent.launching import TOKEN, Directories, identifying, remembered
from supervisor.agent.links import Links
from supervisor.agent.media_disk import MediaDisk, MediaDiskBusy
from supervisor.agent.memory import Damaged, Memory
from supervisor.agent.news import News
from supervisor.agent.watched import Watched, last_words
from supervisor.clock import Clock
from supervisor.nursery import Nursery

log = structlog.get_logger(__name__)

_DOOR_LOOK: Final = 0.05
"""Seconds between looks for a new sidecar's door: it costs start-up time."""
_DOUBT_LOOK: Final = 1.0
"""Seconds between questions to an engine that did not answer."""
_READY_LOOK: Final = 0.1
_READY: Final = 5.0
"""Seconds between looks whether a new sidecar has decoded its first picture, and for how long it is looked."""


class Watching:
    """All sidecars of one node. Polls them every ``poll`` seconds and gives each ``answer`` seconds."""

    def __init__(
        self,
        *,
        memory: Memory,
        directories: Directories,
        launcher: Launcher,
        journals: Journals,
        client: httpx.AsyncClient,
        clock: Clock,
        nursery: Nursery,
        poll: float,
        answer: float,
    ) -> None:
        self._memory = memory
        self._directories = directories
        self._launcher = launcher
        self._journals = journals
        self._links = Links(directories.media)
        self._client = client
        self._clock = clock
        self._nursery = nursery
        self._poll_s = poll
        self._answer_s = answer
        self._media_disk = MediaDisk()
        self._watched: dict[tuple[str, int], Watched] = {}
        self._doubtful: set[tuple[str, int]] = set()
        self.news = News()
        self.rounds = 0

    # Who is watched

    def all(self) -> tuple[Watched, ...]:
        """Those included whose exit is known."""
        return tuple(self._watched.values())

    def of(self, channel_id: str) -> list[Watched]:
        """The channel's, by epoch."""
        mine = [watched for watched in self._watched.values() if watched.handle.channel_id == channel_id]
        return sorted(mine, key=lambda watched: watched.handle.epoch)

    def find(self, channel_id: str, epoch: int) -> Watched | None:
        return self._watched.get((channel_id, epoch))

    def living(self, channel_id: str, epoch: int) -> Watched:
        """Raises NotRunning."""
        watched = self._watched.get((channel_id, epoch))
        if watched is None or watched.exit is not None:
            raise NotRunning(f"no sidecar of epoch {epoch} runs for channel {channel_id}")
        return watched

    async def find_again(self) -> None:
        """Takes up what an earlier agent of this node started. Raises OSError when that cannot be listed."""
        names = await asyncio.to_thread(self._memory.names)
        await asyncio.gather(*(self._take_up_or_doubt(channel_id, epoch) for channel_id, epoch in names))

    def is_doubtful(self, channel_id: str) -> bool:
        """It is unknown whether an earlier start for this channel came to life."""
        return any(doubtful == channel_id for doubtful, _ in self._doubts())

    @property
    def doubt(self) -> str:
        """Why the sidecars listed may not be all; empty when they are."""
        channels = sorted({channel_id for channel_id, _ in self._doubts()})
        return f"it is not told yet whether a start came to life of {', '.join(channels)}" if channels else ""

    def _doubts(self) -> set[tuple[str, int]]:
        return self._doubtful - self._watched.keys()

    def begin_doubt(self, channel_id: str, epoch: int) -> None:
        """Whether this one was started is unknown: it is asked until the engine tells."""

        async def clear() -> None:
            while True:
                await self._clock.sleep(_DOUBT_LOOK)
                try:
                    await self._take_up(channel_id, epoch)
                except EngineAway:
                    continue
                self._doubtful.discard((channel_id, epoch))
                self.news.tell()
                return

        self._doubtful.add((channel_id, epoch))
        self._nursery.keep(f"doubt of {channel_id}", clear)

    async def _take_up_or_doubt(self, channel_id: str, epoch: int) -> None:
        try:
            await self._take_up(channel_id, epoch)
        except EngineAway:
            self.begin_doubt(channel_id, epoch)

    async def _take_up(self, channel_id: str, epoch: int) -> None:
        handle = await asyncio.to_thread(remembered, channel_id, epoch, self._memory, self._directories)
        process = handle.identity
        if process is None:
            # We were ended between the start and the note of it, or the note is broken: the process itself knows.
            process = await self._launcher.find(identifying(handle))
            if process is None:
                await asyncio.to_thread(self._memory.drop, channel_id, epoch)
                return
            token = handle.token or await self._launcher.variable(process, TOKEN) or ""
            handle = msgspec.structs.replace(handle, token=token).of(process)
            await asyncio.to_thread(self._memory.complete, handle)
        watched = Watched(handle, process)
        self._watched[watched.key] = watched
        # Unknown counts as living: only an exit that was told takes it off the list.
        if await self._launcher.alive(process) != "gone":
            log.info("found a sidecar again", channel=handle.channel_id, epoch=handle.epoch, pid=process.pid)
            self._watch_exit(watched)
            await self.ask(watched)
        else:
            await self._note_exit(watched, await self._launcher.exited(process))

    def watch(self, watched: Watched) -> None:
        """A sidecar just started. Of its channel's others, those that are gone are forgotten."""
        for older in self.of(watched.handle.channel_id):
            if older.exit is not None:
                del self._watched[older.key]
        self._watched[watched.key] = watched
        self._watch_exit(watched)
        self._nursery.keep(f"door of {watched.handle.channel_id}", lambda: self._first_answer(watched))

    # Polling

    def begin(self) -> None:
        """Polls from now on."""
        self._nursery.keep("polling sidecars", self._poll_rounds)

    async def _poll_rounds(self) -> None:
        due = self._clock.monotonic()
        while True:
            await asyncio.gather(*(self.ask(watched) for watched in self._watched.values() if watched.exit is None))
            await self._look_at_outputs()
            self.rounds += 1
            self.news.tell()
            due = max(due + self._poll_s, self._clock.monotonic())
            await self._clock.sleep(due - self._clock.monotonic())

    async def ask(self, watched: Watched) -> None:
        """Asks it once; what comes of it is noted."""
        if watched.apart_until > self._clock.monotonic():
            watched.missed("a drill keeps it apart")
            return
        if watched.door is None:
            await self._open_door(watched)
        if watched.door is None:
            watched.missed("it has not opened its door yet")
            return
        asked = self._clock.monotonic()
        try:
            status = await watched.door.status(self._answer_s)
        except SidecarRefused as error:
            watched.missed(f"it refuses to answer: {error}")
            return
        except (SidecarSilent, SidecarBroken) as error:
            watched.missed(str(error))
            return
        impostor = is_not(watched, status)
        if impostor:
            watched.missed(impostor)
            return
        now = self._clock.monotonic()
        watched.answered(status, now, now - asked)
        await self._move_links(watched, status)

    async def _open_door(self, watched: Watched) -> None:
        found = await asyncio.to_thread(read_door, watched.state_dir)
        if found is None:
            return
        base = await self._launcher.door(watched.process, found.port, found.pid)
        if base is not None:
            watched.door = Door(self._client, base, watched.handle.token)
            watched.run_id, watched.answers_as = found.run_id, found.pid

    async def _first_answer(self, watched: Watched) -> None:
        """Until it answers and what it begins with is decoded: its start waits for nothing else."""
        while watched.exit is None and watched.status is None:
            await self._open_door(watched)
            if watched.door is not None:
                await self.ask(watched)
            if watched.status is None:
                await self._clock.sleep(_DOOR_LOOK)
        self.news.tell()
        until = self._clock.monotonic() + _READY
        while watched.exit is None and _decodes_its_first(watched.status) and self._clock.monotonic() < until:
            await self._clock.sleep(_READY_LOOK)
            await self.ask(watched)
        self.news.tell()

    # The media disk

    async def _move_links(self, watched: Watched, status: Status) -> None:
        ready = {output.role for output in status.outputs if output.kind == "hls" and output.segments >= 1}
        if ready <= watched.linked:
            return
        try:
            if await asyncio.to_thread(self._memory.highest, status.channel_id) != status.epoch:
                return
            await self._media_disk.do(lambda: self._links.move(status))
        except (OSError, Damaged, MediaDiskBusy) as error:
            # Tried again with the next answer; the air itself needs no link.
            log.warning("the public playlist could not be moved", channel=status.channel_id, why=repr(error))
        else:
            watched.linked |= ready

    async def _look_at_outputs(self) -> None:
        living = [watched for watched in self._watched.values() if watched.exit is None]
        try:
            stamps = await self._media_disk.do(lambda: [self._links.changed_ns(*watched.key) for watched in living])
        except MediaDiskBusy:
            return
        now = self._clock.monotonic()
        for watched, stamp in zip(living, stamps, strict=True):
            watched.witness(stamp, now)

    # Exits

    async def gone(self, watched: Watched, timeout: float) -> None:
        """Waits until the exit is noted, at most ``timeout`` seconds."""
        deadline = self._clock.monotonic() + timeout
        while watched.exit is None:
            left = deadline - self._clock.monotonic()
            if left <= 0:
                return
            await self.news.wait(left)

    def _watch_exit(self, watched: Watched) -> None:
        self._nursery.keep(f"exit of {watched.handle.channel_id}", lambda: self._await_exit(watched))

    async def _await_exit(self, watched: Watched) -> None:
        code = await self._launcher.exited(watched.process)
        await self._note_exit(watched, code)

    async def _note_exit(self, watched: Watched, code: int | None) -> None:
        watched.exit = await asyncio.to_thread(self._exit_of, watched, code)
        log.info(
            "a sidecar is gone", channel=watched.handle.channel_id, epoch=watched.handle.epoch, how=str(watched.exit)
        )
        self.news.tell()
        await self._launcher.forget(watched.process)

    def _exit_of(self, watched: Watched, code: int | None) -> Exit:
        words = last_words(watched.state_dir / "sidecar.log")
        try:
            door = read_door(watched.state_dir)
            run_id = watched.run_id or (door.run_id if door is not None else None)
            place = self._journals.last_place(watched.handle.channel_id, run_id) if run_id is not None else None
        except OSError as error:
            log.warning("a journal could not be read", channel=watched.handle.channel_id, why=str(error))
            place = None
        if isinstance(place, Left):
            return Exit(code, words, left=place)
        return Exit(code, words, place)


def _decodes_its_first(status: Status | None) -> bool:
    return status is not None and status.state == "muted" and status.next is not None and not status.next.ready


def is_not(watched: Watched, status: Status) -> str:
    """Why an answer is not this sidecar's; empty when it is."""
    if status.channel_id != watched.handle.channel_id:
        return f"it answers for channel {status.channel_id}"
    if status.epoch != watched.handle.epoch:
        return f"it answers for epoch {status.epoch}"
    if status.pid != watched.answers_as:
        return f"it answers as process {status.pid}"
    if status.run_id != watched.run_id:
        # Only who wrote the file beside its port, which nobody else can read, knows this name.
        return f"it answers for run {status.run_id}"
    instants = (
        status.at,
        *(() if status.item is None else (status.item.started_at,)),
        *(it.at for it in status.skipped),
    )
    if not all(map(_is_instant, instants)):
        return "it tells no instant that can be read"
    return ""


def _is_instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
