from typing import Any, Literal

from supervisor.schemas.base import Instant, Schema


class AuditRow(Schema):
    id: int
    at: Instant
    principal: str
    origin: str
    """Which door: ``unix`` or ``tcp 127.0.0.1``."""
    action: str
    target: str
    outcome: Literal["done", "refused", "failed"]
    detail: dict[str, Any]
