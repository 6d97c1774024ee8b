"""The supervisor as a process: puts store, agent, supervision and API together, and takes them apart in order.

It ends in one of four ways, and only the last two touch what is on air: a signal or ``POST /supervisor/shutdown``
(playout goes on), a fault of its own (exit code 1, playout goes on), shutdown with ``off_air``, and the leash let go.
"""

import asyncio
import contextlib
import os
import signal
import socket
import ssl
from collections.abc import Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from db.models import Playlist
from db.store import Store
from db.transaction import Transaction
from supervisor.agent.interface import NodeAgent
from supervisor.agent.keys import read_or_make_cluster_key
from supervisor.agent.local import LocalAgent
from supervisor.agent.source import Agents
from supervisor.ahead.coming import ComingWatch
from supervisor.ahead.looking import Ahead
from supervisor.ahead.watch import AheadWatch
from supervisor.api import views
from supervisor.api.app import create_app
from supervisor.api.authentication import is_loopback, read_or_make_token
from supervisor.api.context import Context
from supervisor.api.doors import SHUTDOWN_S, make_server, tcp_socket, unix_socket
from supervisor.api.kept_channels import KeptChannels
from supervisor.api.nodes_seen import read_nodes
from supervisor.api.openings import Openings
from supervisor.api.snapshot import Snapshot
from supervisor.api.throttle import Throttle
from supervisor.api.tls import TlsFiles, named_by, renew, tls_context
from supervisor.asrun.delivery import Delivery
from supervisor.asrun.targets import FolderTarget, Target, UrlTarget
from supervisor.assets.importing import AssetImport
from supervisor.assets.measuring import LoudnessWatch
from supervisor.assets.probing import Prober
from supervisor.audit import AuditLog
from supervisor.clock import Clock, SystemClock
from supervisor.declared_nodes import declare, parse_declared
from supervisor.departure import Departure
from supervisor.drills import Drills
from supervisor.errors import McrError
from supervisor.events import Events
from supervisor.files import only_supervisor, read_or_make_id, write_note
from supervisor.intake.news import intake_news
from supervisor.intake.waiting import WaitingItems
from supervisor.intake.watch import FolderWatch
from supervisor.lag import LoopLag
from supervisor.leash import leash_let_go
from supervisor.loops.supervision import Supervision
from supervisor.metrics.scrape import Metrics
from supervisor.mirror import Mirror
from supervisor.people import START_S, People
from supervisor.playlists.preparing import Preparing
from supervisor.playlists.revising import Revising
from supervisor.playlists.telling import tell_playlist
from supervisor.principal import SYSTEM, Principal
from supervisor.reach import Reach
from supervisor.retention import RetentionJob
from supervisor.schemas.event import SupervisorInfo
from supervisor.schemas.node import Node
from supervisor.settings import Settings
from supervisor.systemd import ServiceManager
from supervisor.threads import Threads
from supervisor.tidying import NodeTidying
from supervisor.version import program_version
from supervisor.webhooks.addresses import Allowed
from supervisor.webhooks.calling import Caller
from supervisor.webhooks.sending import Sending

BEAT_S: Final = 1.0
AUDIT_S: Final = 2.0
"""Seconds in which the last audit rows must be in the database at the end."""
_STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """What ``serve`` was called with. ``host`` None: no TCP door. Not ``node``: nothing plays on this machine."""

    host: str | None = None
    port: int = 0
    leash_fd: int | None = None
    name: str = ""
    node: bool = True
    tls: TlsFiles | None = None


