"""Which channels there are: rows read once a second, a keeper for each, and their positions written back."""

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from db.errors import NotLeader, StoreError
from db.models import Channel, Node
from db.repositories.channels import Position as ReportedPosition
from db.store import Store
from supervisor.decisions.placement import NodeFacts
from supervisor.decisions.resume import Position
from supervisor.loops.channel import ChannelKeeper
from supervisor.loops.desk import Desk
from supervisor.nursery import Nursery

log = structlog.get_logger(__name__)


class Roster:
    """Every channel's keeper. Belongs to one event loop."""

    def __init__(self, store: Store, nursery: Nursery) -> None:
        self._store = store
        self._nursery = nursery
        self._keepers: dict[str, ChannelKeeper] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._nodes: Sequence[Node] = ()
        self._recorded: dict[str, Position] = {}
        self._desk: Desk
        self.is_read = False

    def use(self, desk: Desk) -> None:
        """Once, before anything else: what keepers work with."""
        self._desk = desk

    @property
    def keepers(self) -> Mapping[str, ChannelKeeper]:
        return self._keepers

    def wake(self, channel_ids: Sequence[str] | None = None) -> None:
        """Something happened to these channels; None: to all."""
        for channel_id in self._keepers if channel_ids is None else channel_ids:
            keeper = self._keepers.get(channel_id)
            if keeper is not None:
                keeper.wake()

    def nodes_for(self, channel_id: str, driven: str | None) -> tuple[NodeFacts, ...]:
        """The nodes as one channel's placement sees them; this supervisor has an agent for ``driven``."""
        placed = [keeper.row.node_id for id_, keeper in self._keepers.items() if id_ != channel_id]
        return tuple(
            NodeFacts(node.id, node.name, node.id == driven, node.draining, node.capacity, placed.count(node.id))
            for node in self._nodes
        )

    async def run(self) -> None:
        """Reads and records once a second until cancelled."""
        while True:
            try:
                await self.read()
                await self.record_positions()
            except NotLeader as error:
                self._desk.leadership.lost(str(error))
            except StoreError as error:
                log.warning("channels cannot be read", why=str(error))
            await self._desk.clock.sleep(self._desk.timing.poll)

    async def read(self) -> None:
        """All rows, in one view. Raises StoreError."""
        async with self._store.read(timeout=self._desk.timing.store) as tx:
            rows = await tx.channels.list()
            revisions = await tx.playlists.revisions_played()
            self._nodes = await tx.nodes.list()
        seen = {row.id for row in rows}
        for row in rows:
            self.update(row).compare_list(revisions)
        for channel_id in self._keepers.keys() - seen:
            self.remove(channel_id)
        self.is_read = True

    def update(self, row: Channel) -> ChannelKeeper:
        """The row as somebody read it; a keeper begins with the first."""
        keeper = self._keepers.get(row.id)
        if keeper is None:
            keeper = ChannelKeeper(row, self._desk)
            self._keepers[row.id] = keeper
            self._tasks[row.id] = self._nursery.keep(f"channel {row.name}", keeper.run)
        else:
            keeper.update(row)
        return keeper

    def remove(self, channel_id: str) -> None:
        """The channel was deleted, which it can be only when it is off."""
        keeper = self._keepers.pop(channel_id, None)
        if keeper is not None:
            if keeper.watch is not None:
                keeper.watch.forget_channel(channel_id)
            self._tasks.pop(channel_id).cancel()
            self._recorded.pop(channel_id, None)
            self._desk.live.forget(channel_id)
            self._desk.alarms.forget_channel(channel_id)

    async def record_positions(self) -> None:
        """Where every channel is, in one transaction: where a resume begins. Raises StoreError."""
        fence = self._desk.leadership.fence
        moved: dict[str, Position] = {}
        for channel_id, keeper in self._keepers.items():
            position = keeper.actions.position
            if keeper.on_air is not None and position is not None and position != self._recorded.get(channel_id):
                moved[channel_id] = position
        if fence is None or not moved:
            return
        async with self._store.write(timeout=self._desk.timing.store) as tx:
            await tx.channels.record_positions(
                fence,
                {
                    channel_id: ReportedPosition(it.item_id, it.frame, it.at, it.rate)
                    for channel_id, it in moved.items()
                },
            )
        self._recorded.update(moved)
