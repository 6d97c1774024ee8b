"""What state a channel is in, in an operator's words: one verdict for every screen."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from mcr_console.wall_state import ChannelState
from supervisor.schemas.channel import ChannelLive, OutputLive

Tally: TypeAlias = Literal["on_air", "off_air", "changing", "unknown", "off"]
"""``off_air`` is unintended; ``off`` is what was asked for."""

PHASE_WORDS = {
    "placing": "PLACING",
    "fencing": "FENCING",
    "starting": "STARTING",
    "running": "STARTING",
    "stopping": "STOPPING",
    "blocked": "BLOCKED",
    "off": "OFF",
}


MOST_JUDGED: Final = 10_000
"""Channels whose verdict is kept; ids of deleted ones are among them."""
LATE_SENTENCE = "on air, frames late"
"""How the supervisor begins its sentence on a late channel; what else it did follows a semicolon."""


@dataclass(frozen=True, slots=True)
class Condition:
    """``word`` goes with the tally; ``warnings`` stand beside it and never instead, what asks for a hand first.

    ``why`` may be empty.
    """

    tally: Tally
    word: str
    warnings: tuple[str, ...] = ()
    why: str = ""

    @property
    def warning(self) -> str:
        """The first of the warnings, or nothing."""
        return self.warnings[0] if self.warnings else ""

    @property
    def needs_somebody(self) -> bool:
        # A move off a node is somebody's own doing, or at work already: nothing is asked of anybody.
        return self.tally in {"off_air", "unknown"} or bool(set(self.warnings) - {"MOVING"})


def programme_outputs(state: ChannelState) -> tuple[OutputLive, ...]:
    """The outputs that count for the tally; previews do not."""
    return tuple(output for output in state.live.outputs if output.role == "programme" and output.kind != "file")


_judged: Final[dict[str, tuple[ChannelState, Condition]]] = {}
"""The last verdict on each channel: heading, list of what needs somebody, bell and tile ask for it many times."""


def condition(state: ChannelState) -> Condition:
    """The verdict, from what the supervisor wants, does and sees. The same state gets the same verdict."""
    known = _judged.get(state.channel.id)
    if known is not None and known[0] is state:
        return known[1]
    if len(_judged) >= MOST_JUDGED:
        _judged.clear()
    verdict = _judge(state)
    _judged[state.channel.id] = (state, verdict)
    return verdict


def _judge(state: ChannelState) -> Condition:
    live = state.live
    if live.off_air_since is not None or (live.desired == "on" and live.observed in {"dark", "gone"}):
        doing = (PHASE_WORDS[live.phase],) if live.phase in {"placing", "fencing", "starting", "blocked"} else ()
        return Condition("off_air", "OFF AIR", doing, live.reason or live.decision)
    if live.phase == "blocked" and live.desired == "on":
        return Condition("off_air", "OFF AIR", ("BLOCKED",), live.decision)
    # In a move the supervisor says "on air" only while the old sidecar itself still answers that it is.
    is_airing_still = live.phase == "fencing" and live.observed == "on_air"
    if live.phase in {"placing", "fencing", "starting"} and not is_airing_still:
        is_anyones_guess = live.phase == "fencing" and live.observed == "unknown"
        return Condition("unknown" if is_anyones_guess else "changing", PHASE_WORDS[live.phase], (), live.decision)
    if live.observed in {"on_air", "late"}:
        # Whatever is wanted: what is on air has its tally.
        found = _warnings(state)
        why = "; ".join(reason for _, reason in found if reason)
        return Condition("on_air", "ON AIR", tuple(word for word, _ in found), why)
    if live.phase in {"off", "blocked"}:
        return Condition("off", "OFF") if live.desired == "off" else Condition("changing", "WAITING", (), live.decision)
    if live.phase == "stopping":
        return Condition("changing", "STOPPING", (), live.decision)
    if live.engine is not None and not live.engine.answers and live.observed == "unknown" and live.phase == "running":
        return Condition("unknown", "SERVER SILENT", (), live.engine.detail or live.decision)
    if live.observed in {"hung", "silent"}:
        return Condition("unknown", live.observed.upper(), (), live.decision)
    if live.observed in {"dark", "gone"}:
        return Condition("changing", "STOPPING", (), live.decision)
    return Condition("unknown", "UNKNOWN", (), live.decision)


def _warnings(state: ChannelState) -> list[tuple[str, str]]:
    """Each with its reason: what waits for a hand, then what is broken, then what is late."""
    live = state.live
    found: list[tuple[str, str]] = []
    if live.phase == "stopping":
        found.append(("STOPPING", live.decision))
    elif live.phase == "fencing":
        found.append(("MOVING", live.decision))
    elif live.phase == "off":
        found.append(("NOT WANTED", live.decision))
    match live.picture:
        case "filler":
            found.append(("FILLER", live.reason))
        case "standby":
            found.append(("STANDBY", live.reason))
        case "freeze":
            found.append(("FROZEN", live.reason))
        case "hold":
            found.append(("HOLD", live.reason or "waits for a take"))
        case _:
            pass
    if live.engine is not None and not (live.engine.answers and live.engine.moves):
        word = "SERVER STANDS" if live.engine.answers else "SERVER SILENT"
        found.append((word, live.engine.detail))
    outputs = programme_outputs(state)
    broken = [output for output in outputs if output.state in {"stalled", "down"}]
    if broken:
        why = "; ".join(f"{output.kind} {output.state}: {output.detail}" for output in broken)
        found.append((f"DEGRADED {len(outputs) - len(broken)}/{len(outputs)}", why))
    if live.observed == "late":
        found.append(("LATE", _beyond_the_sign(live)))
    return found


def _beyond_the_sign(live: ChannelLive) -> str:
    """The supervisor's sentence without what tally, LATE, DEGRADED, and title or reason beside it say already."""
    decision = live.decision
    if not decision.startswith(LATE_SENTENCE):
        return decision
    # Either may have a semicolon of its own.
    for said in (live.reason, live.item.title if live.item else ""):
        decision = decision.replace(said, "", 1) if said else decision
    return decision.partition("; ")[2]
