"""What a node agent does, wherever it runs; the docstrings are the contract every agent's test suite holds.

Orders carry the leader's ``term``: an agent refuses one lower than it has seen. Every order is safe to repeat. A call
that is cancelled, or whose answer is lost, may still be carried out: repeat it, or ask ``report``.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from sidecar.protocol.asrun import AsRunRecord
from sidecar.protocol.channel import LogoOverride, Look, Output, Playlist, Rate, ResumePoint, SidecarDocument
from sidecar.protocol.commands import CommandReply, Refusal
from sidecar.protocol.status import Status
from supervisor.agent.launcher import LauncherKind


class AgentError(Exception):
    """Root of everything an agent may raise. The text says what happened to which channel."""


class AgentAway(AgentError):
    """The agent itself did not answer. Nothing is known about its sidecars."""


class OtherCluster(AgentAway):
    """The agent lives and belongs to another cluster: it obeys that one, and nothing is known of its sidecars here."""


class StaleTerm(AgentError):
    """The order is of a leader that another has followed."""

    def __init__(self, term: int, seen: int) -> None:
        super().__init__(f"order of term {term} refused: term {seen} gives the orders here")
        self.term = term
        self.seen = seen


class StaleEpoch(AgentError):
    """The node has seen a higher epoch of this channel."""

    def __init__(self, channel_id: str, epoch: int, highest: int) -> None:
        super().__init__(f"epoch {epoch} of channel {channel_id} refused: this node has seen epoch {highest}")
        self.highest = highest


class EpochUsed(AgentError):
    """A sidecar of this very epoch was started before and is gone; it needs a new epoch."""


class StillRunning(AgentError):
    """A sidecar of an older epoch of the channel lives; it must be stopped first."""

    def __init__(self, channel_id: str, epoch: int, pid: int) -> None:
        super().__init__(f"epoch {epoch} of channel {channel_id} still runs as process {pid}: stop it first")
        self.epoch = epoch
        self.pid = pid


class StartFailed(AgentError):
    """The process could not be started at all."""


class EngineAway(AgentError):
    """The container engine does not answer. What it runs is then unknown, which is not gone; a start may still come."""


class StopUnconfirmed(AgentError):
    """The process did not go, not even when it was killed. It counts as running."""


class NotRunning(AgentError):
    """No sidecar of that channel and epoch runs here."""


class SidecarRefused(AgentError):
    """The sidecar answered, and refused: ``refusal`` is its own problem document."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail or refusal.title)
        self.refusal = refusal


class SidecarSilent(AgentError):
    """The sidecar did not answer within the deadline; whether it obeyed is unknown."""


class SidecarBroken(AgentError):
    """The sidecar answered what nobody can read, or with the wrong epoch."""


@dataclass(frozen=True, slots=True)
class StartOrder:
    """``document`` is what the sidecar plays; ``epoch`` is the channel's newest."""

    channel_id: str
    epoch: int
    term: int
    document: SidecarDocument


@dataclass(frozen=True, slots=True)
class Left:
    """Where a run that ended cleanly left its list: at ``at`` this frame of the item, at ``rate``, would have aired."""

    item_id: str
    frame: int
    at: datetime
    rate: Rate


@dataclass(frozen=True, slots=True)
class Exit:
    """``code`` as in ``Popen.returncode`` (negative: the signal); None when only the parent, now gone, was told.

    ``last_words`` is the end of the process's log, made safe for a line of text. ``item_id`` is the item that was on
    air by its own journal; None where it was none, or nobody knows. ``left``: None when it did not end cleanly in one.
    """

    code: int | None
    last_words: str = ""
    item_id: str | None = None
    left: Left | None = None

    def __str__(self) -> str:
        if self.code is None:
            said = "ended while nobody watched"
        elif self.code < 0:
            said = f"was ended by signal {-self.code}"
        else:
            said = f"ended with code {self.code}"
        return f"{said}: {self.last_words}" if self.last_words and self.code != 0 else said


@dataclass(frozen=True, slots=True)
class SidecarReport:
    """One sidecar as its agent sees it.

    ``polls`` counts the finished attempts to ask it, ``answers`` those that were answered well: a reader that sees
    ``polls`` grow without ``answers`` has seen a miss. ``status`` is its own last answer, ``age_s`` how long ago it
    came, ``round_trip_ms`` how long it took. ``fault`` says why the last attempt was not answered well.
    ``output_age_s`` is how long ago the agent saw the epoch's media playlists change on disk: a witness that frames
    leave which does not need the sidecar's answer. None: no witness, or none yet.
    """

    channel_id: str
    epoch: int
    pid: int
    exit: Exit | None
    polls: int
    answers: int
    status: Status | None
    age_s: float | None
    round_trip_ms: int | None
    fault: str
    output_age_s: float | None


