"""What a pass over one channel looks at: what is wanted, what was decided, what is seen."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from sidecar.protocol.status import SidecarState
from supervisor.decisions.pulse import Pulse
from supervisor.decisions.restarts import Restarts
from supervisor.schemas.channel import Desired, Observed, Phase


@dataclass(frozen=True, slots=True)
class OutputSight:
    """A programme output that does not move, as the sidecar tells it."""

    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """The channel's newest sidecar on its node, as the agent tells it.

    ``exit`` is how it ended, None while it lives. ``state`` None: it never answered. ``picture`` is what it shows in
    an operator's words. ``undecoded`` is the title of what airs next while its first picture is not there yet.
    ``output_age_s``: since its media playlists were last seen to change, None without a witness.
    """

    epoch: int
    pid: int
    pulse: Pulse
    exit: str | None = None
    state: SidecarState | None = None
    nonce: str = ""
    frame: int = 0
    item_id: str | None = None
    picture: str = ""
    undecoded: str | None = None
    outputs: int = 0
    down: tuple[OutputSight, ...] = ()
    journal_degraded: str | None = None
    output_age_s: float | None = None


AgentState: TypeAlias = Literal["answers", "away", "unseen"]


@dataclass(frozen=True, slots=True)
class Site:
    """Where the channel may be placed; ``why_not`` is set where it may not."""

    node_id: str
    node_name: str
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """One channel at one instant. Times are seconds on our monotonic clock.

    ``phase_for`` counts from when we first saw the phase, so that a new supervisor gives every deadline anew.
    ``muted_for`` counts from the first answer of this epoch that we saw, ``armed_for`` from our first arm order of it.
    ``strays`` are other epochs than the row's that run. ``off_air_for`` counts while the channel is wanted and is not
    on air; ``was_on_air``: it had been since it was wanted. ``skipped`` says of each item that could not air why.
    """

    name: str
    desired: Desired
    phase: Phase
    epoch: int
    now: float
    phase_for: float
    why_not_leading: str
    """Empty where this supervisor decides."""
    agent: AgentState
    agent_name: str
    site: Site | None
    sighting: Sighting | None
    restarts: Restarts
    strays: tuple[int, ...] = ()
    muted_for: float = 0.0
    armed_for: float | None = None
    start_ordered: bool = False
    fault: str = ""
    """Why the last action failed, empty when it did not."""
    skipped: tuple[str, ...] = ()
    off_air_for: float | None = None
    was_on_air: bool = False
    adopted: bool = False
    """We found it on air when we began to watch it."""
    list_changed: bool = False
    """The sidecar has not been given the newest playlist yet."""
    beginning: str = ""
    """Where in the list this start began, and why."""


@dataclass(frozen=True, slots=True)
class MoveTo:
    """Write the new phase, nothing else."""

    phase: Phase


@dataclass(frozen=True, slots=True)
class Place:
    """Raise the epoch, note the node, take the claims: one transaction."""

    node_id: str


@dataclass(frozen=True, slots=True)
class Start:
    """Order the sidecar of the row's epoch; repeating it is harmless."""

    epoch: int


@dataclass(frozen=True, slots=True)
class ArmNow:
    """Tell the muted sidecar to enter the air; ``nonce`` is of its last answer."""

    epoch: int
    nonce: str


@dataclass(frozen=True, slots=True)
class End:
    """End every sidecar up to ``epoch``, confirmed. ``patient``: let it end its run cleanly."""

    epoch: int
    patient: bool


@dataclass(frozen=True, slots=True)
class NoteFailure:
    """Into the restart history; ``item_id`` is what it died on."""

    cause: str
    item_id: str | None


@dataclass(frozen=True, slots=True)
class GiveList:
    """Tell the sidecar the newest playlist."""

    epoch: int


Action: TypeAlias = MoveTo | Place | Start | ArmNow | End | NoteFailure | GiveList


@dataclass(frozen=True, slots=True)
class Decision:
    """``sentence`` says what was decided and why, in an operator's words. ``again_in``: look again after that long."""

    actions: tuple[Action, ...]
    sentence: str
    observed: Observed | None
    again_in: float | None = None
