"""What a supervisor answers to the handover page: a night that left things standing, and a quiet one."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from mcr_console.client import ClientError
from supervisor.handover import standing
from supervisor.schemas.alarm import Alarm
from supervisor.schemas.channel import Channel
from supervisor.schemas.handover import Handover, ShiftNote, ShiftNoteIn
from supervisor.schemas.node import Node

NOON = datetime(2026, 11, 22, 14, 3, 47, tzinfo=UTC)


def shift_note(number: int, about: str, text: str, by: str = "ann", minutes: int = 40) -> ShiftNote:
    return ShiftNote(
        id=number, at=NOON - timedelta(minutes=minutes), channel_id=None, alarm_id=None, run_id=None, seq=None,
        about=about, text=text, by=by,
    )  # fmt: skip


NOTES = (
    shift_note(
        3, "3 Sport", "OB truck 2 drops out when it rains; crosspoint 14 is its spare, call Bea first", minutes=12
    ),
    shift_note(
        2, "5 Regional N, alarm off air: the sidecar exited with code 139", "vendor is told, ticket 4711", "bob", 34
    ),
    shift_note(1, "", "Clocks go back tonight: Kids has 25 hours", minutes=210),
)


def page_of(
    channels: Sequence[Channel],
    nodes: Sequence[Node] = (),
    alarms: Sequence[Alarm] = (),
    notes: Sequence[ShiftNote] = (),
) -> Handover:
    """Made by the supervisor's own rules."""
    live = [channel.live for channel in channels]
    return Handover(
        at=NOON,
        hours=12,
        channels=len(live),
        on_air=sum(one.observed in {"on_air", "late"} for one in live),
        wanted=sum(one.desired == "on" for one in live),
        standing=standing(channels, nodes, alarms),
        notes=tuple(notes),
    )


class ScriptedHandover:
    """``noted`` is what was written."""

    page: Handover | None
    noted: list[ShiftNoteIn]
    problem: ClientError | None

    async def handover(self, hours: int = 12) -> Handover:
        if self.page is None:
            raise self.problem or ClientError("No page", "nobody wrote one")
        return self.page

    async def add_shift_note(self, values: ShiftNoteIn) -> ShiftNote:
        if self.problem is not None:
            raise self.problem
        self.noted.append(values)
        return shift_note(9, "", values.text)
