"""What comes to a door and is no HTTP: said once, and then how often in a minute."""

import logging
from typing import Final

import structlog

EACH_S: Final = 60.0
"""Seconds in which the same is said once at most."""
_TLS: Final = b"\x16\x03"
"""How a TLS handshake begins: a record of it, of any version (RFC 8446, 5.1)."""
_UVICORN: Final = "Invalid HTTP request received."

_log = structlog.get_logger(__name__)


class Unreadable:
    """Of one server. Whoever calls every half second, for days, does not fill the log."""

    def __init__(self) -> None:
        self._said_at: dict[bool, float] = {}
        self._since: dict[bool, int] = {}

    def came(self, first: bytes, address: str | None, now_s: float) -> None:
        """``first``: what the connection began with. ``address``: whose; None by a unix socket."""
        by_tls = first.startswith(_TLS)
        said_at = self._said_at.get(by_tls)
        if said_at is not None and now_s - said_at < EACH_S:
            self._since[by_tls] = self._since.get(by_tls, 0) + 1
            return
        more = self._since.pop(by_tls, 0)
        self._said_at[by_tls] = now_s
        words = {} if address is None else {"by": address}
        words |= {"more_before": more} if more else {}
        if by_tls:
            _log.warning("somebody speaks TLS to a door in the clear: it is called by http://", **words)
        else:
            _log.warning("what came is no HTTP", **words)


def is_news(record: logging.LogRecord) -> bool:
    """A filter of uvicorn's log: what is said here, with who and how often, is not said there each time."""
    return record.msg != _UVICORN
