"""What is said to an agent elsewhere is encrypted, to whom its node's key vouches for and to nobody else (P7)."""

import asyncio
import contextlib
import hashlib
import shutil
import ssl
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import structlog.testing
import time_machine

from supervisor.agent.interface import AgentAway
from supervisor.agent.keys import node_key
from supervisor.agent.remote import RemoteAgent
from supervisor.agent.service.certificate import Shown, given_certificate, issued_certificate
from supervisor.api.tls import TlsFiles
from supervisor.api.unreadable import Unreadable
from supervisor.errors import Invalid
from tests.fixtures.agent_orders import start
from tests.fixtures.agent_process import AgentProcess
from tests.fixtures.agents import NodeHome, served, until
from tests.fixtures.strangers import meddling, replace

PATIENT = 20.0
"""Seconds of a call beyond its own, on a machine that runs many tests at once."""
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not on this machine")


def issued(folder: Path) -> Shown:
    folder.mkdir(exist_ok=True)
    return issued_certificate(folder)


@pytest.fixture
def own(tmp_path: Path) -> Shown:
    """The agent's."""
    return issued(tmp_path / "own")


@pytest.fixture
def other(tmp_path: Path) -> Shown:
    """Somebody else's."""
    return issued(tmp_path / "other")


def test_a_certificate_is_issued_once_and_is_its_users_alone(tmp_path: Path) -> None:
    first = issued(tmp_path / "a")
    assert issued(tmp_path / "a").fingerprint == first.fingerprint
    assert issued(tmp_path / "b").fingerprint != first.fingerprint
    assert (tmp_path / "a" / "agent.key").stat().st_mode & 0o077 == 0
    der = ssl.PEM_cert_to_DER_cert((tmp_path / "a" / "agent.crt").read_text())
    assert hashlib.sha256(der).hexdigest() == first.fingerprint


@needs_openssl
def test_others_can_read_an_issued_certificate_and_it_vouches_for_itself(own: Shown, tmp_path: Path) -> None:
    """As an independent reader finds it: the key is the certificate's, and the signature is right."""

    def asked(*words: str) -> str:
        command = ["openssl", *words]
        return subprocess.run(
            command, cwd=tmp_path / "own", check=True, capture_output=True, text=True, timeout=60
        ).stdout

    printed = asked("x509", "-in", "agent.crt", "-noout", "-fingerprint", "-sha256").partition("=")[2]
    assert printed.strip().replace(":", "").lower() == own.fingerprint
    assert "OK" in asked("verify", "-check_ss_sig", "-CAfile", "agent.crt", "agent.crt")
    assert asked("x509", "-in", "agent.crt", "-noout", "-pubkey") == asked("pkey", "-in", "agent.key", "-pubout")


def test_a_given_certificate_that_cannot_be_used_says_why(tmp_path: Path, own: Shown, other: Shown) -> None:
    mixed = TlsFiles(tmp_path / "own" / "agent.crt", tmp_path / "other" / "agent.key")
    with pytest.raises(Invalid, match="cannot be used"):
        given_certificate(mixed)


async def test_what_the_nodes_key_vouches_for_is_trusted_on_first_use(node_home: NodeHome, own: Shown) -> None:
    async with served(node_home, shown=own) as node, node.remote(margin=PATIENT) as remote:
        assert remote.is_encrypted is None
        await asyncio.gather(*(remote.runs({}) for _ in range(5)))
        assert (remote.certificate, remote.is_encrypted) == (own.fingerprint, True)


async def test_an_address_in_the_clear_is_encrypted_once_its_agent_can(node_home: NodeHome, own: Shown) -> None:
    """An agent that was updated is not lost, whatever its supervisor has as its address, but for one call."""
    async with served(node_home) as before:
        port = int(before.url.rpartition(":")[2])
        remote_of = before.remote(margin=PATIENT)
        remote = await remote_of.__aenter__()
        await remote.report(-1, 0.0)
        assert (remote.certificate, remote.is_encrypted) == ("", False)
    async with served(node_home, port, shown=own) as node:
        with pytest.raises(AgentAway):
            await remote.report(-1, 0.0)
        await remote.report(-1, 0.0)
        assert (remote.certificate, remote.is_encrypted) == (own.fingerprint, True)
        await remote_of.__aexit__(None, None, None)
        async with replace(node, url=node.url.replace("https", "http")).remote(margin=PATIENT) as fresh:
            with pytest.raises(AgentAway):
                await fresh.report(-1, 0.0)
            await fresh.report(-1, 0.0)
            assert fresh.is_encrypted


async def test_of_an_agent_in_the_clear_that_is_called_by_tls_it_is_said_what_to_do(node_home: NodeHome) -> None:
    async with served(node_home) as node, replace(node, url=node.url.replace("http", "https")).remote() as remote:
        with pytest.raises(AgentAway, match=r"not by TLS: .* is called by http://"):
            await remote.report(-1, 0.0)


