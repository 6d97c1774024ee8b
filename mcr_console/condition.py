"""What state a channel is in, in an operator's words: one verdict for every screen."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from mcr_console.wall_state import ChannelState
from supervisor.schemas.channel import OutputLive

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


@dataclass(frozen=True, slots=True)
class Condition:
    """``word`` goes with the tally; ``warning`` stands beside it and never instead of it; ``why`` may be empty."""

    tally: Tally
    word: str
    warning: str = ""
    why: str = ""

    @property
    def needs_somebody(self) -> bool:
        return self.tally in {"off_air", "unknown"} or bool(self.warning)


def programme_outputs(state: ChannelState) -> tuple[OutputLive, ...]:
    """The outputs that count for the tally; previews do not."""
    return tuple(output for output in state.live.outputs if output.role == "programme")


def condition(state: ChannelState) -> Condition:
    """The verdict, from what the supervisor wants, does and sees."""
    live = state.live
    if live.off_air_since is not None or (live.desired == "on" and live.observed in {"dark", "gone"}):
        doing = PHASE_WORDS[live.phase] if live.phase in {"placing", "fencing", "starting", "blocked"} else ""
        return Condition("off_air", "OFF AIR", doing, live.reason or live.decision)
    if live.phase == "blocked":
        return Condition("off_air" if live.desired == "on" else "unknown", "BLOCKED", "", live.decision)
    if live.phase in {"placing", "fencing", "starting"}:
        return Condition("changing", PHASE_WORDS[live.phase], "", live.decision)
    if live.phase == "off":
        return Condition("off", "OFF") if live.desired == "off" else Condition("changing", "WAITING", "", live.decision)
    if live.observed in {"on_air", "late"}:
        warning, why = _warning(state)
        return Condition("on_air", "ON AIR", warning, why)
    if live.phase == "stopping":
        return Condition("changing", "STOPPING", "", live.decision)
    if live.observed in {"hung", "silent"}:
        return Condition("unknown", live.observed.upper(), "", live.decision)
    if live.observed in {"dark", "gone"}:
        return Condition("changing", "STOPPING", "", live.decision)
    return Condition("unknown", "UNKNOWN", "", live.decision)


def _warning(state: ChannelState) -> tuple[str, str]:
    live = state.live
    outputs = programme_outputs(state)
    broken = [output for output in outputs if output.state in {"stalled", "down"}]
    if live.phase == "stopping":
        return "STOPPING", live.decision
    if broken:
        why = "; ".join(f"{output.kind} {output.state}: {output.detail}" for output in broken)
        return f"DEGRADED {len(outputs) - len(broken)}/{len(outputs)}", why
    if live.observed == "late":
        return "LATE", live.decision
    match live.picture:
        case "filler":
            return "FILLER", live.reason
        case "standby":
            return "STANDBY", live.reason
        case "freeze":
            return "FROZEN", live.reason
        case "hold":
            return "HOLD", live.reason or "waits for a take"
        case _:
            return "", ""
