"""A simulated supervisor: the real ``Supervision``, unchanged, as a process that can be killed, stopped and begun."""

import random
from collections import Counter
from typing import TYPE_CHECKING

from db.elector import StoreElector
from db.models import Node
from db.store import Store
from supervisor.agent.interface import NodeAgent
from supervisor.decisions.timing import Timing
from supervisor.events import Events
from supervisor.live import LiveBoard, Sight
from supervisor.loops.supervision import Supervision
from tests.simulation.clock import SimClock
from tests.simulation.processes import Host, Process
from tests.simulation.remote import SimRemoteAgent
from tests.simulation.store import SimStore

if TYPE_CHECKING:
    from tests.simulation.world import World


class SimAgents:
    """An ``AgentSource``: every node by the network."""

    def __init__(self, supervisor: "SimSupervisor") -> None:
        self._agents = {node.name: SimRemoteAgent(supervisor, node) for node in supervisor.world.nodes}

    def of(self, node: Node) -> NodeAgent | None:
        """As in ``AgentSource``."""
        return self._agents.get(node.name)


class SimSupervisor:
    """``process`` and ``supervision`` are of its newest life; None before the first and after a kill."""

    def __init__(self, world: "World", name: str, chance: random.Random) -> None:
        self.world = world
        self.name = name
        self.host = Host(name, base=chance.uniform(0.0, 1e5))
        self.chance = chance
        self.process: Process | None = None
        self.supervision: Supervision | None = None
        self.store: SimStore | None = None
        self.trusted_until = 0.0
        self.lives = 0
        self.resumed_at = 0.0
        """When it began, or went on after whatever had stopped it."""
        self.awake_since = 0.0
        """The same, but for short halts, and for pauses of its whole machine: none of its clocks shows those."""
        self._stopped_at = 0.0
        self.looked_at: dict[str, float] = {}
        """By channel when its keeper last looked at it, in this life."""
        self.started_at: dict[str, float] = {}
        """By channel when it was last ordered to be started."""
        self.worked_at: dict[str, float] = {}
        """By channel when an order or a question about it last ended."""
        self.at_work: Counter[str] = Counter()
        """By channel the orders that wait for their answers."""

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.runs

    @property
    def holder(self) -> str:
        return f"{self.name}-{self.lives}"

    def monotonic(self) -> float:
        return self.host.monotonic(self.world.loop.now)

    def start(self) -> None:
        if self.process is not None:
            return
        self.lives += 1
        world = self.world
        self.resumed_at = self.awake_since = world.loop.now
        self.trusted_until = 0.0
        process = Process(f"{self.name}-{self.lives}", self.host)
        self.process = process
        world.processes.append(process)
        store = SimStore(
            world.database,
            way=world.network.way(self.host.name, "db"),
            chance=random.Random(self.chance.getrandbits(64)),
            monotonic=self.monotonic,
        )
        self.store = store
        process.at_death.append(lambda: world.database.forget(process))
        process.context.run(self._make, store)
        world.log.say("supervisor", f"{self.holder} begins")

    def _make(self, store: SimStore) -> None:
        world = self.world
        supervision = self._supervision(store)  # type: ignore[arg-type] - used as a Store, as the contract suite shows
        self.supervision = supervision
        self.looked_at, self.started_at, self.worked_at, self.at_work = {}, {}, {}, Counter()
        self._witness_looks(supervision.live)
        assert self.process is not None
        world.loop.spawn(self.process, self._run(supervision), self.holder)

    def _supervision(self, store: Store) -> Supervision:
        world = self.world
        return Supervision(
            store=store,
            agents=SimAgents(self),
            events=Events(boot_id=self.holder),
            clock=SimClock(world.loop, self.host),
            holder=self.holder,
            address=f"http://{self.name}",
            timing=Timing(),
            chance=random.Random(self.chance.getrandbits(64)),
            elector=StoreElector(store, timeout=Timing().store),
        )

    def _witness_looks(self, board: LiveBoard) -> None:
        """Whoever looks at a channel shows it."""
        show = board.show

        def seen(sight: Sight) -> None:
            self.looked_at[sight.channel_id] = self.world.loop.now
            show(sight)

        board.show = seen  # type: ignore[method-assign] - it passes on what it is given

    async def _run(self, supervision: Supervision) -> None:
        await supervision.run()
        raise AssertionError("supervision ended by itself")

    def kill(self) -> None:
        if self.process is not None:
            self.world.loop.kill(self.process)
            self.world.log.say("fault", f"{self.holder} is killed")
        self.process = None
        self.supervision = None

    def freeze(self) -> None:
        if self.process is not None:
            self.world.log.say("fault", f"{self.holder} is stopped")
            self._stopped_at = self.world.loop.now
            self.world.loop.stop_process(self.process)

    def thaw(self) -> None:
        if self.process is not None and self.process.stopped:
            self.world.log.say("heal", f"{self.holder} goes on")
            self.resumed_at = self.world.loop.now
            if self.resumed_at - self._stopped_at > Timing().late_tick:
                # A shorter halt is what any busy machine does, and not an absence (seed 538).
                self.awake_since = self.resumed_at
            self.world.loop.cont_process(self.process)
