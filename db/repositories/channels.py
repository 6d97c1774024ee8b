"""Channels with their outputs: what people decide, and the leader's changes of phase, placement and epoch."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Final, NamedTuple

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import InUse, Taken
from db.models import Channel, Node, Output, Playlist, PortClaim, Project, new_id
from db.repositories.leader import Fence, Leaders, leads
from db.repositories.ports import LIVE, Ports, PortWanted
from db.repositories.rows import checked, get_row, insert_row, lock_rev, require, update_by_rev, why_not

_SPEC = frozenset(
    {
        "name",
        "number",
        "project_id",
        "width",
        "height",
        "rate",
        "playlist_id",
        "after_last",
        "resume_policy",
        "wanted_node_id",
        "engine",
        "time_zone",
        "day_start",
    }
)
_REFERS_TO: Final = (("project_id", Project), ("playlist_id", Playlist), ("wanted_node_id", Node))
_NUMBER_ATTEMPTS = 5
_NUMBERS_LOCK = 0x6D6372_0001


class Keep(Enum):
    """Leave a value as it is, where None means something else."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP


class OutputSpec(NamedTuple):
    """An output as people decide it."""

    kind: str
    url: str = ""


class Position(NamedTuple):
    """The last reported place in the rundown; ``frame`` counts at ``rate``, None where that is not known."""

    item_id: str | None
    frame: int | None
    at: datetime
    rate: str | None = None


