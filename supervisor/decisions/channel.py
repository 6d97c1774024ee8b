"""One pass over one channel: what to do now, and one sentence that says what and why."""

from dataclasses import replace
from typing import assert_never

from supervisor.decisions.by_hand import moved_by_hand
from supervisor.decisions.fencing import STOP_UNPROVEN, target_of, why_not_left, why_not_moved, why_plays_on
from supervisor.decisions.moving import moving
from supervisor.decisions.observed import observe
from supervisor.decisions.timing import Timing
from supervisor.decisions.view import (
    Action,
    ArmNow,
    Decision,
    End,
    GiveList,
    MoveTo,
    NoteFailure,
    Place,
    Relocate,
    Sighting,
    Start,
    StartToEnd,
    View,
)
from supervisor.schemas.channel import Observed


def decide(view: View, timing: Timing) -> Decision:
    """What follows from what is desired, what was decided before, and what is seen. Pure.

    A pass does at most one step of the state machine; the shell passes again as long as steps are made.
    """
    observed = observe(view, timing)
    if view.why_not_leading:
        return Decision((), f"watches only: {view.why_not_leading}", observed)
    by_hand = None if view.by_hand is None else moved_by_hand(view, view.by_hand, observed)
    return _by_itself(view, observed, timing) if by_hand is None else by_hand


def _by_itself(view: View, observed: Observed | None, timing: Timing) -> Decision:
    match view.phase:
        case "off":
            return _off(view, observed)
        case "placing":
            return _placing(view, observed)
        case "blocked":
            return _blocked(view, observed)
        case "starting":
            return _starting(view, observed, timing)
        case "running":
            return _running(view, observed, timing)
        case "fencing" if view.desired == "off":
            return _to_stopping(observed)
        case "fencing" if view.old is not None:
            return moving(view, view.old, observed, timing)
        case "fencing":
            return _fencing(view, observed)
        case "stopping":
            return _stopping(view, observed, timing)
        case _:
            assert_never(view.phase)


def _off(view: View, observed: Observed | None) -> Decision:
    if _runs(view):
        return Decision((End(_newest(view), patient=True),), "off, but a sidecar of it still runs: ends it", observed)
    if view.elsewhere:
        said = f"off, but a sidecar of it still runs on {_where(view)}: ends it"
        return Decision(_end_strays(view), said, observed)
    if view.desired == "on":
        return Decision((MoveTo("placing"),), "wanted on air: looks for a node", observed)
    return Decision((), "off, as wanted", observed)


def _placing(view: View, observed: Observed | None) -> Decision:
    if view.desired == "off":
        return _to_stopping(observed)
    if view.agent == "answers" and _runs(view):
        return Decision((End(_newest(view), patient=False),), "ends what still runs of it before a new start", observed)
    site = view.site
    if site is None or site.why_not:
        why = site.why_not if site else "no node is known"
        return Decision((MoveTo("blocked"),), f"cannot be placed: {why}", observed)
    if not site.answers:
        return Decision((), f"waits for the agent of {site.node_name} before it starts", observed)
    left = view.restarts.not_before - view.now
    if left > 0:
        restarts = view.restarts
        sentence = f"restart {restarts.failures} waits {restarts.wait:.1f} s: the sidecar {restarts.cause}"
        return Decision((), sentence, observed, again_in=left)
    if unknown := _unknown(view):
        said = f"ends what still runs of it on {_where(unknown)} before a new start{_again(view)}"
        return Decision(_end_strays(unknown), said, observed)
    why = f" again: the sidecar {view.restarts.cause}" if view.restarts.cause else ""
    if view.fault:
        why = f", again: {view.fault}"
    return Decision((Place(site.node_id),), f"starts on {site.node_name}{why}", observed)


def _blocked(view: View, observed: Observed | None) -> Decision:
    if view.desired == "off":
        return _to_stopping(observed)
    if view.site is None or view.site.why_not:
        why = view.site.why_not if view.site else "no node is known"
        return Decision((), f"cannot be placed: {why}", observed)
    return Decision((MoveTo("placing"),), "can be placed again", observed)


def _starting(view: View, observed: Observed | None, timing: Timing) -> Decision:
    if view.desired == "off":
        return _to_stopping(observed)
    if view.agent != "answers":
        return _starting_unreachably(view, observed)
    sighting = view.sighting
    if sighting is None or sighting.epoch != view.epoch:
        return _starting_unseen(view, observed)
    if sighting.exit is not None:
        return _failed(sighting.exit, sighting.item_id, observed)
    if sighting.state == "on_air" and sighting.frame > 0:
        return Decision((MoveTo("running"),), "the first frames left", observed)
    if view.armed_for is not None and view.armed_for > timing.first_frame:
        return _fence(f"sent no frame in {timing.first_frame:g} s after arming", sighting, observed)
    if sighting.state == "on_air":
        return Decision((), "armed: waits for the first frame", observed, again_in=0.1)
    if sighting.state == "muted" and sighting.pulse.misses == 0:
        return _muted(view, sighting, observed, timing)
    if view.phase_for > timing.standby and view.armed_for is None:
        return _fence(f"did not get ready in {timing.standby:g} s", sighting, observed)
    where = f"; {view.beginning}" if view.beginning else ""
    return Decision((), f"waits for epoch {view.epoch} to get ready{where}", observed)


