"""How a receiver knows that a call is ours, of now, and as it was sent."""

import hashlib
import hmac
from typing import Final

ID: Final = "Mcr-Webhook-Id"
TIMESTAMP: Final = "Mcr-Webhook-Timestamp"
SIGNATURE: Final = "Mcr-Webhook-Signature"


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """HMAC-SHA256 over ``<timestamp>.<body>``; ``v1`` is the name of this way to sign."""
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1={signed.hexdigest()}"


def headers(secret: str, fact_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Beside those of HTTP."""
    return {ID: fact_id, TIMESTAMP: str(timestamp), SIGNATURE: signature(secret, timestamp, body)}
