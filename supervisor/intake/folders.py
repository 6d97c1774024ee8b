"""Looking into a watched folder and putting away what was read. Everything here blocks, and stays below the folder.

Links are not followed: neither a file that is one nor a ``done`` folder that is one.
"""

import contextlib
import fcntl
import json
import os
import signal
import stat
from collections.abc import Generator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from supervisor.assets.names import is_text
from supervisor.errors import Invalid
from supervisor.intake.arrivals import Entry

MOST: Final = 20_000
"""Files of one folder that are looked at."""
DEPTH: Final = 8
"""Folders within each other."""
Put = Literal["done", "refused"]


def scan(folder: Path, *, deep: bool) -> tuple[tuple[Entry, ...], str]:
    """The regular files in it (``deep``: also below it) by name, and what was left out, in words. Raises Invalid."""
    found: list[Entry] = []
    left_out = ""
    waiting: list[tuple[Path, str, int]] = [(folder, "", 0)]
    while waiting:
        path, prefix, depth = waiting.pop()
        try:
            with os.scandir(path) as listing:
                for entry in listing:
                    if entry.name.startswith(".") or not is_text(entry.name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        if deep and depth < DEPTH:
                            waiting.append((path / entry.name, f"{prefix}{entry.name}/", depth + 1))
                    elif entry.is_file(follow_symlinks=False):
                        if len(found) == MOST:
                            return tuple(found), f"there are more than {MOST} files: the others are not looked at"
                        with contextlib.suppress(FileNotFoundError):
                            status = entry.stat(follow_symlinks=False)
                            name = prefix + entry.name
                            found.append(Entry(name, status.st_size, status.st_mtime_ns, status.st_ino))
        except OSError as error:
            if path == folder:
                raise Invalid(f"{folder} cannot be read: {error.strerror}", hint="Is it mounted?") from None
            left_out = f"{path} cannot be read: {error.strerror}"
    return tuple(sorted(found, key=lambda entry: entry.name)), left_out


def is_being_written(path: Path) -> bool:
    """Whether some process of this machine has it open for writing, as far as the kernel tells us.

    A read lease (fcntl(2), F_SETLEASE) is refused while anybody has. It is given back at once; SIGURG, which does
    nothing, is what a writer that comes in between would cause in place of SIGIO, which ends a process.
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False  # another's file, or a file system without leases: the looks alone decide
    finally:
        os.close(descriptor)
    return False


class Changed(Exception):
    """The file of that name is another one by now, or was written to."""


def read_whole(folder: Path, entry: Entry, most: int) -> bytes:
    """A file directly in the folder, as it was looked at.

    Raises Changed, and Invalid where it is no file, is a link, or is larger than ``most`` bytes.
    """
    name = entry.name
    with _opened(folder) as directory:
        try:
            descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
            with os.fdopen(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise Invalid(f"{name} is not a regular file")
                data = file.read(most + 1)
                if not _is_same(os.fstat(descriptor), entry):
                    raise Changed
        except OSError as error:
            raise Invalid(f"{name} cannot be read: {error.strerror}") from None
    if len(data) > most:
        raise Invalid(f"{name} is larger than {most} bytes: that is no list")
    return data


def put_away(folder: Path, entry: Entry, where: Put, report: Mapping[str, object], now: datetime) -> None:
    """Moves the file as it was read into ``done`` or ``refused`` below the folder, with the report beside it.

    One of that name that is there already keeps it: the new one gets the instant into its name. Where another file has
    its name by now, or none, nothing is moved. Raises Invalid.
    """
    name = entry.name
    try:
        with _opened(folder) as directory, _opened_below(directory, where) as target:
            there = _free_name(target, name, now)
            _write(target, f"{there}.report.json", report)
            if _is_there(directory, entry):
                os.rename(name, there, src_dir_fd=directory, dst_dir_fd=target)
            else:
                os.unlink(f"{there}.report.json", dir_fd=target)
    except OSError as error:
        raise _cannot_put(name, folder, where, error.strerror) from None


def check_room(folder: Path, name: str, where: Put) -> None:
    """Raises Invalid where ``put_away`` would, as far as can be told without doing it."""
    try:
        with _opened(folder) as directory, _opened_below(directory, where) as target:
            for descriptor in (directory, target):
                if not os.access(".", os.W_OK | os.X_OK, dir_fd=descriptor, effective_ids=True):
                    raise _cannot_put(name, folder, where, "no right to write there")
    except OSError as error:
        raise _cannot_put(name, folder, where, error.strerror) from None


def _cannot_put(name: str, folder: Path, where: Put, why: str | None) -> Invalid:
    return Invalid(f"{name} cannot be put into {folder}/{where}: {why}", hint="Let the supervisor's user write there.")


def _is_there(directory: int, entry: Entry) -> bool:
    try:
        return _is_same(os.stat(entry.name, dir_fd=directory, follow_symlinks=False), entry)
    except FileNotFoundError:
        return False


def _is_same(status: os.stat_result, entry: Entry) -> bool:
    return (status.st_ino, status.st_size, status.st_mtime_ns) == (entry.inode, *entry.stamp)


@contextlib.contextmanager
def _opened_below(directory: int, where: Put) -> Generator[int]:
    """The folder of that name, made where there is none. Raises OSError."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(where, 0o755, dir_fd=directory)
    target = os.open(where, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    try:
        yield target
    finally:
        os.close(target)


@contextlib.contextmanager
def _opened(folder: Path) -> Generator[int]:
    try:
        directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise Invalid(f"{folder} cannot be read: {error.strerror}") from None
    try:
        yield directory
    finally:
        os.close(directory)


def _free_name(directory: int, name: str, now: datetime) -> str:
    stem, dot, suffix = name.rpartition(".")
    stamp = f"{now:%Y%m%dT%H%M%S.%fZ}"
    dated = f"{stem}.{stamp}.{suffix}" if dot and stem else f"{name}.{stamp}"
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return name
    return dated


def _write(directory: int, name: str, report: Mapping[str, object]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, 0o644, dir_fd=directory)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1, ensure_ascii=False)
        file.write("\n")