def _starting_unseen(view: View, observed: Observed | None) -> Decision:
    if view.fault:
        return _failed(f"could not be started: {view.fault}", None, observed)
    if not view.placed_now and not view.start_ordered:
        # It may have been armed on a machine that has lost its memory since, and no epoch is armed twice (I2).
        return _absent(view, "that another leader placed is not there", observed)
    if not view.start_ordered:
        return Decision((Start(view.epoch),), f"starts epoch {view.epoch}", observed)
    return _absent(view, "was gone before it could be seen", observed)


def _absent(view: View, cause: str, observed: Observed | None) -> Decision:
    """Its agent does not tell of it. In an old report that means nothing: it may have been made before the start."""
    if not view.fresh:
        return Decision((), f"waits for the next word of {view.agent_name}", observed)
    return _failed(cause, None, observed)


def _starting_unreachably(view: View, observed: Observed | None) -> Decision:
    waits = f"waits for the agent of {view.agent_name}, which does not answer"
    never_armed = view.placed_now and view.start_ordered and view.armed_for is None
    if view.agent == "away" and never_armed and not view.pinned and not view.vetoed_by:
        # We ordered its start and never its arm, and nobody else can have: wherever it is, it is muted.
        target = target_of(view.targets)
        if target is not None:
            said = f"{waits}, and was not armed: looks for another node"
            why = f"its node {view.agent_name} stopped answering before it entered the air"
            return Decision((MoveTo("placing"), NoteFailure(why, None)), said, observed)
    return Decision((), waits, observed) if never_armed else _unreachable(view, observed, waits)


def _unreachable(view: View, observed: Observed | None, said: str) -> Decision:
    """It may be on air where nobody reaches it: it is moved, which fences it, or left alone with the reason."""
    if view.agent != "away":
        return Decision((), said, observed)
    why_not = why_not_moved(view)
    target = target_of(view.targets)
    if why_not or target is None:
        return Decision((), f"{said}: {why_not}", observed)
    cause = f"its node {view.agent_name} does not answer"
    return Decision((Relocate(target.node_id),), f"{cause}: moves to {target.node_name}", observed)


def _muted(view: View, sighting: Sighting, observed: Observed | None, timing: Timing) -> Decision:
    if view.strays:
        # The agent arms nothing beside another.
        return Decision((End(max(view.strays), patient=False, final=False),), "ends what an earlier try left", observed)
    if unknown := _unknown(view):
        said = f"ready and muted: ends what still runs of it on {_where(unknown)} before it is armed{_again(view)}"
        return Decision(_end_strays(unknown), said, observed)
    arm = (ArmNow(view.epoch, sighting.nonce),)
    again = f", again: {view.fault}" if view.fault else ""
    if sighting.undecoded is None:
        return Decision(arm, f"ready and muted: arms epoch {view.epoch}{again}", observed)
    left = timing.first_picture - view.muted_for
    if left > 0 and view.armed_for is None:
        return Decision((), f"waits for the first picture of {sighting.undecoded}", observed, again_in=left)
    why = f"{sighting.undecoded} gave no picture in {timing.first_picture:g} s"
    return Decision(arm, f"{why}: arms epoch {view.epoch} all the same{again}", observed)


def _running(view: View, observed: Observed | None, timing: Timing) -> Decision:
    if view.desired == "off":
        return _to_stopping(observed)
    if view.agent != "answers":
        who = f"the agent of {view.agent_name} does not answer"
        if view.agent == "undriven":
            who = f"the agent of {view.agent_name} takes no orders from this supervisor"
        return _unreachable(view, observed, f"left alone: {who}, which says nothing")
    sighting = view.sighting
    if sighting is None or sighting.epoch != view.epoch:
        return _absent(view, "is gone from its node", observed)
    if sighting.exit is not None:
        return _failed(sighting.exit, sighting.item_id, observed)
    match observed:
        case "silent":
            return _fence(f"does not answer and its output stands still: {_missed(sighting)}", sighting, observed)
        case "hung":
            away = sighting.pulse.misses * timing.poll
            if away >= timing.hung:
                return _fence(f"has not answered for {away:.0f} s", sighting, observed)
            return Decision((), f"left on air, its output moves, but it does not answer: {_missed(sighting)}", observed)
        case "dark":
            return _dark(view, sighting, observed, timing)
        case "on_air" | "late":
            return _on_air(view, sighting, observed)
        case "gone" | "unknown" | None:
            return _unseen(view, sighting, observed)
        case _:
            assert_never(observed)


