"""The systemd unit that brings channels back after a power cut."""

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mcr_console.cli import service
from mcr_console.cli.main import app
from mcr_console.cli.service import Unit, how_to_keep_it_down, owner


def read(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text)
    return parser


def test_stopping_the_unit_ends_no_sidecar() -> None:
    """P5: systemd's default would kill the whole control group, playout included."""
    service = read(Unit(Path("/usr/bin/python3"), Path("/home/a/mcr")).text())["Service"]
    assert service["KillMode"] == "process"
    assert service["OOMPolicy"] == "continue"
    assert service["Restart"] == "on-failure", "mcr down ends with code 0, and is to last"


def test_printing_changes_nothing(tmp_path: Path) -> None:
    environment = {"MCR_HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path / "configuration")}
    result = CliRunner().invoke(app, ["service", "install", "--print"], env=environment)
    assert result.exit_code == 0
    assert f'Environment="MCR_HOME={tmp_path / "home"}"' in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_without_systemd_installing_says_so_and_writes_nothing(tmp_path: Path) -> None:
    if Path("/run/systemd/system").is_dir():
        pytest.skip("this machine runs systemd")
    environment = {"MCR_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    result = CliRunner().invoke(app, ["service", "install", "--yes"], env=environment)
    assert result.exit_code == 1
    assert "No systemd here" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("states", "code", "words"),
    [
        (["inactive", "activating", "active"], 0, "is enabled and started."),
        (["activating"], 0, "is enabled and starting still."),
        (["failed"], 1, "is enabled, and failed."),
    ],
)
def test_a_service_that_takes_long_to_be_ready_is_no_failure(
    states: list[str], code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def systemd(command: list[str]) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        is_look = "is-active" in command
        state = (states.pop(0) if len(states) > 1 else states[0]) if is_look else ""
        return subprocess.CompletedProcess(command, 0, state, "")

    def there_is_one(*, system: bool) -> None:
        assert not system

    monkeypatch.setattr(service, "_run_program", systemd)
    monkeypatch.setattr(service, "_need_systemd", there_is_one)
    monkeypatch.setattr(service, "_READY_S", 2.0)
    environment = {"MCR_HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path)}
    result = CliRunner().invoke(app, ["service", "install", "--yes"], env=environment)
    assert result.exit_code == code, result.output
    assert words in result.output
    assert ["systemctl", "--user", "start", "--no-block", "mcr.service"] in asked
    assert not any("--now" in command for command in asked), "it would wait until the supervisor says that it is ready"


def test_an_agents_unit_is_printed_with_what_it_was_asked_for(tmp_path: Path) -> None:
    """P5: a node comes back after a power cut, and stopping its agent ends no sidecar."""
    words = ["agent", "--name", 'node 2 "b"', "--host", "::", "--key-file", "node.key", "--print-unit"]
    result = CliRunner().invoke(app, words, env={"MCR_HOME": str(tmp_path)})
    assert result.exit_code == 0, result.output
    service = read(result.stdout)["Service"]
    assert service["KillMode"] == "process"
    assert service["User"]
    assert (service["Type"], service["WatchdogSec"]) == ("notify", "30"), "one that hangs is started again"
    assert service["ExecStart"].endswith(
        rf'-P -m supervisor agent "--name=node 2 \"b\"" "--host=::" "--key-file={Path.cwd()}/node.key"'
        ' "--launcher=process"'
    )


@pytest.mark.parametrize("agent", [(), ("--name=a $HOME 100% b",)], ids=["supervisor", "agent"])
@pytest.mark.parametrize("run_as", [None, "daemon"])
def test_systemd_itself_reads_the_unit_as_it_was_meant(
    run_as: str | None, agent: tuple[str, ...], tmp_path: Path
) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    home = tmp_path / 'with space, 100% and "quotes" $HOME'
    unit = tmp_path / "mcr.service"
    unit.write_text(Unit(Path("/bin/sh"), home, run_as, agent).text())
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=20, check=False
    )
    assert [line for line in verified.stderr.splitlines() if "mcr.service" in line] == []


@pytest.mark.parametrize(
    ("group", "whose", "words"),
    [
        ("0::/system.slice/mcr.service", "system", "sudo systemctl disable mcr"),
        ("0::/user.slice/user-1.slice/user@1.service/app.slice/mcr.service", "user", "systemctl --user disable mcr"),
        ("0::/user.slice/user-1.slice/session-3.scope", None, ""),
    ],
)
def test_who_shuts_a_service_down_is_told_how_it_stays_down(
    group: str, whose: str | None, words: str, tmp_path: Path
) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "cgroup").write_text(group + "\n")
    found = owner(7, tmp_path)
    assert found == whose
    assert found is None or words in how_to_keep_it_down(found)
