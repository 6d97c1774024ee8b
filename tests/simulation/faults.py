"""What goes wrong, drawn from the seed, and how it is made good again."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tests.simulation.directed import Directed
from tests.simulation.mixes import Mix
from tests.simulation.node import SimNode
from tests.simulation.sidecar import SimSidecar
from tests.simulation.supervisors import SimSupervisor

if TYPE_CHECKING:
    from tests.simulation.operators import Operators
    from tests.simulation.world import World

_BUSY: Final = 0.6


class Faults:
    """Every fault has its end; some ends are later than the seed's, and come with the healing."""

    def __init__(self, world: "World", chance: random.Random, operators: "Operators", mix: Mix) -> None:
        self._world = world
        self._chance = chance
        self.operators = operators
        self._mix = mix
        self._directed = Directed(world, chance, self)
        self._over = False

    def begin(self) -> None:
        self.later(self._chance.uniform(*self._mix.gap_s), self._next)

    def _next(self) -> None:
        if self._over:
            return
        weights = self._mix.weights
        kind = self._chance.choices(list(weights), weights=list(weights.values()))[0]
        self.make(kind)
        self.later(self._chance.uniform(*self._mix.gap_s), self._next)

    def make(self, kind: str) -> None:
        """One fault by its name."""
        name = kind.replace(" ", "_")
        done = (getattr(self._directed, name, None) or getattr(self, "_" + name))()
        if done:
            self._world.log.count(f"fault: {kind}")

    def heal(self) -> None:
        """Everything, at once."""
        self._over = True
        world = self._world
        world.log.say("heal", "everything")
        world.network.mend_all()
        world.database.late_append = None
        world.database.lost_answers = world.database.late_commits = 0.0
        if world.database.health != "up":
            world.database.go("up")
        for supervisor in world.supervisors:
            self._resume(supervisor)
            supervisor.thaw()
            supervisor.start()
        for node in world.nodes:
            node.media_up = True
            node.disk.full = False
            node.trouble()
            if not node.powered:
                node.boot()
            if node.agent_process is not None and node.agent_process.stopped:
                world.loop.cont_process(node.agent_process)
            node.start_agent()
            for sidecar in node.living():
                sidecar.ill_at = world.loop.now
                sidecar.mute_door = False
                world.loop.cont_process(sidecar.process)
        self.operators.tidy()

    # --- sidecars -----------------------------------------------------------------------------------------------

    def _sidecar(self) -> SimSidecar | None:
        living = [sidecar for node in self._world.nodes for sidecar in node.living()]
        return self._chance.choice(living) if living else None

    def _sidecar_killed(self) -> bool:
        sidecar = self._sidecar()
        if sidecar is None:
            return False
        self.say(f"{sidecar.name} is killed")
        sidecar.exit(self._chance.choice((-9, -11, 1)))
        return True

    def _sidecar_stopped(self) -> bool:
        sidecar = self._sidecar()
        if sidecar is None:
            return False
        seconds = self._chance.choice((2.0, self._chance.uniform(3.0, 40.0)))
        self.say(f"{sidecar.name} is stopped for {seconds:.1f} s")
        self._world.loop.stop_process(sidecar.process)
        sidecar.ill_at = self._world.loop.now

        def go_on() -> None:
            if not sidecar.exited:
                sidecar.ill_at = self._world.loop.now
                self._world.loop.cont_process(sidecar.process)

        self.later(seconds, go_on)
        return True

    def _sidecar_still(self) -> bool:
        sidecar = self._sidecar()
        if sidecar is None or sidecar.armed_at is None:
            return False
        self.say(f"the frames of {sidecar.name} stand")
        sidecar.ill_at = self._world.loop.now
        sidecar.stand()
        return True

    def _sidecar_silent(self) -> bool:
        sidecar = self._sidecar()
        if sidecar is None:
            return False
        seconds = self._chance.choice((5.0, self._chance.uniform(5.0, 90.0)))
        self.say(f"{sidecar.name} answers nothing for {seconds:.1f} s")
        sidecar.ill_at = self._world.loop.now
        sidecar.mute_door = True

        def speak() -> None:
            sidecar.ill_at = self._world.loop.now
            sidecar.mute_door = False

        self.later(seconds, speak)
        return True

    # --- nodes --------------------------------------------------------------------------------------------------

    def _node(self) -> SimNode:
        """More often one on which something plays: in a small world that is the one that matters."""
        nodes = self._world.nodes
        busy = [node for node in nodes if node.living()]
        return self._chance.choice(busy if busy and self._chance.random() < _BUSY else nodes)

    def _node_crash(self) -> bool:
        return self._crash(disk_too=False)

    def _node_loses_disk(self) -> bool:
        return self._crash(disk_too=True)

    def _crash(self, *, disk_too: bool) -> bool:
        node = self._node()
        if not node.powered:
            return False
        node.crash(disk_too=disk_too)
        node.trouble()

        def boot() -> None:
            if not node.powered:
                node.trouble()
                node.boot()

        self.later(self._chance.uniform(5.0, 60.0), boot)
        if disk_too:
            self.later(70.0, lambda: self.operators.accept(node.name))
        return True

    def _agent_killed(self) -> bool:
        node = self._node()
        if node.agent_process is None:
            return False
        self.say(f"the agent of {node.name} is killed")
        node.trouble()
        node.kill_agent()

        def start() -> None:
            node.trouble()
            node.start_agent()

        self.later(self._chance.choice((0.5, self._chance.uniform(1.0, 30.0))), start)
        return True

    def _agent_stopped(self) -> bool:
        node = self._node()
        process = node.agent_process
        if process is None or process.stopped:
            return False
        seconds = self._chance.uniform(1.0, 30.0)
        self.say(f"the agent of {node.name} is stopped for {seconds:.1f} s")
        node.trouble()
        self._world.loop.stop_process(process)

        def go_on() -> None:
            node.trouble()
            if not process.killed:
                self._world.loop.cont_process(process)

        self.later(seconds, go_on)
        return True

    def _journal_full(self) -> bool:
        node = self._node()
        self.say(f"the journal's disk of {node.name} is full")
        node.disk.full = True

        def room() -> None:
            node.disk.full = False

        self.later(self._chance.uniform(3.0, 40.0), room)
        return True

    def _node_off_the_media_network(self) -> bool:
        node = self._node()
        self.say(f"{node.name} is off the media network")
        node.media_up = False

        def back() -> None:
            node.media_up = True

        self.later(self._chance.uniform(1.0, 20.0), back)
        return True

    # --- supervisors --------------------------------------------------------------------------------------------

    def _supervisor(self) -> SimSupervisor:
        leader = self._world.leader()
        if leader is not None and self._chance.random() < 0.7:
            return leader
        return self._chance.choice(self._world.supervisors)

    def _supervisor_killed(self) -> bool:
        supervisor = self._supervisor()
        if supervisor.process is None:
            return False
        supervisor.kill()
        self.later(self._chance.choice((1.0, self._chance.uniform(1.0, 40.0))), supervisor.start)
        return True

    def _supervisor_stopped(self) -> bool:
        supervisor = self._supervisor()
        if not supervisor.runs:
            return False
        supervisor.freeze()
        self.later(self._chance.choice((3.0, self._chance.uniform(2.0, 45.0))), supervisor.thaw)
        return True

    def _supervisor_paused(self) -> bool:
        supervisor = self._supervisor()
        if not supervisor.runs:
            return False
        self.say(f"the machine of {supervisor.name} is paused")
        self._world.loop.pause_host(supervisor.host)
        self.later(self._chance.uniform(2.0, 30.0), lambda: self._resume(supervisor))
        return True

    def _resume(self, supervisor: SimSupervisor) -> None:
        if supervisor.host.paused_at is not None:
            self._world.log.say("heal", f"the machine of {supervisor.name} goes on")
            supervisor.resumed_at = self._world.loop.now
            self._world.loop.resume_host(supervisor.host, self._world.processes)

    # --- the network --------------------------------------------------------------------------------------------

    def _node_cut(self) -> bool:
        node = self._node()
        supervisors = self._world.supervisors
        if self._chance.random() < 0.3:
            supervisors = [self._chance.choice(supervisors)]
        pairs = [pair for it in supervisors for pair in ((it.name, node.name), (node.name, it.name))]
        self._cut(pairs, [node], f"{node.name} is cut from {', '.join(it.name for it in supervisors)}")
        return True

    def _node_cut_one_way(self) -> bool:
        node, supervisor = self._node(), self._supervisor()
        pair = (supervisor.name, node.name)
        if self._chance.random() < 0.5:
            pair = (node.name, supervisor.name)
        self._cut([pair], [node], f"nothing comes from {pair[0]} to {pair[1]}")
        return True

    def _supervisor_cut_from_database(self) -> bool:
        supervisor = self._supervisor()
        pairs = [(supervisor.name, "db"), ("db", supervisor.name)]
        if self._chance.random() < 0.4:
            pairs = [self._chance.choice(pairs)]
        self._cut(pairs, [], f"{supervisor.name} is cut from the database: {pairs}")
        return True

    def _supervisor_alone(self) -> bool:
        supervisor = self._supervisor()
        others = ["db", *(node.name for node in self._world.nodes)]
        pairs = [pair for it in others for pair in ((supervisor.name, it), (it, supervisor.name))]
        self._cut(pairs, self._world.nodes, f"{supervisor.name} is cut from everything")
        return True

    def _cut(self, pairs: list[tuple[str, str]], nodes: list[SimNode], what: str) -> None:
        seconds = self._chance.choice((3.0, self._chance.uniform(1.0, 10.0), self._chance.uniform(5.0, 60.0)))
        self.cut_for(pairs, nodes, what, seconds)

    def cut_for(self, pairs: list[tuple[str, str]], nodes: list[SimNode], what: str, seconds: float) -> None:
        """From each first to each second of ``pairs`` nothing comes; for ``nodes`` that excuses what is done."""
        self.say(f"{what}, for {seconds:.1f} s")
        for node in nodes:
            node.trouble()
        for sender, receiver in pairs:
            self._world.network.cut(sender, receiver)

        def mend() -> None:
            for node in nodes:
                node.trouble()
            for sender, receiver in pairs:
                self._world.network.mend(sender, receiver)

        self.later(seconds, mend)

    def _loss(self) -> bool:
        share = self._chance.choice((0.02, 0.1, 0.3))
        self.say(f"{share:.0%} of all messages are lost")
        return self._weather("loss", share)

    def _slow(self) -> bool:
        self.say("a fifth of all messages is slow")
        return self._weather("slow", 0.2)

    def _late_requests(self) -> bool:
        share = self._chance.choice((0.05, 0.3))
        self.say(f"{share:.0%} of all requests arrive late")
        return self._weather("late", share)

    def _weather(self, name: str, share: float) -> bool:
        setattr(self._world.network, name, share)
        for node in self._world.nodes:
            node.trouble()

        def clear() -> None:
            for node in self._world.nodes:
                node.trouble()
            setattr(self._world.network, name, 0.0)

        self.later(self._chance.uniform(5.0, 25.0), clear)
        return True

    # --- the database -------------------------------------------------------------------------------------------

    def _database_down(self) -> bool:
        return self._database("down", self._chance.uniform(2.0, 40.0))

    def _database_frozen(self) -> bool:
        return self._database("frozen", self._chance.uniform(1.0, 25.0))

    def _database_restarted(self) -> bool:
        return self._database("down", 0.3)

    def _database(self, health: str, seconds: float) -> bool:
        database = self._world.database
        if database.health != "up":
            return False
        self.say(f"the database is {health} for {seconds:.1f} s")
        database.go("down" if health == "down" else "frozen")

        def up() -> None:
            if database.health == health:
                self._world.log.say("heal", "the database is up")
                database.go("up")

        self.later(seconds, up)
        return True

    def _lost_commits(self) -> bool:
        return self._commits("lost_answers", self._chance.choice((0.2, 0.6)))

    def _late_commits(self) -> bool:
        return self._commits("late_commits", self._chance.choice((0.1, 0.3)))

    def _commits(self, name: str, share: float) -> bool:
        self.say(f"{share:.0%} of commits: {name}")
        setattr(self._world.database, name, share)
        self.later(self._chance.uniform(2.0, 15.0), lambda: setattr(self._world.database, name, 0.0))
        return True

    # --- clocks -------------------------------------------------------------------------------------------------

    def _wall_clock(self) -> bool:
        hosts = [it.host for it in (*self._world.nodes, *self._world.supervisors)]
        host = self._chance.choice([*hosts, self._world.database_host])
        step = self._chance.choice((-3600.0, 3600.0, -1.5, 1.5))
        self.say(f"the wall clock of {host.name} steps by {step:g} s")
        host.wall += step
        return True

    def say(self, text: str) -> None:
        self._world.log.say("fault", text)

    def later(self, seconds: float, work: Callable[[], None]) -> None:
        self._world.loop.call_later(seconds, work, context=self._world.nobody)
