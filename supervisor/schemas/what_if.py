"""If this node died now: what would become of what plays there."""

from typing import Literal

from supervisor.schemas.base import Id, Instant, Schema
from supervisor.schemas.claim import OwnerKind
from supervisor.schemas.explanation import Candidate


class Fate(Schema):
    """Of a channel, or of a recorder (``number`` null).

    ``to_node_id``: where it would go. With ``why_not`` it would not go by itself; ``to_node_id`` is then where it would
    go once an operator says that the machine is dead, null where that would change nothing. ``when``: at once, or as
    soon as the lease of what may still send there has run out. ``candidates``: every other node with why not, and by
    path what of the coming hours cannot be read there.
    """

    kind: OwnerKind
    id: Id
    name: str
    number: int | None
    to_node_id: Id | None
    to_node_name: str | None
    why_not: str = ""
    when: Literal["at_once", "after_lease", "never"]
    candidates: tuple[Candidate, ...] = ()


class Room(Schema):
    """A node that is left. ``placed``: channels and recorders there now; ``after``: with those that would come."""

    node_id: Id
    node_name: str
    capacity: int
    placed: int
    after: int
    why_not: str = ""


class WhatIf(Schema):
    """Computed at ``at`` from what this supervisor sees, each channel with the room that those before it leave.

    ``why_nothing``: why nothing at all would be moved by itself. ``supervisor_here``: this supervisor runs on that
    machine and dies with it, so another one has to lead.
    """

    node_id: Id
    node_name: str
    at: Instant
    why_nothing: str = ""
    supervisor_here: bool = False
    fates: tuple[Fate, ...]
    rooms: tuple[Room, ...]
