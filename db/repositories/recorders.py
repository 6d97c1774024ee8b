"""Recorders: their rows and their claims. They are wanted, placed and fenced by the same code as channels."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Node, Project, Recorder
from db.repositories import placing
from db.repositories.leader import Fence
from db.repositories.placing import KEEP, Keep
from db.repositories.ports import PortWanted
from db.repositories.rows import checked, get_row, insert_row, require, update_by_rev

_SPEC = frozenset(
    {
        "name",
        "project_id",
        "input_kind",
        "input_url",
        "device_index",
        "wanted_node_id",
        "template",
        "segment_s",
        "floor_mb",
        "time_zone",
        "keep_days",
        "keep_gib",
    }
)
_REFERS_TO: Final = (("project_id", Project), ("wanted_node_id", Node))


class Recorders:
    """People's changes name the rev they saw; the leader's name its term too."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, recorder_id: str) -> Recorder:
        """Raises ``Missing``."""
        return await get_row(self._session, Recorder, recorder_id)

    async def list(self, after: str | None = None, limit: int | None = None) -> Sequence[Recorder]:
        """By name; ``after`` is the last name seen."""
        query = select(Recorder).order_by(Recorder.name).limit(limit)
        if after is not None:
            query = query.where(Recorder.name > after)
        return (await self._session.scalars(query)).all()

    async def add(self, values: Mapping[str, object], now: datetime) -> Recorder:
        """``values`` by column name. The recorder is off. Raises ``Missing`` (what it names) and ``Taken``."""
        spec = checked(values, _SPEC)
        await self._require_named(spec)
        row = Recorder(**spec, created_at=now, phase_since=now)
        await insert_row(self._session, row)
        return row

    async def update(self, recorder_id: str, rev: int, changes: Mapping[str, object]) -> Recorder:
        """Changes what people decide. Raises ``Missing``, ``StaleRev``, ``Taken``."""
        spec = checked(changes, _SPEC)
        await self._require_named(spec)
        return await update_by_rev(self._session, Recorder, recorder_id, rev, spec)

    async def set_desired(
        self,
        recorder_id: str,
        rev: int,
        desired: str,
        claims: Sequence[PortWanted] = (),
        now: datetime | None = None,
        *,
        by: str = "person",
        held_until: datetime | None = None,
    ) -> Recorder:
        """As ``Channels.set_desired``, and who wants it: a person or a schedule.

        Raises ``Missing``, ``StaleRev``, ``PortTaken``.
        """
        async with self._session.begin_nested():
            row = await placing.want(self._session, Recorder, recorder_id, rev, desired, claims, now)
            row.wanted_by, row.held_until = by, held_until
            await self._session.flush()
        return row

    async def transition(
        self,
        recorder_id: str,
        *,
        rev: int,
        fence: Fence,
        phase: str,
        now: datetime,
        node_id: str | Keep | None = KEEP,
        fencing_node_id: str | Keep | None = KEEP,
        fencing_by: str | Keep | None = KEEP,
        fenced_by: str | Keep = KEEP,
        raise_epoch: bool = False,
        claims: Sequence[PortWanted] = (),
    ) -> Recorder:
        """As ``Channels.transition``. Raises ``NotLeader``, ``Missing``, ``StaleRev`` and ``PortTaken``."""
        given = {
            "node_id": node_id, "fencing_node_id": fencing_node_id, "fencing_by": fencing_by, "fenced_by": fenced_by
        }  # fmt: skip
        values: dict[str, object] = {name: value for name, value in given.items() if not isinstance(value, Keep)}
        values["phase"] = phase
        if phase == "off":
            values |= {"fencing_node_id": None, "fencing_by": None}
        return await placing.transition(
            self._session,
            Recorder,
            recorder_id,
            rev=rev,
            fence=fence,
            values=values,
            raise_epoch=raise_epoch,
            claims=claims,
            now=now,
        )

    async def delete(self, recorder_id: str, rev: int) -> None:
        """Its schedules and released claims too. Raises ``Missing``, ``StaleRev``, and ``InUse`` as for a channel."""
        await placing.clear_away(self._session, Recorder, recorder_id, rev)
        await self._session.execute(delete(Recorder).where(Recorder.id == recorder_id))

    async def _require_named(self, values: Mapping[str, object]) -> None:
        for column, model in _REFERS_TO:
            await require(self._session, model, values.get(column))
