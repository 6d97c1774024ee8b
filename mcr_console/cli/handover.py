"""``mcr handover`` and ``mcr note``: what one shift hands to the next."""

from typing import Annotated

import typer

from mcr_console.cli.commands import AsJson, with_supervisor
from mcr_console.cli.failures import Failure
from mcr_console.cli.naming import channel_named
from mcr_console.cli.wording import counted
from mcr_console.client import Client
from mcr_console.safe_text import safe
from supervisor.schemas.handover import Handover, ShiftNote, ShiftNoteIn, Standing


def handover(
    hours: Annotated[int, typer.Option(min=1, max=168, help="Notes of the last so many hours.")] = 12,
    as_json: AsJson = False,
) -> None:
    """Say what stands: alarms, holds, overrides, vetoes, maintenance, who controls what; and the notes of the shift."""
    page = with_supervisor(lambda client: client.handover(hours))
    if as_json:
        print(page.model_dump_json(indent=2))
        return
    for line in handover_lines(page):
        print(line)


def note(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What the next shift is to know.")],
    channel: Annotated[str | None, typer.Option(metavar="CHANNEL", help="Of this one; number or name.")] = None,
    alarm: Annotated[str | None, typer.Option(metavar="ALARM", help="Of this one; the beginning of its id.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write into the shift log. A note stays; who erred writes another. Of what aired: mcr asrun note."""

    async def run(client: Client) -> ShiftNote:
        channel_id = None if channel is None else (await channel_named(client, channel)).id
        alarm_id = None if alarm is None else await _alarm_id(client, alarm)
        return await client.add_shift_note(ShiftNoteIn(text=text, channel_id=channel_id, alarm_id=alarm_id))

    try:
        written = with_supervisor(run)
    except ValueError as error:
        raise Failure("This cannot be noted", "A note is one line of at most 2000 characters.") from error
    print(written.model_dump_json(indent=2) if as_json else note_line(written))


def handover_lines(page: Handover) -> list[str]:
    """Whole sentences, for a screen reader too."""
    wanted = f", {page.wanted} wanted" if page.wanted != page.on_air else ""
    lines = [f"{page.at:%Y-%m-%d %H:%M:%S} UTC, {page.on_air} of {counted(page.channels, 'channel')} on air{wanted}"]
    lines += [standing_line(one) for one in page.standing]
    if not page.standing:
        lines.append("Nothing stands: no alarm, no hold, no override, no veto, no maintenance.")
    lines += [f"Note {note_line(one)}" for one in page.notes]
    if not page.notes:
        lines.append(f"Nothing was noted in the last {counted(page.hours, 'hour')}.")
    return lines


def standing_line(one: Standing) -> str:
    parts = [f"{one.kind.capitalize()}, {safe(one.who)}: {safe(one.text)}"]
    if one.since is not None:
        parts.append(f"since {one.since:%Y-%m-%d %H:%M:%S} UTC")
    if one.by and one.kind != "control":
        parts.append(f"{'acknowledged by' if one.kind == 'alarm' else 'by'} {safe(one.by)}")
    return ", ".join(parts)


def note_line(one: ShiftNote) -> str:
    about = f", {safe(one.about)}" if one.about else ""
    return f"{one.at:%Y-%m-%d %H:%M:%S} UTC by {safe(one.by)}{about}: {safe(one.text)}"


async def _alarm_id(client: Client, beginning: str) -> str:
    found = [alarm.id for alarm in await client.alarms(open_only=False) if alarm.id.startswith(beginning.lower())]
    if len(found) != 1:
        raise Failure("Which alarm?", f"{len(found)} begin with {beginning!r}.", "mcr alarm list --all shows them.")
    return found[0]
