"""A printed report: one line an event, and at its foot where every frame of the span went."""

import unicodedata
from datetime import datetime
from typing import Final

from db.models import AsRunEvent as Stored
from supervisor.asrun.account import Account, Piece
from supervisor.asrun.export.interface import NotesOf, said
from supervisor.asrun.spans import Span
from supervisor.schemas.asrun import AsRunEvent
from supervisor.schemas.timecode import format_timecode, time_of_day

WIDTH: Final = 132
_TITLE: Final = 40


class Report:
    counts_span = True

    def __init__(self, span: Span, now: datetime, notes: NotesOf) -> None:
        self._span, self._now, self._notes = span, now, notes
        self._account = Account(span.start, span.end, span.rate, now)

    def begin(self) -> str:
        span = self._span
        number = "" if span.number is None else f"{span.number} "
        return (
            f"As-run log of channel {number}{_plain(span.name) or span.channel_id}\n"
            f"Broadcast day {span.called}\n"
            f"{_local(span.start, span)} to {_local(span.end, span)}, {span.zone.key}, {span.rate} frames a second\n"
            f"Written {_local(self._now, span)}. Times are of the frame leaving the playout clock.\n"
            f"{self._delays()}\n"
            f"{'START':<11} {'DURATION':<11} {'TITLE':<{_TITLE}} {'HOUSE ID':<16} {'TRAFFIC ID':<16} STATUS\n"
            f"{'-' * WIDTH}\n"
        )

    def _delays(self) -> str:
        return "".join(
            f"An output adds: {_plain(f'{one.kind} {one.place}'.strip())}, "
            f"{'not measured' if one.total_ms is None else f'{one.total_ms} ms'}; {one.note}.\n"
            for one in self._span.delays
        )

    def event(self, stored: Stored, event: AsRunEvent) -> str:
        self._account.add(Piece.of(stored))
        start = time_of_day(event.start_at.astimezone(self._span.zone), event.rate)
        length = "on air" if event.frames is None else format_timecode(event.frames, event.rate)
        title = _plain(event.title or event.kind)
        if event.start_at < self._span.start:
            title = f"(from before) {title}"
        words = "; ".join(event.statuses) or event.kind
        line = f"{start:<11} {length:<11} {_fit(title, _TITLE)} {_fit(_plain(event.house_id or ''), 16)} "
        line += f"{_fit(_plain(event.traffic_id or ''), 16)} {words}"
        more = [line.rstrip()]
        if reason := _reason(event):
            more.append(f"{'':<24}{_plain(reason)}")
        if inferred := _inferred(event):
            more.append(f"{'':<24}{inferred}")
        if event.continues is not None:
            lost = "" if event.lost_frames is None else f", {event.lost_frames} frames lost between"
            more.append(f"{'':<24}goes on from its segment in run {event.continues.run_id}{lost}")
        more += [f"{'':<24}note: {_plain(said(note))}" for note in self._notes.get((event.run_id, event.seq), ())]
        return "\n".join(more) + "\n"

    def end(self) -> str:
        totals, rate = self._account.close(), self._span.rate
        rows = (
            ("aired", totals.aired),
            ("filler", totals.filler),
            ("off air", totals.off_air),
            ("unaccounted", totals.unaccounted),
            ("the span", totals.span),
        )
        text = f"{'-' * WIDTH}\n"
        for name, frames in rows:
            text += f"{name:<12} {frames:>12} frames {format_timecode(frames, rate):>14}\n"
        for gap in totals.gaps:
            at = _local(gap.at, self._span)
            text += f"{'off air':<12} {gap.frames:>12} frames from {at}: {gap.why}\n"
        if totals.inferred:
            text += f"{'inferred':<12} {totals.inferred:>12} frames of the above whose end no record has\n"
        if totals.by_time:
            text += f"{'by time':<12} {totals.by_time:>12} frames of the above whose start or end nobody saw\n"
        if totals.twice:
            text += f"{'at once':<12} {totals.twice:>12} frames in which more than one run aired\n"
        return text


def _inferred(event: AsRunEvent) -> str:
    """Which of its times nobody saw."""
    times = (("start", event.start_proof), ("end", event.end_proof))
    told = " and ".join(name for name, proof in times if proof == "inferred")
    return f"its {told} {'are' if ' ' in told else 'is'} inferred" if told else ""


def _reason(event: AsRunEvent) -> str:
    """Of what did not air also the rule or the command, and whose."""
    if event.kind != "skipped":
        return event.detail
    return "; ".join(filter(None, (event.start_cause, f"by {event.by}" if event.by else "", event.detail)))


def _local(at: datetime, span: Span) -> str:
    return at.astimezone(span.zone).strftime("%Y-%m-%d %H:%M:%S")


def _plain(text: str) -> str:
    """One line, nothing that a printer or a terminal takes for an order."""
    return "".join(" " if unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp"} else letter for letter in text)


def _fit(text: str, width: int) -> str:
    return text[: width - 1] + "…" if len(text) > width else f"{text:<{width}}"
