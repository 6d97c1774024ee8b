"""``mcr recorder …``: what records an input, and when."""

from typing import Annotated, Literal

import typer

from mcr_console.cli.commands import AsJson, Sure, confirm, group, print_json, with_supervisor
from mcr_console.cli.failures import Failure
from mcr_console.cli.naming import node_named
from mcr_console.client import Client
from mcr_console.safe_text import safe
from supervisor.schemas.recorder import RecordedFile, Recorder, RecorderIn, RecorderInput, RecorderPatch
from supervisor.schemas.schedule import Schedule, ScheduleClash, ScheduleIn, ScheduleKind, UpcomingRecording

app = group("Recorders. A recorder is named by its name.")
schedule = group("When recorders record by themselves.")
app.add_typer(schedule, name="schedule")

Named = Annotated[str, typer.Argument(metavar="RECORDER", help="Its name.")]
Kind = Literal["test", "srt", "rtmp", "udp", "hls", "decklink"]
_KEEP_DAYS = "Take finished files away that are older, in days; 0: never."
_KEEP_GIB = "Take the oldest finished files away beyond so many GiB on a node; 0: never."
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SCHEMES: dict[str, Kind] = {
    "srt": "srt", "rtmp": "rtmp", "rtmps": "rtmp", "udp": "udp", "http": "hls", "https": "hls", "test": "test",
}  # fmt: skip


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all recorders, one line each."""
    recorders = with_supervisor(Client.recorders)
    if as_json:
        print_json(recorders)
        return
    for recorder in recorders:
        print(recorder_line(recorder))


@app.command()
def show(named: Named, as_json: AsJson = False) -> None:
    """Show a recorder and what it does."""
    recorder = with_supervisor(lambda client: recorder_named(client, named))
    if as_json:
        print(recorder.model_dump_json(indent=2))
        return
    live = recorder.live
    print(recorder_line(recorder))
    print(f"  input     {_input(recorder)}")
    print(f"  keeps     {_keeps(recorder)}")
    print(f"  decision  {safe(live.decision)}")
    if live.path:
        print(f"  file      {safe(live.path)}")
    if live.frames:
        print(f"  recorded  {live.frames} frames in {live.files} files, {live.lost_frames} lost in {live.gaps} gaps")


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")],
    source: Annotated[
        str, typer.Argument(metavar="INPUT", help="srt://, rtmp://, udp://, http(s):// (HLS), decklink://N or test.")
    ],
    node: Annotated[str | None, typer.Option(help="The machine it records on.")] = None,
    template: Annotated[str | None, typer.Option(help="Names its files, e.g. '{title}/{date}_{segment}'.")] = None,
    segment: Annotated[int, typer.Option(min=0, max=86_400, help="A new file so often, in seconds.")] = 0,
    floor: Annotated[int, typer.Option(min=0, help="MiB that are to stay free on its disk.")] = 1024,
    time_zone: Annotated[str, typer.Option(help="Of the times in names.")] = "UTC",
    keep_days: Annotated[int, typer.Option(min=0, max=36_500, help=_KEEP_DAYS)] = 0,
    keep_gib: Annotated[int, typer.Option(min=0, max=1 << 20, help=_KEEP_GIB)] = 0,
    as_json: AsJson = False,
) -> None:
    """Make a recorder. It is off."""

    async def run(client: Client) -> Recorder:
        values = RecorderIn(
            name=name,
            input=_read_input(source),
            node_id=None if node is None else (await node_named(client, node)).id,
            template="{recorder}_{date}_{time}" if template is None else template,
            segment_s=segment,
            floor_mb=floor,
            time_zone=time_zone,
            keep_days=keep_days,
            keep_gib=keep_gib,
        )
        return await client.create_recorder(values)

    made = with_supervisor(run)
    print(made.model_dump_json(indent=2) if as_json else recorder_line(made))


@app.command("set")
def set_(
    named: Named,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    source: Annotated[str | None, typer.Option("--input", help="Another input, as for add.")] = None,
    template: Annotated[str | None, typer.Option(help="Names its files.")] = None,
    segment: Annotated[int | None, typer.Option(min=0, max=86_400, help="A new file so often, seconds.")] = None,
    floor: Annotated[int | None, typer.Option(min=0, help="MiB that are to stay free.")] = None,
    keep_days: Annotated[int | None, typer.Option(min=0, max=36_500, help=_KEEP_DAYS)] = None,
    keep_gib: Annotated[int | None, typer.Option(min=0, max=1 << 20, help=_KEEP_GIB)] = None,
) -> None:
    """Change a recorder, from its next start on."""
    given: dict[str, object] = {
        "name": name,
        "template": template,
        "segment_s": segment,
        "floor_mb": floor,
        "keep_days": keep_days,
        "keep_gib": keep_gib,
    }
    if source is not None:
        given["input"] = _read_input(source)
    changes = {what: value for what, value in given.items() if value is not None}
    if not changes:
        raise typer.BadParameter("say what to change")

    async def run(client: Client) -> Recorder:
        recorder = await recorder_named(client, named)
        return await client.update_recorder(recorder.id, recorder.rev, RecorderPatch.model_validate(changes))

    print(recorder_line(with_supervisor(run)))


@app.command()
def start(named: Named) -> None:
    """Record from now on, until it is stopped."""

    async def run(client: Client) -> Recorder:
        return await client.start_recorder((await recorder_named(client, named)).id)

    print(recorder_line(with_supervisor(run)))


@app.command()
def stop(named: Named, yes: Sure = False) -> None:
    """End a recording. Asks first while it records."""

    async def run(client: Client) -> Recorder:
        recorder = await recorder_named(client, named)
        if recorder.live.observed == "recording":
            confirm(f"End the recording of {recorder.name}?", yes=yes)
        return await client.stop_recorder(recorder.id)

    print(recorder_line(with_supervisor(run)))


@app.command()
def remove(named: Named, yes: Sure = False) -> None:
    """Remove a recorder that is off, with its schedules. Its files stay."""

    async def run(client: Client) -> Recorder:
        recorder = await recorder_named(client, named)
        confirm(f"Remove {recorder.name} and its schedules?", yes=yes)
        await client.delete_recorder(recorder.id, recorder.rev)
        return recorder

    print(f"{safe(with_supervisor(run).name)} is removed.")


@app.command()
def files(named: Named, as_json: AsJson = False) -> None:
    """The as-recorded log: each file with what is missing in it, newest first."""

    async def run(client: Client) -> tuple[RecordedFile, ...]:
        return await client.recordings((await recorder_named(client, named)).id)

    found = with_supervisor(run)
    if as_json:
        print_json(found)
        return
    for file in found:
        length = "still open" if file.frames is None else f"{file.frames} frames"
        lost = f", {file.lost_frames} lost in {len(file.gaps)} gaps" if file.lost_frames else ""
        lost += f", {file.lost_before} lost before it" if file.lost_before else ""
        print(f"{file.start_at:%Y-%m-%d %H:%M:%S}  {length}{lost}  {safe(file.path)}")


@schedule.command("list")
def list_schedules(as_json: AsJson = False) -> None:
    """List schedules, with what they clash with."""

    async def run(client: Client) -> tuple[tuple[Schedule, ...], dict[str, str]]:
        return await client.schedules(), {it.id: it.name for it in await client.recorders()}

    found, names = with_supervisor(run)
    if as_json:
        print_json(found)
        return
    for one in found:
        print_schedule(one, names.get(one.recorder_id, one.recorder_id))


@schedule.command("upcoming")
def list_upcoming(
    hours: Annotated[int, typer.Option(min=1, max=840, help="How far ahead.")] = 168, as_json: AsJson = False
) -> None:
    """List what is recorded from now on, one line each, with all that is in its way."""
    found = with_supervisor(lambda client: client.upcoming(hours))
    if as_json:
        print_json(found)
        return
    for one in found:
        print(upcoming_line(one))
        for clash in one.clashes:
            print(clash_line(clash))
    if not found:
        print(f"Nothing is planned for the next {hours} hours.")


@schedule.command("add")
def add_schedule(
    named: Named,
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What is recorded.")],
    date: Annotated[str, typer.Argument(metavar="DATE", help="The first day, e.g. 2027-03-28.")],
    at: Annotated[str, typer.Argument(metavar="TIME", help="By the wall clock, e.g. 20:15.")],
    minutes: Annotated[int, typer.Argument(min=1, max=10_080, metavar="MINUTES", help="How long.")],
    daily: Annotated[bool, typer.Option("--daily", help="Every day.")] = False,
    days: Annotated[str, typer.Option(help="Every week on these days, e.g. mon,fri.")] = "",
    until: Annotated[str | None, typer.Option(help="The last day.")] = None,
    time_zone: Annotated[str, typer.Option(help="Whose wall clock.")] = "UTC",
    pre: Annotated[int, typer.Option(min=0, max=3600, help="Seconds to begin early.")] = 0,
    post: Annotated[int, typer.Option(min=0, max=3600, help="Seconds to go on.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Record at a time: once, daily or on days of the week. Says what it clashes with."""
    weekdays = _weekdays(days)
    kind: ScheduleKind = "weekly" if weekdays else "daily" if daily else "once"

    async def run(client: Client) -> tuple[Schedule, Recorder]:
        recorder = await recorder_named(client, named)
        values = ScheduleIn(
            recorder_id=recorder.id, title=title, kind=kind, date=date, at=at, until=until, weekdays=weekdays,
            time_zone=time_zone, duration_s=minutes * 60, pre_roll_s=pre, post_roll_s=post,
        )  # fmt: skip
        return await client.create_schedule(values), recorder

    made, recorder = with_supervisor(run)
    if as_json:
        print(made.model_dump_json(indent=2))
    else:
        print_schedule(made, recorder.name)


