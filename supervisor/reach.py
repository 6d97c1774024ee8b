"""Where what people name may lead: the hosts of outputs, live inputs, recorders, nodes and CasparCG servers.

Broadcast networks are private ones, so that these are open unless ``MCR_REACH`` says which hosts are meant. Link-local
addresses and those where a cloud's metadata service answers, with secrets, are refused unless it names them.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import parse_qs, urlsplit

from supervisor.errors import Invalid

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_GUARDED: Final[Sequence[Network]] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "169.254.0.0/16", "fe80::/10",  # link-local: the metadata service of most clouds, and unconfigured machines
        "fd00:ec2::254/128",  # the same service of Amazon by IPv6
        "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32",  # of Alibaba, Azure, Oracle
    )
)  # fmt: skip
_GUARDED_NAMES: Final = frozenset(
    {"metadata", "metadata.google.internal", "instance-data", "instance-data.ec2.internal"}
)
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_LABEL: Final = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*", re.ASCII)
_LONGEST: Final = 253
_HINT: Final = "If it is meant, name it in MCR_REACH where the supervisor runs: docs/security.md."


@dataclass(frozen=True, slots=True)
class Reach:
    """Everything but what is guarded, or what ``MCR_REACH`` says."""

    everything: bool = True
    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, setting: str) -> "Reach":
        """``*``, names, ``*.names``, addresses and networks, separated by commas. Raises Invalid."""
        entries = [entry.strip().lower() for entry in setting.split(",") if entry.strip()]
        names, networks = set[str](), list[Network]()
        for entry in entries:
            if entry == "*":
                continue
            try:
                networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                if _NAME.fullmatch(entry.removeprefix("*.")) is None or _is_odd_number(entry):
                    raise Invalid(
                        f"MCR_REACH has {entry[:80]!r}, which is no host and no network",
                        hint="Write it as 10.0.0.0/8,*.example.com,cdn.example; * is everything.",
                    ) from None
                names.add(entry)
        return cls(not entries or "*" in entries, frozenset(names), tuple(networks))

    def require(self, host: str, what: str) -> None:
        """Raises Invalid unless ``host``, a name or an address, may be named for ``what`` ("an output")."""
        name = host.strip("[]").rstrip(".").lower()
        literal = address_in(name)
        if literal is not None:
            self._require_address(literal, host, what)
        elif len(name) > _LONGEST or _NAME.fullmatch(name) is None:
            raise Invalid(f"{host[:60]!r} is no host that there can be", hint="Give a name, or an address.")
        elif _is_odd_number(name):
            raise Invalid(
                f"{host[:60]!r} is another writing of an address", hint="Write it as four numbers, such as 10.0.0.7."
            )
        elif name in _GUARDED_NAMES and name not in self.names:
            raise Invalid(f"{host[:60]!r} is a cloud's metadata service, and not where {what} leads", hint=_HINT)
        elif not (self.everything or self._has_name(name)):
            raise Invalid(f"MCR_REACH does not allow {what} to lead to {host[:60]!r}", hint=_HINT)

    def require_url(self, url: str, what: str) -> None:
        """As ``require``, of the url's host. What only listens leads nowhere: only SRT says so by ``mode``."""
        parts = urlsplit(url)
        listens = parts.scheme == "srt" and parse_qs(parts.query).get("mode") == ["listener"]
        if not parts.hostname or listens:
            return
        literal = address_in(parts.hostname)
        if literal is None or not literal.is_unspecified:
            self.require(parts.hostname, what)

    def open_of(self, found: Iterable[Address]) -> tuple[Address, ...]:
        """Of what a name leads to, the addresses that may be called."""
        return tuple(address for address in found if not self._is_guarded(plain(address)))

    def _require_address(self, literal: Address, host: str, what: str) -> None:
        address = plain(literal)
        if self._is_guarded(address):
            raise Invalid(
                f"{host[:60]!r} is link-local or a cloud's metadata service, and not where {what} leads", hint=_HINT
            )
        if not self.everything and not any(_holds(network, address) for network in self.networks):
            raise Invalid(f"MCR_REACH does not allow {what} to lead to {host[:60]!r}", hint=_HINT)

    def _is_guarded(self, address: Address) -> bool:
        """A network that is wider than what is guarded does not open it."""
        for guarded in _GUARDED:
            if _holds(guarded, address):
                named = (one for one in self.networks if _holds(one, address))
                return not any(one.prefixlen >= guarded.prefixlen for one in named)
        return False

    def _has_name(self, name: str) -> bool:
        return name in self.names or any(name.endswith(one[1:]) for one in self.names if one.startswith("*."))


EVERYWHERE: Final = Reach()


def address_in(text: str) -> Address | None:
    """The address that ``text`` is, without its zone; None for a name."""
    try:
        bare = text.strip("[]")
        return ipaddress.ip_address(bare.partition("%")[0] if ":" in bare else bare)
    except ValueError:
        return None


def plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to by mapping, 6to4, Teredo or NAT64; else the same."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    return inner or address


def _holds(network: Network, address: Address) -> bool:
    return network.version == address.version and address in network


def _is_odd_number(name: str) -> bool:
    """``2852039166``, ``0xa9fea9fe``, ``169.254.43518``: addresses for the system's look-up alone (inet_aton(3))."""
    try:
        socket.inet_aton(name)
    except (OSError, UnicodeError):
        return False
    return address_in(name) is None
