"""Which channels there are: rows read once a second, a keeper for each, and their positions written back."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal, Protocol, TypeAlias

import structlog

from db.errors import NotLeader, StoreError
from db.models import Channel, Node
from db.repositories.channels import Position as ReportedPosition
from db.store import Store
from supervisor.decisions.placement import MediaVerdict, NodeFacts
from supervisor.decisions.resume import Position
from supervisor.loops.channel import ChannelKeeper
from supervisor.loops.desk import Desk
from supervisor.loops.looks import Look
from supervisor.loops.nodes import NodeWatch
from supervisor.loops.outputs import OutputNeeds, needs_of
from supervisor.nursery import Nursery

log = structlog.get_logger(__name__)

_UNREAD: Final = OutputNeeds("hold")
"""Of a channel just made, until its outputs are read: nothing is known to keep its sidecar from the air."""


_TakesOrders: TypeAlias = Literal["answers", "silent", "undriven"]
_Seen: TypeAlias = tuple[Node, _TakesOrders, int, frozenset[str] | None, MediaVerdict, bool]


class MediaVerdicts(Protocol):
    """Who knows which node reads what."""

    def verdict(self, channel_id: str, node_id: str) -> MediaVerdict:
        """As it was last looked at."""
        ...


class Roster:
    """Every channel's keeper. Belongs to one event loop."""

    def __init__(self, store: Store, nursery: Nursery, media: MediaVerdicts) -> None:
        self._store = store
        self._media = media
        self._nursery = nursery
        self._keepers: dict[str, ChannelKeeper] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._outputs: dict[str, OutputNeeds] = {}
        self._outputs_rev: dict[str, int] = {}
        self._nodes: Sequence[Node] = ()
        self._node_revs: dict[str, int] = {}
        self._placed: Counter[str | None] = Counter()
        self._facts: dict[str, tuple[_Seen, NodeFacts]] = {}
        """By node id what a channel saw of it last, and what came of it."""
        self._recorded: dict[str, Position] = {}
        self.others_placed: Callable[[], Iterable[str | None]] = tuple
        """Where recorders are: they need room as channels do."""
        self._desk: Desk
        self.are_recorders = True
        """Whether there is a recorder; unknown is true."""
        self.is_read = False
        self.look = Look()
        """The reading that is under way."""

    def use(self, desk: Desk) -> None:
        """Once, before anything else: what keepers work with."""
        self._desk = desk

    @property
    def keepers(self) -> Mapping[str, ChannelKeeper]:
        return self._keepers

    def wake(self, channel_ids: Iterable[str] | None = None) -> None:
        """Something happened to these channels; None: to all."""
        for channel_id in self._keepers if channel_ids is None else channel_ids:
            keeper = self._keepers.get(channel_id)
            if keeper is not None:
                keeper.wake()

    def keeper_of(self, channel_id: str) -> ChannelKeeper | None:
        return self._keepers.get(channel_id)

    def outputs_of(self, channel_id: str) -> OutputNeeds:
        """What its outputs ask for, as they were last read: at most a second ago."""
        return self._outputs.get(channel_id, _UNREAD)

    def nodes_for(self, row: Channel, troubled: frozenset[str]) -> tuple[NodeFacts, ...]:
        """The nodes as this channel's placement sees them; on ``troubled`` ones it failed again and again."""
        fleet, channel_id, here = self._desk.fleet, row.id, row.node_id
        facts: list[NodeFacts] = []
        for node_id, node in fleet.rows.items():
            watch = fleet.watches.get(node_id)
            seen = (
                node,
                _takes_orders(watch, is_here=node_id == here),
                self._placed[node_id] - (node_id == here),
                None if watch is None or watch.condition is None else watch.condition.capabilities,
                self._media.verdict(channel_id, node_id),
                node_id in troubled,
            )
            known = self._facts.get(node_id)
            if known is None or known[0] != seen:
                # Nearly all channels see the same of a node: after a power cut a thousand look at all of them.
                known = self._facts[node_id] = (seen, _facts(*seen))
            facts.append(known[1])
        return tuple(facts)

    def nodes_at_large(self) -> tuple[NodeFacts, ...]:
        """The nodes as one sees them who is placed nowhere and needs no media."""
        fleet = self._desk.fleet
        return tuple(
            NodeFacts(
                node_id,
                node.name,
                _takes_orders(fleet.watches.get(node_id), is_here=False),
                node.draining,
                node.capacity,
                self._placed[node_id],
                node.maintenance,
            )
            for node_id, node in fleet.rows.items()
        )

    async def run(self) -> None:
        """Reads and records once a second until cancelled."""
        while True:
            try:
                await self.look.take(self.read)
                await self.record_positions()
            except NotLeader as error:
                self._desk.leadership.lost(str(error))
            except StoreError as error:
                log.warning("channels cannot be read", why=str(error))
            await self._desk.clock.sleep(self._desk.timing.poll)

    async def read(self) -> None:
        """What changed, in one view. Raises StoreError."""
        # Before the view: a horizon read in it then stands still, as the move's epoch was written before.
        moving = [(keeper, keeper.row.epoch) for keeper in self._keepers.values() if keeper.row.phase == "fencing"]
        async with self._store.read(timeout=self._desk.timing.store) as tx:
            revs, revisions, node_revs, recorders = await tx.changes.revisions()
            stale = {id_ for id_, rev in revs.items() if id_ not in self._keepers or self._keepers[id_].row.rev < rev}
            rows = await tx.channels.by_ids(stale)
            unread = {id_ for id_, rev in revs.items() if self._outputs_rev.get(id_) != rev}
            outputs = await tx.channels.outputs_of(unread)
            nodes = self._nodes if node_revs == self._node_revs else await tx.nodes.list()
            leases: Mapping[str, float] = await tx.channels.leases_left() if moving else {}
        now = self._desk.clock.monotonic()
        for channel_id in unread:
            self._outputs[channel_id] = needs_of(outputs.get(channel_id, ()))
        self._outputs_rev = revs
        self._nodes, self._node_revs = nodes, node_revs
        self._desk.fleet.update(nodes)
        for row in rows:
            self.update(row)
        for keeper, epoch in moving:
            # Without a horizon no lease was ever granted: it is written before the first.
            keeper.note_lease(epoch, leases.get(keeper.row.id, 0.0), now)
        for channel_id in self._keepers.keys() - revs.keys():
            self.remove(channel_id)
        self._placed = Counter(keeper.row.node_id for keeper in self._keepers.values())
        self._placed.update(self.others_placed())
        for keeper in self._keepers.values():
            keeper.compare_list(revisions)
        self.are_recorders = bool(recorders)
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
            for watch in self._desk.fleet.watches.values():
                watch.forget_channel(channel_id)
            self._tasks.pop(channel_id).cancel()
            self._recorded.pop(channel_id, None)
            self._outputs.pop(channel_id, None)
            self._desk.live.forget(channel_id)
            self._desk.tally.forget(channel_id)
            self._desk.history.forget_channel(channel_id)
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


def _facts(
    node: Node,
    agent: _TakesOrders,
    others: int,
    capabilities: frozenset[str] | None,
    media: MediaVerdict,
    troubled: bool,
) -> NodeFacts:
    return NodeFacts(
        node.id,
        node.name,
        agent,
        node.draining,
        node.capacity,
        others,
        node.maintenance,
        capabilities,
        media,
        troubled,
    )


def _takes_orders(watch: NodeWatch | None, *, is_here: bool) -> _TakesOrders:
    """Where the channel is already, one good answer is enough; elsewhere the last probes must have been answered."""
    if watch is None:
        return "undriven"
    return "answers" if watch.is_sure or (is_here and watch.state == "answers") else "silent"
