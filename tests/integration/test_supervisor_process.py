"""``python -m supervisor serve`` as people and services run it: its words, its exit codes, its signals."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.fixtures.homes import until


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "supervisor", *arguments]


def is_ready(home: Path) -> bool:
    if not (home / "run" / "mcr.sock").is_socket():
        return False
    try:
        # Looked at before the client is: it leaves a refused socket to the garbage collector.
        with socket.socket(socket.AF_UNIX) as door:
            door.connect(str(home / "run" / "mcr.sock"))
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(home / "run" / "mcr.sock"))) as client:
            return client.get("http://mcr/readyz").status_code == 200
    except (httpx.TransportError, OSError):
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_shuts_it_down_and_a_second_one_is_told_who_runs(short_home: Path, number: signal.Signals) -> None:
    environment = {**os.environ, "MCR_HOME": str(short_home)}
    first = subprocess.Popen(command("serve", "--port", "0"), env=environment, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: is_ready(short_home), 30.0, first.poll)
        note = json.loads((short_home / "run" / "supervisor.json").read_text())
        assert note["pid"] == first.pid
        assert note["tcp"]["host"] == "127.0.0.1"
        if number is signal.SIGTERM:
            for what in ("serve", "db-upgrade"):
                second = subprocess.run(
                    command(what), env=environment, capture_output=True, text=True, timeout=30, check=False
                )
                assert second.returncode == 2
                assert f"process {first.pid}" in second.stderr
                assert "Traceback" not in second.stderr
        first.send_signal(number)
        _, said = first.communicate(timeout=60)
    finally:
        first.kill()
        first.wait(60)
    assert first.returncode == 0
    assert all(json.loads(line)["event"] for line in said.splitlines())
    assert not (short_home / "run" / "mcr.sock").exists()


def test_on_postgresql_it_starts_once_somebody_upgraded_the_database(short_home: Path, postgres_url: str) -> None:
    """P6: others may run on the old schema, so that no start changes it."""
    environment = {**os.environ, "MCR_HOME": str(short_home), "MCR_DATABASE_URL": postgres_url}

    def run(what: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command(what), env=environment, capture_output=True, text=True, timeout=30, check=False)

    refused = run("serve")
    assert refused.returncode == 2
    assert "run mcr db upgrade" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert run("db-upgrade").returncode == 0
    supervisor = subprocess.Popen(command("serve"), env=environment, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: is_ready(short_home), 30.0, supervisor.poll)
        assert run("db-upgrade").returncode == 0, "on PostgreSQL it needs nobody to be gone"
        supervisor.send_signal(signal.SIGTERM)
        supervisor.communicate(timeout=60)
    finally:
        supervisor.kill()
        supervisor.wait(60)
    assert supervisor.returncode == 0
    assert not (short_home / "mcr.db").exists()


def test_systemd_is_told_when_it_serves_that_it_goes_on_and_when_it_ends(short_home: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(short_home.parent / "notify"))
        manager.settimeout(60.0)
        environment = {**os.environ, "MCR_HOME": str(short_home), "NOTIFY_SOCKET": str(short_home.parent / "notify")}
        environment |= {"WATCHDOG_USEC": "900000"}
        supervisor = subprocess.Popen(command("serve"), env=environment, stderr=subprocess.DEVNULL)
        try:
            assert manager.recv(1000).startswith(b"READY=1\n"), "it was said to go on before it served"
            until(lambda: is_ready(short_home), 60.0, supervisor.poll)
            assert [manager.recv(1000) for _ in range(3)] == [b"WATCHDOG=1"] * 3
            supervisor.send_signal(signal.SIGTERM)
            said = manager.recv(1000)
            while said == b"WATCHDOG=1":
                said = manager.recv(1000)
            assert said == b"STOPPING=1"
            assert supervisor.wait(timeout=30) == 0
        finally:
            supervisor.kill()
            supervisor.wait(60)
