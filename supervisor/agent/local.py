"""The agent of this very machine, in the supervisor's process."""

import asyncio
import secrets
import signal
import sys
from collections import defaultdict
from collections.abc import Mapping, Set
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final

import httpx
import msgspec
import structlog

from sidecar.protocol.asrun import encode_line
from sidecar.protocol.commands import CommandReply
from sidecar.protocol.status import Status
from supervisor.agent.door import Door, read_door, request_for, stop_request
from supervisor.agent.interface import (
    AgentError,
    EngineAway,
    EpochUsed,
    Exit,
    JournalLine,
    JournalPage,
    JournalRun,
    Launcher,
    LeaseRound,
    NodeCondition,
    NodeReport,
    NotRunning,
    Order,
    SidecarBroken,
    SidecarRefused,
    SidecarReport,
    SidecarSilent,
    StaleEpoch,
    StaleTerm,
    StartFailed,
    StartOrder,
    StillRunning,
    StopOrder,
    StopUnconfirmed,
)
from supervisor.agent.journals import Journals
from supervisor.agent.launching import TOKEN, Directories, identifying, launch_of, new_handle, prepare, remembered
from supervisor.agent.links import Links
from supervisor.agent.media_disk import MediaDisk, MediaDiskBusy
from supervisor.agent.memory import Damaged, Memory
from supervisor.agent.process import ProcessLauncher
from supervisor.agent.watched import Watched, last_words
from supervisor.clock import Clock
from supervisor.nursery import Nursery

log = structlog.get_logger(__name__)

_DOOR_LOOK: Final = 0.05
"""Seconds between looks for a new sidecar's door: it costs start-up time."""
_READY_LOOK: Final = 0.1
_READY: Final = 5.0
"""Seconds between looks whether a new sidecar has decoded its first picture, and for how long it is looked."""
_DOUBT_LOOK: Final = 1.0
"""Seconds between questions to an engine that did not answer."""
_READ: Final = 5.0
"""Seconds for a page of as-run or a thumbnail."""
_ASK, _TERM, _KILL = 4.0, 2.0, 5.0
"""Seconds from each step of a stop to the next: asked, SIGTERM, SIGKILL."""


