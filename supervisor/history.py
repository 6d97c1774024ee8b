"""What happened and what was decided, kept in the store: sentences that people ask for later, bounded."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from db.errors import NotLeader, StoreError
from db.models import Channel
from db.repositories.events import NewEvent
from db.repositories.leader import Fence
from db.store import Store
from supervisor.clock import Clock

log = structlog.get_logger(__name__)

_WAITING: Final = 5_000
_WRITE_S: Final = 1.0
_AT_ONCE: Final = 500


class History:
    """Belongs to one event loop; only ``run`` waits for the store.

    Only what the leader decided is kept: a follower says nothing. While the store is away the newest few thousand
    sentences wait for it; older ones are dropped, and their number is told.
    """

    def __init__(self, store: Store, clock: Clock, fence: Callable[[], Fence | None]) -> None:
        self._store = store
        self._clock = clock
        self._fence = fence
        self._waiting: deque[NewEvent] = deque(maxlen=_WAITING)
        self._dropped = 0
        self._said: dict[str, str] = {}
        self._some = asyncio.Event()

    def decision(self, channel_id: str, sentence: str) -> None:
        """A pass over a channel decided something else than the one before."""
        if self._said.get(channel_id) != sentence:
            self._said[channel_id] = sentence
            self._add("decision", sentence, channel_id=channel_id)

    def phase(self, row: Channel, before: str) -> None:
        """A channel's phase, placement or epoch was changed."""
        text = f"{before} -> {row.phase}, epoch {row.epoch}"
        detail = {"epoch": row.epoch, "from": before, "to": row.phase, "fencing_node_id": row.fencing_node_id}
        self._add("phase", text, channel_id=row.id, node_id=row.node_id, detail=detail)

    def node(self, node_id: str, text: str) -> None:
        """Something about a node changed."""
        self._add("node", text, node_id=node_id)

    def list_came(self, channel_id: str, text: str, detail: Mapping[str, object]) -> None:
        """A list came into a channel's watched folder, and what became of it."""
        self._add("decision", text, channel_id=channel_id, detail=detail)

    def log_issued(self, channel_id: str, text: str, detail: Mapping[str, object]) -> None:
        """The as-run log of a day is delivered again."""
        self._add("decision", text, channel_id=channel_id, detail=detail)

    def recordings_went(self, recorder_id: str, node_id: str, text: str, detail: Mapping[str, object]) -> None:
        """Files of a recorder were taken away, as it keeps them no longer."""
        self._add("decision", text, channel_id=recorder_id, node_id=node_id, detail=detail)

    def leader(self, text: str) -> None:
        """Who leads changed."""
        self._add("leader", text)

    def forget_channel(self, channel_id: str) -> None:
        """The channel was deleted; what is kept of it stays."""
        self._said.pop(channel_id, None)

    def _add(
        self,
        kind: str,
        text: str,
        *,
        channel_id: str | None = None,
        node_id: str | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> None:
        if self._fence() is None:
            return
        if len(self._waiting) == _WAITING:
            self._dropped += 1
        self._waiting.append(NewEvent(self._clock.now(), kind, text, channel_id, node_id, detail or {}))
        self._some.set()

    async def run(self) -> None:
        """Writes what waits once a second, until cancelled."""
        while True:
            await self._some.wait()
            try:
                await self._write()
            except NotLeader:
                # What we decided then was nobody's decision.
                self._waiting.clear()
            except StoreError as error:
                log.warning("history waits for the database", why=str(error))
            if not self._waiting:
                self._some.clear()
            await self._clock.sleep(_WRITE_S)

    async def _write(self) -> None:
        fence = self._fence()
        if fence is None:
            self._waiting.clear()
            return
        if self._dropped:
            log.warning("history was dropped while the database was away", sentences=self._dropped)
            self._dropped = 0
        batch = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
        try:
            async with self._store.write() as tx:
                await tx.leader.require(fence)
                await tx.events.add(batch)
        except BaseException:
            room = _WAITING - len(self._waiting)
            self._waiting.extendleft(reversed(batch[len(batch) - room :] if room < len(batch) else batch))
            raise
