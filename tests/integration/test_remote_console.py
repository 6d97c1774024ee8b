"""A console elsewhere: over TLS by a proxy before the door, with a token; and never in the clear."""

import asyncio
import getpass
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from mcr_console.cli.desk import connected
from mcr_console.cli.failures import Failure
from mcr_console.client import ApiProblem, Client, Event, Unreachable
from supervisor.api.tls import TlsFiles
from supervisor.schemas.event import Reset
from tests.fixtures.people import person
from tests.fixtures.running import Running, running_supervisor

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not on this machine")


def certificate(folder: Path, name: str) -> None:
    command = f"req -x509 -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.pem -days 2 -subj /CN=localhost"
    more = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    subprocess.run(["openssl", *command.split(), *more], cwd=folder, check=True, capture_output=True, timeout=60)


@asynccontextmanager
async def tls_before(supervisor: Running, folder: Path) -> AsyncGenerator[str, None]:
    """What nginx is in docs/remote.md: takes TLS, passes bytes on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "proxy.pem", folder / "proxy.key")
    tasks = set[asyncio.Task[None]]()
    sinks = list[asyncio.StreamWriter]()

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.close()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sinks.append(writer)
        there, back = await asyncio.open_connection(supervisor.host, supervisor.port)
        sinks.append(back)
        for work in (pump(reader, back), pump(there, writer)):
            tasks.add(asyncio.create_task(work))

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0, ssl=context)
    try:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for sink in sinks:
            sink.transport.abort()
            with suppress(OSError):
                await sink.wait_closed()


@needs_openssl
async def test_a_console_over_tls_reads_commands_and_follows(supervisor: Running, tmp_path: Path) -> None:
    for name in ("proxy", "other"):
        certificate(tmp_path, name)
    token, wrong = tmp_path / "token", tmp_path / "wrong"
    token.write_text(supervisor.token + "\n")
    wrong.write_text("x" * 43)
    made = await supervisor.call("POST", "/channels", json={"name": "Sport"})
    async with tls_before(supervisor, tmp_path) as url:
        async with connected(url, token, tmp_path / "proxy.pem") as client:
            client.sit("a" * 32, "far away")
            assert [channel.name for channel in await client.channels()] == ["Sport"]
            assert (await client.take_control(made["id"], over=False)).operator == getpass.getuser()
            async with aclosing(client.events()) as messages:
                first = await anext(messages)
                assert isinstance(first, Event)
                assert isinstance(first.payload, Reset)
        async with connected(url, token, tmp_path / "other.pem") as client:
            with pytest.raises(Unreachable, match="No trusted supervisor") as untrusted:
                await client.channels()
            assert "--ca" in untrusted.value.hint
        async with connected(url, wrong, tmp_path / "proxy.pem") as client:
            with pytest.raises(ApiProblem) as refused:
                await client.channels()
            assert refused.value.status == 401


@pytest.mark.parametrize(
    "url",
    ["http://mcr.example:6270", "http://10.0.0.7", "ftp://127.0.0.1", "https://me:pw@mcr.example", "mcr.example:8443"],
)
def test_a_token_goes_nowhere_in_the_clear(url: str, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("x" * 43)
    with pytest.raises(Failure):
        connected(url, token)


def test_without_a_token_it_says_where_one_is(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="Which token") as nothing:
        connected("https://mcr.example", None)
    assert "--token-file" in nothing.value.hint
    with pytest.raises(Failure, match="cannot be read"):
        connected("https://mcr.example", tmp_path / "nothing")


async def test_a_client_that_only_reads_sends_nothing_else(supervisor: Running) -> None:
    made = await supervisor.call("POST", "/channels", json={"name": "Sport"})
    async with Client.at(socket=supervisor.settings.socket_path, read_only=True) as client:
        assert len(await client.channels()) == 1
        with pytest.raises(ApiProblem) as refused:
            await client.start(made["id"])
        assert refused.value.code == "read_only"
    assert (await supervisor.call("GET", f"/channels/{made['id']}"))["desired"] == "off"


@needs_openssl
async def test_the_door_itself_speaks_tls_beyond_loopback(short_home: Path, tmp_path: Path) -> None:
    """P7: nothing is sent in the clear, and whoever commands is called by their own name."""
    certificate(tmp_path, "own")
    files = TlsFiles(tmp_path / "own.pem", tmp_path / "own.key")
    files.key.chmod(0o600)
    async with running_supervisor(short_home, host="0.0.0.0", tls=files) as supervisor:
        url = f"https://localhost:{supervisor.port}"
        made = await supervisor.call("POST", "/channels", json={"name": "Sport"})
        _, bob = await person(supervisor, "bob", "admin")
        token = tmp_path / "bob"
        token.write_text(bob)
        async with connected(url, token, files.certificate) as client:
            client.sit("b" * 32, "far away")
            assert (await client.take_control(made["id"], over=False)).operator == "bob"
            async with aclosing(client.events()) as events:
                async for message in events:
                    if isinstance(message, Event) and isinstance(message.payload, Reset):
                        break
        trusting = ssl.create_default_context(cafile=str(files.certificate))
        headers = {"Authorization": f"Bearer {bob}"}
        async with httpx.AsyncClient(verify=trusting, base_url=url, headers=headers) as plain:
            for host, status in (
                ("127.0.0.1", 200),
                ("192.0.2.7:8443", 200),
                (socket.gethostname(), 200),
                ("evil.example", 403),
            ):
                answer = await plain.get("/api/v1/supervisor", headers={"Host": host})
                assert answer.status_code == status, host
            reader, writer = await asyncio.open_connection("127.0.0.1", supervisor.port)
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            async with asyncio.timeout(60):
                with suppress(ConnectionResetError):
                    assert b"HTTP/1.1" not in await reader.read()
            writer.close()
        rows = [row["principal"] for row in await supervisor.audit() if row["action"] == "take_control"]
        assert rows == ["bob"]
