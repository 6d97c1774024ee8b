"""Makes faults on purpose, on what is there to be tried, and measures the way back."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

import structlog

from db.drill_models import Drill as Row
from db.errors import StoreError
from db.models import Channel, Node, Recorder
from db.store import Store
from sidecar.rundown.rate import parse_rate
from supervisor.agent.drills import CanDrill, Drilled, DrillOrder
from supervisor.agent.interface import AgentError
from supervisor.asrun.account import Account, Piece
from supervisor.asrun.spans import events_of, span_between
from supervisor.clock import Clock
from supervisor.errors import Conflict, NotFound, PlayoutFailed, Unavailable
from supervisor.loops.supervision import Supervision
from supervisor.nursery import Nursery
from supervisor.principal import Principal
from supervisor.schemas.channel import ChannelLive
from supervisor.schemas.drill import Drill, DrilledChannel, DrillIn, DrillState

log = structlog.get_logger(__name__)

BACK_S: Final = 75.0
"""How long a channel may take beyond the fault itself: a moved one waits for leases."""
_LOOK_S: Final = 0.1
_LOGGED_S: Final = 15.0
"""How long the log of a run that followed is waited for."""
_BEFORE: Final = timedelta(seconds=2)
_OF_ROW: Final = (
    "id", "at", "by", "target_kind", "target_id", "target_name", "kind", "seconds", "was_test", "finished_at",
)  # fmt: skip
_FULL: Final = "at most one drill at a time"


@dataclass(frozen=True, slots=True)
class _Tried:
    """A channel before the fault."""

    row: Channel
    lost: int
    """Frames that its run had missed."""


@dataclass(frozen=True, slots=True)
class _Back:
    channel_id: str
    ms: int
    live: ChannelLive


class Drills:
    """One at a time. ``close`` ends what is measured; the faults undo themselves."""

    def __init__(self, store: Store, clock: Clock, supervision: Supervision) -> None:
        self._store = store
        self._clock = clock
        self._supervision = supervision
        self._nursery = Nursery(clock)
        self._running: int | None = None

    async def close(self) -> None:
        await self._nursery.close()

    async def begin(self, wanted: DrillIn, by: Principal) -> Row:
        """Makes the fault and measures from now on.

        Raises NotFound; Conflict for what is not to be tried, not on air, or while another drill runs; PlayoutFailed
        and Unavailable where the agent does not do it.
        """
        if self._running is not None:
            raise Conflict(
                f"drill {self._running} runs: {_FULL}", conflict="drill_running", hint="Wait until it is over."
            )
        self._running = 0
        try:
            row, tried, agent, order = await self._prepared(wanted, by)
            self._running = row.id
            at, began = self._clock.now(), self._clock.monotonic()
            try:
                await agent.drill(order)
            except AgentError as error:
                await self._finish(row.id, [], ())
                raise PlayoutFailed(f"the drill was not made: {error}") from error
        except BaseException:
            self._running = None
            raise
        self._nursery.once(f"drill {row.id}", self._measure(row, wanted, tried, at, began))
        return row

    async def _prepared(self, wanted: DrillIn, by: Principal) -> tuple[Row, Sequence[_Tried], CanDrill, DrillOrder]:
        fence = self._supervision.fence
        if fence is None:
            raise Unavailable("this supervisor does not decide now", hint="What is on air plays on. Try again.")
        async with self._store.read() as tx:
            if wanted.target_kind == "node":
                node = await tx.nodes.get(wanted.target_id)
                target = ("node", node.id, node.name)
                is_test = node.is_test
            else:
                channel = await tx.channels.get(wanted.target_id)
                target, is_test = ("channel", channel.id, channel.name), channel.is_test
                node = None if channel.node_id is None else await tx.nodes.get(channel.node_id)
            recorders = await tx.recorders.list() if wanted.target_kind == "node" else ()
        tried = self._tried(wanted)
        if node is None or (not tried and wanted.target_kind == "channel"):
            raise Conflict(f"{target[2]} is not on air", conflict="not_on_air", hint="Start it first.")
        _require_test(target[2], wanted, node, is_test=is_test, real=self._real(wanted, tried, recorders))
        agent = self._agent_of(node, whole=wanted.target_kind == "node")
        sidecars = tuple(Drilled(it.row.id, it.row.epoch) for it in tried)
        order = DrillOrder(fence.term, wanted.kind, wanted.seconds, sidecars, wanted.target_kind == "node")
        async with self._store.write() as tx:
            await tx.leader.require(fence)
            row = await tx.drills.add(
                self._clock.now(), by.name, target, wanted.kind, wanted.seconds, was_test=wanted.on_air_name is None
            )
        return row, tried, agent, order

    def _tried(self, wanted: DrillIn) -> Sequence[_Tried]:
        """The channels that play there, as they are now."""
        found: list[_Tried] = []
        for row in self._supervision.rows():
            named = row.id if wanted.target_kind == "channel" else row.node_id
            live = self._supervision.live.get(row.id)
            if named == wanted.target_id and row.phase == "running" and _is_on_air(live):
                found.append(_Tried(row, live.frames_late + live.frames_skipped))
        return found

    def _real(self, wanted: DrillIn, tried: Sequence[_Tried], recorders: Sequence[Recorder]) -> Sequence[str]:
        """Names of what is on the node that is no test, also while it starts, moves or is looked for."""
        if wanted.target_kind != "node":
            return ()
        on_air = {one.row.id for one in tried}
        channels = [
            row.name
            for row in self._supervision.rows()
            if not row.is_test
            and (row.id in on_air or (row.desired == "on" and wanted.target_id in (row.node_id, row.fencing_node_id)))
        ]
        recording = [
            row.name
            for row in recorders
            if row.phase != "off" and wanted.target_id in (row.node_id, row.fencing_node_id)
        ]
        return (*channels, *recording)

    def _agent_of(self, node: Node, *, whole: bool) -> CanDrill:
        if whole and node.kind == "local":
            raise Conflict(
                f"node {node.name!r} is this supervisor's own machine, and its agent this supervisor",
                conflict="local_node",
                hint="Drill one of its channels, or a node of another machine.",
            )
        agent = self._supervision.agent_of(node.id)
        if agent is None:
            raise NotFound(f"this supervisor has no agent of node {node.name!r}")
        if not isinstance(agent, CanDrill):
            raise Conflict(f"the agent of node {node.name!r} makes no drills", conflict="no_drills")
        return agent

    # Measuring

    async def _measure(self, row: Row, wanted: DrillIn, tried: Sequence[_Tried], at: datetime, began: float) -> None:
        try:
            over = began + (0 if wanted.kind == "kill" and wanted.target_kind == "channel" else wanted.seconds)
            back = await self._until_back(wanted, tried, began, over)
            channels = [await self._channel(wanted, one, back.get(one.row.id), at) for one in tried]
            await self._finish(row.id, channels, await self._alarms(tried, row, at))
        finally:
            self._running = None

    async def _until_back(
        self, wanted: DrillIn, tried: Sequence[_Tried], began: float, over: float
    ) -> dict[str, _Back]:
        """Those that are on air again after the fault; a run that goes on counts once the fault is over."""
        back: dict[str, _Back] = {}
        while True:
            now = self._clock.monotonic()
            for one in tried:
                live = self._supervision.live.get(one.row.id)
                anew = live.epoch > one.row.epoch
                if one.row.id in back or live.phase != "running" or not _is_on_air(live):
                    continue
                if anew or (wanted.kind != "kill" and now > over + 1.0):
                    back[one.row.id] = _Back(one.row.id, round((now - began) * 1000), live)
            if (len(back) == len(tried) and now >= over) or now > over + BACK_S:
                return back
            await self._clock.sleep(_LOOK_S)

    async def _channel(self, wanted: DrillIn, one: _Tried, back: _Back | None, at: datetime) -> DrilledChannel:
        live = back.live if back is not None else self._supervision.live.get(one.row.id)
        first, lost = None, None
        if back is not None and live.epoch == one.row.epoch:
            lost = max(0, live.frames_late + live.frames_skipped - one.lost)
        elif back is not None:
            first = await self._first_frame(one.row, at)
            if first is not None and wanted.kind == "isolate":
                lost = await self._unaired(one.row, at, first)
            elif first is not None:
                # What stood still or was ended sent nothing any more.
                due = Fraction((first - at) // timedelta(microseconds=1), 1_000_000) * parse_rate(one.row.rate)
                lost = max(0, math.ceil(due))
        return DrilledChannel(
            channel_id=one.row.id, name=one.row.name, epoch_before=one.row.epoch, epoch=live.epoch,
            node_name=live.node_name, back_ms=None if back is None else back.ms,
            first_frame_ms=None if first is None else round((first - at) / timedelta(milliseconds=1)),
            lost_frames=lost,
        )  # fmt: skip

    async def _first_frame(self, row: Channel, at: datetime) -> datetime | None:
        """When the first frame of a later epoch was due, by the log; None where that does not come in time."""
        end = self._clock.monotonic() + _LOGGED_S
        while self._clock.monotonic() < end:
            span = span_between(row, row.id, at - _BEFORE, self._clock.now() + _BEFORE, row.rate)
            async for event in events_of(self._store, span, begun_before=False):
                if event.epoch > row.epoch and event.kind != "skipped":
                    return event.start_at
            await self._clock.sleep(_LOOK_S)
        return None

    async def _unaired(self, row: Channel, at: datetime, first: datetime) -> int | None:
        """Frames of no run between the fault and a while after the next one's first: an old one may have aired on."""
        await self._clock.sleep(3.0)  # the old run's log comes with its node
        span = span_between(row, row.id, at - _BEFORE, first + _BEFORE, row.rate)
        account = Account(span.start, span.end, span.rate, span.end)
        async for event in events_of(self._store, span, begun_before=True):
            account.add(Piece.of(event))
        totals = account.close()
        return totals.off_air + totals.unaccounted

    async def _alarms(self, tried: Sequence[_Tried], row: Row, at: datetime) -> tuple[str, ...]:
        ids = {one.row.id for one in tried} | {row.target_id}
        async with self._store.read() as tx:
            rows = await tx.alarms.list(open_only=False, limit=200)
        return tuple(sorted({it.code for it in rows if it.raised_at >= at and {it.channel_id, it.node_id} & ids}))

    async def _finish(self, drill_id: int, channels: Sequence[DrilledChannel], alarms: tuple[str, ...]) -> None:
        measured = {"channels": [one.model_dump() for one in channels], "alarms": list(alarms)}
        for wait in (0.0, 1.0, 5.0, 15.0):
            await self._clock.sleep(wait)
            try:
                async with self._store.write() as tx:
                    await tx.drills.finish(drill_id, self._clock.now(), measured)
            except StoreError as error:
                log.warning("what a drill measured waits for the database", drill=drill_id, why=str(error))
            else:
                return