async def test_an_agent_in_the_clear_that_is_called_by_tls_says_so_once_and_not_at_each_call(
    node_home: NodeHome, caplog: pytest.LogCaptureFixture
) -> None:
    with structlog.testing.capture_logs() as said:
        async with served(node_home) as node, replace(node, url=node.url.replace("http", "https")).remote() as remote:
            for _ in range(4):
                with pytest.raises(AgentAway):
                    await remote.report(-1, 0.0)
    (line,) = [one for one in said if "TLS" in one["event"]]
    assert line["event"] == "somebody speaks TLS to a door in the clear: it is called by http://"
    assert line["by"] == "127.0.0.1"
    assert "Invalid HTTP request" not in caplog.text, "uvicorn's own word for it, twice a second"


def test_what_is_no_http_is_counted_by_the_minute() -> None:
    unreadable = Unreadable()
    with structlog.testing.capture_logs() as said:
        for half_second in range(300):
            unreadable.came(b"\x16\x03", "192.0.2.7", half_second / 2)
        unreadable.came(b"GE", "192.0.2.9", 150.0)
    assert [(one["event"].partition(":")[0], one["by"], one.get("more_before")) for one in said] == [
        ("somebody speaks TLS to a door in the clear", "192.0.2.7", None),
        ("somebody speaks TLS to a door in the clear", "192.0.2.7", 119),
        ("somebody speaks TLS to a door in the clear", "192.0.2.7", 119),
        ("what came is no HTTP", "192.0.2.9", None),
    ]


@pytest.mark.parametrize("known", [False, True], ids=["first use", "seen before"])
async def test_who_stands_between_with_a_certificate_of_his_own_is_refused(
    node_home: NodeHome, own: Shown, other: Shown, *, known: bool
) -> None:
    """Without the node's key the agent's word cannot be changed, and it names another certificate."""
    certificate = own.fingerprint if known else ""
    async with served(node_home, shown=own) as node, meddling(node.url, other) as between:
        async with replace(node, url=between.url).remote(margin=PATIENT, certificate=certificate) as remote:
            with pytest.raises(AgentAway, match="somebody stands between") as away:
                await remote.start(start())
        assert own.fingerprint in str(away.value)
        assert other.fingerprint in str(away.value)
        assert set(between.seen) == {"/hello"}, "and hears of nothing"
    assert not node_home.processes()


async def test_who_takes_the_encryption_off_is_refused(node_home: NodeHome, own: Shown) -> None:
    async with served(node_home, shown=own) as node, meddling(node.url) as between:
        async with replace(node, url=between.url).remote(margin=PATIENT) as remote:
            with pytest.raises(AgentAway, match="answers in the clear, and its agent speaks TLS"):
                await remote.start(start())
        async with replace(node, url=between.url).remote(margin=PATIENT, certificate=own.fingerprint) as remote:
            with pytest.raises(AgentAway):
                await remote.start(start())
        async with replace(node, url=between.url.replace("http", "https")).remote(margin=PATIENT) as remote:
            with pytest.raises(AgentAway):
                await remote.start(start())
        assert set(between.seen) == {"/hello"}


async def test_without_the_key_a_certificate_helps_nobody(node_home: NodeHome, own: Shown) -> None:
    async with (
        served(node_home, shown=own) as node,
        node.remote(margin=PATIENT, key=node_key(bytes(31) + b"\1", "here")) as remote,
    ):
        with pytest.raises(AgentAway, match="not signed with this node's key"):
            await remote.report(-1, 0.0)
        assert remote.certificate == ""


@pytest.mark.parametrize("given", [False, True], ids=["seen", "given"])
async def test_a_changed_certificate(node_home: NodeHome, own: Shown, other: Shown, *, given: bool) -> None:
    """One that was only seen goes over to what the key vouches for, to be told of; one that people gave does not."""
    async with served(node_home, shown=own) as before:
        port = int(before.url.rpartition(":")[2])
        remote_of = before.remote(margin=PATIENT, certificate=own.fingerprint, given=given)
        remote = await remote_of.__aenter__()
        await remote.report(-1, 0.0)
    async with served(node_home, port, shown=other):
        if given:
            for _ in range(2):
                with pytest.raises(AgentAway, match="mcr node set") as away:
                    await remote.report(-1, 0.0)
                assert own.fingerprint in str(away.value)
                assert other.fingerprint in str(away.value)
        else:
            await remote.report(-1, 0.0)
            assert remote.certificate == other.fingerprint
        await remote_of.__aexit__(None, None, None)


