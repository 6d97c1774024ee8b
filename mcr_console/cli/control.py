"""``--take-over``: a command of the shell where another operator has control of the channel."""

from typing import Annotated

import typer

from mcr_console.client import Client, new_command_id
from mcr_console.hands import station
from supervisor.schemas.channel import Channel
from supervisor.schemas.control import LEASE_S

TakeOver = Annotated[
    bool,
    typer.Option(
        "--take-over",
        help=f"Take control over from another operator, who is told; it lapses {LEASE_S:.0f} s later by itself.",
    ),
]


async def take_over(client: Client, channel: Channel, *, asked: bool) -> None:
    """Where it is ``asked`` for, the commands that follow are those of a session that has control. Else nothing.

    A command without a session is done where nobody has control, or this operator at a console.
    """
    if asked:
        client.sit(new_command_id(), station())
        await client.take_control(channel.id, over=True)
