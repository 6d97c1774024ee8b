"""From what an agent reports to what a decision looks at."""

from datetime import datetime, timedelta
from typing import Final

from sidecar.protocol.status import EngineHealth, OutputStatus, Status
from sidecar.rundown.rate import parse_rate
from supervisor.agent.interface import SidecarReport
from supervisor.decisions.pulse import Pulse
from supervisor.decisions.resume import Position
from supervisor.decisions.view import OutputSight, ServerSight, Sighting

_DOWN: Final = ("stalled", "down", "stopped")
_PLAYS_ON: Final = 3
"""As ``sidecar.lifecycle`` has it: it went by a signal, and its CasparCG server was left playing."""
_BLAMELESS: Final = (0, -2, -15, _PLAYS_ON)
"""Exit codes that say nothing against an item: a clean end, and signals that people send."""
_NEXT_FRAME: Final = timedelta(milliseconds=150)
"""A playout that keeps up has its next frame due within this of its answer, at any rate."""
SKIPPED_SHOWN: Final = timedelta(minutes=10)


def sighting_of(report: SidecarReport, pulse: Pulse, begins_with: str | None) -> Sighting:
    """The channel's newest sidecar as a decision sees it; ``begins_with`` is the item its run was to begin with."""
    status = report.status
    exit_ = None if report.exit is None else str(report.exit)
    suspect = _suspect(report, begins_with)
    if status is None:
        return Sighting(
            report.epoch,
            report.pid,
            pulse,
            exit_,
            item_id=suspect,
            output_age_s=report.output_age_s,
            ended_well=report.exit is not None and report.exit.code == 0,
        )
    # A recording is nobody's air, but it is all that a recorder does.
    records = status.recording is not None
    programme = [it for it in status.outputs if it.role == "programme" and (it.kind != "file" or records)]
    return Sighting(
        epoch=report.epoch,
        pid=report.pid,
        pulse=pulse,
        exit=exit_,
        state=status.state,
        nonce=status.nonce,
        frame=status.frame,
        item_id=suspect,
        picture=picture_of(status),
        undecoded=None if status.next is None or status.next.ready else status.next.title,
        outputs=len(programme),
        down=tuple(_down(output) for output in programme if output.state in _DOWN),
        not_listening=tuple(
            OutputSight(f"{output.kind} output", output.link.fault)
            for output in programme
            if output.link is not None and output.link.fault
        ),
        journal_degraded=status.journal.degraded,
        faults=status.faults.raised,
        logo_fault="" if status.logo is None else status.logo.fault,
        server=_server(status.engine),
        hold_timed_out=status.hold_left_ms == 0,
        output_age_s=report.output_age_s,
        ended_well=report.exit is not None and report.exit.code == 0,
    )


def _server(engine: EngineHealth | None) -> ServerSight | None:
    if engine is None or (engine.answers and engine.moves):
        return None
    return ServerSight(engine.answers, engine.moves, engine.reached, engine.detail, engine.wrong_ms / 1000)


def _suspect(report: SidecarReport, begins_with: str | None) -> str | None:
    """The item on air, or that was when it went; a crash before any was on air points at the one that was opened."""
    said = report.status.item.item_id if report.status is not None and report.status.item is not None else None
    gone = report.exit
    if gone is None:
        return said
    if gone.code in _BLAMELESS:
        return None
    crashed_at_first = begins_with if gone.code is not None and gone.code < 0 else None
    return gone.item_id or said or crashed_at_first


def picture_of(status: Status) -> str:
    """What it shows, in an operator's words."""
    if status.recording is not None:
        return status.recording.title or status.recording.detail
    if status.picture == "item" and status.item is not None:
        return status.item.title
    return f"{status.picture}, {status.reason}" if status.reason else status.picture


def position_of(status: Status) -> Position | None:
    """Where a resume would begin: the item on air, or while none is, the one that comes next."""
    at = instant(status.at)
    item = status.item
    if item is not None:
        shown_us = int((status.frame - item.started_frame) * 1_000_000 / parse_rate(status.rate))
        due = instant(item.started_at) + timedelta(microseconds=shown_us)
        # Unless frame times were passed over or the clock was set since the item began: then to what was seen.
        is_sound = abs(due - at) <= _NEXT_FRAME
        return Position(item.item_id, item.position_frames, due if is_sound else at, status.rate)
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
