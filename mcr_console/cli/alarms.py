"""``mcr alarm …``: what needs somebody."""

import json
from typing import Annotated

import typer

from mcr_console.cli.commands import AsJson, group, with_supervisor
from mcr_console.cli.failures import Failure
from mcr_console.client import Client
from mcr_console.drawing.attention import without_name
from mcr_console.safe_text import safe
from supervisor.schemas.alarm import Alarm

app = group("What needs somebody.")


@app.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Those that are cleared too.")] = False, as_json: AsJson = False
) -> None:
    """List open alarms, one line each."""

    async def run(client: Client) -> tuple[tuple[Alarm, ...], dict[str, str]]:
        names = {channel.id: f"{channel.number} {channel.name}" for channel in await client.channels()}
        names |= {recorder.id: f"recorder {recorder.name}" for recorder in await client.recorders()}
        return await client.alarms(open_only=not every), names

    alarms, names = with_supervisor(run)
    if as_json:
        print(json.dumps([alarm.model_dump(mode="json") for alarm in alarms], indent=2))
        return
    for alarm in alarms:
        print(alarm_line(alarm, names))
    if not alarms:
        print("No alarms.")


def alarm_line(alarm: Alarm, names: dict[str, str]) -> str:
    known = names.get(alarm.channel_id or "", "")
    whose = f"{safe(known or 'deleted channel')}: " if alarm.channel_id else ""
    text = safe(without_name(alarm.text, known.partition(" ")[2])) if known else safe(alarm.text)
    parts = [f"{alarm.id[:8]} {alarm.severity} since {alarm.raised_at:%Y-%m-%d %H:%M:%S} UTC, {whose}{text}"]
    if alarm.acknowledged_by:
        parts.append(f"acknowledged by {safe(alarm.acknowledged_by)}")
    if alarm.cleared_at:
        parts.append(f"cleared {alarm.cleared_at:%Y-%m-%d %H:%M:%S} UTC")
    return ", ".join(parts)


@app.command()
def ack(named: Annotated[str, typer.Argument(metavar="ALARM", help="The beginning of its id, or 'all'.")]) -> None:
    """Acknowledge an alarm: you know of it. It stays until its cause is gone."""

    async def run(client: Client) -> list[str]:
        open_alarms = await client.alarms()
        found = [alarm for alarm in open_alarms if named == "all" or alarm.id.startswith(named.lower())]
        if not found and named != "all":
            raise Failure("No such alarm", f"No open alarm's id begins with {named!r}.", "mcr alarm list shows them.")
        if len(found) > 1 and named != "all":
            raise Failure("Which alarm?", f"{len(found)} begin with {named!r}.", "Give more of its id.")
        pending = [alarm for alarm in found if alarm.acknowledged_at is None]
        return [safe((await client.acknowledge(alarm.id)).text) for alarm in pending]

    acknowledged = with_supervisor(run)
    for text in acknowledged:
        print(f"acknowledged: {text}")
    if not acknowledged:
        print("Nothing to acknowledge.")
