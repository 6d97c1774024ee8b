"""A channel on the CasparCG engine, from the supervisor to the server of the tests: real processes between."""

import os
import signal
import time
from datetime import UTC, datetime

import pytest

from db.models import Channel
from db.repositories.playlists import ItemSpec
from supervisor.schemas.playout import CasparIn
from tests.doubles.caspar.layers import Clip
from tests.doubles.caspar.server import FakeCaspar
from tests.fixtures.agents import NodeHome, until
from tests.fixtures.stations import OLGA, REAL, Station, station

pytestmark = pytest.mark.realtime

TIMING = {"poll": 1.0, "answer": 0.8, "output_still": 6.0, "lease_ttl": 10.0, "lease_margin": 1.0}


def library(name: str) -> Clip | None:
    return Clip(name, 1000) if name.startswith("/media/") else None


async def channel_on(here: Station, server: FakeCaspar) -> Channel:
    now = datetime.now(UTC)
    async with here.store.write() as tx:
        playlist = await tx.playlists.add("clips", None, now)
        assets = [
            await tx.assets.add(
                {
                    "title": f"clip {n}", "path": f"/media/{n}.mp4", "size_bytes": 1, "fingerprint": f"f{n}",
                    "rate": "25", "duration_frames": 1000, "asset_duration_ms": 40_000,
                }, now,
            )
            for n in range(3)
        ]  # fmt: skip
        specs = [ItemSpec(title=asset.title, asset_id=asset.id) for asset in assets]
        playlist, _ = await tx.playlists.insert(playlist.id, playlist.revision, specs)
        row = await tx.channels.add(
            {
                "name": "Caspar", "width": 1280, "height": 720, "rate": "25", "playlist_id": playlist.id,
                "after_last": "loop", "engine": "caspar",
                "playout": {"caspar": CasparIn(port=server.port).model_dump()},
            }, [("udp", "udp://127.0.0.1:5004")], now,
        )  # fmt: skip
    await here.commands.channel_changed(row.id)
    return row


async def test_a_channel_airs_by_a_server_through_a_take_and_the_death_of_its_sidecar(node_home: NodeHome) -> None:
    async with (
        FakeCaspar(library, time.monotonic) as server,
        station(node_home, timing=TIMING, program=REAL) as here,
    ):
        row = await channel_on(here, server)
        await here.start(row)
        assert (await here.row(row.id)).fenced_by == "server"
        engine = here.live(row.id).engine
        assert engine is not None
        assert (engine.answers, engine.moves, engine.version) == (True, True, "2.5.0 69e8ad552 Stable")
        assert server.outputs.ports[700].address.startswith("udp://127.0.0.1:5004?")
        layer = server.layers[10]
        done = await here.take(row.id)
        assert done.frame is not None
        assert layer.air[-1].path == "/media/1.mp4"
        airs = len(layer.air)

        os.kill(await here.pid(row.id), signal.SIGKILL)
        live = await here.on_air(row.id, epoch=2, timeout=30.0)
        assert live.item is not None
        assert len(layer.air) <= airs + 1  # it was left to play; by then the next may have followed
        await here.off(row.id)
        await until(lambda: 10 not in server.layers, what="a layer that is cleared")

        async def logged() -> bool:
            return [event.title for event in await here.events_of(row.id)][:2] == ["clip 0", "clip 1"]

        await until(logged, what="both in the log")


async def test_a_stop_that_the_server_does_not_confirm_is_alarmed_and_done_again(node_home: NodeHome) -> None:
    async with (
        FakeCaspar(library, time.monotonic) as server,
        station(node_home, timing=TIMING, program=REAL) as here,
    ):
        row = await channel_on(here, server)
        await here.start(row)
        server.manners.queue_full = True
        await here.commands.stop(row.id, OLGA)
        await until(lambda: "may play on" in here.live(row.id).decision, 30.0, "a stop that is not confirmed")
        assert here.live(row.id).phase == "stopping"
        assert 10 in server.layers

        async def is_alarmed() -> bool:
            return "stop_unconfirmed" in await here.alarms()

        await until(is_alarmed, 10.0, "its alarm")
        server.manners.queue_full = False
        await until(lambda: here.live(row.id).phase == "off", 60.0, "off")
        assert 10 not in server.layers
        assert not [number for number, port in server.outputs.ports.items() if not port.removed and number >= 700]
