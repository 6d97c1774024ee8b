"""The agent over HTTP: nobody gives it orders who has not its key, and nobody is believed in its place (P7)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import pytest
import time_machine
from starlette.requests import Request
from starlette.responses import Response

from supervisor.agent.interface import AgentAway
from supervisor.agent.keys import node_key
from tests.fixtures.agent_orders import muted, start
from tests.fixtures.agents import KEY, NODE, NodeHome, Served, served
from tests.fixtures.strangers import Signed, Speaker, meddling, replace

START = "/sidecar/start"
ORDER = msgspec.json.encode(start())


@pytest.fixture
async def node(node_home: NodeHome) -> AsyncIterator[Served]:
    async with served(node_home) as it:
        yield it


@pytest.fixture
async def client(node: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=node.url, trust_env=False, timeout=5.0) as it:
        yield it


def refused(answer: httpx.Response, code: str) -> None:
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert "mcr-mac" not in answer.headers
    assert answer.json()["code"] == code


async def test_who_has_another_key_gets_no_session_and_starts_nothing(node_home: NodeHome, node: Served) -> None:
    """I25: without the key nothing changes."""
    async with node.remote(key=node_key(bytes(31) + b"\1", NODE)) as remote:
        with pytest.raises(AgentAway, match="not signed with this node's key"):
            await remote.start(start())
    assert not node_home.processes()
    assert (await node.local.report(-1, 0.0)).term == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/sidecar/start"), ("POST", "/sidecar/standby"), ("POST", "/sidecar/stop"),
        ("POST", "/sidecar/command"), ("POST", "/sidecar/poll"), ("GET", "/sidecar/thumbnail?channel_id=c&epoch=1"),
        ("GET", "/sidecars?seen=-1&wait=0"), ("POST", "/sidecars"), ("POST", "/media"), ("POST", "/drill"),
        ("GET", "/live?channel_id=c&path=index.m3u8"), ("POST", "/runs"), ("POST", "/adopt"),
        ("GET", "/asrun?channel_id=c&run_id=r&after=0&limit=1"),
        ("POST", "/journals/drop"), ("POST", "/recordings/drop"),
    ],
)  # fmt: skip
async def test_no_path_answers_who_is_not_signed_in(client: httpx.AsyncClient, method: str, path: str) -> None:
    """I25: generated from the list of routes; the test below holds that the list is whole."""
    body = ORDER if method == "POST" else b""
    refused(await Signed(method, path, body, "", "", "").send(client), "unknown_session")
    speaker = await Speaker.greeted(client, NODE, KEY)
    for bad in ("", "0" * 64, "é" * 10):
        unsigned = Signed(method, path, body, speaker.name, "1", bad)
        refused(await unsigned.send(client), "bad_signature")


def test_the_list_of_paths_above_is_whole() -> None:
    from supervisor.agent.service.application import application

    listed = {
        (method, path.partition("?")[0])
        for mark in test_no_path_answers_who_is_not_signed_in.pytestmark  # type: ignore[attr-defined] - pytest's own
        for method, path in mark.args[1]
    }
    routes = application(None, NODE, KEY).routes  # type: ignore[arg-type] - never asked
    served_by = {(method, route.path) for route in routes for method in route.methods - {"HEAD"}}  # type: ignore[attr-defined]
    assert served_by == listed | {("POST", "/hello")}


async def test_a_request_is_good_once(node_home: NodeHome, node: Served, client: httpx.AsyncClient) -> None:
    """I28: who records an order and sends it again gives none."""
    speaker = await Speaker.greeted(client, NODE, KEY)
    order = speaker.signed(1, "POST", START, ORDER)
    assert (await order.send(client)).status_code == 200
    assert len(node_home.processes()) == 1
    for _ in range(2):
        refused(await order.send(client), "replayed")


async def test_counters_may_overtake_each_other_and_never_come_twice(client: httpx.AsyncClient) -> None:
    speaker = await Speaker.greeted(client, NODE, KEY)
    for counter, good in [(5, True), (2, True), (2, False), (2000, True), (1990, True), (5, False), (3, False)]:
        look = speaker.signed(counter, "GET", "/sidecars?seen=-1&wait=0")
        answer = await look.send(client)
        assert (answer.status_code == 200) == good, counter
    for counter in ("0", "-1", "x", "", "9" * 30, "1e3", "٣"):
        look = replace(speaker.signed(7, "GET", "/sidecars?seen=-1&wait=0"), counter=counter)
        answer = await look.send(client)
        assert answer.status_code == 401


async def test_what_was_changed_on_the_way_is_refused(
    node_home: NodeHome, node: Served, client: httpx.AsyncClient
) -> None:
    speaker = await Speaker.greeted(client, NODE, KEY)
    order = speaker.signed(1, "POST", START, ORDER)
    other = await Speaker.greeted(client, NODE, KEY)
    for changed in (
        replace(order, body=ORDER.replace(b'"epoch":1', b'"epoch":9')),
        replace(order, target="/sidecar/standby"),
        replace(order, target=f"{START}?x=1"),
        replace(order, counter="2"),
        replace(order, session=other.name),
    ):
        refused(await changed.send(client), "bad_signature")
    assert not node_home.processes()
    assert (await order.send(client)).status_code == 200, "a forgery must not use up the counter of the genuine one"


async def test_what_is_meant_for_another_node_is_refused(node_home: NodeHome, node: Served) -> None:
    """I28: even where somebody gave two nodes one key."""
    async with node.remote("there") as remote:
        with pytest.raises(AgentAway, match=f"this is the agent of node {NODE}"):
            await remote.start(start())
    async with node.remote("there", node_key(bytes(32), "there")) as remote:
        with pytest.raises(AgentAway, match="not signed with this node's key"):
            await remote.start(start())
    assert not node_home.processes()


async def test_an_impostor_in_the_agents_place_is_not_believed(node: Served) -> None:
    """P6: a stranger's word that nothing runs must not become a failover."""

    def welcome(request: Request, answer: httpx.Response) -> Response:
        del request
        said = answer.json()
        return Response(msgspec.json.encode({**said, "mac": "0" * 64}))

    async with meddling(node.url) as meddler, node.remote() as near:
        far = replace(node, url=meddler.url)
        async with far.remote() as remote:
            meddler.change = welcome
            with pytest.raises(AgentAway, match="has not this node's key"):
                await remote.report(-1, 0.0)
        assert (await near.report(-1, 0.0)).number >= 0


