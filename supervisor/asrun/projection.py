"""Events with a start and an end, out of a run's records in order. Pure: the same records give the same events."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final

from db.repositories.as_run import AsRunEventRow
from sidecar.protocol.asrun import AsRunRecord
from sidecar.rundown.rate import parse_rate
from supervisor.schemas.asrun import AsRunStatus

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CUT: Final = frozenset({"take", "skip", "play", "rejoin", "standby", "stop"})
_SHORT: Final = frozenset({"ended early", "failed", "no data", "live lost"})
HELD: Final = "held picture"
"""Title of the last picture of an item, standing until a take."""


def instant_of(wall_ns: int) -> datetime:
    """To the microsecond; the record keeps the nanoseconds."""
    return _EPOCH + timedelta(microseconds=wall_ns // 1000)


def frames_as_time(frames: int, rate: str) -> timedelta:
    """How long ``frames`` last, to the microsecond."""
    return timedelta(microseconds=round(Fraction(frames * 1_000_000) / parse_rate(rate)))


@dataclass(frozen=True, slots=True)
class Heard:
    """A heartbeat of the run: at ``at`` ``frame`` frames had left, the last ones of the event whose record is of frame
    ``since``; or, where a sidecar does not tell that, of the item that began at ``started_frame``."""

    frame: int
    at: datetime
    since: int | None
    item_id: str | None = None
    started_frame: int | None = None


class Projection:
    """One run. Begins with the events that were open when ``seen`` (0: nothing) was its last record.

    An item is open from ``item_start`` to ``item_end``, filler (and standby, whose cause says so) from
    ``filler_start`` to ``filler_end``; a held last picture counts as filler, a frozen one lies inside its item.
    """

    def __init__(
        self,
        open_events: Iterable[AsRunEventRow] = (),
        last_event: AsRunEventRow | None = None,
        *,
        predicts: bool = False,
    ) -> None:
        """``last_event``: the one that began last, open or not. ``predicts``: the run's first record says that its
        starts tell what was predicted; of an older sidecar's it follows from the event before."""
        self._open: list[AsRunEventRow] = list(open_events)
        self._before = last_event
        self._predicts = predicts
        self._changed: dict[int, AsRunEventRow] = {}

    def add(self, records: Sequence[AsRunRecord]) -> tuple[AsRunEventRow, ...]:
        """What ``records``, the next of the run, begin, end or change."""
        self._changed = {}
        for record in records:
            self._take(record)
        return tuple(self._changed.values())

    def end(self, last: AsRunRecord | None, heard: Heard | None = None) -> tuple[AsRunEventRow, ...]:
        """The run is over. What has no end of its own aired at least to ``last``, its last record, and no one knows on.

        ``last`` None: nothing is provable beyond the start. ``heard`` is the last heartbeat of the run: it may prove
        more of the event that it names.
        """
        ended: list[AsRunEventRow] = []
        for event in self._open:
            frames = max(0, last.frame - event.start_frame) if last is not None else 0
            at = instant_of(last.wall_ns) if last is not None else event.start_at
            proof = "up to its last record"
            if heard is not None and _is_of(heard, event) and heard.frame - event.start_frame > frames:
                frames, at = heard.frame - event.start_frame, heard.at
                proof = "heard by heartbeat"
            detail = f"the run has no end: proven for {frames} frames, {proof}"
            ended.append(
                replace(event, end_at=max(at, event.start_at), frames=frames, status="unknown end", detail=detail)
            )
        self._open.clear()
        return tuple(ended)

    def _take(self, record: AsRunRecord) -> None:
        match record.kind:
            case "item_start":
                self._begin(record, "item", record.title or record.item_id or "")
            case "filler_start":
                self._begin(record, "filler", "standby" if record.cause == "standby" else "filler")
            case "freeze_start" | "freeze_end":
                self._held(record)
            case "live_lost" | "live_back":
                self._live(record)
            case "item_end" | "filler_end":
                self._finish(record, record.kind.removesuffix("_end"))
            case "item_skipped":
                self._put(_skipped(record))
            case "late":
                self._late(record)
            case "run_end":
                for event in tuple(self._open):
                    self._close(event, record, record.frame - event.start_frame, "unknown end")
            case "run_start":
                self._predicts = record.predicts
            case "on_air" | "command" | "decision":
                # They say something about the run or the picture; no event begins or ends with them.
                pass

    def _begin(self, record: AsRunRecord, kind: str, title: str) -> None:
        event = AsRunEventRow(
            seq=record.seq,
            kind=kind,
            title=title[:200],
            start_at=instant_of(record.wall_ns),
            start_frame=record.frame,
            rate=record.rate,
            start_cause=record.cause[:40],
            status="on air",
            item_id=record.item_id,
            asset_id=record.asset_id,
            house_id=record.house_id,
            planned_frames=record.planned_frames,
            by=record.by[:120],
            detail=record.detail,
            traffic_id=record.traffic_id,
            path=record.path,
            fingerprint=record.fingerprint,
            in_frames=record.in_frames,
            source_in=record.source_in,
            source_rate=record.source_rate,
            planned_at=_planned(record),
            predicted_at=self._predicted(record),
            inserted=record.inserted,
            start_proof=record.proof or None,
        )
        self._open.append(event)
        self._before = event
        self._put(event)

    def _predicted(self, record: AsRunRecord) -> datetime | None:
        """When an item was to begin, as it looked when the one before it began; None if nobody knew."""
        if record.predicted_at_ns is not None:
            return instant_of(record.predicted_at_ns)
        before = self._before
        if self._predicts or record.kind != "item_start" or before is None or before.seq >= record.seq:
            return None
        if before.kind != "item" or before.planned_frames is None:
            return None
        return before.start_at + frames_as_time(before.planned_frames, before.rate)

    def _finish(self, record: AsRunRecord, kind: str) -> None:
        for event in reversed(self._open):
            if event.kind == kind and event.item_id in (None, record.item_id):
                told = None if event.start_cause == "live back" else record.frames  # of the whole airing, not of this
                frames = told if told is not None else record.frame - event.start_frame
                self._close(event, record, frames, _status(record.cause))
                return

    def _close(self, event: AsRunEventRow, record: AsRunRecord, frames: int, status: AsRunStatus) -> None:
        self._open.remove(event)
        late = event.late if record.late is None or event.start_cause == "live back" else record.late
        self._put(
            replace(
                event,
                end_at=instant_of(record.wall_ns),
                frames=frames,
                end_cause=record.cause[:40],
                status=status,
                detail=record.detail or event.detail,
                late=late,
                end_proof=record.proof or None,
            )
        )

    def _late(self, record: AsRunRecord) -> None:
        for index, event in enumerate(self._open):
            if event.kind == "item" and record.late is not None:
                self._open[index] = replace(event, late=event.late + record.late)
                self._put(self._open[index])

    def _held(self, record: AsRunRecord) -> None:
        """A held last picture is filler; a picture frozen by an operator is the item's own."""
        if record.kind == "freeze_end":
            if self._open and self._open[-1].kind == "filler":
                self._finish(record, "filler")
        elif record.cause == "hold":
            self._begin(record, "filler", f"{HELD} of {record.title}" if record.title else HELD)

    def _live(self, record: AsRunRecord) -> None:
        """While a live input is lost its item is off the output: filler between two events of the item."""
        if record.kind == "live_lost":
            self._finish(record, "item")
            self._begin(record, "filler", "live input lost")
            return
        self._finish(record, "filler")
        if record.cause == "live back":
            self._begin(record, "item", record.title or record.item_id or "")

    def _put(self, event: AsRunEventRow) -> None:
        self._changed[event.seq] = event