def _is_on_air(live: ChannelLive) -> bool:
    return live.observed in ("on_air", "late") and live.frame > 0


def _require_test(name: str, wanted: DrillIn, node: Node, *, is_test: bool, real: Sequence[str]) -> None:
    """Raises Conflict for what viewers see or what is recorded, unless it is named by who means it."""
    if is_test and not real:
        return
    if wanted.on_air_name == name:
        return
    what = (
        f"{name} is no test {wanted.target_kind}" if not is_test else f"on {node.name} there are {', '.join(real[:5])}"
    )
    raise Conflict(
        f"{what}: a drill may take it off air",
        conflict="not_a_test",
        hint=f"Mark what is there for tests (is_test), or give on_air_name {name!r} if that is what you mean.",
    )


def shown(row: Row, now: datetime) -> Drill:
    """As the API shows it."""
    channels = tuple(DrilledChannel.model_validate(one) for one in row.measured.get("channels", ()))
    firsts = [one.first_frame_ms for one in channels if one.first_frame_ms is not None]
    lost = [one.lost_frames for one in channels]
    told: dict[str, object] = {name: getattr(row, name) for name in _OF_ROW}
    told |= {
        "state": _state(row, channels, now),
        "first_frame_ms": max(firsts, default=None),
        "lost_frames": None if not lost or None in lost else sum(it or 0 for it in lost),
        "alarms": tuple(row.measured.get("alarms", ())),
        "channels": channels,
    }
    return Drill.model_validate(told)


def for_eyes(drill: Drill, sees: Callable[[str], bool]) -> Drill | None:
    """What somebody may know of it who ``sees`` only some channels, by their ids; None: nothing."""
    if drill.target_kind == "channel" and not sees(drill.target_id):
        return None
    return drill.model_copy(update={"channels": tuple(one for one in drill.channels if sees(one.channel_id))})


def _state(row: Row, channels: Sequence[DrilledChannel], now: datetime) -> DrillState:
    if row.finished_at is None:
        longest = timedelta(seconds=row.seconds + BACK_S + 2 * _LOGGED_S + 30)
        return "running" if now < row.at + longest else "unmeasured"
    if not channels:
        return "unmeasured"
    return "back" if all(one.back_ms is not None for one in channels) else "not_back"
