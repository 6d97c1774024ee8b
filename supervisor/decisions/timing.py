"""Every interval of supervision in one value, in seconds; relations between them are checked when it is made."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """The defaults are those of the design; a combination that cannot be safe is refused with ValueError."""

    poll: float = 1.0
    answer: float = 0.8
    """How long a sidecar may take to answer a poll."""
    misses: int = 3
    late_tick: float = 1.0
    """A tick of our own this much too late says that we were away."""
    output_still: float = 4.5
    """Media playlists that stand still this long say that no frames leave; a segment is 2 s."""
    hung: float = 60.0
    """How long an engine may run on without answering before it is replaced."""
    standby: float = 20.0
    """From the start order to the first answer, muted."""
    first_picture: float = 2.0
    """From its first answer, how long a muted sidecar may take to decode what it begins with; then it is armed all the
    same: filler is better than nothing."""
    first_frame: float = 8.0
    """From the first arm order to a frame that left."""
    leaving: float = 5.0
    """How long a sidecar that leaves the air by itself is given to exit."""
    off_air_alarm: float = 2.0
    first_start_alarm: float = 10.0
    late_shown: float = 10.0
    """How long a channel counts as late after its last late frame."""
    asrun_alarm: float = 30.0
    """How long records of a channel may lie uncollected."""
    good_spell: float = 60.0
    """On air this long: the next restart is immediate again."""
    forgive: float = 600.0
    """Without a failure this long: items that brought the engine down are tried again."""
    command: float = 1.5
    lease_ttl: float = 10.0
    lease_margin: float = 1.0
    lease_renew: float = 2.0
    store: float = 5.0
    """How long a transaction may take before the store counts as unavailable."""

    def __post_init__(self) -> None:
        if self.answer >= self.poll:
            raise ValueError(f"answer {self.answer} s must be shorter than poll {self.poll} s: rounds would overlap")
        if self.lease_ttl - self.lease_margin < 2 * self.lease_renew:
            raise ValueError("a leader must be able to miss one renewal: lease_ttl - lease_margin >= 2 * lease_renew")
        if self.misses < 1:
            raise ValueError("misses must be at least 1")
