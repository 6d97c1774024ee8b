"""``mcr channel cue, adjust, drop, undrop, logo``: what airs next, for how long, and under which logo."""

import enum
from typing import Annotated

import typer

from mcr_console.cli.commands import AsJson, with_supervisor
from mcr_console.cli.control import TakeOver, take_over
from mcr_console.cli.failures import Failure
from mcr_console.cli.naming import channel_named
from mcr_console.client import Client
from mcr_console.safe_text import safe
from supervisor.schemas.channel import AdjustIn, Channel, CommandDone, CueIn, DropIn, LogoIn

Named = Annotated[str, typer.Argument(metavar="CHANNEL", help="Number or name.")]
_ITEM = "Line number in the rundown (from 1), title or id."
Item = Annotated[str, typer.Argument(metavar="ITEM", help=_ITEM)]


def print_done(done: CommandDone, *, as_json: bool) -> None:
    print(done.model_dump_json(indent=2) if as_json else f"{safe(done.done)} ({done.took_ms:.0f} ms)")


async def item_named(client: Client, channel: Channel, item: str) -> str:
    """The id of a line of the channel's rundown. Raises Failure."""
    rows = (await client.rundown(channel.id)).rows
    by_number = [row for row in rows if item.isdigit() and row.position + 1 == int(item)]
    found = by_number or [row for row in rows if item in (row.item_id, row.title)]
    if not found:
        raise Failure("No such item", f"The rundown has no {item!r}.", f"mcr channel show {channel.number} lists it.")
    return found[0].item_id


def cue(
    named: Named,
    item: Annotated[str | None, typer.Argument(metavar="[ITEM]", help=_ITEM)] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take the cue away.")] = False,
    over: TakeOver = False,
    as_json: AsJson = False,
) -> None:
    """Choose what the next take cuts to."""
    if (item is None) != clear:
        raise typer.BadParameter("name an item, or say --clear")

    async def run(client: Client) -> CommandDone:
        channel = await channel_named(client, named)
        await take_over(client, channel, asked=over)
        item_id = None if item is None else await item_named(client, channel, item)
        return await client.cue(channel.id, CueIn(item_id=item_id))

    print_done(with_supervisor(run), as_json=as_json)


def adjust(
    named: Named,
    longer: Annotated[int, typer.Option("--longer", min=0, max=3600, help="By how many seconds.")] = 0,
    shorter: Annotated[int, typer.Option("--shorter", min=0, max=3600, help="By how many seconds.")] = 0,
    over: TakeOver = False,
    as_json: AsJson = False,
) -> None:
    """Make the item on air longer or shorter."""
    if (longer == 0) == (shorter == 0):
        raise typer.BadParameter("say --longer or --shorter with seconds")

    async def run(client: Client) -> CommandDone:
        channel = await channel_named(client, named)
        await take_over(client, channel, asked=over)
        return await client.adjust(channel.id, AdjustIn(ms=(longer - shorter) * 1000))

    print_done(with_supervisor(run), as_json=as_json)


def drop(named: Named, item: Item, over: TakeOver = False, as_json: AsJson = False) -> None:
    """Let an item not air in this run."""
    _drop(named, item, undo=False, over=over, as_json=as_json)


def undrop(named: Named, item: Item, over: TakeOver = False, as_json: AsJson = False) -> None:
    """Let a dropped item air after all."""
    _drop(named, item, undo=True, over=over, as_json=as_json)


def _drop(named: str, item: str, *, undo: bool, over: bool, as_json: bool) -> None:
    async def run(client: Client) -> CommandDone:
        channel = await channel_named(client, named)
        await take_over(client, channel, asked=over)
        return await client.drop(channel.id, DropIn(item_id=await item_named(client, channel, item)), undo=undo)

    print_done(with_supervisor(run), as_json=as_json)


class Show(enum.StrEnum):
    """What ``mcr channel logo`` takes."""

    ON = "on"
    OFF = "off"
    AUTO = "auto"


def logo(
    named: Named,
    show: Annotated[Show, typer.Argument(help="auto: as item, category and channel say.")],
    over: TakeOver = False,
    as_json: AsJson = False,
) -> None:
    """Show the logo or do not. It lapses at the next item, which has the logo as item, category and channel say."""

    async def run(client: Client) -> CommandDone:
        channel = await channel_named(client, named)
        await take_over(client, channel, asked=over)
        return await client.logo(channel.id, LogoIn(show=show.value))

    print_done(with_supervisor(run), as_json=as_json)
