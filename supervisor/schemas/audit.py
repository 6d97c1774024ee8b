"""Who did what, from where, and what came of it."""

from typing import Any, Literal

from supervisor.schemas.base import Instant, Schema

Outcome = Literal["done", "refused", "failed"]


class AuditRow(Schema):
    id: int
    at: Instant
    principal: str
    origin: str
    """Which door: ``unix`` or ``tcp 127.0.0.1``."""
    action: str
    target: str
    outcome: Outcome
    detail: dict[str, Any]
