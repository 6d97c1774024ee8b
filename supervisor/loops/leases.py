"""Leases of channels whose outputs need one: the horizon is written first, then grants are sent on its strength.

A grant runs from the nonce that it names, which the sidecar issued, so no delay makes it last longer. It is composed
at most ``grant_within`` after the write of the horizon began; so every lease is over by the database's clock when the
horizon is (supervision.md 5.5 and 5.7).
"""

import structlog

from db.errors import NotLeader, StoreError
from db.models import Channel
from supervisor.agent.interface import LeaseGrant, LeaseRound
from supervisor.loops.desk import Desk

log = structlog.get_logger(__name__)


class Leases:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._desk: Desk
        self._good_until: dict[tuple[str, int], float] = {}
        self._granted: dict[tuple[str, int], str] = {}
        self._by_node: dict[str, list[tuple[str, int]]] = {}
        self._written: dict[str, float] = {}

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

    def own_end(self, channel_id: str) -> float:
        """When every lease that this supervisor can have granted is over, on our monotonic clock: the database's own
        may be set while a lease runs. What another granted before our term is over one horizon after it began."""
        led_since = self._desk.leadership.led_since or self._desk.clock.monotonic()
        return max(self._written.get(channel_id, 0.0), led_since) + self._desk.timing.horizon

    def good(self, channel_id: str, epoch: int) -> bool:
        """Whether a grant may be sent now."""
        return self._desk.clock.monotonic() < self._good_until.get((channel_id, epoch), 0.0)

    def round_for(self, node_id: str) -> LeaseRound | None:
        """The grants that may go to this node's sidecars now; None when there are none."""
        fence = self._desk.leadership.fence
        if fence is None:
            return None
        grants: list[LeaseGrant] = []
        for channel_id, epoch in self._by_node.get(node_id, ()):
            keeper = self._desk.keeper_of(channel_id)
            if keeper is None or not self.good(channel_id, epoch):
                continue
            renewed = keeper.renewed
            if keeper.row.epoch != epoch or renewed is None or renewed[0] != node_id or not _is_leased(keeper.row):
                continue
            status = renewed[1]
            if self._granted.get((channel_id, epoch)) == status.nonce:
                continue
            self._granted[channel_id, epoch] = status.nonce
            grants.append(LeaseGrant(channel_id, status.epoch, status.nonce))
        if not grants:
            return None
        return LeaseRound(fence.term, round(self._desk.timing.sidecar_lease * 1000), tuple(grants))

    async def _write_horizons(self) -> None:
        wanted: dict[str, int] = {}
        for keeper in self._desk.keepers():
            row = keeper.row
            if not _is_leased(row):
                continue
            # Not for a node that is silent: its channels' leases shall run out.
            heard = keeper.is_heard(self._desk.timing.poll * 1.5) if row.phase != "fencing" else keeper.renewed
            if heard:
                wanted[row.id] = row.epoch
        if wanted:
            await self._extend(wanted)
        now = self._desk.clock.monotonic()
        self._good_until = {key: until for key, until in self._good_until.items() if until > now}
        self._granted = {key: nonce for key, nonce in self._granted.items() if key in self._good_until}
        self._by_node = {}
        for channel_id, epoch in self._good_until:
            keeper = self._desk.keeper_of(channel_id)
            if keeper is None:
                self._written.pop(channel_id, None)
            else:
                node_id = keeper.row.fencing_node_id or keeper.row.node_id or ""
                self._by_node.setdefault(node_id, []).append((channel_id, epoch))

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
            self._written[channel_id] = self._desk.clock.monotonic()
        return written


def _is_leased(row: Channel) -> bool:
    """Whether what is on air for it now sends by a lease."""
    if row.phase == "fencing":
        return row.fencing_by == "lease"
    return row.leased and row.phase in ("starting", "running")
