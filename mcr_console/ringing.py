"""What rings until somebody acknowledges it: the terminal's bell, a notification of the desktop, a command."""

import asyncio
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mcr_console.condition import condition
from mcr_console.drawing.attention import is_shelved
from mcr_console.safe_text import safe
from mcr_console.wall_state import WallState

RING_S: Final = 10.0
COMMAND_S: Final = 10.0
"""Seconds after which a command that does not end is ended."""
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Means:
    """``notify``: which of the two sequences the terminal knows. ``command`` gets the words as its last argument."""

    bell: bool = True
    notify: str = "9"
    command: tuple[str, ...] = ()
    fault: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Means":
        """``MCR_BELL=0``, ``MCR_NOTIFY=9|777|off``, ``MCR_RING_COMMAND``. What cannot be read is told in ``fault``."""
        notify = environ.get("MCR_NOTIFY", "9")
        fault = "" if notify in {"9", "777", "off"} else f"MCR_NOTIFY is 9, 777 or off, not {notify!r}"
        try:
            command = tuple(shlex.split(environ.get("MCR_RING_COMMAND", "")))
        except ValueError as error:
            command, fault = (), f"MCR_RING_COMMAND cannot be read: {error}"
        return cls(environ.get("MCR_BELL", "1") != "0", "off" if fault else notify, command, fault)


def loud(wall: WallState, now: datetime) -> tuple[str, ...]:
    """What rings: critical alarms, and channels off air that should be on, that nobody acknowledged or put aside."""
    found: list[str] = []
    silenced: set[str | None] = set()
    for alarm in wall.alarms:
        if alarm.severity != "critical":
            continue
        if alarm.acknowledged_at is not None or is_shelved(alarm, now):
            silenced.add(alarm.channel_id)
        else:
            found.append(alarm.text)
    told = {alarm.channel_id for alarm in wall.alarms if alarm.severity == "critical"} | silenced
    for channel_id in wall.order:
        state = wall.channels[channel_id]
        if channel_id not in told and condition(state).tally == "off_air":
            found.append(f"{state.channel.name} should be on air and is not")
    return tuple(found)


class Ringing:
    """Every ten seconds while anything is loud, and at once when something new is. Nothing rings from old news."""

    def __init__(self) -> None:
        self._known: frozenset[str] = frozenset()
        self._next_at = 0.0

    def due(self, wall: WallState, now: datetime, at: float) -> str:
        """What to ring for at monotonic second ``at``; empty for nothing."""
        if wall.stale(at):
            return ""
        found = list(loud(wall, now))
        new = frozenset(found) - self._known
        self._known = frozenset(found)
        if not found or (at < self._next_at and not new):
            return ""
        self._next_at = at + RING_S
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        return f"{found[0]}{more}"


def sequence(notify: str, text: str) -> str:
    """What makes a terminal show a notification of the desktop; nothing in ``text`` can end it early."""
    words = safe(text).replace(";", ",")[:_LONGEST]
    match notify:
        case "9":
            return f"\x1b]9;MCR: {words}\x07"
        case "777":
            return f"\x1b]777;notify;MCR;{words}\x07"
        case _:
            return ""


async def run_command(command: tuple[str, ...], text: str) -> str:
    """Runs it with the words behind, without a shell. Returns what went wrong; empty when nothing did."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            safe(text),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        return f"the ring command cannot be run: {error.strerror or error}"
    try:
        async with asyncio.timeout(COMMAND_S):
            code = await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        return f"the ring command did not end within {COMMAND_S:.0f} s"
    return f"the ring command ended with code {code}" if code else ""
