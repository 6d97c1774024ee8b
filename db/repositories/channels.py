"""Channels with their outputs: what people decide, and the leader's changes of phase, placement and epoch."""

from collections.abc import Collection, Mapping, Sequence, Set
from datetime import datetime
from itertools import starmap
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, bindparam, case, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.clock import database_now, seconds_until
from db.errors import Taken
from db.models import Asset, Channel, Node, Output, Playlist, Project, new_id
from db.repositories import placing
from db.repositories.leader import LEADS, Fence, Leaders, fence_values
from db.repositories.placing import KEEP, Keep
from db.repositories.ports import PortWanted
from db.repositories.rows import checked, get_row, insert_row, require, table_of, update_by_rev

_SPEC = frozenset(
    {
        "name",
        "number",
        "is_test",
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
        "filler_playlist_id",
        "standby_asset_id",
        "playout",
    }
)
_REFERS_TO: Final = (
    ("project_id", Project),
    ("playlist_id", Playlist),
    ("filler_playlist_id", Playlist),
    ("standby_asset_id", Asset),
    ("wanted_node_id", Node),
)
_NUMBER_ATTEMPTS = 5
_MANY = 50
"""Ids above which a whole table is read instead."""
_NUMBERS_LOCK = 0x6D6372_0001


LONGEST_HORIZON = 60.0
"""Seconds. A horizon that is later than this from now was written before the database's clock was set back."""


