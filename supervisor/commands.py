"""The one door to the air: whoever starts, stops or commands a channel comes through here, in process."""

from db.models import Channel
from supervisor.agent.interface import TransportVerb
from supervisor.principal import Principal
from supervisor.schemas.channel import CommandDone, CommandIn, CueIn


class Commands:
    """Checks, fixes the target, passes on and answers. Audit rows are the API's.

    Every method raises NotFound for an unknown channel, Unavailable where this supervisor does not lead or has no
    store, Conflict (its ``conflict`` names what) where the channel's state is in the way, PlayoutFailed for a sidecar
    that broke and PlayoutSilent for one that did not answer.
    """

    async def start(self, channel_id: str, by: Principal) -> Channel:
        """The channel is wanted on air from now on. Repeating it changes nothing. Answers the row; the rest is seen live."""
        raise NotImplementedError

    async def stop(self, channel_id: str, by: Principal) -> Channel:
        """The channel is wanted off air from now on. Repeating it changes nothing."""
        raise NotImplementedError

    async def stop_all(self, by: Principal, timeout: float) -> tuple[str, ...]:
        """Every channel off air, confirmed. The ids of those that still run after ``timeout`` seconds: empty is success."""
        raise NotImplementedError

    async def transport(self, channel_id: str, verb: TransportVerb, command: CommandIn, by: Principal) -> CommandDone:
        """take, skip, play, pause, resume, hold, standby, rejoin. ``expect_item_id`` is for take."""
        raise NotImplementedError

    async def cue(self, channel_id: str, command: CueIn, by: Principal) -> CommandDone:
        """Makes ``item_id`` what the next take cuts to; None clears the cue."""
        raise NotImplementedError

    async def thumbnail(self, channel_id: str) -> bytes:
        """A JPEG of what is on air."""
        raise NotImplementedError

    async def channel_changed(self, channel_id: str) -> None:
        """A channel was added, its spec changed, or it was deleted: look at it now, tell its sidecar what it needs."""
        raise NotImplementedError

    async def playlist_changed(self, playlist_id: str) -> None:
        """A playlist was edited: running sidecars that play it are told at once, and again until they have it."""
        raise NotImplementedError
