"""``mcr service …``: the supervisor under systemd, so that channels come back after a power cut with nobody there."""

import os
import pwd
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from mcr_console.cli.commands import Sure, confirm, group, home
from mcr_console.cli.failures import Exit, Failure
from mcr_console.cli.places import SYSTEM_HOME, SYSTEM_SOCKET, Home
from mcr_console.cli.playing import is_locked

app = group("Run the supervisor under systemd: at boot, and again when it dies.")

UNIT: Final = "mcr.service"
_SYSTEM_UNIT: Final = Path("/etc/systemd/system") / UNIT
_SYSTEMD_S: Final = 30.0
_READY_S: Final = 30.0
_LOOK_S: Final = 0.25

System = Annotated[
    bool, typer.Option("--system/--user", help="For the whole machine (needs root), or for you alone (the default).")
]


@dataclass(frozen=True, slots=True)
class Unit:
    """What a unit file says. ``run_as`` None: a unit of the user's own systemd. ``agent``: the words after
    ``supervisor agent`` of a unit for a node's agent; empty for the supervisor's own."""

    python: Path
    home: Path
    run_as: str | None = None
    agent: tuple[str, ...] = ()

    def text(self) -> str:
        runs = " ".join(("agent", *(quoted(word, command=True) for word in self.agent))) if self.agent else "serve"
        what = "node agent" if self.agent else "supervisor"
        lines = [
            f"# Written by mcr {'agent --print-unit' if self.agent else 'service install'}.",
            "[Unit]",
            f"Description=MCR Console {what}",
            "After=network-online.target time-sync.target",
            "Wants=network-online.target",
            f"# Restarts slow down and never end: a {what} that gave up would watch nothing.",
            "StartLimitIntervalSec=0",
            "",
            "[Service]",
            *_notifies(what),
            f"ExecStart={quoted(str(self.python), command=True)} -P -m supervisor {runs}",
            f"Environment={quoted(f'MCR_HOME={self.home}')}",
        ]
        if self.run_as is not None:
            lines += [f"User={self.run_as}"]
        if self.run_as is not None and not self.agent:
            lines += [
                f"Environment={quoted(f'MCR_SOCKET={SYSTEM_SOCKET}')}",
                "RuntimeDirectory=mcr",
                "RuntimeDirectoryMode=0750",
                "StateDirectory=mcr",
                "StateDirectoryMode=0700",
            ]
        lines += [
            f"# A {what} that was told to shut down (exit code 0) stays down until the next start.",
            "Restart=on-failure",
            "RestartSec=1",
            f"# Playout survives the {what}: stopping this unit ends its main process and no sidecar,",
            "# and a sidecar that runs out of memory does not take the unit with it.",
            "KillMode=process",
            "OOMPolicy=continue",
            "TimeoutStopSec=30",
            "LimitNOFILE=65536",
            "",
            "[Install]",
            f"WantedBy={'default.target' if self.run_as is None else 'multi-user.target'}",
            "",
        ]
        return "\n".join(lines)


def _notifies(what: str) -> tuple[str, ...]:
    begins = "An upgrade of the schema" if what == "supervisor" else "Finding again what plays"
    return (
        "Type=notify",
        "NotifyAccess=main",
        f"# {begins} takes as long as it takes.",
        "TimeoutStartSec=infinity",
        f"# It is told after each good pass; a {what} that hangs is started again, and playout goes on.",
        "WatchdogSec=30",
    )


def owner(pid: int, proc: Path = Path("/proc")) -> Literal["user", "system"] | None:
    """Whose systemd runs the process as this service; None when it is no service. Needs Linux's /proc."""
    try:
        groups = (proc / str(pid) / "cgroup").read_text().splitlines()
    except OSError:
        return None
    for group_ in groups:
        parts = group_.rpartition(":")[2].split("/")
        if UNIT in parts:
            return "user" if "user.slice" in parts else "system"
    return None


def how_to_keep_it_down(whose: Literal["user", "system"]) -> str:
    """Whoever shut a service down is told that it comes back, and how not."""
    systemctl = "sudo systemctl" if whose == "system" else "systemctl --user"
    return (
        f"It is the service {UNIT}: it starts again with the machine, or by '{systemctl} start mcr'. "
        f"'{systemctl} disable mcr' keeps it down."
    )


def quoted(text: str, *, command: bool = False) -> str:
    """``text`` as one word of a unit file (systemd.syntax, systemd.service). Raises Failure for a line break."""
    if any(ord(character) < 32 for character in text):
        raise Failure("No unit can be written", f"{text!r} holds a control character.", "Choose another path.")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped.replace("$", "$$") if command else escaped}"'


def _unit(here: Home, run_as: str | None) -> Unit:
    python = Path(sys.executable).absolute()
    return Unit(python, here.path if run_as is None or here.chosen else SYSTEM_HOME, run_as)


def _path(*, system: bool) -> Path:
    if system:
        return _SYSTEM_UNIT
    configuration = os.environ.get("XDG_CONFIG_HOME")
    return (Path(configuration) if configuration else Path.home() / ".config") / "systemd" / "user" / UNIT


