"""What every keeper of a channel works with."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from db.store import Store
from supervisor.alarms import AlarmBoard
from supervisor.clock import Clock
from supervisor.decisions.placement import NodeFacts
from supervisor.decisions.timing import Timing
from supervisor.live import LiveBoard
from supervisor.loops.leadership import Leadership
from supervisor.loops.nodes import NodeWatch


@dataclass(frozen=True, slots=True)
class Desk:
    """``watch_of`` answers the watch of a node (None: of this supervisor's own), ``nodes_for`` the nodes as the
    placement of one channel sees them."""

    store: Store
    clock: Clock
    timing: Timing
    leadership: Leadership
    alarms: AlarmBoard
    live: LiveBoard
    random: random.Random
    watch_of: Callable[[str | None], NodeWatch | None]
    nodes_for: Callable[[str], Sequence[NodeFacts]]
