"""What is so, seen from outside, and what must never be: the invariants of supervision.md section 9."""

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from supervisor.decisions.timing import Timing
from tests.simulation.attention import Attention
from tests.simulation.database import Served
from tests.simulation.entrances import Entrances

if TYPE_CHECKING:
    from tests.simulation.node import SimNode
    from tests.simulation.sidecar import SimSidecar
    from tests.simulation.supervisors import SimSupervisor
    from tests.simulation.world import World

_CHANNELS: Final = (
    "SELECT id, name, desired, phase, epoch, rev, node_id, fencing_node_id, wanted_node_id, hold_failover FROM channel"
)
_CLAIMS: Final = "SELECT id, node_id, port, device_index, owner_id, epoch, state, released_reason FROM port_claim"
_NODES: Final = "SELECT id, maintenance, draining, incarnation FROM node"
_EXCUSED_S: Final = 14.0
"""Seconds after a trouble with a node in which a move off it can still be on account of that."""
_ASKED_S: Final = 12.0
"""Seconds after people asked for a move in which one can still be on account of that: the five that they wait, and a
write that was under way then."""
_EMPTIED_S: Final = 30.0
"""Seconds after a maintenance in which a move off the node can still be on account of that."""
_ILL_S: Final = 75.0
_COLLECTED_S: Final = 8.0
"""Seconds after which a record is in the store when all is well."""
_HEARD_S: Final = 0.3
_SLACK: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Violation:
    invariant: str
    at: float
    text: str

    def __str__(self) -> str:
        return f"{self.invariant} at {self.at:.3f} s: {self.text}"


@dataclass(frozen=True, slots=True)
class Row:
    """A channel as it is in the database."""

    id: str
    name: str
    desired: str
    phase: str
    epoch: int
    rev: int
    node_id: str | None
    fencing_node_id: str | None
    wanted_node_id: str | None
    hold_failover: int


@dataclass(frozen=True, slots=True)
class Claim:
    id: str
    node_id: str
    port: str
    device_index: int
    owner_id: str
    epoch: int
    state: str
    reason: str | None


@dataclass(eq=False, slots=True)
class Move:
    """A channel was decided to leave a node; ``silent``: because that does not answer."""

    at: float
    channel: str
    node: str
    silent: bool


