"""Wrong tokens, counted by the address that they come from. A right one is never counted and never refused."""

import ipaddress
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

FREE: Final = 10
"""Calls of nobody within ``WINDOW_S`` that are answered each by itself; those beyond are told to wait."""
WINDOW_S: Final = 60.0
ADDRESSES: Final = 4096
"""That are remembered; the one that was silent longest is forgotten first."""


class Throttle:
    """``monotonic`` in seconds. An IPv6 network of 64 bits counts as one address: one machine has all of it."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()

    def failed(self, address: str) -> float | None:
        """One more call of nobody from there. Seconds to wait where there were too many, else None."""
        key, now = _source(address), self._now()
        times = self._failed.setdefault(key, deque(maxlen=FREE + 1))
        self._failed.move_to_end(key)
        while times and now - times[0] >= WINDOW_S:
            times.popleft()
        times.append(now)
        if len(self._failed) > ADDRESSES:
            self._failed.popitem(last=False)
        return WINDOW_S - (now - times[0]) if len(times) > FREE else None


def _source(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
