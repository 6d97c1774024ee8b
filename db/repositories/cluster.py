"""Which cluster this database is of."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.base import new_id
from db.models import Cluster
from db.repositories.rows import upsert


class Clusters:
    """One row, made by whichever supervisor starts first."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def ours(self, now: datetime) -> str:
        """The id by which nodes know this cluster, made where there is none: of two that are first, both read one."""
        made = upsert(self._session, Cluster).values(id=1, cluster_id=new_id(), made_at=now).on_conflict_do_nothing()
        await self._session.execute(made)
        return (await self._session.scalars(select(Cluster.cluster_id))).one()
