"""A server that the sidecar starts itself: its configuration, its process, and what it said last.

The process is nobody's but ours by its number and the instant of its start, which are kept on disk: it plays on when
the sidecar is killed, and the next one finds it and lets it play. It ends when the channel is stopped.
"""

import contextlib
import logging
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Final

import msgspec

from sidecar.caspar.server_config import ServerFolder, written_config
from sidecar.protocol.caspar_modes import Mode
from sidecar.protocol.channel import CasparServer

log = logging.getLogger(__name__)

_NS: Final = 1_000_000_000
FIRST_PAUSE_NS: Final = _NS // 2
MOST_PAUSE_NS: Final = 10 * _NS
STEADY_NS: Final = 30 * _NS
"""Alive for so long, it is not one that dies at its start."""
EXIT_RESTART: Final = 5
"""Somebody sent it RESTART."""
_MOST_LOG: Final = 16 << 20
_TAIL: Final = 16 << 10
_WORDS: Final = 300
_NO_SCREEN: Final = ("opengl", "x11", "display", "glx", "glew", "glfw", "egl")
_URL: Final = re.compile(r"\b([a-z][a-z0-9+.-]*://)(?:[^\s\"'/?#]*@)?([^\s\"'/?#@]+)[^\s\"']*", re.IGNORECASE)
"""Its scheme and its host. The rest, and who logs in there, may be a stream key or a passphrase."""
_KEPT: Final = "process.json"
_SCREENS: Final = range(90, 130)


class _Child(subprocess.Popen[bytes]):
    """A process that may outlive this one: ``Popen`` would warn of that at the end."""

    def __del__(self) -> None:
        """Leaves it running."""


@dataclass(frozen=True, slots=True)
class Process:
    """``started`` in the machine's ticks since boot: the same number with another start is another process."""

    pid: int
    started: int

    @property
    def is_alive(self) -> bool:
        there = _start_of(self.pid)
        return there is not None and there == self.started


class _Kept(msgspec.Struct, frozen=True):
    process: Process
    program: str
    config: str
    screen: Process | None = None
    display: str = ""


