"""A node's agent as a supervisor reaches it: through a network that may do anything."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sidecar.protocol.commands import CommandReply
from supervisor.agent.interface import (
    AgentAway,
    AgentError,
    Arm,
    Exit,
    JournalPage,
    JournalRun,
    LeaseRound,
    MediaSeen,
    NodeReport,
    Order,
    SidecarReport,
    StartOrder,
    StopOrder,
)
from supervisor.agent.leases import PATIENCE
from supervisor.agent.local import LocalAgent

if TYPE_CHECKING:
    from tests.simulation.node import SimNode
    from tests.simulation.supervisors import SimSupervisor

T = TypeVar("T")
_FILES_S: Final = 8.0
_START_S: Final = 20.0
_STOP_S: Final = 15.0
_POLL_S: Final = 3.0
_MARGIN_S: Final = 0.3
"""All as in ``supervisor.agent.remote``."""
LATE_S: Final = (1.0, 25.0)


class SimRemoteAgent:
    """A ``NodeAgent`` of ``node`` for one supervisor. It answers within its own deadlines or raises AgentAway."""

    def __init__(self, supervisor: "SimSupervisor", node: "SimNode") -> None:
        self._supervisor = supervisor
        self._node = node

    async def start(self, order: StartOrder) -> int:
        self._ordered("start", order.channel_id, order.epoch, order.term)
        with self._at_work(order.channel_id):
            return await self._call("start", lambda agent: agent.start(order), _START_S, order.term)

    async def standby(self, order: StartOrder) -> int:
        self._ordered("standby", order.channel_id, order.epoch, order.term)
        with self._at_work(order.channel_id):
            return await self._call("standby", lambda agent: agent.standby(order), _START_S, order.term)

    async def stop(self, order: StopOrder) -> Exit | None:
        self._ordered("stop", order.channel_id, order.epoch, order.term)
        with self._at_work(order.channel_id):
            return await self._call("stop", lambda agent: agent.stop(order), _STOP_S, order.term)

    async def report(self, seen: int, wait: float, leases: LeaseRound | None = None) -> NodeReport:
        what = "report" if leases is None else "lease"
        if leases is not None:
            self._supervisor.world.truth.acts(self._supervisor, "lease", leases.term)
        return await self._call(
            what,
            lambda agent: agent.report(seen, wait) if leases is None else agent.report(seen, wait, leases),
            (wait if leases is None else max(wait, PATIENCE)) + _MARGIN_S,
        )

    async def poll(self, channel_id: str, epoch: int) -> SidecarReport:
        with self._at_work(channel_id):
            return await self._call("poll", lambda agent: agent.poll(channel_id, epoch), _POLL_S)

    async def command(self, order: Order, timeout: float) -> CommandReply:
        what = "arm" if isinstance(order.said, Arm) else "command"
        if what == "arm":
            self._ordered("arm", order.channel_id, order.epoch, order.term)
        with self._at_work(order.channel_id):
            return await self._call(what, lambda agent: agent.command(order, timeout), timeout + _MARGIN_S, order.term)

    async def thumbnail(self, channel_id: str, epoch: int) -> bytes:
        return await self._call("thumbnail", lambda agent: agent.thumbnail(channel_id, epoch), _FILES_S)

    async def media(self, roots: Sequence[str], paths: Sequence[str]) -> MediaSeen:
        return await self._call("media", lambda _: self._node.media(roots, paths), _FILES_S)

    async def live_file(self, channel_id: str, path: str) -> bytes:
        return await self._call("live_file", lambda agent: agent.live_file(channel_id, path), _FILES_S)

    async def runs(self, known: Mapping[str, Set[str]]) -> tuple[JournalRun, ...]:
        return await self._call("runs", lambda agent: agent.runs(known), _FILES_S)

    async def asrun(self, channel_id: str, run_id: str, after: int, limit: int) -> JournalPage | None:
        return await self._call("asrun", lambda agent: agent.asrun(channel_id, run_id, after, limit), _FILES_S)

    @contextlib.contextmanager
    def _at_work(self, channel_id: str) -> Generator[None]:
        """While somebody waits for what becomes of it, the channel is being worked on."""
        at_work = self._supervisor.at_work
        at_work[channel_id] += 1
        try:
            yield
        finally:
            at_work[channel_id] -= 1
            self._supervisor.worked_at[channel_id] = self._supervisor.world.loop.now

    def _ordered(self, verb: str, channel_id: str, epoch: int, term: int) -> None:
        world = self._supervisor.world
        what = f"{verb} {world.channel_name(channel_id)}/{epoch}"
        world.log.say("order", f"{self._supervisor.name} -> {self._node.name} term {term}: {what}")
        world.truth.acts(self._supervisor, verb, term)
        if verb in ("start", "standby"):
            self._supervisor.started_at[channel_id] = world.loop.now

    async def _call(
        self, what: str, work: Callable[[LocalAgent], Coroutine[Any, Any, T]], deadline: float, term: int | None = None
    ) -> T:
        """The request, what it does there, and the answer: each may be lost or late."""
        world, node, loop = self._supervisor.world, self._node, self._supervisor.world.loop
        network, here = world.network, self._supervisor.host.name
        answered: asyncio.Future[T] = loop.create_future()
        boot = node.agent_boot

        def answer(result: T | None, error: Exception | None) -> None:
            if answered.done():
                return
            if error is not None:
                answered.set_exception(error)
            else:
                answered.set_result(result)  # type: ignore[arg-type] - an answer or an error

        def send_back(result: T | None, error: Exception | None) -> None:
            if network.lost(node.name, here):
                world.log.count("lost answer")
                return
            loop.call_later(network.delay(), answer, result, error, context=world.nobody)

        async def serve(agent: LocalAgent) -> None:
            # A stop takes as long as the sidecar takes to end, and an order of a newer term may come meanwhile: it was
            # obeyed when it came. What begins something counts when that is done.
            highest = world.truth.highest_term(node) if what == "stop" else None
            try:
                result = await work(agent)
            except AgentError as error:
                world.truth.refused(node, what, error)
                send_back(None, error)
            except OSError as error:
                send_back(None, error)
            else:
                if term is not None:
                    world.truth.accepted(node, term, highest)
                send_back(result, None)

        def arrive() -> None:
            process, agent = node.agent_process, node.agent
            if not node.powered:
                return
            if process is None or agent is None or node.agent_boot != boot:
                # Nobody listens, or another than the one whose session this request belongs to.
                send_back(None, AgentAway(f"the agent of {node.name} refused the connection"))
                return
            loop.spawn(process, serve(agent), f"{what} at {node.name}")

        if network.lost(here, node.name):
            world.log.count("lost request")
        else:
            delay = network.delay()
            if network.late and network.chance.random() < network.late:
                world.log.count("late request")
                delay += network.chance.uniform(*LATE_S)
            trap = network.traps.pop((node.name, what), None)
            if trap is not None:
                world.log.say("fault", f"{what} to {node.name} comes {trap.seconds:.1f} s late")
                delay += trap.seconds
                loop.call_later(0.0, trap.then, context=world.nobody)
            loop.call_later(delay, arrive, context=world.nobody)
        try:
            async with asyncio.timeout(deadline):
                return await answered
        except TimeoutError as error:
            raise AgentAway(f"the agent of {node.name} did not answer {what} within {deadline:g} s") from error
