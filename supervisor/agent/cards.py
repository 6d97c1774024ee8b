"""The DeckLink ports of a machine, as the driver shows them: ``/dev/blackmagic/dv0…`` and ``io0…``.

``MCR_BLACKMAGIC_DIR`` names another directory, whose files stand in for cards: the first line of such a file is the
model and the second its persistent id. Of a real card the driver's files tell neither.
"""

import os
import re
import stat
from pathlib import Path
from typing import Final

import structlog

from supervisor.agent.interface import Device
from supervisor.clock import Clock
from supervisor.errors import Unavailable
from supervisor.threads import Threads

log = structlog.get_logger(__name__)

_NAME: Final = re.compile(r"(dv|io)([0-9]{1,3})", re.ASCII)
_STAND_IN: Final = 400
"""Bytes read of a file that stands in for a card."""
_AGAIN: Final = 5.0
"""Seconds from one look to the next: cards are not plugged while a machine runs, and a look costs a walk over /proc."""
_LOOK: Final = 2.0
"""Seconds that a look may take."""


def card_directory() -> Path:
    return Path(os.environ.get("MCR_BLACKMAGIC_DIR") or "/dev/blackmagic")


def cards_in(directory: Path, proc: Path = Path("/proc")) -> tuple[Device, ...]:
    """The ports in ``directory``, older cards (``dv``) before newer ones (``io``), counted from 1; none without it.

    ``busy`` is told of processes that this user may look into. Blocks.
    """
    try:
        named = [(match[1], int(match[2])) for it in directory.iterdir() if (match := _NAME.fullmatch(it.name))]
    except OSError:
        return ()
    paths = [directory / f"{kind}{number}" for kind, number in sorted(named)]
    busy = _open_somewhere({os.path.realpath(path) for path in paths}, proc) if paths else frozenset[str]()
    return tuple(_device(index, path, busy) for index, path in enumerate(paths, start=1))


def _device(index: int, path: Path, busy: frozenset[str]) -> Device:
    model, persistent_id = f"Blackmagic {path.name}", None
    try:
        if stat.S_ISREG(path.stat().st_mode):
            with path.open("rb") as file:
                lines = file.read(_STAND_IN).decode("utf-8", "replace").splitlines()
            model = (lines[0].strip() if lines else "") or model
            persistent_id = (lines[1].strip() if len(lines) > 1 else "") or None
    except OSError as error:
        log.warning("a card cannot be looked at", path=str(path), why=str(error))
    return Device(index, model, persistent_id, os.path.realpath(path) in busy)


def _open_somewhere(paths: set[str], proc: Path) -> frozenset[str]:
    found: set[str] = set()
    for process in proc.iterdir():
        if not process.name.isdigit():
            continue
        try:
            with os.scandir(process / "fd") as descriptors:
                for descriptor in descriptors:
                    found |= paths & {_target(descriptor.path)}
        except OSError:
            continue  # gone since, or another user's
    return frozenset(found)


def _target(link: str) -> str:
    try:
        return os.readlink(link)  # noqa: PTH115 - the text of the link, not a path
    except OSError:
        return ""


class Cards:
    """What was seen at the last look."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._directory = card_directory()
        self._threads = Threads("looks at cards", places=1)
        self.seen: tuple[Device, ...] = ()

    async def look(self) -> None:
        """Keeps what was seen before when the look does not come back."""
        try:
            self.seen = await self._threads.run(_LOOK, cards_in, self._directory)
        except (TimeoutError, Unavailable, OSError) as error:
            log.warning("the cards could not be looked at", directory=str(self._directory), why=repr(error))

    async def keep_looking(self) -> None:
        """Until cancelled."""
        while True:
            await self._clock.sleep(_AGAIN)
            await self.look()
