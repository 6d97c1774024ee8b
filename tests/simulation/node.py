"""A simulated machine that plays: power, disk, its sidecars, and the real agent's code on it."""

import asyncio
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from unittest.mock import patch

import msgspec

from sidecar.protocol.channel import SidecarDocument
from sidecar.protocol.status import Status
from supervisor.agent import cards, condition, local, watching
from supervisor.agent.interface import Device, MediaRootSeen, MediaSeen
from supervisor.agent.local import LocalAgent
from supervisor.threads import Threads
from tests.simulation.clock import SimClock
from tests.simulation.door import SimDoor, SimLauncher
from tests.simulation.journal import Disk
from tests.simulation.processes import Host, Process
from tests.simulation.sidecar import SimSidecar

if TYPE_CHECKING:
    from tests.simulation.world import World

T = TypeVar("T")
STARTUP_S: Final = (0.3, 2.0)


class SimLinks:
    """Stands where ``supervisor.agent.links.Links`` does: the public playlists of a node."""

    def __init__(self, node: "SimNode") -> None:
        self._node = node

    def move(self, status: Status) -> None:
        if any(output.kind == "hls" and output.segments >= 1 for output in status.outputs):
            self._node.world.truth.link_moved(self._node, status.channel_id, status.epoch)
            self._node.links[status.channel_id] = status.epoch

    def changed_ns(self, channel_id: str, epoch: int) -> int | None:
        return self._node.stamps.get((channel_id, epoch))


@dataclass(frozen=True, slots=True)
class SimCards:
    """Stands where ``supervisor.agent.cards.Cards`` does once the agent runs."""

    seen: tuple[Device, ...]
    capture_fault: str | None = None


