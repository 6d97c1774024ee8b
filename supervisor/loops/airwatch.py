"""Since when a channel that is wanted is off air, or not known to be on it."""

from dataclasses import dataclass, replace
from datetime import datetime

from supervisor.clock import Clock
from supervisor.decisions.view import View
from supervisor.schemas.channel import Desired, Observed


@dataclass(frozen=True, slots=True)
class Return:
    """``seconds`` for which it was not known to be on air; None: it was all the time."""

    seconds: float | None
    elsewhere: bool


class AirWatch:
    """Of one channel. ``off_air_at``: since when it is wanted and certainly not on air, None while it may be.
    ``was_on_air``: it has been since it was wanted."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._off_air_since: float | None = None
        self._unseen_since: float | None = None
        self.was_on_air = False
        self.off_air_at: datetime | None = None
        self._aired_on: str | None = None

    def note(self, desired: Desired, observed: Observed | None) -> None:
        """What is seen now."""
        now = self._clock.monotonic()
        if desired == "off" or observed in ("on_air", "late", "hung"):
            self._off_air_since = self._unseen_since = self.off_air_at = None
            self.was_on_air = desired == "on"
            return
        if self._unseen_since is None:
            self._unseen_since = now
        if observed != "unknown" and self._off_air_since is None:
            self._off_air_since, self.off_air_at = now, self._clock.now()

    def came_back(self, desired: Desired, observed: Observed | None, node_id: str | None) -> "Return | None":
        """Asked before ``note``: that it is seen on air again, or on another node than before; None where it is not.

        ``node_id``: where its newest sidecar is on air. The first time after people wanted it is no return.
        """
        if desired == "off":
            self._aired_on = None
        if desired == "off" or node_id is None or observed not in ("on_air", "late"):
            return None
        before, self._aired_on = self._aired_on, node_id
        gone = self.unseen_for(self._clock.monotonic())
        elsewhere = before is not None and before != node_id
        if before is None or (gone is None and not elsewhere):
            return None
        return Return(gone, elsewhere)

    def off_air_for(self, now: float) -> float | None:
        """Seconds for which it is wanted and certainly not on air; None while it may be."""
        return None if self._off_air_since is None else now - self._off_air_since

    def unseen_for(self, now: float) -> float | None:
        """Seconds for which it is wanted and not known to be on air; None while it is."""
        return None if self._unseen_since is None else now - self._unseen_since

    def told(self, view: View) -> View:
        """The view with what is known by now."""
        known = self.off_air_for(view.now), self.unseen_for(view.now), self.was_on_air
        if known == (view.off_air_for, view.unseen_for, view.was_on_air):
            return view
        return replace(view, off_air_for=known[0], unseen_for=known[1], was_on_air=known[2])
