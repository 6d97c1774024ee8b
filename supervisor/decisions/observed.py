"""The word for what is seen of a channel. Never stored as truth."""

from supervisor.decisions.timing import Timing
from supervisor.decisions.view import View
from supervisor.schemas.channel import Observed


def observe(view: View, timing: Timing) -> Observed | None:
    """None while nothing is to be seen: off, or not armed yet.

    ``hung``: it does not answer, but its output moves. ``silent``: it does not answer, and nothing shows that its
    output moves. ``dark``: it answers, and no frames or no programme output move; so too without
    any programme output. ``unknown`` also where it answers, and the CasparCG server that it drives does not.
    """
    if view.phase == "fencing" and view.old is not None:
        if view.old.healthy:
            return "on_air"
        return "gone" if view.old.agent == "answers" and not view.old.epochs else "unknown"
    busy = view.phase in ("starting", "running", "fencing", "stopping")
    if view.agent != "answers":
        return "unknown" if busy else None
    sighting = view.sighting
    if sighting is None or sighting.exit is not None or sighting.epoch != view.epoch:
        return "gone" if view.phase in ("running", "fencing") else None
    if sighting.pulse.misses >= timing.misses:
        if sighting.pulse.stands_still:
            return "dark"
        return "hung" if _output_moves(sighting.output_age_s, timing) else "silent"
    if sighting.state != "on_air":
        return "dark" if view.phase == "running" and sighting.state is not None else None
    if sighting.server is not None and sighting.server.is_unseen:
        return "unknown"
    if len(sighting.down) == sighting.outputs:
        return "dark"
    late_at = sighting.pulse.late_at
    return "late" if late_at is not None and view.now - late_at < timing.late_shown else "on_air"


def _output_moves(age: float | None, timing: Timing) -> bool:
    return age is not None and age < timing.output_still
