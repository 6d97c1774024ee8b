"""What the agent remembers on disk: the highest epoch of every channel, and the handles of what it started."""

from pathlib import Path
from typing import Final

import msgspec
import structlog

from supervisor.agent.launcher import ContainerIdentity, Identity, ProcessIdentity
from supervisor.errors import Invalid
from supervisor.files import read_or_make_id, write_whole

log = structlog.get_logger(__name__)


class Handle(msgspec.Struct, frozen=True):
    """One started sidecar: a ``process`` or a ``container``; neither when this was written just before the start."""

    channel_id: str
    epoch: int
    token: str
    state_dir: str
    process: ProcessIdentity | None
    container: ContainerIdentity | None = None

    @property
    def identity(self) -> Identity | None:
        return self.process or self.container

    def of(self, identity: Identity) -> "Handle":
        """This handle, of what was started."""
        if isinstance(identity, ProcessIdentity):
            return msgspec.structs.replace(self, process=identity)
        return msgspec.structs.replace(self, container=identity)


class Damaged(Exception):
    """A file of the agent's memory cannot be read; it says which and what to do."""


_SUFFIX: Final = ".json"


class Memory:
    """Files below ``directory``: ``epochs/<channel>``, ``handles/<channel>-<epoch>.json``, ``term``, ``incarnation``,
    ``cluster``.

    Every write is fsynced.

    All methods block on the disk: for a worker thread. Callers never run two for one channel at once.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._epochs = directory / "epochs"
        self._handles = directory / "handles"
        for path in (self._epochs, self._handles):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def highest(self, channel_id: str) -> int:
        """The highest epoch ever started here; 0 for none. Raises Damaged: nothing may then be started."""
        path = self._epochs / channel_id
        try:
            text = path.read_text()
        except FileNotFoundError:
            return 0
        if not text.strip().isdigit():
            raise Damaged(f"{path} does not hold an epoch: write the channel's highest epoch into it")
        return int(text)

    def raise_epoch(self, channel_id: str, epoch: int) -> None:
        write_whole(self._epochs / channel_id, b"%d\n" % epoch)

    def term(self) -> int:
        """The highest term kept; 0 for none, and for one that cannot be read, which the next order replaces."""
        path = self._directory / "term"
        try:
            return int(path.read_text("ascii"))
        except FileNotFoundError:
            return 0
        except (OSError, ValueError) as error:
            log.warning(
                "the highest term cannot be read: an older leader would be obeyed", path=str(path), why=str(error)
            )
            return 0

    def raise_term(self, term: int) -> None:
        write_whole(self._directory / "term", b"%d\n" % term)

    def cluster(self) -> str:
        """The id of the cluster that this agent belongs to; empty for none yet, and for one that cannot be read."""
        path = self._directory / "cluster"
        try:
            text = path.read_text("ascii").strip()
        except FileNotFoundError:
            return ""
        except (OSError, ValueError) as error:
            log.warning("which cluster this agent belongs to cannot be read", path=str(path), why=str(error))
            return ""
        return text

    def keep_cluster(self, cluster: str) -> None:
        write_whole(self._directory / "cluster", f"{cluster}\n".encode())

    def incarnation(self) -> str:
        """The name of this memory, made once: another one is another node. Raises OSError."""
        path = self._directory / "incarnation"
        try:
            return read_or_make_id(path)
        except Invalid as error:
            # No order is refused because of a name: this is another node from now on, and whoever leads is told so.
            log.warning("this memory's name cannot be read and is made anew", path=str(path), why=str(error))
            path.unlink()
            return read_or_make_id(path)

    def put(self, handle: Handle) -> None:
        write_whole(self._path(handle.channel_id, handle.epoch), msgspec.json.encode(handle))

    def complete(self, handle: Handle) -> None:
        """Adds what was started to the handle that was put before the start, which finds it again too: a full disk
        is no reason not to watch what runs."""
        try:
            self.put(handle)
        except OSError as error:
            log.warning("a sidecar's handle is not complete", channel=handle.channel_id, why=str(error))

    def drop(self, channel_id: str, epoch: int) -> None:
        self._path(channel_id, epoch).unlink(missing_ok=True)

    def names(self) -> tuple[tuple[str, int], ...]:
        """(channel id, epoch) of every handle, whole or not: a file's name outlives its content."""
        found: list[tuple[str, int]] = []
        for path in sorted(self._handles.glob(f"*{_SUFFIX}")):
            channel_id, _, epoch = path.stem.rpartition("-")
            if channel_id and epoch.isdecimal():
                found.append((channel_id, int(epoch)))
            else:
                log.warning("a file among the handles is none", path=str(path))
        return tuple(found)

    def read(self, channel_id: str, epoch: int) -> Handle | None:
        """None for a handle that is broken or not there; which is logged."""
        path = self._path(channel_id, epoch)
        try:
            return msgspec.json.decode(path.read_bytes(), type=Handle)
        except (OSError, msgspec.MsgspecError) as error:
            log.warning("a handle cannot be read", path=str(path), why=str(error))
            return None

    def handles(self) -> tuple[Handle, ...]:
        """All that are whole."""
        return tuple(handle for name in self.names() if (handle := self.read(*name)) is not None)

    def _path(self, channel_id: str, epoch: int) -> Path:
        return self._handles / f"{channel_id}-{epoch}{_SUFFIX}"
