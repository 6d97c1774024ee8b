"""All nodes: a watch for each that the store knows, and doubt about ourselves when too many are silent."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol

import structlog

from db.models import Node
from supervisor.agent.interface import LeaseRound, NodeAgent
from supervisor.clock import Clock
from supervisor.decisions.doubt import Fleet as FleetSeen
from supervisor.decisions.doubt import is_mass_silence, why_no_evacuation
from supervisor.decisions.timing import Timing
from supervisor.loops.nodes import NodeWatch
from supervisor.nursery import Nursery

log = structlog.get_logger(__name__)

_TICK: Final = 0.5
"""Seconds between two looks at our own clock."""


class AgentSource(Protocol):
    """Where the agents come from."""

    def of(self, node: Node) -> NodeAgent | None:
        """The agent of this node, the same one while name and url stay the same; None for a node that takes orders
        from another supervisor's process alone. Does no I/O."""
        ...


class Fleet:
    """Belongs to one event loop. ``leases``, ``news`` and ``refused`` as for ``NodeWatch``; ``watching`` is called with
    every new watch and answers what else is to run while it lasts."""

    def __init__(
        self,
        agents: AgentSource,
        clock: Clock,
        timing: Timing,
        nursery: Nursery,
        *,
        news: Callable[[Iterable[str]], None],
        leases: Callable[[str], LeaseRound | None],
        refused: Callable[[int, str], None],
        led_since: Callable[[], float | None],
        watching: Callable[[NodeWatch], Sequence[asyncio.Task[None]]],
    ) -> None:
        self._agents = agents
        self._clock = clock
        self._timing = timing
        self._nursery = nursery
        self._news = news
        self._leases = leases
        self._refused = refused
        self._led_since = led_since
        self._watching = watching
        self._rows: Mapping[str, Node] = {}
        self._watches: dict[str, NodeWatch] = {}
        self._tasks: dict[str, Sequence[asyncio.Task[None]]] = {}
        self._ticked_at = clock.monotonic()
        self._stalled_at: float | None = None
        self._evacuated: dict[str, float] = {}

    @property
    def rows(self) -> Mapping[str, Node]:
        """Every node as it was last read, by id."""
        return self._rows

    @property
    def watches(self) -> Mapping[str, NodeWatch]:
        """By node id; nodes that are not ours to drive have none."""
        return self._watches

    def update(self, rows: Sequence[Node]) -> None:
        """The nodes as they are in the store now: watches begin and end with them."""
        self._rows = {row.id: row for row in rows}
        for row in rows:
            agent = self._agents.of(row)
            watch = self._watches.get(row.id)
            if watch is not None and (agent is not watch.agent):
                self._end(row.id)
                watch = None
            if watch is None and agent is not None:
                watch = self._begin(row, agent)
            if watch is not None:
                watch.name, watch.incarnation = row.name, row.incarnation
        for node_id in self._watches.keys() - self._rows.keys():
            self._end(node_id)
        for node_id in self._evacuated.keys() - self.away():
            # It answers again: its next silence is another matter.
            del self._evacuated[node_id]

    def _begin(self, row: Node, agent: NodeAgent) -> NodeWatch:
        watch = NodeWatch(
            row.id,
            row.name,
            agent,
            self._clock,
            self._timing,
            self._news,
            self._leases,
            self._note_stall,
            self._refused,
        )
        self._watches[row.id] = watch
        others = self._watching(watch)
        self._tasks[row.id] = (self._nursery.keep(f"watching {row.name}", watch.run), *others)
        return watch

    def _end(self, node_id: str) -> None:
        del self._watches[node_id]
        for task in self._tasks.pop(node_id):
            task.cancel()

    async def run(self) -> None:
        """Watches over ourselves until cancelled."""
        # What was before is no stall: nothing was watched yet.
        self._ticked_at = self._clock.monotonic()
        while True:
            self._tick()
            await self._clock.sleep(_TICK)

    def stood_still_since(self, when: float) -> bool:
        """Whether this supervisor itself stood still at any time after ``when``, and be it until this moment."""
        self._tick()
        return self._stalled_at is not None and self._stalled_at >= when

    def _tick(self) -> None:
        """Whoever is about to judge asks first: after a pause nobody knows who of us is the first to run again."""
        now = self._clock.monotonic()
        late = now - self._ticked_at - _TICK
        self._ticked_at = now
        if late > self._timing.late_tick:
            log.warning("this supervisor stood still", seconds=round(late, 1))
            for watch in self._watches.values():
                watch.clear()
            self._note_stall()

    def _note_stall(self) -> None:
        self._stalled_at = self._clock.monotonic()

    def away(self) -> frozenset[str]:
        """Those that answered once and do not now."""
        return frozenset(node_id for node_id, watch in self._watches.items() if watch.state == "away")

    def _seen(self) -> FleetSeen:
        self._tick()
        return FleetSeen(
            now=self._clock.monotonic(),
            nodes=len(self._watches),
            away=self.away(),
            led_since=self._led_since(),
            stalled_at=self._stalled_at,
            evacuated=self._evacuated,
        )

    def why_stay(self, node_id: str | None) -> str:
        """Why nothing is to be moved off this node now though it does not answer."""
        if node_id is None:
            return "it is on no node"
        watch = self._watches.get(node_id)
        if watch is not None and watch.other_cluster:
            return "its node belongs to another cluster, and plays for that"
        if watch is not None and watch.was_elsewhere:
            return "its node belonged to another cluster when it was last heard, and may play for that"
        return why_no_evacuation(self._seen(), node_id, self._timing)

    def note_evacuation(self, node_id: str) -> None:
        """A channel was moved off it because it does not answer."""
        self._evacuated.setdefault(node_id, self._clock.monotonic())

    def mass_silence(self) -> str:
        """What to alarm when more than half of the nodes do not answer; empty when they do."""
        seen = self._seen()
        if not seen.away or not is_mass_silence(seen) or seen.nodes < 2:
            return ""
        named = ", ".join(sorted(self._watches[node_id].name for node_id in seen.away))
        return f"{len(seen.away)} of {seen.nodes} nodes do not answer ({named}): is the control network at fault?"
