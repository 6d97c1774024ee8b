"""Takes a recorder's old files off this node's disk: the oldest first, and only those that are finished."""

import os
import re
import stat
from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import structlog
from msgspec import Meta

log = structlog.get_logger(__name__)

MOST_FILES: Final = 50
"""That go at once; the next order goes on."""
ENDING: Final = ".mp4"
_CHECKSUM: Final = ".sha256"
_PICTURE: Final = ".jpg"
_DIGEST: Final = re.compile(rb"[0-9a-f]{64}\s")
_SETTLED_S: Final = 60.0
"""A picture is made after the checksum."""


@dataclass(frozen=True, slots=True)
class RecordingsRule:
    """None leaves a rule out. ``older_than_s``: written to last so long ago. ``most_bytes``: of all files together.
    ``spared``: paths that stay whatever the rules say, as something plays them."""

    older_than_s: Annotated[float, Meta(ge=0)] | None = None
    most_bytes: Annotated[int, Meta(ge=0)] | None = None
    spared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OldRecording:
    """``written_at``: when it was written to last. ``why`` it is to go: its ``age``, or for ``room``."""

    path: str
    bytes: int
    written_at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class OldRecordings:
    """Those that are to go and may, ``MOST_FILES`` at most, the oldest first; ``is_all``: there are no others.

    ``stuck``: paths of those that the disk does not let go.
    """

    due: tuple[OldRecording, ...]
    is_all: bool
    stuck: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    seen: os.stat_result

    @property
    def place(self) -> tuple[int, int]:
        """The file itself, which may have several names."""
        return self.seen.st_dev, self.seen.st_ino

    def is_now(self, seen: os.stat_result) -> bool:
        """Whether its name still leads to it, and nobody wrote to it meanwhile."""
        now = seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns
        return now == (*self.place, self.seen.st_size, self.seen.st_mtime_ns)


def drop_recordings(folder: Path, rule: RecordingsRule, chosen: Set[str], now: float) -> OldRecordings:
    """Takes away what is both due and among ``chosen``, paths of an earlier answer; says what was due.

    ``now`` is this machine's, in seconds of UTC. Blocks on the disk; raises OSError. A file is finished when its
    checksum is there and was written after it: a recorder writes it last, and one that was cut short gets it when its
    recorder runs again. No link is followed below ``folder``, and a file of several names takes its room
    once. What cannot be taken away, or told to be finished, keeps none of the others.
    """
    files = sorted(_files(folder), key=lambda file: (file.seen.st_mtime_ns, str(file.path)))
    spared, places = {_below(folder, path) for path in rule.spared}, _places(rule.spared)
    names = Counter(file.place for file in files)
    total = sum({file.place: file.seen.st_size for file in files}.values())
    due: list[OldRecording] = []
    stuck: list[str] = []
    is_all = True
    for file in files:
        why = _why(rule, now - file.seen.st_mtime, total)
        if not why:
            break  # no younger one has a reason that this one has not
        name = str(file.path)
        if _below(folder, name) in spared or file.place in places or not _is_finished(file, now):
            continue
        if len(due) == MOST_FILES:
            is_all = False
            break
        if name in chosen:
            try:
                if not _take(file):
                    continue
            except OSError as error:
                log.warning("an old recording cannot be taken away", path=name, why=str(error))
                stuck.append(name)
                continue
        names[file.place] -= 1
        if not names[file.place]:  # one of several names gives no room back
            total -= file.seen.st_size
        due.append(OldRecording(name, file.seen.st_size, datetime.fromtimestamp(file.seen.st_mtime, UTC), why))
    return OldRecordings(tuple(due), is_all, stuck=tuple(stuck))


def _why(rule: RecordingsRule, age_s: float, total: int) -> str:
    if rule.older_than_s is not None and age_s > rule.older_than_s:
        return "age"
    return "room" if rule.most_bytes is not None and total > rule.most_bytes else ""


def _files(folder: Path) -> Iterator[_File]:
    if folder.is_symlink():
        return
    for directory, _, names in os.walk(folder):
        for name in names:
            path = Path(directory, name)
            if not name.endswith(ENDING) or name.startswith(".") or not _is_text(path):
                continue
            try:
                seen = path.lstat()
            except OSError:  # gone since, or nobody's to look at
                continue
            if stat.S_ISREG(seen.st_mode):
                yield _File(path, seen)


def _is_text(path: Path) -> bool:
    """No recorder of ours writes another name, and nothing that is told or kept can hold one."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _below(folder: Path, path: str) -> str:
    """By this a file is known wherever the media are mounted: others may reach a shared folder by another path."""
    recordings = f"/{folder.parent.name}/{folder.name}/"
    _, here, name = path.rpartition(recordings)
    return recordings + name if here else path


def _places(paths: tuple[str, ...]) -> set[tuple[int, int]]:
    """The files themselves, by whatever path: a media root may be reached by a link."""
    found: set[tuple[int, int]] = set()
    for path in paths:
        try:
            seen = os.stat(path)  # noqa: PTH116 - a path of another node may be none here
        except (OSError, ValueError):
            continue
        found.add((seen.st_dev, seen.st_ino))
    return found


def _is_finished(file: _File, now: float) -> bool:
    """Not one whose checksum cannot be had: such a file stays, and keeps none of the others."""
    checksum = file.path.with_name(file.path.name + _CHECKSUM)
    try:
        seen = checksum.lstat()
        if not stat.S_ISREG(seen.st_mode) or seen.st_mtime_ns < file.seen.st_mtime_ns:
            return False
        with checksum.open("rb") as written:
            return _DIGEST.match(written.read(65)) is not None and now - seen.st_mtime > _SETTLED_S
    except FileNotFoundError:
        return False
    except OSError as error:
        log.warning("nobody can tell whether this recording is finished", path=str(file.path), why=str(error))
        return False


def _take(file: _File) -> bool:
    """False where its name is another file's by now. The checksum last: a file without one would be taken for one that
    was cut short. Raises OSError while the file is there still."""
    path = file.path
    try:
        if not file.is_now(path.lstat()):
            return False
    except FileNotFoundError:
        log.info("somebody else took this recording away", path=str(path))
    for name in (path.name + _PICTURE, path.name):
        path.with_name(name).unlink(missing_ok=True)
    try:
        path.with_name(path.name + _CHECKSUM).unlink(missing_ok=True)
    except OSError as error:
        log.warning("a recording went, and its checksum stays", path=str(path), why=str(error))
    return True