@app.command()
def install(
    system: System = False,
    run_as: Annotated[str, typer.Option(help="With --system: the user it runs as.")] = "mcr",
    print_only: Annotated[bool, typer.Option("--print", help="Print the unit and change nothing.")] = False,
    yes: Sure = False,
) -> None:
    """Write the unit, enable it and start it. Shows it first."""
    unit, path = _unit(home(), run_as if system else None), _path(system=system)
    if print_only:
        print(unit.text(), end="")
        return
    _need_systemd(system=system)
    if system:
        _need_root_and_user(run_as)
    elif _is_locked_by_another(home()):
        raise Failure(
            "A supervisor runs already",
            f"It holds {home().lock}, and the service would wait for it.",
            "mcr down first: playout goes on, and the service takes charge of it.",
        )
    print(f"This is written to {path}:\n\n{unit.text()}", file=sys.stderr)
    confirm(f"Write it, enable it and start it{' for the whole machine' if system else ''}?", yes=yes)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(unit.text())
    except OSError as error:
        raise Failure("The unit was not written", f"{path}: {error.strerror}") from error
    _systemctl(system, "daemon-reload")
    _systemctl(system, "enable", UNIT)
    # It says itself when it is ready, which an upgrade of the schema may put off: no start that waits for it fails.
    _systemctl(system, "start", "--no-block", UNIT)
    print(f"{UNIT} is enabled and {_started(system)}.")
    if not system:
        _linger()


@app.command()
def uninstall(system: System = False, yes: Sure = False) -> None:
    """Stop and disable the service and remove its unit. Playout goes on."""
    path = _path(system=system)
    _need_systemd(system=system)
    if not path.exists():
        raise Failure("Not installed", f"{path} is not there.")
    if system and os.geteuid() != 0:
        raise Failure("This needs root", f"{path} is the machine's.", "sudo mcr service uninstall --system")
    confirm("Stop and remove the service? Playout goes on.", yes=yes)
    _systemctl(system, "disable", "--now", UNIT)
    path.unlink()
    _systemctl(system, "daemon-reload")
    print(f"{UNIT} is removed. Playout goes on; mcr up takes charge of it.")


@app.command()
def status(system: System = False) -> None:
    """Say whether the service is installed, enabled and running."""
    path = _path(system=system)
    if not path.exists():
        print(f"Not installed: {path} is not there. mcr service install writes it.")
        raise typer.Exit(Exit.FAILED)
    _need_systemd(system=system)
    enabled = _ask(system, "is-enabled", UNIT)
    active = _ask(system, "is-active", UNIT)
    print(f"{path}: {enabled}, {active}")
    if active != "active":
        print(f"Its log: journalctl {'' if system else '--user '}-u {UNIT}")
        raise typer.Exit(Exit.FAILED)


def _started(system: bool) -> str:
    """How far it is once it is ready, or when it has had its time. Failure when it does not run."""
    until = time.monotonic() + _READY_S
    while (state := _ask(system, "is-active", UNIT)) != "active" and time.monotonic() < until:
        time.sleep(_LOOK_S)
    if state == "active":
        return "started"
    log = f"Its log: journalctl {'' if system else '--user '}-u {UNIT}"
    if state != "activating":
        raise Failure("The service did not start", f"{UNIT} is enabled, and {state}.", log)
    return f"starting still. {log}"


def _need_systemd(*, system: bool) -> None:
    if not Path("/run/systemd/system").is_dir():
        raise Failure(
            "No systemd here",
            "This machine was not started by systemd, so there is nothing to install a service into.",
            "Let your own init run 'mcr serve'; mcr service install --print shows what systemd would be told.",
        )
    if not system and not os.environ.get("XDG_RUNTIME_DIR"):
        raise Failure(
            "No systemd of your own",
            "XDG_RUNTIME_DIR is not set: this session did not come through a log-in (su and sudo do not make one).",
            "Log in over SSH or at the console, or use --system.",
        )


def _need_root_and_user(run_as: str) -> None:
    if os.geteuid() != 0:
        raise Failure("This needs root", f"{_SYSTEM_UNIT} is the machine's.", "sudo mcr service install --system")
    try:
        pwd.getpwnam(run_as)
    except KeyError as error:
        raise Failure(
            f"There is no user {run_as!r}",
            "The service does not run as root.",
            f"useradd --system --home-dir {SYSTEM_HOME} --shell /usr/sbin/nologin {run_as}, or --run-as another.",
        ) from error


def _is_locked_by_another(here: Home) -> bool:
    return is_locked(here) and _ask(False, "is-active", UNIT) != "active"


def _linger() -> None:
    """A user's services end with the last log-in, unless they linger."""
    user = pwd.getpwuid(os.getuid()).pw_name
    done = _run_program(["loginctl", "enable-linger", user])
    if done.returncode == 0:
        print("Lingering is on: it runs from boot on, logged in or not.")
    else:
        print(f"It ends when you log out. To run it from boot on: sudo loginctl enable-linger {user}")


def _systemctl(system: bool, *arguments: str) -> None:
    done = _run(system, *arguments)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise Failure(f"systemctl {' '.join(arguments)} failed", said or f"exit code {done.returncode}")


def _ask(system: bool, *arguments: str) -> str:
    return _run(system, *arguments).stdout.strip() or "unknown"


def _run(system: bool, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["systemctl", *([] if system else ["--user"]), *arguments]
    return _run_program(command)


def _run_program(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=_SYSTEMD_S, check=False)  # noqa: S603 - fixed words, no shell
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failure(f"{command[0]} did not do it", f"{' '.join(command)}: {error}") from error
