"""Claims on DeckLink ports. The partial unique index over live claims is the judge, not a look before a write."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import PortTaken, StoreUnavailable
from db.models import PortClaim, new_id
from db.repositories.rows import upsert

LIVE = PortClaim.state != "released"


@dataclass(frozen=True, slots=True)
class PortWanted:
    """``port`` is the card's persistent id where there is one, else ``index:<device_index>``."""

    node_id: str
    port: str
    device_index: int


class Ports:
    """A claim ends by a confirmed exit, or by an operator by name; nothing else frees a port."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list(
        self, *, node_id: str | None = None, owner_id: str | None = None, live_only: bool = True
    ) -> Sequence[PortClaim]:
        query = select(PortClaim).order_by(PortClaim.node_id, PortClaim.port, PortClaim.since)
        if node_id is not None:
            query = query.where(PortClaim.node_id == node_id)
        if owner_id is not None:
            query = query.where(PortClaim.owner_id == owner_id)
        if live_only:
            query = query.where(LIVE)
        return (await self._session.scalars(query)).all()

    async def claim(
        self, wanted: PortWanted, *, owner_kind: str, owner_id: str, epoch: int, now: datetime
    ) -> PortClaim:
        """A reserved claim. The owner's own live claim on the port is carried over to the new epoch.

        Raises ``PortTaken`` with the owner there is, and leaves the transaction usable.
        """
        insert = upsert(self._session, PortClaim).values(
            id=new_id(),
            node_id=wanted.node_id,
            port=wanted.port,
            device_index=wanted.device_index,
            owner_kind=owner_kind,
            owner_id=owner_id,
            epoch=epoch,
            state="reserved",
            since=now,
        )
        statement = (
            insert.on_conflict_do_update(
                index_elements=[PortClaim.node_id, PortClaim.port],
                index_where=text("state <> 'released'"),
                set_={"epoch": insert.excluded.epoch, "state": "reserved", "since": now},
                where=(PortClaim.owner_kind == owner_kind)
                & (PortClaim.owner_id == owner_id)
                & (PortClaim.epoch <= insert.excluded.epoch),
            )
            .returning(PortClaim)
            .execution_options(populate_existing=True)
        )
        row = await self._session.scalar(statement)
        if row is not None:
            return row
        owner = await self._session.scalar(
            select(PortClaim).where(PortClaim.node_id == wanted.node_id, PortClaim.port == wanted.port, LIVE)
        )
        if owner is None:
            raise StoreUnavailable(f"port {wanted.port} of node {wanted.node_id} was released meanwhile: claim again")
        raise PortTaken(owner.owner_kind, owner.owner_id, owner.node_id, owner.port, owner.since)

    async def mark(self, owner_kind: str, owner_id: str, epoch: int, state: str) -> Sequence[PortClaim]:
        """Sets the owner's live claims up to this epoch to ``active`` or ``unknown``; the claims as they are now."""
        if state not in {"active", "unknown"}:
            raise ValueError(f"a claim is marked active or unknown, not {state!r}")
        statement = (
            update(PortClaim)
            .where(PortClaim.owner_kind == owner_kind, PortClaim.owner_id == owner_id, PortClaim.epoch <= epoch, LIVE)
            .values(state=state)
            .returning(PortClaim)
            .execution_options(populate_existing=True, synchronize_session=False)
        )
        return (await self._session.scalars(statement)).all()

    async def release(
        self, owner_kind: str, owner_id: str, epoch: int, *, by: str, now: datetime
    ) -> Sequence[PortClaim]:
        """After a confirmed exit, or by an operator by name: the owner's live claims up to this epoch, released.

        A claim of a later epoch stays, so that a late answer about the old sidecar frees nothing of the new one.
        """
        statement = (
            update(PortClaim)
            .where(PortClaim.owner_kind == owner_kind, PortClaim.owner_id == owner_id, PortClaim.epoch <= epoch, LIVE)
            .values(state="released", released_at=now, released_by=by)
            .returning(PortClaim)
            .execution_options(populate_existing=True, synchronize_session=False)
        )
        return (await self._session.scalars(statement)).all()