@schedule.command("remove")
def remove_schedule(schedule_id: Annotated[str, typer.Argument(metavar="ID", help="As list shows it.")]) -> None:
    """Remove a schedule. What it records just now ends."""

    async def run(client: Client) -> None:
        found = next((one for one in await client.schedules() if one.id == schedule_id), None)
        if found is None:
            raise Failure("No such schedule", f"Nothing has the id {schedule_id!r}.", "mcr recorder schedule list")
        await client.delete_schedule(found.id, found.rev)

    with_supervisor(run)
    print("It is removed.")


async def recorder_named(client: Client, named: str) -> Recorder:
    """By name in any case, else by id. Raises Failure that names what there is."""
    recorders = await client.recorders()
    for key in (str, str.casefold):
        found = [it for it in recorders if key(it.name) == key(named.strip())]
        if len(found) == 1:
            return found[0]
    for recorder in recorders:
        if recorder.id == named.strip():
            return recorder
    there = ", ".join(it.name for it in recorders[:12])
    hint = f"There are: {there}." if there else "There are none yet; mcr recorder add makes one."
    raise Failure("No such recorder", f"Nothing is named {named!r}.", hint)


def recorder_line(recorder: Recorder) -> str:
    live = recorder.live
    state = live.observed or live.phase
    what = f": {safe(live.title)}" if live.title else f": {safe(live.detail)}" if live.detail else ""
    notice = f"\n  {safe(recorder.notice)}" if recorder.notice else ""
    return f"{safe(recorder.name)}  {state}{what}{notice}"


