"""The station's own instructions: what is to be done when an alarm is raised, in its words."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import Missing
from db.models import Alarm, Channel, Instruction, Recorder, new_id
from db.repositories.rows import require, upsert

Instructions = Mapping[tuple[str, str], str]
"""Texts by (channel or recorder, code), each empty where the text holds for all of them."""


def instruction_of(texts: Instructions, code: str, subject_id: str | None) -> str:
    """All that is said of such an alarm, what is said of it alone first; empty where nothing is."""
    subject = subject_id or ""
    keys = dict.fromkeys(((subject, code), (subject, ""), ("", code)))
    return " \N{MIDDLE DOT} ".join(texts[key] for key in keys if key != ("", "") and key in texts)


class StationInstructions:
    """One text for one (channel or recorder, code). What changes is written on the alarms that are open, too."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list(self) -> Sequence[Instruction]:
        """Those of kinds of alarms first."""
        return (await self._session.scalars(select(Instruction).order_by(Instruction.key))).all()

    async def texts(self) -> Instructions:
        """All of them, as ``instruction_of`` wants them."""
        return texts_of(await self.list())

    async def set(
        self, channel_id: str | None, recorder_id: str | None, code: str | None, text: str, by: str, now: datetime
    ) -> Instruction:
        """In the place of what was said before. Raises ``Missing``, and ``ValueError`` where nothing is named."""
        if (channel_id is None and recorder_id is None and code is None) or (channel_id and recorder_id):
            raise ValueError("an instruction is of a channel or a recorder, of a code, or of a code of one of them")
        await require(self._session, Channel, channel_id)
        await require(self._session, Recorder, recorder_id)
        insert = upsert(self._session, Instruction).values(
            id=new_id(),
            channel_id=channel_id,
            recorder_id=recorder_id,
            code=code,
            text=text,
            changed_by=by,
            changed_at=now,
            key=f"{channel_id or recorder_id or ''}:{code or ''}",
        )
        said = insert.excluded
        statement = (
            insert.on_conflict_do_update(
                index_elements=[Instruction.key],
                set_={"text": said.text, "changed_by": said.changed_by, "changed_at": said.changed_at},
            )
            .returning(Instruction)
            .execution_options(populate_existing=True)
        )
        return (await self._session.scalars(statement)).one()

    async def delete(self, instruction_id: str) -> Instruction:
        """As it was. Raises ``Missing``."""
        row = await self._session.scalar(
            delete(Instruction).where(Instruction.id == instruction_id).returning(Instruction)
        )
        if row is None:
            raise Missing("instruction", instruction_id)
        return row

    async def tell_open_alarms(self, changed: Instruction) -> Sequence[Alarm]:
        """Those open alarms that ``changed`` is about and that say something else now."""
        query = select(Alarm).where(Alarm.open_key.is_not(None))
        subject = changed.channel_id or changed.recorder_id
        if subject is not None:
            query = query.where(or_(Alarm.channel_id == subject, Alarm.recorder_id == subject))
        if changed.code is not None:
            query = query.where(Alarm.code == changed.code)
        texts = await self.texts()
        told: list[Alarm] = []
        for alarm in (await self._session.scalars(query)).all():
            said = instruction_of(texts, alarm.code, alarm.channel_id or alarm.recorder_id)
            if said != alarm.instruction:
                alarm.instruction = said
                told.append(alarm)
        await self._session.flush()
        return told


def texts_of(rows: Iterable[Instruction]) -> Instructions:
    return {(row.channel_id or row.recorder_id or "", row.code or ""): row.text for row in rows}
