"""An agent over HTTP obeys the cluster that it belongs to: a restored copy with the station's key commands nothing."""

import asyncio
import threading
from datetime import UTC, datetime

import httpx
import pytest

from db.models import Node
from supervisor.agent.interface import NodeReport, OtherCluster, StopOrder
from supervisor.agent.memory import Memory
from supervisor.agent.source import Agents
from supervisor.agent.wire.signing import cluster_mac, hello_mac, new_nonce
from supervisor.clock import SystemClock
from supervisor.decisions.timing import Timing
from supervisor.loops.fleet import Fleet
from supervisor.loops.node_alarms import NODE_ALARMS
from supervisor.nursery import Nursery
from tests.fixtures.agent_orders import CHANNEL, muted, start
from tests.fixtures.agents import KEY, NODE, NodeHome, served, until

OURS, COPY = "a" * 32, "b" * 32


async def test_a_copy_with_the_stations_key_commands_nothing(node_home: NodeHome) -> None:
    """P2: it is told so, whatever it asks, and what plays plays on for whom it belongs to."""
    async with served(node_home) as node, node.remote(cluster=OURS) as ours, node.remote(cluster=COPY) as copy:
        pid = await ours.start(start())
        await muted(ours)
        for asked in (
            copy.start(start(epoch=2, term=99)),
            copy.standby(start(epoch=2, term=99)),
            copy.stop(StopOrder(CHANNEL, 9, 99, "trial", patient=False)),
            copy.report(-1, 0.0),
            copy.poll(CHANNEL, 1),
            copy.thumbnail(CHANNEL, 1),
            copy.live_file(CHANNEL, "index.m3u8"),
            copy.runs({}),
            copy.asrun(CHANNEL, "0" * 32, 0, 1),
            copy.media((), ()),
        ):
            with pytest.raises(OtherCluster, match=f"belongs to cluster {OURS} .*mcr node adopt {NODE}"):
                await asked
        assert node_home.processes() == [pid]
        report = await ours.report(-1, 0.0)
        assert [(it.channel_id, it.epoch, it.exit) for it in report.sidecars] == [(CHANNEL, 1, None)]
        assert report.term < 99, "a refused order left its term"


async def test_it_is_known_after_a_restart_and_until_it_is_adopted(node_home: NodeHome) -> None:
    async with served(node_home) as node, node.remote(cluster=OURS) as ours:
        await ours.report(-1, 0.0)
    async with served(node_home) as node, node.remote(cluster=OURS) as ours, node.remote(cluster=COPY) as copy:
        with pytest.raises(OtherCluster):
            await copy.report(-1, 0.0)
        await copy.adopt()
        assert isinstance(await copy.report(-1, 0.0), NodeReport)
        with pytest.raises(OtherCluster):  # its session of before is of no use either
            await ours.report(-1, 0.0)
    async with served(node_home) as node, node.remote(cluster=OURS) as ours, node.remote(cluster=COPY) as copy:
        await copy.report(-1, 0.0)
        with pytest.raises(OtherCluster):
            await ours.report(-1, 0.0)


async def test_a_disk_that_hangs_makes_no_node_away(node_home: NodeHome, monkeypatch: pytest.MonkeyPatch) -> None:
    """P6: that a cluster's id cannot be kept delays no call, and it is obeyed by that cluster alone all the same."""
    ends, writes = threading.Event(), list[str]()
    real = Memory.keep_cluster

    def hang(memory: Memory, cluster: str) -> None:
        writes.append(cluster)
        ends.wait()
        real(memory, cluster)

    monkeypatch.setattr(Memory, "keep_cluster", hang)
    try:
        async with (
            served(node_home) as node,
            node.remote(margin=20.0, cluster=OURS) as ours,
            node.remote(margin=20.0, cluster=COPY) as copy,
        ):
            await asyncio.gather(*(ours.report(-1, 0.0) for _ in range(20)))
            await until(lambda: writes, what="it is being kept")
            assert writes == [OURS]
            with pytest.raises(OtherCluster):
                await copy.report(-1, 0.0)
            assert not ends.is_set(), "every call was answered while the disk hung"
            ends.set()
            await until(lambda: Memory(node_home.path / "agent").cluster() == OURS, what="it is kept")
    finally:
        ends.set()


