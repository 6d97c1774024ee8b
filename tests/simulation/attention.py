"""Whether somebody is at work on every channel that is wanted and dark: I11 and I13 of supervision.md."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from supervisor.decisions.timing import Timing

if TYPE_CHECKING:
    from tests.simulation.supervisors import SimSupervisor
    from tests.simulation.truth import Row
    from tests.simulation.world import World

_LOOKED_S: Final = 3.5
"""Without news a channel is looked at every 1.25 s, and what is done meanwhile takes no longer, but for an order."""
_UNALARMED_S: Final = 6.0
"""A channel that is being started anew is at first not called dark."""
_CALM_S: Final = 8.0
"""A database that was away may hold up whoever waits for it until so long after."""
_WAITS_S: Final = 0.5
_ATTEMPT_S: Final = 16.0
"""The longest pause between two starts is 10 s, jitter apart."""
_NODE_CALM_S: Final = 15.0


@dataclass(slots=True)
class Dark:
    """When something was last otherwise, in seconds of the loop. ``since``: something of it moved; ``startable``: it
    could not be started; ``alarmed``: an alarm said so."""

    since: float
    startable: float
    alarmed: float


class Attention:
    """Looked through once a second. Only what happens under one leader that runs all the time is judged."""

    def __init__(self, world: "World", violated: Callable[[str, str], None]) -> None:
        self._world = world
        self._violated = violated
        timing = Timing()
        self._alarm_s = max(timing.first_start_alarm, timing.off_air_alarm) + _CALM_S
        self._dark: dict[str, Dark] = {}
        self._leader = ""
        self._led_since = 0.0
        self._rough_at = -_CALM_S

    def wanted_anew(self, channel_id: str) -> None:
        """People stopped it, or started it: what was before has been told, and a start has its time."""
        self._dark.pop(channel_id, None)

    def look(self) -> None:
        world, now = self._world, self._world.loop.now
        leader = world.leader()
        if leader is None or leader.supervision is None:
            self._leader = ""
            self._dark.clear()
            return
        if self._leader != leader.holder:
            self._leader, self._led_since = leader.holder, now
            self._dark.clear()
        if self._is_rough(leader):
            self._rough_at = now
        moving = {it.channel_id for node in world.nodes for it in node.living() if it.moves}
        for row in world.truth.rows.values():
            if row.desired != "on" or row.id in moving:
                self._dark.pop(row.id, None)
            else:
                self._judge(leader, row, self._dark.setdefault(row.id, Dark(now, now, now)))

    def _is_rough(self, leader: "SimSupervisor") -> bool:
        """The database is away, or has somebody wait."""
        database, now = self._world.database, self._world.loop.now
        way = self._world.network.ways.get((leader.host.name, "db"))
        is_cut = way is not None and not (way.requests and way.answers)
        waits = any(now - waiting.since > _WAITS_S for waiting in database.queue)
        return is_cut or waits or database.health != "up" or bool(database.lost_answers or database.late_commits)

    def _judge(self, leader: "SimSupervisor", row: "Row", dark: Dark) -> None:
        now = self._world.loop.now
        if now - leader.resumed_at < _CALM_S:
            dark.since = dark.startable = dark.alarmed = now
            return
        assert leader.supervision is not None
        calm = now - self._rough_at > _CALM_S
        worked_at = max(leader.worked_at.get(row.id, 0.0), leader.looked_at.get(row.id, 0.0))
        unlooked = now - max(worked_at, dark.since)
        if unlooked > _LOOKED_S + (0.0 if calm else _CALM_S) and not leader.at_work[row.id]:
            self._violated("I11", f"{row.name} is dark, and {leader.holder} has not looked at it for {unlooked:.1f} s")
        if leader.supervision._alarms.count(row.id):
            dark.alarmed = now
        if now - dark.since > self._alarm_s and now - dark.alarmed > _UNALARMED_S:
            said = self._world.said(row.id)
            self._violated("I11", f"{row.name} is dark for {now - dark.since:.1f} s, and no alarm says so: {said}")
        if not calm or not self._could_start(row):
            dark.startable = now
        idle = now - max(dark.startable, leader.started_at.get(row.id, 0.0))
        if idle > _ATTEMPT_S and not leader.at_work[row.id]:
            so = f"{row.phase}/{row.epoch}, {self._world.said(row.id)}"
            self._violated("I13", f"{row.name} could be started and was not for {idle:.1f} s: {so}")

    def _could_start(self, row: "Row") -> bool:
        """Nothing lives of it, and its node is well."""
        world = self._world
        node = world.node_named(row.node_id)
        if node is None or row.phase not in ("placing", "starting", "running"):
            return False
        if node.in_trouble or world.loop.now - node.troubled_at < _NODE_CALM_S:
            return False
        return all(it.channel_id != row.id for other in world.nodes for it in other.living())
