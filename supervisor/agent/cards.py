"""The DeckLink ports of a machine, as the driver shows them: ``/dev/blackmagic/dv0…`` and ``io0…``.

``MCR_BLACKMAGIC_DIR`` names another directory, whose files stand in for cards: the first line of such a file is the
model and the second its persistent id. Of a real card the driver's files tell neither; the program that captures for
recorders tells the names.
"""

import os
import re
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from sidecar.protocol.card_program import (
    LOOK_S,
    PROGRAM,
    Listing,
    listing_arguments,
    listing_of,
    no_program,
    port_of,
    program_name,
)
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
_ASK_AGAIN: Final = 300.0
"""Seconds after which the program that captures is asked again while nothing changes: Desktop Video may be updated."""
_MOST_SAID: Final = 64 << 10


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


def listed(environment: Mapping[str, str]) -> Listing:
    """What the program that captures says of this machine's inputs. Blocks for at most ``LOOK_S``."""
    program = program_name(environment)
    try:
        done = subprocess.run(  # noqa: S603 - the administrator's own program, and no shell
            listing_arguments(program), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=LOOK_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Listing(fault=f"{program!r} did not say within {LOOK_S:.0f} s which DeckLink inputs there are")
    except FileNotFoundError:
        return Listing(fault=no_program(program))
    except OSError as error:
        return Listing(fault=f"{program!r} cannot be started: {error.strerror}")
    return listing_of(program, done.stdout[:_MOST_SAID].decode(errors="replace"))


def with_names(devices: tuple[Device, ...], listing: Listing, environment: Mapping[str, str]) -> tuple[Device, ...]:
    """The ports by the names that the program gives them, where it counts as many as there are."""
    if len(listing.ports) != len(devices):
        return devices
    named = [(device, port_of(device.index, listing, environment)) for device in devices]
    return tuple(device if port is None else replace(device, model=port.shown) for device, port in named)


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
    """What was seen at the last look. ``capture_fault``: why no recorder captures from a card here; empty when it can,
    None while that is not known."""

    def __init__(self, clock: Clock, environment: Mapping[str, str] = os.environ) -> None:
        self._clock = clock
        self._environment = environment
        self._directory = card_directory()
        self._threads = Threads("looks at cards", places=1)
        self._found: tuple[Device, ...] = ()
        self._listing = Listing()
        self._asked: tuple[float, int] | None = None
        """When the program was asked, on our monotonic clock, and how many ports there were then."""
        self.seen: tuple[Device, ...] = ()
        self.capture_fault: str | None = None

    async def look(self) -> None:
        """Keeps what was seen before when the look does not come back."""
        try:
            self._found = await self._threads.run(_LOOK, cards_in, self._directory)
        except (TimeoutError, Unavailable, OSError) as error:
            log.warning("the cards could not be looked at", directory=str(self._directory), why=repr(error))
        self._show()

    async def keep_looking(self) -> None:
        """Until cancelled."""
        while True:
            await self.ask()
            await self._clock.sleep(_AGAIN)
            await self.look()

    async def ask(self) -> None:
        """The program that captures, where there is a card, or somebody names a program."""
        now, ports = self._clock.monotonic(), len(self._found)
        if not ports and PROGRAM not in self._environment:
            self._asked = None
            self.capture_fault = f"no Blackmagic card is in that machine: no {self._directory}"
            return
        if self._asked is not None and self._asked[1] == ports and now - self._asked[0] < _ASK_AGAIN:
            return
        try:
            self._listing = await self._threads.run(LOOK_S + _LOOK, listed, self._environment)
        except (TimeoutError, Unavailable, OSError) as error:
            log.warning("the program that captures from cards could not be asked", why=repr(error))
            return
        self._asked = (now, ports)
        was, self.capture_fault = self.capture_fault, self._listing.fault
        if self.capture_fault and self.capture_fault != was:
            # Many stations have cards and no recorder of one: they need not hear it every time.
            log.info("no recorder captures from a card here", why=self.capture_fault)
        self._show()

    def _show(self) -> None:
        self.seen = with_names(self._found, self._listing, self._environment)
