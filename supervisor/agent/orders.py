"""What a leader orders of a node's sidecars: start, stand by, stop, and words passed on."""

import asyncio
import secrets
import signal
from collections import defaultdict

import structlog

from sidecar.protocol.commands import CommandReply
from supervisor.agent.door import Door, request_for, stop_request
from supervisor.agent.interface import (
    AgentError,
    Arm,
    EngineAway,
    EpochUsed,
    Exit,
    Order,
    SidecarBroken,
    SidecarSilent,
    StaleEpoch,
    StartFailed,
    StartOrder,
    StillRunning,
    StopOrder,
    StopUnconfirmed,
)
from supervisor.agent.launcher import Launcher
from supervisor.agent.launching import Directories, launch_of, new_handle, prepare
from supervisor.agent.memory import Damaged, Memory
from supervisor.agent.names import check_name
from supervisor.agent.terms import Terms
from supervisor.agent.watched import Watched
from supervisor.agent.watching import Watching, is_not
from supervisor.clock import Clock
from supervisor.nursery import Nursery

log = structlog.get_logger(__name__)

_ASK, _TERM, _KILL = 4.0, 2.0, 5.0
"""Seconds from each step of a stop to the next: asked, SIGTERM, SIGKILL."""


class Orders:
    """Obeys or refuses, one order of a channel at a time; words to a running sidecar wait for no other order."""

    def __init__(
        self,
        *,
        terms: Terms,
        memory: Memory,
        directories: Directories,
        launcher: Launcher,
        watching: Watching,
        program: tuple[str, ...],
        nursery: Nursery,
        answer: float,
        clock: Clock,
    ) -> None:
        self._clock = clock
        self._terms = terms
        self._memory = memory
        self._directories = directories
        self._launcher = launcher
        self._watching = watching
        self._program = program
        self._nursery = nursery
        self._answer_s = answer
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._ended: dict[str, int] = {}
        """By channel the highest epoch that a stop was for: a start of it that was slow on its way comes too late. An
        order does not outlive the agent that it was sent to, so this is not on disk."""

    async def start(self, order: StartOrder, *, beside: bool) -> int:
        """The pid. ``beside``: an older sidecar of the channel may live meanwhile."""
        check_name(order.channel_id)
        try:
            await self._terms.insist(order.term)
        except OSError as error:
            raise StartFailed(f"channel {order.channel_id} could not be started: {error}") from error
        # Never cut short in the middle: once the process exists, its handle must be written.
        work = self._start_alone(order, beside=beside)
        return await asyncio.shield(self._nursery.once(f"start of {order.channel_id}", work))

    async def _start_alone(self, order: StartOrder, *, beside: bool) -> int:
        async with self._locks[order.channel_id]:
            # A newer leader may have come while this order waited for the one before it.
            self._terms.check(order.term)
            known = self._watching.find(order.channel_id, order.epoch)
            if known is not None and known.exit is None:
                return known.process.pid
            try:
                highest = await asyncio.to_thread(self._memory.highest, order.channel_id)
                if order.epoch < highest:
                    raise StaleEpoch(order.channel_id, order.epoch, highest)
                if known is not None:
                    raise EpochUsed(f"epoch {order.epoch} of channel {order.channel_id} {known.exit}")
                if order.epoch <= self._ended.get(order.channel_id, 0):
                    raise EpochUsed(
                        f"epoch {order.epoch} of channel {order.channel_id} was ended before its start came"
                    )
                older = self._living(order.channel_id)
                if older and not beside:
                    raise _still_running(older[0])
                if self._watching.is_doubtful(order.channel_id):
                    raise StartFailed(
                        f"channel {order.channel_id} is not started while it is unknown whether an earlier start of it"
                        f" runs: {self._launcher.fault}"
                    )
                return (await self._start(order, older)).process.pid
            except (OSError, Damaged, EngineAway) as error:
                raise StartFailed(f"channel {order.channel_id} could not be started: {error}") from error

    async def _start(self, order: StartOrder, older: list[Watched]) -> Watched:
        handle = new_handle(order, self._directories)
        kept = frozenset(watched.handle.epoch for watched in older)
        await asyncio.to_thread(prepare, order, handle, self._memory, self._directories, kept)
        recording = order.document.recording
        decklink = any(output.kind == "decklink" for output in order.document.outputs)
        decklink |= recording is not None and recording.input.kind == "decklink"
        records = recording is not None
        launch = launch_of(handle, self._program, self._directories, decklink=decklink, records=records)
        try:
            process = await self._launcher.launch(launch)
        except EngineAway:
            self._watching.begin_doubt(order.channel_id, order.epoch)
            raise
        handle = handle.of(process)
        await asyncio.to_thread(self._memory.complete, handle)
        watched = Watched(handle, process)
        self._watching.watch(watched)
        return watched

    async def stop(self, order: StopOrder) -> Exit | None:
        """As in ``NodeAgent``: asked first when ``patient``, then SIGTERM, then SIGKILL."""
        await self._terms.take(order.term)
        async with self._locks[order.channel_id]:
            self._terms.check(order.term)
            self._ended[order.channel_id] = max(order.epoch, self._ended.get(order.channel_id, 0))
            if self._watching.is_doubtful(order.channel_id):
                raise StopUnconfirmed(f"the stop of channel {order.channel_id} is unconfirmed: {self._watching.doubt}")
            ended = [watched for watched in self._living(order.channel_id) if watched.handle.epoch <= order.epoch]
            said = await asyncio.gather(*(self._end(watched, order) for watched in ended), return_exceptions=True)
            for error in said:
                if isinstance(error, EngineAway):
                    raise StopUnconfirmed(f"the stop of channel {order.channel_id} is unconfirmed: {error}") from error
                if error is not None:
                    raise error
            return ended[-1].exit if ended else None

    async def _end(self, watched: Watched, order: StopOrder) -> None:
        if order.patient:
            if order.final:
                await self._ask_to_stop(watched, order.by)
            if watched.exit is None:
                # A sidecar that is ended by a signal tells its players nothing of an end.
                await self._launcher.signal(watched.process, signal.SIGTERM)
                await self._watching.gone(watched, _TERM if order.final else _ASK + _TERM)
        if watched.exit is None:
            await self._launcher.signal(watched.process, signal.SIGKILL)
            await self._watching.gone(watched, _KILL)
        if watched.exit is None:
            raise StopUnconfirmed(
                f"process {watched.process.pid} of channel {order.channel_id} does not go, not even killed"
            )

    async def _ask_to_stop(self, watched: Watched, by: str) -> None:
        if watched.door is None:
            return
        request = stop_request(secrets.token_hex(8), watched.handle.epoch, by)
        try:
            await watched.door.command(request, self._answer_s)
        except AgentError as error:
            log.info("a sidecar did not take its stop", channel=watched.handle.channel_id, said=str(error))
        else:
            await self._watching.gone(watched, _ASK)

    async def command(self, order: Order, timeout: float) -> CommandReply:
        """As in ``NodeAgent``."""
        await self._terms.take(order.term)
        watched = self._watching.living(order.channel_id, order.epoch)
        if isinstance(order.said, Arm):
            for other in self._living(order.channel_id):
                if other.handle.epoch < order.epoch:
                    raise _still_running(other)
        if watched.apart_until > self._clock.monotonic():
            raise SidecarSilent(f"a drill keeps the sidecar of channel {order.channel_id} apart")
        reply = await open_door(watched).command(request_for(order), timeout)
        if reply.epoch != order.epoch:
            raise SidecarBroken(f"epoch {reply.epoch} answered an order for epoch {order.epoch}")
        if reply.status is not None:
            impostor = is_not(watched, reply.status)
            if impostor:
                raise SidecarBroken(impostor)
            watched.heard(reply.status, self._clock.monotonic())
        return reply

    def _living(self, channel_id: str) -> list[Watched]:
        return [watched for watched in self._watching.of(channel_id) if watched.exit is None]


def open_door(watched: Watched) -> Door:
    """Raises SidecarSilent while there is none."""
    if watched.door is None:
        raise SidecarSilent(f"the sidecar of channel {watched.handle.channel_id} has not opened its door yet")
    return watched.door


def _still_running(watched: Watched) -> StillRunning:
    return StillRunning(watched.handle.channel_id, watched.handle.epoch, watched.process.pid)