class LocalAgent:
    """A ``NodeAgent``. ``async with LocalAgent(...) as agent:`` finds this node's sidecars again and watches them.

    Leaving the block closes connections and stops watching; every sidecar plays on. ``leash_fd``, when given, is
    passed to every sidecar it starts: when its other end closes, they leave the air and exit. Nobody but the one
    supervisor of this machine gives it orders, so the highest term it has seen lives as long as it does. It polls its
    sidecars every ``poll`` seconds and gives each ``answer`` seconds.
    """

    def __init__(
        self,
        *,
        agent_dir: Path,
        sidecars_dir: Path,
        journal_dir: Path,
        media_root: Path,
        clock: Clock,
        leash_fd: int | None = None,
        launcher: Launcher | None = None,
        program: tuple[str, ...] = (sys.executable, "-P", "-m", "sidecar"),
        poll: float = 1.0,
        answer: float = 0.8,
    ) -> None:
        self._memory_dir = agent_dir
        self._directories = Directories(sidecars_dir, journal_dir, media_root)
        self._clock = clock
        self._launcher = launcher or ProcessLauncher(leash_fd)
        self._program = program
        self._poll_s = poll
        self._answer_s = answer
        self._journals = Journals(journal_dir)
        self._links = Links(media_root)
        self._memory: Memory
        self._client: httpx.AsyncClient
        self._watched: dict[tuple[str, int], Watched] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._nursery = Nursery(clock)
        self._media_disk = MediaDisk()
        self._number = 0
        self._rounds = 0
        self._news = asyncio.Event()
        self._term = 0
        self._doubtful: set[tuple[str, int]] = set()
        self._boot = secrets.token_hex(8)
        self._exits = AsyncExitStack()

    # Life

    async def __aenter__(self) -> "LocalAgent":
        """Raises OSError when what it remembers cannot be listed."""
        self._memory = await asyncio.to_thread(Memory, self._memory_dir)
        self._client = await self._exits.enter_async_context(
            httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=None, max_keepalive_connections=64))
        )
        self._exits.push_async_callback(self._nursery.close)
        names = await asyncio.to_thread(self._memory.names)
        await asyncio.gather(*(self._find_again_or_doubt(channel_id, epoch) for channel_id, epoch in names))
        self._nursery.keep("polling sidecars", self._poll_rounds)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._exits.aclose()

    async def _find_again_or_doubt(self, channel_id: str, epoch: int) -> None:
        try:
            await self._find_again(channel_id, epoch)
        except EngineAway:
            self._doubt(channel_id, epoch)

    def _doubt(self, channel_id: str, epoch: int) -> None:
        """Whether this one runs is unknown: until that is told, nothing is started for its channel (P2)."""

        async def clear() -> None:
            while True:
                await self._clock.sleep(_DOUBT_LOOK)
                try:
                    await self._find_again(channel_id, epoch)
                except EngineAway:
                    continue
                self._doubtful.discard((channel_id, epoch))
                self._tell()
                return

        self._doubtful.add((channel_id, epoch))
        self._nursery.keep(f"doubt of {channel_id}", clear)

    async def _find_again(self, channel_id: str, epoch: int) -> None:
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
            await asyncio.to_thread(self._memory.put, handle)
        watched = Watched(handle, process)
        self._watched[watched.key] = watched
        # Unknown counts as living: only an exit that was told takes it off the list.
        if await self._launcher.alive(process) != "gone":
            log.info("found a sidecar again", channel=handle.channel_id, epoch=handle.epoch, pid=process.pid)
            self._watch_exit(watched)
            await self._ask(watched)
        else:
            await self._note_exit(watched, await self._launcher.exited(process))

    # Orders

    async def start(self, order: StartOrder) -> int:
        """As in ``NodeAgent``."""
        self._check_term(order.term)
        _check_name(order.channel_id)
        # Never cut short in the middle: once the process exists, its handle must be written.
        return await asyncio.shield(self._nursery.once(f"start of {order.channel_id}", self._start_alone(order)))

    async def _start_alone(self, order: StartOrder) -> int:
        async with self._locks[order.channel_id]:
            known = self._watched.get((order.channel_id, order.epoch))
            if known is not None and known.exit is None:
                return known.process.pid
            try:
                highest = await asyncio.to_thread(self._memory.highest, order.channel_id)
                if order.epoch < highest:
                    raise StaleEpoch(order.channel_id, order.epoch, highest)
                if known is not None:
                    raise EpochUsed(f"epoch {order.epoch} of channel {order.channel_id} {known.exit}")
                for other in self._of(order.channel_id):
                    if other.exit is None:
                        raise StillRunning(order.channel_id, other.handle.epoch, other.process.pid)
                if any(channel_id == order.channel_id for channel_id, _ in self._doubtful):
                    raise StartFailed(
                        f"channel {order.channel_id} is not started while it is unknown whether an earlier start of it"
                        f" runs: {self._launcher.fault}"
                    )
                return (await self._start(order)).process.pid
            except (OSError, Damaged, EngineAway) as error:
                raise StartFailed(f"channel {order.channel_id} could not be started: {error}") from error

    async def _start(self, order: StartOrder) -> Watched:
        handle = new_handle(order, self._directories)
        await asyncio.to_thread(prepare, order, handle, self._memory, self._directories)
        decklink = any(output.kind == "decklink" for output in order.document.outputs)
        launch = launch_of(handle, self._program, self._directories, decklink=decklink)
        try:
            process = await self._launcher.launch(launch)
        except EngineAway:
            self._doubt(order.channel_id, order.epoch)
            raise
        handle = handle.of(process)
        await asyncio.to_thread(self._memory.put, handle)
        watched = Watched(handle, process)
        for older in self._of(order.channel_id):
            del self._watched[older.key]
        self._watched[watched.key] = watched
        self._watch_exit(watched)
        self._nursery.keep(f"door of {order.channel_id}", lambda: self._first_answer(watched))
        return watched

    async def stop(self, order: StopOrder) -> Exit | None:
        """As in ``NodeAgent``: asked first when ``patient``, then SIGTERM, then SIGKILL."""
        self._check_term(order.term)
        async with self._locks[order.channel_id]:
            ended = [
                watched
                for watched in self._of(order.channel_id)
                if watched.handle.epoch <= order.epoch and watched.exit is None
            ]
            for watched in ended:
                try:
                    await self._end(watched, order)
                except EngineAway as error:
                    raise StopUnconfirmed(f"the stop of channel {order.channel_id} is unconfirmed: {error}") from error
            return ended[-1].exit if ended else None

    async def _end(self, watched: Watched, order: StopOrder) -> None:
        if order.patient:
            if watched.door is not None:
                request = stop_request(secrets.token_hex(8), watched.handle.epoch, order.by)
                try:
                    await watched.door.command(request, self._answer_s)
                except AgentError as error:
                    log.info("a sidecar did not take its stop", channel=order.channel_id, said=str(error))
                else:
                    await self._gone(watched, _ASK)
            if watched.exit is None:
                await self._launcher.signal(watched.process, signal.SIGTERM)
                await self._gone(watched, _TERM)
        if watched.exit is None:
            await self._launcher.signal(watched.process, signal.SIGKILL)
            await self._gone(watched, _KILL)
        if watched.exit is None:
            raise StopUnconfirmed(
                f"process {watched.process.pid} of channel {order.channel_id} does not go, not even killed"
            )

    async def _gone(self, watched: Watched, timeout: float) -> None:
        """Waits until the exit is noted, at most ``timeout`` seconds."""
        deadline = self._clock.monotonic() + timeout
        while watched.exit is None:
            left = deadline - self._clock.monotonic()
            if left <= 0:
                return
            await self._wait_for_news(left)

    async def command(self, order: Order, timeout: float) -> CommandReply:
        """As in ``NodeAgent``."""
        self._check_term(order.term)
        watched = self._living(order.channel_id, order.epoch)
        reply = await _open(watched).command(request_for(order), timeout)
        if reply.epoch != order.epoch:
            raise SidecarBroken(f"epoch {reply.epoch} answered an order for epoch {order.epoch}")
        return reply

    async def thumbnail(self, channel_id: str, epoch: int) -> bytes:
        """As in ``NodeAgent``."""
        return await _open(self._living(channel_id, epoch)).thumbnail(_READ)

    # What is seen

    async def report(self, seen: int, wait: float, leases: LeaseRound | None = None) -> NodeReport:
        """As in ``NodeAgent``."""
        if self._number == seen:
            await self._wait_for_news(wait)
        now = self._clock.monotonic()
        return NodeReport(
            self._number,
            self._rounds,
            tuple(watched.report(now) for watched in self._watched.values()),
            self._condition(),
            self._term,
        )

    def _condition(self) -> NodeCondition:
        return NodeCondition(
            incarnation="",
            boot=self._boot,
            version="",
            launcher=self._launcher.kind,
            capabilities=frozenset({"ffmpeg"}),
            devices=(),
            at=self._clock.now(),
            load=None,
            engine_fault=self._launcher.fault,
        )

    async def poll(self, channel_id: str, epoch: int) -> SidecarReport:
        """As in ``NodeAgent``."""
        watched = self._living(channel_id, epoch)
        await self._ask(watched)
        return watched.report(self._clock.monotonic())

    async def _poll_rounds(self) -> None:
        due = self._clock.monotonic()
        while True:
            await asyncio.gather(*(self._ask(watched) for watched in self._watched.values() if watched.exit is None))
            await self._look_at_outputs()
            self._rounds += 1
            self._tell()
            due = max(due + self._poll_s, self._clock.monotonic())
            await self._clock.sleep(due - self._clock.monotonic())

    async def _ask(self, watched: Watched) -> None:
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
        impostor = _is_not(watched, status)
        if impostor:
            watched.missed(impostor)
            return
        now = self._clock.monotonic()
        watched.answered(status, now, now - asked)
        await self._move_links(watched, status)

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
                await self._ask(watched)
            if watched.status is None:
                await self._clock.sleep(_DOOR_LOOK)
        self._tell()
        until = self._clock.monotonic() + _READY
        while watched.exit is None and _decodes_its_first(watched.status) and self._clock.monotonic() < until:
            await self._clock.sleep(_READY_LOOK)
            await self._ask(watched)
        self._tell()

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
        self._tell()
        await self._launcher.forget(watched.process)

    def _exit_of(self, watched: Watched, code: int | None) -> Exit:
        words = last_words(watched.state_dir / "sidecar.log")
        try:
            door = read_door(watched.state_dir)
            run_id = watched.run_id or (door.run_id if door is not None else None)
            item_id = self._journals.last_item(watched.handle.channel_id, run_id) if run_id is not None else None
        except OSError as error:
            log.warning("a journal could not be read", channel=watched.handle.channel_id, why=str(error))
            item_id = None
        return Exit(code, words, item_id)

    # As-run

    async def runs(self, known: Mapping[str, Set[str]]) -> tuple[JournalRun, ...]:
        """As in ``NodeAgent``."""
        found = await asyncio.to_thread(self._journals.runs, known)
        return tuple(JournalRun(channel, run, epoch, self._run_lives(channel, run)) for channel, run, epoch in found)

    async def asrun(self, channel_id: str, run_id: str, after: int, limit: int) -> JournalPage | None:
        """As in ``NodeAgent``: asked of the sidecar while it lives, read from the disk after."""
        _check_name(channel_id)
        _check_name(run_id)
        alive = self._run_lives(channel_id, run_id)
        for watched in self._of(channel_id):
            if watched.exit is None and watched.run_id == run_id and watched.door is not None:
                page = await watched.door.asrun(run_id, after, limit, _READ)
                lines = tuple(JournalLine(encode_line(record), record) for record in page.records)
                return JournalPage(run_id, lines, page.last_seq, alive)
        read = await asyncio.to_thread(self._journals.page, channel_id, run_id, after, limit)
        return None if read is None else JournalPage(run_id, read[0], read[1], alive)

    def _run_lives(self, channel_id: str, run_id: str) -> bool:
        """A sidecar that has not told its run's name yet may be the one."""
        return any(watched.exit is None and watched.run_id in (None, run_id) for watched in self._of(channel_id))

    # Small things

    def _check_term(self, term: int) -> None:
        if term < self._term:
            raise StaleTerm(term, self._term)
        self._term = term

    def _of(self, channel_id: str) -> list[Watched]:
        mine = [watched for watched in self._watched.values() if watched.handle.channel_id == channel_id]
        return sorted(mine, key=lambda watched: watched.handle.epoch)

    def _living(self, channel_id: str, epoch: int) -> Watched:
        watched = self._watched.get((channel_id, epoch))
        if watched is None or watched.exit is not None:
            raise NotRunning(f"no sidecar of epoch {epoch} runs for channel {channel_id}")
        return watched

    def _tell(self) -> None:
        self._number += 1
        self._news.set()
        self._news = asyncio.Event()

    async def _wait_for_news(self, timeout: float) -> None:
        try:
            async with asyncio.timeout(timeout):
                await self._news.wait()
        except TimeoutError:
            return


def _open(watched: Watched) -> Door:
    if watched.door is None:
        raise SidecarSilent(f"the sidecar of channel {watched.handle.channel_id} has not opened its door yet")
    return watched.door


def _decodes_its_first(status: Status | None) -> bool:
    return status is not None and status.state == "muted" and status.next is not None and not status.next.ready


def _is_not(watched: Watched, status: Status) -> str:
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


def _check_name(name: str) -> None:
    if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
        raise ValueError(f"not an id: {name!r}")
