"""Channels as the store has them, kept while nobody changes any: every console and script asks for them all the time.

Every transaction costs a thread's turn for each of its statements, many times what the rest of such a call costs.
"""

from collections.abc import Callable
from typing import Final

from db.models import Channel as Row
from db.store import Store
from supervisor.api import views
from supervisor.clock import Clock
from supervisor.schemas.channel import Channel, ChannelLive

FRESH_S: Final = 60.0
"""Seconds after which a channel is read again whatever is known."""


class KeptChannels:
    """Belongs to one event loop. As fresh as the store: a change that was answered is seen by every later call.

    ``live`` answers what is seen of a channel now, ``row`` how supervision read it last, which it does each second: of
    a commit that did not answer nobody knows when it was done.
    """

    def __init__(
        self, store: Store, clock: Clock, live: Callable[[str], ChannelLive], row: Callable[[str], Row | None]
    ) -> None:
        self._store = store
        self._clock = clock
        self._live = live
        self._row = row
        self._version: int | None = None
        self._known: dict[str, tuple[float, Channel]] = {}

    async def get(self, channel_id: str) -> Channel:
        """The whole of it, for whoever may see that. Raises ``Missing`` and ``StoreUnavailable``."""
        version, now = self._store.channels_version, self._clock.monotonic()
        if version != self._version:
            self._known.clear()
            self._version = version
        read_at, known = self._known.get(channel_id, (0.0, None))
        if known is None or now - read_at >= FRESH_S or self._is_old(known):
            known = await self._read(channel_id)
            if version is not None and version == self._version == self._store.channels_version:
                self._known[channel_id] = (now, known)
        return known.model_copy(update={"live": self._live(channel_id)})

    def _is_old(self, known: Channel) -> bool:
        row = self._row(known.id)
        return row is not None and row.rev > known.rev

    async def _read(self, channel_id: str) -> Channel:
        async with self._store.read() as tx:
            row = await tx.channels.get(channel_id)
            outputs = await tx.channels.outputs(channel_id)
        return views.channel(row, outputs, self._live(channel_id))
