"""Takes a run's journal off this node's disk, where the log has all of it and a later run follows from it."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from sidecar.protocol.asrun import chain_hash, whole_lines
from supervisor.agent.journals import ID, first_epoch

log = structlog.get_logger(__name__)

_GONE: Final = ".gone"


@dataclass(frozen=True, slots=True)
class WholeRun:
    """The log has this run up to ``last_seq``, whose line has the hash ``last_hash``: what a next one would follow."""

    channel_id: str
    run_id: str
    last_seq: int
    last_hash: str


def drop_journal(root: Path, run: WholeRun) -> str:
    """Why it stays; empty: it is not here any more. Blocks on the disk; raises OSError, and then it is here still.

    The end of the journal itself has to be the log's, so that what the log does not have stays. The newest run of a
    channel stays, too: the next one takes the end of its chain from it.
    """
    channel = root / run.channel_id
    directory = channel / run.run_id
    if directory.is_symlink():
        return "it is a link, which nobody here made"
    if not directory.is_dir():
        # Where a later run of the channel should be, too, nothing is known of this one.
        return "" if channel.is_dir() else "there are no journals of its channel here: is their disk mounted?"
    end = _end_of(directory)
    if end is None:
        return "nothing of it can be read here"
    seq, digest, epoch = end
    if seq != run.last_seq:
        return f"it ends with record {seq} here, and with {run.last_seq} in the log"
    if digest != run.last_hash:
        return f"its record {seq} is another here than in the log"
    if not any(first_epoch(other) > epoch for other in _others(channel, run.run_id)):
        return "it is the channel's newest here, from which the next run follows"
    _take_out(root, directory, f"{run.channel_id}.{run.run_id}")
    return ""


def sweep(root: Path) -> None:
    """What an earlier call took out and could not take away is tried again. Blocks on the disk."""
    gone = root / _GONE
    try:
        left = [] if gone.is_symlink() else list(gone.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        log.warning("what is left of journals cannot be listed", why=str(error))
        return
    for directory in left:
        _take_away(directory)


def _take_out(root: Path, directory: Path, name: str) -> None:
    """By one rename, so that no half of a journal is ever found; nor by a sidecar that starts just now."""
    gone = root / _GONE
    gone.mkdir(mode=0o700, exist_ok=True)
    if gone.is_symlink():
        raise OSError(f"{gone} is a link, which nobody here made: what is behind it is not ours to take away")
    target = gone / name
    if target.exists():
        shutil.rmtree(target)
    directory.rename(target)
    for path in (directory.parent, gone):
        _sync(path)
    _take_away(target)


def _take_away(directory: Path) -> None:
    try:
        shutil.rmtree(directory)
    except OSError as error:
        log.warning("a journal that is needed no more still takes room", path=str(directory), why=str(error))


def _end_of(directory: Path) -> tuple[int, str, int] | None:
    """Number, hash and epoch of its last whole record."""
    for segment in sorted(directory.glob("*.jsonl"), reverse=True):
        newest: tuple[int, str, int] | None = None
        for line, record in whole_lines(segment.read_bytes()):
            if newest is None or record.seq > newest[0]:
                newest = record.seq, chain_hash(line), record.epoch
        if newest is not None:
            return newest
    return None


def _others(channel: Path, run_id: str) -> Iterator[Path]:
    with os.scandir(channel) as entries:
        for entry in entries:
            if entry.name != run_id and ID.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                yield channel / entry.name


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
