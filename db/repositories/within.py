"""What of the alarms and the history belongs to which projects."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute

from db.models import Channel, Recorder


@dataclass(frozen=True, slots=True)
class Within:
    """Only what is of channels and recorders of ``projects``; ``station``: of what belongs to neither as well."""

    projects: frozenset[str]
    station: bool

    def where(self, *columns: InstrumentedAttribute[str | None]) -> ColumnElement[bool]:
        """For rows that name a channel or a recorder in one of ``columns``, or nothing in any of them."""
        ids = union_all(
            select(Channel.id).where(Channel.project_id.in_(self.projects)),
            select(Recorder.id).where(Recorder.project_id.in_(self.projects)),
        ).subquery()
        mine = or_(*(column.in_(select(ids.c.id)) for column in columns))
        if not self.station:
            return mine
        nobodys = columns[0].is_(None)
        for column in columns[1:]:
            nobodys &= column.is_(None)
        return or_(mine, nobodys)
