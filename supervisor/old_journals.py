"""Has nodes take journals away that are older than the station keeps them there: the leader's word, run by run."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

import structlog

from db.models import AsRun, AsRunRun
from db.repositories.as_run import RunKey
from db.repositories.leader import Fence
from db.store import Store
from sidecar.protocol.asrun import TornLine, chain_hash, decode_line
from supervisor.agent.old_journals import WholeRun
from supervisor.agent.tidying import MOST_RUNS, CanTidy, JournalsOrder
from supervisor.clock import Clock
from supervisor.threads import Threads

log = structlog.get_logger(__name__)

_PAGE: Final = 1000
_STORE_S: Final = 10.0
_PAGE_S: Final = 20.0
_PAGES: Final = 200
"""Of records that one round reads, or those of one run; the next round goes on."""
_PAUSE_S: Final = 0.05
"""Between two pages, for whoever else wants the store."""
_REMEMBERED: Final = 10_000


class OldJournals:
    """``days`` 0 keeps them for ever.

    Only runs that the log has whole go: marked complete, every record there and following from the one before it, or
    taken out of the log for its age since. The node compares the end of its journal itself.
    """

    def __init__(self, store: Store, clock: Clock, days: int, fence: Callable[[], Fence | None]) -> None:
        self._store = store
        self._clock = clock
        self._days = days
        self._fence = fence
        self._threads = Threads("proofs of journals", places=1)
        self._kept: dict[RunKey, str] = {}
        """Why they stay, by who found it out; they are not looked at again before the next start."""
        self._pages = 0

    async def round(self, node_id: str, agent: CanTidy) -> int:
        """How many went from there. Raises StoreError and what the agent raises."""
        if not self._days:
            return 0
        before = self._clock.now() - timedelta(days=self._days)
        gone, after = 0, ("", 0)
        self._pages = 0
        while self._pages < _PAGES:
            async with self._store.read(timeout=_STORE_S) as tx:
                rows = await tx.retention.old_journals(node_id, before, MOST_RUNS, after)
            if not rows:
                break
            after = (rows[-1].channel_id, rows[-1].epoch)
            gone += await self._take(agent, rows)
        return gone

    async def _take(self, agent: CanTidy, rows: Sequence[AsRunRun]) -> int:
        whole: list[WholeRun] = []
        for row in rows:
            key = RunKey(row.channel_id, row.run_id)
            if key in self._kept or self._pages >= _PAGES:
                continue
            digest = row.taken_hash or await self._end_of(row)
            if digest is not None:
                whole.append(WholeRun(*key, row.collected_seq, digest))
        fence = self._fence()
        if not whole or fence is None:
            return 0
        said = await agent.drop_journals(JournalsOrder(fence.term, tuple(whole)))
        gone: list[RunKey] = []
        for run in whole:
            key, why = RunKey(run.channel_id, run.run_id), said.get(run.run_id, "its node says nothing of it")
            if why:
                self._keep(key, why)
            else:
                gone.append(key)
        if gone:
            async with self._store.write(timeout=_STORE_S) as tx:
                await tx.leader.require(fence)
                await tx.retention.journals_gone(gone, self._clock.now())
        return len(gone)

    async def _end_of(self, row: AsRunRun) -> str | None:
        """The hash of its last line, when all of it is here and whole."""
        proof = _Chain()
        key = RunKey(row.channel_id, row.run_id)
        while proof.seq < row.collected_seq and not proof.fault:
            async with self._store.read(timeout=_STORE_S) as tx:
                lines = await tx.as_run.records(*key, proof.seq, _PAGE)
            if not lines:
                proof.fault = f"the log has records up to {proof.seq} of {row.collected_seq}"
                break
            await self._threads.run(_PAGE_S, proof.follow, lines)
            self._pages += 1
            await self._clock.sleep(_PAUSE_S)
        if not proof.fault and proof.seq != row.collected_seq:
            proof.fault = f"the log has records up to {proof.seq}, where {row.collected_seq} were collected"
        if proof.fault:
            self._keep(key, proof.fault)
            return None
        return proof.digest

    def _keep(self, key: RunKey, why: str) -> None:
        log.warning("a journal stays on its node though it is old", channel=key.channel_id, run=key.run_id, why=why)
        if len(self._kept) >= _REMEMBERED:
            self._kept.clear()
        self._kept[key] = why


class _Chain:
    """From a run's first record on: each is what was written, and follows from the one before it."""

    def __init__(self) -> None:
        self.seq = 0
        self.digest = ""
        self.fault = ""

    def follow(self, rows: Sequence[AsRun]) -> None:
        for row in rows:
            line = row.line.encode() + b"\n"
            try:
                record = decode_line(line)
            except TornLine as error:
                self.fault = f"its record {row.seq} was changed in the log: {error}"
                return
            if row.seq != self.seq + 1 or record.seq != row.seq:
                self.fault = f"record {self.seq + 1} is missing in the log"
                return
            if self.seq and record.prev != self.digest:
                self.fault = f"its record {row.seq} does not follow from the one before it"
                return
            self.seq, self.digest = row.seq, chain_hash(line)
