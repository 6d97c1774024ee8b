"""Watches every folder of the store while this supervisor leads: two loops, so that probing keeps no list waiting."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NoReturn

import structlog

from db.errors import StoreError
from db.models import WatchedFolder
from db.store import Store
from supervisor.assets.importing import FACTS, AssetImport
from supervisor.clock import Clock
from supervisor.errors import McrError
from supervisor.intake.lists import ListIntake, Outcome
from supervisor.intake.media import MediaIntake
from supervisor.intake.seen import FolderSeen, folder_seen
from supervisor.intake.waiting import WaitingItems
from supervisor.playlists.revising import Revising
from supervisor.threads import Threads

LISTS_S: Final = 2.0
MEDIA_S: Final = 4.0
"""Seconds between two looks into the same folder."""
PLACES: Final = 8
HALF_KNOWN: Final = 8
"""Assets of an older version that are looked at again between two looks at the folders."""
HALF_KNOWN_S: Final = 600.0
"""Seconds until it is asked again whether there are any."""

FolderKind = Literal["lists", "media"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Intake:
    """What tells others of what came: ``outcome`` of a list of a channel, ``joined`` of a channel that got a playlist.

    Said again at every look: ``watched``, which folders of a kind there are, and ``fault``, why one of them cannot be
    read (empty: it can be).
    """

    leads: Callable[[], bool]
    outcome: Callable[[str, Outcome], None]
    watched: Callable[[FolderKind, Sequence[WatchedFolder]], None]
    fault: Callable[[WatchedFolder, str], None]
    joined: Callable[[str], Awaitable[None]]


class FolderWatch:
    """Belongs to one event loop. ``seen`` is of this supervisor alone, and empty while another leads."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        revising: Revising,
        assets: AssetImport,
        waiting: WaitingItems,
        intake: Intake,
        home: Path,
    ) -> None:
        self._store = store
        self._clock = clock
        self._revising = revising
        self._assets = assets
        self._waiting = waiting
        self._intake = intake
        self._home = home
        self._files = Threads("watched folders", places=PLACES)
        self._lists: dict[str, ListIntake] = {}
        self._media: dict[str, MediaIntake] = {}
        self._seen: dict[str, FolderSeen] = {}
        self._unknowable: set[str] = set()
        self._ask_again = 0.0

    def seen(self, folder_id: str) -> FolderSeen | None:
        return self._seen.get(folder_id)

    def arriving(self) -> Mapping[str, str]:
        """Files of media folders that are no assets yet, and what is with them: by name, as far as they are told."""
        seen = [self._seen[folder_id] for folder_id in self._media if folder_id in self._seen]
        return {file.name: file.detail or file.state for folder in seen for file in folder.files}

    async def run_lists(self) -> NoReturn:
        """Until cancelled."""
        await self._run("lists", LISTS_S)

    async def run_media(self) -> NoReturn:
        """Until cancelled: also the clips that items wait for, and what older versions did not look at."""
        await self._run("media", MEDIA_S)

    async def _run(self, kind: FolderKind, every: float) -> NoReturn:
        while True:
            began = self._clock.monotonic()
            more = False
            if self._intake.leads():
                try:
                    more = await self._round(kind)
                except StoreError as error:
                    _log.warning("watched folders wait for the store", kind=kind, why=str(error))
            else:
                self._seen.clear()
            # A tree that takes long to look through is looked at more rarely.
            took = self._clock.monotonic() - began
            await self._clock.sleep(0.05 if more else max(every, 5 * min(took, 60.0) if kind == "media" else every))

    async def _round(self, kind: FolderKind) -> bool:
        async with self._store.read() as tx:
            rows = [row for row in await tx.watched_folders.list() if row.kind in (kind, "media")]
            roots = tuple(Path(root.path) for root in await tx.media_roots.list())
        mine = [row for row in rows if row.kind == kind]
        self._forget(kind, {row.id for row in mine})
        self._intake.watched(kind, mine)
        roots += tuple(Path(row.path) for row in rows if row.kind == "media")
        async with asyncio.TaskGroup() as group:
            looks = [
                group.create_task(self._lists_in(row, roots) if kind == "lists" else self._media_in(row))
                for row in mine
            ]  # fmt: skip
        more = any(look.result() for look in looks)
        if kind == "media":
            await self._waiting.link()
            more = await self._look_again() or more
        return more

    def _forget(self, kind: FolderKind, there: set[str]) -> None:
        known: dict[str, ListIntake] | dict[str, MediaIntake] = self._lists if kind == "lists" else self._media
        for folder_id in known.keys() - there:
            del known[folder_id]
            self._seen.pop(folder_id, None)

    async def _lists_in(self, row: WatchedFolder, roots: Sequence[Path]) -> bool:
        intake = self._lists.get(row.id)
        if intake is None:
            intake = self._lists[row.id] = ListIntake(
                self._store, self._clock, self._revising, self._files, self._intake.joined, self._home
            )

        def told(outcome: Outcome) -> None:
            assert row.channel_id is not None
            self._intake.outcome(row.channel_id, outcome)

        await self._guarded(row, intake.look(row, tuple(roots), told))
        return False

    async def _media_in(self, row: WatchedFolder) -> bool:
        intake = self._media.get(row.id)
        if intake is None:
            intake = self._media[row.id] = MediaIntake(self._store, self._clock, self._assets, self._files, self._home)
        more = False

        async def look() -> FolderSeen:
            nonlocal more
            seen, more = await intake.look(row, lambda seen: self._show(row.id, seen))
            return seen

        await self._guarded(row, look())
        return more

    def _show(self, folder_id: str, seen: FolderSeen) -> None:
        self._seen[folder_id] = seen

    async def _guarded(self, row: WatchedFolder, look: Awaitable[FolderSeen]) -> None:
        """One folder's fault is its own, also one of ours. Never raises but when cancelled."""
        fault = ""
        try:
            seen = await look
            self._seen[row.id] = seen
            fault = seen.fault
        except TimeoutError:
            fault = f"{row.path} does not answer: does its disk or file server hang?"
        except McrError as error:
            fault = error.detail
        except StoreError as error:
            _log.warning("a watched folder waits for the store", folder=row.path, why=str(error))
            return
        except Exception as error:
            _log.exception("a defect: a watched folder could not be looked into", folder=row.path)
            fault = f"{row.path} could not be looked into, by a defect: {type(error).__name__}; the log has more"
        if fault and (row.id not in self._seen or self._seen[row.id].fault != fault):
            before = self._seen.get(row.id)
            self._seen[row.id] = folder_seen(before.files if before else (), self._clock.now(), fault)
        self._intake.fault(row, fault)

    async def _look_again(self) -> bool:
        """Assets of which an older version found out less; one that cannot be known is asked for once a start."""
        if self._clock.monotonic() < self._ask_again:
            return False
        async with self._store.read() as tx:
            rows = await tx.assets.half_known(FACTS, HALF_KNOWN + len(self._unknowable))
        rows = [row for row in rows if row.id not in self._unknowable][:HALF_KNOWN]
        if not rows:
            self._ask_again = self._clock.monotonic() + HALF_KNOWN_S
            return False
        known = await self._assets.look_again(rows)
        if known < len(rows):
            async with self._store.read() as tx:
                there = await tx.assets.by_ids([row.id for row in rows])
            self._unknowable |= {row.id for row in there.values() if row.facts < FACTS}
        return True
