"""Nonces and the lease: time is counted from when this process answered a status, never from when an order arrived.

An order that was delayed, by however much, can so never give more time than it should.
"""

import secrets
from collections import OrderedDict
from collections.abc import Callable

GOOD_FOR_S = 6.0
_MOST_KEPT = 1024


class Nonces:
    """``now`` is monotonic seconds."""

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

    def is_live(self) -> bool:
        """From any thread."""
        until = self._until
        return until is not None and self._now() < until

    def left_ms(self) -> int | None:
        until = self._until
        return None if until is None else max(0, int((until - self._now()) * 1000))
