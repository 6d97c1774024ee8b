"""Where calls may go: https to the public network, and further only to hosts that whoever runs the machine allowed.

A name is looked up for every call, all of its addresses are judged, and the call goes to one that was judged: a name
that points elsewhere a moment later leads nowhere.
"""

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

from supervisor.errors import Invalid
from supervisor.threads import Threads

LOOK_UP_S: Final = 5.0
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_PORTS: Final = {"https": 443, "http": 80}


class NotAllowed(Exception):
    """The call is not made. The text says why, without anything secret."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Hosts by ``MCR_WEBHOOK_HOSTS``: names, ``*.names`` and addresses."""

    hosts: frozenset[str]

    @classmethod
    def of(cls, setting: str) -> "Allowed":
        return cls(frozenset(one.strip().lower() for one in setting.split(",") if one.strip()))

    def has(self, host: str) -> bool:
        name = host.lower().strip("[]")
        return name in self.hosts or any(name.endswith(one[1:]) for one in self.hosts if one.startswith("*."))


@dataclass(frozen=True, slots=True)
class Receiver:
    """A URL that was judged but for where its name leads. ``shown`` has no path, which may hold a secret."""

    scheme: str
    host: str
    port: int
    target: str
    """Path and query."""
    is_allowed: bool

    @property
    def shown(self) -> str:
        return f"{self.scheme}://{_bracketed(self.host)}:{self.port}"

    @property
    def host_header(self) -> str:
        return _bracketed(self.host) if self.port == _PORTS[self.scheme] else f"{_bracketed(self.host)}:{self.port}"

    def url_at(self, address: Address) -> str:
        return f"{self.scheme}://{_bracketed(str(address))}:{self.port}{self.target}"


def receiver_of(url: str, allowed: Allowed) -> Receiver:
    """Raises Invalid; what is wrong is said without the URL."""
    parts, port = _split(url)
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in _PORTS or not host:
        raise Invalid("a webhook goes to https://host/path", hint="Give a URL of that form.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Invalid(
            "the URL of a webhook has no user, no password and no fragment",
            hint="Its signature says who calls: docs/webhooks.md.",
        )
    known = allowed.has(host)
    if parts.scheme == "http" and not (known and _is_loopback(host)):
        raise Invalid(
            "a webhook goes by https; by http only to this machine's loopback, where MCR_WEBHOOK_HOSTS has it",
            hint="Give an https URL, or set MCR_WEBHOOK_HOSTS=127.0.0.1 where the supervisor runs.",
        )
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    found = Receiver(parts.scheme, host, port or _PORTS[parts.scheme], target, known)
    literal = _literal(host)
    if literal is not None:
        _judge(found, (literal,))
        return found
    try:
        host.encode("idna")
    except UnicodeError:
        raise Invalid(
            "the host of a webhook is no name: a part of it is empty or too long", hint="Is there a dot too many?"
        ) from None
    return found


async def address_of(receiver: Receiver, lookups: Threads) -> Address:
    """Where the call is to go now. Raises NotAllowed, and OSError, ValueError, TimeoutError and Unavailable of the
    look-up, which has threads of its own: name servers that do not answer hold up nothing else."""
    literal = _literal(receiver.host)
    if literal is not None:
        return literal
    found = await lookups.run(LOOK_UP_S, socket.getaddrinfo, receiver.host, receiver.port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(str(sockaddr[0]).partition("%")[0]) for *_, sockaddr in found]
    if not addresses:
        raise NotAllowed(f"{receiver.host} has no address")
    try:
        _judge(receiver, addresses)
    except Invalid as error:
        raise NotAllowed(error.detail) from None
    return addresses[0]


def _judge(receiver: Receiver, addresses: Iterable[Address]) -> None:
    for address in addresses:
        plain = (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address
        if receiver.scheme == "http" and not plain.is_loopback:
            raise Invalid(f"{receiver.host} is not this machine's loopback: a webhook goes there by https alone")
        if not receiver.is_allowed and (not plain.is_global or plain.is_multicast):
            raise Invalid(
                f"{receiver.host} is not on the public network, and MCR_WEBHOOK_HOSTS does not allow it",
                hint=f"Set MCR_WEBHOOK_HOSTS={receiver.host} where the supervisor runs, if it is meant.",
            )


def _split(url: str) -> tuple[SplitResult, int | None]:
    if not url.isascii() or not url.isprintable() or any(letter in url for letter in " \"'<>\\"):
        raise Invalid("the URL of a webhook is printable ASCII without blanks and quotes")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Invalid("the URL of a webhook cannot be read: is its port a number up to 65535?") from None
    if port == 0:
        raise Invalid("the port of a webhook is 1 to 65535")
    return parts, port


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    literal = _literal(host)
    return host.lower() == "localhost" if literal is None else literal.is_loopback


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
