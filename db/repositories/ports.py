"""Claims on DeckLink ports. The partial unique index over live claims is the judge, not a look before a write."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import Missing, PortTaken, StoreUnavailable
from db.models import Channel, Node, PortClaim, Recorder, new_id
from db.repositories.reservations import Reservations
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
        self, wanted: PortWanted, *, owner_kind: str, owner_id: str, epoch: int, now: datetime, ahead: bool = False
    ) -> PortClaim:
        """A reserved claim. The owner's own live claim on the port is carried over to the new epoch.

        ``ahead``: for an epoch that is not decided yet; then an own claim keeps its state, which is still that of the
        sidecar there is, and a port that is free is refused while it is kept for another by what was planned. Raises
        ``PortTaken`` with the owner there is, and leaves the transaction usable.
        """
        claim_id = new_id()
        insert = upsert(self._session, PortClaim).values(
            id=claim_id,
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
                set_={"epoch": insert.excluded.epoch, "state": PortClaim.state if ahead else "reserved"},
                where=(PortClaim.owner_kind == owner_kind)
                & (PortClaim.owner_id == owner_id)
                & (PortClaim.epoch <= insert.excluded.epoch),
            )
            .returning(PortClaim)
            .execution_options(populate_existing=True)
        )
        row = await self._session.scalar(statement)
        if row is None:
            raise await self._owner(wanted)
        if ahead and row.id == claim_id:
            kept = await Reservations(self._session).holder(wanted.node_id, wanted.device_index, owner_id, now)
            if kept is not None:
                await self._session.execute(delete(PortClaim).where(PortClaim.id == claim_id))
                raise kept
        return row

    async def claim_all(
        self,
        wanted: Sequence[PortWanted],
        *,
        owner_kind: str,
        owner_id: str,
        epoch: int,
        now: datetime,
        ahead: bool = False,
    ) -> None:
        """All of them or, with the savepoint around it, none. Raises ``PortTaken``."""
        # Always in the same order, so that two that want the same ports cannot deadlock.
        for one in sorted(wanted, key=lambda it: (it.node_id, it.port)):
            await self.claim(one, owner_kind=owner_kind, owner_id=owner_id, epoch=epoch, now=now, ahead=ahead)

    async def withdraw(self, owner_kind: str, owner_id: str, epoch: int, *, off: bool, now: datetime) -> None:
        """Takes back what was claimed ahead of ``epoch``, the newest that was decided, when the start is called off.

        Where no sidecar can be left (``off``), what was only reserved is released; the rest waits for the exit of
        ``epoch`` as before.
        """
        ahead = (PortClaim.owner_kind == owner_kind) & (PortClaim.owner_id == owner_id) & (PortClaim.epoch > epoch)
        if off:
            await self._session.execute(
                update(PortClaim)
                .where(ahead, PortClaim.state == "reserved")
                .values(state="released", released_at=now, released_by="stopped before its start")
                .execution_options(synchronize_session=False)
            )
        await self._session.execute(
            update(PortClaim).where(ahead, LIVE).values(epoch=epoch).execution_options(synchronize_session=False)
        )

    async def _owner(self, wanted: PortWanted) -> PortTaken | StoreUnavailable:
        found = (
            await self._session.execute(
                select(PortClaim, Node.name, func.coalesce(Channel.name, Recorder.name, PortClaim.owner_id))
                .join(Node, Node.id == PortClaim.node_id)
                .outerjoin(Channel, (PortClaim.owner_kind == "channel") & (Channel.id == PortClaim.owner_id))
                .outerjoin(Recorder, (PortClaim.owner_kind == "recorder") & (Recorder.id == PortClaim.owner_id))
                .where(PortClaim.node_id == wanted.node_id, PortClaim.port == wanted.port, LIVE)
                .execution_options(populate_existing=True)
            )
        ).one_or_none()
        if found is None:
            return StoreUnavailable(f"port {wanted.port} of node {wanted.node_id} was released meanwhile: claim again")
        claim, node_name, owner_name = found
        return PortTaken(
            owner_kind=claim.owner_kind,
            owner_id=claim.owner_id,
            owner_name=owner_name,
            node_id=claim.node_id,
            node_name=node_name,
            port=claim.port,
            device_index=claim.device_index,
            since=claim.since,
        )

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
        """After a confirmed exit: the owner's live claims up to this epoch, released.

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

    async def force_release(self, claim_id: str, *, by: str, reason: str, now: datetime) -> PortClaim:
        """An operator's word that nothing uses the port any more, whatever the claim's state; the claim, released.

        Raises ``Missing`` when there is no such claim that is live, ``ValueError`` without a reason.
        """
        if not reason.strip():
            raise ValueError("a port is released by force only with a reason")
        statement = (
            update(PortClaim)
            .where(PortClaim.id == claim_id, LIVE)
            .values(state="released", released_at=now, released_by=by, released_reason=reason)
            .returning(PortClaim)
            .execution_options(populate_existing=True, synchronize_session=False)
        )
        row = await self._session.scalar(statement)
        if row is None:
            raise Missing("live port claim", claim_id)
        return row
