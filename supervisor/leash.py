"""The leash: an inherited descriptor whose other end closes when whoever started this is gone."""

import asyncio
import os
import select

from supervisor.errors import Invalid


async def leash_let_go(descriptor: int) -> None:
    """Returns when the other end is closed. Raises Invalid for a descriptor that cannot tell.

    The descriptor is shared with sidecars, so it stays blocking and is only ever looked at.
    """
    loop = asyncio.get_running_loop()
    let_go = asyncio.Event()
    poll = select.poll()

    def look() -> None:
        for _, events in poll.poll(0):
            if events & (select.POLLHUP | select.POLLERR | select.POLLNVAL):
                let_go.set()
            elif events & select.POLLIN and not os.read(descriptor, 4096):
                let_go.set()  # a socket's end of file

    try:
        poll.register(descriptor, select.POLLIN)
        loop.add_reader(descriptor, look)
    except (OSError, ValueError) as error:
        raise Invalid(
            f"--leash-fd {descriptor} cannot be watched: {error}", hint="Hand over the reading end of a pipe."
        ) from error
    try:
        await let_go.wait()
    finally:
        loop.remove_reader(descriptor)
