"""Takes away what is older than the station keeps it: the leader's work, in steps so small that nobody waits."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import structlog

from db.errors import NotLeader, StoreError
from db.repositories.as_run import RunKey
from db.repositories.events import MOST_AT_ONCE
from db.repositories.leader import Fence
from db.repositories.retention import AT_ONCE
from db.store import Store
from db.transaction import Transaction
from sidecar.protocol.asrun import chain_hash
from supervisor.clock import Clock
from supervisor.kept import Kept
from supervisor.steadiness import Steadiness

log = structlog.get_logger(__name__)

EVENTS_KEPT: Final = 200_000
"""However young they are."""
_EVERY_S: Final = 600.0
_PAUSE_S: Final = 0.2
"""Between two steps, for whoever else wants to write."""
_STEP_S: Final = 5.0
_STEPS: Final = 200
"""Of one kind in one round; the next round goes on."""
_RUNS: Final = 20
_CLOCKS: Final = timedelta(hours=1)
"""By how much our clock may be ahead of the database's, which refuses what is too young by its own."""

Step = Callable[[Transaction], Awaitable[int]]


class RetentionJob:
    """``fence`` answers None while another supervisor leads, and then nothing is done here."""

    def __init__(self, store: Store, clock: Clock, kept: Kept, fence: Callable[[], Fence | None]) -> None:
        self._store = store
        self._clock = clock
        self._kept = kept
        self._fence = fence
        self._steadiness = Steadiness(clock)

    async def run(self) -> None:
        """Every ten minutes, until cancelled."""
        while True:
            await self._clock.sleep(_EVERY_S)
            try:
                await self.round()
            except NotLeader:
                continue

    async def round(self) -> None:
        """Once over everything; what cannot be taken away of one kind keeps no other, and nothing goes by a clock that
        jumped. Raises NotLeader when another leads meanwhile."""
        if not self._steadiness.is_steady():
            return
        before = self._before(self._kept.history) or datetime(1970, 1, 1, tzinfo=UTC)
        await self._try(
            "history", self._steps("history", lambda tx: tx.events.prune(before, EVENTS_KEPT), MOST_AT_ONCE)
        )
        if until := self._before(self._kept.alarms):
            await self._try("alarms", self._steps("alarms", lambda tx: tx.retention.alarms(until)))
        if since := self._before(self._kept.audit):
            await self._try("audit", self._steps("audit", lambda tx: tx.retention.audit(since - _CLOCKS)))
        if ended := self._before(self._kept.asrun):
            await self._try("as-run", self._runs(ended))

    async def _try(self, what: str, work: Awaitable[None]) -> None:
        """Raises NotLeader."""
        try:
            await work
        except NotLeader:
            raise
        except StoreError as error:
            log.warning("what is older than it is kept could not be taken away", of=what, why=str(error))

    async def _runs(self, ended: datetime) -> None:
        async with self._store.read(timeout=_STEP_S) as tx:
            runs = await tx.retention.old_runs(ended, _RUNS)
        for run in runs:
            await self._steps("as-run", partial(_take_run, run))

    async def _steps(self, what: str, step: Step, full: int = AT_ONCE) -> None:
        gone = 0
        for _ in range(_STEPS):
            fence = self._fence()
            if fence is None:
                return
            async with self._store.write(timeout=_STEP_S) as tx:
                await tx.leader.require(fence)
                went = await step(tx)
            gone += went
            if went < full:
                break
            await self._clock.sleep(_PAUSE_S)
        if gone:
            log.info("what is older than it is kept was taken away", of=what, rows=gone)

    def _before(self, days: int) -> datetime | None:
        return self._clock.now() - timedelta(days=days) if days else None


async def _take_run(run: RunKey, tx: Transaction) -> int:
    return await tx.retention.run(run, lambda line: chain_hash(line.encode() + b"\n"))
