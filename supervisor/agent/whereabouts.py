"""Where an agent's host is: a name server that does not answer holds up no call to a host that was reached before."""

import asyncio
import socket
from typing import Final

import httpx

from supervisor.errors import Unavailable
from supervisor.reach import Address, Reach, address_in
from supervisor.threads import Threads

_LOOK_UP_S: Final = 30.0
"""A resolver asks its second server after five seconds. Nobody waits that long: a call has a deadline of its own."""


class Whereabouts:
    """Of one host, and of one event loop. It is looked up anew after whatever went wrong, beside the calls, which go on
    to where it was reached last; one look-up at a time, on a thread of its own. Close it when it is done with."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._lookups = Threads("look-ups of an agent's host", places=1)
        self._known: tuple[Address, ...] = ()
        """Those that may be called, as they were looked up last, or the one that answered since."""
        self._in_doubt = False
        self._why = ""
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    async def addresses(self, url: httpx.URL) -> tuple[Address, ...]:
        """Those that may be called. Raises httpx.ConnectError where there is none."""
        literal = address_in(url.host)
        if literal is not None:
            known = self._reach.open_of((literal,))
            if not known:
                raise _nowhere(url.host)
            return known
        if not self._known and not self._closed:
            # It goes on where whoever waits gives up: the next one joins it.
            await asyncio.wait((self._look_up(url),))
        if not self._known:
            raise httpx.ConnectError("the connection was closed" if self._closed else self._why)
        return self._known

    def reached(self, address: Address) -> None:
        """That one answered: until something goes wrong it alone is called."""
        self._known, self._in_doubt = (address,), False

    def doubt(self, url: httpx.URL) -> None:
        """A call failed, or was not answered in time: the host may be elsewhere by now."""
        if address_in(url.host) is None and not self._closed:
            self._in_doubt = True
            self._look_up(url)

    async def close(self) -> None:
        self._closed = True
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait((self._looking,))

    def _look_up(self, url: httpx.URL) -> asyncio.Task[None]:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look(url), name=f"looking up {url.host}")
        return self._looking

    async def _look(self, url: httpx.URL) -> None:
        port = url.port or {"https": 443}.get(url.scheme, 80)
        try:
            found = await self._lookups.run(_LOOK_UP_S, socket.getaddrinfo, url.host, port, type=socket.SOCK_STREAM)
        except (TimeoutError, Unavailable):
            self._why = f"{url.host}: no name server answers"
            return
        except (OSError, UnicodeError) as error:
            self._why = f"{url.host}: {error}"
            return
        if self._known and not self._in_doubt:
            return  # it answered meanwhile
        addresses = (address_in(str(place[0])) for *_, place in found)
        self._known = self._reach.open_of(dict.fromkeys(one for one in addresses if one is not None))
        self._why = str(_nowhere(url.host))


def _nowhere(host: str) -> httpx.ConnectError:
    return httpx.ConnectError(f"{host} leads to link-local addresses alone, which MCR_REACH does not allow")