class Application:
    """One supervisor process. ``run`` once."""

    def __init__(self, settings: Settings, options: Options, clock: Clock | None = None) -> None:
        self._settings = settings
        self._options = options
        self._clock = clock or SystemClock()
        self._name = options.name or _host_name()
        self._reach = Reach.of(settings.reach)
        self._departure = Departure()
        self._lag = LoopLag()
        self.ready = asyncio.Event()
        """Set once both doors are open."""
        self.events = Events()
        self.tcp_address: tuple[str, int] | None = None
        self._tls: ssl.SSLContext | None = None

    def leave(self) -> None:
        """Asks it to end; playout goes on."""
        self._departure.leave()

    async def run(self) -> int:
        """The exit code. Raises McrError or StoreError when it cannot start, and then nothing was touched."""
        async with contextlib.AsyncExitStack() as stack:
            self._settings.make_directories()
            stack.enter_context(only_supervisor(self._settings.lock_path))
            self._tls = None if self._options.tls is None else tls_context(self._options.tls)
            listeners = self._open_doors(stack)
            store = Store(self._settings.store_url)
            stack.push_async_callback(store.close)
            if store.dialect == "sqlite":
                await store.migrate()
            else:
                await store.check_schema()
            await declare(store, parse_declared(self._settings.nodes), self._clock.now())
            local = await self._local(store, stack) if self._options.node else None
            key = read_or_make_cluster_key(self._settings.cluster_key_path)
            async with store.write() as tx:
                cluster = await tx.cluster.ours(self._clock.now())
            agents = Agents(local, key, self._clock, reach=self._reach, cluster=cluster)
            stack.push_async_callback(agents.close)
            events = self.events
            supervision = Supervision(
                store=store,
                agents=agents,
                events=events,
                clock=self._clock,
                holder=events.boot_id,
                address=self._settings.address or f"unix:{self._settings.socket_path}",
            )
            context = self._context(store, events, supervision)
            stack.push_async_callback(context.drills.close)
            await context.people.load(START_S)
            await context.snapshot.reset()  # so that there is something to remember when the store goes
            self._write_note(stack, events.boot_id)
            return await self._serve(context, listeners)

    def _open_doors(self, stack: contextlib.ExitStack | contextlib.AsyncExitStack) -> list[socket.socket]:
        path = self._settings.socket_path
        listeners: list[socket.socket] = []
        if self._options.host is not None:
            door = tcp_socket(self._options.host, self._options.port, tls=self._tls is not None)
            stack.callback(door.close)
            host, port = door.getsockname()[:2]
            self.tcp_address = (str(host), int(port))
            listeners.append(door)
        door = unix_socket(path, self._settings.socket_mode)
        stack.callback(path.unlink, missing_ok=True)
        stack.callback(door.close)
        listeners.append(door)
        return listeners

    async def _local(self, store: Store, stack: contextlib.AsyncExitStack) -> tuple[str, NodeAgent]:
        """This machine's own node, and the agent for it in this process."""
        alone = store.dialect == "sqlite"
        async with store.write() as tx:
            node_id = read_or_make_id(self._settings.node_id_path)
            node = await tx.nodes.local(node_id, self._name, self._clock.now(), alone=alone)
        return node.id, await stack.enter_async_context(self._agent())

    def _agent(self) -> LocalAgent:
        return LocalAgent(
            agent_dir=self._settings.agent_dir,
            sidecars_dir=self._settings.sidecars_dir,
            journal_dir=self._settings.journal_dir,
            media_root=self._settings.media_root,
            clock=self._clock,
            leash_fd=self._options.leash_fd,
            # Not for a demo, which is on a leash: there nobody waits for a restart.
            spare=self._settings.spare and self._options.leash_fd is None,
        )

    def _context(self, store: Store, events: Events, supervision: Supervision) -> Context:
        media = Threads("media readers", places=4)

        def info() -> SupervisorInfo:
            standing = supervision.standing()
            return SupervisorInfo(
                name=self._name,
                version=program_version(),
                boot_id=events.boot_id,
                leader=standing.leader,
                term=standing.term,
                loop_lag_ms=self._lag.worst_ms,
                keeps=self._settings.kept.words(),
                at=self._clock.now(),
            )

        audit = AuditLog(store, self._clock)

        async def take_off_air(by: Principal) -> int:
            return await self._departure.take_off_air(by, store, supervision, audit)

        async def told(playlist: Playlist) -> None:
            await tell_playlist(playlist, store, supervision, events)

        waiting = WaitingItems(store, told)
        assets = AssetImport(store, self._clock, Prober(), media, waiting)
        rundowns = Threads("rundown writers", places=2)
        preparing = Preparing(store, self._clock, assets, media, rundowns, self._reach)

        async def joined(channel_id: str) -> None:
            await supervision.commands.channel_changed(channel_id)
            async with store.read() as tx:
                row, outputs = await tx.channels.get(channel_id), await tx.channels.outputs(channel_id)
            events.publish("channel", views.channel(row, outputs, supervision.live.get(channel_id)))

        revising = Revising(store, self._clock, preparing, supervision.live, rundowns, told)
        folders = FolderWatch(
            store,
            self._clock,
            revising,
            assets,
            waiting,
            intake_news(supervision, joined),
            self._settings.home,
        )
        ahead = Ahead(store, self._clock, supervision.live, media, rundowns, folders.arriving)
        snapshot = Snapshot(store, events, supervision, info)
        beyond = self._options.host is not None and not is_loopback(self._options.host)
        return Context(
            settings=self._settings,
            store=store,
            events=events,
            clock=self._clock,
            token=read_or_make_token(self._settings.token_path),
            people=People(store, self._clock),
            throttle=Throttle(self._clock.monotonic),
            hosts=named_by(self._settings.allowed_hosts, socket.gethostname, beyond_loopback=beyond),
            beyond_loopback=beyond,
            audit=audit,
            supervision=supervision,
            channels=KeptChannels(store, self._clock, supervision.live.get, supervision.row),
            reach=self._reach,
            snapshot=snapshot,
            openings=Openings(events, snapshot.take),
            webhook_calls=Caller(Allowed.of(self._settings.webhook_hosts), self._clock.now, self._settings.webhook_ca),
            metrics=Metrics(
                supervision, events, self._lag, Threads("metrics writers", places=1), self._clock.monotonic
            ),
            assets=assets,
            preparing=preparing,
            revising=revising,
            folders=folders,
            ahead=ahead,
            coming=ComingWatch(
                store,
                self._clock,
                supervision.live,
                rundowns,
                supervision.rows,
                lambda: ahead.latest,
                supervision.clocks,
            ),
            drills=Drills(store, self._clock, supervision),
            files=Threads("file readers", places=8),
            media=media,
            rundowns=rundowns,
            info=info,
            is_leaving=lambda: self._departure.closing,
            take_off_air=take_off_air,
            leave=self.leave,
        )

    def _write_note(self, stack: contextlib.AsyncExitStack, boot_id: str) -> None:
        path = self._settings.info_path
        tcp = None if self.tcp_address is None else {"host": self.tcp_address[0], "port": self.tcp_address[1]}
        write_note(
            path,
            {
                "pid": os.getpid(),
                "boot_id": boot_id,
                "started": self._clock.now().isoformat(),
                "socket": str(self._settings.socket_path),
                "tcp": tcp,
            },
        )
        stack.callback(path.unlink, missing_ok=True)

    async def _serve(self, context: Context, listeners: list[socket.socket]) -> int:
        server = make_server(create_app(context), self._tls)
        serving = _task("doors", server.serve(sockets=listeners))
        leaving = _task("leave", self._departure.asked.wait())
        let_go = _task("leash", _leash(self._options.leash_fd))
        auditing = _task("audit", context.audit.run())
        service = ServiceManager(lambda: context.supervision.tally.passes, self._clock)
        for name, work in (
            *([("certificate", self._renew)] if self._tls is not None else []),
            ("who may come in", context.people.run),
            ("watched lists", context.folders.run_lists),
            ("watched media", context.folders.run_media),
            ("checks ahead", self._ahead_watch(context).run),
            ("what is coming", context.coming.run),
            ("loudness", self._loudness(context).run),
            ("webhooks", self._webhooks(context).run),
            ("retention", self._retention(context).run),
            ("what nodes keep", self._tidying(context).run),
        ):
            context.supervision.keep(name, work)
        tasks = {
            _task("supervision", context.supervision.run()),
            _task("mirror", self._mirror(context).run()),
            _task("as-run delivery", self._delivery(context).run()),
            auditing,
            _task("beat", self._beat(context)),
            _task("loop lag", self._lag.run()),
            _task("service manager", service.run()),
            serving,
            leaving,
            let_go,
        }
        code = 0
        with _signals(self.leave):
            try:
                _log.info("the supervisor runs", socket=str(self._settings.socket_path), tcp=self.tcp_address)
                self.ready.set()
                service.ready("supervises; stopping it takes nothing off air")
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                if let_go in done and let_go.exception() is None:
                    await self._leash_let_go(context)
                elif leaving not in done:
                    code = 1
                    _report(done)
            finally:
                self._departure.closing = True
                _log.info("the supervisor shuts down")
                service.ends()
                context.events.close()
                server.should_exit = True
                await asyncio.wait({serving}, timeout=SHUTDOWN_S + 2)
                context.audit.finish()
                await asyncio.wait({auditing}, timeout=AUDIT_S)
                await _end(tasks)
        return code

    async def _renew(self) -> None:
        if self._tls is not None and self._options.tls is not None:
            await renew(self._tls, self._options.tls, self._clock)

    def _loudness(self, context: Context) -> LoudnessWatch:
        supervision = context.supervision
        return LoudnessWatch(
            context.store,
            self._clock,
            leads=lambda: supervision.standing().leader,
            told=supervision.commands.loudness_measured,
        )

    def _webhooks(self, context: Context) -> Sending:
        supervision = context.supervision
        return Sending(
            context.store,
            self._clock,
            context.webhook_calls,
            lambda: supervision.fence,
            supervision.alarms.want,
            supervision.tally,
        )

    def _retention(self, context: Context) -> RetentionJob:
        return RetentionJob(context.store, self._clock, self._settings.kept, lambda: context.supervision.fence)

    def _tidying(self, context: Context) -> NodeTidying:
        supervision = context.supervision
        return NodeTidying(
            context.store,
            self._clock,
            self._settings.kept.journals,
            lambda: supervision.fence,
            supervision.history,
            nodes=supervision.nodes,
            recorders=supervision.recorder_rows,
        )

    def _mirror(self, context: Context) -> Mirror:
        supervision = context.supervision

        async def nodes(tx: Transaction) -> Sequence[Node]:
            return await read_nodes(tx, supervision, self._clock.now(), await tx.nodes.list())

        return Mirror(
            context.store,
            context.events,
            self._clock,
            leads=lambda: supervision.standing().leader,
            live=supervision.live.get,
            read_nodes=nodes,
        )

    def _ahead_watch(self, context: Context) -> AheadWatch:
        supervision = context.supervision
        return AheadWatch(
            context.ahead, self._clock, supervision.alarms, supervision.rows, lambda: supervision.standing().leader
        )

    def _delivery(self, context: Context) -> Delivery:
        settings, targets = self._settings, list[Target]()
        if settings.asrun_dir is not None:
            targets.append(FolderTarget(settings.asrun_dir, Threads("as-run writers", places=1)))
        if settings.asrun_url:
            targets.append(UrlTarget(settings.asrun_url))
        supervision = context.supervision
        return Delivery(
            context.store,
            targets,
            context.clock,
            context.rundowns,
            lambda: supervision.fence,
            supervision.history.log_issued,
            lambda channel_id: supervision.live.get(channel_id).outputs,
        )

    async def _leash_let_go(self, context: Context) -> None:
        _log.warning("the leash was let go: everything goes off air")
        try:
            await context.take_off_air(SYSTEM)
        except McrError as error:
            _log.error("not everything is confirmed off air", why=error.detail)

    async def _beat(self, context: Context) -> None:
        while True:
            context.events.beat(context.info())
            await asyncio.sleep(BEAT_S)


def _host_name() -> str:
    name = "".join(character for character in socket.gethostname() if character.isprintable())
    return name[:80] or "local"


async def _leash(descriptor: int | None) -> None:
    if descriptor is None:
        await asyncio.Event().wait()  # nobody holds one
    else:
        await leash_let_go(descriptor)


def _task(name: str, work: Coroutine[Any, Any, object]) -> asyncio.Task[object]:
    return asyncio.create_task(work, name=name)


def _report(done: set[asyncio.Task[object]]) -> None:
    for task in done:
        error = None if task.cancelled() else task.exception()
        _log.error("a part of the supervisor ended", part=task.get_name(), exc_info=error)


async def _end(tasks: set[asyncio.Task[object]]) -> None:
    """Cancels and waits, but not for ever: what does not end is named and left to the end of the process."""
    for task in tasks:
        task.cancel()
    _, stuck = await asyncio.wait(tasks, timeout=5.0)
    for task in stuck:
        _log.error("a part of the supervisor does not end", part=task.get_name())


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
