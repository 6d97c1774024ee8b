"""Never dark without an alarm (P1), and no move for what was seen before a pause of our own (P6), whoever is slow."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from supervisor.loops.actions import Actions
from supervisor.loops.notes import Placing
from tests.simulation.mixes import Mix, Size
from tests.simulation.operators import Operators
from tests.simulation.world import World, world_of

SMALL = Mix({}, size=Size(1, 2, 1))


class Scene:
    """One supervisor, two nodes, one channel on air; nothing happens but what a test does."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.people = Operators(world, world._stream("operators"))
        self.people.tired = True
        (self.channel_id,) = world.channels
        self.people.want(self.channel_id)
        assert world.run_to(20.0)
        (self.supervisor,) = world.supervisors
        assert world.truth.rows[self.channel_id].phase == "running"
        self.node = next(node for node in world.nodes if node.living())

    @property
    def alarms(self) -> int:
        assert self.supervisor.supervision is not None
        return self.supervisor.supervision.alarms.count(self.channel_id)

    @property
    def moves(self) -> int:
        return len(self.world.truth.moves)

    def go(self, seconds: float) -> None:
        """Nothing may be wrong then."""
        self.world.run_to(self.world.loop.now + seconds)
        assert not self.world.truth.violations, self.world.truth.violations


@contextmanager
def scene(kind: str) -> Generator[Scene]:
    """With a channel whose one output is of this kind."""
    for seed in range(100):
        with world_of(seed, mix=SMALL) as world:
            if list(world.channels.values()) == [kind]:
                yield Scene(world)
                return
    pytest.fail(f"no seed has a {kind} channel alone")


def test_a_channel_started_again_while_its_stop_hangs_is_alarmed() -> None:
    """Its node is gone: the stop order gets no answer for many seconds, and nothing is known of it all the while."""
    with scene("hls") as it:
        it.node.crash(disk_too=False)
        it.node.trouble()
        it.people._stop_for_good(it.channel_id)
        it.go(0.3)
        it.people.want(it.channel_id)
        it.go(5.0)
        row = it.world.truth.rows[it.channel_id]
        assert (row.desired, row.phase) == ("on", "stopping")
        assert it.supervisor.at_work[it.channel_id], "its stop waits for an answer"
        for _ in range(20):
            assert it.alarms
            it.go(1.0)


def test_an_alarm_is_told_while_the_store_does_not_answer() -> None:
    """It neither takes the alarm nor fails: nobody waits for it."""
    with scene("hold") as it:
        it.node.crash(disk_too=False)
        it.node.trouble()
        it.go(2.0)
        it.world.database.go("frozen")
        it.go(4.0)
        assert it.world.leader() is it.supervisor
        assert it.alarms


def test_a_move_that_was_decided_before_a_pause_of_our_own_is_not_written_after_it() -> None:
    with scene("hls") as it:
        it.node.crash(disk_too=False)
        it.node.trouble()
        it.go(1.5)
        assert not it.moves
        it.world.database.go("frozen")
        it.go(3.0)
        assert not it.moves, "it is decided, and waits for the store"
        it.supervisor.freeze()
        it.go(2.5)
        it.world.database.go("up")
        it.supervisor.thaw()
        it.go(2.0)
        assert not it.moves
        it.go(15.0)
        assert it.moves == 1, "once nothing speaks against it any more"


def test_what_was_decided_on_a_row_is_not_written_over_a_newer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is slow to tell what a placing needs, and by then nobody wants the channel on air any more."""
    quick = Actions._placing

    async def slow(actions: Actions, node_id: str) -> Placing:
        placing = await quick(actions, node_id)
        await asyncio.sleep(3.0)
        return placing

    with scene("udp") as it:
        epoch = it.world.truth.rows[it.channel_id].epoch
        monkeypatch.setattr(Actions, "_placing", slow)
        (sidecar,) = it.node.living()
        sidecar.exit(-9)
        it.go(1.0)
        assert it.world.truth.rows[it.channel_id].phase == "placing"
        it.people._stop_for_good(it.channel_id)
        it.go(10.0)
        row = it.world.truth.rows[it.channel_id]
        assert (row.phase, row.epoch) == ("off", epoch)