def _unseen(view: View, sighting: Sighting, observed: Observed | None) -> Decision:
    if observed == "unknown" and sighting.server is not None:
        return _on_air(view, sighting, observed)  # its sidecar runs on, and takes what it is given
    return Decision((), "waits for the sidecar's first answer", observed)


def _dark(view: View, sighting: Sighting, observed: Observed, timing: Timing) -> Decision:
    if sighting.pulse.stands_still:
        return _fence(f"answers but stands still: {_missed(sighting)}", sighting, observed)
    if sighting.state == "on_air" and not sighting.outputs:
        return Decision((), "dark: it has no programme output; give the channel one and start it anew", observed)
    if sighting.state == "on_air":
        down = "; ".join(f"{output.name}: {output.detail or 'down'}" for output in sighting.down)
        said = f"dark: no programme output moves ({down}); the engine tries again by itself"
        # What is left of an older epoch may be what holds the place: a session that its receiver keeps, a card.
        return Decision(_end_left(view), f"{said}{_say_left(view)}", observed)
    if (view.off_air_for or 0.0) < timing.leaving:
        return Decision((), f"says it is {sighting.state}: waits for its exit, then starts anew", observed)
    return _fence(f"says it is {sighting.state} though it is wanted on air", sighting, observed)


def _missed(sighting: Sighting) -> str:
    times = sighting.pulse.misses
    return f"{times} poll{'s' if times > 1 else ''} missed in a row, {sighting.pulse.why}"


def _on_air(view: View, sighting: Sighting, observed: Observed) -> Decision:
    target = target_of(view.targets)
    why_stay = why_not_left(view) if view.leave_node else ""
    if view.leave_node and target is not None and not why_stay and not view.strays and not view.elsewhere:
        said = f"leaves {view.agent_name}, {view.leave_node}: moves to {target.node_name}"
        return Decision((Relocate(target.node_id),), said, observed)
    actions = list(_end_left(view))
    if view.list_changed:
        actions.append(GiveList(view.epoch))
    said = "on air, frames late" if observed == "late" else "on air"
    server = sighting.server
    if server is not None and server.is_unseen:
        said = f"left alone: its sidecar answers and its CasparCG server does not ({server.detail}), and may play on"
    elif sighting.down:
        said += f", degraded {sighting.outputs - len(sighting.down)}/{sighting.outputs}"
    kept = said
    if sighting.picture:
        said += f": {sighting.picture}"
    more = ""
    if view.adopted:
        more += f"; found running as process {sighting.pid} and adopted untouched"
    if sighting.pulse.misses:
        more += f"; {_missed(sighting)}"
    if view.strays:
        more += f"; ends a stray sidecar of epoch {', '.join(map(str, view.strays))}"
    if view.elsewhere:
        more += f"; ends what is left of it on {_where(view)}"
    if why_stay:
        more += f"; stays on {view.agent_name} though that is {view.leave_node}: {why_stay}"
    if view.list_changed:
        more += f"; gives it the new list{f', again: {view.fault}' if view.fault else ''}"
    return Decision(tuple(actions), said + more, observed, kept=kept + more)


def _end_left(view: View) -> tuple[Action, ...]:
    """Of a channel whose newest epoch is on air: everything older."""
    here = (End(view.epoch - 1, patient=False),) if view.strays else ()
    return (*here, *_end_strays(view))


def _say_left(view: View) -> str:
    said = f"; ends a stray sidecar of epoch {', '.join(map(str, view.strays))}" if view.strays else ""
    return f"{said}; ends what is left of it on {_where(view)}" if view.elsewhere else said


def _fencing(view: View, observed: Observed | None) -> Decision:
    if view.desired == "off":
        return _to_stopping(observed)
    if view.agent != "answers":
        waits = f"waits for the agent of {view.agent_name} to confirm that the old sidecar is gone"
        return _unreachable(view, observed, waits)
    if _runs(view):
        again = f", again: {view.fault}" if view.fault else ""
        return Decision(
            (End(_newest(view), patient=False),), f"ends the old sidecar before a new start{again}", observed
        )
    if not view.fresh:
        return Decision((), f"waits for the next word of {view.agent_name}", observed)
    return Decision((MoveTo("placing"),), "the old sidecar is gone: starts anew", observed)


