"""An agent whose launcher cannot tell: what is unknown is neither started twice nor taken for dead."""

from collections.abc import Mapping

import pytest

from sidecar.protocol.channel import SidecarDocument
from supervisor.agent.interface import EngineAway, StartFailed, StartOrder, StillRunning, StopOrder, StopUnconfirmed
from supervisor.agent.launcher import Identity, Launch, Life, ProcessIdentity
from supervisor.agent.process import ProcessLauncher
from tests.fixtures.agents import NodeHome, document, running, until

CHANNEL = "c" * 32
AWAY = "the container engine at unix:///engine does not answer"


class FarLauncher(ProcessLauncher):
    """Processes behind an engine that can be away. ``loses_start``: the start is carried out and its answer lost."""

    def __init__(self, *, away: bool = False, loses_start: bool = False) -> None:
        super().__init__()
        self.away = away
        self.loses_start = loses_start

    @property
    def fault(self) -> str:
        return AWAY if self.away else ""

    def _ask(self) -> None:
        if self.away:
            raise EngineAway(AWAY)

    async def launch(self, launch: Launch) -> ProcessIdentity:
        started = await super().launch(launch)
        if self.loses_start:
            self.away = True
        self._ask()
        return started

    async def find(self, environment: Mapping[str, str]) -> ProcessIdentity | None:
        self._ask()
        return await super().find(environment)

    async def alive(self, identity: Identity) -> Life:
        return "unknown" if self.away else await super().alive(identity)

    async def exited(self, identity: Identity) -> int | None:
        code = await super().exited(identity)
        await until(lambda: not self.away)
        return code

    async def signal(self, identity: Identity, number: int) -> None:
        self._ask()
        await super().signal(identity, number)


def start(epoch: int = 1) -> StartOrder:
    what: SidecarDocument = document(CHANNEL, "news")
    return StartOrder(CHANNEL, epoch, 1, what)


async def test_nothing_is_started_while_an_earlier_start_is_in_doubt(node_home: NodeHome) -> None:
    """P2: its answer was lost, so it may run; when that is told it does, and must be stopped before another."""
    launcher = FarLauncher(loses_start=True)
    async with running(node_home, launcher=launcher) as agent:
        with pytest.raises(StartFailed, match="does not answer"):
            await agent.start(start(1))
        launcher.loses_start = False
        for order in (start(1), start(2)):
            with pytest.raises(StartFailed, match="unknown whether an earlier start"):
                await agent.start(order)
        # Nor is a stop confirmed, and the report says that it may not list all.
        with pytest.raises(StopUnconfirmed):
            await agent.stop(StopOrder(CHANNEL, 1, 1, "olga"))
        launcher.away = False
        report = await agent.report(-1, 0.0)
        assert CHANNEL in report.condition.engine_fault
        # A program that is just being loaded has no environment yet that it could be found by.
        await until(lambda: len(node_home.processes()) == 1)

        async def listed() -> bool:
            return bool((await agent.report(-1, 0.0)).sidecars)

        await until(listed, 10, "the earlier start to be found")
        assert not (await agent.report(-1, 0.0)).condition.engine_fault
        with pytest.raises(StillRunning):
            await agent.start(start(2))
        assert await agent.stop(StopOrder(CHANNEL, 1, 1, "olga", patient=False)) is not None
        await agent.start(start(2))
        # A program that is just being loaded has no environment yet that it could be found by.
        await until(lambda: len(node_home.processes()) == 1)


async def test_a_sidecar_is_not_dead_because_nobody_can_tell(node_home: NodeHome) -> None:
    """P6: an agent made anew while the engine is away lists what it started, without an exit, and hears it answer."""
    async with running(node_home) as agent:
        pid = await agent.start(start(1))
    launcher = FarLauncher(away=True)
    async with running(node_home, launcher=launcher) as agent:

        async def answers() -> bool:
            report = await agent.report(-1, 0.0)
            return bool(report.sidecars) and report.sidecars[0].status is not None

        await until(answers)
        report = await agent.report(-1, 0.0)
        assert report.condition.engine_fault == AWAY
        assert (report.sidecars[0].pid, report.sidecars[0].exit) == (pid, None)
        with pytest.raises(StopUnconfirmed, match="does not answer"):
            await agent.stop(StopOrder(CHANNEL, 1, 1, "olga", patient=False))
        launcher.away = False
        ended = await agent.stop(StopOrder(CHANNEL, 1, 1, "olga", patient=False))
        assert ended is not None


async def test_a_handle_without_an_identity_is_kept_until_it_is_told(node_home: NodeHome) -> None:
    """P2: ended between a start and the note of it, and then the engine is away: still nothing is started twice."""
    async with running(node_home) as agent:
        pid = await agent.start(start(1))
    (handle,) = (node_home.path / "agent" / "handles").iterdir()
    handle.write_text("{}")
    launcher = FarLauncher(away=True)
    async with running(node_home, launcher=launcher) as agent:
        with pytest.raises(StartFailed, match="unknown whether an earlier start"):
            await agent.start(start(2))
        launcher.away = False

        async def found() -> bool:
            return [one.pid for one in (await agent.report(-1, 0.0)).sidecars] == [pid]

        await until(found, 10)


async def test_a_stranger_on_its_port_is_not_believed(node_home: NodeHome) -> None:
    """P2: pid, channel and epoch can be guessed; the name of the run stands in a file that nobody else can read."""
    async with running(node_home) as agent:
        await agent.start(start(1))

        async def answers() -> bool:
            return (await agent.poll(CHANNEL, 1)).status is not None

        await until(answers)
        agent._watching.living(CHANNEL, 1).run_id = "f" * 32
        before = await agent.poll(CHANNEL, 1)
        assert "answers for run" in before.fault
