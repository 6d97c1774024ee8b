"""What is told of every node: alarms as levels, its history, and the name of the agent that answers for it."""

from collections.abc import Callable, Collection
from typing import Final

import structlog

from db.errors import StoreError
from db.repositories.leader import Fence
from db.store import Store
from supervisor.alarms import AlarmBoard
from supervisor.decisions.alarms import Wanted
from supervisor.decisions.timing import Timing
from supervisor.decisions.view import AgentState
from supervisor.history import History
from supervisor.loops.fleet import Fleet
from supervisor.loops.nodes import NodeWatch

log = structlog.get_logger(__name__)

NODE_ALARMS: Final = (
    "node_away", "node_foreign", "other_cluster", "engine_away", "clock_offset", "node_certificate", "unknown_sidecar",
)  # fmt: skip
OFFSET_S: Final = 1.0
"""A node's wall clock further off than this is alarmed: schedules and as-run times suffer, supervision does not."""


class NodeAlarms:
    """Belongs to one event loop. ``fence`` answers None while another supervisor leads."""

    def __init__(
        self,
        fleet: Fleet,
        alarms: AlarmBoard,
        history: History,
        store: Store,
        timing: Timing,
        fence: Callable[[], Fence | None],
    ) -> None:
        self._fleet = fleet
        self._alarms = alarms
        self._history = history
        self._store = store
        self._timing = timing
        self._fence = fence
        self._states: dict[str, AgentState] = {}

    async def tell(self, channels: Collection[str]) -> None:
        """Once a second. ``channels`` are the ids of all there are."""
        watches = self._fleet.watches
        for node_id, watch in tuple(watches.items()):
            row = self._fleet.rows.get(node_id)
            known = "" if row is None else row.certificate
            self._alarms.want(NODE_ALARMS, _wanted(watch, known, channels), node_id=node_id)
            self._note_change(watch)
            await self._note_meeting(watch)
        for node_id in self._states.keys() - watches.keys():
            del self._states[node_id]
            self._alarms.want(NODE_ALARMS, {}, node_id=node_id)

    def _note_change(self, watch: NodeWatch) -> None:
        before = self._states.get(watch.node_id)
        if watch.state == before:
            return
        self._states[watch.node_id] = watch.state
        match watch.state:
            case "away":
                self._history.node(watch.node_id, f"{watch.name} does not answer: {watch.fault}")
            case "answers" if before is not None:
                self._history.node(watch.node_id, f"{watch.name} answers")
            case _:
                return

    async def _note_meeting(self, watch: NodeWatch) -> None:
        row = self._fleet.rows.get(watch.node_id)
        if row is None or watch.condition is None or self._fence() is None or watch.state != "answers":
            return
        is_new = row.incarnation is None and bool(watch.condition.incarnation)
        is_first = not row.certificate and bool(watch.certificate)
        if not is_new and not is_first and row.lost_at is None:
            return
        try:
            async with self._store.write(timeout=self._timing.store) as tx:
                if is_first:
                    await tx.nodes.certified(row.id, watch.certificate)
                if is_new:
                    await tx.nodes.met(row.id, watch.condition.incarnation)
                if row.lost_at is not None:
                    await tx.nodes.found_again(row.id)
        except StoreError as error:
            log.warning("a node's agent could not be noted", node=watch.name, why=str(error))
            return
        if is_first:
            self._history.node(row.id, f"{watch.name} is known by the certificate {watch.certificate} from now on")
        if row.lost_at is not None:
            self._history.node(row.id, f"{watch.name} answers again: it is no longer taken for dead")


def _wanted(watch: NodeWatch, certificate: str, channels: Collection[str]) -> dict[str, Wanted]:
    """``certificate``: what the node is known by."""
    wanted: dict[str, Wanted] = {}
    if watch.foreign:
        text = f"Another agent answers in the place of {watch.name}: mcr node accept {watch.name}, if that is meant"
        return {"node_foreign": Wanted("critical", text)}
    if watch.other_cluster:
        text = f"{watch.name} obeys another cluster and nobody here: mcr node adopt {watch.name}, if that is meant"
        return {"other_cluster": Wanted("critical", text)}
    if watch.state == "away":
        return {"node_away": Wanted("critical", f"{watch.name} does not answer: {watch.fault}")}
    if watch.condition is not None and watch.condition.engine_fault:
        text = f"The container engine of {watch.name} does not answer, nothing can be started there: "
        wanted["engine_away"] = Wanted("critical", text + watch.condition.engine_fault)
    if watch.offset_s is not None and abs(watch.offset_s) >= OFFSET_S:
        way = "ahead of" if watch.offset_s > 0 else "behind"
        text = f"The clock of {watch.name} is {abs(watch.offset_s):.1f} s {way} this supervisor's"
        wanted["clock_offset"] = Wanted("warning", text)
    if certificate and watch.certificate and watch.certificate != certificate:
        text = (
            f"{watch.name} shows the certificate {watch.certificate} and was known by {certificate}; its key vouches "
            f"for the new one. If it was changed there: mcr node set {watch.name} --fingerprint {watch.certificate}. "
            "Else somebody has its key: docs/runbook.md"
        )
        wanted["node_certificate"] = Wanted("critical", text)
    strangers = [report for report in watch.running() if report.channel_id not in channels]
    if strangers:
        named = ", ".join(f"process {report.pid} of channel {report.channel_id}" for report in strangers)
        text = f"Sidecars run on {watch.name} that no channel knows; they are left alone: {named}"
        wanted["unknown_sidecar"] = Wanted("warning", text)
    return wanted
