"""What a node's url may be: where its agent listens, and nothing that a supervisor could be tricked into calling."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from supervisor.errors import Invalid

_HINT: Final = "Write http://host:port or https://host:port, as mcr agent says when it starts."


def check_node_url(url: str) -> str:
    """The url without a slash at its end. Raises Invalid.

    Link-local addresses are refused: a cloud's metadata service answers there, with secrets.
    """
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
    try:
        address = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return url.rstrip("/")
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        raise Invalid(f"no agent can listen at {address}", hint=_HINT)
    return url.rstrip("/")
