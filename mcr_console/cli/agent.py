"""``mcr agent``: this machine as a node of a supervisor elsewhere."""

import os
import pwd
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from mcr_console.cli.commands import home
from mcr_console.cli.service import Unit


def agent(
    name: Annotated[str, typer.Option(help="The node's name, as it was added at the supervisor.")],
    host: Annotated[str | None, typer.Option(help="Listen on this address (127.0.0.1); '::' is every one.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="TCP port (6271); 0 takes a free one.")] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="Holds this node's key, as 'mcr node key' prints it; readable by you alone.")
    ] = None,
    cluster_key_file: Annotated[
        Path | None, typer.Option(help="Holds the cluster's key instead, from which every node's follows.")
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(help="A certificate of its own with its chain (PEM), instead of one that it issues.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key (PEM).")] = None,
    insecure_http: Annotated[
        bool, typer.Option("--insecure-http", help="Beyond loopback without encryption too; signed it is always.")
    ] = False,
    launcher: Annotated[
        Literal["process", "docker"], typer.Option(help="What runs a channel: a process, or a container.")
    ] = "process",
    capacity: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Told to the supervisor and shown there; it decides.")
    ] = None,
    docker_image: Annotated[
        str | None, typer.Option(help="The sidecars' image, by name or digest; never pulled.")
    ] = None,
    docker_url: Annotated[
        str | None, typer.Option(help="The engine: unix://, tcp:// with certificates, or ssh://.")
    ] = None,
    docker_certs: Annotated[Path | None, typer.Option(help="Directory of ca.pem, cert.pem and key.pem.")] = None,
    docker_network: Annotated[
        str | None, typer.Option(help="'host', 'container:NAME' or a network of the engine.")
    ] = None,
    docker_door_host: Annotated[
        str | None, typer.Option(help="Where sidecars of an engine elsewhere are reached.")
    ] = None,
    media_mount: Annotated[
        list[str] | None, typer.Option(help="A directory that containers may read; again for every further one.")
    ] = None,
    print_unit: Annotated[
        bool, typer.Option(help="Print a systemd unit that runs this agent from boot on, as you, and do nothing else.")
    ] = False,
) -> None:
    """Run this machine's node agent in the foreground. Ctrl-C ends it; playout goes on."""
    given = {
        "--name": name,
        "--host": host,
        "--port": port,
        "--key-file": _whole(key_file),
        "--cluster-key-file": _whole(cluster_key_file),
        "--tls-cert": _whole(tls_cert),
        "--tls-key": _whole(tls_key),
        "--launcher": launcher,
        "--capacity": capacity,
        "--docker-image": docker_image,
        "--docker-url": docker_url,
        "--docker-certs": docker_certs,
        "--docker-network": docker_network,
        "--docker-door-host": docker_door_host,
    }
    mounts = (f"--media-mount={path}" for path in media_mount or ())
    plain = ("--insecure-http",) if insecure_http else ()
    words = (*(f"{option}={value}" for option, value in given.items() if value is not None), *plain, *mounts)
    if print_unit:
        here = Path(sys.executable).absolute()
        print(Unit(here, home().path, pwd.getpwuid(os.getuid()).pw_name, words).text(), end="")
        return
    execute("agent", *words)


def _whole(path: Path | None) -> Path | None:
    """A unit runs in another folder."""
    return None if path is None else path.absolute()


def node_key(name: Annotated[str, typer.Argument(help="The node's name.")]) -> None:
    """Print the key of the node of that name, for the --key-file of its agent. Needs the cluster's key, here."""
    execute("node-key", "--", name)


def execute(*arguments: str) -> None:
    """Becomes ``python -m supervisor`` with this home; does not return."""
    command = [sys.executable, "-P", "-m", "supervisor", *arguments]
    sys.stdout.flush()
    os.execve(command[0], command, home().environment())  # noqa: S606 - our own interpreter, no shell
