"""What every keeper of a channel works with."""

import asyncio
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from db.models import Channel
from db.store import Store
from supervisor.alarms import AlarmBoard
from supervisor.clock import Clock
from supervisor.decisions.placement import NodeFacts
from supervisor.decisions.timing import Timing
from supervisor.history import History
from supervisor.live import LiveBoard
from supervisor.loops.fleet import Fleet
from supervisor.loops.leadership import Leadership
from supervisor.loops.nodes import NodeWatch
from supervisor.loops.outputs import OutputNeeds
from supervisor.loops.turns import Turns
from supervisor.tally import Tally

if TYPE_CHECKING:
    from supervisor.loops.channel import ChannelKeeper
    from supervisor.loops.leases import Leases


_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Desk:
    """``keepers`` answers those of all channels, ``keeper_of`` one channel's, ``outputs_of`` what its outputs ask for,
    ``nodes_for`` the nodes as its placement sees them."""

    store: Store
    clock: Clock
    timing: Timing
    leadership: Leadership
    alarms: AlarmBoard
    live: LiveBoard
    history: History
    fleet: Fleet
    leases: "Leases"
    random: random.Random
    keepers: Callable[[], Collection["ChannelKeeper"]]
    keeper_of: Callable[[str], "ChannelKeeper | None"]
    outputs_of: Callable[[str], OutputNeeds]
    nodes_for: Callable[[Channel, frozenset[str]], Sequence[NodeFacts]]
    tally: Tally = field(default_factory=Tally)
    turns: Turns = field(default_factory=lambda: Turns(_AT_ONCE))
    """For the transactions of channels."""
    readings: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    """For what starts read: the store has few readers, and all channels may start at once."""

    def watch_of(self, node_id: str) -> NodeWatch | None:
        """None for a node that is not ours to drive, or not known."""
        return self.fleet.watches.get(node_id)

    def can_move(self, row: Channel) -> bool:
        """Whether there is anywhere else it could ever be: only then is it given leases, for it may be fenced."""
        return row.wanted_node_id is None and len(self.fleet.watches) > 1
