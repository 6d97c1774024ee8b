"""What must lie on the disk before a sidecar is started, and the environment it is started with."""

import os
import secrets
import shutil
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

import sidecar
from sidecar.protocol.card_program import VARIABLES as CARD_VARIABLES
from supervisor.agent.interface import StartOrder
from supervisor.agent.launcher import Launch
from supervisor.agent.memory import Handle, Memory

TOKEN: Final = "MCR_TOKEN"  # noqa: S105 - the name of a variable
_KEEP_STATE_DIRS: Final = 10


@dataclass(frozen=True, slots=True)
class Directories:
    """Where this node's sidecars keep their state, their journals and their media."""

    sidecars: Path
    journal: Path
    media: Path


def new_handle(order: StartOrder, directories: Directories) -> Handle:
    """With a token of its own, and no process yet."""
    return Handle(
        order.channel_id,
        order.epoch,
        secrets.token_urlsafe(32),
        str(_state_dir(order.channel_id, order.epoch, directories)),
        None,
    )


def remembered(channel_id: str, epoch: int, memory: Memory, directories: Directories) -> Handle:
    """The handle as it was written; of one that is broken, what its name tells: no process, and no token. Blocks."""
    whole = memory.read(channel_id, epoch)
    return whole or Handle(channel_id, epoch, "", str(_state_dir(channel_id, epoch, directories)), None)


def prepare(
    order: StartOrder, handle: Handle, memory: Memory, directories: Directories, living: Set[int] = frozenset()
) -> None:
    """Epoch first, then the handle, then the rest. ``living``: epochs of the channel whose sidecars run on.

    Blocks; raises OSError.
    """
    memory.raise_epoch(order.channel_id, order.epoch)
    memory.put(handle)
    for channel_id, epoch in memory.names():
        if channel_id == order.channel_id and epoch < order.epoch and epoch not in living:
            memory.drop(channel_id, epoch)
    state_dir = Path(handle.state_dir)
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directories.journal / order.channel_id).mkdir(mode=0o700, parents=True, exist_ok=True)
    (state_dir / "document.json").write_bytes(msgspec.json.encode(order.document))
    _prune(state_dir.parent, order.epoch, living)


def launch_of(
    handle: Handle, program: tuple[str, ...], directories: Directories, *, decklink: bool = False, records: bool = False
) -> Launch:
    state_dir = Path(handle.state_dir)
    return Launch(
        argv=program,
        environment={
            **identifying(handle),
            TOKEN: handle.token,
            "MCR_DOCUMENT": str(state_dir / "document.json"),
            "MCR_JOURNAL_DIR": str(directories.journal / handle.channel_id),
            "MCR_MEDIA_ROOT": str(directories.media),
            **program_environment(),
        },
        directory=str(state_dir),
        log=str(state_dir / "sidecar.log"),
        writes=(
            str(directories.journal / handle.channel_id),
            str(directories.media / "live" / handle.channel_id),
            *((str(directories.media / "recordings" / handle.channel_id),) if records else ()),
        ),
        reads=(str(directories.media),),
        decklink=decklink,
    )


def identifying(handle: Handle) -> dict[str, str]:
    """The part of the environment by which the process can be found again."""
    return {"CHANNEL_ID": handle.channel_id, "MCR_EPOCH": str(handle.epoch), "MCR_STATE_DIR": handle.state_dir}


def program_environment() -> dict[str, str]:
    """What every sidecar's environment has, whatever it plays."""
    given = {name: os.environ.get(name) for name in ("MCR_CA_FILE", *CARD_VARIABLES)}
    return {"PYTHONPATH": _python_path(), **{name: value for name, value in given.items() if value}}


def _state_dir(channel_id: str, epoch: int, directories: Directories) -> Path:
    return directories.sidecars / channel_id / str(epoch)


def _python_path() -> str:
    """Makes the child find the very packages this process runs, whatever directory it starts in."""
    ours = str(Path(sidecar.__path__[0]).parent)
    given = os.environ.get("PYTHONPATH")
    return f"{ours}{os.pathsep}{given}" if given else ours


def _prune(channel_dir: Path, epoch: int, living: Set[int]) -> None:
    """Removes the state directories of epochs long gone, so that the disk does not fill with logs."""
    for entry in channel_dir.iterdir():
        old = entry.name.isdigit() and int(entry.name) <= epoch - _KEEP_STATE_DIRS
        if old and int(entry.name) not in living:
            shutil.rmtree(entry, ignore_errors=True)
