"""Port claims: who owns which DeckLink port of which node."""

from typing import Annotated, Literal

from pydantic import Field

from supervisor.schemas.base import Id, Instant, Schema

ClaimState = Literal["reserved", "active", "unknown", "released"]
OwnerKind = Literal["channel", "recorder"]


class Claim(Schema):
    """``port`` is the card's persistent id where there is one, else ``index:<device_index>``.

    ``unknown``: nobody can say whether its owner still uses the port, so it blocks. ``owner_name`` is None for an owner
    that is gone. ``released_reason`` is an operator's; None after a confirmed exit.
    """

    id: Id
    node_id: Id
    node_name: str
    port: str
    device_index: int
    owner_kind: OwnerKind
    owner_id: Id
    owner_name: str | None
    epoch: int
    state: ClaimState
    since: Instant
    released_at: Instant | None = None
    released_by: str | None = None
    released_reason: str | None = None


class ReleaseIn(Schema):
    """Why the port is free although nobody confirmed it: for the audit log, and for whoever asks later."""

    reason: Annotated[str, Field(min_length=3, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]
