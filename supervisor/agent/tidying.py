"""What a leader has an agent take off its node's disk: journals that the log has whole, and old recordings."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, ParamSpec, Protocol, TypeVar, runtime_checkable

import structlog
from msgspec import Meta

from supervisor.agent.interface import AgentAway
from supervisor.agent.names import check_name
from supervisor.agent.old_journals import WholeRun, drop_journal, sweep
from supervisor.agent.old_recordings import OldRecordings, RecordingsRule, drop_recordings
from supervisor.agent.terms import Terms
from supervisor.clock import Clock
from supervisor.errors import Unavailable
from supervisor.threads import Threads

P = ParamSpec("P")
T = TypeVar("T")
log = structlog.get_logger(__name__)

MOST_RUNS: Final = 20
MOST_SPARED: Final = 5_000
TIDYING_S: Final = 20.0
"""That the disk has for one order."""
_APART_S: Final = 3600.0
"""By how much the leader's clock and this machine's may differ, where ages decide."""


@dataclass(frozen=True, slots=True)
class JournalsOrder:
    """``MOST_RUNS`` at most."""

    term: int
    runs: tuple[WholeRun, ...]


@dataclass(frozen=True, slots=True)
class RecordingsOrder:
    """``at`` is the leader's clock. ``chosen``: paths of an earlier answer; without any this is but a question."""

    term: int
    recorder_id: str
    at: Annotated[datetime, Meta(tz=True)]
    rule: RecordingsRule
    chosen: tuple[str, ...] = ()


@runtime_checkable
class CanTidy(Protocol):
    """What a ``NodeAgent`` may be besides."""

    async def drop_journals(self, order: JournalsOrder) -> Mapping[str, str]:
        """Takes these runs' journals away; by run id why one stays, empty for those that are not here any more.

        Never one whose process lives or may, the newest of its channel here, or one that does not end here as the order
        says. Raises StaleTerm, ValueError, AgentAway.
        """
        ...

    async def drop_recordings(self, order: RecordingsOrder) -> OldRecordings:
        """Says which of the recorder's finished files the rule has go, the oldest first, some at a time; of these it
        takes those away that are ``chosen``.

        Ages are by this machine's clock. Raises StaleTerm, OSError, AgentAway, and ValueError where that clock and the
        leader's are far apart: then nobody knows what is old.
        """
        ...


class Tidying:
    """One agent's. ``lives``: whether this run of the channel lives, or may."""

    def __init__(
        self, terms: Terms, journals: Path, media: Path, clock: Clock, lives: Callable[[str, str], bool]
    ) -> None:
        self._terms = terms
        self._journals = journals
        self._media = media
        self._clock = clock
        self._lives = lives
        self._disk = Threads("tidying", places=1)
        self._one = asyncio.Lock()

    async def drop_journals(self, order: JournalsOrder) -> dict[str, str]:
        """As in ``CanTidy``."""
        if len(order.runs) > MOST_RUNS:
            raise ValueError(f"{len(order.runs)} runs at once: at most {MOST_RUNS}")
        for run in order.runs:
            check_name(run.channel_id)
            check_name(run.run_id)
        await self._terms.take(order.term)
        said: dict[str, str] = {}
        async with self._one:
            await self._on_disk(sweep, self._journals)
            for run in order.runs:
                if self._lives(run.channel_id, run.run_id):
                    said[run.run_id] = "its process lives"
                    continue
                try:
                    said[run.run_id] = await self._on_disk(drop_journal, self._journals, run)
                except OSError as error:
                    said[run.run_id] = f"the disk: {error}"
        went = [run_id for run_id, why in said.items() if not why]
        log.info("journals were taken away", runs=went, kept={run_id: why for run_id, why in said.items() if why})
        return said

    async def drop_recordings(self, order: RecordingsOrder) -> OldRecordings:
        """As in ``CanTidy``."""
        check_name(order.recorder_id)
        if len(order.rule.spared) > MOST_SPARED:
            raise ValueError(f"{len(order.rule.spared)} files are to be spared: at most {MOST_SPARED}")
        now = self._clock.now()
        apart = abs((now - order.at).total_seconds())
        if apart > _APART_S:
            raise ValueError(f"this machine's clock and the leader's are {apart:.0f} s apart: nobody knows what is old")
        await self._terms.take(order.term)
        chosen = frozenset(order.chosen)
        folder = self._media / "recordings" / order.recorder_id
        async with self._one:
            found = await self._on_disk(drop_recordings, folder, order.rule, chosen, now.timestamp())
        for file in found.due:
            if file.path in chosen:
                log.info("a recording was taken away", path=file.path, bytes=file.bytes, why=file.why)
        return found

    async def _on_disk(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self._disk.run(TIDYING_S, call, *args, **kwargs)
        except (TimeoutError, Unavailable) as error:
            raise AgentAway(f"the disk did not answer within {TIDYING_S:g} s") from error
