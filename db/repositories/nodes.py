"""Machines that play."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, or_, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import InUse, Taken
from db.models import Channel, Node, PortClaim, Recorder
from db.repositories.ports import LIVE
from db.repositories.rows import checked, get_row, insert_row, lock_rev, update_by_rev

_SPEC = frozenset({"name", "url", "capacity", "draining", "maintenance", "is_test", "certificate", "certificate_given"})
_NAME_LENGTH = 80
_ALL = select(Node).order_by(Node.name)


class Nodes:
    """A node that a channel or a recorder is on, is to be on, or may still be on, cannot be deleted."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, node_id: str) -> Node:
        """Raises ``Missing``."""
        return await get_row(self._session, Node, node_id)

    async def list(self, after: str | None = None, limit: int | None = None) -> Sequence[Node]:
        """By name; ``after`` is the last name seen."""
        query = _ALL if limit is None else _ALL.limit(limit)
        if after is not None:
            query = query.where(Node.name > after)
        return (await self._session.scalars(query)).all()

    async def add(
        self,
        *,
        name: str,
        kind: str,
        now: datetime,
        url: str | None = None,
        capacity: int = 16,
        certificate: str = "",
    ) -> Node:
        """``kind`` is ``local`` or ``agent``; ``certificate`` one that people gave. Raises ``Taken``."""
        row = Node(
            name=name,
            kind=kind,
            url=url,
            capacity=capacity,
            certificate=certificate,
            certificate_given=bool(certificate),
            created_at=now,
        )
        await insert_row(self._session, row)
        return row

    async def local(self, node_id: str, name: str, now: datetime, *, alone: bool) -> Node:
        """The node of the supervisor that has ``node_id``, made the first time; named ``name 2``, … when that is taken.

        ``alone``: nobody else uses this store. Then the local node there is this one whatever its id: a store that was
        restored into another home.
        """
        local = select(Node).where(Node.kind == "local")
        row = await self._session.scalar(local.where(Node.id == node_id))
        if row is None and alone:
            row = await self._session.scalar(local.order_by(Node.created_at).limit(1))
        number = 1
        while row is None:
            suffix = f" {number}" if number > 1 else ""
            made = Node(id=node_id, name=name[: _NAME_LENGTH - len(suffix)] + suffix, kind="local", created_at=now)
            try:
                await insert_row(self._session, made)
            except Taken as taken:
                if taken.field != "name":
                    raise
                number += 1
            else:
                row = made
        return row

    async def update(self, node_id: str, rev: int, changes: Mapping[str, object]) -> Node:
        """Raises ``Missing``, ``StaleRev``, ``Taken``."""
        return await update_by_rev(self._session, Node, node_id, rev, checked(changes, _SPEC))

    async def placed(self) -> dict[str, int]:
        """How many channels and recorders each node has now; nodes with none are left out."""
        on = union_all(
            *(select(model.node_id).where(model.node_id.is_not(None)) for model in (Channel, Recorder))
        ).subquery()
        query = select(on.c.node_id, func.count()).group_by(on.c.node_id)
        return dict((await self._session.execute(query)).all())

    async def met(self, node_id: str, incarnation: str) -> Node:
        """The node as it is after its agent said its incarnation, which is noted where none was. Raises ``Missing``.

        Another incarnation than the row's is another node: whether it is taken for this one is for people to say.
        """
        return await self._change(node_id, Node.incarnation.is_(None), {"incarnation": incarnation})

    async def certified(self, node_id: str, certificate: str) -> Node:
        """The node as it is after its key vouched for this certificate, which is noted where none was. Raises
        ``Missing``."""
        return await self._change(node_id, Node.certificate == "", {"certificate": certificate})

    async def accept(self, node_id: str, rev: int, incarnation: str) -> Node:
        """People say that this agent is the node's from now on. Raises ``Missing``, ``StaleRev``."""
        return await update_by_rev(self._session, Node, node_id, rev, {"incarnation": incarnation})

    async def declare_lost(self, node_id: str, rev: int, *, by: str, reason: str, now: datetime) -> Node:
        """An operator's word that the machine is dead. Raises ``Missing``, ``StaleRev``, and ``ValueError`` without a
        reason."""
        if not reason.strip():
            raise ValueError("a node is declared lost only with a reason")
        changes = {"lost_at": now, "lost_by": by, "lost_reason": reason}
        return await update_by_rev(self._session, Node, node_id, rev, changes)

    async def found_again(self, node_id: str) -> Node:
        """Its agent answered: it is not lost, whoever said so. Raises ``Missing``."""
        return await self._change(
            node_id, Node.lost_at.is_not(None), {"lost_at": None, "lost_by": None, "lost_reason": None}
        )

    async def _change(self, node_id: str, when: ColumnElement[bool], changes: Mapping[str, object]) -> Node:
        """What is observed of a node: no rev need be known, but it grows, as people's changes look at it."""
        statement = (
            update(Node)
            .where(Node.id == node_id, when)
            .values({**changes, "rev": Node.rev + 1})
            .returning(Node)
            .execution_options(populate_existing=True, synchronize_session=False)
        )
        return await self._session.scalar(statement) or await get_row(self._session, Node, node_id)

    async def delete(self, node_id: str, rev: int) -> None:
        """Raises ``Missing``, ``StaleRev``, and ``InUse`` by a channel or recorder that is, is to be or may be there,
        or by a claim.

        Claims that were released go with it.
        """
        await lock_rev(self._session, Node, node_id, rev)
        for model, columns in (
            (Channel, (Channel.node_id, Channel.wanted_node_id, Channel.fencing_node_id)),
            (Recorder, (Recorder.node_id, Recorder.wanted_node_id, Recorder.fencing_node_id)),
        ):
            by = or_(*(column == node_id for column in columns))
            name = await self._session.scalar(select(model.name).where(by).order_by(model.name).limit(1))
            if name is not None:
                raise InUse("node", node_id, f"{model.__tablename__} {name!r}")
        port = await self._session.scalar(select(PortClaim.port).where(PortClaim.node_id == node_id, LIVE).limit(1))
        if port is not None:
            raise InUse("node", node_id, f"a claim on port {port}")
        await self._session.execute(delete(PortClaim).where(PortClaim.node_id == node_id))
        await self._session.execute(delete(Node).where(Node.id == node_id))
