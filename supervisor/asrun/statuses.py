"""What became of an event in the words of SMPTE ST 2021 (BXF), one or several. Pure.

The words are those of ``AsRunStatusType`` in the schema that SMPTE publishes as st2021-4.
"""

from typing import Final

from db.models import AsRunEvent
from db.repositories.as_run import AsRunEventRow
from supervisor.schemas.asrun import BxfStatus

_BROKEN: Final = frozenset({"failed", "no data", "ended early", "live lost"})
_MISSING: Final = ("no such file", "there is no file", "no clip", "not found")
_GIVEN_UP: Final = frozenset({"failed", "no data"})


def statuses_of(event: AsRunEventRow | AsRunEvent) -> tuple[BxfStatus, ...]:
    """None while the event is on air, and of filler that nothing but the list's end brought about."""
    match event.kind:
        case "skipped":
            return _of_skipped(event)
        case "filler":
            return _of_filler(event)
        case _:
            return () if event.end_at is None else _of_item(event)


def _of_skipped(event: AsRunEventRow | AsRunEvent) -> tuple[BxfStatus, ...]:
    if event.start_cause not in _GIVEN_UP:
        # Dropped by a person, or by a fixed start that needed its time.
        return ("Did not air", "Preempted")
    missing = event.path is None or any(word in event.detail.lower() for word in _MISSING)
    return ("Did not air", "Missing Content" if missing else "Technical Difficulty")


def _of_filler(event: AsRunEventRow | AsRunEvent) -> tuple[BxfStatus, ...]:
    if event.start_cause == "standby":
        return ("Inserted by Operator",)
    return ("Technical Difficulty",) if event.start_cause in _BROKEN else ()


def _of_item(event: AsRunEventRow | AsRunEvent) -> tuple[BxfStatus, ...]:
    found: list[BxfStatus] = []
    is_segment = event.continues_seq is not None or event.start_cause == "live back"
    if event.status == "unknown end" or event.end_cause in _BROKEN or is_segment:
        found.append("Technical Difficulty")
    if event.in_frames and not is_segment:
        found.append("Joined in Progress")
    if event.end_cause == "standby":
        found.append("Preempted")
    if event.inserted:
        found.append("Inserted by Operator")
    if _length_differs(event):
        found.append("Aired with Duration Discrepancy")
    if event.late:
        found.append("Aired with Content Discrepancy")
    if event.status == "unknown end":
        found.append("Unknown")
    return tuple(dict.fromkeys(found)) or ("Aired Without Discrepancy",)


def _length_differs(event: AsRunEventRow | AsRunEvent) -> bool:
    if event.planned_frames is None:
        # To its source's end: whatever ended it before that made it shorter.
        return event.end_cause != "ended"
    return event.frames != event.planned_frames
