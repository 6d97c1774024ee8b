"""``mcr agent``: one node's agent as a process. Ended by a signal it lets every sidecar play on."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from supervisor.agent.belonging import Belonging
from supervisor.agent.docker_choice import PROGRAM, DockerChoice
from supervisor.agent.keys import node_key, read_key
from supervisor.agent.launcher import LauncherKind
from supervisor.agent.local import LocalAgent
from supervisor.agent.memory import Memory
from supervisor.agent.service.application import application
from supervisor.agent.service.certificate import Shown, given_certificate, issued_certificate
from supervisor.agent.service.serving import listening_socket
from supervisor.api.authentication import is_loopback
from supervisor.api.doors import Server, make_server
from supervisor.api.tls import TlsFiles
from supervisor.clock import Clock, SystemClock
from supervisor.errors import Invalid
from supervisor.files import only_supervisor, write_note
from supervisor.settings import Settings
from supervisor.systemd import ServiceManager

_STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

sidecar_program: tuple[str, ...] = (sys.executable, "-P", "-m", "sidecar")
"""What is started for a channel; a test's agent starts another."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AgentOptions:
    """What ``agent`` was called with: one of ``key_file`` (this node's) and ``cluster_key_file``.

    ``tls``: a certificate that was given, else the agent issues one to itself. On loopback, and where ``insecure_http``
    wants it, what is said is signed and not encrypted.
    """

    name: str
    host: str
    port: int
    key_file: Path | None
    cluster_key_file: Path | None
    launcher: LauncherKind = "process"
    capacity: int | None = None
    docker: DockerChoice = field(default_factory=DockerChoice)
    tls: TlsFiles | None = None
    insecure_http: bool = False

    def certificate(self, folder: Path) -> Shown | None:
        """None: in the clear. Raises Invalid."""
        if self.tls is not None:
            if self.insecure_http:
                raise Invalid("--insecure-http uses no certificate", hint="Leave one of the two out.")
            return given_certificate(self.tls)
        if self.insecure_http or is_loopback(self.host):
            return None
        return issued_certificate(folder)

    def key(self) -> bytes:
        """Raises Invalid."""
        if not self.name or len(self.name) > 80 or not self.name.isprintable():
            raise Invalid("--name must be 1 to 80 printable characters", hint="Give the name the node is added by.")
        if (self.key_file is None) == (self.cluster_key_file is None):
            raise Invalid("give one of --key-file and --cluster-key-file", hint="The node's own key is enough.")
        if self.cluster_key_file is not None:
            return node_key(read_key(self.cluster_key_file), self.name)
        assert self.key_file is not None
        return read_key(self.key_file)


async def run_agent(settings: Settings, options: AgentOptions, clock: Clock | None = None) -> int:
    """Serves until a signal comes. The exit code; raises McrError when it cannot start: nothing was touched then."""
    key = options.key()
    settings.make_directories()
    with contextlib.ExitStack() as stack:
        # The same lock as a supervisor's: it has an agent of its own, and one memory is for one agent.
        stack.enter_context(only_supervisor(settings.lock_path))
        shown = options.certificate(settings.agent_dir)
        door = listening_socket(options.host, options.port)
        stack.callback(door.close)
        async with _agent(settings, options, clock or SystemClock()) as agent:
            _write_note(stack, settings, options, door, shown)
            fingerprint, tls = ("", None) if shown is None else (shown.fingerprint, shown.context)
            _tell(options, fingerprint)
            belonging = Belonging(options.name, Memory(settings.agent_dir))
            app = application(agent, options.name, key, fingerprint, belonging)
            service = ServiceManager(lambda: agent.passes, clock or SystemClock())
            try:
                return await _serve(make_server(app, tls), door, options, service)
            finally:
                await belonging.close()


@contextlib.asynccontextmanager
async def _agent(settings: Settings, options: AgentOptions, clock: Clock) -> AsyncGenerator[LocalAgent]:
    async with contextlib.AsyncExitStack() as stack:
        launcher = None
        if options.launcher == "docker":
            owner = Memory(settings.agent_dir).incarnation()
            launcher = await stack.enter_async_context(options.docker.launcher(owner, clock))
        yield await stack.enter_async_context(
            LocalAgent(
                agent_dir=settings.agent_dir,
                sidecars_dir=settings.sidecars_dir,
                journal_dir=settings.journal_dir,
                media_root=settings.media_root,
                clock=clock,
                launcher=launcher,
                capacity=options.capacity,
                program=sidecar_program if launcher is None else PROGRAM,
                spare=settings.spare,
            )
        )


def _write_note(
    stack: contextlib.ExitStack, settings: Settings, options: AgentOptions, door: socket.socket, shown: Shown | None
) -> None:
    path = settings.agent_info_path
    host, port = door.getsockname()[:2]
    note = {"pid": os.getpid(), "name": options.name, "host": host, "port": port}
    write_note(path, note if shown is None else note | {"fingerprint": shown.fingerprint})
    stack.callback(path.unlink, missing_ok=True)


def _tell(options: AgentOptions, fingerprint: str) -> None:
    if fingerprint:
        log.info("what is said to this agent is encrypted", fingerprint=fingerprint)
    elif not is_loopback(options.host):
        log.warning("what is said to this agent can be read on the way: --insecure-http", node=options.name)
    else:
        log.info("this agent is called by http://, from this machine alone: it listens on loopback", host=options.host)


async def _serve(server: Server, door: socket.socket, options: AgentOptions, service: ServiceManager) -> int:
    asked = False

    def leave() -> None:
        nonlocal asked
        asked = server.should_exit = True

    with _signals(leave):
        log.info("the agent runs", node=options.name, address=door.getsockname()[:2])
        watchdog = asyncio.create_task(service.run(), name="service manager")
        service.ready("watches this node's sidecars; stopping it takes nothing off air")
        try:
            await server.serve(sockets=[door])
        finally:
            service.ends()
            watchdog.cancel()
            await asyncio.wait({watchdog})
    log.info("the agent leaves; its sidecars play on", node=options.name)
    return 0 if asked else 1


@contextlib.contextmanager
def _signals(leave: Callable[[], None]) -> Generator[None]:
    loop = asyncio.get_running_loop()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, leave)
    try:
        yield
    finally:
        for number in _STOP_SIGNALS:
            loop.remove_signal_handler(number)
