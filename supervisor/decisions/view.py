"""What a pass over one channel looks at: what is wanted, what was decided, what is seen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from sidecar.protocol.channel import Meant
from sidecar.protocol.status import SidecarState
from supervisor.decisions.pulse import Pulse
from supervisor.decisions.restarts import Restarts
from supervisor.schemas.channel import Desired, Observed, Phase

if TYPE_CHECKING:
    from supervisor.decisions.fencing import Fencing, ServerPlace


@dataclass(frozen=True, slots=True)
class OutputSight:
    """A programme output that does not move, or not for everybody, as the sidecar tells it."""

    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class ServerSight:
    """The CasparCG server that the sidecar drives, while something is wrong with it, and for how long that is so.

    ``reached``: there is a connection; without one nothing plays that anybody can know of.
    """

    answers: bool
    moves: bool
    reached: bool
    detail: str
    wrong_s: float

    @property
    def is_unseen(self) -> bool:
        """It is there and tells nothing at all: what it was told last may play on."""
        return self.reached and not self.answers and not self.moves


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
    not_listening: tuple[OutputSight, ...] = ()
    """They send, and nobody else can call."""
    journal_degraded: str | None = None
    faults: tuple[Meant, ...] = ()
    """What its programme has been for longer than the channel allows."""
    logo_fault: str = ""
    hold_timed_out: bool = False
    output_age_s: float | None = None
    server: ServerSight | None = None
    ended_well: bool = False
    """It exited, and said that all that it was to end has ended."""


AgentState: TypeAlias = Literal["answers", "away", "unseen", "undriven"]
"""``unseen``: it has not answered yet, and has not missed enough to be ``away``. ``undriven``: it takes orders from
another supervisor's process alone."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the channel may be placed; ``why_not`` is set where it may not. ``answers``: its agent does now."""

    node_id: str
    node_name: str
    why_not: str = ""
    answers: bool = True


@dataclass(frozen=True, slots=True)
class Candidate:
    """Another node as this channel's next. ``missing``: by path, which of its coming clips cannot be read there."""

    node_id: str
    node_name: str
    why_not: str = ""
    missing: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class OldSidecar:
    """What is known of the sidecar that a move must be sure of. ``epochs``: those older ones that its agent says live.

    ``healthy``: one of them is on air and answers, so the move can wait until the new one is ready. ``lost``: an
    operator says that its node is dead.
    """

    node_id: str
    node_name: str
    agent: AgentState
    epochs: tuple[int, ...] = ()
    healthy: bool = False
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Stray:
    """An older sidecar on another node than the channel's."""

    node_id: str
    node_name: str
    epoch: int


@dataclass(frozen=True, slots=True)
class HandMove:
    """A person wants the channel on that node now."""

    by: str
    node_id: str


@dataclass(frozen=True, slots=True)
class View:
    """One channel at one instant. Times are seconds on our monotonic clock.

    ``phase_for`` counts from when we first saw the phase, so that a new supervisor gives every deadline anew.
    ``muted_for`` counts from the first answer of this epoch that we saw, ``armed_for`` from our first arm order of it.
    ``strays`` are other epochs than the row's that run. ``off_air_for`` counts while the channel is wanted and is not
    on air, ``unseen_for`` while it is wanted and not known to be on air, whatever is known else; ``was_on_air``: it had
    been since it was wanted. ``skipped`` says of each item that could not air why.
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
    ended: bool = False
    """Its node confirmed the end of this epoch: a start that is still on its way comes too late."""
    fault: str = ""
    """Why the last action failed, empty when it did not."""
    skipped: tuple[str, ...] = ()
    off_air_for: float | None = None
    unseen_for: float | None = None
    was_on_air: bool = False
    adopted: bool = False
    """We found it on air when we began to watch it."""
    list_changed: bool = False
    """The sidecar has not been given the newest playlist yet."""
    beginning: str = ""
    """Where in the list this start began, and why."""
    fencing: "Fencing" = "resource"
    """Of the strictest output that its sidecar was started with; in a move, the old one's."""
    lease_left: float | None = None
    """Until every lease that was ever given is certainly over, seconds, margin included; None: not known yet."""
    targets: tuple[Candidate, ...] = ()
    """Other nodes than where it is, the best first."""
    pinned: bool = False
    """People want it on this node alone."""
    vetoed_by: str = ""
    """Who holds its failover."""
    why_stay: str = ""
    """Why nothing is moved now off a node that does not answer."""
    node_lost: bool = False
    """An operator says that the node where it is, is dead."""
    fresh: bool = True
    """Its agent's last call was answered in this term: what it does not tell of is not there."""
    placed_now: bool = True
    """This term placed its epoch, so that nobody else can have armed it."""
    server: "ServerPlace" = "none"
    """Where the CasparCG server is that plays it."""
    leave_node: str = ""
    """Why it is to leave its node though that answers: maintenance."""
    old: OldSidecar | None = None
    """In a move: the sidecar that is left behind."""
    elsewhere: tuple[Stray, ...] = ()
    node_id: str | None = None
    """Where the row's epoch is."""
    by_hand: HandMove | None = None

    @property
    def restarts_wait(self) -> float:
        """Seconds until the next start may be tried; not above 0: now."""
        return self.restarts.not_before - self.now


@dataclass(frozen=True, slots=True)
class MoveTo:
    """Write the new phase, nothing else."""

    phase: Phase


@dataclass(frozen=True, slots=True)
class Place:
    """Raise the epoch, note the node, take the claims: one transaction."""

    node_id: str


@dataclass(frozen=True, slots=True)
class Relocate:
    """Raise the epoch and note the new node, and with it the old one to be fenced: one transaction."""

    node_id: str


@dataclass(frozen=True, slots=True)
class Start:
    """Order the sidecar of the row's epoch; repeating it is harmless."""

    epoch: int


@dataclass(frozen=True, slots=True)
class StartToEnd:
    """Raise the epoch and start a sidecar that is never armed: its clean end clears the channel's CasparCG server."""

    node_id: str


@dataclass(frozen=True, slots=True)
class ArmNow:
    """Tell the muted sidecar to enter the air; ``nonce`` is of its last answer."""

    epoch: int
    nonce: str


@dataclass(frozen=True, slots=True)
class End:
    """End every sidecar up to ``epoch``, confirmed. ``patient``: let it end its run cleanly.

    ``node_id`` None: on the channel's node. Not ``final``: the programme goes on elsewhere.
    """

    epoch: int
    patient: bool
    node_id: str | None = None
    final: bool = True


@dataclass(frozen=True, slots=True)
class NoteFailure:
    """Into the restart history; ``item_id`` is what it died on, ``node_id`` where (None: where the channel is)."""

    cause: str
    item_id: str | None
    node_id: str | None = None


@dataclass(frozen=True, slots=True)
class GiveList:
    """Tell the sidecar the newest playlist."""

    epoch: int


Action: TypeAlias = MoveTo | Place | Relocate | Start | StartToEnd | ArmNow | End | NoteFailure | GiveList


@dataclass(frozen=True, slots=True)
class Decision:
    """``sentence`` says what was decided and why, in an operator's words. ``again_in``: look again after that long.

    ``kept`` is the sentence for the history, where it is another: what airs changes with every item, and the as-run
    log has it.
    """

    actions: tuple[Action, ...]
    sentence: str
    observed: Observed | None
    again_in: float | None = None
    kept: str | None = None