@pytest.mark.parametrize("what", ["body", "status", "no signature", "another answer"])
async def test_a_changed_answer_is_not_believed(node: Served, what: str) -> None:
    kept: list[httpx.Response] = []

    def change(request: Request, answer: httpx.Response) -> Response:
        if request.url.path == "/hello":
            return Response(answer.content, answer.status_code)
        kept.append(answer)
        mac, status, body = answer.headers["mcr-mac"], answer.status_code, answer.content
        match what:
            case "body":
                body = body.replace(b'"term":0', b'"term":9')
                assert body != answer.content
            case "status":
                status = 202
            case "no signature":
                return Response(body, status)
            case _:
                mac, body = kept[0].headers["mcr-mac"], kept[0].content
        return Response(body, status, {"mcr-mac": mac})

    async with meddling(node.url) as meddler, replace(node, url=meddler.url).remote() as remote:
        meddler.change = change
        if what == "another answer":
            await remote.report(-1, 0.0)
        with pytest.raises(AgentAway, match=r"signature|not signed"):
            await remote.report(-1, 0.0)


async def test_a_step_of_the_wall_clock_cuts_nobody_off(node: Served) -> None:
    """I24: no date stands in what is signed, on neither side."""
    async with node.remote() as remote:
        await remote.start(start())
        for step in (timedelta(hours=1), timedelta(days=-400), timedelta(days=37 * 365)):
            with time_machine.travel(datetime.now(UTC) + step, tick=True):
                report = await remote.report(-1, 0.0)
                assert abs(report.condition.at - datetime.now(UTC)) < timedelta(minutes=1)
                async with node.remote() as another:
                    await another.report(-1, 0.0)


async def test_hellos_of_strangers_push_out_nobody(node: Served, client: httpx.AsyncClient) -> None:
    """Sessions are bounded, and a recorded hello that is sent again and again costs no one his own."""
    async with meddling(node.url) as meddler, replace(node, url=meddler.url).remote() as remote:
        await remote.report(-1, 0.0)
        hello = next(it for it in meddler.requests if it.target == "/hello")
        for _ in range(80):
            assert (await hello.send(client)).status_code == 200
        await remote.report(-1, 0.0)
        assert meddler.seen.count("/hello") == 1
        session = next(it for it in meddler.requests if it.target != "/hello").session
        idle = [await Speaker.greeted(client, NODE, KEY) for _ in range(33)]
        for speaker in idle:
            assert (await speaker.signed(1, "GET", "/sidecars?seen=-1&wait=0").send(client)).status_code == 200
        gone = Signed("GET", "/sidecars?seen=-1&wait=0", b"", session, "9", "0" * 64)
        refused(await gone.send(client), "unknown_session")
        await remote.report(-1, 0.0)
        assert meddler.seen.count("/hello") == 2, "and whoever was pushed out is back at once"


async def test_an_agent_that_was_started_anew_is_greeted_anew(node_home: NodeHome) -> None:
    """P5: its restart costs no call, and an order recorded before it is void after it."""
    async with served(node_home) as first:
        port = int(first.url.rpartition(":")[2])
        async with httpx.AsyncClient(base_url=first.url, trust_env=False) as client:
            recorded = (await Speaker.greeted(client, NODE, KEY)).signed(1, "POST", "/sidecar/stop", b"{}")
        remote_of = first.remote()
        remote = await remote_of.__aenter__()
        pid = await remote.start(start(4, 3))
        await muted(remote, 4)
        boot = (await remote.report(-1, 0.0)).condition.boot
    async with served(node_home, port) as second:
        report = await remote.report(-1, 0.0)
        assert report.condition.boot != boot
        assert [(it.pid, it.epoch) for it in report.sidecars] == [(pid, 4)]
        assert report.term == 3
        async with httpx.AsyncClient(base_url=second.url, trust_env=False) as client:
            refused(await recorded.send(client), "unknown_session")
        await remote_of.__aexit__(None, None, None)
