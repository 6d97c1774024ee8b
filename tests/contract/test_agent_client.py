"""The client of an agent elsewhere: it is never held up, flooded or led astray by who answers (P6)."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from supervisor.agent.interface import AgentAway
from supervisor.agent.remote import RemoteAgent
from supervisor.decisions.timing import Timing
from tests.fixtures.agent_orders import CHANNEL, start, stop
from tests.fixtures.agents import KEY, NODE, NodeHome, served, until
from tests.fixtures.strangers import answering, meddling, replace

OK = b"HTTP/1.1 200 OK\r\ncontent-length: "
WORDS = b'{"title":"","status":401,"code":"x","detail":"\\u001b[2Jhello\\n"}'
LONG = 16 * 1024 * 1024 + 1


@asynccontextmanager
async def client_of(url: str) -> AsyncIterator[RemoteAgent]:
    remote = RemoteAgent(url, NODE, KEY)
    try:
        yield remote
    finally:
        await remote.close()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


async def is_away(remote: RemoteAgent, why: str, within: float = 2.0) -> None:
    async with asyncio.timeout(within):
        with pytest.raises(AgentAway, match=why) as away:
            await remote.report(-1, 0.5)
    assert NODE in str(away.value), "it names the node"


async def test_nobody_listens() -> None:
    async with client_of(f"http://127.0.0.1:{closed_port()}") as remote:
        await is_away(remote, "connection")


@pytest.mark.parametrize(
    "url", ["http://", "nonsense", "ftp://127.0.0.1:1", "http://[::1", "http://no.such.host.invalid"]
)
async def test_an_address_that_is_none(url: str) -> None:
    async with client_of(url) as remote:
        await is_away(remote, ".")


@pytest.mark.parametrize("host", ["::1", "::", "localhost"])
async def test_addresses_of_both_kinds_reach_an_agent(node_home: NodeHome, host: str) -> None:
    async with served(node_home, host=host) as node, node.remote() as remote:
        assert (await remote.report(-1, 0.0)).number >= 0


async def test_an_answer_that_never_comes_ends_at_the_deadline() -> None:
    """The deadline of a report is what it waits and a margin, however the agent hangs."""
    async with answering(b"", pause=30.0) as url, client_of(url) as remote:
        began = asyncio.get_running_loop().time()
        await is_away(remote, "no answer within 0.8 s")
        assert 0.7 < asyncio.get_running_loop().time() - began < 1.5


async def test_an_answer_that_drips_ends_at_the_deadline() -> None:
    async with answering(OK + b"1000\r\n\r\n", *[b"x"] * 100, pause=0.1) as url, client_of(url) as remote:
        await is_away(remote, "no answer within")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"SSH-2.0-OpenSSH_9.9\r\n", r"disconnected|illegal"),
        (b"HTTP/1.1 200 OK\r\n\r\n{}", "no agent of ours"),
        (OK + b"2\r\n\r\n{}", "no agent of ours"),
        (OK + b"5\r\n\r\n{}", "peer closed"),
        (b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n", "HTTP 302"),
        (b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n", "HTTP 503"),
        (b"HTTP/1.1 401 No\r\nconnection: close\r\n\r\n" + WORDS, r"HTTP 401, unsigned\): ·\[2Jhello·"),
    ],
    ids=["another protocol", "no session", "no welcome", "cut short", "a redirect", "an error", "a stranger's words"],
)  # fmt: skip
async def test_what_is_no_agent_is_told_as_such(answer: bytes, why: str) -> None:
    async with answering(answer) as url, client_of(url) as remote:
        await is_away(remote, why)


async def test_an_endless_answer_is_cut_off() -> None:
    """Of a stranger 64 KiB are read, whatever he says."""
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    async with answering(head, piece, for_ever=True) as url, client_of(url) as remote:
        await is_away(remote, "more than 65536 bytes")


async def test_an_agents_own_answer_has_a_bound_too(node_home: NodeHome) -> None:
    from starlette.responses import Response

    async with (
        served(node_home) as node,
        meddling(node.url) as meddler,
        replace(node, url=meddler.url).remote(margin=5.0) as remote,
    ):
        await remote.report(-1, 0.0)
        meddler.change = lambda request, answer: Response(b" " * LONG, 200, {"mcr-mac": answer.headers["mcr-mac"]})
        with pytest.raises(AgentAway, match="more than"):
            await remote.report(-1, 0.0)


async def test_a_long_poll_holds_up_no_other_call(node_home: NodeHome) -> None:
    async with served(node_home, poll=60.0) as node, node.remote() as remote:
        number = (await remote.report(-1, 0.0)).number
        number = (await remote.report(number, 0.3)).number
        waiting = asyncio.create_task(remote.report(number, 20.0))
        await asyncio.gather(*(remote.runs({}) for _ in range(20)))
        assert not waiting.done()
        await remote.start(start())
        assert [it.channel_id for it in (await waiting).sidecars] == [CHANNEL]


async def test_a_closed_client_is_away_and_says_so(node_home: NodeHome) -> None:
    async with served(node_home) as node:
        async with node.remote() as remote:
            await remote.report(-1, 0.0)
        with pytest.raises(AgentAway, match="closed"):
            await remote.stop(stop())


async def test_a_name_server_that_does_not_answer_makes_no_node_away(
    node_home: NodeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P6: by the times of a supervisor, where the agent was reached before; and one look-up waits, not ever more."""
    asked, real = list[str](), socket.getaddrinfo
    answers, ends = threading.Event(), threading.Event()
    answers.set()

    def look_up(host: str, *rest: Any, **more: Any) -> Any:
        if host != "node.example":
            return real(host, *rest, **more)
        asked.append(host)
        if not answers.is_set():
            ends.wait()
        return real("127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    port = closed_port()
    listens = Timing().listen

    async def answered(remote: RemoteAgent) -> bool:
        with contextlib.suppress(AgentAway):  # on a busy machine one may take longer than it has
            return (await remote.report(-1, listens)).number >= 0
        return False

    try:
        async with client_of(f"http://node.example:{port}") as remote:
            async with served(node_home, port):
                await until(lambda: answered(remote), what="the first answer")
            answers.clear()
            before = len(asked)
            for _ in range(3):  # its agent is started again
                with pytest.raises(AgentAway):
                    await remote.report(-1, listens)
            async with served(node_home, port):
                await until(lambda: answered(remote), what="an answer while the name server is silent")
            assert len(asked) <= before + 1
    finally:
        ends.set()
