"""The same promises with the real engine: slates only, so that no media is needed."""

import os
import signal

import av
import pytest

from tests.fixtures.agents import NodeHome, until
from tests.fixtures.stations import FOREVER, REAL, Station, station

pytestmark = pytest.mark.realtime


async def link_of(here: Station, channel_id: str) -> str:
    link = here.home.path / "media" / "live" / channel_id / "index.m3u8"
    await until(link.is_symlink, what="the public playlist")
    return str(link.readlink())


async def test_real_air_survives_both_kills(node_home: NodeHome) -> None:
    """P1, P2, P4, P5, P8: start, take, adoption, kill -9 of the sidecar, stop; HLS that decodes; a whole log."""
    service = {"poll": 1.0, "answer": 0.8, "output_still": 4.5, "lease_ttl": 10.0, "lease_margin": 1.0}
    async with station(node_home, timing=service, program=REAL) as here:
        row = await here.channel(FOREVER, FOREVER, FOREVER)
        await here.start(row)
        assert await link_of(here, row.id) == "1.m3u8"
        done = await here.take(row.id)
        assert done.frame is not None
        shown = here.live(row.id).item
        assert shown is not None
        assert shown.title == "item 1"
        pid = await here.pid(row.id)
    async with station(node_home, timing=service, program=REAL) as here:
        live = await here.on_air(row.id, epoch=1)
        assert await here.pid(row.id) == pid
        before = live.frame
        await until(lambda: here.live(row.id).frame > before, what="it plays on")
        assert (await here.commands.thumbnail(row.id)).startswith(b"\xff\xd8")
        os.kill(pid, signal.SIGKILL)
        live = await here.on_air(row.id, epoch=2, timeout=30.0)
        assert live.item is not None
        assert live.item.title == "item 1"

        async def moved() -> bool:
            return await link_of(here, row.id) == "2.m3u8"

        await until(moved, what="the public playlist moves")
        with av.open(str(node_home.path / "media" / "live" / row.id / "2.m3u8")) as programme:
            assert sum(1 for _, frame in zip(range(50), programme.decode(video=0), strict=False) if frame) == 50
        await here.off(row.id)
        await here.log_is_complete(row.id)
        statuses = [(event.title, event.epoch, event.status) for event in await here.events_of(row.id)]
        assert statuses == [
            ("item 0", 1, "cut"),
            ("item 1", 1, "unknown end"),
            ("item 1", 2, "cut"),
        ]
        assert "asrun_chain_broken" not in await here.alarms()
        assert not node_home.processes()
