"""Machines that play."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import InUse, Taken
from db.models import Channel, Node, PortClaim
from db.repositories.ports import LIVE
from db.repositories.rows import checked, get_row, insert_row, lock_rev, update_by_rev

_SPEC = frozenset({"name", "url", "capacity", "draining"})
_NAME_LENGTH = 80


class Nodes:
    """A node that a channel is on, or is to be on, cannot be deleted."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, node_id: str) -> Node:
        """Raises ``Missing``."""
        return await get_row(self._session, Node, node_id)

    async def list(self, after: str | None = None, limit: int | None = None) -> Sequence[Node]:
        """By name; ``after`` is the last name seen."""
        query = select(Node).order_by(Node.name).limit(limit)
        if after is not None:
            query = query.where(Node.name > after)
        return (await self._session.scalars(query)).all()

    async def add(self, *, name: str, kind: str, now: datetime, url: str | None = None, capacity: int = 16) -> Node:
        """``kind`` is ``local`` or ``agent``. Raises ``Taken``."""
        row = Node(name=name, kind=kind, url=url, capacity=capacity, created_at=now)
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
        """How many channels each node has now; nodes with none are left out."""
        query = select(Channel.node_id, func.count()).where(Channel.node_id.is_not(None)).group_by(Channel.node_id)
        return {node_id: count for node_id, count in await self._session.execute(query) if node_id}

    async def delete(self, node_id: str, rev: int) -> None:
        """Raises ``Missing``, ``StaleRev``, and ``InUse`` by a channel that is or is to be there, or by a claim.

        Claims that were released go with it.
        """
        await lock_rev(self._session, Node, node_id, rev)
        name = await self._session.scalar(
            select(Channel.name)
            .where(or_(Channel.node_id == node_id, Channel.wanted_node_id == node_id))
            .order_by(Channel.number)
            .limit(1)
        )
        if name is not None:
            raise InUse("node", node_id, f"channel {name!r}")
        port = await self._session.scalar(select(PortClaim.port).where(PortClaim.node_id == node_id, LIVE).limit(1))
        if port is not None:
            raise InUse("node", node_id, f"a claim on port {port}")
        await self._session.execute(delete(PortClaim).where(PortClaim.node_id == node_id))
        await self._session.execute(delete(Node).where(Node.id == node_id))