def _planned(record: AsRunRecord) -> datetime | None:
    return None if record.planned_at_ns is None else instant_of(record.planned_at_ns)


def _is_of(heard: Heard, event: AsRunEventRow) -> bool:
    if heard.since is not None:
        return heard.since == event.start_frame
    return event.kind == "item" and (heard.item_id, heard.started_frame) == (event.item_id, event.start_frame)


def _status(cause: str) -> AsRunStatus:
    if cause in _CUT:
        return "cut"
    return "aired short" if cause in _SHORT else "aired"


def _skipped(record: AsRunRecord) -> AsRunEventRow:
    """An item that could not air: an event without a length."""
    at = instant_of(record.wall_ns)
    return AsRunEventRow(
        seq=record.seq,
        kind="skipped",
        title=(record.title or record.item_id or "")[:200],
        start_at=at,
        start_frame=record.frame,
        rate=record.rate,
        start_cause=record.cause[:40],
        status="skipped",
        item_id=record.item_id,
        asset_id=record.asset_id,
        house_id=record.house_id,
        end_at=at,
        frames=0,
        end_cause=record.cause[:40],
        by=record.by[:120],
        detail=record.detail,
        traffic_id=record.traffic_id,
        path=record.path,
        fingerprint=record.fingerprint,
        planned_at=_planned(record),
        inserted=record.inserted,
        start_proof=record.proof or None,
        end_proof=record.proof or None,
    )