async def test_nothing_is_said_to_another_than_the_given_one(node_home: NodeHome, own: Shown, other: Shown) -> None:
    async with served(node_home, shown=own) as node, meddling(node.url, other) as between:
        async with replace(node, url=between.url).remote(
            margin=PATIENT, certificate=own.fingerprint, given=True
        ) as remote:
            with pytest.raises(AgentAway, match=other.fingerprint):
                await remote.report(-1, 0.0)
        assert not between.seen


async def test_a_proxy_before_an_agent_in_the_clear_is_trusted_by_its_fingerprint(
    node_home: NodeHome, other: Shown
) -> None:
    async with served(node_home) as node, meddling(node.url, other) as proxy:
        through = replace(node, url=proxy.url)
        async with through.remote(margin=PATIENT) as remote:
            with pytest.raises(AgentAway, match="vouched for neither"):
                await remote.report(-1, 0.0)
        async with through.remote(margin=PATIENT, certificate=other.fingerprint, given=True) as remote:
            await remote.report(-1, 0.0)
            assert (remote.certificate, remote.is_encrypted) == (other.fingerprint, True)


async def test_authorities_are_read_once_and_off_the_loop(
    node_home: NodeHome, other: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P6: what a node behind a proxy that nobody vouches for costs each second, all others' calls would wait for."""
    real, readers = httpx.create_ssl_context, list[threading.Thread]()

    def read() -> ssl.SSLContext:
        readers.append(threading.current_thread())
        return real()

    async with served(node_home) as node, meddling(node.url, other) as proxy:
        monkeypatch.setattr(httpx, "create_ssl_context", read)
        async with replace(node, url=proxy.url).remote(margin=PATIENT) as remote:
            for _ in range(3):
                with pytest.raises(AgentAway, match="vouched for neither"):
                    await remote.report(-1, 0.0)
    assert len(readers) == 1
    assert readers[0] is not threading.current_thread()


@needs_openssl
async def test_a_proxy_that_an_authority_vouches_for_goes_on_as_before(
    node_home: NodeHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out crt.pem -days 2 -subj /CN=proxy"
    more = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command.split(), *more], cwd=tmp_path, check=True, capture_output=True, timeout=60)  # noqa: ASYNC221
    (tmp_path / "key.pem").chmod(0o600)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "crt.pem"))
    shown = given_certificate(TlsFiles(tmp_path / "crt.pem", tmp_path / "key.pem"))
    async with (
        served(node_home) as node,
        meddling(node.url, shown) as proxy,
        replace(node, url=proxy.url).remote(margin=PATIENT) as remote,
    ):
        for _ in range(2):
            await remote.report(-1, 0.0)
        assert (remote.certificate, remote.is_encrypted) == ("", True)


async def test_a_handshake_that_never_comes_costs_its_deadline_and_no_connection() -> None:
    """P6: an agent that stands still takes connections and answers none."""
    ended = list[bytes]()

    async def stand_still(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            ended.append(await reader.read())
        writer.close()

    server = await asyncio.start_server(stand_still, "127.0.0.1", 0)
    remote = RemoteAgent(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", "here", bytes(32))
    try:
        for number in (1, 2):
            with pytest.raises(AgentAway, match="no answer within"):
                await remote.report(-1, 1.0)
            await until(lambda number=number: len(ended) == number, PATIENT, "the connection's end")
    finally:
        await remote.close()
        server.close()


async def test_a_step_of_the_wall_clock_cuts_nobody_off(node_home: NodeHome, own: Shown) -> None:
    """I24: nobody looks at a certificate's dates."""
    async with served(node_home, shown=own) as node:
        for step in (timedelta(0), timedelta(days=-400), timedelta(days=37 * 365)):
            with time_machine.travel(datetime.now(UTC) + step, tick=True):
                async with node.remote(margin=PATIENT, certificate=own.fingerprint, given=True) as remote:
                    assert (await remote.report(-1, 0.0)).number >= 0


async def test_an_agent_for_others_speaks_tls_by_itself(tmp_path: Path) -> None:
    """``--host`` beyond loopback is all that it takes; an agent on loopback alone goes on in the clear."""
    key = node_key(bytes(32), "far")
    async with AgentProcess(tmp_path / "far", "far", 0, key, faults=tmp_path / "faults.json") as far:
        async with far.remote(margin=PATIENT) as remote:
            await remote.report(-1, 0.0)
            assert remote.is_encrypted is False
        far.kill()
        await far.start("--host", "0.0.0.0")
        async with far.remote(margin=PATIENT) as remote:
            with pytest.raises(AgentAway):
                await remote.report(-1, 0.0)
            await remote.report(-1, 0.0)
            assert remote.is_encrypted
            assert remote.certificate in far.log_end()
        shown = issued_certificate(far.home / "agent")
        assert shown.fingerprint in far.log_end(), "it is the one that it issued"
