"""Which alarms a channel deserves now. Levels, not events: the board raises what is new and clears what is over."""

from dataclasses import dataclass
from typing import Final

from supervisor.decisions.fencing import STOP_UNPROVEN, why_plays_on
from supervisor.decisions.timing import Timing
from supervisor.decisions.view import Decision, ServerSight, View
from supervisor.schemas.alarm import Severity

CHANNEL_ALARMS: Final = (
    "channel_dark",
    "channel_blocked",
    "channel_unreachable",
    "channel_moving",
    "channel_hung",
    "stop_unconfirmed",
    "sidecar_restarted",
    "item_skipped",
    "server_silent",
    "server_stands",
    "output_down",
    "output_not_listening",
    "journal_degraded",
    "output_black",
    "output_freeze",
    "output_silence",
    "logo_missing",
    "hold_timed_out",
    "late_frames",
)
"""Every code that ``channel_alarms`` may give; the ones it does not give are over."""

_SEEN: Final = {"black": "is black", "freeze": "stands still", "silence": "is silent"}

FACTS: Final = frozenset({"asrun_chain_broken", "list_refused"})
"""Codes of what has happened and cannot be made undone: open until somebody has seen it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One alarm that is to be open; ``text`` names the channel."""

    severity: Severity
    text: str


def channel_alarms(view: View, decision: Decision, timing: Timing) -> dict[str, Wanted]:
    """By code. A channel that should be on air and is not always has one that is critical."""
    wanted: dict[str, Wanted] = {}
    said = decision.sentence
    silent = view.agent in ("away", "undriven")
    at_work = view.phase in ("starting", "running", "stopping") or (view.phase == "fencing" and view.old is None)
    if view.phase == "blocked" and view.desired == "on":
        wanted["channel_blocked"] = Wanted("critical", f"{view.name}: {said}")
    unseen_long = view.unseen_for is not None and view.unseen_for >= timing.first_start_alarm
    # What nobody reached until now, and is known to be off air now, is no start that takes its time.
    limit = timing.off_air_alarm if view.was_on_air or unseen_long else timing.first_start_alarm
    if view.off_air_for is not None and view.off_air_for >= limit:
        wanted["channel_dark"] = Wanted("critical", f"{view.name} should be on air and is not: {said}")
    if view.desired == "on" and silent and at_work:
        wanted["channel_unreachable"] = Wanted("critical", f"{view.name} may be off air: {said}")
    if view.phase == "fencing" and view.old is not None:
        severity: Severity = "warning" if view.old.healthy else "critical"
        wanted["channel_moving"] = Wanted(severity, f"{view.name} is being moved: {said}")
    if unseen_long and view.off_air_for is None and not wanted:
        # Whatever it is that is waited for.
        wanted["channel_unreachable"] = Wanted("critical", f"{view.name} may be off air: {said}")
    if decision.observed == "hung":
        wanted["channel_hung"] = Wanted("warning", f"{view.name}: {said}")
    old_silent = view.old is not None and view.old.agent in ("away", "undriven")
    plays_on = view.restarts.cause.startswith(STOP_UNPROVEN) or bool(why_plays_on(view))
    if view.phase == "stopping" and (view.fault or silent or old_silent or plays_on):
        wanted["stop_unconfirmed"] = Wanted("critical", f"{view.name} may still be on air: {view.fault or said}")
    if view.desired == "on" and view.restarts.failures:
        times = "once" if view.restarts.failures == 1 else f"{view.restarts.failures} times in a row"
        wanted["sidecar_restarted"] = Wanted(
            "info", f"{view.name} was restarted {times}: the sidecar {view.restarts.cause}"
        )
    if view.desired == "on" and view.skipped:
        wanted["item_skipped"] = Wanted("warning", f"{view.name}: {'; '.join(view.skipped)}")
    wanted.update(_from_sidecar(view, decision, timing))
    return wanted


def _from_sidecar(view: View, decision: Decision, timing: Timing) -> dict[str, Wanted]:
    wanted: dict[str, Wanted] = {}
    sighting = view.sighting
    if sighting is None or sighting.exit is not None or view.desired == "off":
        return wanted
    server = sighting.server
    if server is not None and server.wrong_s >= timing.server_alarm:
        wanted.update(_of_server(view, server))
    # What is known of outputs is what the server tells.
    if sighting.down and sighting.state == "on_air" and (server is None or server.answers):
        down = "; ".join(f"{output.name}: {output.detail or 'does not move'}" for output in sighting.down)
        wanted["output_down"] = Wanted("warning", f"{view.name}: {down}")
    if sighting.not_listening:
        deaf = "; ".join(
            f"{output.name} sends on and takes no new receiver: {output.detail}" for output in sighting.not_listening
        )
        wanted["output_not_listening"] = Wanted("warning", f"{view.name}: {deaf}")
    if sighting.journal_degraded:
        text = f"{view.name}: as-run records are only in memory: {sighting.journal_degraded}"
        wanted["journal_degraded"] = Wanted("warning", text)
    if sighting.state == "on_air":
        for fault in sighting.faults:
            text = f"{view.name}: what leaves {_SEEN[fault]}: {sighting.picture}"
            wanted[f"output_{fault}"] = Wanted("warning", text)
        if sighting.logo_fault:
            wanted["logo_missing"] = Wanted("warning", f"{view.name} airs without its logo: {sighting.logo_fault}")
    if sighting.hold_timed_out:
        wanted["hold_timed_out"] = Wanted(
            "critical", f"{view.name} waited for a take until its time-out: take, or play"
        )
    if decision.observed == "late":
        wanted["late_frames"] = Wanted("warning", f"{view.name} repeats frames: nothing new is there in time")
    return wanted


def _of_server(view: View, server: ServerSight) -> dict[str, Wanted]:
    """The sidecar answers; which of the two layers below it is wrong, and what that means for the air."""
    wanted: dict[str, Wanted] = {}
    layer = f"{view.name}: its sidecar answers, its CasparCG server has not for {server.wrong_s:.0f} s"
    if server.answers:
        text = f"{view.name}: its sidecar and its CasparCG server answer, the server's channel stands: {server.detail}"
        wanted["server_stands"] = Wanted("critical", text)
    elif server.moves:
        text = f"{layer}; it plays on, and nothing can be ordered: {server.detail}"
        wanted["server_silent"] = Wanted("warning", text)
    else:
        air = "what it was told last may play on" if server.reached else "nothing plays there that anybody can see"
        wanted["server_silent"] = Wanted("critical", f"{layer}; {air}: {server.detail}")
    return wanted
