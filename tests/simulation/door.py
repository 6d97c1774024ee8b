"""The HTTP door of a simulated sidecar, as the agent's code sees it, and its launcher."""

import asyncio
import signal as signals
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from sidecar.protocol.asrun import AsRunPage
from sidecar.protocol.commands import CommandReply
from sidecar.protocol.status import Status
from supervisor.agent.door import Request
from supervisor.agent.interface import SidecarBroken, SidecarRefused, SidecarSilent
from supervisor.agent.launcher import Identity, Launch, Life, ProcessIdentity
from tests.simulation.sidecar import Refuse, SimSidecar

if TYPE_CHECKING:
    from tests.simulation.node import SimNode

T = TypeVar("T")


class SimDoor:
    """Stands where ``supervisor.agent.door.Door`` does."""

    def __init__(self, node: "SimNode", sidecar: SimSidecar) -> None:
        self._node = node
        self._sidecar = sidecar

    async def status(self, timeout: float) -> Status:
        return await self._ask("/status", self._sidecar.status, timeout)

    async def command(self, request: Request, timeout: float) -> CommandReply:
        body: dict[str, Any] = msgspec.json.decode(request.body or b"{}")
        verb = request.path.strip("/")
        return await self._ask(request.path, lambda: self._sidecar.command(verb, body), timeout)

    async def asrun(self, run_id: str, after: int, limit: int, timeout: float) -> AsRunPage:
        assert run_id == self._sidecar.run_id
        return await self._ask("/asrun", lambda: self._sidecar.journal.page(after, limit), timeout)

    async def thumbnail(self, timeout: float) -> bytes:
        return await self._ask("/thumbnail.jpg", lambda: b"a picture", timeout)

    async def _ask(self, path: str, work: Callable[[], T], timeout: float) -> T:
        """A request that waits in a stopped process is answered, and obeyed, when it is continued."""
        sidecar, loop = self._sidecar, asyncio.get_running_loop()
        if sidecar.exited:
            raise SidecarSilent(f"no answer to {path}: connection refused")
        answered: asyncio.Future[T] = loop.create_future()

        def handle() -> None:
            if sidecar.mute_door:
                return
            try:
                result = work()
            except Refuse as refused:
                if not answered.done():
                    answered.set_exception(SidecarRefused(refused.refusal))
            else:
                if not answered.done():
                    answered.set_result(result)

        loop.call_later(self._node.chance.uniform(0.001, 0.008), handle, context=sidecar.process.context)
        try:
            async with asyncio.timeout(timeout):
                return await answered
        except TimeoutError as error:
            raise SidecarSilent(f"no answer to {path} within {timeout:g} s") from error


class SimLauncher:
    """A ``Launcher`` of simulated processes on one node; they outlive whoever started them."""

    def __init__(self, node: "SimNode", boot: str) -> None:
        self._node = node
        self._boot = boot

    kind: Final = "process"
    fault: Final = ""

    async def launch(self, launch: Launch) -> ProcessIdentity:
        await asyncio.sleep(self._node.chance.uniform(0.001, 0.02))
        sidecar = self._node.spawn(dict(launch.environment), self._boot)
        return self._identity(sidecar)

    async def find(self, environment: Mapping[str, str]) -> ProcessIdentity | None:
        for sidecar in self._node.living():
            if all(sidecar.environment.get(name) == value for name, value in environment.items()):
                return self._identity(sidecar)
        return None

    async def variable(self, process: Identity, name: str) -> str | None:
        sidecar = self._of(process)
        return None if sidecar is None or sidecar.exited else sidecar.environment.get(name)

    async def alive(self, process: Identity) -> Life:
        sidecar = self._of(process)
        return "lives" if sidecar is not None and not sidecar.exited else "gone"

    async def exited(self, process: Identity) -> int | None:
        sidecar = self._of(process)
        if sidecar is None:
            return None
        if not sidecar.exited:
            gone: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            sidecar.at_exit.append(lambda code: gone.done() or gone.set_result(code))
            await gone
        return sidecar.exit_code if sidecar.boot == self._boot else None

    async def signal(self, process: Identity, number: int) -> None:
        sidecar = self._of(process)
        if sidecar is None or sidecar.exited:
            return
        self._node.world.truth.signalled(sidecar, number)
        loop = self._node.world.loop
        if number == signals.SIGKILL:
            loop.call_later(
                self._node.chance.uniform(0.0, 0.03), lambda: sidecar.exit(-9), context=self._node.world.nobody
            )
        elif number == signals.SIGTERM:
            sidecar.after(0.001, lambda: sidecar.leave("SIGTERM"))
        else:
            raise SidecarBroken(f"the simulation knows no signal {number}")

    async def door(self, process: Identity, port: int, pid: int) -> str | None:
        return f"http://127.0.0.1:{port}" if pid == process.pid else None

    async def forget(self, process: Identity) -> None:
        """Nothing is left of a process."""

    def _of(self, process: Identity) -> SimSidecar | None:
        if not isinstance(process, ProcessIdentity) or process.boot_id != self._node.boot_id:
            return None
        return self._node.sidecars.get(process.pid)

    def _identity(self, sidecar: SimSidecar) -> ProcessIdentity:
        return ProcessIdentity(self._node.boot_id, sidecar.pid, sidecar.start_ticks)
