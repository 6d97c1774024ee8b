"""What nodes keep on their disks of what is past: the leader looks every ten minutes, node by node."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import structlog

from db.errors import NotLeader, StoreError
from db.models import Node, Recorder
from db.repositories.leader import Fence
from db.store import Store
from supervisor.agent.interface import AgentError
from supervisor.agent.tidying import CanTidy
from supervisor.clock import Clock
from supervisor.history import History
from supervisor.loops.nodes import NodeWatch
from supervisor.old_journals import OldJournals
from supervisor.old_recordings import OldRecordings
from supervisor.steadiness import Steadiness

log = structlog.get_logger(__name__)

_EVERY_S: Final = 600.0


class NodeTidying:
    """A node that does not answer, or whose agent is of a version that takes nothing away, is left as it is."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        journal_days: int,
        fence: Callable[[], Fence | None],
        history: History,
        *,
        nodes: Callable[[], Iterable[tuple[Node, NodeWatch | None]]],
        recorders: Callable[[], Iterable[Recorder]],
    ) -> None:
        self._clock = clock
        self._days = journal_days
        self._fence = fence
        self._history = history
        self._nodes = nodes
        self._recorders = recorders
        self._steadiness = Steadiness(clock)
        self._journals = OldJournals(store, clock, journal_days, fence)
        self._recordings = OldRecordings(store, clock, fence, history)

    async def run(self) -> None:
        """Every ten minutes, until cancelled."""
        while True:
            await self._clock.sleep(_EVERY_S)
            try:
                await self.round()
            except NotLeader:
                continue

    async def round(self) -> None:
        """Once over all nodes; what fails on one keeps nothing from the others, and nothing goes by a clock that
        jumped. Raises NotLeader when another leads meanwhile."""
        if not self._steadiness.is_steady() or self._fence() is None:
            return
        agents: dict[str, tuple[str, CanTidy]] = {}
        for node, watch in self._nodes():
            if watch is not None and watch.state == "answers" and isinstance(watch.agent, CanTidy):
                agents[node.id] = node.name, watch.agent
        away = set[str]()  # not waited for again in this round: each answer is given half a minute
        for node_id, (name, agent) in agents.items():
            try:
                gone = await self._journals.round(node_id, agent)
            except (StoreError, AgentError, OSError, ValueError) as error:
                self._failed(error, "journals", name)
                if isinstance(error, AgentError):
                    away.add(node_id)
                continue
            if gone:
                runs = "1 run" if gone == 1 else f"{gone} runs"
                text = f"the log has all of {runs} older than {self._days} days: their journals were taken off {name}"
                self._history.node(node_id, text)
        for recorder in tuple(self._recorders()):
            if not recorder.keep_days and not recorder.keep_gib:
                continue
            await self._tidy(recorder, agents, away)

    async def _tidy(self, recorder: Recorder, agents: Mapping[str, tuple[str, CanTidy]], away: set[str]) -> None:
        try:
            nodes = await self._recordings.nodes_of(recorder)
        except StoreError as error:
            self._failed(error, "recordings", recorder.name)
            return
        for node_id in sorted((nodes & agents.keys()) - away):
            name, agent = agents[node_id]
            try:
                await self._recordings.round(recorder.id, node_id, agent)
            except (StoreError, AgentError, OSError, ValueError) as error:
                self._failed(error, f"recordings of {recorder.name}", name)
                if isinstance(error, AgentError):
                    away.add(node_id)

    @staticmethod
    def _failed(error: Exception, what: str, where: str) -> None:
        if isinstance(error, NotLeader):
            raise error
        log.warning("what is old stays on its node for now", of=what, node=where, why=str(error))
