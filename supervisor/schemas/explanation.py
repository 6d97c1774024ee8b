"""Why a channel is where it is, and where else it could be."""

from typing import Literal

from pydantic import Field

from supervisor.schemas.base import Id, Instant, Schema
from supervisor.schemas.channel import OutputKind


class Decision(Schema):
    """What the supervisor decided in a pass over the channel, what became of it, or what was alarmed: one sentence."""

    at: Instant
    sentence: str
    kind: Literal["decision", "phase", "alarm"] = "decision"


class OutputFencing(Schema):
    """``words``: what becomes of the output when its node cannot be reached."""

    kind: OutputKind
    url: str
    words: str


class Refused(Schema):
    """A command that was not done: whose, ``status`` and ``code`` of the answer, and ``why`` in its words.

    ``action`` is the operation's id, ``outcome`` says whether it was refused or failed."""

    at: Instant
    by: str
    action: str
    outcome: Literal["refused", "failed"]
    status: int | None = None
    code: str = ""
    why: str = ""


class Explanation(Schema):
    """``decisions``, oldest first, are those that differed from the one before; ``refusals``, oldest first, the last
    commands to it that were not done.

    ``kept``: they are the store's, which outlive the supervisor. False while the database is away: then they are what
    this supervisor itself remembers.
    """

    channel_id: Id
    kept: bool = True
    decisions: tuple[Decision, ...]
    outputs: tuple[OutputFencing, ...] = ()
    refusals: tuple[Refused, ...] = ()
    hold_failover_by: str | None = None
    """Who vetoed that it is moved; None where nobody did."""


class Candidate(Schema):
    """A node where the channel could be. ``why_not`` is empty where it could be moved there now.

    ``missing``: by path, why what the rundown of the next hours needs cannot be read there.
    """

    node_id: Id
    node_name: str
    why_not: str = ""
    missing: dict[str, str] = Field(default_factory=dict[str, str])
    here: bool = False
    """The channel is placed there now."""


class Placement(Schema):
    """Every node, this supervisor's view of it. ``hold_failover_by`` as in an explanation.

    ``target_id`` is where it would go if somebody moved it now; None where it may not be moved: ``why_not``, ``hint``.
    """

    channel_id: Id
    node_id: Id | None
    """Where it is placed now."""
    hold_failover_by: str | None
    candidates: tuple[Candidate, ...]
    target_id: Id | None = None
    why_not: str = ""
    hint: str = ""
