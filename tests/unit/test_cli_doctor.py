"""What ``mcr doctor`` makes of what it sees."""

import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mcr_console.cli.doctor import machine, media, storage, surroundings
from mcr_console.cli.doctor.command import verdict
from mcr_console.cli.doctor.finding import Finding
from mcr_console.cli.main import app
from mcr_console.cli.places import Home
from supervisor.__main__ import DEFAULT_PORT
from supervisor.schemas.node import Node
from tests.fixtures.channels import AT

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/media /mnt/media nfs4 rw 0 0
tmpfs /tmp tmpfs rw 0 0
/dev/sdb1 /mnt/media/with\\040space xfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/home/a", "ext4"), ("/mnt/media/x", "nfs4"), ("/mnt/mediaplayer", "ext4"), ("/tmp", "tmpfs"),
     ("/mnt/media/with space/x", "xfs")],
)  # fmt: skip
def test_the_file_system_is_that_of_the_longest_mount_point(path: str, kind: str) -> None:
    assert storage.file_system_type(Path(path), MOUNTS) == kind


def test_a_database_on_a_network_file_system_is_no_small_thing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def mounts(path: Path) -> str:
        return f"server:/x {tmp_path} nfs rw 0 0\n"

    monkeypatch.setattr(Path, "read_text", mounts)
    finding = storage.file_system(Home(tmp_path, chosen=True))
    assert finding.verdict == "missing"
    assert "MCR_HOME" in finding.advice


def test_more_channels_than_processors_is_a_warning() -> None:
    assert machine.processors(None).verdict == "ok"
    assert machine.processors(10_000).verdict == "warning"


def test_a_control_groups_quota_counts(tmp_path: Path) -> None:
    quota = tmp_path / "cpu.max"
    quota.write_text("50000 100000\n")
    assert machine.cores_allowed(quota) == 0.5
    quota.write_text("max 100000\n")
    assert machine.cores_allowed(quota) >= 1


def test_a_taken_port_is_noted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert surroundings.tcp_port(port).verdict == "note"
    assert surroundings.tcp_port(port).verdict == "ok"


def test_the_usual_port_is_the_supervisors() -> None:
    assert surroundings.SERVE_PORT == DEFAULT_PORT


def test_missing_codecs_are_named() -> None:
    answer: dict[str, object] = {
        "version": "15.1.0", "libavcodec": "61", "encoders": {"libx264": False, "aac": True},
        "decoders": {"h264": True, "prores": False, "libdav1d": False, "av1": True}, "srt": False, "fonts": True,
    }  # fmt: skip
    found = {finding.what: finding for finding in media.findings(answer)}
    assert found["encoders"].verdict == "missing"
    assert "libx264" in found["encoders"].seen
    assert "not prores" in found["decoders"].seen
    assert found["SRT"].verdict == "note"


def test_agents_to_whom_all_is_said_in_the_clear_are_named() -> None:
    def node(name: str, url: str | None, *, encrypted: bool | None) -> Node:
        known: dict[str, object] = {"id": "a" * 32, "capacity": 16, "draining": False, "created_at": AT, "rev": 1}
        kind = "agent" if url else "local"
        return Node.model_validate({**known, "name": name, "kind": kind, "url": url, "encrypted": encrypted})

    own = node("own", None, encrypted=None)
    beside = node("beside", "http://127.0.0.1:6271", encrypted=False)
    updated = node("updated", "http://10.0.0.7:6271", encrypted=True)
    good = node("good", "https://10.0.0.8:6271", encrypted=None)
    assert surroundings.agents((own,)) == []
    (fine,) = surroundings.agents((own, beside, updated, good))
    assert fine.verdict == "ok"
    (bad,) = surroundings.agents((good, node("plain", "http://10.0.0.9:6271", encrypted=False)))
    assert (bad.verdict, bad.seen) == ("warning", "not encrypted: plain")


def test_the_verdict_is_the_worst_there_is() -> None:
    fine, bad = Finding("note", "a", "b"), Finding("missing", "c", "d")
    assert verdict([fine]) == "Channels can play here."
    assert "1 thing missing" in verdict([fine, bad])


def test_doctor_looks_at_this_machine_and_leaves_nothing_behind(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["doctor", "--json"], env={"MCR_HOME": str(tmp_path / "home")})
    found = {finding["what"]: finding for finding in json.loads(result.stdout)}
    assert {"PyAV", "encoders", "SRT", "disk writes", "processors", "clock", "Docker", "DeckLink"} <= found.keys()
    assert found["encoders"]["verdict"] == "ok"
    assert list(tmp_path.iterdir()) == []


def test_what_is_missing_of_a_decklink_card_is_named(tmp_path: Path) -> None:
    devices, system = tmp_path / "dev", tmp_path / "sys"
    assert surroundings.decklink(devices, system).verdict == "note"
    card = system / "bus" / "pci" / "devices" / "0000:03:00.0"
    card.mkdir(parents=True)
    (card / "vendor").write_text("0x8086\n")
    assert "no Blackmagic card" in surroundings.decklink(devices, system).seen
    (card / "vendor").write_text("0xbdbd\n")
    found = surroundings.decklink(devices, system)
    assert (found.verdict, found.seen) == ("warning", "1 on the bus (0000:03:00.0), and their driver is not loaded")
    assert "modprobe blackmagic_io" in found.advice
    (system / "module" / "blackmagic_io").mkdir(parents=True)
    assert "the driver shows none" in surroundings.decklink(devices, system).seen
    devices.mkdir()
    assert surroundings.decklink(devices, system).seen == f"{devices} is empty"


def test_what_captures_from_a_card_is_named_or_what_is_missing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices, system = tmp_path / "dev", tmp_path / "sys"
    monkeypatch.delenv("MCR_DECKLINK_FFMPEG", raising=False)
    assert surroundings.decklink_capture(devices, system) == []
    program = tmp_path / "ffmpeg"
    monkeypatch.setenv("MCR_DECKLINK_FFMPEG", str(program))
    (found,) = surroundings.decklink_capture(devices, system)
    assert (found.verdict, found.seen) == ("warning", f"there is no program {str(program)!r}")
    for said, wanted, seen in (
        ("", "warning", "is built without DeckLink"),
        ("Auto-detected sources for decklink:", "warning", "sees no input"),
        ("Auto-detected sources for decklink:\n  75:1:0 [DeckLink Duo (1)] (none)", "ok", "DeckLink Duo (1)"),
    ):
        program.write_text(f"#!/bin/sh\ncat <<'end'\n{said}\nend\n")
        program.chmod(0o755)
        (found,) = surroundings.decklink_capture(devices, system)
        assert (found.verdict, seen in found.seen) == (wanted, True), found
