"""``python -m supervisor``: the headless supervisor, a node's agent, and what is done to database and description."""

import asyncio
import contextlib
import gc
import json
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from db.errors import StoreError
from db.urls import database_url
from supervisor.agent import keys
from supervisor.agent.docker_choice import LOCAL_ENGINE, DockerChoice
from supervisor.agent.launcher import LauncherKind
from supervisor.allocator import keep_memory_small
from supervisor.errors import McrError
from supervisor.files import only_supervisor, remove, swap_database
from supervisor.logs import logging_to_stderr
from supervisor.settings import Settings

CANNOT_START: Final = 2
DEFAULT_PORT: Final = 6270
"""M, C and R on a telephone's keys, and a nought."""

AGENT_PORT: Final = DEFAULT_PORT + 1

# What only one command needs is imported there: an agent starts in half the time of a supervisor.
app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Listen on TCP here too; beyond loopback by TLS alone.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="TCP port (6270); 0 takes a free one.")] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(envvar="MCR_TLS_CERT", help="The TCP door's certificate with its chain (PEM).")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(envvar="MCR_TLS_KEY", help="Its key (PEM).")] = None,
    leash_fd: Annotated[
        int | None, typer.Option(help="A descriptor; when its other end closes, everything goes off air.")
    ] = None,
    name: Annotated[str, typer.Option(help="This node's name; the host's when left out.")] = "",
    node: Annotated[bool, typer.Option(help="Whether channels may play on this machine.")] = True,
) -> None:
    """Run the supervisor. A signal shuts it down; playout goes on."""
    if port is not None and host is None:
        host = "127.0.0.1"
    if (tls_cert is None) != (tls_key is None):
        raise typer.BadParameter("--tls-cert and --tls-key go together")
    tls = None if tls_cert is None or tls_key is None else (tls_cert, tls_key)
    _run(_serve(host, DEFAULT_PORT if port is None else port, leash_fd, name, node=node, tls=tls))


@app.command()
def agent(
    name: Annotated[str, typer.Option(help="The node's name, as it was added at the supervisor.")],
    host: Annotated[str, typer.Option(help="Listen on this address; '::' is every one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0 takes a free one.")] = AGENT_PORT,
    key_file: Annotated[
        Path | None, typer.Option(help="Holds this node's key, as node-key prints it; readable by you alone.")
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
    launcher: Annotated[LauncherKind, typer.Option(help="What runs a channel: a process, or a container.")] = "process",
    capacity: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Told to the supervisor and shown there; it decides.")
    ] = None,
    docker_image: Annotated[
        str, typer.Option(envvar="MCR_DOCKER_IMAGE", help="The sidecars' image, by name or digest; never pulled.")
    ] = "",
    docker_url: Annotated[
        str, typer.Option(envvar="MCR_DOCKER_URL", help="The engine: unix://, tcp:// with certificates, or ssh://.")
    ] = LOCAL_ENGINE,
    docker_certs: Annotated[
        Path | None, typer.Option(envvar="MCR_DOCKER_CERTS", help="Directory of ca.pem, cert.pem and key.pem.")
    ] = None,
    docker_network: Annotated[
        str, typer.Option(envvar="MCR_DOCKER_NETWORK", help="'host', 'container:NAME' or a network of the engine.")
    ] = "host",
    docker_door_host: Annotated[
        str, typer.Option(envvar="MCR_DOCKER_DOOR_HOST", help="Where sidecars of an engine elsewhere are reached.")
    ] = "127.0.0.1",
    media_mount: Annotated[
        list[str] | None, typer.Option(help="A directory that containers may read; again for every further one.")
    ] = None,
) -> None:
    """Run this machine's node agent. A signal ends it; playout goes on, and its next start finds it again."""
    from supervisor.agent.service.program import AgentOptions, run_agent
    from supervisor.api.tls import TlsFiles

    gc.freeze()  # as the supervisor does
    if (tls_cert is None) != (tls_key is None):
        raise typer.BadParameter("--tls-cert and --tls-key go together")
    tls = None if tls_cert is None or tls_key is None else TlsFiles(tls_cert, tls_key)
    docker = DockerChoice(
        docker_image, docker_url, docker_certs, docker_network, docker_door_host, tuple(media_mount or ())
    )
    options = AgentOptions(name, host, port, key_file, cluster_key_file, launcher, capacity, docker, tls, insecure_http)

    async def run() -> int:
        return await run_agent(Settings(), options)

    _run(run())


@app.command()
def node_key(name: Annotated[str, typer.Argument(help="The node's name.")]) -> None:
    """Print the key of the node of that name, for its agent's --key-file. It follows from the cluster's key, here."""
    _run(_print_node_key(name))


