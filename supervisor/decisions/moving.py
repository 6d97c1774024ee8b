"""A move to another node: the new sidecar waits muted while it is made sure that the old one is off air (P2)."""

from supervisor.decisions.fencing import target_of
from supervisor.decisions.timing import Timing
from supervisor.decisions.view import (
    Action,
    Decision,
    End,
    MoveTo,
    NoteFailure,
    OldSidecar,
    Relocate,
    Start,
    View,
)
from supervisor.schemas.channel import Observed


def moving(view: View, old: OldSidecar, observed: Observed | None, timing: Timing) -> Decision:
    """One pass in phase ``fencing`` with an old sidecar on another node. Pure."""
    trouble = _trouble(view, timing)
    if trouble:
        return _retarget(view, old, trouble, observed)
    proof = _proof(view, old)
    ready = _is_ready(view, timing)
    start = _start(view)
    if proof:
        return Decision((MoveTo("starting"),), f"enters the air on {view.agent_name}: {proof}", observed)
    if view.strays and old.node_id != view.node_id:
        # Of an earlier try: the agent arms nothing beside it.
        end = End(max(view.strays), patient=False, final=False)
        return Decision((end,), f"ends what an earlier try left on {view.agent_name}", observed)
    here = "is ready" if ready else "gets ready"
    said = f"the new sidecar {here}, muted, on {view.agent_name}"
    if old.agent != "answers" or not old.epochs:
        return Decision(start, f"{said}; waits {_for_what(view, old)}", observed, again_in=_look_again(view))
    if old.healthy and not ready:
        return Decision(
            start, f"{said}; the old one stays on air on {old.node_name} until then", observed, again_in=0.1
        )
    # Its own node's server plays on unless it is told: the new one drives another.
    ends_server = view.server == "here"
    end = End(max(old.epochs), patient=old.healthy or ends_server, node_id=old.node_id, final=ends_server)
    again = f", again: {view.fault}" if view.fault else ""
    return Decision((*start, end), f"{said}; ends the old one on {old.node_name}{again}", observed)


def _proof(view: View, old: OldSidecar) -> str:
    """Why it is certain that the old sidecar is off air, or that nobody looks at what it writes; empty: it is not."""
    if old.healthy:
        return ""
    if old.agent == "answers" and not old.epochs:
        return f"{old.node_name} confirms that the old sidecar is gone"
    if old.lost and old.agent != "answers":
        return f"{old.node_name} was declared dead"
    if view.fencing == "resource":
        return f"what the old one may still write on {old.node_name} is published nowhere"
    if view.fencing == "lease" and view.lease_left is not None and view.lease_left <= 0:
        return f"every lease of the old one on {old.node_name} has run out"
    return ""


def _for_what(view: View, old: OldSidecar) -> str:
    if view.fencing == "lease":
        return f"until every lease of the old one on {old.node_name} is certainly over"
    return f"for {old.node_name} to confirm that the old one is gone"


def _look_again(view: View) -> float | None:
    return max(0.02, view.lease_left) if view.fencing == "lease" and view.lease_left is not None else None


def _start(view: View) -> tuple[Action, ...]:
    sighting = view.sighting
    if view.agent != "answers" or (sighting is not None and sighting.epoch == view.epoch) or view.restarts_wait > 0:
        return ()
    return (Start(view.epoch),)


def _is_ready(view: View, timing: Timing) -> bool:
    sighting = view.sighting
    if sighting is None or sighting.epoch != view.epoch or sighting.state != "muted":
        return False
    return sighting.undecoded is None or view.muted_for >= timing.first_picture


def _trouble(view: View, timing: Timing) -> str:
    """Why the new sidecar will not get ready where it is; empty while it may."""
    if view.agent in ("away", "undriven"):
        return "cannot be reached: that node does not answer"
    sighting = view.sighting
    if sighting is None or sighting.epoch != view.epoch:
        if view.fault:
            return f"could not be started: {view.fault}"
        return "was gone before it could be seen" if view.start_ordered and view.fresh else ""
    if sighting.exit is not None:
        return sighting.exit
    if sighting.state is None and view.phase_for > timing.standby:
        return f"did not get ready in {timing.standby:g} s"
    return ""


def _retarget(view: View, old: OldSidecar, trouble: str, observed: Observed | None) -> Decision:
    failed = f"the new sidecar on {view.agent_name} {trouble}"
    target = target_of(tuple(it for it in view.targets if _may_be_tried(it.node_id, view, old)))
    if view.restarts_wait > 0:
        return Decision((), f"{failed}: tries again in a moment", observed, again_in=view.restarts_wait)
    suspect = view.sighting.item_id if view.sighting is not None else None
    if target is not None:
        actions = (Relocate(target.node_id), NoteFailure(trouble, suspect, view.node_id))
        return Decision(actions, f"{failed}: tries {target.node_name}", observed)
    if view.agent == "answers" and view.node_id is not None:
        actions = (Relocate(view.node_id), NoteFailure(trouble, suspect, view.node_id))
        return Decision(actions, f"{failed}: tries again", observed)
    held = f": failover is held by {view.vetoed_by}" if view.vetoed_by else ""
    return Decision((), f"{failed}; no other node can take it now{held}", observed)


def _may_be_tried(node_id: str, view: View, old: OldSidecar) -> bool:
    """Who holds the failover meanwhile wants it no further away than it is; where the old one is, it was before."""
    if node_id == old.node_id:
        return old.agent == "answers"
    return not view.vetoed_by
