"""``udp://host:port[?ttl=1..255&localaddr=address]`` as a value."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class UdpAddress:
    """``ttl`` also counts for multicast; ``local`` is the address of the interface to send from."""

    host: str
    port: int
    ttl: int | None = None
    local: str | None = None


def parse_udp_url(url: str) -> UdpAddress:
    """Raises ValueError with what is wrong."""
    parts = urlsplit(url)
    if parts.scheme != "udp" or not parts.hostname or parts.path not in ("", "/") or parts.username is not None:
        raise ValueError(f"not an address of UDP: {url!r}; write udp://host:port")
    if parts.port is None or parts.port == 0:
        raise ValueError(f"no port in {url!r}")
    ttl, local = None, None
    for name, value in parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)):
        if name == "ttl":
            if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= 255:
                raise ValueError(f"ttl is 1 to 255, not {value!r}")
            ttl = int(value)
        elif name == "localaddr":
            local = str(ipaddress.ip_address(value))
        else:
            raise ValueError(f"unknown option {name!r} in {url!r}; there are ttl and localaddr")
    return UdpAddress(parts.hostname, parts.port, ttl, local)
