"""Nonces and the lease: time is counted from when this process answered a status, never from when an order arrived.

An order that was delayed, by however much, can so never give more time than it should.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

GOOD_FOR_S = 6.0
_MOST_KEPT = 1024


def boot_seconds() -> float:
    """Seconds since the machine started, those that it slept included: what ``time.monotonic`` leaves out on Linux, and
    the others' clocks do not."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Nonces:
    """``now`` is monotonic seconds, see ``boot_seconds``."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._issued: OrderedDict[str, float] = OrderedDict()

    def issue(self) -> str:
        now = self._now()
        while self._issued:
            oldest = next(iter(self._issued.values()))
            if now - oldest < GOOD_FOR_S and len(self._issued) < _MOST_KEPT:
                break
            self._issued.popitem(last=False)
        nonce = secrets.token_hex(16)
        self._issued[nonce] = now
        return nonce

    def redeem(self, nonce: str) -> float | None:
        """When it was issued; None when it is older than 6 s, was redeemed before, or is not one of ours."""
        issued = self._issued.pop(nonce, None)
        return issued if issued is not None and self._now() - issued < GOOD_FOR_S else None


class Lease:
    """Until when outputs that need one may send. None was given before the first arm or extension."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._until: float | None = None

    def extend(self, issued: float, seconds: float) -> None:
        """To ``issued`` + ``seconds``; never shortens."""
        until = issued + seconds
        self._until = until if self._until is None else max(self._until, until)

    def left_s(self) -> float:
        """Seconds; 0 when it is over or none was given. From any thread."""
        until = self._until
        return 0.0 if until is None else max(0.0, until - self._now())

    def left_ms(self) -> int | None:
        return None if self._until is None else int(self.left_s() * 1000)
