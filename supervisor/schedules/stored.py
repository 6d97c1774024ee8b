"""Schedules as they are stored."""

from dataclasses import fields
from typing import Final

from db.models import Schedule
from supervisor.schedules.windows import Planned

_NAMES: Final = tuple(field.name for field in fields(Planned) if field.name != "weekdays")


def planned(row: Schedule) -> Planned:
    return Planned(**{name: getattr(row, name) for name in _NAMES}, weekdays=tuple(row.weekdays))
