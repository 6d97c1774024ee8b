"""What is seen of every channel, as one value a tile can show; published whenever it changes."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec

from sidecar.protocol.status import EngineHealth, LiveStatus, LogoStatus, Status
from supervisor.agent.interface import NodeCondition
from supervisor.clock import Clock
from supervisor.events import Events
from supervisor.schemas.channel import (
    ChannelLive,
    Desired,
    EngineLive,
    FaultsLive,
    ItemLive,
    LinkLive,
    LiveInput,
    LogoLive,
    LoudnessLive,
    NextLive,
    Observed,
    OutputLive,
    Phase,
)
from supervisor.schemas.control import Control

_PASSES: Final = 50
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over a channel: the sentence says what was decided and why."""

    at: datetime
    sentence: str


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything a tile is made of. ``status`` is the newest sidecar's last answer, ``age_s`` how old it is: the one
    thing that changes while nothing happens."""

    channel_id: str
    desired: Desired
    phase: Phase
    observed: Observed | None
    epoch: int
    node_id: str | None
    node_name: str | None
    decision: str
    status: Status | None
    age_s: float | None = field(compare=False)
    beats_ms: tuple[int, ...]
    off_air_since: datetime | None
    playlist_revision: int


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """A node as this supervisor sees it. ``offset_s``: by how much its wall clock is ahead of ours. ``foreign``: the
    incarnation of another agent that answers in its place; ``fault``: why it does not answer. Both empty else.
    ``certificate``: what its agent is known by now; ``is_encrypted``: None where that is not known, or in process."""

    state: Literal["answers", "away", "unseen", "undriven", "foreign", "other_cluster"]
    answer_age_s: float | None
    offset_s: float | None
    condition: NodeCondition | None
    fault: str = ""
    foreign: str = ""
    certificate: str = ""
    is_encrypted: bool | None = None


UNDRIVEN: Final = NodeSeen("undriven", None, None, None, "it takes no orders from this supervisor")


class LiveBoard:
    """The newest ``ChannelLive`` of every channel. Belongs to one event loop; no method blocks.

    ``alarms`` answers how many alarms of a channel are open, ``control`` who has control of it.
    """

    def __init__(
        self,
        events: Events,
        clock: Clock,
        alarms: Callable[[str], int],
        control: Callable[[str], Control | None] = lambda _: None,
    ) -> None:
        self._events = events
        self._clock = clock
        self._alarms = alarms
        self._control = control
        self._version = 0
        self._seen: dict[str, tuple[Sight, int, Control | None]] = {}
        self._shown: dict[str, ChannelLive] = {}
        self._answered_at: dict[str, float] = {}
        self._rates: dict[str, str] = {}
        self._passes: dict[str, deque[Pass]] = {}

    def get(self, channel_id: str) -> ChannelLive:
        """The channel as it is seen now; an empty one (off, nothing observed) where nobody has looked yet."""
        shown = self._shown.get(channel_id)
        if shown is None:
            nothing = Sight(channel_id, "off", "off", None, 0, None, None, "", None, None, (), None, 0)
            return self._live(nothing, version=0)
        return shown.model_copy(update={"heartbeat_age_ms": self._age_ms(channel_id)})

    def show(self, sight: Sight) -> None:
        """Publishes what changed since the last sight, a new heartbeat included."""
        channel_id = sight.channel_id
        if sight.age_s is None:
            self._answered_at.pop(channel_id, None)
        else:
            self._answered_at[channel_id] = self._clock.monotonic() - sight.age_s
        self._publish(sight)

    def look_again(self, channel_id: str) -> None:
        """Something beside its sight changed: who has control of it."""
        seen = self._seen.get(channel_id)
        if seen is not None:
            self._publish(seen[0])

    def _publish(self, sight: Sight) -> None:
        channel_id = sight.channel_id
        seen = (sight, self._alarms(channel_id), self._control(channel_id))
        if self._seen.get(channel_id) == seen:
            return
        self._seen[channel_id] = seen
        if sight.status is None:
            self._rates.pop(channel_id, None)
        else:
            self._rates[channel_id] = sight.status.rate
        before = self._shown.get(channel_id)
        live = self._live(sight, version=self._version + 1)
        if before is not None and _shows_the_same(before, live):
            return
        self._version = live.version
        self._shown[channel_id] = live
        self._keep(channel_id, sight.decision)
        self._events.publish("channel_live", live)

    def sights(self) -> Iterator[tuple[Sight, float | None]]:
        """Every channel as it was seen last, and how old its sidecar's last answer is by now, in seconds."""
        now = self._clock.monotonic()
        for channel_id, (sight, _, _) in self._seen.items():
            at = self._answered_at.get(channel_id)
            yield sight, None if at is None else max(0.0, now - at)

    def rate(self, channel_id: str) -> str | None:
        """The frame rate at which the shown sidecar runs; None while there is none that answered."""
        return self._rates.get(channel_id)

    def live_fault(self, channel_id: str, item_id: str) -> str:
        """Why the live input of this item, if it is due before long, gives no pictures; empty while nobody knows of a
        fault."""
        seen = self._seen.get(channel_id)
        status = None if seen is None else seen[0].status
        coming = None if status is None else status.next
        tried = "" if status is None else next((it.detail for it in status.live_faults if it.item_id == item_id), "")
        if coming is None or coming.item_id != item_id or coming.live is None or coming.live.state == "idle":
            return f"its live input does not connect: {tried}" if tried else ""
        if coming.live.state == "ready":
            return ""
        if coming.live.state == "lost":
            return f"its live input gave pictures and gives none now{_because(coming.live.detail)}"
        return f"its live input does not connect{_because(coming.live.detail)}" if coming.live.detail else ""

    def explain(self, channel_id: str) -> tuple[Pass, ...]:
        """The last passes whose sentence differed from the one before, oldest first."""
        return tuple(self._passes.get(channel_id, ()))

    def forget(self, channel_id: str) -> None:
        """The channel was deleted."""
        for known in (self._seen, self._shown, self._answered_at, self._rates, self._passes):
            known.pop(channel_id, None)

    def _keep(self, channel_id: str, sentence: str) -> None:
        passes = self._passes.setdefault(channel_id, deque(maxlen=_PASSES))
        if not passes or passes[-1].sentence != sentence:
            passes.append(Pass(self._clock.now(), sentence))

    def _age_ms(self, channel_id: str) -> int | None:
        at = self._answered_at.get(channel_id)
        return None if at is None else max(0, round((self._clock.monotonic() - at) * 1000))

    def _live(self, sight: Sight, version: int) -> ChannelLive:
        status = sight.status
        return ChannelLive(
            channel_id=sight.channel_id,
            version=version,
            as_of=_EPOCH if status is None else datetime.fromisoformat(status.at),
            desired=sight.desired,
            phase=sight.phase,
            observed=sight.observed,
            epoch=sight.epoch,
            node_id=sight.node_id,
            node_name=sight.node_name,
            picture=None if status is None else status.picture,
            reason="" if status is None else status.reason,
            decision=sight.decision,
            item=None if status is None else _item(status),
            next=None if status is None else _next(status),
            hold=status is not None and status.hold,
            outputs=() if status is None else _outputs(status),
            loudness=None if status is None else _loudness(status),
            heartbeat_age_ms=self._age_ms(sight.channel_id),
            heartbeat_ms=sight.beats_ms,
            frame=0 if status is None else status.frame,
            frames_late=0 if status is None else status.frames_late,
            frames_skipped=0 if status is None else status.frames_skipped,
            off_air_since=sight.off_air_since,
            playlist_revision=sight.playlist_revision,
            alarms=self._alarms(sight.channel_id),
            control=self._control(sight.channel_id),
            faults=None if status is None else _faults(status),
            logo=None if status is None or status.logo is None else _logo(status.logo),
            engine=None if status is None or status.engine is None else _engine(status.engine),
            dropped=() if status is None else status.dropped,
        )


