"""Where outputs, inputs, nodes and servers may lead."""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from supervisor.agent.judged_transport import JudgedTransport
from supervisor.agent.whereabouts import Whereabouts
from supervisor.errors import Invalid
from supervisor.reach import EVERYWHERE, Reach
from tests.fixtures.agents import until

GUARDED = (
    "169.254.169.254", "169.254.0.1", "[fe80::1]", "fe80::1%eth0", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "metadata.google.internal", "METADATA.",
)  # fmt: skip
ODD = ("2852039166", "0xa9fea9fe", "169.254.43518", "0251.0376.0251.0376", "127.1", "0")


@pytest.mark.parametrize("host", GUARDED + ODD)
def test_metadata_services_and_link_local_addresses_are_nobodys(host: str) -> None:
    for reach in (EVERYWHERE, Reach.of("*"), Reach.of("0.0.0.0/0, ::/0, *.internal")):
        with pytest.raises(Invalid):
            reach.require(host, "an output")


@pytest.mark.parametrize(
    "host", ["10.0.0.7", "239.1.1.1", "127.0.0.1", "::1", "[2001:db8::7]", "encoder-7", "cdn.example", "fd00::1"]
)
def test_a_broadcast_network_is_open_unless_somebody_says_otherwise(host: str) -> None:
    EVERYWHERE.require(host, "an output")
    with pytest.raises(Invalid, match="MCR_REACH"):
        Reach.of("192.0.2.0/24,other.example").require(host, "an output")


def test_the_setting_names_hosts_and_networks() -> None:
    reach = Reach.of(" 10.0.0.0/8, *.CDN.example,encoder7, 2001:db8::/32,169.254.7.0/24")
    for host in ("10.9.9.9", "a.cdn.example", "Encoder7.", "[2001:db8::1]", "169.254.7.9", "::ffff:10.0.0.1"):
        reach.require(host, "a node")
    for host in ("11.0.0.1", "cdn.example", "xcdn.example", "encoder8", "169.254.169.254"):
        with pytest.raises(Invalid):
            reach.require(host, "a node")
    Reach.of("*,169.254.7.0/24").require("169.254.7.9", "a node")
    Reach.of("metadata").require("metadata", "a node")


@pytest.mark.parametrize("setting", ["http://x/", "10.0.0.0/40", "a b", "*.", "0x7f000001", "x/y"])
def test_a_setting_that_cannot_be_read_is_told_at_the_start(setting: str) -> None:
    with pytest.raises(Invalid, match="MCR_REACH"):
        Reach.of(setting)


def test_what_only_listens_leads_nowhere() -> None:
    reach = Reach.of("10.0.0.0/8")
    for url in ("srt://:9000?mode=listener", "srt://192.168.1.5:9000?mode=listener", "udp://0.0.0.0:5000", ""):
        reach.require_url(url, "a live input")
    with pytest.raises(Invalid):
        reach.require_url("srt://192.168.1.5:9000?streamid=mode%3Dlistener", "a live input")


@pytest.mark.parametrize(
    "url",
    [
        *(f"{scheme}://169.254.169.254:80/x/y?mode=listener" for scheme in ("http", "https", "rtmp", "rtmps", "udp")),
        "HTTP://169.254.169.254/?mode=listener", "srt://169.254.169.254:9000?mode=listener&mode=caller",
        "srt://169.254.169.254:9000?mode=caller&mode=listener", "srt://169.254.169.254:9000?mode=listener%20",
    ],
)  # fmt: skip
def test_words_that_only_srt_knows_open_no_other_url(url: str) -> None:
    with pytest.raises(Invalid, match="metadata service"):
        EVERYWHERE.require_url(url, "a live input")


@asynccontextmanager
async def _answering() -> AsyncGenerator[int, None]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        host = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"host:"))
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(host), host))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_name_is_looked_up_again_only_after_a_fault_and_never_leads_where_it_may_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leads: list[Sequence[str] | OSError] = []

    def look_up(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        found = leads.pop(0)
        if isinstance(found, OSError):
            raise found
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    whereabouts = Whereabouts(EVERYWHERE)
    async with (
        _answering() as port,
        httpx.AsyncClient(transport=JudgedTransport(whereabouts, httpx.Limits())) as client,
    ):
        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        node = f"http://node.example:{port}/"
        leads.append(["169.254.169.254"])
        with pytest.raises(httpx.ConnectError, match="MCR_REACH"):
            await client.get(node)
        leads.append(OSError("no such name"))
        with pytest.raises(httpx.ConnectError, match="no such name"):
            await client.get(node)
        leads.append(["169.254.169.254", "127.0.0.1"])
        assert (await client.get(node)).text == f"Host: node.example:{port}"
        assert (await client.get(node)).status_code == 200  # the name server is not asked
        # It answers no more: looked up anew, and while that fails the address that was good is tried.
        leads.append(OSError("no name server"))
        closed = f"http://node.example:{_nobody()}/"
        with pytest.raises(httpx.ConnectError):
            await client.get(closed)
        await until(lambda: not leads, what="it was looked up")
        assert (await client.get(node)).status_code == 200
        # What it leads to by then is judged as before.
        leads.append(["169.254.169.254"])
        with pytest.raises(httpx.ConnectError):
            await client.get(closed)
        await until(lambda: not leads, what="it was looked up")
        leads.extend([["169.254.169.254"]] * 1000)
        await until(lambda: _is_refused(client, node), what="the new address is known")
        with pytest.raises(httpx.ConnectError, match="MCR_REACH"):
            await client.get("http://169.254.169.254/latest/meta-data")
    await whereabouts.close()


async def _is_refused(client: httpx.AsyncClient, url: str) -> bool:
    try:
        await client.get(url)
    except httpx.ConnectError as error:
        return "MCR_REACH" in str(error)
    return False


def _nobody() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def test_what_a_name_leads_to_is_judged_by_what_is_guarded() -> None:
    found = [ipaddress.ip_address(text) for text in ("10.0.0.1", "fe80::1", "::ffff:169.254.1.1")]
    assert EVERYWHERE.open_of(found) == (found[0],)
