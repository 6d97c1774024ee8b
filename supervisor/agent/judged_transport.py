"""HTTP to a host whose addresses are judged when it is looked up: a name that points elsewhere later leads nowhere."""

import asyncio
import socket
import ssl
from typing import Final

import httpx

from supervisor.reach import Address, Reach, address_in

_LOOK_UP_S: Final = 1.0
"""After which, while a name server does not answer, the address that was good last is tried again."""


class JudgedTransport(httpx.AsyncBaseTransport):
    """For one host. It is looked up anew after whatever went wrong, and not while its connection holds. ``context``
    judges certificates; those that this machine's authorities know are taken without."""

    def __init__(self, reach: Reach, limits: httpx.Limits, context: ssl.SSLContext | None = None) -> None:
        self._reach = reach
        verify = True if context is None else context
        self._http = httpx.AsyncHTTPTransport(verify=verify, limits=limits, trust_env=False)
        self._good: Address | None = None
        self._is_fresh = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises httpx.ConnectError also where no address may be called."""
        addresses = await self._addresses(request.url)
        for address in addresses:
            try:
                answer = await self._http.handle_async_request(_at(request, address))
            except httpx.ConnectError:
                self._is_fresh = False
                if address is addresses[-1]:
                    raise
            except BaseException:  # also cancelled by the deadline: the machine may be elsewhere by now
                self._is_fresh = False
                raise
            else:
                self._good, self._is_fresh = address, True
                return answer
        raise httpx.ConnectError(
            f"{request.url.host} leads to link-local addresses alone, which MCR_REACH does not allow"
        )

    async def _addresses(self, url: httpx.URL) -> tuple[Address, ...]:
        """Those that may be called, the good one first. Raises httpx.ConnectError."""
        literal = address_in(url.host)
        if literal is not None:
            return self._reach.open_of((literal,))
        if self._is_fresh and self._good is not None:
            return (self._good,)
        try:
            async with asyncio.timeout(None if self._good is None else _LOOK_UP_S):
                found = await asyncio.get_running_loop().getaddrinfo(
                    url.host, url.port or {"https": 443}.get(url.scheme, 80), type=socket.SOCK_STREAM
                )
        except (OSError, UnicodeError, TimeoutError) as error:
            if self._good is not None:
                return (self._good,)
            raise httpx.ConnectError(f"{url.host}: {error}") from error
        addresses = (address_in(str(place[0])) for *_, place in found)
        return self._reach.open_of(dict.fromkeys(one for one in addresses if one is not None))

    async def aclose(self) -> None:
        await self._http.aclose()


def _at(request: httpx.Request, address: Address) -> httpx.Request:
    """The same to that address; its Host header, and the name in a certificate, stay the host's."""
    host = str(address)
    if host == request.url.host:
        return request
    extensions = {**request.extensions, "sni_hostname": request.url.host}
    return httpx.Request(
        request.method, request.url.copy_with(host=host), headers=request.headers, stream=request.stream,
        extensions=extensions,
    )  # fmt: skip
