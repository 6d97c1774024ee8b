"""Servers of each version, and what they are told otherwise; and a server that the channel was played by before."""

import asyncio
from fractions import Fraction
from pathlib import Path

import pytest

from sidecar.caspar.former import Former
from sidecar.protocol.channel import CasparServer
from tests.doubles.caspar.layers import Clip
from tests.doubles.caspar.server import FakeCaspar
from tests.fixtures.agents import until
from tests.fixtures.caspar_air import CasparAir, TickTime, item

CLIPS = {"a": 250, "b": 125, "c": 60}
VERSIONS = ["2.3.3 f6f2c0d LTS", "2.4.3 4a1f2c3 Stable", "2.5.0 69e8ad552 Stable"]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_list_airs_on_each_version(version: str) -> None:
    async with CasparAir([item("a", 50), item("b", 30), item("c", None)], CLIPS, version=version) as air:
        await air.arm()
        await air.run(200)
        assert air.drive.health.version == version
        assert air.ends() == [("a", "ended", 50, 0), ("b", "ended", 30, 0), ("c", "ended", 60, 0)]
        assert {fact.proof for fact, _ in air.facts} == {"confirmed"}


async def test_a_version_before_2_3_is_refused_and_said() -> None:
    async with CasparAir([item("a", 50)], CLIPS, version="2.1.0.3437 8ff5d28 Beta") as air:
        await air.arm()
        await air.run(20)
        assert not air.drive.health.answers
        assert "too old" in air.drive.health.detail


async def test_an_old_server_with_other_paths_is_told_names_below_its_media_folder() -> None:
    place = CasparServer(media="/media")
    async with CasparAir([item("a", 50), item("b", 30)], CLIPS, version=VERSIONS[0], place=place) as air:
        air.server.media = "C:\\media\\"
        await air.arm()
        await air.run(100)
        assert air.ends()[:2] == [("a", "ended", 50, 0), ("b", "ended", 30, 0)]
        assert any('"a.mp4"' in one for one in air.server.received)


async def test_an_old_server_that_does_not_tell_where_its_media_are_plays_nothing_and_it_is_said() -> None:
    async with CasparAir([item("a", 50)], CLIPS, version=VERSIONS[0]) as air:
        air.server.media = "C:\\media\\"
        await air.arm()
        await air.run(60)
        assert any("media folder" in fact.detail for fact, _ in air.facts)
        assert not [one for one in air.aired if one.path.startswith("/")]


# --- the server before ------------------------------------------------------------------------------------------------


def library(name: str) -> Clip | None:
    return Clip(name, 200)


class Before:
    """A server that plays for the channel, which is then told of another."""

    def __init__(self, server: FakeCaspar, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.time = TickTime()
        self.old = CasparServer(port=server.port)
        server.do(["PLAY", "1-10", "/media/a.mp4"], "")
        server.do(["ADD", "1-700", "STREAM", "udp://127.0.0.1:5004", "-format", "mpegts"], "")
        server.do(["PLAY", "1-99", "/media/somebody.mp4"], "")

    def former(self, now: CasparServer) -> Former:
        return Former(self.folder, now, self.time.monotonic_ns, 0.5)


async def ends(former: Former) -> None:
    task = asyncio.create_task(former.run())
    await asyncio.wait({task}, timeout=60)
    assert former.is_done
    await former.close()


async def test_a_server_that_the_channel_was_played_by_before_is_ended(tmp_path: Path) -> None:
    async with FakeCaspar(library, TickTime().seconds, rate=Fraction(25)) as server:
        before = Before(server, tmp_path)
        assert before.former(before.old).is_done
        former = before.former(CasparServer(host="other"))
        assert "may play on" in former.fault
        await ends(former)
        assert former.fault == ""
        assert list(server.layers) == [99]
        assert [port for port in server.outputs.ports.values() if not port.removed] == []


async def test_of_the_same_channel_only_the_layer_before_is_cleared(tmp_path: Path) -> None:
    async with FakeCaspar(library, TickTime().seconds, rate=Fraction(25)) as server:
        before = Before(server, tmp_path)
        before.former(before.old)
        await ends(before.former(CasparServer(port=server.port, layer=20)))
        assert list(server.layers) == [99]
        assert [port for port in server.outputs.ports.values() if not port.removed] != []


async def test_what_has_not_confirmed_is_remembered_by_the_run_after(tmp_path: Path) -> None:
    async with FakeCaspar(library, TickTime().seconds, rate=Fraction(25)) as server:
        before = Before(server, tmp_path)
        before.former(before.old)
        server.manners.queue_full = True
        first = before.former(CasparServer(host="other"))
        task = asyncio.create_task(first.run())
        await asyncio.wait({task}, timeout=0.3)
        assert not first.is_done
        task.cancel()
        await first.close()
        server.manners.queue_full = False
        second = before.former(CasparServer(host="third"))
        assert not second.is_done
        server_before = [old for old in second.fault.split() if old == str(server.port)]
        assert server_before == []  # "other" is told of first: it was driven last
        task = asyncio.create_task(second.run())
        await until(lambda: list(server.layers) == [99], what="the server before is ended")
        task.cancel()
        await second.close()
        assert list(server.layers) == [99]


async def test_a_stop_that_was_confirmed_leaves_nothing_to_end(tmp_path: Path) -> None:
    async with FakeCaspar(library, TickTime().seconds, rate=Fraction(25)) as server:
        before = Before(server, tmp_path)
        before.former(before.old).forget()
        assert before.former(CasparServer(host="other")).is_done
