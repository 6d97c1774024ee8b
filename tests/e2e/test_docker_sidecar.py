"""The real image, built by the repository's Dockerfile, plays a real clip in a container of a real engine."""

import os
import signal
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path

import pytest

from sidecar.clips.make import make_clip
from sidecar.clips.specification import ClipSpecification
from sidecar.protocol.channel import ChannelFormat, Item, Output, Playlist, SidecarDocument
from supervisor.agent.interface import Arm, Order, SidecarReport, StartOrder, StopOrder
from supervisor.agent.local import LocalAgent
from tests.fixtures.agents import NodeHome, until
from tests.fixtures.docker_engine import DockerEngine, docker_launcher

pytestmark = [
    pytest.mark.realtime,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("docker"),
    # The SDK leaves the socket of a refused connection to the garbage collector.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]
CHANNEL = "d" * 32
OWNER = uuid.uuid4().hex
PROGRAM = ("python", "-P", "-m", "sidecar")


def order(clip: Path, epoch: int = 1) -> StartOrder:
    playlist = Playlist(1, (Item(id="news", title="News", path=str(clip)),), "loop")
    form = ChannelFormat(320, 180, "25")
    return StartOrder(CHANNEL, epoch, 1, SidecarDocument(CHANNEL, "One", form, (Output("o1", "hls"),), playlist))


@asynccontextmanager
async def agent_of(home: NodeHome, engine: DockerEngine, image: str, media: Path) -> AsyncIterator[LocalAgent]:
    async with (
        docker_launcher(engine.url, owner=OWNER, image=image, media=(str(media),)) as launcher,
        home.agent(launcher=launcher, program=PROGRAM) as agent,
    ):
        yield agent


async def seen(agent: LocalAgent, epoch: int = 1) -> SidecarReport:
    report = await agent.report(-1, 0.0)
    return next(it for it in report.sidecars if it.epoch == epoch)


async def test_the_image_plays_and_its_log_outlives_it(
    node_home: NodeHome, docker_engine: DockerEngine, sidecar_image: str, tmp_path: Path
) -> None:
    """P2, P4, P5: muted, then armed; adopted by a new agent; an engine that hangs changes nothing; its as-run is read
    after a kill, and its container is gone once its exit is known."""
    media = tmp_path / "clips"
    media.mkdir()
    clip = make_clip(ClipSpecification(1, "In a box", 320, 180, Fraction(25), 50), media)
    live = node_home.path / "media" / "live" / CHANNEL

    async with agent_of(node_home, docker_engine, sidecar_image, media) as agent:
        pid = await agent.start(order(clip))

        async def ready() -> SidecarReport | None:
            it = await seen(agent)
            return it if it.status is not None and it.status.next is not None and it.status.next.ready else None

        muted = await until(ready, 60, "the clip decoded")
        assert muted.status.state == "muted"
        assert muted.status.pid != pid
        assert not (live / "1.m3u8").exists()
        arm = Order(CHANNEL, 1, 1, uuid.uuid4().hex, "olga", Arm((await agent.poll(CHANNEL, 1)).status.nonce))
        await agent.command(arm, 5.0)
        await until((live / "index.m3u8").is_symlink, 30, "the first segment and the link")
        assert (await agent.report(-1, 0.0)).condition.launcher == "docker"

    async with agent_of(node_home, docker_engine, sidecar_image, media) as agent:
        adopted = await until(lambda: seen(agent), what="the sidecar, adopted")
        assert adopted.pid == pid
        docker_engine.signal(signal.SIGSTOP)
        try:

            async def faulty() -> bool:
                return "does not answer" in (await agent.report(-1, 0.0)).condition.engine_fault

            await until(faulty, 20, "the engine's fault in the report")
            now = await agent.poll(CHANNEL, 1)
            assert now.exit is None
            assert now.status is not None
            assert now.status.state == "on_air"
        finally:
            docker_engine.signal(signal.SIGCONT)

        async def well() -> bool:
            return not (await agent.report(-1, 0.0)).condition.engine_fault

        await until(well, 20, "the engine known again")
        run_id = (await agent.poll(CHANNEL, 1)).status.run_id
        os.kill(pid, signal.SIGKILL)
        gone = await until(lambda: _exited(agent), 20, "its exit")
        assert gone.exit.code == -9
        assert gone.exit.last_words
        assert gone.exit.item_id == "news"
        page = await agent.asrun(CHANNEL, run_id, 0, 100)
        assert page is not None
        assert [line.record.kind for line in page.lines][:1] == ["run_start"]
        assert "item_start" in {line.record.kind for line in page.lines}
        await until(lambda: not docker_engine.containers(**{"mcr.owner": OWNER}), 20, "its container removed")

        await agent.start(order(clip, 2))

        async def answers() -> bool:
            return (await seen(agent, 2)).status is not None

        await until(answers, 60, "its first answer")
        ended = await agent.stop(StopOrder(CHANNEL, 2, 1, "olga"))
        assert ended is not None
        assert ended.code == 0


async def _exited(agent: LocalAgent) -> SidecarReport | None:
    it = await seen(agent)
    return it if it.exit is not None else None
