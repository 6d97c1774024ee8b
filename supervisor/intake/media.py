"""A watched media folder: what comes is arriving while it is written, then looked into, and an asset afterwards."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from db.models import Asset, WatchedFolder
from db.store import Store
from supervisor.assets.importing import AssetImport, Imported, Wanted
from supervisor.clock import Clock
from supervisor.confined import Confined
from supervisor.intake.arrivals import Arrivals, Entry, is_partial
from supervisor.intake.folders import is_being_written, scan
from supervisor.intake.seen import FileSeen, FolderSeen, folder_seen
from supervisor.playlists.entries import MEDIA_SUFFIXES
from supervisor.threads import Threads

SCAN_S: Final = 60.0
"""Seconds in which a tree of files must have been looked through."""
ASK_S: Final = 10.0
PASSES_S: Final = 60.0
"""Seconds until a file is tried again that could not be read for a reason that passes; twice as long each time after,
up to ``LONGEST_S``."""
LONGEST_S: Final = 3600.0
AT_PATHS: Final = 500
"""Up to so many new files are asked for by name; of more, everything below the folder is read at once."""
AT_ONCE: Final = 16
"""Files that are looked into between two looks at the folder: what waits is what is there, and in no queue."""
LONGEST_HOUSE_ID: Final = 80


@dataclass(frozen=True, slots=True)
class _Refused:
    """``until``: on the clock that never jumps, when it is tried again, the ``tries``-th time in a row; None: when it
    is another file."""

    stamp: tuple[int, int]
    why: str
    until: float | None = None
    tries: int = 0


class MediaIntake:
    """Of one folder. A file's name without its ending is its house id. ``private``: this program's own home, of which
    nothing is taken but its media."""

    def __init__(
        self, store: Store, clock: Clock, assets: AssetImport, files: Threads, private: Path | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._assets = assets
        self._files = files
        self._private = private
        self._arrivals = Arrivals()
        self._asked: dict[str, tuple[int, int]] = {}
        self._known: dict[str, tuple[int, int]] = {}
        self._refused: dict[str, _Refused] = {}

    async def look(self, folder: WatchedFolder, progress: Callable[[FolderSeen], None]) -> tuple[FolderSeen, bool]:
        """Looks once and imports some of what is whole; whether more of it waits. ``progress`` is told before probing.

        Raises Invalid and TimeoutError when the folder cannot be read, and StoreError.
        """
        path = Path(folder.path)
        found, left_out = await self._files.run(SCAN_S, scan, path, deep=True)
        entries = [entry for entry in found if is_media(entry.name)]
        whole = self._arrivals.whole(entries, int(self._clock.now().timestamp() * 1e9))
        await self._recognize(folder, [entry for entry in entries if entry.name in whole])
        names = {entry.name for entry in entries}
        self._refused = {name: why for name, why in self._refused.items() if name in names}
        self._known = {name: stamp for name, stamp in self._known.items() if name in names}
        waiting = [
            entry
            for entry in entries
            if entry.name in whole and not self._is_done(entry)
        ]  # fmt: skip
        batch: list[Entry] = []
        for entry in sorted(waiting, key=lambda one: (one.mtime_ns, one.name))[:AT_ONCE]:
            if await self._files.run(ASK_S, is_being_written, path / entry.name):
                self._arrivals.changed(entry.name)
            else:
                batch.append(entry)
        progress(self._seen(entries, whole, batch, left_out))
        if batch:
            await self._import(folder, batch)
        return self._seen(entries, whole, (), left_out), len(waiting) > len(batch) > 0

    def _is_done(self, entry: Entry) -> bool:
        if self._known.get(entry.name) == entry.stamp:
            return True
        refused = self._refused.get(entry.name)
        if refused is None or refused.stamp != entry.stamp:
            return False
        return refused.until is None or self._clock.monotonic() < refused.until

    async def _recognize(self, folder: WatchedFolder, entries: Sequence[Entry]) -> None:
        """What is an asset already and has not changed since need not be read again."""
        new = [entry for entry in entries if self._asked.get(entry.name) != entry.stamp]
        if not new:
            return
        async with self._store.read() as tx:
            if len(new) > AT_PATHS:
                found = await tx.assets.below(folder.path, folder.project_id)
            else:
                found = await tx.assets.at_paths([f"{folder.path}/{entry.name}" for entry in new], folder.project_id)
        rows: dict[str, Asset] = {row.path: row for row in found}
        self._asked = {entry.name: entry.stamp for entry in entries}
        for entry in new:
            row = rows.get(f"{folder.path}/{entry.name}")
            if row is not None and (row.size_bytes, row.mtime_ns) == entry.stamp:
                self._known[entry.name] = entry.stamp

    async def _import(self, folder: WatchedFolder, batch: Sequence[Entry]) -> None:
        wanted = [Wanted(Path(folder.path) / entry.name, house_id=house_id_of(entry.name)) for entry in batch]
        results = await self._assets.add_all(wanted, folder.project_id, Confined((Path(folder.path),), self._private))
        for entry, one in zip(batch, results, strict=True):
            if one.asset is not None:
                self._known[entry.name] = entry.stamp
                self._refused.pop(entry.name, None)
            else:
                self._refused[entry.name] = self._refusal(entry, one)

    def _refusal(self, entry: Entry, one: Imported) -> _Refused:
        if not one.passes:
            return _Refused(entry.stamp, one.refusal)
        before = self._refused.get(entry.name)
        tries = 1 if before is None or before.stamp != entry.stamp else before.tries + 1
        wait = min(LONGEST_S, PASSES_S * 2.0 ** min(tries - 1, 10))
        return _Refused(entry.stamp, one.refusal, self._clock.monotonic() + wait, tries)

    def _seen(
        self, entries: Sequence[Entry], whole: frozenset[str], probing: Sequence[Entry], left_out: str
    ) -> FolderSeen:
        at_work = {entry.name for entry in probing}
        files: list[FileSeen] = []
        for entry in entries:
            name = entry.name
            refused = self._refused.get(name)
            if self._known.get(name) == entry.stamp:
                files.append(FileSeen(name, "taken"))
            elif name in at_work:
                files.append(FileSeen(name, "probing"))
            elif refused is not None and refused.stamp == entry.stamp:
                files.append(FileSeen(name, "refused" if refused.until is None else "waiting", refused.why))
            else:
                files.append(FileSeen(name, "waiting" if name in whole else "arriving"))
        return folder_seen(files, self._clock.now(), left_out)


def is_media(name: str) -> bool:
    """By its ending, also below one that says that it is still written."""
    path = PurePosixPath(name)
    return path.suffix.lower() in MEDIA_SUFFIXES or (
        is_partial(name) and PurePosixPath(path.stem).suffix.lower() in MEDIA_SUFFIXES
    )


def house_id_of(name: str) -> str | None:
    """A file's name without its endings, where that can be a house id."""
    path = PurePosixPath(name)
    stem = PurePosixPath(path.stem).stem if is_partial(name) else path.stem
    return stem if stem.isprintable() and 0 < len(stem) <= LONGEST_HOUSE_ID else None
