"""A channel's watched folder: a new or changed list in it becomes the channel's, as far as it still may."""

import json
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final, Literal, cast

import structlog
from pydantic import ValidationError

from db.errors import Missing, StaleRev, StaleRevision, StoreError
from db.models import Channel, WatchedFolder
from db.store import Store
from supervisor.clock import Clock
from supervisor.confined import Confined
from supervisor.errors import Invalid, McrError, Unavailable
from supervisor.intake.arrivals import Arrivals, Entry
from supervisor.intake.folders import Changed, check_room, is_being_written, put_away, read_whole, scan
from supervisor.intake.seen import FileSeen, FolderSeen, folder_seen
from supervisor.playlists.difference import LOCK_S
from supervisor.playlists.preparing import ListSource
from supervisor.playlists.reading import LARGEST_LIST
from supervisor.playlists.revising import Revised, Revising
from supervisor.schemas.listing import ListFormat, ListOptions
from supervisor.threads import Threads

LOOK_S: Final = 10.0
"""Seconds in which a folder must have been looked into, and a file read or put away."""
TRIES: Final = 4
"""How often a list is compared again when somebody edits the playlist meanwhile."""
_TOLD: Final = 200
"""Lines of each kind in a report."""
_FORMS: Final[Mapping[str, ListFormat]] = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".xml": "bxf", ".bxf": "bxf", ".m3u": "m3u", ".m3u8": "m3u",
    ".json": "json",
}  # fmt: skip

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a list. ``text`` is a whole sentence; ``lines_refused`` of one that was applied were not used."""

    name: str
    result: Literal["applied", "unchanged", "refused"]
    text: str
    lines_refused: int
    report: Mapping[str, object]


class _Later(Exception):
    """Not the list's fault: it stays where it is and is tried again. ``fault``: the folder's."""

    def __init__(self, why: str, *, fault: str = "") -> None:
        super().__init__(why)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class _Stuck:
    """A list that was read and cannot be put away, and why; ``again``: each look may try it anew."""

    stamp: tuple[int, int]
    outcome: Outcome
    why: str
    again: bool = True


class ListIntake:
    """Of one folder. ``joined`` is told of a channel that got its first playlist here. ``private``: this program's own
    home, of which a list names nothing but its media."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        revising: Revising,
        files: Threads,
        joined: Callable[[str], Awaitable[None]],
        private: Path | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._revising = revising
        self._files = files
        self._joined = joined
        self._private = private
        self._arrivals = Arrivals()
        self._stuck: dict[str, _Stuck] = {}
        self._last: deque[FileSeen] = deque(maxlen=20)

    async def look(self, folder: WatchedFolder, roots: tuple[Path, ...], told: Callable[[Outcome], None]) -> FolderSeen:
        """Looks once and takes in what is whole, the oldest first. ``roots``: where files that a list names may lie.

        Raises Invalid and TimeoutError when the folder cannot be read, and StoreError.
        """
        path = Path(folder.path)
        entries, left_out = await self._files.run(LOOK_S, scan, path, deep=False)
        whole = self._arrivals.whole(entries, int(self._clock.now().timestamp() * 1e9))
        self._stuck = {entry.name: one for entry in entries if (one := self._stuck.get(entry.name))}
        faults = [left_out]
        seen: list[FileSeen] = []
        for entry in sorted(entries, key=lambda one: (one.mtime_ns, one.name)):
            stuck = self._stuck.get(entry.name)
            if stuck is not None and stuck.stamp == entry.stamp:
                faults.append(await self._put_away(folder, entry, stuck.outcome) if stuck.again else stuck.why)
                continue  # it is read, and not once more
            if entry.name not in whole:
                seen.append(FileSeen(entry.name, "arriving"))
                continue
            if await self._files.run(LOOK_S, is_being_written, path / entry.name):
                self._arrivals.changed(entry.name)
                seen.append(FileSeen(entry.name, "arriving"))
                continue
            try:
                outcome = await self._take_in(folder, entry, roots)
            except Changed:
                self._arrivals.changed(entry.name)
                seen.append(FileSeen(entry.name, "arriving"))
                continue
            except _Later as later:
                seen.append(FileSeen(entry.name, "waiting", str(later)))
                faults.append(later.fault)
                break  # in order, or not at all
            told(outcome)
            state = "refused" if outcome.result == "refused" else "taken"
            self._last.append(FileSeen(entry.name, state, outcome.text))
            faults.append(await self._put_away(folder, entry, outcome))
        return folder_seen([*seen, *self._last], self._clock.now(), "; ".join(filter(None, faults)))

    async def _put_away(self, folder: WatchedFolder, entry: Entry, outcome: Outcome) -> str:
        """Why not, where it cannot be."""
        where = "refused" if outcome.result == "refused" else "done"
        stuck = self._stuck[entry.name] = _Stuck(entry.stamp, outcome, f"{entry.name} is not put away yet")
        try:
            await self._files.run(LOOK_S, put_away, Path(folder.path), entry, where, outcome.report, self._clock.now())
        except (Invalid, Unavailable) as error:
            stuck = replace(stuck, why=error.detail)
        except TimeoutError:
            # The thread hangs, and may still do it: no second one beside it.
            why = f"{entry.name} could not be put away within {LOOK_S:.0f} s"
            stuck = replace(stuck, why=why, again=False)
        else:
            del self._stuck[entry.name]
            return ""
        self._stuck[entry.name] = stuck
        return stuck.why

    async def _take_in(self, folder: WatchedFolder, entry: Entry, roots: tuple[Path, ...]) -> Outcome:
        """Raises _Later, Changed."""
        name = entry.name
        try:
            if folder.append:
                await self._check_room(folder, name)
            content = await self._files.run(LOOK_S, read_whole, Path(folder.path), entry, LARGEST_LIST)
            source = ListSource(
                form_of(folder.source, name, content),
                content=content,
                options=ListOptions.model_validate(folder.options),
                folder=Path(folder.path),
                below=Confined(roots, self._private),
            )
            channel, done = await self._apply(folder, source)
        except TimeoutError:
            raise _Later(f"it could not be read within {LOOK_S:.0f} s") from None
        except Unavailable as error:
            raise _Later(error.detail) from error
        except ValidationError as error:
            return self._refused(name, f"how it is to be read is wrong: {error.errors()[0]['msg']}", ())
        except McrError as error:
            lines = cast("list[str]", error.extra.get("refused", []))
            return self._refused(name, error.detail, lines)
        except Missing as error:
            return self._refused(name, str(error), ())
        except StoreError as error:
            raise _Later(f"the store does not take it now: {error}") from error
        return self._outcome(name, channel, done)

    async def _check_room(self, folder: WatchedFolder, name: str) -> None:
        """A list that stayed would be joined once more by whoever looks next: rather not at all. Raises _Later."""
        try:
            await self._files.run(LOOK_S, check_room, Path(folder.path), name, "done")
        except Invalid as error:
            raise _Later(error.detail, fault=f"it is not applied before it can be put away: {error.detail}") from None

    async def _apply(self, folder: WatchedFolder, source: ListSource) -> tuple[Channel, Revised]:
        for _ in range(TRIES):
            try:
                channel, playlist_id, revision = await self._playlist_of(folder)
                done = await self._revising.revise(
                    playlist_id, revision, source,
                    lock_s=LOCK_S, append=folder.append, dry_run=False, channel=channel,
                )  # fmt: skip
            except (StaleRevision, StaleRev):
                continue
            return channel, done
        raise _Later("the playlist is being edited all the time")

    async def _playlist_of(self, folder: WatchedFolder) -> tuple[Channel, str, int]:
        """The channel's playlist as it is now; made, empty, for a channel that has none."""
        assert folder.channel_id is not None
        async with self._store.read() as tx:
            channel = await tx.channels.get(folder.channel_id)
            if channel.playlist_id is not None:
                row = await tx.playlists.get(channel.playlist_id)
                return channel, row.id, row.revision
        async with self._store.write() as tx:
            row = await tx.playlists.add(channel.name, channel.project_id, self._clock.now())
            channel = await tx.channels.update_spec(channel.id, channel.rev, {"playlist_id": row.id})
        await self._joined(channel.id)
        return channel, row.id, row.revision

    def _outcome(self, name: str, channel: Channel, done: Revised) -> Outcome:
        counts = Counter(change.verdict for change in done.difference.changes)
        told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
        lines = len(done.prepared.refused)
        refused = f"; {lines} {'line was' if lines == 1 else 'lines were'} refused" if lines else ""
        text = f"{channel.name}: the list {name} was {'applied' if done.applied else 'no news'}: {told}{refused}"
        changes = [
            {
                "verdict": change.verdict, "title": change.title, "house_id": change.house_id,
                "traffic_id": change.traffic_id, "line": change.line, "what": change.what,
            }
            for change in done.difference.changes
            if change.verdict != "kept"
        ]  # fmt: skip
        result = "applied" if done.applied else "unchanged"
        report = {
            **self._head(name, result, text),
            "revision": done.playlist.revision,
            "counts": dict(counts),
            "changes": changes[:_TOLD],
            "refused": list(done.prepared.refused[:_TOLD]),
            "warnings": list(done.prepared.warnings[:_TOLD]),
            "missing": list(done.prepared.missing[:_TOLD]),
        }
        return Outcome(name, result, text, lines, report)

    def _refused(self, name: str, why: str, lines: "list[str] | tuple[str, ...]") -> Outcome:
        text = f"the list {name} was refused: {why}"
        first = f" ({lines[0]})" if lines else ""
        report = {**self._head(name, "refused", text), "refused": list(lines[:_TOLD])}
        return Outcome(name, "refused", text + first, 0, report)

    def _head(self, name: str, result: str, text: str) -> dict[str, object]:
        return {"list": name, "result": result, "text": text, "at": self._clock.now().isoformat()}


def form_of(given: str | None, name: str, content: bytes) -> ListFormat:
    """What a list is: as its folder says, else by its name; JSON that is not ours is ffplayout's. Raises Invalid."""
    if given is not None:
        return cast("ListFormat", given)
    form = _FORMS.get(PurePosixPath(name).suffix.lower())
    if form is None:
        raise Invalid(
            f"the name does not say what it is; lists end in {', '.join(sorted(_FORMS))}",
            hint="Give the folder a source.",
        )
    if form == "json" and _is_ffplayout(content):
        return "ffplayout"
    return form


def _is_ffplayout(content: bytes) -> bool:
    try:
        document: object = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and "program" in document and "format" not in document
