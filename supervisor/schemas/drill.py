"""Drills: a fault made on purpose, and how long the way back from it was."""

from typing import Annotated, Literal

from pydantic import Field

from supervisor.schemas.base import Id, Instant, Schema

DrillKind = Literal["kill", "freeze", "isolate"]
"""``kill``: the processes are ended at once. ``freeze``: they stand still for so many seconds. ``isolate``: they run
on, and no supervisor hears of them for so many seconds."""
TargetKind = Literal["channel", "node"]
DrillState = Literal["running", "back", "not_back", "unmeasured"]
"""``back``: all of its channels are on air again. ``not_back``: not all within the time given. ``unmeasured``: the
supervisor that ran it ended before it was over."""


class DrillIn(Schema):
    """``on_air_name``: the name of a target that is no test channel or node, typed by who means it."""

    target_kind: TargetKind
    target_id: Id
    kind: DrillKind
    seconds: Annotated[int, Field(ge=1, le=120)] = 10
    """How long what is frozen or isolated stays so, and a node silent."""
    on_air_name: Annotated[str | None, Field(max_length=200)] = None


class DrilledChannel(Schema):
    """What became of one channel. Where the same run went on, there is no first new frame."""

    channel_id: Id
    name: str
    epoch_before: int
    epoch: int
    node_name: str | None
    """Where it is after it."""
    back_ms: int | None
    """From the fault until it was on air as the supervisor sees it, and the fault was over; None: not in time."""
    first_frame_ms: int | None
    """From the fault to the first frame of the run that followed, by that run's own journal."""
    lost_frames: int | None
    """Frames that were due and did not leave; None where nobody can tell."""


class Drill(Schema):
    id: int
    at: Instant
    by: str
    target_kind: TargetKind
    target_id: Id
    target_name: str
    kind: DrillKind
    seconds: int
    was_test: bool
    state: DrillState
    finished_at: Instant | None
    first_frame_ms: int | None
    """The longest of its channels'."""
    lost_frames: int | None
    """Of all its channels; None where nobody can tell of one."""
    alarms: tuple[str, ...]
    """The codes of those that were raised meanwhile, of its channels and its node."""
    channels: tuple[DrilledChannel, ...]
