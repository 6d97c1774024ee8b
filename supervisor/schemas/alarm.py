"""Alarms: raised once, kept until cleared, acknowledged by name; and what the station says of them."""

from typing import Annotated, Literal

from pydantic import Field

from supervisor.schemas.base import Id, Instant, Schema

Severity = Literal["critical", "warning", "info"]


class Alarm(Schema):
    """Raised once, kept until cleared, acknowledged by name.

    ``instruction`` is what the station wants done then (whom to call, which crosspoint), in its own words.
    """

    id: Id
    channel_id: Id | None
    recorder_id: Id | None = None
    node_id: Id | None
    code: str
    severity: Severity
    text: str
    raised_at: Instant
    acknowledged_by: str | None
    acknowledged_at: Instant | None
    cleared_at: Instant | None
    shelved_until: Instant | None = None
    shelved_by: str | None = None
    shelved_reason: str | None = None
    instruction: str = ""


AlarmCode = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$", examples=["channel_dark"])]


class InstructionIn(Schema):
    """Of alarms of a channel or of a recorder, of alarms of a kind (``code``), or of a kind of one of them."""

    channel_id: Id | None = None
    recorder_id: Id | None = None
    code: AlarmCode | None = None
    text: Annotated[
        str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$")
    ]


class Instruction(Schema):
    """What the station wants done. An alarm shows all that apply to it, that which is said of it alone first."""

    id: Id
    channel_id: Id | None
    recorder_id: Id | None
    code: str | None
    text: str
    changed_by: str
    changed_at: Instant


class ShelveIn(Schema):
    """For how long it is put aside, and why. What comes again meanwhile is shelved still."""

    minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)]
    reason: Annotated[str, Field(min_length=3, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]
