"""``mcr channel …``: make, start, stop and drive channels."""

import json
from pathlib import Path
from typing import Annotated

import typer

from mcr_console.cli.caspar_server import caspar_server, engine_line
from mcr_console.cli.channel_settings import set_
from mcr_console.cli.commands import AsJson, Sure, confirm, group, with_supervisor
from mcr_console.cli.control import TakeOver, take_over
from mcr_console.cli.explain import explain
from mcr_console.cli.failover import failover_line, hold_failover, move, release_failover
from mcr_console.cli.failures import Failure
from mcr_console.cli.naming import channel_named, pick_node, playlist_named
from mcr_console.cli.outputs import add_output, remove_output
from mcr_console.cli.playlists import PlaylistSource, import_from, report_refused
from mcr_console.cli.progress import poll, waiting
from mcr_console.cli.rundown_commands import adjust, cue, drop, logo, print_done, undrop
from mcr_console.cli.wording import channel_line, frames_clock, is_settled_on_air, local_time, state_words
from mcr_console.client import Client, TransportVerb
from mcr_console.drawing.channel_facts import link_words
from mcr_console.formats import EXAMPLES, format_label, parse_format, parse_output
from mcr_console.safe_text import safe
from supervisor.schemas.channel import (
    AfterLast,
    Channel,
    ChannelFormat,
    ChannelIn,
    CommandDone,
    CommandIn,
    OutputIn,
)
from supervisor.schemas.fencing import fencing_words
from supervisor.schemas.playout import CasparIn
from supervisor.schemas.stream_key import without_key

app = group("Make, start, stop and drive channels. A channel is named by its number or its name.")

ON_AIR_S = 30.0
OFF_AIR_S = 20.0
_USUAL_FORMAT = ChannelFormat(width=1280, height=720, rate="25")

Named = Annotated[str, typer.Argument(metavar="CHANNEL", help="Number or name.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is so.")]


