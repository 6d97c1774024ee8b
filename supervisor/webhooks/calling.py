"""One call of a receiver: a signed POST to a judged address, with a deadline, without redirects."""

import asyncio
import ssl
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

import httpx

from supervisor.errors import Invalid, Unavailable
from supervisor.threads import Threads
from supervisor.version import program_version
from supervisor.webhooks.addresses import Allowed, NotAllowed, Receiver, address_of, receiver_of
from supervisor.webhooks.signature import headers

CALL_S: Final = 10.0
"""For all of it: the look-up, the connection and the answer's head."""
_CONNECT_S: Final = 5.0


class NotTaken(Exception):
    """The receiver does not have it, as far as anybody knows. The text says why, without anything secret."""


class Caller:
    """``ca``: certificates of one's own; else those that the machine trusts."""

    def __init__(self, allowed: Allowed, now: Callable[[], datetime], ca: Path | None = None) -> None:
        self.allowed: Final = allowed
        self._now = now
        self._ca = ca
        self._tls: ssl.SSLContext | None = None
        self._lookups = Threads("webhook look-ups", places=4)

    async def call(self, url: str, secret: str, fact_id: str, body: str) -> int:
        """The status of an answer that says that it was taken (2xx). Raises NotTaken."""
        try:
            receiver = receiver_of(url, self.allowed)
        except Invalid as error:
            raise NotTaken(error.detail) from None
        try:
            async with asyncio.timeout(CALL_S):
                status = await self._post(receiver, secret, fact_id, body.encode())
        except NotAllowed as error:
            raise NotTaken(str(error)) from None
        except TimeoutError:
            raise NotTaken(f"{receiver.shown} did not answer within {CALL_S:.0f} s") from None
        except Unavailable as error:
            raise NotTaken(f"{receiver.shown}: {error.detail}") from None
        except (OSError, httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise NotTaken(f"{receiver.shown}: {_said(error)}") from None
        if not 200 <= status < 300:
            redirects = " (redirects are not followed)" if 300 <= status < 400 else ""
            raise NotTaken(f"{receiver.shown} answered {status}{redirects}")
        return status

    async def _post(self, receiver: Receiver, secret: str, fact_id: str, body: bytes) -> int:
        address = await address_of(receiver, self._lookups)
        timestamp = int(self._now().timestamp())
        request = httpx.Request(
            "POST",
            receiver.url_at(address),
            content=body,
            headers={
                "Host": receiver.host_header,
                "Content-Type": "application/json",
                "User-Agent": f"mcr-console/{program_version()}",
                **headers(secret, fact_id, timestamp, body),
            },
            extensions={
                # The certificate is to be the host's, whatever address it was found at.
                "sni_hostname": receiver.host,
                "timeout": httpx.Timeout(CALL_S, connect=_CONNECT_S).as_dict(),
            },
        )
        # A connection of its own: kept ones are known by address, and two hosts may have the same.
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=0)
        tls = await self._context() if receiver.scheme == "https" else False
        async with httpx.AsyncHTTPTransport(verify=tls, limits=limits, trust_env=False) as transport:
            answer = await transport.handle_async_request(request)
            try:
                return answer.status_code
            finally:
                await answer.aclose()  # of its body nothing is read

    async def _context(self) -> ssl.SSLContext:
        """Made once, not in the loop: reading the machine's certificates takes its time."""
        if self._tls is None:
            cafile = None if self._ca is None else str(self._ca)
            self._tls = await self._lookups.run(CALL_S, ssl.create_default_context, cafile=cafile)
        return self._tls


def _said(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:300]
