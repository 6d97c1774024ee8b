"""One channel's keeper: sees, decides, acts; once a second, and at once when something happened."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from db.models import Channel
from sidecar.protocol.status import Status
from supervisor.agent.interface import SidecarReport
from supervisor.decisions.alarms import CHANNEL_ALARMS, channel_alarms
from supervisor.decisions.channel import decide
from supervisor.decisions.phases import as_phase
from supervisor.decisions.placement import choose_site
from supervisor.decisions.view import Decision, View
from supervisor.live import Sight
from supervisor.loops.actions import Actions
from supervisor.loops.desk import Desk
from supervisor.loops.nodes import NodeWatch
from supervisor.loops.sight import position_of, sighting_of, skipped_of
from supervisor.schemas.channel import Desired

_STEPS: Final = 12
"""Steps of the state machine in one pass."""
_LOOK: Final = 1.25
"""Seconds without news until a channel is looked at all the same; heartbeats come once a second."""
_ADOPTION_SHOWN: Final = 60.0


class ChannelKeeper:
    """Keeps one channel as people want it. Its passes belong to one task; everything else only wakes it."""

    def __init__(self, row: Channel, desk: Desk) -> None:
        self._desk = desk
        self._actions = Actions(row, desk)
        self._wake = asyncio.Event()
        self._began = desk.clock.monotonic()
        self._phase = (row.phase, row.epoch, self._began)
        self._adopts = row.epoch if row.phase == "running" else 0
        self._off_air: tuple[float, datetime] | None = None
        self._was_on_air = False

    @property
    def row(self) -> Channel:
        return self._actions.row

    @property
    def actions(self) -> Actions:
        return self._actions

    @property
    def watch(self) -> NodeWatch | None:
        """Of the node it is placed on, else of this supervisor's own."""
        return self._desk.watch_of(self.row.node_id)

    @property
    def report(self) -> SidecarReport | None:
        """The newest sidecar of an epoch that the row knows."""
        watch = self.watch
        mine = [] if watch is None else [it for it in watch.of(self.row.id) if it.epoch <= self.row.epoch]
        return mine[-1] if mine else None

    @property
    def on_air(self) -> Status | None:
        """The status of the row's sidecar while it lives and is on air."""
        report = self.report
        if report is None or report.exit is not None or report.status is None or report.epoch != self.row.epoch:
            return None
        return report.status if report.status.state == "on_air" else None

    def wake(self) -> None:
        """Something happened: look at once."""
        self._wake.set()

    def update(self, row: Channel) -> None:
        """The row as somebody read it; one that is older than ours is no news."""
        if row.rev > self.row.rev:
            self._actions.row = row
            self.wake()

    def compare_list(self, revisions: Mapping[str, int]) -> None:
        """``revisions`` of all playlists that are played: what its sidecar was not given yet, it is given."""
        if self._actions.lacks(revisions):
            self.edited()

    def edited(self) -> None:
        """Its playlist was edited, or it plays another one now. The roster's next look would find it too."""
        self._actions.edited()
        self.wake()

    async def run(self) -> None:
        """Passes until cancelled."""
        while True:
            self._wake.clear()
            again = await self.pass_over()
            try:
                async with asyncio.timeout(_LOOK if again is None else min(again, _LOOK)):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def pass_over(self) -> float | None:
        """Sees, decides and acts until nothing is to be done now; in how many seconds to look again at the latest."""
        for _ in range(_STEPS):
            decision = self.look()
            for action in decision.actions:
                if not await self._actions.do(action):
                    return self.look().again_in
            if not decision.actions:
                return decision.again_in
        self.wake()
        return None

    def look(self) -> Decision:
        """Sees and decides without acting; shows it, and says what is to be alarmed."""
        desk, watch, report = self._desk, self.watch, self.report
        self._follow()
        view = self._view(watch, report)
        decision = decide(view, desk.timing)
        self._note_air(decision)
        off_air_for = None if self._off_air is None else view.now - self._off_air[0]
        view = replace(view, off_air_for=off_air_for, was_on_air=self._was_on_air)
        if not view.why_not_leading:
            wanted = channel_alarms(view, decision, desk.timing)
            desk.alarms.want(CHANNEL_ALARMS, wanted, channel_id=self.row.id)
        desk.live.show(self._sight(view, decision, watch, report))
        return decision

    def _follow(self) -> None:
        """Keeps up with the row and with what the sidecar says about itself."""
        row, now = self.row, self._desk.clock.monotonic()
        if (row.phase, row.epoch) != self._phase[:2]:
            self._phase = (row.phase, row.epoch, now)
        if row.phase == "off" and row.desired == "off":
            self._actions.at_rest()
        status = self.on_air
        if status is not None and row.phase in ("starting", "running"):
            self._actions.seen_on_air(status, position_of(status))
        report = self.report
        if report is not None and report.epoch == row.epoch and report.status is not None:
            notes = self._actions.of_epoch(row.epoch)
            notes.muted_at = now if notes.muted_at is None else notes.muted_at
        if report is not None and report.exit is not None and report.exit.item_id is not None:
            self._actions.went_on(report.exit.item_id)

    def _view(self, watch: NodeWatch | None, report: SidecarReport | None) -> View:
        row, desk, actions = self.row, self._desk, self._actions
        now = desk.clock.monotonic()
        of_this = actions.of_epoch(row.epoch)
        running = [] if watch is None else [it.epoch for it in watch.of(row.id) if it.exit is None]
        status = self.on_air
        return View(
            name=row.name,
            desired=_desired(row.desired),
            phase=as_phase(row.phase),
            epoch=row.epoch,
            now=now,
            phase_for=now - self._phase[2],
            why_not_leading="" if desk.leadership.fence else desk.leadership.why_not,
            agent="away" if watch is None else watch.state,
            agent_name=watch.name if watch else row.node_id or "no node",
            site=choose_site(desk.nodes_for(row.id), row.wanted_node_id, row.node_id),
            sighting=None
            if watch is None or report is None
            else sighting_of(report, watch.pulse(report), of_this.begins_with),
            restarts=actions.restarts,
            strays=tuple(epoch for epoch in running if epoch != row.epoch),
            muted_for=0.0 if of_this.muted_at is None else now - of_this.muted_at,
            armed_for=None if of_this.armed_at is None else now - of_this.armed_at,
            start_ordered=of_this.start_ordered,
            fault=of_this.fault,
            skipped=(*actions.skipped(), *(() if status is None else skipped_of(status))),
            off_air_for=None if self._off_air is None else now - self._off_air[0],
            was_on_air=self._was_on_air,
            adopted=self._adopts == row.epoch and now - self._began < _ADOPTION_SHOWN,
            list_changed=actions.list_changed,
            beginning=of_this.beginning,
        )

    def _note_air(self, decision: Decision) -> None:
        if self.row.desired == "off":
            self._off_air, self._was_on_air = None, False
        elif decision.observed in ("on_air", "late", "hung"):
            self._off_air, self._was_on_air = None, True
        elif decision.observed != "unknown" and self._off_air is None:
            self._off_air = (self._desk.clock.monotonic(), self._desk.clock.now())

    def _sight(self, view: View, decision: Decision, watch: NodeWatch | None, report: SidecarReport | None) -> Sight:
        alive = report is not None and report.exit is None and report.epoch == view.epoch and view.phase != "off"
        status = report.status if report is not None and alive else None
        return Sight(
            channel_id=self.row.id,
            desired=view.desired,
            phase=view.phase,
            observed=decision.observed,
            epoch=view.epoch,
            node_id=self.row.node_id,
            node_name=watch.name if watch and self.row.node_id else None,
            decision=decision.sentence,
            status=status,
            age_s=watch.age(report) if watch and report and alive else None,
            beats_ms=watch.beats(self.row.id) if watch and alive else (),
            off_air_since=None if self._off_air is None else self._off_air[1],
            playlist_revision=self._actions.given_revision or (status.playlist_revision if status else 0),
        )


def _desired(text: str) -> Desired:
    return "on" if text == "on" else "off"
