"""Nodes: the machines that play."""

from typing import Annotated, Literal

from pydantic import Field

from supervisor.schemas.base import Id, Instant, Name, Schema
from supervisor.schemas.claim import ClaimState, OwnerKind

NodeKind = Literal["local", "agent"]
NodeState = Literal["answers", "away", "unseen", "undriven", "foreign", "other_cluster"]
"""As this supervisor sees it. ``away``: it answered once and does not now, which says nothing of its sidecars;
``unseen``: it never answered this supervisor; ``undriven``: this supervisor has no agent for it; ``foreign``: another
incarnation answers at its url (a new machine, or one whose disk was replaced), which is not trusted until an operator
accepts it; ``other_cluster``: its agent lives, belongs to another cluster and obeys nobody here until it is adopted."""
NodeUrl = Annotated[str, Field(max_length=500, pattern=r"^https?://[^\x00-\x20\x7f]+$")]


Fingerprint = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
"""SHA-256 of a certificate."""


class NodeIn(Schema):
    """``url`` is where a remote node's agent listens; the local node has none.

    ``fingerprint``: of the only certificate that is taken there; empty: the first for which the node's key vouches.
    ``insecure_http``: an ``http`` url beyond loopback is meant, and what is said there may be read on the way.
    """

    name: Name
    url: NodeUrl | None = None
    capacity: Annotated[int, Field(ge=1, le=1000)] = 16
    fingerprint: Fingerprint = ""
    insecure_http: bool = False


class NodePatch(Schema):
    """Only what is given changes.

    ``draining``: it gets no new channels, what plays there plays on. ``maintenance``: its channels are moved elsewhere
    as well. ``fingerprint`` and ``insecure_http`` as for a new one.
    """

    name: Name | None = None
    url: NodeUrl | None = None
    fingerprint: Fingerprint | None = None
    insecure_http: bool = False
    capacity: Annotated[int, Field(ge=1, le=1000)] | None = None
    draining: bool | None = None
    maintenance: bool | None = None
    is_test: bool | None = None


class LostIn(Schema):
    """An operator's word that the machine is dead: ``reason`` says how that is known."""

    reason: Annotated[str, Field(min_length=3, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Holder(Schema):
    """Who holds a port."""

    owner_kind: OwnerKind
    owner_id: Id
    owner_name: str | None
    state: ClaimState
    since: Instant


class Device(Schema):
    """A DeckLink port, counted from 1. ``busy``: some process of that machine has it open, ours or not."""

    index: int
    model: str
    persistent_id: str | None
    busy: bool
    held_by: Holder | None = None


class Node(Schema):
    """What people decided about it, and how this supervisor sees it; what is not known is None or empty."""

    id: Id
    name: str
    kind: NodeKind
    url: str | None
    capacity: int
    draining: bool
    maintenance: bool = False
    is_test: bool = False
    """There to be tried: drills are made on it."""
    certificate: str = ""
    """What its agent is known by: the SHA-256 of the certificate that was given, or of the first for which the node's
    key vouched."""
    certificate_given: bool = False
    certificate_seen: str = ""
    """What this supervisor sees now, where the node's key vouches for it."""
    encrypted: bool | None = None
    """Whether what this supervisor says to its agent is; None where that is not known, and for this machine's own."""
    created_at: Instant
    rev: int
    channels: int = 0
    """Channels placed here now."""
    last_answer_age_ms: int | None = None
    """Since the agent last answered this supervisor; None when it never did."""
    state: NodeState = "unseen"
    fault: str = ""
    """Why it does not answer; empty while it does."""
    away_since: Instant | None = None
    """When it last answered, while it does not."""
    version: str = ""
    launcher: Literal["process", "docker"] | None = None
    capabilities: tuple[str, ...] = ()
    devices: tuple[Device, ...] = ()
    load: float | None = None
    """One-minute load average over the number of processors."""
    clock_offset_ms: int | None = None
    """How far its wall clock is ahead of this supervisor's."""
    engine_fault: str = ""
    """Why its container engine does not answer; its sidecars are then unknown, which is not dead."""
    lost_at: Instant | None = None
    lost_by: str | None = None
    lost_reason: str | None = None
    """An operator's word that the machine is dead, until its agent answers again."""
