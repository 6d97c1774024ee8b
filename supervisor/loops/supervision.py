"""Puts the loops together. The only thing an application needs of them."""

from dataclasses import dataclass

from db.store import Store
from supervisor.agent.interface import NodeAgent
from supervisor.clock import Clock
from supervisor.commands import Commands
from supervisor.events import Events
from supervisor.live import LiveBoard


@dataclass(frozen=True, slots=True)
class Standing:
    """``term`` is the one this supervisor led last, 0 before the first. ``address`` is the leader's, where known."""

    leader: bool
    term: int
    address: str


class Supervision:
    """Everything that keeps channels on air. ``run`` until cancelled; what plays, plays on.

    ``agent`` is this node's. ``holder`` names this supervisor (its boot id), ``address`` is where commands reach it.
    """

    commands: Commands
    live: LiveBoard

    def __init__(
        self, *, store: Store, agent: NodeAgent, events: Events, clock: Clock, holder: str, address: str, node_name: str
    ) -> None:
        raise NotImplementedError

    async def run(self) -> None:
        """Leads, watches, decides, collects; returns only by cancellation, and then touches no sidecar."""
        raise NotImplementedError

    def standing(self) -> Standing:
        raise NotImplementedError

    def node_answer_age_ms(self, node_id: str) -> int | None:
        """Since the node's agent last answered; None when it never did."""
        raise NotImplementedError
