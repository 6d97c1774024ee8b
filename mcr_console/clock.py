"""Where the console gets its time from, so that tests can hold it still."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """``monotonic`` in seconds for ages and deadlines; ``now`` in UTC; ``local`` in the operator's own zone."""

    def monotonic(self) -> float: ...
    def now(self) -> datetime: ...
    def local(self, instant: datetime) -> datetime: ...


class SystemClock:
    """The machine's clocks and its time zone."""

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def local(self, instant: datetime) -> datetime:
        return instant.astimezone()