class OutputSpec(NamedTuple):
    """An output as people decide it; ``lease_stop``: it sends only while its lease lives."""

    kind: str
    url: str = ""
    lease_stop: bool = False
    transport: dict[str, object] | None = None
    encoding: dict[str, object] | None = None


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
        self,
        after: int | None = None,
        limit: int | None = None,
        *,
        playlist_id: str | None = None,
        projects: Set[str] | None = None,
    ) -> Sequence[Channel]:
        """By number; ``after`` is the last number seen, ``projects`` those whose channels are wanted."""
        query = _ALL if limit is None else _ALL.limit(limit)
        if after is not None:
            query = query.where(Channel.number > after)
        if playlist_id is not None:
            query = query.where(Channel.playlist_id == playlist_id)
        if projects is not None:
            query = query.where(Channel.project_id.in_(projects))
        return (await self._session.scalars(query)).all()

    async def by_ids(self, ids: Collection[str]) -> Sequence[Channel]:
        """Those of them that are there, by number."""
        if not ids:
            return ()
        if len(ids) > _MANY:
            return [row for row in await self.list() if row.id in ids]
        return (await self._session.scalars(_BY_IDS, {"of": sorted(ids)})).all()

    async def outputs_of(self, ids: Collection[str]) -> Mapping[str, Sequence[Output]]:
        """Their outputs in order, by channel id; channels without any are left out."""
        if not ids:
            return {}
        if len(ids) > _MANY:
            return await self.all_outputs()
        by_channel: dict[str, list[Output]] = {}
        for output in await self._session.scalars(_OUTPUTS_OF, {"of": sorted(ids)}):
            by_channel.setdefault(output.channel_id, []).append(output)
        return by_channel

    async def outputs(self, channel_id: str) -> Sequence[Output]:
        """In order."""
        return (await self._session.scalars(_OUTPUTS, {"of": channel_id})).all()

    async def all_outputs(self) -> Mapping[str, Sequence[Output]]:
        """Every channel's outputs in order, by channel id; channels without any are left out."""
        by_channel: dict[str, list[Output]] = {}
        for output in await self._session.scalars(select(Output).order_by(Output.channel_id, Output.position)):
            by_channel.setdefault(output.channel_id, []).append(output)
        return by_channel

    async def add(self, values: Mapping[str, object], outputs: Sequence[OutputSpec], now: datetime) -> Channel:
        """``values`` by column name; ``number`` None or left out is the lowest free one. The channel is off.

        ``outputs`` are in order. Raises ``Missing`` (what it names) and ``Taken``.
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
        outputs: Sequence[OutputSpec] | None = None,
    ) -> Channel:
        """Changes what people decide; outputs are replaced as a whole, those of the same kind and url keep their id.

        Raises ``Missing``, ``StaleRev``, ``Taken``.
        """
        changes = checked(changes, _SPEC)
        await self._require_named(changes)
        row = await update_by_rev(self._session, Channel, channel_id, rev, changes)
        if outputs is not None:
            await self._set_outputs(channel_id, outputs)
        return row

    async def set_desired(
        self,
        channel_id: str,
        rev: int,
        desired: str,
        claims: Sequence[PortWanted] = (),
        now: datetime | None = None,
    ) -> Channel:
        """``off`` or ``on``; only people change it. Raises ``Missing``, ``StaleRev``.

        A start reserves ``claims``, all or none, for the epoch that is to come: ``PortTaken`` leaves everything
        unchanged. A stop with ``now`` takes back what a start reserved that no epoch came of.
        """
        return await placing.want(self._session, Channel, channel_id, rev, desired, claims, now)

    async def set_hold_failover(self, channel_id: str, rev: int, held: bool, by: str) -> Channel:
        """An operator's veto: while it is held the channel is not moved. Raises ``Missing``, ``StaleRev``."""
        changes = {"hold_failover": held, "hold_failover_by": by if held else None}
        return await update_by_rev(self._session, Channel, channel_id, rev, changes)

    async def transition(
        self,
        channel_id: str,
        *,
        rev: int,
        fence: Fence,
        phase: str,
        now: datetime,
        node_id: str | Keep | None = KEEP,
        fencing_node_id: str | Keep | None = KEEP,
        fencing_by: str | Keep | None = KEEP,
        fenced_by: str | Keep = KEEP,
        leased: bool | Keep = KEEP,
        lease_seconds: float | None = None,
        raise_epoch: bool = False,
        claims: Sequence[PortWanted] = (),
    ) -> Channel:
        """The leader's change of phase, placement and epoch: one statement that looks at rev and term.

        ``lease_seconds``, at a start alone, sets the horizon so far from now by the database's clock. Off ends the
        horizon, the fence and the need of a lease. ``claims`` are taken for the new epoch in the same transaction, all
        or none. Raises ``NotLeader``, ``Missing``, ``StaleRev`` and ``PortTaken``; then nothing is changed.
        """
        given = {
            "node_id": node_id,
            "fencing_node_id": fencing_node_id,
            "fencing_by": fencing_by,
            "fenced_by": fenced_by,
            "leased": leased,
        }
        values: dict[str, object] = {name: value for name, value in given.items() if not isinstance(value, Keep)}
        values["phase"] = phase
        if lease_seconds is not None:
            if phase != "starting":
                raise ValueError(f"a horizon is set at a start, not in phase {phase}")
            values["lease_until"] = _horizon(lease_seconds)
        if phase == "off":
            values |= {"lease_until": None, "fencing_node_id": None, "fencing_by": None, "leased": False}
        return await placing.transition(
            self._session,
            Channel,
            channel_id,
            rev=rev,
            fence=fence,
            values=values,
            raise_epoch=raise_epoch,
            claims=claims,
            now=now,
        )

    async def extend_leases(self, fence: Fence, epochs: Mapping[str, int], seconds: float) -> frozenset[str]:
        """Moves the horizon of channels (id to epoch) to ``seconds`` from now by the database's clock.

        The ids whose horizon was written, for which leases may now be granted: those that are at that epoch, leased,
        and starting or running; or in a move off a node, where what is left behind is leased. Never shortens a horizon,
        raises no rev. Raises ``NotLeader``.
        """
        values = {**fence_values(fence), "epochs": sorted(epochs.items()), "horizon": seconds}
        written = frozenset(await self._session.scalars(_EXTENSION, values)) if epochs else frozenset[str]()
        if not written:
            await Leaders(self._session).require(fence)
        return written

    async def leases_left(self) -> Mapping[str, float]:
        """Seconds until the horizon of every channel that has one, by the database's clock; negative: it is past."""
        return dict((await self._session.execute(_LEASES)).all())

    async def record_positions(self, fence: Fence, positions: Mapping[str, Position]) -> None:
        """Where each channel was last seen, without raising ``rev``. Raises ``NotLeader``."""
        await Leaders(self._session).require(fence)
        if not positions:
            return
        held = fence_values(fence)
        await self._session.execute(
            _RECORDING,
            [
                {
                    **held,
                    "of": channel_id,
                    "item_id": it.item_id,
                    "frame": it.frame,
                    "counted_at": it.rate,
                    "seen_at": it.at,
                }
                for channel_id, it in sorted(positions.items())
            ],
        )

    async def delete(self, channel_id: str, rev: int) -> None:
        """Its outputs and released claims go with it, its as-run log and alarms stay.

        Raises ``Missing``, ``StaleRev``, and ``InUse`` unless it is off, is meant to be, and holds no port.
        """
        await placing.clear_away(self._session, Channel, channel_id, rev)
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

    async def _set_outputs(self, channel_id: str, outputs: Sequence[OutputSpec]) -> None:
        kept: dict[tuple[str, str], list[str]] = {}
        for output in await self.outputs(channel_id):
            kept.setdefault((output.kind, output.url), []).append(output.id)
        rows: list[dict[str, object]] = []
        for position, output in enumerate(starmap(OutputSpec, outputs)):
            ids = kept.get((output.kind, output.url))
            identity = {"id": ids.pop(0) if ids else new_id(), "channel_id": channel_id, "position": position}
            rows.append({**identity, **output._asdict()})
        await self._session.execute(
            delete(Output).where(Output.channel_id == channel_id).execution_options(synchronize_session=False)
        )
        if rows:
            connection = await self._session.connection()
            await connection.execute(insert(Output), rows)