class Channels:
    """People's changes name the rev they saw; the leader's name its term too."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, channel_id: str) -> Channel:
        """Raises ``Missing``."""
        return await get_row(self._session, Channel, channel_id)

    async def list(
        self, after: int | None = None, limit: int | None = None, *, playlist_id: str | None = None
    ) -> Sequence[Channel]:
        """By number; ``after`` is the last number seen."""
        query = select(Channel).order_by(Channel.number).limit(limit)
        if after is not None:
            query = query.where(Channel.number > after)
        if playlist_id is not None:
            query = query.where(Channel.playlist_id == playlist_id)
        return (await self._session.scalars(query)).all()

    async def outputs(self, channel_id: str) -> Sequence[Output]:
        """In order."""
        query = select(Output).where(Output.channel_id == channel_id).order_by(Output.position)
        return (await self._session.scalars(query)).all()

    async def all_outputs(self) -> Mapping[str, Sequence[Output]]:
        """Every channel's outputs in order, by channel id; channels without any are left out."""
        by_channel: dict[str, list[Output]] = {}
        for output in await self._session.scalars(select(Output).order_by(Output.channel_id, Output.position)):
            by_channel.setdefault(output.channel_id, []).append(output)
        return by_channel

    async def add(self, values: Mapping[str, object], outputs: Sequence[tuple[str, str]], now: datetime) -> Channel:
        """``values`` by column name; ``number`` None or left out is the lowest free one. The channel is off.

        ``outputs`` are ``OutputSpec`` (kind, url) in order. Raises ``Missing`` (what it names) and ``Taken``.
        """
        spec = checked(values, _SPEC)
        await self._require_named(spec)
        given = spec.pop("number", None)
        for attempt in range(1, _NUMBER_ATTEMPTS + 1):
            number = given if given is not None else await self._free_number()
            row = Channel(**spec, number=number, created_at=now, phase_since=now)
            try:
                await insert_row(self._session, row)
            except Taken as taken:
                # Somebody asked for just this number between the look and the insert.
                if given is not None or taken.field != "number" or attempt == _NUMBER_ATTEMPTS:
                    raise
            else:
                await self._set_outputs(row.id, outputs)
                return row
        raise AssertionError("the last attempt returns or raises")

    async def update_spec(
        self,
        channel_id: str,
        rev: int,
        changes: Mapping[str, object],
        outputs: Sequence[tuple[str, str]] | None = None,
    ) -> Channel:
        """Changes what people decide; outputs are replaced as a whole, equal ones keep their id.

        Raises ``Missing``, ``StaleRev``, ``Taken``.
        """
        changes = checked(changes, _SPEC)
        await self._require_named(changes)
        row = await update_by_rev(self._session, Channel, channel_id, rev, changes)
        if outputs is not None:
            await self._set_outputs(channel_id, outputs)
        return row

    async def set_desired(self, channel_id: str, rev: int, desired: str) -> Channel:
        """``off`` or ``on``; only people change it. Raises ``Missing``, ``StaleRev``."""
        if desired not in {"off", "on"}:
            raise ValueError(f"desired is off or on, not {desired!r}")
        return await update_by_rev(self._session, Channel, channel_id, rev, {"desired": desired})

    async def transition(
        self,
        channel_id: str,
        *,
        rev: int,
        fence: Fence,
        phase: str,
        now: datetime,
        node_id: str | Keep | None = KEEP,
        raise_epoch: bool = False,
        claims: Sequence[PortWanted] = (),
    ) -> Channel:
        """The leader's change of phase, placement and epoch: one statement that looks at rev and term.

        ``claims`` are taken for the new epoch in the same transaction, all or none. Raises ``NotLeader``,
        ``Missing``, ``StaleRev`` and ``PortTaken``; then nothing is changed.
        """
        values: dict[str, object] = {"phase": phase, "phase_since": now, "rev": Channel.rev + 1}
        if not isinstance(node_id, Keep):
            values["node_id"] = node_id
        if raise_epoch:
            values["epoch"] = Channel.epoch + 1
        statement = (
            update(Channel)
            .where(Channel.id == channel_id, Channel.rev == rev, leads(fence))
            .values(values)
            .returning(Channel)
            .execution_options(populate_existing=True, synchronize_session=False)
        )
        async with self._session.begin_nested():
            row = await self._session.scalar(statement)
            if row is None:
                await Leaders(self._session).require(fence)
                raise await why_not(self._session, Channel, channel_id, rev)
            ports = Ports(self._session)
            # Always in the same order, so that two channels that want the same ports cannot deadlock.
            for wanted in sorted(claims, key=lambda claim: (claim.node_id, claim.port)):
                await ports.claim(wanted, owner_kind="channel", owner_id=channel_id, epoch=row.epoch, now=now)
        return row

    async def record_positions(self, fence: Fence, positions: Mapping[str, Position]) -> None:
        """Where each channel was last seen, without raising ``rev``. Raises ``NotLeader``."""
        await Leaders(self._session).require(fence)
        if not positions:
            return
        table = Channel.__table__
        statement = (
            update(Channel)
            .where(table.c.id == bindparam("of"), leads(fence))
            .values(
                position_item_id=bindparam("item_id"),
                position_frame=bindparam("frame"),
                position_rate=bindparam("counted_at"),
                position_at=bindparam("seen_at"),
            )
            .execution_options(synchronize_session=False)
        )
        connection = await self._session.connection()
        await connection.execute(
            statement,
            [
                {"of": channel_id, "item_id": it.item_id, "frame": it.frame, "counted_at": it.rate, "seen_at": it.at}
                for channel_id, it in sorted(positions.items())
            ],
        )

    async def delete(self, channel_id: str, rev: int) -> None:
        """Its outputs and released claims go with it, its as-run log and alarms stay.

        Raises ``Missing``, ``StaleRev``, and ``InUse`` unless it is off, is meant to be, and holds no port.
        """
        row = await lock_rev(self._session, Channel, channel_id, rev)
        if row.desired != "off" or row.phase != "off":
            raise InUse("channel", channel_id, f"playout (wanted {row.desired}, phase {row.phase}): stop it first")
        mine = (PortClaim.owner_kind == "channel") & (PortClaim.owner_id == channel_id)
        port = await self._session.scalar(select(PortClaim.port).where(mine, LIVE).limit(1))
        if port is not None:
            raise InUse("channel", channel_id, f"its claim on port {port}: release it first")
        await self._session.execute(delete(PortClaim).where(mine))
        await self._session.execute(delete(Output).where(Output.channel_id == channel_id))
        await self._session.execute(delete(Channel).where(Channel.id == channel_id))

    async def _require_named(self, values: Mapping[str, object]) -> None:
        for column, model in _REFERS_TO:
            await require(self._session, model, values.get(column))

    async def _free_number(self) -> int:
        if self._session.get_bind().dialect.name == "postgresql":
            # Those who want a free number take turns; on SQLite all writers do.
            await self._session.execute(select(func.pg_advisory_xact_lock(_NUMBERS_LOCK)))
        taken = set(await self._session.scalars(select(Channel.number)))
        number = 1
        while number in taken:
            number += 1
        return number

    async def _set_outputs(self, channel_id: str, outputs: Sequence[tuple[str, str]]) -> None:
        kept: dict[tuple[str, str], list[str]] = {}
        for output in await self.outputs(channel_id):
            kept.setdefault((output.kind, output.url), []).append(output.id)
        rows: list[dict[str, object]] = []
        for position, (kind, url) in enumerate(outputs):
            ids = kept.get((kind, url))
            rows.append(
                {
                    "id": ids.pop(0) if ids else new_id(),
                    "channel_id": channel_id,
                    "position": position,
                    "kind": kind,
                    "url": url,
                }
            )
        await self._session.execute(
            delete(Output).where(Output.channel_id == channel_id).execution_options(synchronize_session=False)
        )
        if rows:
            connection = await self._session.connection()
            await connection.execute(insert(Output), rows)
