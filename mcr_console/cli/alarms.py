"""``mcr alarm …``: what needs somebody."""

import json
from typing import Annotated

import typer

from mcr_console.cli.commands import AsJson, group, print_json, with_supervisor
from mcr_console.cli.failures import Failure
from mcr_console.cli.naming import channel_named
from mcr_console.cli.recorders import recorder_named
from mcr_console.client import Client
from mcr_console.drawing.attention import without_name
from mcr_console.safe_text import safe
from supervisor.schemas.alarm import Alarm, Instruction, InstructionIn, ShelveIn

app = group("What needs somebody.")
instruction = group("What the station wants done when an alarm is raised: whom to call, which crosspoint.")
app.add_typer(instruction, name="instruction")

OfChannel = Annotated[str | None, typer.Option("--channel", help="Of this channel's alarms.")]
OfRecorder = Annotated[str | None, typer.Option("--recorder", help="Of this recorder's alarms.")]
OfKind = Annotated[str | None, typer.Option("--code", help="Of alarms of this kind, e.g. channel_dark.")]


@app.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Those that are cleared too.")] = False, as_json: AsJson = False
) -> None:
    """List open alarms, one line each."""

    async def run(client: Client) -> tuple[tuple[Alarm, ...], dict[str, str]]:
        return await client.alarms(open_only=not every), await _names(client)

    alarms, names = with_supervisor(run)
    if as_json:
        print(json.dumps([alarm.model_dump(mode="json") for alarm in alarms], indent=2))
        return
    for alarm in alarms:
        print(alarm_line(alarm, names))
    if not alarms:
        print("No alarms.")


def alarm_line(alarm: Alarm, names: dict[str, str]) -> str:
    owner = alarm.channel_id or alarm.recorder_id
    known = names.get(owner or "", "")
    gone = "deleted channel" if alarm.channel_id else "deleted recorder"
    whose = f"{safe(known or gone)}: " if owner else ""
    text = safe(without_name(alarm.text, known.partition(" ")[2])) if known else safe(alarm.text)
    parts = [f"{alarm.id[:8]} {alarm.severity} since {alarm.raised_at:%Y-%m-%d %H:%M:%S} UTC, {whose}{text}"]
    if alarm.acknowledged_by:
        parts.append(f"acknowledged by {safe(alarm.acknowledged_by)}")
    if alarm.shelved_until:
        why = f": {safe(alarm.shelved_reason)}" if alarm.shelved_reason else ""
        parts.append(f"shelved until {alarm.shelved_until:%H:%M:%S} UTC by {safe(alarm.shelved_by or 'somebody')}{why}")
    if alarm.cleared_at:
        parts.append(f"cleared {alarm.cleared_at:%Y-%m-%d %H:%M:%S} UTC")
    said = f"\n  {safe(alarm.instruction)}" if alarm.instruction else ""
    return ", ".join(parts) + said


Named = Annotated[str, typer.Argument(metavar="ALARM", help="The beginning of its id.")]


@app.command()
def ack(named: Annotated[str, typer.Argument(metavar="ALARM", help="The beginning of its id, or 'all'.")]) -> None:
    """Acknowledge an alarm: you know of it. It stays until its cause is gone."""

    async def run(client: Client) -> list[str]:
        open_alarms = await client.alarms()
        found = open_alarms if named == "all" else (pick_alarm(named, open_alarms),)
        pending = [alarm for alarm in found if alarm.acknowledged_at is None]
        return [safe((await client.acknowledge(alarm.id)).text) for alarm in pending]

    acknowledged = with_supervisor(run)
    for text in acknowledged:
        print(f"acknowledged: {text}")
    if not acknowledged:
        print("Nothing to acknowledge.")


