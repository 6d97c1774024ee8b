"""Leases of channels whose outputs need one: the horizon is written first, then grants are sent on its strength.

A grant runs from the nonce that it names, which the sidecar issued, so no delay makes it last longer. It is composed
at most ``grant_within`` after the write of the horizon began; so every lease is over by the database's clock when the
horizon is (supervision.md 5.5 and 5.7).
"""

import structlog

from db.errors import NotLeader, StoreError
from supervisor.agent.interface import LeaseGrant, LeaseRound
from supervisor.loops.desk import Desk

log = structlog.get_logger(__name__)


class Leases:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._desk: Desk
        self._good_until: dict[tuple[str, int], float] = {}
        self._granted: dict[tuple[str, int], str] = {}

    def use(self, desk: Desk) -> None:
        """Once, before anything else."""
        self._desk = desk

    async def run(self) -> None:
        """Writes horizons once a poll until cancelled."""
        while True:
            try:
                await self._write_horizons()
            except NotLeader as error:
                self._desk.leadership.lost(str(error))
            except StoreError as error:
                log.warning("leases cannot be renewed", why=str(error))
            await self._desk.clock.sleep(self._desk.timing.poll)

    async def prepare(self, channel_id: str, epoch: int) -> bool:
        """Before a first grant, that of the arm: writes the horizon; whether it could be. Raises StoreError."""
        return channel_id in await self._extend({channel_id: epoch})

    def good(self, channel_id: str, epoch: int) -> bool:
        """Whether a grant may be sent now."""
        return self._desk.clock.monotonic() < self._good_until.get((channel_id, epoch), 0.0)

    def round_for(self, node_id: str) -> LeaseRound | None:
        """The grants that may go to this node's sidecars now; None when there are none."""
        fence = self._desk.leadership.fence
        if fence is None:
            return None
        grants: list[LeaseGrant] = []
        for channel_id, epoch in self._good_until:
            watch = self._desk.watch_of(node_id)
            keeper = self._desk.keeper_of(channel_id)
            if watch is None or keeper is None or not self.good(channel_id, epoch):
                continue
            row = keeper.row
            if row.epoch != epoch or row.node_id != node_id or row.phase not in ("starting", "running"):
                continue
            status = next((it.status for it in watch.of(channel_id) if it.epoch == epoch and it.exit is None), None)
            if status is None or status.state != "on_air" or self._granted.get((channel_id, epoch)) == status.nonce:
                continue
            self._granted[channel_id, epoch] = status.nonce
            grants.append(LeaseGrant(channel_id, epoch, status.nonce))
        if not grants:
            return None
        return LeaseRound(fence.term, round(self._desk.timing.sidecar_lease * 1000), tuple(grants))

    async def _write_horizons(self) -> None:
        wanted: dict[str, int] = {}
        for keeper in self._desk.keepers():
            row = keeper.row
            if not row.leased or row.phase not in ("starting", "running"):
                continue
            # Not for a node that is silent: its channels' leases shall run out.
            if keeper.is_heard(self._desk.timing.poll * 1.5):
                wanted[row.id] = row.epoch
        if wanted:
            await self._extend(wanted)
        now = self._desk.clock.monotonic()
        self._good_until = {key: until for key, until in self._good_until.items() if until > now}
        self._granted = {key: nonce for key, nonce in self._granted.items() if key in self._good_until}

    async def _extend(self, wanted: dict[str, int]) -> frozenset[str]:
        fence = self._desk.leadership.fence
        if fence is None:
            raise NotLeader(self._desk.leadership.standing().term)
        timing = self._desk.timing
        began = self._desk.clock.monotonic()
        async with self._desk.store.write(timeout=timing.store) as tx:
            written = await tx.channels.extend_leases(fence, wanted, timing.horizon)
        for channel_id in written:
            self._good_until[channel_id, wanted[channel_id]] = began + timing.grant_within
        return written
