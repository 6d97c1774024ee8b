"""The highest term that orders were taken of: what makes an older leader's orders void, after a restart too."""

import asyncio
from typing import Final

import structlog

from supervisor.agent.interface import StaleTerm
from supervisor.agent.memory import Memory
from supervisor.errors import Unavailable
from supervisor.threads import Threads

log = structlog.get_logger(__name__)

_WRITE: Final = 2.0
"""Seconds that the disk has for it."""


class Terms:
    """One agent's. A new term is on the disk before the first order of it is obeyed."""

    def __init__(self, memory: Memory, seen: int) -> None:
        self._memory = memory
        self._seen = seen
        self._kept = seen
        self._writing = asyncio.Lock()
        self._disk = Threads("agent memory", places=1)

    @property
    def seen(self) -> int:
        return self._seen

    def check(self, term: int) -> None:
        """Raises StaleTerm for a term older than the newest seen."""
        if term < self._seen:
            raise StaleTerm(term, self._seen)

    async def insist(self, term: int) -> None:
        """For orders that may put something on air. Raises StaleTerm, and OSError when the term cannot be kept."""
        self.check(term)
        if term <= self._kept:
            return
        async with self._writing:
            self.check(term)
            self._seen = term
            if term > self._kept:
                await self._keep(term)

    async def take(self, term: int) -> None:
        """For all others: a full disk must not keep anything on air or a key from being answered. Raises StaleTerm."""
        try:
            await self.insist(term)
        except OSError as error:
            log.warning("the leader's term cannot be kept; the next order tries again", term=term, why=str(error))

    async def _keep(self, term: int) -> None:
        try:
            await self._disk.run(_WRITE, self._memory.raise_term, term)
        except (TimeoutError, Unavailable) as error:
            raise OSError(f"the disk with the agent's memory does not answer within {_WRITE:g} s") from error
        self._kept = term
