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
    server_alarm: float = 3.0
    """How long a CasparCG server may not answer, or its time stand, while its sidecar does answer."""
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
    listen: float = 0.7
    """How long a node agent may hold a report back while nothing is new, which it is at the latest a poll later."""
    sidecar_lease: float = 6.0
    """What a grant gives, from when the sidecar issued the nonce that it names."""
    horizon: float = 7.5
    """How far ahead of the database's clock the end of every lease is written before grants are sent."""
    grant_within: float = 1.5
    """From the start of that write, how long grants may be sent on the strength of it: a poll, and half a second for
    the write. Every second of it is a second that a move of a leased output waits."""
    fence_margin: float = 0.5
    """What is waited beyond the horizon: for clocks that run at different speeds."""
    warm_up: float = 9.0
    """How long a new leader moves nothing off a node that does not answer."""
    pause_doubt: float = 5.0
    """The same after a tick of our own that came late."""
    evacuate_most: int = 2
    evacuate_every: float = 10.0
    """At most so many nodes are evacuated in so many seconds."""
    troubled: float = 60.0
    media_look: float = 20.0
    """How often it is looked whether other nodes read a channel's media."""
    media_ahead: float = 7200.0
    """How much of the coming rundown another node must be able to read."""
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
        if self.listen >= self.poll:
            raise ValueError(
                f"listen {self.listen} s must be shorter than poll {self.poll} s: it would look like a miss"
            )
        if self.horizon < self.sidecar_lease + self.grant_within:
            raise ValueError("a grant may outlive its horizon: horizon >= sidecar_lease + grant_within")
        if self.fence_margin < 0.05 * self.horizon:
            raise ValueError("fence_margin must be at least a twentieth of horizon: clocks differ in speed")
        if self.sidecar_lease < (self.misses + 2) * self.poll:
            raise ValueError("a lease must outlast the misses: sidecar_lease >= (misses + 2) * poll")
        if self.warm_up < self.sidecar_lease + self.misses * self.poll:
            raise ValueError("a new leader must see every lease run out: warm_up >= sidecar_lease + misses * poll")
