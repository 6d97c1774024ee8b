"""Why a sidecar may enter the air, and a lease begin anew: I4 and I9 of supervision.md, seen from outside."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from supervisor.decisions.timing import Timing
from tests.simulation.outputs import SimOutput

if TYPE_CHECKING:
    from tests.simulation.sidecar import SimSidecar
    from tests.simulation.world import World

_SLACK = 1e-6


class Entrances:
    """Told of every arm that was obeyed and of every lease that was made longer."""

    def __init__(self, world: "World", violated: Callable[[str, str], None]) -> None:
        self._world = world
        self._violated = violated
        self._margin = Timing().fence_margin
        self._highest: dict[str, int] = {}
        """By channel the highest epoch that was ever armed."""

    def armed(self, sidecar: "SimSidecar") -> None:
        """I4: whatever was on air before it has ended, or has not been able to send for a margin."""
        highest = self._highest.get(sidecar.channel_id, 0)
        # What only writes segments may come late: the public playlist does not go back.
        if sidecar.epoch < highest and any(output.kind != "hls" for output in sidecar.outputs):
            self._violated("I4", f"{sidecar.name} entered the air after epoch {highest} did")
        self._highest[sidecar.channel_id] = max(highest, sidecar.epoch)
        for node in self._world.nodes:
            for old in node.living():
                if old.channel_id != sidecar.channel_id or old.epoch >= sidecar.epoch:
                    continue
                if old.armed_at is None or old.stopping:
                    continue
                for output in old.outputs:
                    why = self._why_it_may_send(old, output)
                    if why:
                        self._violated("I4", f"{sidecar.name} entered the air while {old.name} lives, {why}")

    def _why_it_may_send(self, old: "SimSidecar", output: SimOutput) -> str:
        if output.kind == "hls":
            return ""
        if not old.leased or (output.kind == "udp" and not output.output.lease_stop) or output.kind == "decklink":
            return f"whose {output.kind} output nothing stops"
        until = old.lease._until
        left = 0.0 if until is None else until - old.now() + self._margin
        return f"whose lease was over only {self._margin - left:.3f} s before" if left > _SLACK else ""

    def lease_begins_anew(self, sidecar: "SimSidecar") -> None:
        """I9: never once a newer one has entered the air."""
        highest = self._highest.get(sidecar.channel_id, 0)
        if highest > sidecar.epoch:
            self._violated(
                "I9", f"the lease of {sidecar.name} was over, and began anew after epoch {highest} was armed"
            )
