"""The bad manners, each to be switched on alone."""

from dataclasses import dataclass, field


@dataclass
class Manners:
    """All off: a server on its best behaviour, which still is as CasparCG 2.5.0 was seen to be."""

    silent_commands: set[str] = field(default_factory=set[str])
    """Commands (``INFO``, ``PLAY``…) that are done and never answered."""
    no_osc: bool = False
    """None of its OSC comes through."""
    deaf: bool = False
    """Takes bytes and answers nothing."""
    auto_hangs: bool = False
    """An AUTO that is due does not come; the clip stands on its last frame."""
    auto_late_ticks: int = 0
    """AUTO comes so many ticks late: 0 to 3 are known (its issue 1393)."""
    opens_late_ticks: int = 0
    """Of what is played on an empty layer the first frame comes so much later: 1 to 3 ticks were seen."""
    time_stands: bool = False
    """The channel's time stands still, as when its card stalls."""
    outputs_die: set[str] = field(default_factory=set[str])
    """Parts of addresses: an ADD answers 202, and a tick later the port is gone."""
    outputs_freeze: set[str] = field(default_factory=set[str])
    """The port stays listed and its frame stands still."""
    channel_delay_s: float = 0.0
    """By so much commands of a channel are answered after those of none: replies come out of order."""
    info_delay_s: float = 0.0
    """By so much INFO is answered late, with what was then."""
    in_pieces: bool = False
    """Replies come a byte at a time."""
    close_after: int | None = None
    """The connection is closed after so many commands, before that one is answered."""
    queue_full: bool = False
    """``504 QUEUE OVERFLOW`` to every command of a channel."""
    second_add_fails: bool = False
    """An ADD to a number that is there answers 501: the card is not free yet (its issue 1012)."""
