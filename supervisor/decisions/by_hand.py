"""A person moves one channel: whether that may be, and where it goes. What follows is a move like any other."""

from dataclasses import dataclass

from supervisor.decisions.fencing import no_target, target_of, why_unproven
from supervisor.decisions.view import Candidate, Decision, HandMove, Place, Relocate, View
from supervisor.schemas.channel import Observed


@dataclass(frozen=True, slots=True)
class HandVerdict:
    """``target`` None: it may not be moved, and ``why_not`` says why; ``hint`` what to do instead."""

    target: Candidate | None
    why_not: str = ""
    hint: str = ""


def judge(view: View, node_id: str | None) -> HandVerdict:
    """Whether the channel may be moved to that node, None: to the best, because a person says so. Pure.

    What makes the supervisor doubt itself, and so move nothing, does not count against a person's word. What proves
    that the old sidecar is off air is asked for as ever.
    """
    fixed = _fixed(view)
    if fixed is not None:
        return fixed
    if node_id is None:
        target = target_of(view.targets)
        return HandVerdict(target, "" if target is not None else no_target(view.targets))
    if node_id == view.node_id:
        return HandVerdict(None, f"it is on {view.agent_name} already")
    target = next((it for it in view.targets if it.node_id == node_id), None)
    if target is None:
        return HandVerdict(None, "there is no such node")
    return HandVerdict(None, target.why_not) if target.why_not else HandVerdict(target)


def moved_by_hand(view: View, wish: HandMove, observed: Observed | None) -> Decision | None:
    """What is to be done about a person's wish; None: not in this pass, what else is to be done comes first."""
    target = judge(view, wish.node_id).target
    if target is None or view.strays or view.elsewhere:
        return None
    said = f"{wish.by} moves it from {view.agent_name} to {target.node_name}"
    match view.phase:
        case "starting" | "running" | "fencing":
            return Decision((Relocate(target.node_id),), said, observed)
        case "placing" if view.sighting is None or view.sighting.exit is not None:
            return Decision((Place(target.node_id),), said, observed)
        case _:
            return None


def _fixed(view: View) -> HandVerdict | None:
    """Why it stays wherever else it might go; None where nothing keeps it."""
    here = view.agent_name
    elsewhere = "Stop it, give it another node, then start it."
    if view.desired == "off" or view.phase in ("off", "stopping"):
        return HandVerdict(None, "it is off", "Start it; it goes to the best node by itself.")
    if view.node_id is None:
        return HandVerdict(None, "it is on no node yet", "See what its tile says.")
    if view.phase == "fencing" and view.old is not None:
        return HandVerdict(None, f"it is being moved from {view.old.node_name} to {here} already")
    if view.fencing == "cable":
        return HandVerdict(None, f"a DeckLink output leaves by a card of {here}", elsewhere)
    if view.pinned:
        return HandVerdict(None, f"it is to play on {here} and nowhere else", elsewhere)
    if view.vetoed_by:
        return HandVerdict(None, f"failover is held by {view.vetoed_by}", "Release that first.")
    if view.server == "here":
        return HandVerdict(None, f"its CasparCG server is on {here} and would play on", elsewhere)
    return _unreached(view)


def _unreached(view: View) -> HandVerdict | None:
    if view.agent == "answers" or view.node_lost:
        return None
    if view.agent == "undriven":
        return HandVerdict(None, f"{view.agent_name} takes no orders from this supervisor")
    if view.agent == "unseen":
        return HandVerdict(None, f"{view.agent_name} has not answered yet", "Try again in some seconds.")
    unproven = why_unproven(view.fencing)
    if not unproven:
        return None
    return HandVerdict(
        None,
        f"{view.agent_name} does not answer, and {unproven}",
        "Whoever knows that its machine is off may declare it dead.",
    )
