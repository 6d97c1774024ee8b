"""What of the coming hours is no list's: outputs that are down, clocks that differ, recordings that want one port."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from supervisor.schemas.channel import ChannelLive
from supervisor.schemas.coming import Coming
from supervisor.schemas.schedule import ScheduleClash, UpcomingRecording

CLOCK_S: Final = 0.25
"""A node's clock that is further off is told; from ``LOUD_S`` on it is a warning, as it is an alarm then."""
LOUD_S: Final = 1.0
_DOWN: Final = frozenset({"down", "stalled", "stopped"})


@dataclass(frozen=True, slots=True)
class NodeClock:
    """``offset_s``: by how much its wall clock is ahead of the supervisor's."""

    node_id: str
    name: str
    offset_s: float


def down_now(live: ChannelLive, now: datetime) -> Coming | None:
    """The programme outputs of a channel on air that nobody gets now, in one; None where there is none. Pure."""
    if live.desired != "on" or live.phase != "running":
        return None
    down = [one for one in live.outputs if one.role == "programme" and one.state in _DOWN]
    if not down:
        return None
    said = "; ".join(f"{one.kind} is {one.state}" + (f": {one.detail}" if one.detail else "") for one in down)
    return Coming(
        channel_id=live.channel_id, kind="output", severity="warning", at=now, item_id=None,
        text=f"{len(down)} of {sum(one.role == 'programme' for one in live.outputs)} outputs: {said}",
    )  # fmt: skip


def clocks(nodes: Iterable[NodeClock], now: datetime) -> list[Coming]:
    """Of each node whose clock is off: fixed starts and as-run times there are by that clock. Pure."""
    return [
        Coming(
            channel_id=None, node_id=node.node_id, kind="clock", at=now, item_id=None,
            severity="warning" if abs(node.offset_s) >= LOUD_S else "info",
            text=f"the clock of {node.name} is {abs(node.offset_s):.2f} s {'ahead' if node.offset_s > 0 else 'behind'}",
        )
        for node in nodes
        if abs(node.offset_s) >= CLOCK_S
    ]  # fmt: skip


def port_clashes(upcoming: Iterable[UpcomingRecording]) -> list[Coming]:
    """Recordings that will not have to themselves what they need; of two, the one that goes second. Pure."""
    made: list[Coming] = []
    for one in upcoming:
        lost = [clash for clash in one.clashes if _goes_second(one, clash)]
        if lost:
            more = f"; and {len(lost) - 1} more" if len(lost) > 1 else ""
            said = f"{one.recorder}, {one.title}: {_said(lost[0])}{more}"
            made.append(
                Coming(
                    channel_id=None, recorder_id=one.recorder_id, kind="port", severity="warning", at=one.first_at,
                    item_id=one.schedule_id, text=said,
                )
            )  # fmt: skip
    return made


def _goes_second(one: UpcomingRecording, clash: ScheduleClash) -> bool:
    if clash.goes_first is not None:
        return not clash.goes_first
    return (clash.other_start_at, clash.schedule_id or "") <= (clash.start_at, one.schedule_id)


def _said(clash: ScheduleClash) -> str:
    what = f"{clash.owner}, {clash.title}" if clash.title else clash.owner
    return f"{clash.what} is wanted by {what} from {clash.other_start_at:%H:%M} UTC"
