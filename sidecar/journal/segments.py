"""The files of one run: lines go in whole or not at all, and are on the disk when ``append`` returns."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

SEGMENT_BYTES = 1 << 20
"""A segment that has grown to this is followed by another, so that readers need not read a whole run."""
SUFFIX = ".jsonl"


class SegmentWriter:
    """Appends to ``<directory>/<first seq>.<try>.jsonl``; used by the journal's thread alone.

    Every method may raise OSError. After a failed write the file is cut back to its last whole line; where even that
    fails, the next lines go to a new segment, and readers pass over what was torn and over what comes twice.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._fd: int | None = None
        self._good = 0  # bytes up to here are on the disk

    def append(self, lines: Sequence[bytes], first_seq: int) -> None:
        """Writes and flushes ``lines``, the first of which has number ``first_seq``."""
        fd = self._writable(first_seq)
        data = b"".join(lines)
        try:
            _write_all(fd, data)
            os.fdatasync(fd)
        except OSError:
            self._cut_back(fd)
            raise
        self._good += len(data)

    def close(self) -> None:
        if self._fd is not None:
            fd, self._fd = self._fd, None
            os.close(fd)

    def _writable(self, first_seq: int) -> int:
        fd = self._fd
        if fd is not None and self._good < SEGMENT_BYTES and os.fstat(fd).st_nlink > 0:
            return fd
        self.close()
        self._make_directory()
        attempt = 0
        while True:
            path = self._directory / f"{first_seq:012d}.{attempt}{SUFFIX}"
            try:
                fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
            except FileExistsError:
                attempt += 1
            else:
                break
        self._fd, self._good = fd, 0
        _sync_directory(self._directory)
        return fd

    def _make_directory(self) -> None:
        if self._directory.is_dir():
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        _sync_directory(self._directory.parent)

    def _cut_back(self, fd: int) -> None:
        try:
            os.ftruncate(fd, self._good)
        except OSError:
            with contextlib.suppress(OSError):  # the caller raises the cause; this file is not written to again
                self.close()
            self._fd = None


class Ballast:
    """Room set aside on the journal's disk, given back when the disk is full, so that the run's end can be written."""

    def __init__(self, path: Path, size: int = 1 << 20) -> None:
        self._path = path
        self._size = size

    def set_aside(self) -> None:
        """Raises OSError when there is no room for it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            os.posix_fallocate(fd, 0, self._size)
        except OSError:
            self._path.unlink(missing_ok=True)
            raise
        finally:
            os.close(fd)

    def release(self) -> bool:
        """True when there was something to give back."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _sync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