@app.command()
def db_upgrade() -> None:
    """Bring the database to this version's schema. SQLite is brought there at every start; PostgreSQL by this alone."""
    _run(_upgrade())


@app.command()
def db_backup(path: Annotated[Path, typer.Argument(help="The file to write; must not be there.")]) -> None:
    """Write every row of the database into one file, while it is used, and read it again."""
    _run(_back_up(path.absolute()))


@app.command()
def db_restore(
    path: Annotated[Path, typer.Argument(help="A file that db-backup wrote.")],
    same_cluster: Annotated[
        bool, typer.Option("--same-cluster", help="It takes the place of what was backed up, and commands its nodes.")
    ] = False,
) -> None:
    """Fill this machine's database from a backup. SQLite's file of before is kept beside; PostgreSQL must be empty.

    What is restored is a cluster of its own, which nodes of the other refuse, unless --same-cluster says otherwise.
    """
    _run(_restore(path.absolute(), same_cluster=same_cluster))


@app.command()
def openapi() -> None:
    """Print the API's description."""
    from supervisor.api.app import create_app

    json.dump(create_app().openapi(), sys.stdout, indent=2, sort_keys=True)
    sys.stdout.write("\n")


async def _print_node_key(name: str) -> int:
    settings = Settings()
    settings.make_directories()
    sys.stdout.write(f"{keys.node_key(keys.read_or_make_cluster_key(settings.cluster_key_path), name).hex()}\n")
    return 0


async def _serve(
    host: str | None, port: int, leash_fd: int | None, name: str, *, node: bool, tls: tuple[Path, Path] | None
) -> int:
    from supervisor.api.tls import TlsFiles
    from supervisor.application import Application, Options

    # What was loaded stays: looked through by every full collection it would hold up all calls for a tenth of a second.
    gc.freeze()
    files = None if tls is None else TlsFiles(*tls)
    options = Options(host=host, port=port, leash_fd=leash_fd, name=name, node=node, tls=files)
    return await Application(Settings(), options).run()


async def _upgrade() -> int:
    from db.store import Store

    settings = Settings()
    settings.make_directories()
    store = Store(settings.store_url)
    # On PostgreSQL others may run, which are told to expect the new schema.
    alone = only_supervisor(settings.lock_path) if store.dialect == "sqlite" else contextlib.nullcontext()
    with alone:
        try:
            await store.migrate()
        finally:
            await store.close()
    return 0


async def _back_up(path: Path) -> int:
    from db.backup import back_up

    kept = await back_up(Settings().store_url, path)
    sys.stdout.write(
        f"{kept.rows:,} rows of {len(kept.tables)} tables are in {path}, read again and the same as in the database.\n"
        f"Nodes obey the key in {Settings().cluster_key_path}: keep that too, in another safe place.\n"
    )
    return 0


async def _restore(path: Path, *, same_cluster: bool) -> int:
    from db.backup import restore

    settings = Settings()
    settings.make_directories()
    address = database_url(settings.store_url)
    aside = ""
    if address.get_backend_name() == "sqlite":
        # Beside what is there, and put in its place when it is whole: a file that is no backup costs nothing.
        database = Path(address.database or "")
        new = database.with_name(f"{database.name}.restoring")
        with only_supervisor(settings.lock_path):
            for leftover in (new, Path(f"{new}-wal"), Path(f"{new}-shm")):
                remove(leftover)
            kept = await restore(path, str(new), same_cluster=same_cluster)
            aside = swap_database(database, new)
    else:
        kept = await restore(path, settings.store_url, same_cluster=same_cluster)
    sys.stdout.write(f"{kept.rows:,} rows of {len(kept.tables)} tables were restored and are the same as in {path}.\n")
    sys.stdout.write(
        "It is the same cluster: its nodes obey it.\n"
        if same_cluster
        else "It is a cluster of its own: nodes of the other refuse it, each until 'mcr node adopt NAME'.\n"
    )
    if aside:
        sys.stdout.write(f"What was here before is in {aside}.\n")
    return 0


def _run(work: Coroutine[Any, Any, int]) -> None:
    """Ends the process with the work's exit code; what cannot start says why in words, without a trace."""
    keep_memory_small()
    with logging_to_stderr():
        try:
            code = asyncio.run(work)
        except (McrError, StoreError) as error:
            hint = f"\n{error.hint}" if isinstance(error, McrError) and error.hint else ""
            sys.stderr.write(f"supervisor: {error}{hint}\n")
            code = CANNOT_START
    sys.exit(code)


if __name__ == "__main__":
    app()
