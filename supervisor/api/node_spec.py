"""What a node's url may be: where its agent listens, and nothing that a supervisor could be tricked into calling."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from supervisor.api.authentication import is_loopback
from supervisor.errors import Invalid
from supervisor.reach import EVERYWHERE, Reach

_AGENT_HINT: Final = "Write https://: mcr agent speaks TLS beyond loopback. --insecure-http is for one that does not."
_HINT: Final = "Write http://host:port or https://host:port, as mcr agent says when it starts."


def check_node_url(url: str, reach: Reach = EVERYWHERE) -> str:
    """The url without a slash at its end. Raises Invalid, also for a host that ``reach`` does not allow."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Invalid(f"the node's url cannot be read: {error}", hint=_HINT) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise Invalid(f"{url!r} is not where an agent can be reached", hint=_HINT)
    # Neither urlsplit().query nor .fragment tells an empty one, as in "http://host?", from none.
    if parts.username is not None or parts.path not in {"", "/"} or "?" in url or "#" in url:
        raise Invalid("a node's url has a host and a port, and nothing else", hint=_HINT)
    reach.require(parts.hostname, "a node")
    try:
        address = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return url.rstrip("/")
    if address.is_multicast or address.is_unspecified:
        raise Invalid(f"no agent can listen at {address}", hint=_HINT)
    return url.rstrip("/")


def check_encrypted(url: str, *, insecure_http: bool) -> None:
    """Raises Invalid for what would be said in the clear to another machine, and is not meant to be."""
    parts = urlsplit(url)
    if parts.scheme == "http" and not insecure_http and not is_loopback(parts.hostname or ""):
        raise Invalid(f"what is said to {url} could be read on the way, stream keys too", hint=_AGENT_HINT)
