"""A DeckLink driver without a card, for tests: ports are files, and busy is what it is with a real one.

``MCR_DECKLINK_STAND_IN`` names the directory, which may be that of ``MCR_BLACKMAGIC_DIR``: its files ``dv0…`` and
``io0…`` are the ports, counted from 1, ``dv`` before ``io``. Beside a port's file ``io0`` lie ``io0.holder``, touched
while somebody holds it, ``io0.down``, the process whose output a second opening took down, and ``io0.frames``, what was
written. A file ``stand-in.json`` holds ``StandInBehaviour``.
"""

import fcntl
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from sidecar.outputs.decklink import PortBusy, PortMissing
from sidecar.outputs.packet import Batch

VARIABLE: Final = "MCR_DECKLINK_STAND_IN"
BEHAVIOUR: Final = "stand-in.json"
_PORT: Final = re.compile(r"(dv|io)([0-9]{1,3})", re.ASCII)


class StandInBehaviour(Struct, frozen=True, forbid_unknown_fields=True):
    """``settle_s``: how long a port stays busy after its holder closed it or was killed. ``newcomer_kills``: opening a
    busy port fails, and takes the output of its holder down (CasparCG #1012). ``log_frames``: every picture written is
    a line of JSON, ``StandInFrame``."""

    settle_s: float = 0.0
    newcomer_kills: bool = False
    log_frames: bool = False


class StandInFrame(Struct, frozen=True):
    """``at`` in monotonic seconds; ``frame`` is the run's frame number."""

    at: float
    pid: int
    frame: int


class StandInDriver:
    """A ``DeckLinkDriver``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def open(self, index: int) -> "StandInPort":
        """As in ``DeckLinkDriver``."""
        names = sorted((m[1], int(m[2])) for it in self._directory.iterdir() if (m := _PORT.fullmatch(it.name)))
        if not 1 <= index <= len(names):
            raise PortMissing(index)
        kind, number = names[index - 1]
        return StandInPort(self._directory / f"{kind}{number}", index, _behaviour(self._directory))


class StandInPort:
    """A ``DeckLinkPort``: an exclusive lock on the port's file, which the kernel gives back with the process."""

    def __init__(self, path: Path, index: int, behaviour: StandInBehaviour) -> None:
        """Raises PortBusy."""
        self._behaviour = behaviour
        self._holder, self._down = path.with_name(f"{path.name}.holder"), path.with_name(f"{path.name}.down")
        self._frames = path.with_name(f"{path.name}.frames")
        self._file = path.open("rb")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            if behaviour.newcomer_kills:
                self._down.write_text(_read(self._holder))
            raise PortBusy(index) from None
        if time.time() - _touched(self._holder) < behaviour.settle_s:
            self._file.close()
            raise PortBusy(index)
        self._down.unlink(missing_ok=True)
        self._holder.write_text(str(os.getpid()))

    def write(self, batch: Batch) -> int:
        """As in ``DeckLinkPort``."""
        if _read(self._down) == str(os.getpid()):
            raise OSError("the card's output was taken down by another that was opened on the same port")
        os.utime(self._holder)
        if self._behaviour.log_frames:
            seen = [StandInFrame(time.monotonic(), os.getpid(), packet.pts) for packet in batch if packet.is_video]
            with self._frames.open("ab", buffering=0) as log:
                log.write(b"".join(msgspec.json.encode(frame) + b"\n" for frame in seen))
        return sum(len(packet.data) for packet in batch)

    def close(self) -> None:
        """As in ``DeckLinkPort``."""
        if not self._file.closed:
            os.utime(self._holder)
            self._file.close()


def stand_in_driver(environment: Mapping[str, str]) -> StandInDriver | None:
    """None where the environment names none."""
    directory = environment.get(VARIABLE)
    return StandInDriver(Path(directory)) if directory else None


def _behaviour(directory: Path) -> StandInBehaviour:
    try:
        return msgspec.json.decode((directory / BEHAVIOUR).read_bytes(), type=StandInBehaviour)
    except FileNotFoundError:
        return StandInBehaviour()


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def _touched(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
