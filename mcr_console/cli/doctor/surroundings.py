"""What is around: terminal, systemd, Docker, DeckLink cards, network, a supervisor."""

import os
import pwd
import re
import shutil
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Final

import httpx

from mcr_console.cli.doctor.finding import Finding
from mcr_console.cli.node_lines import is_own
from mcr_console.cli.places import Home, socket_to_use
from mcr_console.safe_text import safe
from supervisor.schemas.node import Node

_BLACKMAGIC: Final = "0xbdbd"
"""Their number as a maker of PCI cards."""
_DOCKER_S: Final = 2.0
_CAPTURES: Final = "MCR_DECKLINK_FFMPEG"
_LISTED: Final = "Auto-detected sources for decklink:"
_CAPTURE_S: Final = 10.0
SERVE_PORT: Final = 6270
"""What ``python -m supervisor serve`` listens on when it is given a host and no port."""


def terminal() -> Finding:
    name = os.environ.get("TERM", "")
    if not sys.stdout.isatty():
        return Finding("note", "terminal", "output is none", "The console needs one; every other command does without.")
    size = shutil.get_terminal_size()
    true_colour = os.environ.get("COLORTERM", "") in ("truecolor", "24bit")
    colours = "true colour" if true_colour else "256 colours" if "256" in name else "16 colours"
    if "NO_COLOR" in os.environ:
        colours = "no colour, as NO_COLOR asks"
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    seen = f"{name or 'unnamed'}, {size.columns}x{size.lines}, {colours}, {encoding or 'no encoding'}"
    if encoding != "utf8":
        return Finding("warning", "terminal", seen, "Blocks and lines need UTF-8: export LANG=C.UTF-8")
    if name in ("", "dumb"):
        return Finding("warning", "terminal", seen, "The console cannot draw on it: export TERM=xterm-256color")
    if size.columns < 80 or size.lines < 24:
        return Finding("warning", "terminal", seen, "The console is made for 80x24 and larger.")
    return Finding("ok", "terminal", seen)


def systemd() -> Finding:
    if not Path("/run/systemd/system").is_dir():
        return Finding("note", "systemd", "not running", "Without it, let your own init run 'mcr serve' at boot.")
    user = pwd.getpwuid(os.getuid()).pw_name
    if os.getuid() and not (Path("/var/lib/systemd/linger") / user).exists():
        return Finding(
            "note",
            "systemd",
            "running; your own services end when you log out",
            f"For 'mcr service install' to outlive that: sudo loginctl enable-linger {user}",
        )
    return Finding("ok", "systemd", "running; mcr service install brings channels back after a power cut")


def docker() -> Finding:
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    without = "Needed only for channels in containers."
    scheme, _, rest = host.partition("://")
    try:
        if scheme == "unix":
            with socket.socket(socket.AF_UNIX) as probe:  # httpx leaves a socket open that cannot connect
                probe.settimeout(_DOCKER_S)
                probe.connect(rest)
            transport = httpx.HTTPTransport(uds=rest)
            with httpx.Client(transport=transport, timeout=_DOCKER_S, trust_env=False) as client:
                answer = client.get("http://docker/version")
        elif scheme in ("tcp", "http"):
            with httpx.Client(timeout=_DOCKER_S, trust_env=False) as client:
                answer = client.get(f"http://{rest}/version")
        else:
            return Finding("note", "Docker", f"{host}: not asked over {scheme or 'nothing'}", without)
        version = answer.json().get("Version", "unknown version") if answer.is_success else f"HTTP {answer.status_code}"
    except PermissionError:
        return Finding("note", "Docker", f"{host} is not for this user", f"{without} Join its group: docker")
    except (httpx.HTTPError, OSError, ValueError, AttributeError) as error:
        return Finding("note", "Docker", f"no engine at {host}: {error or type(error).__name__}", without)
    return Finding("ok" if answer.is_success else "note", "Docker", f"engine {version} at {host}")


def decklink(devices: Path = Path("/dev/blackmagic"), system: Path = Path("/sys")) -> Finding:
    """The cards themselves are on the bus, their driver is a module, and what it made of them is in ``devices``."""
    without = "Needed only for SDI."
    cards, driver = _blackmagic_cards(system), (system / "module" / "blackmagic_io").is_dir()
    if not devices.is_dir():
        if not cards:
            return Finding("note", "DeckLink", f"no Blackmagic card is in this machine: no {devices}", without)
        seen = f"{len(cards)} on the bus ({', '.join(cards)})"
        if driver:
            return Finding("warning", "DeckLink", f"{seen}, and the driver shows none", "Look what dmesg says of it.")
        install = "Install Blackmagic's Desktop Video, then: modprobe blackmagic_io"
        return Finding("warning", "DeckLink", f"{seen}, and their driver is not loaded", install)
    nodes = sorted(path for path in devices.iterdir() if stat.S_ISCHR(path.stat().st_mode))
    refused = [path.name for path in nodes if not os.access(path, os.R_OK | os.W_OK)]
    if refused:
        return Finding("warning", "DeckLink", f"not for this user: {', '.join(refused)}", "Join its group: video")
    if not nodes:
        return Finding("note", "DeckLink", f"{devices} is empty", without)
    return Finding("ok", "DeckLink", ", ".join(path.name for path in nodes))


