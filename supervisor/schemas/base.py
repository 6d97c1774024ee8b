"""What all schemas have in common."""

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

T = TypeVar("T")


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_utc)]
"""An aware instant, UTC whatever zone it came in."""

RateText = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,6}(/[1-9][0-9]{0,6})?$", examples=["25", "30000/1001"])]
Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", examples=["6f1c0e6fd9a94b7e8a0f2a4a4a1f0c55"])]
Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$")]
"""Text of one line: no database and no screen takes a control character in it well."""
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Schema(BaseModel):
    """Requests refuse what they do not know, so that a typing error is not a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class Page(Schema, Generic[T]):
    """Part of a listing; ``next_cursor`` is None on the last one."""

    items: tuple[T, ...]
    next_cursor: str | None = None


class Problem(BaseModel):
    """RFC 9457 ``application/problem+json``. ``code`` is stable; ``title`` and ``detail`` are for people."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str = ""
    hint: str = ""
    extra: dict[str, Any] = {}