@dataclass(frozen=True, slots=True)
class Device:
    """A DeckLink port of the node. ``index`` counts from 1, as CasparCG does; ``persistent_id`` survives a reboot and
    is None where the driver has none. ``busy``: some process has it open."""

    index: int
    model: str
    persistent_id: str | None = None
    busy: bool = False


Capability = Literal["ffmpeg", "decklink"]


@dataclass(frozen=True, slots=True)
class NodeCondition:
    """What a node says of itself with every report.

    ``incarnation`` names the agent's memory on disk, ``boot`` this life of the agent. ``at`` is its own wall clock when
    the report was made, aware UTC, from which the supervisor tells its offset. ``load`` is the one-minute load average
    over the number of processors; None where that is not known. ``engine_fault``: why the container engine does not
    answer, empty while it does: its sidecars are then unknown, which is not dead. ``capacity`` is how many sidecars the
    machine's own administrator lets it have, where he said so; the node's row decides, and this is shown beside it.
    ``capture_fault``: why no recorder captures from a DeckLink card there; empty when it can, None while that is not
    known.
    """

    incarnation: str
    boot: str
    version: str
    launcher: LauncherKind
    capabilities: frozenset[Capability]
    devices: tuple[Device, ...]
    at: datetime
    load: float | None
    engine_fault: str = ""
    capacity: int | None = None
    capture_fault: str | None = None


@dataclass(frozen=True, slots=True)
class NodeReport:
    """``number`` grows with everything new: a finished round of polls, a first answer, an exit.

    ``term`` is the highest that the agent has taken an order of.
    """

    number: int
    rounds: int
    sidecars: tuple[SidecarReport, ...]
    condition: NodeCondition
    term: int = 0


@dataclass(frozen=True, slots=True)
class LeaseGrant:
    """``nonce`` is of a status of the sidecar: the lease runs for ``ttl_ms`` from when the sidecar issued it, whenever
    the grant arrives."""

    channel_id: str
    epoch: int
    nonce: str


@dataclass(frozen=True, slots=True)
class LeaseRound:
    """The leases that the leader of ``term`` grants with one report."""

    term: int
    ttl_ms: int
    grants: tuple[LeaseGrant, ...]


@dataclass(frozen=True, slots=True)
class MediaRootSeen:
    """``marker`` is what the marker file in ``path`` holds; None, with the reason in ``fault``, where none was read."""

    path: str
    marker: str | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class MediaSeen:
    """What a node reads of what it was asked for. ``missing``: by path, why a clip cannot be read there."""

    roots: tuple[MediaRootSeen, ...]
    missing: Mapping[str, str]


TransportVerb = Literal["take", "skip", "play", "pause", "resume", "hold", "recue", "standby", "rejoin"]


@dataclass(frozen=True, slots=True)
class Transport:
    """A verb without more to say. ``expect_item_id`` is for ``take`` alone."""

    verb: TransportVerb
    expect_item_id: str | None = None


@dataclass(frozen=True, slots=True)
class Cue:
    """None clears the cue."""

    item_id: str | None


@dataclass(frozen=True, slots=True)
class Adjust:
    """Make the item on air longer, or shorter, by ``ms``; refused when it is another than ``expect_item_id``."""

    ms: int
    expect_item_id: str | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """The item will not air, or, not ``is_dropped``, will after all."""

    item_id: str
    is_dropped: bool


@dataclass(frozen=True, slots=True)
class ShowLogo:
    """Until what is on air is over; ``auto``: as item and channel say."""

    show: LogoOverride


@dataclass(frozen=True, slots=True)
class Arm:
    """Enter the air; ``nonce`` is of the sidecar's last answer.

    ``resume``: where the list begins; None: where the start said. ``resume_at``: the instant at which that frame is
    due; the list goes on from there by the node's clock. None: it begins with that frame whenever it enters.
    """

    nonce: str
    resume: ResumePoint | None = None
    resume_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Replace:
    """Give it this playlist; what is on air runs on. ``look``: logo and watching, where those change."""

    playlist: Playlist
    look: Look | None = None


@dataclass(frozen=True, slots=True)
class SetOutputs:
    """Send the programme there from now on; outputs that stay are not touched."""

    outputs: tuple[Output, ...]


Said = Transport | Cue | ShowLogo | Adjust | Drop | Arm | Replace | SetOutputs
"""What may be said to a sidecar through its agent; leaving the air has an order of its own."""


@dataclass(frozen=True, slots=True)
class Order:
    """``command_id`` makes a repeat harmless: the sidecar gives its first answer again."""

    channel_id: str
    epoch: int
    term: int
    command_id: str
    by: str
    said: Said


