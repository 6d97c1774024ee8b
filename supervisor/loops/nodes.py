"""Watching one node: what its agent tells, our own misses, and doubt about ourselves."""

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Final

import structlog

from sidecar.protocol.status import Status
from supervisor.agent.interface import (
    AgentAway,
    LeaseRound,
    NodeAgent,
    NodeCondition,
    NodeReport,
    OtherCluster,
    SidecarReport,
    StaleTerm,
)
from supervisor.agent.pinning import ShowsCertificate
from supervisor.clock import Clock
from supervisor.decisions.pulse import Answer, Pulse, Silence
from supervisor.decisions.timing import Timing
from supervisor.decisions.view import AgentState

log = structlog.get_logger(__name__)

BEATS: Final = 30
_CALL: Final = 0.5
"""Seconds that a call may take beyond the time it listens."""
_LEAST: Final = 0.05
"""Seconds between two calls to an agent that answers at once and has nothing new."""


def _nobody_minds(seen: int, why: str) -> None:
    del seen, why


class NodeWatch:
    """``news`` is called with the channels of whose sidecars something new is known.

    ``leases`` answers what the next call is to hand to the sidecars of a node; ``stalled`` is called when we ourselves
    stood still, ``refused`` when the agent takes its orders from a later leader.
    """

    def __init__(
        self,
        node_id: str,
        name: str,
        agent: NodeAgent,
        clock: Clock,
        timing: Timing,
        news: Callable[[Iterable[str]], None],
        leases: Callable[[str], LeaseRound | None] = lambda _: None,
        stalled: Callable[[], None] = lambda: None,
        refused: Callable[[int, str], None] = _nobody_minds,
    ) -> None:
        self.node_id = node_id
        self.name = name
        self.agent = agent
        self._clock = clock
        self._timing = timing
        self._news = news
        self._leases = leases
        self._stalled = stalled
        self._refused = refused
        self.incarnation: str | None = None
        """What the node's agent is known by; another that answers in its place is not believed. None: not known yet."""
        self.foreign = ""
        """The incarnation of another agent that answers in its place; empty when none does."""
        self.other_cluster = ""
        """Why it obeys another cluster, while it says so: it lives and plays for that one. Empty when it is silent."""
        self.was_elsewhere = False
        """It said so last: silent as it may be now, it may play for that one, and a person's word alone gives it up."""
        self.condition: NodeCondition | None = None
        self.offset_s: float | None = None
        """By how much the node's wall clock is ahead of ours, seconds; half a call's time uncertain."""
        self.term_seen = 0
        self.fault = ""
        """Why it did not answer; empty while it does."""
        self._boot = ""
        self._seen = -1
        self._rounds = -1
        self._returned_at: float | None = None
        self._paused = 0.0
        self._answered_at: float | None = None
        self._good = 0
        self._calls = 0
        self._misses = 0
        self._silent = 0
        self._missed_at = 0.0
        self.channels: dict[str, dict[int, SidecarReport]] = {}
        """Of every channel that has sidecars here those by epoch; a plain value, as every channel asks every node."""
        self._reports: dict[tuple[str, int], SidecarReport] = {}
        self._counted: dict[tuple[str, int], SidecarReport] = {}
        self._taken_at: dict[tuple[str, int], float] = {}
        self._heard: dict[tuple[str, int], tuple[Status, float]] = {}
        """What a command's answer told and when, for as long as a report from before it may still come."""
        self._pulses: dict[tuple[str, int], Pulse] = {}
        self._beats: dict[str, deque[int]] = {}
        self.missed: Final[Counter[str]] = Counter()
        """By channel: polls that its sidecar did not answer well, since this watch began."""

    @property
    def state(self) -> AgentState:
        if self._misses >= self._timing.misses:
            return "away"
        return "unseen" if self._answered_at is None else "answers"

    @property
    def certificate(self) -> str:
        """The fingerprint of what its agent shows and vouches for; empty where there is none."""
        return self.agent.certificate if isinstance(self.agent, ShowsCertificate) else ""

    @property
    def is_encrypted(self) -> bool | None:
        """Whether what is said to it is; None before it answered, and for the agent in this process."""
        return self.agent.is_encrypted if isinstance(self.agent, ShowsCertificate) else None

    def is_fresh(self, since: float | None) -> bool:
        """Its last call was answered, and after ``since``: what it does not tell of is not there."""
        if self._misses or self._answered_at is None or since is None:
            return False
        return self._answered_at > since

    @property
    def is_sure(self) -> bool:
        """It answered the last probes: something may be started there."""
        if self._answered_at is None or self._misses:
            return False
        return self._good >= self._timing.misses or self._good == self._calls

    def answer_age(self) -> float | None:
        """Seconds since the agent last had something new; None before the first time."""
        return None if self._answered_at is None else self._clock.monotonic() - self._answered_at

    def of(self, channel_id: str) -> list[SidecarReport]:
        """The channel's sidecars on this node by epoch, those included whose exit is known."""
        mine = self.channels.get(channel_id)
        return [] if mine is None else [mine[epoch] for epoch in sorted(mine)]

    def newest(self, channel_id: str, most: int) -> SidecarReport | None:
        """Of the channel's sidecars on this node the one of the highest epoch up to ``most``."""
        mine = self.channels.get(channel_id)
        if mine is None:
            return None
        newest = mine.get(most)
        return newest or mine.get(max((epoch for epoch in mine if epoch <= most), default=-1))

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
        began = self._clock.monotonic()
        news: Collection[str] = tuple(self.channels)
        try:
            report = await self.agent.report(self._seen, self._timing.listen, self._leases(self.node_id))
        except StaleTerm as error:
            # Says nothing about the node: it is we who do not lead any more.
            self._refused(error.seen, str(error))
            self.fault = str(error)
        except AgentAway as error:
            if not self._misses:
                log.warning("a node agent did not answer", node=self.name, why=str(error))
            self._note_cluster(error)
            self._miss(str(error))
        else:
            news = self._hear(report)
        now = self._clock.monotonic()
        since = 0.0 if self._returned_at is None else now - self._returned_at
        self._returned_at = now
        # What we asked for ourselves is no stall: a pause, and as long as a call may take.
        if since > self._paused + self._timing.listen + self._timing.late_tick + _CALL:
            log.warning("this supervisor was away", seconds=round(since, 1))
            self.clear()
            self._stalled()
        if news:
            self._news(news)
        # A call that failed waits for its turn; one that was answered is followed at once, but not in a rush.
        pause = began + self._timing.poll - now if self.fault else began + _LEAST - now
        self._paused = max(0.0, pause)
        if pause > 0:
            await self._clock.sleep(pause)

    def _hear(self, report: NodeReport) -> Collection[str]:
        """Takes an answer; the channels about which it tells anything new."""
        now = self._clock.monotonic()
        self.other_cluster, self.was_elsewhere, self._silent = "", False, 0
        its = report.condition.incarnation
        self.foreign = its if self.incarnation is not None and its != self.incarnation else ""
        if self.foreign:
            self._miss(f"another agent answers in its place, whose memory is {self.foreign}")
            return tuple(self.channels)
        was_silent = self.state != "answers" or bool(self.fault)
        self.condition, self.term_seen, self.fault = report.condition, report.term, ""
        self.offset_s = (report.condition.at - self._clock.now()).total_seconds()
        if report.number == self._seen and self._answered_at is not None:
            if now - max(self._answered_at, self._missed_at) >= self._timing.poll + self._timing.listen:
                # It answers, but has not polled: we know no more than before.
                self._miss("it answers, but has polled nothing anew")
                return tuple(self.channels)
            return ()
        self._calls += 1
        self._good += 1
        self._misses = 0
        self._answered_at = now
        before = tuple(self.channels)
        told = self._take(report, now)
        return {*before, *told} if was_silent else told

    def _note_cluster(self, error: AgentAway) -> None:
        """One that says nothing any more is not known to live: after as many misses as of any node."""
        if isinstance(error, OtherCluster):
            self.other_cluster, self.was_elsewhere, self._silent = str(error), True, 0
            return
        self._silent += 1
        if self._silent >= self._timing.misses:
            self.other_cluster = ""

    def _miss(self, why: str) -> None:
        self._calls += 1
        self._good = 0
        self._misses += 1
        self._missed_at = self._clock.monotonic()
        self.fault = why

    async def refresh(self) -> None:
        """What the agent knows now, without waiting for its next round. Raises AgentAway."""
        report = await self.agent.report(-1, 0.0)
        if self.incarnation in (None, report.condition.incarnation):
            self._take(report, self._clock.monotonic())

    def heard(self, channel_id: str, epoch: int, status: Status) -> None:
        """What a sidecar told with a command's answer, just now."""
        known = self._reports.get((channel_id, epoch))
        if known is None or known.exit is not None:
            return
        if known.status is None or not status.is_before(known.status):
            self._heard[channel_id, epoch] = status, self._clock.monotonic()
            self._note(replace(known, status=status, age_s=0.0))
        self._news((channel_id,))

    async def poll(self, channel_id: str, epoch: int) -> None:
        """Asks one sidecar now, so that what was just done is seen. Raises what the agent raises."""
        report = await self.agent.poll(channel_id, epoch)
        self._note(report)
        self._news((channel_id,))

    def forget_channel(self, channel_id: str) -> None:
        self._beats.pop(channel_id, None)
        self.missed.pop(channel_id, None)

    def clear(self) -> None:
        """We were away: what was missed then says nothing about them."""
        self._misses = self._silent = 0
        self._pulses = {key: pulse.cleared() for key, pulse in self._pulses.items()}

    def _take(self, report: NodeReport, now: float) -> Collection[str]:
        """The channels that have a sidecar there, or had one until now: an exit that is known is no news any more."""
        if report.condition.boot != self._boot:
            self._begin_anew(report.condition.boot)
        elif report.number < self._seen:
            # Overtaken on its way by a later one.
            return ()
        is_round = report.rounds != self._rounds
        self._seen, self._rounds = report.number, report.rounds
        gone = self._reports.keys() - {(sidecar.channel_id, sidecar.epoch) for sidecar in report.sidecars}
        told = {channel_id for channel_id, _ in gone}
        for key in gone:
            for known in (self._reports, self._counted, self._pulses, self._taken_at, self._heard):
                known.pop(key, None)
            epochs = self.channels[key[0]]
            del epochs[key[1]]
            if not epochs:
                del self.channels[key[0]]
        for sidecar in report.sidecars:
            before = self._reports.get((sidecar.channel_id, sidecar.epoch))
            if sidecar.exit is None or before is None or before.exit is None:
                told.add(sidecar.channel_id)
            self._note(sidecar)
            if is_round and sidecar.exit is None:
                self._count(sidecar, now)
        return told

    def _begin_anew(self, boot: str) -> None:
        """Another life of the agent, which counts its polls from zero: beside the old numbers they would look late."""
        self._boot = boot
        for known in (self.channels, self._reports, self._counted, self._taken_at, self._pulses, self._heard):
            known.clear()

    def _note(self, report: SidecarReport) -> None:
        key = (report.channel_id, report.epoch)
        before = self._reports.get(key)
        if before is not None and before.polls > report.polls:
            return
        now = self._clock.monotonic()
        status, heard_at = self._heard.get(key, (None, 0.0))
        if status is not None and report.status is not None and report.exit is None and report.status.is_before(status):
            # It was on its way when a command was answered.
            report = replace(report, status=status, age_s=now - heard_at)
        if now - heard_at > self._timing.poll + _CALL:
            self._heard.pop(key, None)
        self._reports[key] = report
        self.channels.setdefault(report.channel_id, {})[report.epoch] = report
        self._taken_at[key] = now
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
                self.missed[report.channel_id] += 1
