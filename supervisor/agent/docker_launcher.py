"""Sidecars in containers of an engine here or elsewhere. What the engine does not tell is unknown, never an exit."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final

import structlog

from supervisor.agent.docker_container import (
    EPOCH,
    OWNER,
    Container,
    DockerOptions,
    config_of,
    container_of,
    labels_of,
    name_of,
)
from supervisor.agent.docker_engine import Engine, EngineRefused
from supervisor.agent.docker_watch import EngineWatch
from supervisor.agent.interface import EngineAway
from supervisor.agent.launcher import ContainerIdentity, Identity, Launch, LauncherKind, Life
from supervisor.clock import Clock
from supervisor.errors import Unavailable
from supervisor.threads import Threads

log = structlog.get_logger(__name__)

_LOOK: Final = 4.0
_MAKE: Final = 10.0
_START: Final = 15.0
"""Seconds for a read, for making or removing a container, and for starting one."""
_LOOK_AGAIN: Final = 30.0
"""Seconds after which an exit is looked for although no event told of one."""
_DISK: Final = 2.0
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409


class DockerLauncher:
    """A ``Launcher``. ``async with DockerLauncher(...) as launcher:`` follows the engine; leaving ends no container."""

    def __init__(self, engine: Engine, options: DockerOptions, clock: Clock) -> None:
        self._url = engine.address.url
        self._options = options
        filters = {"type": "container", "event": "die", "label": f"{OWNER}={options.owner}"}
        self._watch = EngineWatch(engine, filters, clock, self._forget_all)
        self._disk = Threads("container directories", places=2)
        self._to_forget: set[str] = set()

    async def __aenter__(self) -> "DockerLauncher":
        await self._watch.begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._watch.close()

    @property
    def kind(self) -> LauncherKind:
        """As in ``Launcher``."""
        return "docker"

    @property
    def fault(self) -> str:
        """As in ``Launcher``."""
        return self._watch.fault

    # The contract

    async def launch(self, launch: Launch) -> ContainerIdentity:
        """As in ``Launcher``. Only a lost answer to the start itself leaves it unknown: what was made does not run."""
        try:
            await self._disk.run(_DISK, _make_directories, launch)
        except (TimeoutError, Unavailable):
            raise OSError(f"the directories of {launch.directory} could not be made: their disk hangs") from None
        try:
            engine_id = await self._watch.known_engine()
            await self._sweep(launch.environment)
            container_id = await self._make(launch)
        except EngineAway as away:
            raise OSError(str(away)) from away
        except EngineRefused as refusal:
            raise OSError(f"the container engine makes no container of {self._options.image}: {refusal}") from refusal
        try:
            await self._watch.ask(_START, lambda api: api.start(container_id))
        except EngineRefused as refusal:
            await self._remove(container_id)
            raise OSError(f"the container engine does not start {self._options.image}: {refusal}") from refusal
        container = await self._container(container_id)
        if container is None:
            raise OSError("its container was removed by somebody as it started")
        return ContainerIdentity(engine_id, container_id, container.state.pid)

    async def find(self, environment: Mapping[str, str]) -> ContainerIdentity | None:
        """As in ``Launcher``: what was made and does not run is removed, so that a start on its way finds nothing."""
        engine_id = await self._watch.known_engine()
        for container in await self._ours(environment):
            if not environment.items() <= container.environment.items():
                continue
            if container.state.running:
                return ContainerIdentity(engine_id, container.id, container.state.pid)
            await self._remove(container.id)
        return None

    async def variable(self, identity: Identity, name: str) -> str | None:
        """As in ``Launcher``."""
        container = await self._mine(identity)
        return container.environment.get(name) if _runs(container, identity) and container is not None else None

    async def alive(self, identity: Identity) -> Life:
        """As in ``Launcher``."""
        try:
            return "lives" if _runs(await self._mine(identity), identity) else "gone"
        except EngineAway:
            return "unknown"

    async def exited(self, identity: Identity) -> int | None:
        """As in ``Launcher``: told by the engine's events, and looked for once in a while."""
        if not isinstance(identity, ContainerIdentity):
            # Whoever changed the launcher while its sidecars ran must end them by hand: nobody here can tell.
            return await asyncio.get_running_loop().create_future()
        while True:
            news = self._watch.news_of(identity.container_id)
            news.clear()
            try:
                container = await self._mine(identity)
            except EngineAway:
                pass
            else:
                if not _runs(container, identity):
                    self._watch.forget(identity.container_id)
                    return None if container is None or container.state.running else container.code
            try:
                async with asyncio.timeout(_LOOK_AGAIN):
                    await news.wait()
            except TimeoutError:
                continue

    async def signal(self, identity: Identity, number: int) -> None:
        """As in ``Launcher``."""
        if not _runs(await self._mine(identity), identity):
            return
        assert isinstance(identity, ContainerIdentity)
        try:
            await self._watch.ask(_LOOK, lambda api: api.kill(identity.container_id, number))
        except EngineRefused as refusal:
            if refusal.status not in (_NOT_FOUND, _CONFLICT):
                raise EngineAway(f"the container engine does not pass signal {number} on: {refusal}") from refusal

    async def door(self, identity: Identity, port: int, pid: int) -> str | None:
        """As in ``Launcher``. Inside, its pid is another; its state directory is mounted into it alone."""
        del pid
        if not isinstance(identity, ContainerIdentity):
            return None
        if self._options.has_own_network:
            try:
                container = await self._mine(identity)
            except EngineAway:
                return None
            if container is None or container.published_port is None:
                return None
            port = container.published_port
        host = self._options.door_host
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def forget(self, identity: Identity) -> None:
        """As in ``Launcher``: removes the container, when the engine is back if it is away."""
        if isinstance(identity, ContainerIdentity):
            self._to_forget.add(identity.container_id)
            await self._forget_all()

    # Containers

    async def _container(self, container_id: str) -> Container | None:
        """None when the engine has none of that name. Raises EngineAway."""
        try:
            return container_of(await self._watch.ask(_LOOK, lambda api: api.inspect_container(container_id)))
        except EngineRefused as refusal:
            if refusal.status == _NOT_FOUND:
                return None
            raise EngineAway(f"the container engine cannot tell of a container: {refusal}") from refusal
        except ValueError as error:
            raise EngineAway(f"the container engine answers what nobody can read: {error}") from error

    async def _mine(self, identity: Identity) -> Container | None:
        """Raises EngineAway where this engine is not the one that would know."""
        if not isinstance(identity, ContainerIdentity):
            raise EngineAway("a process is nothing that a container engine knows of")
        container = await self._container(identity.container_id)
        # Another engine may have come in its place since it was asked last: then this is no answer.
        if container is None and not await self._watch.look():
            raise EngineAway(self._watch.fault)
        if self._watch.engine_id != identity.engine_id:
            raise EngineAway(
                f"the engine at {self._url} is {self._watch.engine_id}; what runs on {identity.engine_id} is"
                " unknown until that one is named again"
            )
        if container is not None and not self._is_ours(container):
            raise EngineAway(f"container {identity.container_id[:12]} is another agent's")
        return container

    def _is_ours(self, container: Container) -> bool:
        return (container.config.labels or {}).get(OWNER) == self._options.owner

    async def _ours(self, environment: Mapping[str, str]) -> list[Container]:
        labels = [f"{label}={value}" for label, value in labels_of(environment, self._options).items()]
        try:
            listed = await self._watch.ask(_LOOK, lambda api: api.containers(all=True, filters={"label": labels}))
        except EngineRefused as refusal:
            raise EngineAway(f"the container engine does not list containers: {refusal}") from refusal
        found = [await self._container(_text(one.get("Id"))) for one in listed]
        return [one for one in found if one is not None]

    async def _make(self, launch: Launch) -> str:
        name, config = name_of(launch, self._options), config_of(launch, self._options)
        try:
            made = await self._watch.ask(_MAKE, lambda api: api.create_container_from_config(config, name))
        except EngineRefused as refusal:
            if refusal.status != _CONFLICT:
                raise
            # Made by an order whose answer was lost, and never started: ``find`` removes it.
            if await self.find(launch.environment) is not None:
                raise OSError(f"container {name} runs already") from refusal
            made = await self._watch.ask(_MAKE, lambda api: api.create_container_from_config(config, name))
        return _text(made.get("Id"))

    async def _sweep(self, environment: Mapping[str, str]) -> None:
        """Removes what older epochs of this channel left behind and does not run any more."""
        channel = {name: environment[name] for name in ("CHANNEL_ID",) if name in environment}
        if not channel:
            return
        for container in await self._ours(channel):
            epoch = (container.config.labels or {}).get(EPOCH, "")
            is_older = epoch.isdecimal() and int(epoch) < int(environment["MCR_EPOCH"])
            if is_older and not container.state.running:
                await self._remove(container.id)

    async def _remove(self, container_id: str) -> None:
        try:
            await self._watch.ask(_MAKE, lambda api: api.remove_container(container_id, force=True))
        except EngineRefused as refusal:
            # Not there, or on its way out already.
            if refusal.status not in (_NOT_FOUND, _CONFLICT):
                raise EngineAway(f"the container engine does not remove a container: {refusal}") from refusal

    async def _forget_all(self) -> None:
        for container_id in tuple(self._to_forget):
            try:
                container = await self._container(container_id)
                if container is not None and self._is_ours(container):
                    await self._remove(container_id)
            except EngineAway as away:
                log.info("a container is removed later", container=container_id[:12], why=str(away))
                return
            self._to_forget.discard(container_id)


def _runs(container: Container | None, identity: Identity) -> bool:
    """Started anew, by somebody, it is another run: ours has ended."""
    return container is not None and container.state.running and container.state.pid == identity.pid


def _make_directories(launch: Launch) -> None:
    for path in (*launch.writes, launch.directory):
        Path(path).mkdir(parents=True, exist_ok=True)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