def decklink_capture(devices: Path = Path("/dev/blackmagic"), system: Path = Path("/sys")) -> list[Finding]:
    """Whether recorders could capture from a card: a program of the machine's own does, for no library here may."""
    named = os.environ.get(_CAPTURES, "")
    if not named and not devices.is_dir() and not _blackmagic_cards(system):
        return []
    program, name = named or "ffmpeg", "DeckLink capture"
    install = f"For recorders of cards: install an ffmpeg built with DeckLink, or name one in {_CAPTURES}"
    try:
        answer = subprocess.run(  # noqa: S603 - the administrator's own program, and no shell
            [program, "-hide_banner", "-sources", "decklink"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=_CAPTURE_S, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        return [Finding("warning", name, f"there is no program {program!r}", install)]
    except (OSError, subprocess.TimeoutExpired) as error:
        return [Finding("warning", name, f"{program!r} does not answer: {error}", install)]
    _, header, inputs = answer.stdout.decode(errors="replace").partition(_LISTED)
    if not header:
        return [Finding("warning", name, f"{program!r} is built without DeckLink", install)]
    seen = re.findall(r"^[* ] .+ \[(.+)\]", inputs, re.MULTILINE)
    if not seen:
        advice = "Install Blackmagic's Desktop Video, then: modprobe blackmagic_io"
        return [Finding("warning", name, f"{program!r} sees no input", advice)]
    return [Finding("ok", name, f"by {program!r}: {', '.join(seen)}")]


def _blackmagic_cards(system: Path) -> list[str]:
    """Addresses on the bus."""
    found: list[str] = []
    for vendor in sorted((system / "bus" / "pci" / "devices").glob("*/vendor")):
        try:
            if vendor.read_text().strip().lower() == _BLACKMAGIC:
                found.append(vendor.parent.name)
        except OSError:
            continue  # gone since
    return found


def ports() -> Finding:
    """Sidecars listen on loopback ports of the kernel's choosing, and UDP outputs need a way out."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(1)
            with socket.create_connection(listener.getsockname(), timeout=2.0):
                pass
    except OSError as error:
        return Finding(
            "missing",
            "ports",
            f"loopback does not work: {error}",
            "Bring it up: ip link set lo up; check the firewall.",
        )
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.connect(("239.255.0.1", 5000))  # chooses a route; nothing is sent
            way_out = sender.getsockname()[0]
    except OSError as error:
        advice = "For UDP outputs to multicast groups: ip route add 224.0.0.0/4 dev <interface>"
        return Finding("note", "ports", f"loopback works; no route for multicast: {error.strerror}", advice)
    return Finding("ok", "ports", f"loopback works; multicast leaves from {way_out}")


def tcp_port(port: int = SERVE_PORT) -> Finding:
    """Whether ``mcr serve --host 127.0.0.1`` could listen on its usual port."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
    except OSError as error:
        seen = f"{port} cannot be listened on: {error.strerror}"
        return Finding("note", "API port", seen, "A supervisor may have it; mcr serve --port takes another.")
    return Finding("ok", "API port", f"{port} is free; mcr serve --host 127.0.0.1 would listen on it")


def agents(nodes: tuple[Node, ...]) -> list[Finding]:
    """Whether what is said to the agents of other machines can be read on the way; one that does not answer is judged
    by its address."""
    others = [node for node in nodes if node.kind == "agent"]
    if not others:
        return []
    plain = [
        safe(node.name)
        for node in others
        if not is_own(node.url) and not (node.url or "").startswith("https:") and not node.encrypted
    ]
    if plain:
        advice = "Let mcr agent there speak TLS (without --insecure-http), then: mcr node set NAME --url https://…"
        return [Finding("warning", "agents", f"not encrypted: {', '.join(plain)}", advice)]
    return [Finding("ok", "agents", f"{len(others)}, and what is said to them cannot be read on the way")]


def supervisor(home: Home, version: str | None) -> Finding:
    """``version``: what a supervisor that answered says it is; empty where one listens and says nothing."""
    where = socket_to_use(home)
    if version == "":
        return Finding("warning", "supervisor", f"listens at {where} and does not answer", "mcr status says who it is.")
    if version is None:
        return Finding("note", "supervisor", f"none at {where}", "mcr up starts one.")
    return Finding("ok", "supervisor", f"{version} at {where}")


def retention(keeps: str) -> list[Finding]:
    """``keeps``: what a supervisor that answered says of it; empty: nothing is known."""
    return [Finding("note", "kept", keeps, "MCR_KEEP_… of the supervisor: docs/settings.md.")] if keeps else []
