"""The agent of this very machine, in process: of a supervisor, or of the program ``mcr agent``."""

import asyncio
import sys
from collections.abc import Mapping, Sequence, Set
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Final

import httpx

from sidecar.protocol.asrun import encode_line
from sidecar.protocol.commands import CommandReply
from supervisor.agent.cards import Cards
from supervisor.agent.condition import Condition
from supervisor.agent.drills import DrillOrder, Drills
from supervisor.agent.interface import (
    AgentAway,
    Exit,
    JournalLine,
    JournalPage,
    JournalRun,
    LeaseRound,
    MediaSeen,
    NodeReport,
    Order,
    SidecarReport,
    StartOrder,
    StopOrder,
)
from supervisor.agent.journals import Journals
from supervisor.agent.launcher import Launcher
from supervisor.agent.launching import Directories, program_environment
from supervisor.agent.leases import Leases
from supervisor.agent.live_files import read_hls_file
from supervisor.agent.media_look import MediaLook
from supervisor.agent.memory import Memory
from supervisor.agent.names import check_name
from supervisor.agent.old_recordings import OldRecordings
from supervisor.agent.orders import Orders, open_door
from supervisor.agent.process import ProcessLauncher
from supervisor.agent.spare import Spare
from supervisor.agent.terms import Terms
from supervisor.agent.tidying import JournalsOrder, RecordingsOrder, Tidying
from supervisor.agent.watching import Watching
from supervisor.clock import Clock
from supervisor.errors import Unavailable
from supervisor.nursery import Nursery
from supervisor.threads import Threads

_READ: Final = 5.0
"""Seconds for a page of as-run, a thumbnail, or a file of a channel's HLS."""


