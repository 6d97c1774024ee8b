"""HTTP to a host whose addresses are judged when it is looked up: a name that points elsewhere later leads nowhere."""

import ssl

import httpx

from supervisor.agent.whereabouts import Whereabouts
from supervisor.reach import Address


class JudgedTransport(httpx.AsyncBaseTransport):
    """For one host; ``whereabouts`` are its owner's to close. ``context`` judges certificates; those that this
    machine's authorities know are taken without."""

    def __init__(self, whereabouts: Whereabouts, limits: httpx.Limits, context: ssl.SSLContext | None = None) -> None:
        self._whereabouts = whereabouts
        verify = True if context is None else context
        self._http = httpx.AsyncHTTPTransport(verify=verify, limits=limits, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises httpx.ConnectError also where no address may be called."""
        *others, last = await self._whereabouts.addresses(request.url)
        for address in others:
            try:
                return await self._sent(request, address)
            except httpx.ConnectError:
                continue
        return await self._sent(request, last)

    async def _sent(self, request: httpx.Request, address: Address) -> httpx.Response:
        try:
            answer = await self._http.handle_async_request(_at(request, address))
        except BaseException:  # also cancelled by the deadline: the machine may be elsewhere by now
            self._whereabouts.doubt(request.url)
            raise
        self._whereabouts.reached(address)
        return answer

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
