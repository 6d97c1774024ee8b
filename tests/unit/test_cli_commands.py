"""How commands end: with an exit code that says which kind of end it was."""

import os
import pty
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mcr_console.cli import background
from mcr_console.cli.main import app


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"MCR_HOME": str(tmp_path / "home"), "MCR_DATABASE_URL": ""}


@pytest.mark.parametrize(
    "arguments",
    [["status"], ["channel", "list"], ["channel", "take", "1"], ["playlist", "list"], ["asrun"], ["node", "list"],
     ["node", "lost", "b", "--reason", "on fire", "--yes"], ["media", "list"], ["events"], ["explain", "1"],
     ["channel", "hold-failover", "1", "--yes"], ["channel", "add-output", "1", "udp://127.0.0.1:5000"],
     ["channel", "remove-output", "1", "2", "--yes"], ["alarm", "list"],
     ["alarm", "shelve", "0123", "--reason", "the card is changed"], ["alarm", "unshelve", "0123"],
     ["move", "1", "--yes"], ["down", "--off-air", "--yes"]],
)  # fmt: skip
def test_commands_never_start_a_supervisor(arguments: list[str], home: dict[str, str]) -> None:
    result = CliRunner().invoke(app, arguments, env=home)
    if arguments[0] == "down":
        assert (result.exit_code, result.stdout.count("No supervisor runs")) == (0, 1)
    else:
        assert result.exit_code == 69
        assert "mcr up starts one" in result.stderr
        assert result.stdout == ""
    assert not Path(home["MCR_HOME"]).exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["channel", "add"],
        ["channel", "add", "X", "--format", "1080i25"],
        ["channel", "add", "X", "--output", "rist://host:1"],
        ["channel", "add", "X", "--from", "/a", "--playlist", "b"],
        ["playlist", "import", "X"],
        ["asrun", "--from", "soon"],
        ["asrun", "--csv", "--json"],
        ["channel", "cue", "1"],
        ["node", "set", "b"],
        ["node", "lost", "b"],
        ["node", "release", "0123"],
        ["events", "--kind", "nonsense"],
        ["alarm", "shelve", "0123"],
        ["alarm", "shelve", "0123", "--reason", "x"],
        ["demo", "--media", "/not/there"],
        ["demo", "--channels", "0"],
        ["nonsense"],
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(arguments: list[str], home: dict[str, str]) -> None:
    result = CliRunner().invoke(app, arguments, env=home)
    assert result.exit_code == 2, result.output
    assert "Error" in result.stderr


@pytest.mark.parametrize("arguments", [["up"], ["demo", "--for", "1"]])
def test_a_home_that_cannot_be_written_to_is_said_in_words(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, arguments, env={"MCR_HOME": "/proc/nowhere"})
    assert result.exit_code == 1
    assert "/proc/nowhere" in result.stderr
    assert "Set MCR_HOME" in result.stderr


def test_a_supervisor_that_stands_still_is_not_called_none_and_gets_no_second_beside_it(
    short_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It listens, as the kernel does for it, and nobody ever answers."""
    monkeypatch.setattr(background, "SILENT_S", 0.0)
    (short_home / "run").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(short_home / "run" / "mcr.sock"))
        door.listen()
        for command in ("up", "down"):
            result = CliRunner().invoke(app, [command], env={"MCR_HOME": str(short_home), "MCR_DATABASE_URL": ""})
            assert result.exit_code == 69, result.output
            assert "The supervisor does not answer" in result.stderr
            assert f"Process {os.getpid()} listens at" in result.stderr
            assert result.stdout == ""
    assert not list(short_home.rglob("*.log")), "another was started"


def test_the_console_without_a_terminal_says_what_to_do(home: dict[str, str]) -> None:
    result = CliRunner().invoke(app, [], env=home)
    assert result.exit_code == 2
    assert "mcr status" in result.stderr
    assert not Path(home["MCR_HOME"]).exists()


def test_the_database_is_brought_to_this_version_by_the_words_its_errors_name(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "mcr_console.cli.main", "db", "upgrade"],
        env={**os.environ, "MCR_HOME": str(tmp_path / "home")}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "home" / "mcr.db").exists()


def test_the_console_is_not_drawn_into_a_file(home: dict[str, str]) -> None:
    """Textual draws to standard error: with it in a file the terminal would stay empty."""
    master, slave = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "mcr_console.cli.main"], env={**os.environ, **home}, stdin=slave, stdout=slave,
            stderr=subprocess.PIPE, text=True, timeout=20, check=False,
        )  # fmt: skip
    finally:
        os.close(slave)
        os.close(master)
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr


@pytest.mark.parametrize("arguments", [[], ["channel"], ["demo"], ["service", "install"]])
def test_help_is_plain_text(arguments: list[str], home: dict[str, str]) -> None:
    result = CliRunner().invoke(app, [*arguments, "--help"], env=home)
    assert result.exit_code == 0
    assert result.stdout.isascii()


@pytest.mark.parametrize(
    "arguments",
    [["webhook", "add", "https://example.com/", "--secret-file", "SECRET"],
     ["principal", "add", "kim", "--role", "viewer", "--unix-user", "a b"],
     ["principal", "set", "kim", "--unix-user", "a b"], ["token", "add", "kim", "--label", ""]],
)  # fmt: skip
def test_what_does_not_fit_is_said_in_words_and_without_a_secret(
    arguments: list[str], home: dict[str, str], tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("too-short")
    given = [str(secret) if word == "SECRET" else word for word in arguments]
    result = CliRunner().invoke(app, given, env=home)
    assert result.exit_code == 1
    assert "mcr: That is not accepted" in result.stderr
    assert "too-short" not in result.output
    assert isinstance(result.exception, SystemExit), "a traceback"
