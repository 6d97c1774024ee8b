"""From what an agent reports to what a decision looks at."""

from datetime import datetime, timedelta
from typing import Final

from sidecar.protocol.status import OutputStatus, Status
from supervisor.agent.interface import SidecarReport
from supervisor.decisions.pulse import Pulse
from supervisor.decisions.resume import Position
from supervisor.decisions.view import OutputSight, Sighting

_DOWN: Final = ("stalled", "down", "stopped")
_BLAMELESS: Final = (0, -15)
"""Exit codes that say nothing against the item that was on air: a clean end, and SIGTERM."""
SKIPPED_SHOWN: Final = timedelta(minutes=10)


def sighting_of(report: SidecarReport, pulse: Pulse) -> Sighting:
    """The channel's newest sidecar as a decision sees it."""
    status = report.status
    exit_ = None if report.exit is None else str(report.exit)
    if status is None:
        return Sighting(report.epoch, report.pid, pulse, exit_, output_age_s=report.output_age_s)
    programme = [output for output in status.outputs if output.role == "programme"]
    blameless = report.exit is not None and report.exit.code in _BLAMELESS
    return Sighting(
        epoch=report.epoch,
        pid=report.pid,
        pulse=pulse,
        exit=exit_,
        state=status.state,
        nonce=status.nonce,
        frame=status.frame,
        item_id=status.item.item_id if status.item and not blameless else None,
        picture=picture_of(status),
        outputs=len(programme),
        down=tuple(_down(output) for output in programme if output.state in _DOWN),
        journal_degraded=status.journal.degraded,
        output_age_s=report.output_age_s,
    )


def picture_of(status: Status) -> str:
    """What it shows, in an operator's words."""
    if status.picture == "item" and status.item is not None:
        return status.item.title
    return f"{status.picture}, {status.reason}" if status.reason else status.picture


def position_of(status: Status) -> Position | None:
    """Where a resume would begin: the item on air, or while none is, the one that comes next."""
    at = instant(status.at)
    if status.item is not None:
        return Position(status.item.item_id, status.item.position_frames, at)
    return Position(status.next.item_id, 0, at) if status.next is not None else None


def skipped_of(status: Status) -> tuple[str, ...]:
    """One sentence for every item that could not air lately; the sidecar's clock against itself."""
    now = instant(status.at)
    return tuple(
        f"{item.title} was skipped: {item.reason}" for item in status.skipped if now - instant(item.at) < SKIPPED_SHOWN
    )


def instant(text: str) -> datetime:
    """An RFC 3339 instant of the protocol. Raises ValueError."""
    return datetime.fromisoformat(text)


def _down(output: OutputStatus) -> OutputSight:
    return OutputSight(f"{output.kind} output", f"{output.state}{f', {output.detail}' if output.detail else ''}")