def _format(text: str) -> ChannelFormat:
    try:
        return parse_format(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _output(text: str) -> OutputIn:
    try:
        return parse_output(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all channels, one line each."""
    channels = sorted(with_supervisor(Client.channels), key=lambda channel: channel.number)
    if as_json:
        print(json.dumps([channel.model_dump(mode="json") for channel in channels], indent=2))
        return
    for channel in channels:
        print(channel_line(channel))
    if not channels:
        print("There are no channels yet; mcr channel add makes one.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called, e.g. 'News 24'.")],
    from_: Annotated[
        Path | None, typer.Option("--from", metavar="FOLDER", help="Play this folder's media around the clock.")
    ] = None,
    format_: Annotated[
        ChannelFormat | None,
        typer.Option(
            "--format", parser=_format, metavar="FORMAT", show_default="720p25", help=f"For example {EXAMPLES}."
        ),
    ] = None,
    output: Annotated[
        list[OutputIn] | None,
        typer.Option(
            parser=_output,
            metavar="OUTPUT",
            help="hls, udp://host:port, srt://host:port, rtmp://host/app/key, file:NAME.ts or decklink://1; may be "
            "given again. HLS if none. Options go behind: ?mode=listener&latency=200 (srt), ?ttl=8&localaddr=10.0.0.7 "
            "(udp), ?service_name=News&service_id=7&video_pid=0x65&mux_rate=6M (udp, srt, file), "
            "?video_bit_rate=1M&preset=veryfast for an encode of its own. "
            "udp://host:port?lease_stop stops 6 s after the last word of a supervisor, so that the channel can be "
            "moved; without it the output holds, and the channel is not moved off an unreachable node.",
        ),
    ] = None,
    node: Annotated[
        str | None, typer.Option(metavar="NODE", help="Play on this node alone. A decklink output needs it.")
    ] = None,
    caspar: Annotated[
        CasparIn | None,
        typer.Option(
            parser=caspar_server,
            metavar="SERVER",
            help="Play it by a CasparCG server: HOST[:PORT][/CHANNEL[-LAYER]]. Options go behind: ?mode=1080i5000, "
            "?program=/usr/bin/casparcg-server to start it on the channel's node, ?media=FOLDER for one whose paths "
            "are others.",
        ),
    ] = None,
    number: Annotated[int | None, typer.Option(min=1, max=9999, help="The next free one if left out.")] = None,
    playlist: Annotated[str | None, typer.Option(help="Play this playlist, which is there already.")] = None,
    after_last: Annotated[
        AfterLast | None,
        typer.Option(help="After the last item: loop the list, filler, or hold. Loop with --from, else filler."),
    ] = None,
    time_zone: Annotated[str, typer.Option(help="Of its log and its broadcast day, e.g. Europe/Berlin.")] = "UTC",
    start: Annotated[bool, typer.Option("--start", help="Put it on air at once.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a channel."""
    if from_ is not None and playlist is not None:
        raise typer.BadParameter("--from and --playlist exclude each other")

    async def run(client: Client) -> Channel:
        if any(channel.name == name for channel in await client.channels()):
            raise Failure("There is such a channel already", f"One is named {name!r}.", "mcr channel list shows them.")
        playlist_id = (await playlist_named(client, playlist)).id if playlist is not None else None
        if from_ is not None:
            result = await import_from(client, PlaylistSource("folder", from_), name)
            report_refused(result)
            playlist_id = result.playlist.id
        outputs = tuple(output or (OutputIn(kind="hls"),))
        values = ChannelIn(
            name=name,
            number=number,
            format=format_ or _USUAL_FORMAT,
            outputs=outputs,
            node_id=await node_for(client, node, outputs),
            playlist_id=playlist_id,
            after_last=after_last or ("loop" if from_ is not None else "filler"),
            time_zone=time_zone,
            engine="ffmpeg" if caspar is None else "caspar",
            caspar=caspar,
        )
        channel = await client.create_channel(values)
        return await put_on_air(client, channel) if start else channel

    channel = with_supervisor(run)
    if as_json:
        print(channel.model_dump_json(indent=2))
        return
    print(channel_line(channel))
    if not start:
        print(f"mcr channel start {channel.number} puts it on air.")


async def node_for(client: Client, named: str | None, outputs: tuple[OutputIn, ...]) -> str | None:
    """The node a new channel is to play on. A card is in one machine: with one node there is no question which."""
    has_card = any(output.kind == "decklink" for output in outputs)
    if named is None and not has_card:
        return None
    nodes = await client.nodes()
    if named is not None:
        return pick_node(named, nodes).id
    if len(nodes) == 1:
        return nodes[0].id
    names = ", ".join(node.name for node in nodes)
    raise Failure("In which node is the card?", f"There are {names}.", "Say --node NAME.")


async def put_on_air(client: Client, channel: Channel, *, wait: bool = True) -> Channel:
    """Starts it; waits until a programme output moves. Raises Failure that says what it waited for."""
    began = await client.start(channel.id)
    if not wait:
        return began
    async with waiting(f"starting {channel.number} {channel.name}"):

        async def on_air() -> Channel | None:
            seen = await client.channel(channel.id)
            return seen if is_settled_on_air(seen.live) else None

        seen = await poll(on_air, deadline_s=ON_AIR_S, every_s=0.2)
    if seen is not None:
        return seen
    now = await client.channel(channel.id)
    raise Failure(
        f"{channel.number} {channel.name} is not on air yet",
        f"{state_words(now)}. {now.live.decision}",
        f"It keeps being tried. mcr channel explain {channel.number} says more.",
    )


@app.command()
def start(named: Named, wait: Wait = True, over: TakeOver = False) -> None:
    """Put a channel on air."""

    async def run(client: Client) -> Channel:
        channel = await channel_named(client, named)
        await take_over(client, channel, asked=over)
        return await put_on_air(client, channel, wait=wait)

    print(channel_line(with_supervisor(run)))


@app.command()
def stop(named: Named, yes: Sure = False, wait: Wait = True, over: TakeOver = False) -> None:
    """Take a channel off air. Asks first."""

    async def run(client: Client) -> Channel:
        channel = await channel_named(client, named)
        if channel.desired == "off" and channel.live.phase == "off":
            return channel
        confirm(f"Take {channel.number} {channel.name} OFF AIR?", yes=yes)
        await take_over(client, channel, asked=over)
        await client.stop(channel.id)
        if not wait:
            return await client.channel(channel.id)
        async with waiting(f"stopping {channel.number} {channel.name}"):

            async def off() -> Channel | None:
                seen = await client.channel(channel.id)
                return seen if seen.live.phase == "off" else None

            seen = await poll(off, deadline_s=OFF_AIR_S, every_s=0.2)
        if seen is None:
            now = await client.channel(channel.id)
            raise Failure(
                f"{channel.number} {channel.name} is not off yet",
                f"{state_words(now)}. {now.live.decision}",
                f"mcr channel explain {channel.number} says more.",
            )
        return seen

    print(channel_line(with_supervisor(run)))


def _transport(verb: TransportVerb, help_text: str) -> None:
    """One command a verb; they differ in nothing else."""

    def command(named: Named, over: TakeOver = False, as_json: AsJson = False) -> None:
        async def run(client: Client) -> CommandDone:
            channel = await channel_named(client, named)
            await take_over(client, channel, asked=over)
            return await client.transport(channel.id, verb, CommandIn())

        print_done(with_supervisor(run), as_json=as_json)

    command.__doc__ = help_text
    app.command(verb)(command)


_transport("take", "Cut now to the cued item, else to the next; also out of a hold.")
_transport("skip", "Cut now to the next item of the list, whatever is cued.")
_transport("hold", "Do not follow on after this item: wait for a take.")
_transport("play", "Take a hold off: follow on after this item.")
_transport("pause", "Freeze the picture.")
_transport("resume", "End a freeze.")
_transport("standby", "Cut to the channel's emergency slate.")
_transport("rejoin", "Return from the slate to what should be on air.")
_transport("recue", "Make the item on air, or that aired last, come next once more.")
app.command()(cue)
app.command()(adjust)
app.command()(drop)
app.command()(undrop)
app.command()(logo)


@app.command()
def show(named: Named, as_json: AsJson = False) -> None:
    """Show a channel and its rundown."""

    async def run(client: Client) -> list[str]:
        channel = await channel_named(client, named)
        rundown = await client.rundown(channel.id)
        if as_json:
            both = {"channel": channel.model_dump(mode="json"), "rundown": rundown.model_dump(mode="json")}
            return [json.dumps(both, indent=2)]
        lines = [channel_line(channel), specification_line(channel)]
        if channel.live.engine is not None:
            lines.append(engine_line(channel.live.engine))
        live = {output.id: output for output in channel.live.outputs}
        for output in channel.outputs:
            seen = live.get(output.id)
            state = f": {seen.state} {safe(seen.detail)}".rstrip() if seen else ""
            if seen and seen.link and seen.link.receivers:
                state += f", {link_words(seen.link)}"
            where = f"Output {output.kind} {safe(without_key(output.url))}".rstrip()
            lines.append(f"{where}{state}; {fencing_words(output.kind, lease_stop=output.lease_stop)}")
        if channel.is_test:
            lines.append("For drills: mcr drill may take it off air")
        if channel.hold_failover:
            lines.append(failover_line(channel))
        if channel.live.decision:
            lines.append(f"Decision: {safe(channel.live.decision)}")
        for row in rundown.rows:
            when = local_time(row.start_at, rundown.time_zone) if row.start_at else "at a take"
            length = frames_clock(row.duration_frames, rundown.rate) if row.duration_frames is not None else "?"
            mark = f", {row.state.replace('_', ' ')}" if row.state != "planned" else ""
            note = f", {safe(row.note)}" if row.note else ""
            lines.append(f'{row.position + 1}. {when} "{safe(row.title)}" {length}{mark}{note}')
        return lines

    for line in with_supervisor(run):
        print(line)


def specification_line(channel: Channel) -> str:
    return (
        f"Format {format_label(channel.format)}, after the last item {channel.after_last}, "
        f"time zone {safe(channel.time_zone)}, broadcast day from {channel.day_start}"
    )


app.command("set")(set_)
app.command()(add_output)
app.command()(remove_output)
app.command()(explain)
app.command()(move)
app.command()(hold_failover)
app.command()(release_failover)


@app.command()
def delete(named: Named, yes: Sure = False) -> None:
    """Delete a channel that is off. Its as-run log stays."""

    async def run(client: Client) -> str:
        channel = await channel_named(client, named)
        confirm(f"Delete {channel.number} {channel.name}? Its as-run log stays.", yes=yes)
        await client.delete_channel(channel.id, channel.rev)
        return f"{channel.number} {safe(channel.name)} is deleted."

    print(with_supervisor(run))
