"""People at work: they start, stop, take, edit, move channels, hold failovers, empty nodes and accept machines."""

import random
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from db.errors import StoreError
from db.repositories.playlists import ItemSpec
from supervisor.errors import McrError
from supervisor.principal import Principal
from supervisor.schemas.channel import CommandIn
from tests.simulation.processes import BY_PEOPLE

if TYPE_CHECKING:
    from tests.simulation.supervisors import SimSupervisor
    from tests.simulation.world import World

OLGA: Final = Principal(name="olga", origin="unix", role="operator")


class Operators:
    """Whatever they are refused they note and leave; what they want is known to the truth beforehand."""

    def __init__(self, world: "World", chance: random.Random) -> None:
        self._world = world
        self._chance = chance
        self._moves = world._stream("moves")
        """Of their own, so that the rest of a seed's people do what they did before anybody moved a channel."""
        self.tired = False
        """They change nothing any more."""

    def begin(self) -> None:
        """Every channel is put on air; then now and then something else is done."""
        for channel_id in self._world.channels:
            self._later(self._chance.uniform(0.0, 2.0), lambda id_=channel_id: self.want(id_))
        self._next()
        self._later(self._moves.uniform(10.0, 40.0), self._move)
        if self._world.rival is not None:
            self._later(self._chance.uniform(8.0, 12.0), self._contest)

    def _contest(self) -> None:
        """Two people start a channel each at the same moment, and both channels play by the same port."""
        rival, held = self._world.rival, self._world.sdi
        if self.tired or rival is None:
            return
        for channel_id in (rival, held):
            self._stop_for_good(channel_id)
        when = self._chance.uniform(4.0, 7.0)
        self._later(when, lambda: self._start(rival))
        self._later(when + self._chance.uniform(-0.02, 0.02), lambda: self.want(held))
        self._later(self._chance.uniform(15.0, 20.0), self._contest)

    def _start(self, channel_id: str) -> None:
        self._ask("start", lambda it: it.supervision.commands.start(channel_id, OLGA))

    def _stop_for_good(self, channel_id: str) -> None:
        self._ask("stop", lambda it: it.supervision.commands.stop(channel_id, OLGA))

    def want(self, channel_id: str) -> None:
        """On air, whoever has to be asked for it; again and again until somebody obeys."""
        row = self._world.truth.rows[channel_id]
        if row.desired == "on":
            return
        self._start(channel_id)
        self._later(3.0, lambda: self.want(channel_id))

    def _next(self) -> None:
        if not self.tired:
            self._later(self._chance.uniform(4.0, 20.0), self._something)

    def _something(self) -> None:
        if self.tired:
            return
        channel_id = self._chance.choice(sorted(self._world.channels))
        deed = self._chance.choices(
            (self._stop, self._take, self._edit, self._hold, self._empty, self._drain, self._stop_and_start),
            weights=(2, 6, 3, 2, 2, 2, 1),
        )[0]
        deed(channel_id)
        self._next()

    def _move(self) -> None:
        """One channel to a node of their choice, or to the best; at whatever moment that is."""
        if self.tired:
            return
        channel_id = self._moves.choice(sorted(self._world.channels))
        nodes = [None, *(self._world.node_ids[node.name] for node in self._world.nodes)]
        node_id = self._moves.choice(nodes)
        self._world.truth.wants_moved(channel_id)
        self._ask("move", lambda it: it.supervision.commands.move(channel_id, node_id, OLGA))
        self._later(self._moves.uniform(10.0, 40.0), self._move)

    # --- what they do -------------------------------------------------------------------------------------------

    def _stop(self, channel_id: str) -> None:
        self._stop_for_good(channel_id)
        self._later(self._chance.uniform(5.0, 25.0), lambda: self.want(channel_id))

    def _stop_and_start(self, channel_id: str) -> None:
        self._stop_for_good(channel_id)
        self._later(self._chance.uniform(0.0, 0.5), lambda: self.want(channel_id))

    def _take(self, channel_id: str) -> None:
        self._ask("take", lambda it: it.supervision.commands.transport(channel_id, "take", CommandIn(), OLGA))

    def _edit(self, channel_id: str) -> None:
        playlist_id = self._world.playlists[channel_id]

        async def edit(supervisor: "SimSupervisor") -> None:
            async with supervisor.store.write() as tx:
                playlist = await tx.playlists.get(playlist_id)
                item = ItemSpec("breaking", kind="slate", slate_frames=200)
                await tx.playlists.insert(playlist_id, playlist.revision, [item], 0)
            await supervisor.supervision.commands.playlist_changed(playlist_id)

        self._ask("edit", edit)

    def _hold(self, channel_id: str) -> None:
        self.hold(channel_id, held=True)
        self._later(self._chance.uniform(5.0, 40.0), lambda: self.hold(channel_id, held=False))

    def hold(self, channel_id: str, *, held: bool) -> None:
        async def change(supervisor: "SimSupervisor") -> None:
            async with supervisor.store.write() as tx:
                row = await tx.channels.get(channel_id)
                await tx.channels.set_hold_failover(channel_id, row.rev, held, OLGA.name)

        self._ask("hold" if held else "release", change)

    def _empty(self, _: str) -> None:
        node = self._chance.choice(self._world.nodes)
        node_id = self._world.node_ids[node.name]
        self._set_node(node_id, maintenance=True)
        self._later(self._chance.uniform(10.0, 40.0), lambda: self._set_node(node_id, maintenance=False))

    def _drain(self, _: str) -> None:
        node_id = self._world.node_ids[self._chance.choice(self._world.nodes).name]
        self._set_node(node_id, draining=True)
        self._later(self._chance.uniform(5.0, 30.0), lambda: self._set_node(node_id, draining=False))

    def _set_node(self, node_id: str, **changes: object) -> None:
        async def change(supervisor: "SimSupervisor") -> None:
            async with supervisor.store.write() as tx:
                row = await tx.nodes.get(node_id)
                await tx.nodes.update(node_id, row.rev, changes)

        self._ask(f"node {changes}", change)

    def accept(self, node_name: str) -> None:
        """A machine came back without its memory: that it is the same one is for people to say."""
        node_id = self._world.node_ids[node_name]

        async def say(supervisor: "SimSupervisor") -> None:
            seen = supervisor.supervision.node_seen(node_id)
            if seen is None or not seen.foreign:
                return
            async with supervisor.store.write() as tx:
                row = await tx.nodes.get(node_id)
                await tx.nodes.accept(node_id, row.rev, seen.foreign)

        self._ask("accept", say)

    def tidy(self) -> None:
        """Nothing is held, nothing is emptied, every machine is accepted, every channel wanted; whatever it takes."""
        self.tired = True
        for delay in (0.5, 4.0, 9.0, 15.0, 22.0):
            self._later(delay, self._tidy)

    def _tidy(self) -> None:
        world = self._world
        for channel_id in world.channels:
            self.want(channel_id)
            if world.truth.rows[channel_id].hold_failover:
                self.hold(channel_id, held=False)
        if world.rival is not None and world.truth.rows[world.rival].desired == "on":
            self._stop_for_good(world.rival)
        for node in world.nodes:
            node_id = world.node_ids[node.name]
            if world.truth.nodes[node_id]:
                self._set_node(node_id, maintenance=False, draining=False)
            self.accept(node.name)

    # --- how ----------------------------------------------------------------------------------------------------

    def _later(self, seconds: float, work: Callable[[], None]) -> None:
        self._world.loop.call_later(seconds, work, context=self._world.nobody)

    def _ask(self, what: str, work: Callable[["SimSupervisor"], Coroutine[Any, Any, Any]]) -> None:
        """Of the leader where there is one, else of anyone; in their process, so that it dies with it."""
        world = self._world
        running = [it for it in world.supervisors if it.runs and it.supervision is not None]
        if not running:
            return
        leader = world.leader()
        asked = leader if leader in running else self._chance.choice(running)
        assert asked is not None
        assert asked.process is not None
        context = asked.process.context.copy()
        context.run(BY_PEOPLE.set, True)

        async def ask() -> None:
            try:
                await work(asked)
            except (McrError, StoreError) as error:
                world.log.count(f"people: {type(error).__name__}")
            else:
                world.log.say("people", f"{what} done by {asked.name}")

        world.loop.create_task(ask(), name=f"people {what}", context=context)