def _shows_the_same(one: ChannelLive, other: ChannelLive) -> bool:
    """But for what changes while nothing happens."""
    fields = vars(one) | {"version": other.version, "heartbeat_age_ms": other.heartbeat_age_ms}
    return fields == vars(other)


def _item(status: Status) -> ItemLive | None:
    item = status.item
    if item is None:
        return None
    return ItemLive(
        item_id=item.item_id,
        title=item.title,
        position_frames=item.position_frames,
        duration_frames=item.duration_frames,
        started_at=datetime.fromisoformat(item.started_at),
        live=_input(item.live),
    )


def _next(status: Status) -> NextLive | None:
    coming = status.next
    if coming is None:
        return None
    return NextLive(
        item_id=coming.item_id,
        title=coming.title,
        cued=coming.cued,
        ready=coming.ready,
        in_frames_left=coming.in_frames_left,
        live=_input(coming.live),
    )


def _because(detail: str) -> str:
    return f": {detail}" if detail else ""


def _input(live: LiveStatus | None) -> LiveInput | None:
    return None if live is None else LiveInput(state=live.state, detail=live.detail)


def _outputs(status: Status) -> tuple[OutputLive, ...]:
    return tuple(
        OutputLive(
            id=output.id,
            kind=output.kind,
            role=output.role,
            state=output.state,
            detail=output.detail,
            frames_dropped=output.frames_dropped,
            link=None if output.link is None else LinkLive.model_validate(msgspec.structs.asdict(output.link)),
            delay_ms=output.delay_ms,
        )
        for output in status.outputs
    )


def _loudness(status: Status) -> LoudnessLive:
    return LoudnessLive(
        momentary_lufs=status.loudness.momentary_lufs,
        short_term_lufs=status.loudness.short_term_lufs,
        peak_dbfs=status.loudness.peak_dbfs,
        integrated_lufs=status.loudness.integrated_lufs,
        true_peak_dbtp=status.loudness.true_peak_dbtp,
    )


def _faults(status: Status) -> FaultsLive:
    faults = status.faults
    return FaultsLive(
        black_ms=faults.black_ms,
        freeze_ms=faults.freeze_ms,
        silence_ms=faults.silence_ms,
        raised=faults.raised,
    )


def _engine(engine: EngineHealth) -> EngineLive:
    return EngineLive(version=engine.version, answers=engine.answers, moves=engine.moves, detail=engine.detail)


def _logo(logo: LogoStatus) -> LogoLive:
    return LogoLive(shown=logo.shown, override=logo.override, fault=logo.fault)