async def test_who_names_no_cluster_is_obeyed_as_before(node_home: NodeHome) -> None:
    """A supervisor of the version before this one, while a station is upgraded or taken back."""
    async with served(node_home) as node, node.remote() as older, node.remote(cluster=OURS) as ours:
        await older.report(-1, 0.0)
        await ours.report(-1, 0.0)
        await older.report(-1, 0.0)
        with pytest.raises(ValueError, match="no cluster is named"):
            await older.adopt()
        await ours.report(-1, 0.0)


async def test_a_cluster_is_named_by_who_has_the_key_alone(node_home: NodeHome) -> None:
    async with served(node_home) as node, httpx.AsyncClient(base_url=node.url, trust_env=False) as client:
        nonce = new_nonce()
        hello = {"protocol": 1, "node": NODE, "nonce": nonce, "mac": hello_mac(KEY, NODE, nonce), "cluster": OURS}
        for wrong in ("", cluster_mac(KEY, NODE, nonce, COPY), cluster_mac(KEY, NODE, new_nonce(), OURS)):
            answer = await client.post("/hello", json={**hello, "cluster_mac": wrong})
            assert (answer.status_code, answer.json()["code"]) == (401, "wrong_key")
        right = {**hello, "cluster_mac": cluster_mac(KEY, NODE, nonce, OURS)}
        assert (await client.post("/hello", json=right)).status_code == 200


async def test_a_node_of_another_cluster_is_alive_and_nothing_is_moved_off_it(node_home: NodeHome) -> None:
    """P2: it does not answer the copy, and plays; what the copy believes to be there must not start elsewhere."""
    clock = SystemClock()
    row = Node(id="1" * 32, name=NODE, kind="agent", url="", created_at=datetime.now(UTC), incarnation=None)
    nursery = Nursery(clock)
    async with served(node_home) as node, node.remote(cluster=OURS) as ours:
        await ours.report(-1, 0.0)
        row.url = node.url
        agents = Agents(None, bytes(32), clock, margin=2.0, cluster=COPY)
        fleet = Fleet(
            agents, clock, Timing(), nursery, news=lambda _: None, leases=lambda _: None,
            refused=lambda *_: None, led_since=lambda: clock.monotonic() - 3600, watching=lambda _: (),
        )  # fmt: skip
        try:
            fleet.update((row,))
            await until(lambda: fleet.watches[row.id].state == "away", what="it refuses every call")
            assert OURS in fleet.watches[row.id].other_cluster
            assert "belongs to another cluster" in fleet.why_stay(row.id)
            copy = agents.of(row)
            assert copy is not None
            await copy.adopt()  # type: ignore[attr-defined] - an agent elsewhere is a RemoteAgent
            await until(lambda: fleet.watches[row.id].state == "answers", what="it is ours now")
            assert not fleet.watches[row.id].other_cluster
        finally:
            await nursery.close()
            await agents.close()
    assert "other_cluster" in NODE_ALARMS


async def test_a_node_of_another_cluster_that_died_can_be_given_up_by_a_person_alone(node_home: NodeHome) -> None:
    """P2: nobody else knows whether it plays on for the other one behind a broken network."""
    clock = SystemClock()
    row = Node(id="1" * 32, name=NODE, kind="agent", url="", created_at=datetime.now(UTC), incarnation=None)
    nursery = Nursery(clock)
    agents = Agents(None, bytes(32), clock, margin=2.0, cluster=COPY)
    fleet = Fleet(
        agents, clock, Timing(), nursery, news=lambda _: None, leases=lambda _: None,
        refused=lambda *_: None, led_since=lambda: clock.monotonic() - 3600, watching=lambda _: (),
    )  # fmt: skip
    try:
        async with served(node_home) as node, node.remote(cluster=OURS) as ours:
            await ours.report(-1, 0.0)
            row.url = node.url
            fleet.update((row,))
            watch = fleet.watches[row.id]
            await until(lambda: watch.state == "away" and watch.other_cluster, what="it refuses every call")
        await until(lambda: not watch.other_cluster, what="it is taken for silent")
        assert watch.state == "away", "what declaring it lost asks"
        assert "may play for that" in fleet.why_stay(row.id)
    finally:
        await nursery.close()
        await agents.close()
