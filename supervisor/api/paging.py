"""Pages: how many, after what, and what to send for the next."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar, cast

from fastapi import Query

from supervisor.errors import Invalid

Row = TypeVar("Row")
MOST = 500

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")]


def encode_cursor(*key: str | int) -> str:
    """An opaque text for the key of the last row of a page."""
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *shape: type[str] | type[int]) -> tuple[Any, ...]:
    """The key again. Raises Invalid for what is not a cursor of this listing."""
    try:
        decoded: object = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        raise Invalid("the cursor is not one of this listing") from None
    key = cast("list[object]", decoded) if isinstance(decoded, list) else []
    if len(key) != len(shape) or not all(type(part) is kind for part, kind in zip(key, shape, strict=True)):
        raise Invalid("the cursor is not one of this listing")
    if any(isinstance(part, int) and abs(part) >= 2**63 for part in key):
        raise Invalid("the cursor is not one of this listing")
    return tuple(key)


def page_of(
    rows: Sequence[Row], limit: int, key: Callable[[Row], tuple[str | int, ...]]
) -> tuple[Sequence[Row], str | None]:
    """``rows`` was asked for with one more than ``limit``: that one tells whether another page follows."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], encode_cursor(*key(rows[limit - 1]))