@dataclass(frozen=True, slots=True)
class StopOrder:
    """``patient``: ask first, so that the run ends cleanly; else (it hangs) kill at once.

    Not ``final``: the channel goes on elsewhere, so that its players are not told that the programme ended.
    """

    channel_id: str
    epoch: int
    term: int
    by: str
    patient: bool = True
    final: bool = True


@dataclass(frozen=True, slots=True)
class JournalLine:
    """``line`` is the journal's own, newline included; ``record`` is what it says."""

    line: bytes
    record: AsRunRecord


@dataclass(frozen=True, slots=True)
class JournalPage:
    """Records after the one asked for, in order. ``last_seq`` is the highest that can be read now.

    ``alive``: the run's process lives, so there may be more; read before the records were.
    """

    run_id: str
    lines: tuple[JournalLine, ...]
    last_seq: int
    alive: bool


@dataclass(frozen=True, slots=True)
class JournalRun:
    """A run whose journal lies on this node. ``epoch`` is 0 while it has no readable record."""

    channel_id: str
    run_id: str
    epoch: int
    alive: bool


class NodeAgent(Protocol):
    """One node's sidecars. In process on a single host; a service elsewhere."""

    async def start(self, order: StartOrder) -> int:
        """Starts the channel's sidecar, muted, and answers its pid once its handle is on disk.

        The epoch is on disk before anything is started, so that no older one can ever start here again. Repeating
        the order of a living sidecar answers its pid and starts nothing. A cancel may leave the sidecar started.
        Raises StaleTerm, StaleEpoch, EpochUsed, StillRunning, StartFailed, AgentAway.
        """
        ...

    async def standby(self, order: StartOrder) -> int:
        """As ``start``, but beside an older sidecar of the channel that still lives here.

        What it begins with is opened and decoded meanwhile; an ``Arm`` is refused with StillRunning until the older
        one is gone.
        """
        ...

    async def stop(self, order: StopOrder) -> Exit | None:
        """Ends every sidecar of the channel up to and including ``epoch``; returns when the exits are confirmed.

        A start of such an epoch that comes later is refused with EpochUsed. None when none ran. A cancel leaves the
        stop half done; repeat it. Raises StaleTerm, StopUnconfirmed, AgentAway.
        """
        ...

    async def report(self, seen: int, wait: float, leases: LeaseRound | None = None) -> NodeReport:
        """Every sidecar's last answer, as soon as the report's number is above ``seen``, or after ``wait`` seconds.

        The agent polls its sidecars once a second, whoever asks, and a new one more often until it is muted with what
        it begins with decoded. ``leases`` are handed on to the sidecars before it waits; one that cannot be handed on
        is left out, as the next round has another. Raises StaleTerm (with leases alone), AgentAway.
        """
        ...

    async def poll(self, channel_id: str, epoch: int) -> SidecarReport:
        """Asks this one sidecar now. Raises NotRunning, AgentAway; a sidecar that is silent is in the answer."""
        ...

    async def command(self, order: Order, timeout: float) -> CommandReply:
        """Says it to the sidecar and answers what the sidecar answered, within ``timeout`` seconds.

        Raises StaleTerm, NotRunning, StillRunning (an arm beside an older sidecar), SidecarRefused, SidecarSilent,
        SidecarBroken, AgentAway.
        """
        ...

    async def thumbnail(self, channel_id: str, epoch: int) -> bytes:
        """A JPEG of what is on air now. Raises NotRunning, SidecarRefused, SidecarSilent, AgentAway."""
        ...

    async def media(self, roots: Sequence[str], paths: Sequence[str]) -> MediaSeen:
        """The marker in each of ``roots``, and which of ``paths`` cannot be opened for reading.

        A disk that hangs is a fault of every path on it, within seconds. Raises AgentAway.
        """
        ...

    async def live_file(self, channel_id: str, path: str) -> bytes:
        """One file of a channel's HLS on this node, by its name below ``/live/<channel id>/``.

        Raises FileNotFoundError for what is not there or is no such name, AgentAway.
        """
        ...

    async def runs(self, known: Mapping[str, Set[str]]) -> tuple[JournalRun, ...]:
        """The runs on this node, by channel and epoch, without those in ``known`` (channel id to run ids).

        Only what is named as a run is (32 hexadecimal digits) counts as one. Raises OSError, AgentAway.
        """
        ...

    async def asrun(self, channel_id: str, run_id: str, after: int, limit: int) -> JournalPage | None:
        """Flushed records with ``seq > after``, of living and of dead sidecars; None for a run that is not here.

        Raises SidecarSilent, SidecarBroken, AgentAway.
        """
        ...
