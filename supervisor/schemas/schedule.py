"""Schedules: when recorders record by themselves."""

from typing import Annotated, Literal

from pydantic import Field

from supervisor.schemas.base import Id, Instant, Name, Schema

ScheduleKind = Literal["once", "daily", "weekly"]
Weekday = Annotated[int, Field(ge=0, le=6)]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2027-03-28"])]
WallTime = Annotated[str, Field(pattern=r"^[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?$", examples=["20:15:00"])]
Length = Annotated[int, Field(ge=1, le=7 * 86_400)]
Roll = Annotated[int, Field(ge=0, le=3600)]


class ScheduleIn(Schema):
    """``date`` and ``at`` are the wall clock's of ``time_zone``; ``weekdays`` (0 is Monday) are of ``weekly``.

    A time that a change to summer time leaves out is as much later as the clock was put forward; of one that comes
    twice it is the first. Lengths are real time, in seconds.
    """

    recorder_id: Id
    title: Name
    kind: ScheduleKind = "once"
    date: Day
    at: WallTime
    until: Day | None = None
    weekdays: tuple[Weekday, ...] = ()
    time_zone: str = "UTC"
    duration_s: Length
    pre_roll_s: Roll = 0
    post_roll_s: Roll = 0
    enabled: bool = True


class SchedulePatch(Schema):
    """Only what is given changes; what is being recorded takes it on at once."""

    title: Name | None = None
    kind: ScheduleKind | None = None
    date: Day | None = None
    at: WallTime | None = None
    until: Day | None = None
    weekdays: tuple[Weekday, ...] | None = None
    time_zone: str | None = None
    duration_s: Length | None = None
    pre_roll_s: Roll | None = None
    post_roll_s: Roll | None = None
    enabled: bool | None = None


class ScheduleClash(Schema):
    """The first time that this cannot be recorded beside ``title`` of ``owner``. ``what``: over what.

    An owner without a schedule (``schedule_id`` null) has the port now, until somebody stops it. ``goes_first``: the
    port is kept for this and not for the other, because it was planned first; null over a recorder.
    """

    schedule_id: Id | None
    owner: str = ""
    recorder: str
    title: str
    what: str
    start_at: Instant
    other_start_at: Instant
    goes_first: bool | None = None


class UpcomingRecording(Schema):
    """One time that something is recorded: ``start_at`` to ``end_at``, with its rolls ``first_at`` to ``last_at``.

    ``reserved``: whether the DeckLink port is kept for it; null where there is none to keep.
    """

    schedule_id: Id
    recorder_id: Id
    recorder: str
    title: str
    start_at: Instant
    end_at: Instant
    first_at: Instant
    last_at: Instant
    node_id: Id | None = None
    device_index: int | None = None
    reserved: bool | None = None
    clashes: tuple[ScheduleClash, ...] = ()


class Schedule(Schema):
    """``next_start_at``, without its pre-roll, and ``next_end_at``: of what is recorded now or next; null: nothing."""

    id: Id
    recorder_id: Id
    title: str
    kind: ScheduleKind
    date: str
    at: str
    until: str | None
    weekdays: tuple[int, ...]
    time_zone: str
    duration_s: int
    pre_roll_s: int
    post_roll_s: int
    enabled: bool
    created_at: Instant
    rev: int
    next_start_at: Instant | None = None
    next_end_at: Instant | None = None
    clashes: tuple[ScheduleClash, ...] = ()


class ScheduleDeleted(Schema):
    schedule_id: Id
    recorder_id: Id