def print_schedule(one: Schedule, recorder: str) -> None:
    days = f" on {', '.join(_DAYS[day] for day in one.weekdays)}" if one.weekdays else ""
    following = "nothing more" if one.next_start_at is None else f"next {one.next_start_at:%Y-%m-%d %H:%M:%S} UTC"
    print(f"{one.id}  {safe(recorder)}  {safe(one.title)}  {one.kind}{days} at {one.at} {one.time_zone}, {following}")
    for clash in one.clashes:
        print(f"{clash_line(clash)}, first on {clash.start_at:%Y-%m-%d %H:%M} UTC")


def upcoming_line(one: UpcomingRecording) -> str:
    port = {None: "", True: ", its port is kept", False: ", its port is not kept for it"}[one.reserved]
    return (
        f"{one.start_at:%Y-%m-%d %H:%M:%S} to {one.end_at:%H:%M:%S} UTC  {safe(one.recorder)}  {safe(one.title)}{port}"
    )


def clash_line(clash: ScheduleClash) -> str:
    if clash.schedule_id is None:
        return f"  clashes with {safe(clash.owner)}, which has {safe(clash.what)} until it is stopped"
    first = {None: "", True: ", this goes first", False: ", which goes first"}[clash.goes_first]
    return f"  clashes with {safe(clash.title)} of {safe(clash.recorder)} over {safe(clash.what)}{first}"


def _keeps(recorder: Recorder) -> str:
    rules = [f"{recorder.keep_days} days"] if recorder.keep_days else []
    rules += [f"{recorder.keep_gib} GiB on a node"] if recorder.keep_gib else []
    return f"its files for {' and at most '.join(rules)}" if rules else "all its files"


def _input(recorder: Recorder) -> str:
    what = recorder.input
    if what.kind == "decklink":
        return f"DeckLink port {what.device_index}"
    return safe(what.url) if what.url else what.kind


def _read_input(text: str) -> RecorderInput:
    scheme, _, rest = text.partition("://")
    if scheme == "decklink":
        if not (rest.isascii() and rest.isdigit() and 1 <= int(rest) <= 64):
            raise typer.BadParameter("write decklink://1; cards are counted from 1")
        return RecorderInput(kind="decklink", device_index=int(rest))
    kind = _SCHEMES.get(scheme)
    if kind is None:
        raise typer.BadParameter("an input is srt://, rtmp://, udp://, http(s)://, decklink://N or test")
    return RecorderInput(kind=kind, url="" if kind == "test" else text)


def _weekdays(text: str) -> tuple[int, ...]:
    named = [day.strip().lower()[:3] for day in text.split(",") if day.strip()]
    if not set(named) <= set(_DAYS):
        raise typer.BadParameter(f"days are {', '.join(_DAYS)}")
    return tuple(sorted({_DAYS.index(day) for day in named}))
