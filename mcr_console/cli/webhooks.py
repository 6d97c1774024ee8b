"""``mcr webhook …``: who is told of alarms and of the as-run."""

from pathlib import Path
from typing import Annotated, cast

import typer

from mcr_console.cli.commands import AsJson, Sure, checked, confirm, group, print_json, with_supervisor
from mcr_console.cli.failures import Failure
from mcr_console.client import Client
from mcr_console.safe_text import safe
from supervisor.schemas.webhook import Webhook, WebhookEvent, WebhookIn

app = group("Receivers that are told of alarms and of the as-run (docs/webhooks.md).")

Which = Annotated[str, typer.Argument(metavar="ID", help="The beginning of its id, as mcr webhook list shows it.")]
EVENTS = ("alarm", "asrun")


@app.command()
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="https://host/path")],
    events: Annotated[str, typer.Option(help="alarm, asrun, or both with a comma.")] = "alarm,asrun",
    secret_file: Annotated[Path | None, typer.Option(help="Holds the secret that signs; else one is made.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell a receiver of what happens from now on, and print the secret that signs it, this once."""
    named = tuple(part.strip() for part in events.split(","))
    unknown = [name for name in named if name not in EVENTS]
    if unknown:
        raise Failure("No such event", f"{unknown[0]!r} is none.", f"There are: {', '.join(EVENTS)}.")
    secret: str | None = None
    if secret_file is not None:
        try:
            secret = secret_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Failure(
                "The secret cannot be read", f"{secret_file}: {error}", "Name a file that you may read."
            ) from None
    values = checked(lambda: WebhookIn(url=url, events=cast("tuple[WebhookEvent, ...]", named), secret=secret))
    made = with_supervisor(lambda client: client.create_webhook(values))
    if as_json:
        print(made.model_dump_json(indent=2))
        return
    print(f"{made.id[:12]} {safe(made.address)} is told of {' and '.join(made.events)} from now on.")
    if secret is None:
        print(f"Its secret, which is not shown again: {made.secret}")
    print(f"Try it: mcr webhook test {made.id[:12]}")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List receivers, and what waits for each."""
    hooks = with_supervisor(lambda client: client.webhooks())
    if as_json:
        print_json(hooks)
        return
    for hook in hooks:
        print(line(hook))
    if not hooks:
        print("Nobody is told by webhook; mcr webhook add URL begins it.")


def line(hook: Webhook) -> str:
    """One receiver."""
    parts = [f"{hook.id[:12]} {safe(hook.address)}", ", ".join(hook.events)]
    if hook.failing_since is not None:
        parts.append(f"takes nothing since {hook.failing_since:%Y-%m-%d %H:%M:%S} UTC: {safe(hook.fault)}")
    elif hook.delivered_at is not None:
        parts.append(f"took the last at {hook.delivered_at:%Y-%m-%d %H:%M:%S} UTC")
    if hook.waiting:
        parts.append(f"{hook.waiting} waiting")
    if hook.dead:
        parts.append(f"{hook.dead} given up")
    return "; ".join(parts)


@app.command()
def remove(which: Which, yes: Sure = False) -> None:
    """Tell a receiver no more; what waits for it is not told. Asks first."""

    async def run(client: Client) -> str:
        hook = await _named(client, which)
        confirm(f"Tell {hook.address} no more? {hook.waiting} that wait are not told.", yes=yes)
        await client.delete_webhook(hook.id)
        return f"{safe(hook.address)} is told no more."

    print(with_supervisor(run))


@app.command()
def test(which: Which) -> None:
    """Send an event `test` now, and say what came of it."""

    async def run(client: Client) -> str:
        hook = await _named(client, which)
        tried = await client.test_webhook(hook.id)
        if not tried.taken:
            raise Failure("It was not taken", tried.fault, "docs/webhooks.md says what a receiver has to do.")
        return f"{safe(hook.address)} answered {tried.status} in {tried.took_ms:.0f} ms."

    print(with_supervisor(run))


@app.command()
def retry(which: Which) -> None:
    """Tell a receiver again what was given up."""

    async def run(client: Client) -> str:
        hook = await _named(client, which)
        return f"{await client.retry_webhook(hook.id)} deliveries to {safe(hook.address)} are tried again."

    print(with_supervisor(run))


@app.command()
def forget(which: Which, yes: Sure = False) -> None:
    """Never tell what was given up; its alarm is over. Asks first."""

    async def run(client: Client) -> str:
        hook = await _named(client, which)
        confirm(f"Never tell {hook.address} the {hook.dead} that were given up?", yes=yes)
        return f"{await client.forget_webhook(hook.id)} deliveries to {safe(hook.address)} are forgotten."

    print(with_supervisor(run))


async def _named(client: Client, which: str) -> Webhook:
    found = [hook for hook in await client.webhooks() if hook.id.startswith(which)] if which else []
    if len(found) != 1:
        why = "None" if not found else f"{len(found)} of them"
        raise Failure("No such webhook", f"{why} begin with {safe(which)!r}.", "mcr webhook list shows them.")
    return found[0]
