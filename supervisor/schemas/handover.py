"""What one shift hands to the next: its notes, and all that stands as somebody left it."""

from typing import Annotated, Literal

from pydantic import Field

from supervisor.schemas.base import Id, Instant, Line, Schema

StandingKind = Literal[
    "off air", "alarm", "standby", "frozen", "hold", "filler", "logo", "failover held", "control", "maintenance",
    "draining", "declared lost", "stopped",
]  # fmt: skip


class ShiftNoteIn(Schema):
    """Of the station, or of a channel, an alarm (`alarm_id`) or an event of the as-run log (`run_id` and `seq`, with
    its channel).

    One of the station is read within `project_id`. Left out: the one project whose air the writer may change; an
    admin's is for admins."""

    text: Annotated[Line, Field(min_length=1, max_length=2000)]
    channel_id: Id | None = None
    alarm_id: Id | None = None
    project_id: Id | None = None
    run_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    seq: Annotated[int, Field(ge=1, lt=2**63)] | None = None


class ShiftNote(Schema):
    """``about`` says what it is of, in words."""

    id: int
    at: Instant
    channel_id: Id | None
    alarm_id: Id | None
    project_id: Id | None = None
    """Whose it is to read; none: the admins'."""
    run_id: str | None
    seq: int | None
    about: str
    text: str
    by: str


class Standing(Schema):
    """Something that is not as it is when nobody has touched it and nothing is broken. ``since`` where it is known;
    ``by``: whose doing it is, or who acknowledged it."""

    kind: StandingKind
    channel_id: Id | None = None
    node_id: Id | None = None
    who: str
    """Of what, in words: ``3 Sport``, ``node-a``."""
    text: str
    since: Instant | None = None
    by: str = ""


class Handover(Schema):
    """``standing``: the loudest first. ``notes``: the newest first, of the last ``hours``."""

    at: Instant
    hours: int
    channels: int
    on_air: int
    wanted: int
    standing: tuple[Standing, ...]
    notes: tuple[ShiftNote, ...]
