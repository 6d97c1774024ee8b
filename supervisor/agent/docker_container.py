"""What a sidecar's container is: pure, from what is to run and what this agent was started with.

An agent is told a channel and a document, never a container: everything here is its own (reference/supervision.md 8.3).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from supervisor.agent.launcher import Launch
from supervisor.errors import Invalid

OWNER: Final = "mcr.owner"
CHANNEL: Final = "mcr.channel"
EPOCH: Final = "mcr.epoch"
"""Labels. Without our ``OWNER`` a container is somebody else's."""
DOOR_PORT: Final = 8799
"""Where a sidecar listens inside a network of its own."""
_CARDS: Final = "/dev/blackmagic"
_TO_LOG: Final = 'log=$1; shift; exec "$@" >>"$log" 2>&1'
"""The log is the file that a plain process has too, so that its last words are there when the engine is not."""
_OF_THE_AGENT: Final = frozenset({"PYTHONPATH"})
"""Variables that mean something on the agent's machine alone."""


@dataclass(frozen=True, slots=True)
class DockerOptions:
    """What an agent's containers have in common.

    ``owner`` names the agent's memory on disk, and with it what is its own on the engine. ``image`` is a name or a
    digest that the engine has; it is never pulled. ``media`` are directories that are read, at the same path on the
    engine's machine. ``network`` is ``host``, ``container:<name>`` (the loopback that the agent itself is on) or the
    name of a network of the engine. ``door_host`` is the address of the engine's machine where sidecars are reached.
    ``user`` is ``uid:gid``; ``card_groups`` the groups that own the cards' devices there.
    """

    owner: str
    image: str
    user: str
    media: tuple[str, ...] = ()
    network: str = "host"
    door_host: str = "127.0.0.1"
    memory_bytes: int = 2 << 30
    processes: int = 512
    card_groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises Invalid for what no container could be made of."""
        if not self.owner or not self.image:
            raise Invalid("a Docker launcher needs an owner and the name of an image", hint="Give --docker-image.")
        if self.network == "none":
            raise Invalid("a sidecar without a network cannot be reached", hint="Leave --docker-network out.")
        for path in self.media:
            if not path.startswith("/") or ".." in path.split("/"):
                raise Invalid(f"{path} is not an absolute path", hint="A media mount has the same path everywhere.")

    @property
    def has_own_network(self) -> bool:
        """The sidecar listens in a network of its own, and the engine publishes its port."""
        return self.network != "host" and not self.network.startswith("container:")


def name_of(launch: Launch, options: DockerOptions) -> str:
    """One name for an epoch of a channel: the engine itself lets no second container have it."""
    environment = launch.environment
    return f"mcr-{options.owner[:12]}-{environment.get('CHANNEL_ID', '')}-{environment.get('MCR_EPOCH', '')}"


def labels_of(environment: Mapping[str, str], options: DockerOptions) -> dict[str, str]:
    labels = {OWNER: options.owner}
    for label, variable in ((CHANNEL, "CHANNEL_ID"), (EPOCH, "MCR_EPOCH")):
        if variable in environment:
            labels[label] = environment[variable]
    return labels


def config_of(launch: Launch, options: DockerOptions) -> dict[str, object]:
    """The body of ``POST /containers/create``: nothing that the sidecar can do without."""
    variables = {name: value for name, value in launch.environment.items() if name not in _OF_THE_AGENT}
    variables |= {"HOME": "/tmp", "MCR_DOOR": _door(options)}  # noqa: S108 - the container's own
    config: dict[str, object] = {
        "Image": options.image,
        "Entrypoint": ["/bin/sh", "-c", _TO_LOG, "sidecar", launch.log],
        "Cmd": list(launch.argv),
        "Env": [f"{name}={value}" for name, value in variables.items()],
        "User": options.user,
        "WorkingDir": launch.directory,
        "Labels": labels_of(launch.environment, options),
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": _host_config(launch, options),
    }
    if options.has_own_network:
        config["ExposedPorts"] = {f"{DOOR_PORT}/tcp": {}}
    return config


def _host_config(launch: Launch, options: DockerOptions) -> dict[str, object]:
    host: dict[str, object] = {
        "NetworkMode": options.network,
        # An engine that starts an old epoch again behind our back is double air.
        "RestartPolicy": {"Name": "no"},
        "AutoRemove": False,
        "Privileged": False,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true"],
        "ReadonlyRootfs": True,
        "Tmpfs": {"/tmp": "rw,noexec,nosuid,nodev,size=256m,mode=1777"},  # noqa: S108 - the container's own
        "Memory": options.memory_bytes,
        "MemorySwap": options.memory_bytes,
        "PidsLimit": options.processes,
        "Mounts": _mounts(launch, options),
        # What a container says before its program runs; the program's own output is in the file.
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "1"}},
    }
    if launch.decklink:
        # The engine takes a directory of devices as all that are in it.
        host["Devices"] = [{"PathOnHost": _CARDS, "PathInContainer": _CARDS, "CgroupPermissions": "rw"}]
        host["GroupAdd"] = list(options.card_groups)
    if options.has_own_network:
        host["PortBindings"] = {f"{DOOR_PORT}/tcp": [{"HostIp": options.door_host, "HostPort": ""}]}
    return host


def _mounts(launch: Launch, options: DockerOptions) -> list[dict[str, object]]:
    """Same paths inside and out. A path that is missing is an error, and never made, as the engine's root would."""
    writable = dict.fromkeys((*launch.writes, launch.directory), False)
    read_only = dict.fromkeys((*launch.reads, *options.media), True)
    return [
        {"Type": "bind", "Source": path, "Target": path, "ReadOnly": is_read_only}
        for path, is_read_only in (read_only | writable).items()
    ]


def _door(options: DockerOptions) -> str:
    if options.has_own_network:
        return f"0.0.0.0:{DOOR_PORT}"
    host = f"[{options.door_host}]" if ":" in options.door_host else options.door_host
    return f"{host}:0"


class State(msgspec.Struct, frozen=True, rename="pascal"):
    running: bool
    pid: int
    exit_code: int = 0


class Config(msgspec.Struct, frozen=True, rename="pascal"):
    env: list[str] | None = None
    labels: dict[str, str] | None = None


class Binding(msgspec.Struct, frozen=True, rename="pascal"):
    host_port: str = ""


class NetworkSettings(msgspec.Struct, frozen=True, rename="pascal"):
    ports: dict[str, list[Binding] | None] | None = None


class Container(msgspec.Struct, frozen=True, rename="pascal"):
    """What ``GET /containers/<id>/json`` says, as far as it matters here."""

    id: str
    state: State
    config: Config
    network_settings: NetworkSettings = NetworkSettings()

    @property
    def environment(self) -> dict[str, str]:
        return {name: value for name, _, value in (line.partition("=") for line in self.config.env or ())}

    @property
    def code(self) -> int:
        """As ``Popen.returncode``: the engine tells an end by a signal as 128 and the signal, as a shell does."""
        code = self.state.exit_code
        return 128 - code if 128 < code <= 192 else code

    @property
    def published_port(self) -> int | None:
        bindings = (self.network_settings.ports or {}).get(f"{DOOR_PORT}/tcp") or ()
        return next((int(one.host_port) for one in bindings if one.host_port.isdecimal()), None)


def container_of(answer: object) -> Container:
    """Raises ValueError for what is no answer of an engine."""
    try:
        return msgspec.convert(answer, Container)
    except msgspec.ValidationError as error:
        raise ValueError(f"not a container: {error}") from error
