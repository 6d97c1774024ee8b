"""``mcr channel hold-failover`` and ``release-failover``: an operator's veto."""

from typing import Annotated

import typer

from mcr_console.cli.commands import Sure, confirm, with_supervisor
from mcr_console.cli.naming import channel_named
from mcr_console.client import Client
from mcr_console.safe_text import safe
from supervisor.schemas.channel import Channel

Named = Annotated[str, typer.Argument(metavar="CHANNEL", help="Number or name.")]


def hold_failover(named: Named, yes: Sure = False) -> None:
    """Veto that a channel is moved to another node, whatever becomes of its own. Asks first."""

    async def run(client: Client) -> Channel:
        channel = await channel_named(client, named)
        if not channel.hold_failover:
            confirm(
                f"Hold failover of {channel.number} {channel.name}? If its node is lost it stays OFF AIR until that "
                "node is back or the hold is released.",
                yes=yes,
            )
        return await client.hold_failover(channel.id, held=True)

    print(failover_line(with_supervisor(run)))


def release_failover(named: Named) -> None:
    """Take the veto back: the channel may be moved again, at once if there is cause."""

    async def run(client: Client) -> Channel:
        return await client.hold_failover((await channel_named(client, named)).id, held=False)

    print(failover_line(with_supervisor(run)))


def failover_line(channel: Channel) -> str:
    """Whether the channel may be moved, and who says that it may not."""
    who = f"{channel.number} {safe(channel.name)}"
    if channel.hold_failover:
        return f"{who}: failover is held by {safe(channel.hold_failover_by or 'somebody')}; it is not moved"
    return f"{who}: may be moved to another node"