class Truth:
    """Told by the world of everything that happens; writes down what must not be."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._timing = Timing()
        self.violations: list[Violation] = []
        self.rows: dict[str, Row] = {}
        self.claims: dict[str, Claim] = {}
        self.nodes: dict[str, bool] = {}
        """By id whether a node is emptied, or takes no new channels."""
        self._read: tuple[list[tuple[object, ...]], list[tuple[object, ...]]] = ([], [])
        self.leader: tuple[str, int, str] = ("", 0, "")
        self.moves: list[Move] = []
        self.heard_at: dict[str, float] = {}
        self.emptied_at: dict[str, float] = {}
        """By node id, when it was last seen in maintenance."""
        self.moved_by_hand: dict[str, float] = {}
        self._moves_by_hand: set[str] = set()
        """Channels whose move people began, by hand or by emptying a node: it may come to another node than the first
        that it tried, or back and on."""
        """By channel id, when people last asked for it to be moved."""
        self.samples = 0
        self._armed: dict[tuple[str, int], SimSidecar] = {}
        self._launched: dict[tuple[str, str], int] = {}
        self._terms: dict[str, int] = {}
        self._served: dict[str, int] = {}
        self._reader: sqlite3.Connection | None = None
        self._said: set[str] = set()
        self._entrances = Entrances(world, self.violated)
        self._attention = Attention(world, self.violated)

    def violated(self, invariant: str, text: str) -> None:
        if invariant + text in self._said:
            return
        self._said.add(invariant + text)
        self.violations.append(Violation(invariant, self._world.loop.now, text))
        self._world.log.say("VIOLATION", f"{invariant}: {text}")

    # --- the database -------------------------------------------------------------------------------------------

    def read(self) -> None:
        """What is committed now."""
        if self._reader is None:
            self._reader = sqlite3.connect(self._world.database.path, isolation_level=None)
        reader = self._reader
        now = self._world.loop.now
        rows, claims = reader.execute(_CHANNELS).fetchall(), reader.execute(_CLAIMS).fetchall()
        # Most commits change neither.
        if rows != self._read[0]:
            self.rows = {row[0]: Row(*row) for row in rows}
        if claims != self._read[1]:
            self.claims = {row[0]: Claim(*row) for row in claims}
        self._read = (rows, claims)
        self.leader = next(reader.execute("SELECT holder, term, expires_at FROM leader"), ("", 0, ""))
        self.nodes.clear()
        for node_id, maintenance, draining, incarnation in reader.execute(_NODES):
            self.nodes[node_id] = bool(maintenance or draining)
            if maintenance:
                self.emptied_at[node_id] = now
            node = self._world.node_named(node_id)
            if node is not None and incarnation is not None and node.incarnation not in (None, incarnation):
                # Another machine answers in its place, as far as anybody was told.
                node.trouble()

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()

    def as_run(self) -> dict[tuple[str, str], list[bytes]]:
        """By (channel, run) the lines that are in the store, newline included, by number."""
        assert self._reader is not None
        found: dict[tuple[str, str], list[bytes]] = {}
        for channel, run, line in self._reader.execute("SELECT channel_id, run_id, line FROM as_run ORDER BY seq"):
            found.setdefault((channel, run), []).append(line.encode() + b"\n")
        return found

    def committed(self, served: Served) -> None:
        """After every commit of a writer."""
        rows, claims, leader = self.rows, self.claims, self.leader
        self.read()
        supervisor = self._world.supervisor_of(served.client)
        if self.leader != leader and supervisor is not None and self.leader[0] == supervisor.holder:
            supervisor.trusted_until = served.began + self._timing.lease_ttl - self._timing.lease_margin
            if self.leader[1] != leader[1]:
                self._world.log.say("leader", f"{supervisor.holder} term {self.leader[1]}")
        if self.leader[1] < leader[1]:
            self.violated("I5", f"the term went back from {leader[1]} to {self.leader[1]}")
        if self.rows is not rows:
            for id_, row in self.rows.items():
                before = rows.get(id_)
                if before is not None and before != row:
                    self._changed(before, row, served, supervisor)
        if self.claims is claims:
            return
        for id_, claim in self.claims.items():
            was = claims.get(id_)
            if claim.state == "released" and was is not None and was.state != "released":
                self._released(claim)
        self._claimed()

    def _claimed(self) -> None:
        owners: dict[tuple[str, str], str] = {}
        for claim in self.claims.values():
            if claim.state == "released":
                continue
            if owners.setdefault((claim.node_id, claim.port), claim.owner_id) != claim.owner_id:
                node = self._world.node_name(claim.node_id)
                self.violated("I19", f"port {claim.device_index} of {node} is claimed by two owners")

    def _changed(self, before: Row, row: Row, served: Served, supervisor: "SimSupervisor | None") -> None:
        placed = (before.phase, before.epoch, before.node_id, before.fencing_node_id)
        now_placed = (row.phase, row.epoch, row.node_id, row.fencing_node_id)
        if row.epoch < before.epoch:
            self.violated("I3", f"the epoch of {row.name} went back from {before.epoch} to {row.epoch}")
        if row.desired != before.desired:
            self._world.log.say("desired", f"{row.name} {row.desired}")
            self._attention.wanted_anew(row.id)
            if not served.by_people:
                self.violated("I29", f"{row.name} was wanted {before.desired} and is now {row.desired}: nobody said so")
        if now_placed == placed:
            return
        node, old = self._world.node_name(row.node_id), self._world.node_name(row.fencing_node_id)
        fenced = f" fencing {old}" if old else ""
        self._world.log.say("phase", f"{row.name} {before.phase} -> {row.phase}/{row.epoch} on {node}{fenced}")
        if supervisor is None or self.leader[0] != supervisor.holder:
            self.violated(
                "I5", f"{row.name} was changed by {served.client and served.client.name}, led by {self.leader[:2]}"
            )
        if before.node_id is not None and row.node_id not in (None, before.node_id) and row.epoch > before.epoch:
            self._moved(before, row, supervisor)

    def wants_moved(self, channel_id: str) -> None:
        """People ask for it to be moved; whoever is asked has so long to begin, and gives it up then."""
        self.moved_by_hand[channel_id] = self._world.loop.now

    def _moved(self, before: Row, row: Row, supervisor: "SimSupervisor | None") -> None:
        world = self._world
        node = world.node_named(before.node_id)
        if node is None:
            return
        now = world.loop.now
        emptied = now - self.emptied_at.get(before.node_id or "", -1e9) < _EMPTIED_S
        asked = emptied or now - self.moved_by_hand.get(row.id, -1e9) < _ASKED_S
        if before.phase != "fencing":
            self._moves_by_hand.discard(row.id)
        if asked:
            self._moves_by_hand.add(row.id)
        if row.wanted_node_id is not None and row.node_id != row.wanted_node_id:
            self.violated("I14", f"{row.name} is pinned and was moved off {node.name}")
        # A move that was under way when it was held may end where it began.
        if row.hold_failover and not emptied and row.node_id != before.fencing_node_id:
            self.violated("veto", f"{row.name} was moved though its failover is held")
        by_people = row.id in self._moves_by_hand
        silent = row.phase == "fencing" and row.fencing_node_id == before.node_id and not by_people
        if row.phase == "fencing":
            world.log.count("fence")
        world.log.count("failover" if silent else "replacement")
        self.moves.append(Move(now, row.name, node.name, silent))
        if not silent:
            return
        if now - node.troubled_at > _EXCUSED_S:
            self.violated("I17", f"{row.name} was moved off {node.name}, with which nothing was wrong")
        # A hypervisor's pause of one's own nobody can know of: section 11 of supervision.md, open points.
        if supervisor is not None and now - supervisor.awake_since < 2.0:
            self.violated(
                "I16", f"{supervisor.holder} moved {row.name} {now - supervisor.awake_since:.1f} s after it resumed"
            )
        recent = {move.node for move in self.moves if move.silent and now - move.at < self._timing.evacuate_every}
        if len(recent) > self._timing.evacuate_most:
            self.violated("I15", f"{len(recent)} nodes evacuated within {self._timing.evacuate_every:g} s")

    def _released(self, claim: Claim) -> None:
        node = self._world.node_named(claim.node_id)
        if node is None or claim.reason is not None:
            return
        for sidecar in node.living():
            if sidecar.channel_id == claim.owner_id and sidecar.epoch <= claim.epoch and sidecar.uses_card:
                self.violated(
                    "I20", f"port {claim.device_index} of {node.name} was released while {sidecar.name} lives"
                )

    # --- orders -------------------------------------------------------------------------------------------------

    def acts(self, supervisor: "SimSupervisor", verb: str, term: int) -> None:
        """A supervisor sends an order."""
        late = supervisor.monotonic() - supervisor.trusted_until
        if late >= _SLACK:
            self.violated("I6", f"{supervisor.holder} ordered {verb} {late:.2f} s after its trusted time, term {term}")

    def highest_term(self, node: "SimNode") -> int:
        """Of the orders that the node's agent obeyed until now."""
        return self._terms.get(node.name, 0)

    def accepted(self, node: "SimNode", term: int, before: int | None = None) -> None:
        """An agent obeyed. ``before``: the highest term when the order came, where that counts and not the present."""
        highest = self.highest_term(node)
        known = highest if before is None else before
        if term < known:
            self.violated("I5", f"{node.name} obeyed term {term} after term {known}")
        self._terms[node.name] = max(term, highest)

    def refused(self, node: "SimNode", what: str, error: Exception) -> None:
        self._world.log.count(f"refused: {type(error).__name__}")
        if type(error).__name__ in ("StaleTerm", "StaleEpoch", "EpochUsed", "StillRunning"):
            self._world.log.say("refused", f"{node.name} {what}: {type(error).__name__}")

    # --- sidecars -----------------------------------------------------------------------------------------------

    def launched(self, sidecar: "SimSidecar") -> None:
        self._world.log.say("launch", sidecar.name)
        key = (sidecar.node.name, sidecar.channel_id)
        highest = self._launched.get(key, 0)
        if sidecar.epoch <= highest:
            self.violated("I3", f"{sidecar.name} was launched after epoch {highest}")
        self._launched[key] = sidecar.epoch
        if sidecar.uses_card:
            node_id = self._world.node_ids[sidecar.node.name]
            mine = [
                claim
                for claim in self.claims.values()
                if claim.node_id == node_id and claim.owner_id == sidecar.channel_id and claim.state != "released"
            ]
            if not mine:
                self.violated("I19", f"{sidecar.name} was launched without a claim on its port")

    def disk_lost(self, node: "SimNode") -> None:
        self._launched = {key: epoch for key, epoch in self._launched.items() if key[0] != node.name}
        self._terms.pop(node.name, None)

    def armed(self, sidecar: "SimSidecar") -> None:
        self._world.log.say("armed", sidecar.name)
        self._entrances.armed(sidecar)
        other = self._armed.setdefault((sidecar.channel_id, sidecar.epoch), sidecar)
        if other is not sidecar:
            self.violated("I2", f"{sidecar.name} is armed, and so was {other.name}")
        self._world.loop.call_later(0.11, self.sample, context=self._world.nobody)

    def lease_given(self, sidecar: "SimSidecar", seconds: float, *, was_over: bool) -> None:
        self._world.log.count("lease")
        if was_over:
            self._entrances.lease_begins_anew(sidecar)
        if sidecar.lease.left_s() > max(seconds, 6.0) + _SLACK:
            self.violated("I8", f"the lease of {sidecar.name} runs for {sidecar.lease.left_s():.3f} s")

    def signalled(self, sidecar: "SimSidecar", number: int) -> None:
        self._world.log.say("signal", f"{sidecar.name} {number}")
        self.ended(sidecar, f"signal {number}")

    def ended(self, sidecar: "SimSidecar", how: str) -> None:
        """By order, it is to leave the air."""
        row = self.rows.get(sidecar.channel_id)
        if row is None or row.desired == "off" or row.epoch > sidecar.epoch or row.phase == "stopping":
            return
        if sidecar.armed_at is None or sidecar.stopping or not sidecar.moves:
            return
        now = self._world.loop.now
        if now - sidecar.ill_at > _ILL_S and now - sidecar.node.troubled_at > _ILL_S:
            self.violated("I17", f"{sidecar.name} was well and on air, and is ended by {how}")

    def link_moved(self, node: "SimNode", channel_id: str, epoch: int) -> None:
        before = node.links.get(channel_id, 0)
        if epoch < before:
            self.violated("I1", f"the public playlist on {node.name} went back from epoch {before} to {epoch}")

    # --- the air ------------------------------------------------------------------------------------------------

    def sample(self) -> None:
        """Who is heard where, now."""
        world = self._world
        now = world.loop.now
        self.samples += 1
        if self.samples % 10 == 0:
            self._attention.look()
        for place, sidecars in world.receivers.places().items():
            if len(sidecars) > 1:
                names = " and ".join(sorted(sidecar.name for sidecar in sidecars))
                self.violated("I1", f"{place} hears {names}")
            for sidecar in sidecars:
                self.heard_at[sidecar.channel_id] = now

    def off_air(self) -> list[str]:
        """Why a channel that is wanted is not heard, by channel, and what runs though it is not wanted."""
        world, faults = self._world, list[str]()
        for row in self.rows.values():
            names = [it.name for node in world.nodes for it in node.living() if it.channel_id == row.id]
            so = f"{row.phase}/{row.epoch} on {world.node_name(row.node_id)}, {world.said(row.id)}"
            if row.desired == "on" and world.loop.now - self.heard_at.get(row.id, -1e9) > _HEARD_S:
                faults.append(f"{row.name} is wanted and not heard: {so}")
            if row.desired == "off" and (names or row.phase != "off"):
                faults.append(f"{row.name} is not wanted: {so}; {names} live")
            if len(names) > 1:
                faults.append(f"{row.name} has strays: {names}; {so}")
        return faults

    def as_run_faults(self) -> list[str]:
        """I21: what is in the store is what the journals say."""
        faults: list[str] = []
        stored = self.as_run()
        journals: dict[tuple[str, str], list[bytes]] = {}
        lost: set[tuple[str, str]] = set()
        for node in self._world.nodes:
            journals |= node.disk.runs
            lost |= node.disk.lost
        for key, lines in stored.items():
            written = journals.get(key, [])
            if lines != written[: len(lines)]:
                faults.append(f"run {key[1]} in the store is not what its journal says")
        for node in self._world.nodes:
            for key, times in node.disk.flushed_at.items():
                due = sum(at < self._world.loop.now - _COLLECTED_S for at in times)
                collected = len(stored.get(key, []))
                if key not in lost and collected < due:
                    name = self._world.channel_name(key[0])
                    faults.append(f"run {key[1]} of {name} has {due} records, {collected} are collected")
        return faults
