"""What a recording gets when it is whole: its checksum and a picture beside it. Also one that was cut short."""

import hashlib
import logging
import stat
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
from av.error import FFmpegError

from sidecar.engine.thumbnail import Thumbnailer
from sidecar.recorder.fragments import ENDING, hidden_of

CHECKSUM: Final = ".sha256"
PICTURE: Final = ".jpg"
LEFT_AFTER_S: Final = 10.0
"""A file that nobody has written to for so long, nobody writes any more."""
_CHUNK: Final = 1 << 20
_DIGITS: Final = 64
"""Of a SHA-256, which its file's name follows."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Mended:
    """A recording that was cut short: ``pictures`` is how many can be read of it."""

    path: Path
    bytes: int
    digest: str
    pictures: int


class Finishing:
    """One file after the other, on a thread of its own. ``mended`` is called there for each that was cut short."""

    def __init__(self, mended: Callable[[Mended], None] = lambda _: None) -> None:
        self._mended = mended
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="finishing")
        self._jobs: set[Future[None]] = set()
        self._lock = threading.Lock()

    def finish(self, path: Path, digest: str) -> None:
        """Returns at once."""
        self._do(lambda: _finish(path, digest))

    def mend(self, folder: Path, now: float, began: float) -> None:
        """Returns at once: what an earlier run of this recorder left without a checksum gets one.

        ``now`` and ``began``, when this run did, are UTC: what was written to since is not an earlier run's.
        """
        self._do(lambda: _mend(folder, now, began, self._mended))

    def wait(self, timeout: float) -> bool:
        """Whether all is done."""
        with self._lock:
            jobs = set(self._jobs)
        return not wait(jobs, timeout).not_done

    def _do(self, work: Callable[[], None]) -> None:
        job = self._executor.submit(work)
        with self._lock:
            self._jobs = {one for one in self._jobs if not one.done()} | {job}
        job.add_done_callback(_logged)


def _logged(job: "Future[None]") -> None:
    error = job.exception()
    if error is not None:
        log.error("a recording could not be finished: %r", error)


def _mend(folder: Path, now: float, began: float, mended: Callable[[Mended], None]) -> None:
    for path in sorted(folder.rglob(f"*{ENDING}")) if folder.is_dir() else ():
        try:
            if _was_left(path, now, began):
                mended(_mended(path))
        except OSError as error:  # it was taken away meanwhile, or cannot be read
            log.warning("%s was left unfinished by an earlier run, and stays so: %s", path, error)
    for left in folder.rglob(f".*{ENDING}.new") if folder.is_dir() else ():
        try:
            written = left.stat().st_mtime
            if now - written > LEFT_AFTER_S and written <= began:
                left.unlink(missing_ok=True)  # it never had a whole fragment
        except OSError as error:
            log.warning("%s cannot be taken away: %s", left, error)


def _was_left(path: Path, now: float, began: float) -> bool:
    """A file, and no folder that a title named so, without a whole checksum and written to by no run that may live."""
    seen = path.lstat()
    if not stat.S_ISREG(seen.st_mode) or _has_checksum(path):
        return False
    return now - seen.st_mtime >= LEFT_AFTER_S and seen.st_mtime <= began


def _has_checksum(path: Path) -> bool:
    """Not one that a kill or a power cut left empty."""
    try:
        return path.with_name(path.name + CHECKSUM).stat().st_size > _DIGITS
    except FileNotFoundError:
        return False


def _mended(path: Path) -> Mended:
    log.warning("an earlier run left a recording unfinished: %s", path)
    if path.stat().st_size == 0 and hidden_of(path).exists():
        hidden_of(path).replace(path)  # it was killed with its name claimed
    digest = _digest_of(path)
    _finish(path, digest)
    return Mended(path, path.stat().st_size, digest, _pictures_in(path))


def _finish(path: Path, digest: str) -> None:
    path.with_name(path.name + CHECKSUM).write_text(f"{digest}  {path.name}\n", encoding="utf-8")
    try:
        first = _first_picture(path)
        if first is not None:
            path.with_name(path.name + PICTURE).write_bytes(Thumbnailer(lambda: first).jpeg())
    except (FFmpegError, OSError, ValueError) as error:
        log.warning("no picture could be made of %s: %s", path, error)


def _first_picture(path: Path) -> av.VideoFrame | None:
    with av.open(str(path)) as recording:
        return next(recording.decode(video=0), None)


def _pictures_in(path: Path) -> int:
    """How many whole ones."""
    pictures = 0
    try:
        with av.open(str(path)) as recording:
            for packet in recording.demux(video=0):
                pictures += packet.size > 0
    except (FFmpegError, OSError, ValueError) as error:
        log.warning("%s ends in the middle of a picture: %s", path, error)
    return pictures


def _digest_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            time.sleep(0)
    return digest.hexdigest()
