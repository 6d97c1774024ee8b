"""Receivers of webhooks, and the outbox: what they were not told of yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import bindparam, case, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.errors import Missing
from db.models import Webhook, WebhookDelivery
from db.repositories.rows import table_of

WebhookEvent = Literal["alarm", "asrun"]
_HOOK: Final = table_of(Webhook)
_QUEUE: Final = table_of(WebhookDelivery)
_WANTED: Final = {"alarm": _HOOK.c.alarms, "asrun": _HOOK.c.asrun}


@dataclass(frozen=True, slots=True)
class QueueLength:
    """Of one receiver. ``due``: whether the first that waits may be tried now."""

    waiting: int = 0
    dead: int = 0
    first: datetime | None = None


class Webhooks:
    """Deliveries of one receiver are in the order of their numbers, which is that in which they were written."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list(self) -> Sequence[Webhook]:
        """Oldest first."""
        return (await self._session.scalars(select(Webhook).order_by(Webhook.id))).all()

    async def get(self, webhook_id: str) -> Webhook:
        """Raises ``Missing``."""
        row = await self._session.scalar(select(Webhook).where(Webhook.id == webhook_id))
        if row is None:
            raise Missing("webhook", webhook_id)
        return row

    async def add(self, url: str, secret: str, by: str, now: datetime, *, alarms: bool, asrun: bool) -> Webhook:
        row = Webhook(url=url, secret=secret, created_by=by, created_at=now, alarms=alarms, asrun=asrun)
        self._session.add(row)
        await self._session.flush()
        return row

    async def delete(self, webhook_id: str) -> Webhook:
        """With all that waits for it. Raises ``Missing``."""
        row = await self.get(webhook_id)
        await self._session.execute(delete(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook_id))
        await self._session.execute(delete(Webhook).where(Webhook.id == webhook_id))
        return row

    async def are_wanted(self, event: WebhookEvent) -> bool:
        """Whether anybody is told of such facts."""
        return bool(await self._session.scalar(select(exists().where(_WANTED[event]))))

    async def post(self, event: WebhookEvent, bodies: Mapping[str, str], now: datetime) -> None:
        """Facts by their ids, for every receiver that is told of such. Whether they are facts is decided by the
        transaction that this is part of."""
        told = (await self._session.scalars(select(_HOOK.c.id).where(_WANTED[event]).order_by(_HOOK.c.id))).all()
        rows = [
            {
                "webhook_id": webhook_id, "fact_id": fact_id, "event": event, "body": body, "state": "waiting",
                "created_at": now, "attempts": 0, "not_before": now,
            }
            for fact_id, body in bodies.items()
            for webhook_id in told
        ]  # fmt: skip
        if rows:
            await self._session.execute(insert(_QUEUE), rows)

    async def lengths(self) -> Mapping[str, QueueLength]:
        """Of every receiver for which anything waits or was given up."""
        waits = _QUEUE.c.state == "waiting"
        query = select(
            _QUEUE.c.webhook_id,
            func.sum(case((waits, 1), else_=0)),
            func.sum(case((waits, 0), else_=1)),
            func.min(case((waits, _QUEUE.c.created_at))),
        ).group_by(_QUEUE.c.webhook_id)
        return {
            str(id_): QueueLength(int(waiting), int(dead), first)
            for id_, waiting, dead, first in (await self._session.execute(query)).all()
        }

    async def head(self, webhook_id: str, limit: int) -> Sequence[WebhookDelivery]:
        """The next ones of a receiver, oldest first."""
        query = (
            select(WebhookDelivery)
            .where(WebhookDelivery.webhook_id == webhook_id, WebhookDelivery.state == "waiting")
            .order_by(WebhookDelivery.id)
            .limit(limit)
        )
        return (await self._session.scalars(query)).all()

    async def took(self, webhook_id: str, delivery_ids: Sequence[int], now: datetime) -> None:
        """The receiver has these: nothing of them is kept."""
        await self._session.execute(delete(WebhookDelivery).where(WebhookDelivery.id.in_(delivery_ids)))
        await self._session.execute(
            update(Webhook).where(Webhook.id == webhook_id).values(delivered_at=now, failing_since=None, fault="")
        )

    async def refused(self, webhook_id: str, delivery_id: int, not_before: datetime, fault: str, now: datetime) -> None:
        """It did not take this one, which is tried again, and those behind it wait."""
        await self._session.execute(
            update(WebhookDelivery)
            .where(WebhookDelivery.id == delivery_id)
            .values(attempts=WebhookDelivery.attempts + 1, not_before=not_before)
        )
        await self._session.execute(
            update(Webhook)
            .where(Webhook.id == webhook_id)
            .values(
                failing_since=func.coalesce(Webhook.failing_since, bindparam("now_", now, Webhook.created_at.type)),
                fault=fault[:500],
            )
        )

    async def give_up(self, older_than: datetime, most: int, kept_dead: int) -> int:
        """Those that wait since before then, and of each receiver's the oldest beyond ``most``; how many. Of what was
        given up only the newest ``kept_dead`` stay."""
        number = 0
        for webhook_id in (await self._session.scalars(select(_HOOK.c.id))).all():
            number += await self._give_up(webhook_id, older_than, most)
            last = self._from_end(webhook_id, "dead", kept_dead)
            await self._session.execute(
                delete(_QUEUE).where(_QUEUE.c.webhook_id == webhook_id, _QUEUE.c.state == "dead", _QUEUE.c.id <= last)
            )
        return number

    async def _give_up(self, webhook_id: str, older_than: datetime, most: int) -> int:
        waits = (_QUEUE.c.webhook_id == webhook_id, _QUEUE.c.state == "waiting")
        too_many = _QUEUE.c.id <= self._from_end(webhook_id, "waiting", most)
        gone = await self._session.scalars(
            update(_QUEUE)
            .where(*waits, (_QUEUE.c.created_at < older_than) | too_many)
            .values(state="dead")
            .returning(_QUEUE.c.id)
        )
        return len(gone.all())

    @staticmethod
    def _from_end(webhook_id: str, state: str, count: int):  # noqa: ANN205 - a scalar subquery
        return (
            select(_QUEUE.c.id)
            .where(_QUEUE.c.webhook_id == webhook_id, _QUEUE.c.state == state)
            .order_by(_QUEUE.c.id.desc())
            .limit(1)
            .offset(count)
            .scalar_subquery()
        )

    async def retry(self, webhook_id: str, now: datetime) -> int:
        """What was given up is tried again, from now on; how many. Raises ``Missing``."""
        await self.get(webhook_id)
        again = await self._session.scalars(
            update(_QUEUE)
            .where(_QUEUE.c.webhook_id == webhook_id)
            .values(state="waiting", created_at=now, not_before=now, attempts=0)
            .where(_QUEUE.c.state == "dead")
            .returning(_QUEUE.c.id)
        )
        return len(again.all())

    async def forget(self, webhook_id: str) -> int:
        """What was given up is never told; how many. Raises ``Missing``."""
        await self.get(webhook_id)
        gone = await self._session.scalars(
            delete(_QUEUE).where(_QUEUE.c.webhook_id == webhook_id, _QUEUE.c.state == "dead").returning(_QUEUE.c.id)
        )
        return len(gone.all())
