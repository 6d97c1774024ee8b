"""Webhooks: who is told of alarms and of the as-run."""

from typing import Annotated, Literal

from pydantic import Field

from supervisor.schemas.base import Id, Instant, Schema

WebhookEvent = Literal["alarm", "asrun"]


class WebhookIn(Schema):
    """A receiver. ``secret`` signs what it is sent; one is made where none is given."""

    url: Annotated[str, Field(min_length=8, max_length=500, pattern=r"^[!-~]+$")]
    events: Annotated[tuple[WebhookEvent, ...], Field(min_length=1, max_length=2)] = ("alarm", "asrun")
    secret: Annotated[str, Field(min_length=16, max_length=128, pattern=r"^[!-~]+$")] | None = None


class Webhook(Schema):
    """``address`` is its URL without the path, which may hold a secret. ``waiting``: what it was not told of yet;
    ``dead``: what was given up. ``failing_since`` and ``fault``: since when and why it takes nothing."""

    id: Id
    address: str
    events: tuple[WebhookEvent, ...]
    created_at: Instant
    created_by: str
    waiting: int = 0
    dead: int = 0
    oldest_waiting_at: Instant | None = None
    delivered_at: Instant | None = None
    failing_since: Instant | None = None
    fault: str = ""


class WebhookMade(Webhook):
    """``secret`` is told this once."""

    secret: str


class WebhookTried(Schema):
    """Of a test. ``status`` is the receiver's own where it took it; ``fault`` says why it did not."""

    taken: bool
    status: int | None
    fault: str
    took_ms: float


class WebhookCount(Schema):
    """How many deliveries that were given up are tried again, or forgotten."""

    deliveries: int
