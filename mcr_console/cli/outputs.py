"""``mcr channel add-output`` and ``remove-output``: where a channel goes, also while it is on air."""

from typing import Annotated

import typer

from mcr_console.cli.commands import Sure, confirm, with_supervisor
from mcr_console.cli.failures import Failure
from mcr_console.cli.naming import channel_named
from mcr_console.client import Client
from mcr_console.formats import OUTPUTS, parse_output
from mcr_console.safe_text import safe
from supervisor.schemas.channel import Channel, ChannelPatch, Output, OutputIn
from supervisor.schemas.stream_key import without_key

Named = Annotated[str, typer.Argument(metavar="CHANNEL", help="Number or name.")]


def add_output(
    named: Named, output: Annotated[str, typer.Argument(metavar="OUTPUT", help=f"For example {OUTPUTS}.")]
) -> None:
    """Send a channel to one more place. On air it opens at once, and the others do not notice."""
    try:
        added = parse_output(output)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error

    async def run(client: Client) -> Channel:
        channel = await channel_named(client, named)
        outputs = (*map(_as_given, channel.outputs), added)
        return await client.update_channel(channel.id, channel.rev, ChannelPatch(outputs=outputs))

    _print(with_supervisor(run))


def remove_output(
    named: Named,
    output: Annotated[str, typer.Argument(metavar="OUTPUT", help="Its number, from 1, its kind or its address.")],
    yes: Sure = False,
) -> None:
    """Send a channel to one place less. On air it ends at once, and the others do not notice. Asks first."""

    async def run(client: Client) -> Channel:
        channel = await channel_named(client, named)
        left = _pick(output, channel.outputs)
        if len(channel.outputs) == 1:
            raise Failure(
                "A channel has at least one output", "This is its only one.", "Add another one first, or stop it."
            )
        where = f"{left.kind} {safe(without_key(left.url))}".rstrip()
        confirm(f"Take {channel.number} {channel.name} off {where}?", yes=yes)
        outputs = tuple(_as_given(one) for one in channel.outputs if one.id != left.id)
        return await client.update_channel(channel.id, channel.rev, ChannelPatch(outputs=outputs))

    _print(with_supervisor(run))


def _as_given(output: Output) -> OutputIn:
    return OutputIn.model_validate(output.model_dump(exclude={"id"}))


def _pick(named: str, outputs: tuple[Output, ...]) -> Output:
    if named.isascii() and named.isdigit() and 1 <= int(named) <= len(outputs):
        return outputs[int(named) - 1]
    found = [one for one in outputs if named in (one.id, one.kind, one.url, without_key(one.url))]
    if len(found) == 1:
        return found[0]
    many = "Several are." if found else "None is."
    raise Failure(f"Which output is {safe(named)!r}?", many, "mcr channel show numbers them; say the number.")


def _print(channel: Channel) -> None:
    for number, output in enumerate(channel.outputs, 1):
        print(f"{number}. {output.kind} {safe(without_key(output.url))}".rstrip())
