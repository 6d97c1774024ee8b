"""``mcr move``, ``mcr channel hold-failover`` and ``release-failover``: a person's move of a channel, and the veto."""

from typing import Annotated

import typer

from mcr_console.cli.commands import Sure, confirm, with_supervisor
from mcr_console.cli.control import TakeOver, take_over
from mcr_console.cli.failures import Failure
from mcr_console.cli.naming import channel_named, node_named
from mcr_console.cli.progress import poll, waiting
from mcr_console.cli.wording import channel_line, is_settled_on_air, state_words
from mcr_console.client import Client
from mcr_console.safe_text import safe
from supervisor.schemas.channel import Channel, MoveIn
from supervisor.schemas.explanation import Placement

Named = Annotated[str, typer.Argument(metavar="CHANNEL", help="Number or name.")]
MOVE_S = 30.0


def move(
    named: Named,
    to: Annotated[str | None, typer.Option("--to", metavar="NODE", help="The best one if left out.")] = None,
    yes: Sure = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is on air there.")] = True,
    over: TakeOver = False,
) -> None:
    """Move one channel to another node. The new one gets ready before the old one ends. Asks first."""

    async def run(client: Client) -> Channel:
        channel = await channel_named(client, named)
        wanted = None if to is None else (await node_named(client, to)).id
        placement = await client.placement(channel.id)
        target, who = wanted or placement.target_id, f"{channel.number} {channel.name}"
        if target is None:
            raise Failure(f"{who} is not moved", placement.why_not, placement.hint)
        confirm(f"Move {who} off {channel.live.node_name} to {node_name(placement, target)}?", yes=yes)
        await take_over(client, channel, asked=over)
        values = MoveIn(node_id=target, expect_epoch=channel.live.epoch)
        begun = await client.move(channel.id, values)
        if not wait:
            return begun
        async with waiting(f"moving {who}"):

            async def there() -> Channel | None:
                seen = await client.channel(channel.id)
                moved = seen.live.epoch >= begun.live.epoch and seen.live.phase == "running"
                return seen if moved and is_settled_on_air(seen.live) else None

            seen = await poll(there, deadline_s=MOVE_S, every_s=0.2)
        if seen is None:
            now = await client.channel(channel.id)
            why = f"{state_words(now)}. {now.live.decision}"
            raise Failure(f"{who} is not on air there yet", why, f"mcr explain {channel.number} says more.")
        return seen

    print(channel_line(with_supervisor(run)))


def node_name(placement: Placement, node_id: str) -> str:
    """Of a node that the placement knows, for people."""
    return next((it.node_name for it in placement.candidates if it.node_id == node_id), node_id)


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