def _stopping(view: View, observed: Observed | None, timing: Timing) -> Decision:
    then = ", then starts: wanted on air again" if view.desired == "on" else ""
    if view.epoch == 0:
        return Decision((MoveTo("off"),), "off: it never started", observed)
    if view.agent == "answers" and _runs(view):
        if _gets_ready_to_end(view, timing):
            return Decision((), "leaves the air: waits for the sidecar that is to end it on the server", observed)
        again = f", again: {view.fault}" if view.fault else ""
        return Decision((End(_newest(view), patient=True),), f"leaves the air{again}", observed)
    if view.elsewhere:
        ends = _end_strays(view, patient=True, final=True)
        return Decision(ends, f"leaves the air on {_where(view)} as well", observed)
    silent = "" if view.agent == "answers" or view.node_lost else view.agent_name
    old = view.old
    if old is not None and old.agent != "answers" and not old.lost:
        silent = silent or old.node_name
    if silent:
        return Decision((), f"waits for the agent of {silent} to confirm the stop", observed)
    if view.agent == "answers" and not view.fresh and view.node_id is not None:
        return Decision((), f"waits for the next word of {view.agent_name}", observed)
    unseen = view.sighting is None or view.sighting.epoch != view.epoch
    if view.agent == "answers" and view.node_id is not None and unseen and view.start_ordered and not view.ended:
        # It may still be on its way there, and what was told before it came says nothing.
        again = f", again: {view.fault}" if view.fault else ""
        said = f"makes sure that epoch {view.epoch}, whose start was ordered and not seen, does not start yet{again}"
        return Decision((End(view.epoch, patient=False),), said, observed)
    if view.node_lost or (old is not None and old.lost):
        return Decision((MoveTo("off"),), f"off air: its node was declared dead{then}", observed)
    why = why_plays_on(view)
    if why and view.node_id is not None:
        return _end_again(view, view.node_id, why, observed)
    return Decision((MoveTo("off"),), f"off air, confirmed{then}", observed)


def _gets_ready_to_end(view: View, timing: Timing) -> bool:
    """A server is told to end by a sidecar that is asked to stop: one that does not answer yet cannot be asked."""
    sighting = view.sighting
    if view.server == "none" or view.strays or sighting is None or sighting.epoch != view.epoch:
        return False
    return sighting.state is None and view.phase_for <= timing.standby


def _end_again(view: View, node_id: str, why: str, observed: Observed | None) -> Decision:
    said = f"the stop is not confirmed, the CasparCG server may play on: {why}"
    left = view.restarts.not_before - view.now
    if left > 0:
        return Decision((), f"{said}; ends it again in a moment", observed, again_in=left)
    failed = f": {view.fault}" if view.fault else ""
    return Decision(
        (NoteFailure(f"{STOP_UNPROVEN}: {why}", None), StartToEnd(node_id)), f"{said}; ends it again{failed}", observed
    )


def _runs(view: View) -> bool:
    return bool(view.strays) or (view.sighting is not None and view.sighting.exit is None)


def _end_strays(view: View, *, patient: bool = False, final: bool = False) -> tuple[Action, ...]:
    if view.server == "here":
        # Each node's server plays on unless it is told.
        patient = final = True
    newest: dict[str, int] = {}
    for stray in view.elsewhere:
        newest[stray.node_id] = max(stray.epoch, newest.get(stray.node_id, 0))
    return tuple(End(epoch, patient=patient, node_id=node_id, final=final) for node_id, epoch in newest.items())


def _unknown(view: View) -> View | None:
    """With those alone that run elsewhere and of which the row does not know, so that nobody fenced them: a store was
    restored from a backup. What is older was fenced, and keeps nothing from a start however long it takes to go."""
    unknown = tuple(stray for stray in view.elsewhere if stray.epoch >= view.epoch)
    return replace(view, elsewhere=unknown) if unknown else None


def _again(view: View) -> str:
    return f", again: {view.fault}" if view.fault else ""


def _where(view: View) -> str:
    return ", ".join(dict.fromkeys(stray.node_name for stray in view.elsewhere))


def _newest(view: View) -> int:
    """The row's epoch, or a higher one that runs all the same (a store restored from a backup)."""
    return max(view.epoch, *view.strays, 0)


def _to_stopping(observed: Observed | None) -> Decision:
    return Decision((MoveTo("stopping"),), "wanted off air: stops", observed)


def _failed(cause: str, item_id: str | None, observed: Observed | None) -> Decision:
    return Decision(
        (MoveTo("placing"), NoteFailure(cause, item_id)), f"the sidecar {cause}: restarts in place", observed
    )


def _fence(cause: str, sighting: Sighting, observed: Observed | None) -> Decision:
    actions = (MoveTo("fencing"), NoteFailure(cause, sighting.item_id))
    return Decision(actions, f"the sidecar {cause}: replaces it", observed)
