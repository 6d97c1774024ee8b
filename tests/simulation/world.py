"""The whole simulated world of one seed: machines, network, database, receivers, people, and the truth about them."""

import contextlib
import functools
import gc
import random
import shutil
import sys
import tempfile
from collections.abc import Generator
from contextvars import Context
from pathlib import Path
from typing import Any, Final

import structlog

from db.repositories.channels import OutputSpec
from db.repositories.playlists import ItemSpec
from tests.simulation import template
from tests.simulation.chance import seeded
from tests.simulation.database import Database
from tests.simulation.eventlog import EventLog
from tests.simulation.loop import SimLoop
from tests.simulation.mixes import ALL, Mix, Size, drawn
from tests.simulation.network import Network
from tests.simulation.node import SimNode, stand_ins
from tests.simulation.processes import BEGINNING, Host, Process
from tests.simulation.receivers import Receivers
from tests.simulation.sidecar import SimSidecar
from tests.simulation.store import SimStore
from tests.simulation.supervisors import SimSupervisor
from tests.simulation.truth import Claim, Truth

LIST_ITEMS: Final = 4
_SDI_SHARE: Final = 0.15
_HARMLESS: Final = ("StoreError", "AgentError", "OSError", "TimeoutError")


class World:
    """Of one seed. Use ``world_of``."""

    def __init__(self, seed: int, root: Path, log: EventLog, mix: Mix = ALL) -> None:
        self.seed = seed
        self.mix = mix
        self.size = mix.size or drawn(self._stream("size"))
        self.log = log
        self.loop = SimLoop(self._stream("loop"))
        self.log.clock = lambda: self.loop.now
        self.nobody = Context()
        self.network = Network(self._stream("network"))
        self.processes: list[Process] = []
        self.database_host = Host("db")
        self.nodes = [
            SimNode(self, number, root / f"n{number}", self._stream(f"node {number}"))
            for number in range(self.size.nodes)
        ]
        self.supervisors = [
            SimSupervisor(self, f"s{number}", self._stream(f"s{number}")) for number in range(self.size.supervisors)
        ]
        self.receivers = Receivers(self, self._stream("receivers"))
        self.truth = Truth(self)
        self.node_ids: dict[str, str] = {}
        self.channels: dict[str, str] = {}
        """By id the names of those that people want on air."""
        self.playlists: dict[str, str] = {}
        self.sdi = ""
        """The id of the channel that plays by a card; empty where there is none."""
        self.rival: str | None = None
        """The id of another one that is to play by the same port; wanted only now and then."""
        self.bugs: list[str] = []
        self._claims: dict[str, Claim] = {}
        self.claims_seen: dict[tuple[str, str], str] = {}
        """By node id and port, who owned it when somebody last looked; only a planted bug believes it."""
        path = root / "mcr.db"
        path.write_bytes(template.migrated())
        self.database = Database(
            path,
            lambda: self.loop.now,
            lambda: self.database_host.wall_clock(self.loop.now),
            self._stream("database"),
            committed=self.truth.committed,
        )

    def _stream(self, name: str) -> random.Random:
        """Each part draws from its own, so that a change of one moves the others as little as can be."""
        return random.Random(f"{self.seed} {name}")

    # --- making it ----------------------------------------------------------------------------------------------

    def build(self) -> None:
        """Nodes, lists and channels, as people would have made them; then everything is switched on."""
        store = SimStore(self.database, chance=self._stream("people's store"))
        self.loop.run_until_complete(self._fill(store))
        self.truth.read()
        for node in self.nodes:
            node.boot()
        for supervisor in self.supervisors:
            supervisor.start()
        self._tick()

    async def _fill(self, store: SimStore) -> None:
        chance = self._stream("channels")
        async with store.write() as tx:
            await tx.media_roots.add("/media", "5" * 32, BEGINNING)
            for node in self.nodes:
                row = await tx.nodes.add(
                    name=node.name, kind="agent", url=f"http://{node.name}", now=BEGINNING, capacity=4
                )
                self.node_ids[node.name] = row.id
            plan = channel_plan(chance, self.size)
            if self.mix.rivals:
                plan.append(("rival", *plan[-1][1:]))
            size = self.size
            several = (("several supervisors", size.supervisors), ("three nodes", size.nodes - 1))
            for what in [name for name, *_ in plan] + [what for what, number in several if number > 1]:
                self.log.count(f"world: {what}")
            for name, outputs, pinned in plan:
                playlist = await tx.playlists.add(f"list of {name}", None, BEGINNING)
                items = [
                    ItemSpec(f"{name} {index}", kind="slate", slate_frames=chance.randrange(250, 1600))
                    for index in range(LIST_ITEMS)
                ]
                await tx.playlists.insert(playlist.id, 1, items)
                values = {
                    "name": name,
                    "width": 640,
                    "height": 360,
                    "rate": "25",
                    "playlist_id": playlist.id,
                    "after_last": "loop",
                    "resume_policy": chance.choice(("continue", "schedule")),
                    "wanted_node_id": None if pinned is None else self.node_ids[pinned],
                }
                channel = await tx.channels.add(values, outputs, BEGINNING)
                if name == "rival":
                    self.rival = channel.id
                    continue
                if name == "sdi":
                    self.sdi = channel.id
                self.channels[channel.id] = name
                self.playlists[channel.id] = playlist.id

    def _tick(self) -> None:
        self.receivers.watch()
        self.truth.sample()
        for node in self.nodes:
            if node.in_trouble:
                node.trouble()
        claims = self.truth.claims
        if claims is not self._claims:
            # Made anew with every change, which most tenths of a second do not see.
            self._claims = claims
            self.claims_seen = {(it.node_id, it.port): it.owner_id for it in claims.values() if it.state != "released"}
        if self.truth.samples % 10 == 0:
            self.database.watch_idle()
        self.loop.call_later(0.1, self._tick, context=self.nobody)

    def run_to(self, when: float) -> bool:
        """False as soon as something is wrong."""
        while self.loop.now < when:
            self.loop.run_until(min(when, self.loop.now + 0.5))
            if self.truth.violations or self.bugs or self.loop.errors:
                return False
        return True

    def close(self, *, collect: bool) -> None:
        self.truth.close()
        self.loop.bury(self.processes, collect=collect)
        self.database.close()
        self.loop.close()

    # --- who is who ---------------------------------------------------------------------------------------------

    def channel_name(self, channel_id: str) -> str:
        return self.channels.get(channel_id, channel_id)

    def node_named(self, node_id: str | None) -> SimNode | None:
        name = self.node_name(node_id)
        return next((node for node in self.nodes if node.name == name), None)

    def node_name(self, node_id: str | None) -> str:
        return next((name for name, id_ in self.node_ids.items() if id_ == node_id), "")

    def node_at(self, media_root: Path) -> SimNode:
        return next(node for node in self.nodes if node.disk.root == media_root.parent)

    def supervisor_of(self, process: Process | None) -> SimSupervisor | None:
        return next((it for it in self.supervisors if it.process is process and process is not None), None)

    def sidecar_at(self, port: int) -> SimSidecar:
        return next(node.sidecars[port] for node in self.nodes if port in node.sidecars)

    def marker_of(self, root: str) -> str | None:
        return "5" * 32 if root == "/media" else None

    def public_epoch(self, channel_id: str) -> tuple[str, int] | None:
        """What viewers of the public HLS are given: by the row's newest epoch, the link on its node.

        Until a new sidecar enters the air, the old one's node serves.
        """
        row = self.truth.rows.get(channel_id)
        if row is None:
            return None
        fencing = row.fencing_node_id if row.phase == "fencing" else None
        node = self.node_named(fencing or row.node_id)
        if node is None or channel_id not in node.links:
            return None
        return node.name, node.links[channel_id]

    def leader(self) -> SimSupervisor | None:
        """Who may act now, by what the database granted."""
        return next((it for it in self.supervisors if it.runs and it.monotonic() < it.trusted_until), None)

    def said(self, channel_id: str) -> str:
        """What the leader last decided about the channel."""
        leader = self.leader()
        if leader is None or leader.supervision is None:
            return "nobody leads"
        return leader.supervision.live.get(channel_id).decision or "nothing decided"

    # --- what the code says of itself -----------------------------------------------------------------------------

    def heard_log(self, _logger: Any, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        """A structlog processor: an exception that the code did not expect is a bug, whoever caught it."""
        if method == "exception" or event.get("exc_info"):
            error = sys.exc_info()[1]
            names = [it.__name__ for it in type(error).__mro__]
            if not any(name in names for name in _HARMLESS):
                self.bugs.append(f"{event.get('event')}: {error!r} ({event.get('task') or event.get('run') or ''})")
        raise structlog.DropEvent


def channel_plan(chance: random.Random, size: Size) -> list[tuple[str, list[OutputSpec], str | None]]:
    """(name, outputs, node it is pinned to): as many as there are to be, each of another kind of fencing."""
    third = {
        "rtmp": [OutputSpec("rtmp", "rtmp://receiver/app/key")],
        "hold": [OutputSpec("udp", "udp://239.0.0.2:5000")],
        "both": [OutputSpec("hls"), OutputSpec("udp", "udp://239.0.0.3:5000", True)],
    }
    name = chance.choice(sorted(third))
    plan: list[tuple[str, list[OutputSpec], str | None]] = [
        ("hls", [OutputSpec("hls")], None),
        ("udp", [OutputSpec("udp", "udp://239.0.0.1:5000", True)], None),
        (name, third[name], None),
        ("sdi", [OutputSpec("decklink", "decklink://1")], f"n{chance.randrange(size.nodes)}"),
    ]
    movable = chance.sample(plan[:3], 3)
    # Of what cannot be moved a small world has little to tell.
    few = [plan[3], *movable] if chance.random() < _SDI_SHARE else [*movable, plan[3]]
    return sorted(few[: size.channels], key=plan.index)


@contextlib.contextmanager
def world_of(seed: int, *, aloud: bool = False, mix: Mix = ALL) -> Generator[World]:
    """Built and running at the time 0, with the real code's randomness and this machine's time replaced."""
    root = Path(tempfile.mkdtemp(prefix="mcr-sim-", dir=_fast_place()))
    log = EventLog(aloud=aloud)
    world = World(seed, root, log, mix)
    structlog.reset_defaults()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(40),
        processors=[world.heard_log],
        cache_logger_on_first_use=False,
    )
    warm_up()
    collecting = gc.isenabled()
    # What is collected in the middle would run its ``finally`` at a moment that no seed knows.
    gc.disable()
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(seeded(world._stream("ids"), lambda: world.database_host.wall_clock(world.loop.now)))
            for stand_in in stand_ins(world):
                stack.enter_context(stand_in)
            world.build()
            yield world
            world.close(collect=collecting)
    finally:
        if collecting:
            gc.enable()
        structlog.reset_defaults()
        shutil.rmtree(root, ignore_errors=True)


@functools.cache
def warm_up() -> None:
    """Once a process, or in the one it is forked from: what is there before the first world is not looked through at
    the end of each."""
    template.migrated()
    gc.collect()
    gc.freeze()


def _fast_place() -> str | None:
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() else None
