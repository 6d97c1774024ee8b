"""Since when a channel that is wanted is off air, or not known to be on it."""

from dataclasses import replace
from datetime import datetime

from supervisor.clock import Clock
from supervisor.decisions.view import View
from supervisor.schemas.channel import Desired, Observed


class AirWatch:
    """Of one channel. ``off_air_at``: since when it is wanted and certainly not on air, None while it may be.
    ``was_on_air``: it has been since it was wanted."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._off_air_since: float | None = None
        self._unseen_since: float | None = None
        self.was_on_air = False
        self.off_air_at: datetime | None = None

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
