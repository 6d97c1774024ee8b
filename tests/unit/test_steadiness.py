"""What is old goes by no clock that has just jumped."""

from datetime import UTC, datetime, timedelta

from supervisor.steadiness import Steadiness

HOUR_S = 3600.0


class Set:
    """A clock that people set."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.shown = datetime(2026, 11, 30, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.passed

    def now(self) -> datetime:
        return self.shown

    async def sleep(self, seconds: float) -> None:
        self.passed += seconds
        self.shown += timedelta(seconds=seconds)


async def test_a_clock_that_jumped_decides_nothing_for_a_day() -> None:
    clock = Set()
    steadiness = Steadiness(clock)
    await clock.sleep(40 * 24 * HOUR_S)
    assert steadiness.is_steady(), "so long nobody asked"
    clock.shown += timedelta(hours=9)
    assert steadiness.is_steady(), "a laptop slept"
    for years in (1, -1):
        clock.shown += timedelta(days=365 * years)
        assert not steadiness.is_steady()
        await clock.sleep(23 * HOUR_S)
        assert not steadiness.is_steady()
    await clock.sleep(2 * HOUR_S)
    assert steadiness.is_steady()