@app.command()
def shelve(
    named: Named,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept with your name.")],
    minutes: Annotated[int, typer.Option("--minutes", min=1, max=7 * 24 * 60, help="For how long.")] = 30,
) -> None:
    """Put an alarm aside for a while: it does not ring until then, and is shelved still if it comes again."""
    try:
        values = ShelveIn(minutes=minutes, reason=reason)
    except ValueError as error:
        raise typer.BadParameter("a reason is one line of 3 to 500 characters", param_hint="--reason") from error

    async def run(client: Client) -> Alarm:
        return await client.shelve(pick_alarm(named, await client.alarms()).id, values)

    alarm = with_supervisor(run)
    until = "" if alarm.shelved_until is None else f" until {alarm.shelved_until:%Y-%m-%d %H:%M:%S} UTC"
    print(f"shelved{until}: {safe(alarm.text)}")


@app.command()
def unshelve(named: Named) -> None:
    """Take a shelved alarm back: it rings again until somebody acknowledges it."""

    async def run(client: Client) -> Alarm:
        return await client.unshelve(pick_alarm(named, await client.alarms()).id)

    print(f"no longer shelved: {safe(with_supervisor(run).text)}")


def pick_alarm(named: str, alarms: tuple[Alarm, ...]) -> Alarm:
    """The one whose id begins so. Raises Failure."""
    found = [alarm for alarm in alarms if named and alarm.id.startswith(named.lower())]
    if not found:
        raise Failure("No such alarm", f"No open alarm's id begins with {named!r}.", "mcr alarm list shows them.")
    if len(found) > 1:
        raise Failure("Which alarm?", f"{len(found)} begin with {named!r}.", "Give more of its id.")
    return found[0]


@instruction.command("list")
def list_instructions(as_json: AsJson = False) -> None:
    """List what the station says, and of which alarms."""

    async def run(client: Client) -> tuple[tuple[Instruction, ...], dict[str, str]]:
        return await client.instructions(), await _names(client)

    found, names = with_supervisor(run)
    if as_json:
        print_json(found)
        return
    for one in found:
        print(instruction_line(one, names))
    if not found:
        print("There are none yet; mcr alarm instruction set makes one.")


@instruction.command("set")
def set_instruction(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is to be done then.")],
    channel: OfChannel = None,
    recorder: OfRecorder = None,
    code: OfKind = None,
) -> None:
    """Say what is to be done. Alarms that are open show it at once."""
    if not (channel or recorder or code):
        raise typer.BadParameter("say of which alarms: --channel, --recorder, --code")

    async def run(client: Client) -> tuple[Instruction, dict[str, str]]:
        channel_id, recorder_id = await _owner(client, channel, recorder)
        values = InstructionIn(channel_id=channel_id, recorder_id=recorder_id, code=code, text=text)
        return await client.set_instruction(values), await _names(client)

    print(instruction_line(*with_supervisor(run)))


@instruction.command("clear")
def clear_instruction(channel: OfChannel = None, recorder: OfRecorder = None, code: OfKind = None) -> None:
    """Say nothing of these alarms any more."""

    async def run(client: Client) -> Instruction:
        owner = await _owner(client, channel, recorder)
        for one in await client.instructions():
            if ((one.channel_id, one.recorder_id), one.code) == (owner, code):
                await client.delete_instruction(one.id)
                return one
        raise Failure("No such instruction", "Nothing is said of just these alarms.", "mcr alarm instruction list")

    print(f"No longer said: {safe(with_supervisor(run).text)}")


def instruction_line(one: Instruction, names: dict[str, str]) -> str:
    owner = one.channel_id or one.recorder_id
    whose = safe(names.get(owner or "", owner or ""))
    of = ", ".join(part for part in (whose, one.code or "") if part)
    return f"{of}: {safe(one.text)}"


async def _names(client: Client) -> dict[str, str]:
    names = {channel.id: f"{channel.number} {channel.name}" for channel in await client.channels()}
    return names | {recorder.id: f"recorder {recorder.name}" for recorder in await client.recorders()}


async def _owner(client: Client, channel: str | None, recorder: str | None) -> tuple[str | None, str | None]:
    if channel and recorder:
        raise typer.BadParameter("say --channel or --recorder")
    channel_id = (await channel_named(client, channel)).id if channel else None
    return channel_id, (await recorder_named(client, recorder)).id if recorder else None
