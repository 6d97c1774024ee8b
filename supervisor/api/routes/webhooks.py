"""Webhooks: who is told of alarms and of the as-run, and how that goes."""

import secrets
from typing import Final

from fastapi import Request

from db.models import Webhook as Row
from db.models import new_id
from db.repositories.webhooks import QueueLength
from supervisor.api.context import Context, Ctx, Who
from supervisor.api.problems import documented
from supervisor.api.route import note, router
from supervisor.errors import Conflict, Invalid
from supervisor.schemas.base import Id, Page
from supervisor.schemas.webhook import Webhook, WebhookCount, WebhookIn, WebhookMade, WebhookTried
from supervisor.webhooks.addresses import receiver_of
from supervisor.webhooks.calling import NotTaken
from supervisor.webhooks.facts import body_of

routes = router("webhooks")

MOST: Final = 20
"""Receivers: each costs a row for every fact."""


@routes.get("/webhooks", responses=documented())
async def list_webhooks(context: Ctx) -> Page[Webhook]:
    """Oldest first, with what waits for each. They are few, so it is one page."""
    async with context.store.read() as tx:
        rows = await tx.webhooks.list()
        lengths = await tx.webhooks.lengths()
    return Page(items=tuple(_view(context, row, lengths.get(row.id, QueueLength())) for row in rows))


@routes.post("/webhooks", status_code=201, responses=documented(409))
async def create_webhook(context: Ctx, who: Who, request: Request, values: WebhookIn) -> WebhookMade:
    """Tells this receiver of what happens from now on. The answer has the secret, which is not told again."""
    receiver = receiver_of(values.url, context.webhook_calls.allowed)
    secret = values.secret or f"whsec_{secrets.token_urlsafe(32)}"
    async with context.store.write() as tx:
        if len(await tx.webhooks.list()) >= MOST:
            raise Conflict(f"there are {MOST} webhooks, which is the most", conflict="too_many_webhooks")
        row = await tx.webhooks.add(
            values.url,
            secret,
            who.name,
            context.clock.now(),
            alarms="alarm" in values.events,
            asrun="asrun" in values.events,
        )
    note(request, f"webhook:{row.id}", address=receiver.shown, events=list(values.events))
    return WebhookMade(**_view(context, row, QueueLength()).model_dump(), secret=secret)


@routes.delete("/webhooks/{webhook_id}", status_code=204, responses=documented(404))
async def delete_webhook(context: Ctx, request: Request, webhook_id: Id) -> None:
    """Tells it no more; what waits for it is not told."""
    async with context.store.write() as tx:
        row = await tx.webhooks.delete(webhook_id)
    note(request, address=_address(context, row))


@routes.post("/webhooks/{webhook_id}/test", responses=documented(404))
async def test_webhook(context: Ctx, webhook_id: Id) -> WebhookTried:
    """Sends an event `test` now, past what waits, and says what came of it."""
    async with context.store.read() as tx:
        row = await tx.webhooks.get(webhook_id)
        lengths = await tx.webhooks.lengths()
    now, began = context.clock.now(), context.clock.monotonic()
    fact_id, status, fault = new_id(), None, ""
    body = body_of(fact_id, "test", _view(context, row, lengths.get(row.id, QueueLength())), now)
    try:
        status = await context.webhook_calls.call(row.url, row.secret, fact_id, body)
    except NotTaken as error:
        fault = str(error)
    took = round((context.clock.monotonic() - began) * 1000, 1)
    return WebhookTried(taken=not fault, status=status, fault=fault, took_ms=took)


@routes.post("/webhooks/{webhook_id}/retry", responses=documented(404))
async def retry_webhook(context: Ctx, request: Request, webhook_id: Id) -> WebhookCount:
    """Tells it again what was given up."""
    async with context.store.write() as tx:
        count = await tx.webhooks.retry(webhook_id, context.clock.now())
    note(request, deliveries=count)
    return WebhookCount(deliveries=count)


@routes.post("/webhooks/{webhook_id}/forget", responses=documented(404))
async def forget_webhook_deliveries(context: Ctx, request: Request, webhook_id: Id) -> WebhookCount:
    """What was given up is never told; its alarm is over."""
    async with context.store.write() as tx:
        count = await tx.webhooks.forget(webhook_id)
    note(request, deliveries=count)
    return WebhookCount(deliveries=count)


def _view(context: Context, row: Row, length: QueueLength) -> Webhook:
    wanted = (("alarm", row.alarms), ("asrun", row.asrun))
    return Webhook.model_validate(
        {
            "id": row.id,
            "address": _address(context, row),
            "events": tuple(event for event, is_wanted in wanted if is_wanted),
            "created_at": row.created_at,
            "created_by": row.created_by,
            "waiting": length.waiting,
            "dead": length.dead,
            "oldest_waiting_at": length.first,
            "delivered_at": row.delivered_at,
            "failing_since": row.failing_since,
            "fault": row.fault,
        }
    )


def _address(context: Context, row: Row) -> str:
    """Also where MCR_WEBHOOK_HOSTS does not allow it any more."""
    try:
        return receiver_of(row.url, context.webhook_calls.allowed).shown
    except Invalid:
        return row.url.split("/", 3)[2] if row.url.count("/") > 2 else "an address that cannot be read"
