"""What receivers are told, put into the outbox by the transaction that makes it a fact."""

import json
from collections.abc import Sequence
from datetime import datetime

from db.models import Alarm as AlarmRow
from db.models import new_id
from db.repositories.webhooks import WebhookEvent
from db.transaction import Transaction
from supervisor.schemas.alarm import Alarm
from supervisor.schemas.asrun import AsRunEvent
from supervisor.schemas.base import Schema


async def post_alarms(tx: Transaction, rows: Sequence[AlarmRow], now: datetime) -> None:
    """Alarms as they are now: raised, worse or better, acknowledged, put aside, or over."""
    if rows and await tx.webhooks.are_wanted("alarm"):
        await _post(tx, "alarm", [Alarm.model_validate(row) for row in rows], now)


async def post_as_run(tx: Transaction, events: Sequence[AsRunEvent], now: datetime) -> None:
    """What went to air, ended, or was passed over."""
    if events and await tx.webhooks.are_wanted("asrun"):
        await _post(tx, "asrun", events, now)


async def _post(tx: Transaction, event: WebhookEvent, facts: Sequence[Schema], now: datetime) -> None:
    bodies: dict[str, str] = {}
    for fact in facts:
        fact_id = new_id()
        bodies[fact_id] = body_of(fact_id, event, fact, now)
    await tx.webhooks.post(event, bodies, now)


def body_of(fact_id: str, event: str, fact: Schema, now: datetime) -> str:
    """The JSON that is sent, and signed, to the letter."""
    told = {"id": fact_id, "event": event, "at": now.isoformat(), "data": fact.model_dump(mode="json")}
    return json.dumps(told, separators=(",", ":"))
