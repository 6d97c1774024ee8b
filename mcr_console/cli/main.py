"""``mcr``: the console and every command."""

import importlib.metadata
import platform

import typer

from mcr_console.cli import (
    agent,
    ahead,
    alarms,
    asrun,
    asrun_days,
    audit,
    bench,
    channels,
    database,
    desk,
    drill,
    explain,
    failover,
    handover,
    history,
    incident,
    media,
    nodes,
    playlists,
    principals,
    recorders,
    rundown,
    service,
    supervision,
    watch,
    webhooks,
)
from mcr_console.cli.commands import group
from mcr_console.cli.demo.command import demo
from mcr_console.cli.doctor.command import doctor

app = group("Master control in a terminal. Without a command: the console.")
app.info.no_args_is_help = False


log = group("What aired, to the frame. Without a command: the log.")
log.info.no_args_is_help = False
log.callback(invoke_without_command=True)(asrun.asrun)
log.command()(asrun_days.verify)
log.command()(asrun_days.export)
log.command()(asrun_days.service)
log.command()(asrun_days.note)
log.command()(asrun_days.issue)
log.command()(asrun_days.rebuild)


@app.callback(invoke_without_command=True)
def without_command(ctx: typer.Context) -> None:
    """Master control in a terminal. Without a command: the console."""
    if ctx.invoked_subcommand is not None:
        return
    desk.open_console()


@app.command()
def version() -> None:
    """Print the version."""
    print(f"MCR Console {importlib.metadata.version('mcr-console')}, Python {platform.python_version()}")


app.command()(desk.console)
app.command()(supervision.serve)
app.command()(supervision.up)
app.command()(supervision.down)
app.command()(supervision.status)
app.add_typer(channels.app, name="channel")
app.add_typer(playlists.app, name="playlist")
app.add_typer(rundown.app, name="rundown")
app.add_typer(log, name="asrun")
app.command()(agent.agent)
nodes.app.command("key")(agent.node_key)
app.command()(explain.explain)
app.command()(failover.move)
app.command()(history.events)
app.command()(audit.audit)
app.command()(principals.whoami)
app.add_typer(principals.app, name="principal")
app.add_typer(principals.token, name="token")
app.command()(handover.handover)
app.command()(handover.note)
app.command()(incident.incident)
app.command()(drill.drill)
app.command()(bench.bench)
app.add_typer(nodes.app, name="node")
app.add_typer(recorders.app, name="recorder")
app.add_typer(media.app, name="media")
app.add_typer(watch.app, name="watch")
app.command()(ahead.ahead)
app.add_typer(alarms.app, name="alarm")
app.add_typer(webhooks.app, name="webhook")
app.add_typer(database.app, name="db")
app.add_typer(service.app, name="service")
app.command()(doctor)
app.command()(demo)


def main() -> None:
    """Entry point of the ``mcr`` program."""
    app(prog_name="mcr")


if __name__ == "__main__":
    main()