class LocalAgent:
    """A ``NodeAgent``. ``async with LocalAgent(...) as agent:`` finds this node's sidecars again and watches them.

    Leaving the block closes connections and stops watching; every sidecar plays on. ``leash_fd``, when given, is
    passed to every sidecar it starts: when its other end closes, they leave the air and exit. It polls its sidecars
    every ``poll`` seconds and gives each ``answer`` seconds. ``spare``: one process is kept warm, of some 70 MB, which
    halves the time to a restart's first frame; not where a launcher is given.
    """

    def __init__(
        self,
        *,
        agent_dir: Path,
        sidecars_dir: Path,
        journal_dir: Path,
        media_root: Path,
        clock: Clock,
        leash_fd: int | None = None,
        launcher: Launcher | None = None,
        capacity: int | None = None,
        spare: bool = False,
        program: tuple[str, ...] = (sys.executable, "-P", "-m", "sidecar"),
        poll: float = 1.0,
        answer: float = 0.8,
    ) -> None:
        self._memory_dir = agent_dir
        self._directories = Directories(sidecars_dir, journal_dir, media_root)
        self._clock = clock
        self._spare = (
            Spare(program, program_environment(), str(agent_dir / "spare.log"), clock, leash_fd)
            if spare and launcher is None
            else None
        )
        self._launcher = launcher or ProcessLauncher(leash_fd, self._spare)
        self._capacity = capacity
        self._program = program
        self._poll_s = poll
        self._answer_s = answer
        self._journals = Journals(journal_dir)
        self._media_look = MediaLook()
        self._files = Threads("live files", places=8)
        self._nursery = Nursery(clock)
        self._exits = AsyncExitStack()
        self._terms: Terms
        self._watching: Watching
        self._orders: Orders
        self._leases: Leases
        self._drills: Drills
        self._tidying: Tidying
        self._condition: Condition

    # Life

    async def __aenter__(self) -> "LocalAgent":
        """Raises OSError when what it remembers cannot be listed."""
        memory = await asyncio.to_thread(Memory, self._memory_dir)
        client = await self._exits.enter_async_context(
            httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=None, max_keepalive_connections=64))
        )
        self._exits.push_async_callback(self._nursery.close)
        self._terms = Terms(memory, await asyncio.to_thread(memory.term))
        self._watching = Watching(
            memory=memory,
            directories=self._directories,
            launcher=self._launcher,
            journals=self._journals,
            client=client,
            clock=self._clock,
            nursery=self._nursery,
            poll=self._poll_s,
            answer=self._answer_s,
        )
        self._orders = Orders(
            terms=self._terms,
            memory=memory,
            directories=self._directories,
            launcher=self._launcher,
            watching=self._watching,
            program=self._program,
            nursery=self._nursery,
            answer=self._answer_s,
            clock=self._clock,
        )
        self._leases = Leases(self._watching, self._nursery, self._answer_s, self._clock)
        self._drills = Drills(self._terms, self._watching, self._launcher, self._clock, self._nursery)
        folders = self._directories
        self._tidying = Tidying(self._terms, folders.journal, folders.media, self._clock, self._run_lives)
        cards = Cards(self._clock)
        self._condition = Condition(
            incarnation=await asyncio.to_thread(memory.incarnation),
            launcher=self._launcher,
            doubt=lambda: self._watching.doubt,
            capacity=self._capacity,
            cards=cards,
            clock=self._clock,
        )
        await asyncio.gather(cards.look(), self._watching.find_again())
        self._nursery.keep("looking at cards", cards.keep_looking)
        self._watching.begin()
        if self._spare is not None:
            self._exits.push_async_callback(self._spare.close)
            self._nursery.keep("warm spare", self._spare.keep)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._exits.aclose()

    # Orders

    async def start(self, order: StartOrder) -> int:
        """As in ``NodeAgent``."""
        return await self._orders.start(order, beside=False)

    async def standby(self, order: StartOrder) -> int:
        """As in ``NodeAgent``."""
        return await self._orders.start(order, beside=True)

    async def stop(self, order: StopOrder) -> Exit | None:
        """As in ``NodeAgent``."""
        return await self._orders.stop(order)

    async def command(self, order: Order, timeout: float) -> CommandReply:
        """As in ``NodeAgent``."""
        return await self._orders.command(order, timeout)

    async def drill(self, order: DrillOrder) -> None:
        """As in ``CanDrill``."""
        await self._drills.drill(order)

    async def drop_journals(self, order: JournalsOrder) -> Mapping[str, str]:
        """As in ``CanTidy``."""
        return await self._tidying.drop_journals(order)

    async def drop_recordings(self, order: RecordingsOrder) -> OldRecordings:
        """As in ``CanTidy``."""
        return await self._tidying.drop_recordings(order)

    @property
    def silent_for(self) -> float:
        """As in ``FallsSilent``."""
        return self._drills.silent_for

    @property
    def passes(self) -> int:
        """Rounds of polls over all of its sidecars: they go on while it watches anything at all."""
        return self._watching.rounds

    # What is seen

    async def report(self, seen: int, wait: float, leases: LeaseRound | None = None) -> NodeReport:
        """As in ``NodeAgent``."""
        deadline = self._clock.monotonic() + wait
        if leases is not None:
            await self._terms.take(leases.term)
            await self._leases.hand_on(leases)
        news = self._watching.news
        if news.number == seen:
            await news.wait(deadline - self._clock.monotonic())
        now = self._clock.monotonic()
        sidecars = tuple(watched.report(now) for watched in self._watching.all())
        return NodeReport(news.number, self._watching.rounds, sidecars, self._condition.now(), self._terms.seen)

    async def poll(self, channel_id: str, epoch: int) -> SidecarReport:
        """As in ``NodeAgent``."""
        watched = self._watching.living(channel_id, epoch)
        await self._watching.ask(watched)
        return watched.report(self._clock.monotonic())

    async def thumbnail(self, channel_id: str, epoch: int) -> bytes:
        """As in ``NodeAgent``."""
        return await open_door(self._watching.living(channel_id, epoch)).thumbnail(_READ)

    # Files

    async def media(self, roots: Sequence[str], paths: Sequence[str]) -> MediaSeen:
        """As in ``NodeAgent``. Raises ValueError for more than 64 roots or 5,000 paths."""
        return await self._media_look.look(roots, paths)

    async def live_file(self, channel_id: str, path: str) -> bytes:
        """As in ``NodeAgent``. AgentAway when the media disk does not answer."""
        try:
            check_name(channel_id)
        except ValueError as error:
            raise FileNotFoundError(str(error)) from error
        try:
            root = str(self._directories.media / "live")
            return await self._files.run(_READ, read_hls_file, root, channel_id, path)
        except (TimeoutError, Unavailable) as error:
            raise AgentAway(f"the media disk did not answer within {_READ:g} s") from error

    async def runs(self, known: Mapping[str, Set[str]]) -> tuple[JournalRun, ...]:
        """As in ``NodeAgent``."""
        found = await asyncio.to_thread(self._journals.runs, known)
        return tuple(JournalRun(channel, run, epoch, self._run_lives(channel, run)) for channel, run, epoch in found)

    async def asrun(self, channel_id: str, run_id: str, after: int, limit: int) -> JournalPage | None:
        """As in ``NodeAgent``: asked of the sidecar while it lives, read from the disk after."""
        check_name(channel_id)
        check_name(run_id)
        alive = self._run_lives(channel_id, run_id)
        for watched in self._watching.of(channel_id):
            if watched.exit is None and watched.run_id == run_id and watched.door is not None:
                page = await watched.door.asrun(run_id, after, limit, _READ)
                lines = tuple(JournalLine(encode_line(record), record) for record in page.records)
                return JournalPage(run_id, lines, page.last_seq, alive)
        read = await asyncio.to_thread(self._journals.page, channel_id, run_id, after, limit)
        return None if read is None else JournalPage(run_id, read[0], read[1], alive)

    def _run_lives(self, channel_id: str, run_id: str) -> bool:
        """A sidecar that has not told its run's name yet may be the one."""
        return any(
            watched.exit is None and watched.run_id in (None, run_id) for watched in self._watching.of(channel_id)
        )
