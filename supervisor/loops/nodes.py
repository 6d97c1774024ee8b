"""Watching one node: what its agent tells, our own misses, and doubt about ourselves."""

from collections import deque
from collections.abc import Callable, Collection, Iterable
from typing import Final

import structlog

from supervisor.agent.interface import AgentAway, NodeAgent, NodeReport, SidecarReport
from supervisor.clock import Clock
from supervisor.decisions.pulse import Answer, Pulse, Silence
from supervisor.decisions.timing import Timing
from supervisor.decisions.view import AgentState

log = structlog.get_logger(__name__)

BEATS: Final = 30


class NodeWatch:
    """``news`` is called with the channels of whose sidecars something new is known, and None for all of them."""

    def __init__(
        self,
        node_id: str,
        name: str,
        agent: NodeAgent,
        clock: Clock,
        timing: Timing,
        news: Callable[[Iterable[str] | None], None],
    ) -> None:
        self.node_id = node_id
        self.name = name
        self.agent = agent
        self._clock = clock
        self._timing = timing
        self._news = news
        self._seen = -1
        self._rounds = -1
        self._returned_at: float | None = None
        self._answered_at: float | None = None
        self._misses = 0
        self._reports: dict[tuple[str, int], SidecarReport] = {}
        self._counted: dict[tuple[str, int], SidecarReport] = {}
        self._taken_at: dict[tuple[str, int], float] = {}
        self._pulses: dict[tuple[str, int], Pulse] = {}
        self._beats: dict[str, deque[int]] = {}

    @property
    def state(self) -> AgentState:
        if self._answered_at is None:
            return "unseen"
        return "away" if self._misses >= self._timing.misses else "answers"

    def answer_age(self) -> float | None:
        """Seconds since the agent last had something new; None before the first time."""
        return None if self._answered_at is None else self._clock.monotonic() - self._answered_at

    def of(self, channel_id: str) -> list[SidecarReport]:
        """The channel's sidecars on this node by epoch, those included whose exit is known."""
        mine = [report for report in self._reports.values() if report.channel_id == channel_id]
        return sorted(mine, key=lambda report: report.epoch)

    def reports(self) -> Collection[SidecarReport]:
        """All sidecars on this node, those included whose exit is known."""
        return self._reports.values()

    def running(self) -> list[SidecarReport]:
        return [report for report in self._reports.values() if report.exit is None]

    def pulse(self, report: SidecarReport) -> Pulse:
        return self._pulses.get((report.channel_id, report.epoch), Pulse(report.epoch))

    def beats(self, channel_id: str) -> tuple[int, ...]:
        """Round trips of the last polls in milliseconds, oldest first; -1 is a miss."""
        return tuple(self._beats.get(channel_id, ()))

    def age(self, report: SidecarReport) -> float | None:
        """Seconds since the sidecar's last answer, as of now."""
        if report.age_s is None:
            return None
        taken = self._taken_at.get((report.channel_id, report.epoch))
        return report.age_s + (0.0 if taken is None else self._clock.monotonic() - taken)

    async def run(self) -> None:
        """Asks the agent for what is new until cancelled: once a second, and at once when something happened."""
        while True:
            await self.look()

    async def look(self) -> None:
        """One call to the agent, in the order of ticks."""
        wait = self._timing.poll + self._timing.late_tick / 2
        try:
            report = await self.agent.report(self._seen, wait)
        except AgentAway as error:
            log.warning("a node agent did not answer", node=self.name, why=str(error))
            self._misses += 1
            self._news(None)
            await self._clock.sleep(self._timing.poll)
            return
        now = self._clock.monotonic()
        since = 0.0 if self._returned_at is None else now - self._returned_at
        self._returned_at = now
        if report.number == self._seen:
            # It answers, but has not polled: we know no more than before.
            self._misses += 1
        else:
            self._misses = 0
            self._answered_at = now
            self._take(report, now)
        if since > wait + self._timing.late_tick:
            log.warning("this supervisor was away", seconds=round(since, 1))
            self._clear()
        self._news(None if self._misses else {sidecar.channel_id for sidecar in report.sidecars})

    async def refresh(self) -> None:
        """What the agent knows now, without waiting for its next round. Raises AgentAway."""
        self._take(await self.agent.report(-1, 0.0), self._clock.monotonic())

    async def poll(self, channel_id: str, epoch: int) -> None:
        """Asks one sidecar now, so that what was just done is seen. Raises what the agent raises."""
        report = await self.agent.poll(channel_id, epoch)
        self._note(report)
        self._news((channel_id,))

    def forget_channel(self, channel_id: str) -> None:
        self._beats.pop(channel_id, None)

    def _clear(self) -> None:
        """We were away: what was missed then says nothing about them."""
        self._misses = 0
        self._pulses = {key: pulse.cleared() for key, pulse in self._pulses.items()}

    def _take(self, report: NodeReport, now: float) -> None:
        is_round = report.rounds != self._rounds
        self._seen, self._rounds = report.number, report.rounds
        gone = self._reports.keys() - {(sidecar.channel_id, sidecar.epoch) for sidecar in report.sidecars}
        for key in gone:
            for known in (self._reports, self._counted, self._pulses, self._taken_at):
                known.pop(key, None)
        for sidecar in report.sidecars:
            self._note(sidecar)
            if is_round and sidecar.exit is None:
                self._count(sidecar, now)

    def _note(self, report: SidecarReport) -> None:
        key = (report.channel_id, report.epoch)
        before = self._reports.get(key)
        if before is not None and before.polls > report.polls:
            return
        self._reports[key] = report
        self._taken_at[key] = self._clock.monotonic()
        pulse = self._pulses.get(key)
        first = report.status is not None and (before is None or before.status is None)
        if first and pulse is not None:
            # Polls before a sidecar's door was open are no misses of its own.
            self._pulses[key] = Pulse(report.epoch)

    def _count(self, report: SidecarReport, now: float) -> None:
        key = (report.channel_id, report.epoch)
        before = self._counted.get(key)
        self._counted[key] = report
        answers = before.answers if before else 0
        polls = before.polls if before else 0
        beats = self._beats.setdefault(report.channel_id, deque(maxlen=BEATS))
        pulse = self._pulses.get(key, Pulse(report.epoch))
        status = report.status
        if report.answers > answers and status is not None:
            lost = status.frames_late + status.frames_skipped
            self._pulses[key] = pulse.after(Answer(status.epoch, status.state, status.frame, lost), now)
            beats.append(report.round_trip_ms or 0)
        elif report.polls > polls:
            self._pulses[key] = pulse.after(Silence(report.fault), now)
            if status is not None:  # absence is not a miss: its door may not be open yet
                beats.append(-1)