class Minder:
    """Owned by one task; every call is short. ``now_ns`` is monotonic."""

    def __init__(
        self, server: CasparServer, mode: Mode, folder: ServerFolder, environment: Mapping[str, str] | None = None,
        screens: Callable[[], str | None] = lambda: which("Xvfb"),
    ) -> None:  # fmt: skip
        self._server = server
        self._mode = mode
        self._folder = folder
        given = os.environ if environment is None else environment
        # By these a node finds its sidecars, and one is the key to this one's door.
        self._environment = {
            name: value for name, value in given.items() if name != "CHANNEL_ID" and not name.startswith("MCR_")
        }
        self._display = ""
        self._screens = screens
        self._children: dict[int, _Child] = {}
        self._process: Process | None = None
        self._screen: Process | None = None
        self._needs_screen = False
        self._since_ns = 0
        self._next_ns = 0
        self._tries = 0
        self.fault = ""
        """Why it does not run; empty while it does."""
        self.starts = 0

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.is_alive

    def mind(self, now_ns: int) -> None:
        """Starts it, once more where it died, with a growing pause."""
        self._reap()
        if self._process is None and self.starts == 0:
            self._find(now_ns)
        if self.is_alive:
            if now_ns - self._since_ns >= STEADY_NS:
                self._tries = 0
            return
        if self._process is not None:
            self._gone(now_ns)
        if now_ns >= self._next_ns:
            self._start(now_ns)

    def end(self, number: signal.Signals) -> bool:
        """Tells it to end, by its own number; whether it is gone."""
        self._reap()
        process = self._process
        if process is not None and process.is_alive:
            tell(process, number)
            return False
        self._process = None
        self._forget()
        if self._screen is not None and self._screen.is_alive:
            tell(self._screen, signal.SIGTERM)
        self._screen = None
        return True

    def last_words(self) -> str:
        """What its log says of why it ended, in one line; of addresses no more than scheme and host, as it logs what it
        is told."""
        try:
            with self._log.open("rb") as told:
                begin = max(0, self._log.stat().st_size - _TAIL)
                told.seek(begin)
                lines = _URL.sub(r"\1\2", told.read().decode(errors="replace")).splitlines()
        except OSError:
            return ""
        if begin:
            del lines[:1]  # half of one
        grave = [line for line in lines if "[fatal]" in line or "[error]" in line]
        # The stack that follows an error says nothing to an operator.
        said = [line for line in grave if "0x" not in line] or [line for line in lines if line.strip()][-2:]
        words = [line.partition("]    ")[2].strip() or line.partition("] ")[2].strip() or line.strip() for line in said]
        return " | ".join(word for word in words[:3] if word)[:_WORDS]

    # --- inside -----------------------------------------------------------------------------------------------------

    @property
    def _log(self) -> Path:
        return self._folder.root / "server.log"

    @property
    def _kept(self) -> Path:
        return self._folder.root / _KEPT

    def _find(self, now_ns: int) -> None:
        """One that a run before this one started, and that was told the same."""
        kept = _kept_in(self._folder.root)
        if kept is None or not kept.process.is_alive:
            return
        process, self._screen, self._display = kept.process, kept.screen, kept.display
        self._process, self._since_ns, self.fault = process, now_ns, ""
        if kept.program == self._server.program and kept.config == self._config():
            log.info("the CasparCG server of the run before lives on, process %d", process.pid)
            return
        log.warning("the CasparCG server of the run before was told otherwise; it is ended: process %d", process.pid)
        tell(process, signal.SIGKILL)

    def _gone(self, now_ns: int) -> None:
        process, self._process = self._process, None
        child = self._children.pop(process.pid, None) if process is not None else None
        code = None if child is None else child.returncode
        how = "" if code is None else f" with exit code {code}" if code >= 0 else f" by signal {-code}"
        words = self.last_words()
        self.fault = f"the CasparCG server that this channel starts ended{how}: {words or 'it said nothing'}"
        log.warning("%s", self.fault)
        if code != EXIT_RESTART and any(word in words.casefold() for word in _NO_SCREEN):
            self._needs_screen = "DISPLAY" not in self._environment
        pause = 0 if code == EXIT_RESTART else min(MOST_PAUSE_NS, FIRST_PAUSE_NS << min(self._tries, 5))
        self._tries += 1
        self._next_ns = now_ns + pause

    def _start(self, now_ns: int) -> None:
        self.starts += 1
        self._next_ns = now_ns + MOST_PAUSE_NS
        if not _is_free(self._server.port):
            self.fault = f"another program listens on port {self._server.port}, and the server was not started"
            self._next_ns = now_ns + FIRST_PAUSE_NS
            return
        try:
            for made in self._folder.made:
                made.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(OSError):
                self._folder.root.chmod(0o700)  # its logs repeat what it is told, passphrases too
            self._folder.config.write_text(self._config(), encoding="utf-8")
            if self._log.exists() and self._log.stat().st_size > _MOST_LOG:
                self._log.replace(self._log.with_suffix(".log.1"))
            environment = self._with_screen()
            child = self._spawn([self._server.program, str(self._folder.config)], environment)
        except OSError as error:
            self.fault = f"the CasparCG server {self._server.program} cannot be started: {error.strerror or error}"
            log.warning("%s", self.fault)
            return
        started = _start_of(child.pid)
        if started is None:
            return
        self._process, self._since_ns = Process(child.pid, started), now_ns
        self.fault = ""
        self._keep()
        log.info("started the CasparCG server %s, process %d", self._server.program, child.pid)

    def _spawn(self, words: list[str], environment: Mapping[str, str]) -> "_Child":
        """Its input never ends: the server reads it in a loop that an end would make a busy one (``shell/main.cpp``).
        So it holds the other end of that pipe itself."""
        read, write = os.pipe()
        try:
            with self._log.open("ab") as told:
                child = _Child(
                    words, stdin=read, stdout=told, stderr=subprocess.STDOUT, cwd=self._folder.root,
                    env=dict(environment), start_new_session=True, pass_fds=(write,),
                )  # fmt: skip
        finally:
            os.close(read)
            os.close(write)
        self._children[child.pid] = child
        return child

    def _with_screen(self) -> dict[str, str]:
        """The environment. From 2.5 on a server without DISPLAY draws by EGL; one before needs X, and says so as it
        dies. Then, and where EGL finds no device, it is given a screen of Xvfb, where that is there."""
        environment = dict(self._environment)
        if not self._needs_screen:
            return environment
        xvfb = self._screens()
        if xvfb is None:
            log.error("the CasparCG server needs an X display, and neither DISPLAY is set nor Xvfb there")
            return environment
        if self._screen is None or not self._screen.is_alive:
            number = next((n for n in _SCREENS if not Path(f"/tmp/.X11-unix/X{n}").exists()), _SCREENS.stop)  # noqa: S108
            child = self._spawn([xvfb, f":{number}", "-screen", "0", "1280x720x24", "-nolisten", "tcp"], environment)
            started = _start_of(child.pid)
            self._screen = None if started is None else Process(child.pid, started)
            self._display = f":{number}"
        environment["DISPLAY"] = self._display
        environment["LIBGL_ALWAYS_SOFTWARE"] = "1"
        return environment

    def _config(self) -> str:
        return written_config(self._server, self._mode, self._folder)

    def _keep(self) -> None:
        assert self._process is not None
        aside = self._kept.with_suffix(".new")
        try:
            kept = _Kept(self._process, self._server.program, self._config(), self._screen, self._display)
            aside.write_bytes(msgspec.json.encode(kept))
            aside.replace(self._kept)
        except OSError as error:
            log.warning("where the CasparCG server is cannot be kept on disk: %s", error)

    def _forget(self) -> None:
        try:
            self._kept.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s", error)

    def _reap(self) -> None:
        for child in self._children.values():
            child.poll()


def kept_process(folder: Path) -> Process | None:
    """What a run before this one started, and still lives."""
    kept = _kept_in(folder)
    return kept.process if kept is not None and kept.process.is_alive else None


def _kept_in(folder: Path) -> _Kept | None:
    try:
        return msgspec.json.decode((folder / _KEPT).read_bytes(), type=_Kept)
    except (OSError, msgspec.MsgspecError):
        return None


def _is_free(port: int) -> bool:
    """Another server there would be driven in place of ours, which dies some seconds after it finds the port taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 - as the server does; nothing listens here
        except OSError:
            return False
    return True


def tell(process: Process, number: signal.Signals) -> None:
    try:
        os.kill(process.pid, number)
    except ProcessLookupError:
        return
    except OSError as error:
        log.warning("signal %s to process %d: %s", number.name, process.pid, error)


def _start_of(pid: int) -> int | None:
    """Field 22 of ``/proc/<pid>/stat``, after the name in brackets; None where it is gone, or dead and not reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else int(fields[19])
