"""The service report of a channel and a day: how much of it was on air, and what was not as it should be."""

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from db.models import AsRunEvent
from db.store import Store
from sidecar.rundown.rate import parse_rate
from supervisor.asrun.account import Account, Gap, Piece, Totals
from supervisor.asrun.spans import Span, events_of
from supervisor.asrun.statuses import statuses_of
from supervisor.asrun.verifying import Proof
from supervisor.schemas.asrun import AsRunProof, OffAir, ServiceReport

LATE: Final = timedelta(seconds=1)
_UNINTENDED: Final = ("failover", "moved", "failed", "stalled")
_BROKEN: Final = ("failover", "moved", "failed")


class Service:
    """Fed with every event that touches the day, in order."""

    def __init__(self, span: Span, until: datetime) -> None:
        self._span, self._until = span, min(until, span.end)
        self._account = Account(span.start, span.end, span.rate, self._until)
        self._items = self._clean = self._troubled = self._missed = self._late = self._repeated = 0
        self._worst = timedelta()

    def add(self, event: AsRunEvent) -> None:
        self._account.add(Piece.of(event))
        if event.start_at < self._span.start:
            return  # it is the day's before
        statuses = statuses_of(event)
        if event.kind == "skipped":
            self._missed += 1
        elif event.kind == "item":
            self._items += event.continues_seq is None
            self._clean += statuses == ("Aired Without Discrepancy",)
            self._troubled += "Technical Difficulty" in statuses
            self._repeated += event.late
            if event.planned_at is not None and event.continues_seq is None and not event.in_frames:
                late = event.start_at - event.planned_at
                self._late += late > LATE
                self._worst = max(self._worst, late)

    def report(self) -> ServiceReport:
        span, totals, rate = self._span, self._account.close(), self._span.rate
        assert span.day is not None
        off = totals.off_air_by
        on_air = totals.aired + totals.filler
        return ServiceReport(
            channel_id=span.channel_id,
            day=span.day,
            start_at=span.start,
            end_at=span.end,
            until=self._until,
            on_air_percent=on_air * 1_000_000 // totals.span / 10_000 if totals.span else 0.0,
            off_air_seconds=_seconds(totals.off_air, rate),
            unintended_seconds=_seconds(sum(off.get(why, 0) for why in _UNINTENDED) + totals.unaccounted, rate),
            filler_seconds=_seconds(totals.filler, rate),
            standby_seconds=_seconds(totals.standby, rate),
            held_seconds=_seconds(totals.held, rate),
            items=self._items,
            without_discrepancy=self._clean,
            technical_difficulties=self._troubled,
            did_not_air=self._missed,
            late_starts=self._late,
            worst_late_ms=self._worst // timedelta(milliseconds=1),
            repeated_frames=self._repeated,
            failovers=tuple(off_air(gap, rate) for gap in totals.gaps if gap.why in _BROKEN),
        )


async def service_of(store: Store, span: Span, now: datetime) -> ServiceReport:
    """Of a broadcast day, up to ``now``."""
    service = Service(span, now)
    async for event in events_of(store, span, begun_before=True):
        service.add(event)
    return service.report()


def proof_of(proof: Proof, span: Span, now: datetime) -> AsRunProof:
    """A proof as people and programs are shown it."""
    totals = proof.totals
    return AsRunProof(
        channel_id=span.channel_id,
        day=span.day,
        start_at=span.start,
        end_at=span.end,
        until=min(now, span.end),
        rate=span.rate,
        holds=proof.holds,
        sentence=("" if now >= span.end else f"as far as it has run, to {now:%H:%M:%S} UTC: ") + sentence_of(proof),
        span_frames=totals.span,
        aired_frames=totals.aired,
        filler_frames=totals.filler,
        off_air_frames=totals.off_air,
        unaccounted_frames=totals.unaccounted,
        twice_frames=totals.twice,
        inferred_frames=totals.inferred,
        by_time_frames=totals.by_time,
        runs=proof.runs,
        records=proof.records,
        events=totals.events,
        faulty=proof.faulty,
        faults=tuple(proof.faults),
        off_air=tuple(off_air(gap, span.rate) for gap in totals.gaps),
    )


def sentence_of(proof: Proof) -> str:
    """What was found, in one line."""
    totals = proof.totals
    sums = f"{totals.unaccounted} unaccounted frames of {totals.span}: {_sum(totals)}"
    if proof.faulty:
        return f"{sums}; {proof.faulty} faults in the log"
    return f"{sums}; the chain of {proof.records} records is whole and makes the {proof.compared} events"


def off_air(gap: Gap, rate: str) -> OffAir:
    return OffAir(at=gap.at, frames=gap.frames, seconds=_seconds(gap.frames, rate), why=gap.why)


def _sum(totals: Totals) -> str:
    parts = ((totals.inferred, "inferred"), (totals.by_time, "by the time that passed"))
    told = ", ".join(f"{frames} of them {what}" for frames, what in parts if frames)
    inferred = f" ({told})" if told else ""
    return f"{totals.aired} aired, {totals.filler} filler{inferred}, {totals.off_air} off air"


def _seconds(frames: int, rate: str) -> float:
    return float(round(Fraction(frames) / parse_rate(rate), 3))
