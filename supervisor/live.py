"""What is seen of every channel, as one value a tile can show; published whenever it changes."""

from dataclasses import dataclass
from datetime import datetime

from supervisor.clock import Clock
from supervisor.events import Events
from supervisor.schemas.channel import ChannelLive


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over a channel: the sentence says what was decided and why."""

    at: datetime
    sentence: str


class LiveBoard:
    """The newest ``ChannelLive`` of every channel. Belongs to one event loop; no method blocks."""

    def __init__(self, events: Events, clock: Clock) -> None:
        raise NotImplementedError

    def get(self, channel_id: str) -> ChannelLive:
        """The channel as it is seen now; an empty one (off, nothing observed) for a channel nobody has looked at yet."""
        raise NotImplementedError

    def explain(self, channel_id: str) -> tuple[Pass, ...]:
        """The last passes whose sentence differed from the one before, oldest first."""
        raise NotImplementedError

    def forget(self, channel_id: str) -> None:
        """The channel was deleted."""
        raise NotImplementedError
