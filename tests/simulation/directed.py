"""Faults of several steps, each one try at a certain bug: what must coincide does so more often than by chance."""

import random
from typing import TYPE_CHECKING, Final

from tests.simulation.network import Trap
from tests.simulation.sidecar import SimSidecar

if TYPE_CHECKING:
    from tests.simulation.faults import Faults
    from tests.simulation.world import World

_CUT_S: Final = 38.0
"""Long enough for a move, its fencing and what comes late after it."""
_LATE_S: Final = (13.5, 30.0)


class Directed:
    """Draws from the same stream as all other faults; each method says whether it could do anything."""

    def __init__(self, world: "World", chance: random.Random, faults: "Faults") -> None:
        self._world = world
        self._chance = chance
        self._faults = faults

    def supervisor_stopped_while_it_judges(self) -> bool:
        """A node is cut off, and the leader stands still when it has missed it once or twice."""
        leader = self._world.leader()
        if leader is None:
            return False
        node = self._chance.choice(self._world.nodes)
        self._faults.cut_for(self._pairs(node.name), [node], f"{node.name} is cut from all supervisors", 16.0)
        when = self._chance.uniform(1.2, 3.0)
        self._faults.later(when, leader.freeze)
        self._faults.later(when + self._chance.uniform(3.0, 6.5), leader.thaw)
        return True

    def an_arm_comes_late(self) -> bool:
        """Its node is cut off while it is under way, so that another sidecar is on air when it arrives."""
        sidecar = self._leased()
        if sidecar is None:
            return False
        self._caught(sidecar, "arm")
        self._faults.say(f"{sidecar.name} is killed, and its next one's arm comes late")
        sidecar.exit(-9)
        return True

    def a_lease_comes_late(self) -> bool:
        """As with the arm; the sidecar's lease has run out long ago by then."""
        sidecar = self._leased()
        if sidecar is None:
            return False
        self._caught(sidecar, "lease")
        self._faults.say(f"a lease of {sidecar.name} comes late")
        return True

    def a_start_outlives_the_trust(self) -> bool:
        """A sidecar gets ready after the leader could renew its lease the last time, and nobody else can lead."""
        living = self._airing()
        if not living:
            return False
        sidecar, world = self._chance.choice(living), self._world
        seconds = self._chance.uniform(7.5, 9.5)

        def cut() -> None:
            names = [it.name for it in world.supervisors]
            pairs = [pair for name in names for pair in ((name, "db"), ("db", name))]
            self._faults.cut_for(pairs, [], f"{', '.join(names)} are cut from the database", seconds + 9.0)

        world.network.traps[sidecar.node.name, "start"] = Trap(seconds, cut)
        self._faults.say(f"{sidecar.name} is killed, and the next start comes {seconds:.1f} s late")
        sidecar.node.trouble()
        sidecar.exit(-9)
        return True

    def held_at_the_last_moment(self) -> bool:
        """A node is cut off, and people hold the failover of all channels when it is about to be decided."""
        node = self._chance.choice(self._world.nodes)
        self._faults.cut_for(self._pairs(node.name), [node], f"{node.name} is cut from all supervisors", 12.0)
        for channel_id in self._world.channels:
            when = self._chance.uniform(2.9, 4.3)
            self._faults.later(when, lambda id_=channel_id: self._faults.operators.hold(id_, held=True))
            self._faults.later(13.0, lambda id_=channel_id: self._faults.operators.hold(id_, held=False))
        return True

    # --- how ----------------------------------------------------------------------------------------------------

    def _airing(self) -> list[SimSidecar]:
        return [it for node in self._world.nodes for it in node.living() if it.moves]

    def _leased(self) -> SimSidecar | None:
        """One that is on air by its lease alone."""
        found = [it for it in self._airing() if it.leased and any(out.output.lease_stop for out in it.outputs)]
        return self._chance.choice(found) if found else None

    def _caught(self, sidecar: SimSidecar, kind: str) -> None:
        node = sidecar.node

        def cut() -> None:
            self._faults.cut_for(self._pairs(node.name), [node], f"{node.name} is cut from all supervisors", _CUT_S)

        self._world.network.traps[node.name, kind] = Trap(self._chance.uniform(*_LATE_S), cut)

    def _pairs(self, node: str) -> list[tuple[str, str]]:
        return [pair for it in self._world.supervisors for pair in ((it.name, node), (node, it.name))]
