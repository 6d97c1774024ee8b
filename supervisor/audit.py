"""The audit log: one row for every call that changes something, done or refused, written by one task."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog

from db.errors import StoreError
from db.store import Store
from supervisor.clock import Clock
from supervisor.principal import Principal
from supervisor.schemas.audit import Outcome

QUEUE: Final = 1000
"""Rows that may wait for the database. Each is in the process' log from the start, so that none is lost unseen."""
WAIT_S: Final = 0.1
"""An answer waits this long for its row: a database that is slow must not slow a take."""
SETTLE_S: Final = 2.0
"""Who reads the log waits this long for what is on its way to it: nobody at a key does."""
_RETRY_S: Final = 1.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """``detail`` holds no secret and no whole body: names, revs and the reason of a refusal."""

    at: datetime
    principal: str
    origin: str
    action: str
    target: str
    outcome: Outcome
    detail: Mapping[str, Any]


class AuditLog:
    """``add`` and ``record`` hand a row over; ``run`` writes them in order, again and again while the store is away."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: asyncio.Queue[tuple[AuditEntry, asyncio.Future[None]] | None] = asyncio.Queue(QUEUE)
        self._newest: asyncio.Future[None] | None = None

    async def record(
        self,
        principal: Principal | None,
        action: str,
        target: str,
        outcome: Outcome,
        *,
        origin: str = "",
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Returns when the row is in the database, or after ``WAIT_S`` while it still waits for it."""
        written = self.add(principal, action, target, outcome, origin=origin, detail=detail)
        await asyncio.wait({written}, timeout=WAIT_S)

    def add(
        self,
        principal: Principal | None,
        action: str,
        target: str,
        outcome: Outcome,
        *,
        origin: str = "",
        detail: Mapping[str, Any] | None = None,
    ) -> asyncio.Future[None]:
        """Done once the row is in the database, or at once when too many wait: then it is in the process' log alone.

        Without a principal the row is ``nobody``'s, by the door ``origin``.
        """
        entry = AuditEntry(
            at=self._clock.now(),
            principal=principal.name if principal else "nobody",
            origin=principal.origin if principal else origin,
            action=action,
            target=target[:120],
            outcome=outcome,
            detail=detail or {},
        )
        log = _log.bind(principal=entry.principal, origin=entry.origin, action=action, target=entry.target)
        log.info("audit", outcome=outcome, detail=dict(entry.detail))
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            self._waiting.put_nowait((entry, written))
        except asyncio.QueueFull:
            log.critical("this audit row is in this log only: the database has been away too long")
            written.set_result(None)
        else:
            self._newest = written
        return written

    async def settled(self) -> None:
        """Returns when every row so far is in the database, or after ``SETTLE_S``: who reads then finds them."""
        if self._newest is not None:
            await asyncio.wait({self._newest}, timeout=SETTLE_S)

    async def run(self) -> None:
        """Writes until ``finish``."""
        while (waiting := await self._waiting.get()) is not None:
            entry, written = waiting
            while not await self._write(entry):
                await self._clock.sleep(_RETRY_S)
            if not written.done():
                written.set_result(None)

    def finish(self) -> None:
        """Nothing comes any more: ``run`` ends when it has written what waits."""
        try:
            self._waiting.put_nowait(None)
        except asyncio.QueueFull:
            _log.error("audit rows are in this log only: the database has been away too long")

    async def _write(self, entry: AuditEntry) -> bool:
        try:
            async with self._store.write() as tx:
                await tx.audit.add(
                    entry.at,
                    entry.principal,
                    entry.origin,
                    entry.action,
                    entry.target,
                    entry.outcome,
                    dict(entry.detail),
                )
        except StoreError as error:
            _log.warning("audit row waits for the database", action=entry.action, error=str(error))
            return False
        return True