class SimNode:
    """``agent`` is None while none runs. ``links`` is by channel the epoch that the public playlist names."""

    def __init__(self, world: "World", number: int, root: Path, chance: random.Random) -> None:
        name = f"n{number}"
        self.world = world
        self.name = name
        self.cards = tuple(Device(index, "Simulated", f"{name}-card-{index}") for index in (1, 2))
        self.host = Host(name, base=chance.uniform(0.0, 1e5))
        self.chance = chance
        self.disk = Disk(root)
        self.powered = True
        self.media_up = True
        self.boot_id = ""
        self.agent: LocalAgent | None = None
        self.agent_process: Process | None = None
        self.agent_boot = ""
        self.sidecars: dict[int, SimSidecar] = {}
        self.links: dict[str, int] = {}
        self.stamps: dict[tuple[str, int], int] = {}
        self.missing_media: frozenset[str] = frozenset()
        self.troubled_at = -1e9
        """When something was last wrong with it or with the way to it; what would excuse a move."""
        self._pids = 100_000 * (number + 1)
        self._boots = 0

    @property
    def incarnation(self) -> str | None:
        """What its agent's memory is named by; None while none runs."""
        return None if self.agent is None else self.agent._condition._incarnation

    @property
    def in_trouble(self) -> bool:
        """Something is wrong with it, or with the way to it, that would excuse a move."""
        network, process = self.world.network, self.agent_process
        if not self.powered or self.agent is None or process is None or process.stopped:
            return True
        return network.is_rough or any(self.name in pair for pair in network.cuts)

    def trouble(self) -> None:
        """Something is, or was until now, wrong with it or with the way to it."""
        self.troubled_at = self.world.loop.now

    # --- power --------------------------------------------------------------------------------------------------

    def boot(self) -> None:
        self._boots += 1
        self.boot_id = f"{self.name}-boot-{self._boots}"
        self.powered = True
        self.world.log.say("boot", self.name)
        self.start_agent()

    def crash(self, *, disk_too: bool) -> None:
        """Power off. What was flushed stays, unless the disk goes too."""
        self.powered = False
        self.kill_agent()
        for sidecar in self.living():
            sidecar.exit(-9)
        self.sidecars.clear()
        self.world.log.say("fault", f"{self.name} loses its power{' and its disk' if disk_too else ''}")
        if disk_too:
            shutil.rmtree(self.disk.root, ignore_errors=True)
            self.disk.chains.clear()
            self.disk.lost.update(self.disk.runs)
            self.world.truth.disk_lost(self)
            self.links.clear()
            self.stamps.clear()

    # --- its agent ----------------------------------------------------------------------------------------------

    def start_agent(self) -> None:
        if not self.powered or self.agent_process is not None:
            return
        self._boots += 1
        self.agent_boot = f"{self.name}-agent-{self._boots}"
        process = Process(self.agent_boot, self.host)
        self.agent_process = process
        self.world.processes.append(process)
        self.world.loop.spawn(process, self._run_agent(process), self.agent_boot)

    def kill_agent(self) -> None:
        if self.agent_process is not None:
            self.world.loop.kill(self.agent_process)
        self.agent_process = None
        self.agent = None

    async def _run_agent(self, process: Process) -> None:
        root = self.disk.root
        for directory in ("agent", "sidecars", "journal", "media"):
            (root / directory).mkdir(parents=True, exist_ok=True)
        agent = LocalAgent(
            agent_dir=root / "agent",
            sidecars_dir=root / "sidecars",
            journal_dir=root / "journal",
            media_root=root / "media",
            clock=SimClock(self.world.loop, self.host),
            launcher=SimLauncher(self, process.name),
        )
        async with agent:
            agent._condition._cards = SimCards(self.cards)  # type: ignore[assignment]
            self.agent = agent
            await self.world.loop.create_future()

    async def media(self, roots: Sequence[str], paths: Sequence[str]) -> MediaSeen:
        """In place of the agent's look at real directories, which all simulated nodes would share."""
        seen = tuple(MediaRootSeen(root, self.world.marker_of(root)) for root in roots)
        return MediaSeen(seen, {path: "no such file" for path in paths if path in self.missing_media})

    # --- its sidecars -------------------------------------------------------------------------------------------

    def living(self) -> list[SimSidecar]:
        return [sidecar for sidecar in self.sidecars.values() if not sidecar.exited]

    def spawn(self, environment: dict[str, str], boot: str) -> SimSidecar:
        self._pids += 1
        document = msgspec.json.decode(Path(environment["MCR_DOCUMENT"]).read_bytes(), type=SidecarDocument)
        epoch = int(environment["MCR_EPOCH"])
        process = Process(f"sidecar {document.name}/{epoch}@{self.name}", self.host)
        sidecar = SimSidecar(self, process, self._pids, self._pids * 100, environment, document, epoch, boot)
        self.sidecars[sidecar.pid] = sidecar
        self.world.truth.launched(sidecar)
        sidecar.after(self.chance.uniform(*STARTUP_S), sidecar.begin)
        return sidecar


async def _inline(threads: Threads, seconds: float, call: Callable[..., T], *args: object, **named: object) -> T:
    """Stands where ``Threads.run`` does: a disk that never hangs needs no thread."""
    del threads, seconds
    await asyncio.sleep(0)
    return call(*args, **named)


class _NoClient:
    """Stands where the agent's HTTP client does, which only doors use."""

    def __init__(self, **options: object) -> None:
        del options

    async def __aenter__(self) -> "_NoClient":
        return self

    async def __aexit__(self, *args: object) -> None:
        return


def stand_ins(world: "World") -> list[Any]:
    """Patches of what the agent's code reaches of this machine."""

    def door(client: object, base: str, token: str) -> SimDoor:
        del client, token
        sidecar = world.sidecar_at(int(base.rpartition(":")[2]))
        return SimDoor(sidecar.node, sidecar)

    def links(media_root: Path) -> SimLinks:
        return SimLinks(world.node_at(media_root))

    return [
        patch.object(watching, "Door", door),
        patch.object(watching, "Links", links),
        patch.object(local.httpx, "AsyncClient", _NoClient),
        patch.object(cards, "cards_in", lambda _: ()),
        patch.object(condition, "_load", lambda: 0.1),
        patch.object(Threads, "run", _inline),
    ]