def _horizon(seconds: ColumnElement[float] | float) -> ColumnElement[datetime | None]:
    """``seconds`` from now, or what the row has when that is later and was written by the clock there is."""
    kept = (Channel.lease_until > database_now(seconds)) & (Channel.lease_until <= database_now(LONGEST_HORIZON))
    return case((kept, Channel.lease_until), else_=database_now(seconds))


_ALL: Final = select(Channel).order_by(Channel.number)
_BY_IDS: Final = _ALL.where(Channel.id.in_(bindparam("of", expanding=True)))
_OUTPUTS: Final = select(Output).where(Output.channel_id == bindparam("of")).order_by(Output.position)
_OUTPUTS_OF: Final = (
    select(Output)
    .where(Output.channel_id.in_(bindparam("of", expanding=True)))
    .order_by(Output.channel_id, Output.position)
)
_TABLE: Final = table_of(Channel)
_LEASES: Final = select(_TABLE.c.id, seconds_until(_TABLE.c.lease_until)).where(_TABLE.c.lease_until.is_not(None))
_EXTENSION: Final = (
    update(_TABLE)
    .where(
        tuple_(_TABLE.c.id, _TABLE.c.epoch).in_(bindparam("epochs", expanding=True)),
        or_(
            _TABLE.c.leased & _TABLE.c.phase.in_(("starting", "running")),
            # Of the old one, which stays on air until the new one is ready.
            (_TABLE.c.phase == "fencing") & (_TABLE.c.fencing_by == "lease"),
        ),
        LEADS,
    )
    .values(lease_until=_horizon(bindparam("horizon")))
    .returning(_TABLE.c.id)
)
_RECORDING: Final = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("of"), LEADS)
    .values(
        position_item_id=bindparam("item_id"),
        position_frame=bindparam("frame"),
        position_rate=bindparam("counted_at"),
        position_at=bindparam("seen_at"),
    )
)
