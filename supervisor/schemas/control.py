"""Control of a channel: at most one session has it, and only that one's air commands are done meanwhile."""

import hashlib
from typing import Annotated, Final

from pydantic import Field

from supervisor.schemas.base import Id, Instant, Schema

SESSION_HEADER: Final = "X-MCR-Session"
"""32 hexadecimal digits that a console makes for each sitting, and tells nobody but the supervisor."""
STATION_HEADER: Final = "X-MCR-Station"
"""Where the console stands, for people: printable ASCII, at most 60 characters."""
LEASE_S: Final = 15.0
"""Control lapses when its session has not been heard for so long."""
RENEW_S: Final = 4.0
"""How often a console renews: three renewals may be lost."""


def seat_of(session: str) -> str:
    """What others see of a session: enough to know one's own by, and nothing to act with."""
    return hashlib.sha256(session.encode()).hexdigest()[:16] if session else ""


class Control(Schema):
    """``seat`` names the session without giving it away; ``station`` is where it sits, as it says itself."""

    operator: str
    seat: str
    station: str
    since: Instant


class ControlIn(Schema):
    over: bool = False
    """Take it over from who has it. This is never refused; the other is told."""


class ControlSeen(Schema):
    channel_id: Id
    control: Control | None


class ControlRenew(Schema):
    channel_ids: Annotated[tuple[Id, ...], Field(max_length=10_000)]
    """What this session has control of, as far as it knows."""


class ControlRenewed(Schema):
    """``lost``: another has it by now, or it had lapsed."""

    held: tuple[Id, ...]
    lost: tuple[Id, ...]
