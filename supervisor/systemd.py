"""What a service tells systemd (sd_notify(3)): that it is ready, that it still passes over everything, that it ends."""

import os
import socket
from collections.abc import Callable
from typing import Final

import structlog

from supervisor.clock import Clock

_IDLE_S: Final = 3600.0

_log = structlog.get_logger(__name__)


class ServiceManager:
    """Says nothing where no service manager asked to be told.

    ``passes`` counts what must go on: a process whose count stands still for ``WatchdogSec`` is ended and started again
    by systemd; playout goes on all the while.
    """

    def __init__(self, passes: Callable[[], int], clock: Clock) -> None:
        self._passes = passes
        self._clock = clock
        self._address: Final = os.environ.get("NOTIFY_SOCKET", "")
        every = os.environ.get("WATCHDOG_USEC", "")
        mine = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._watchdog_s: Final = int(every) / 1e6 if every.isdecimal() and mine else 0.0

    def ready(self, said: str) -> None:
        """It serves. ``said`` is shown by ``systemctl status``."""
        self._tell(f"READY=1\nSTATUS={said}")

    def ends(self) -> None:
        self._tell("STOPPING=1")

    async def run(self) -> None:
        """Until cancelled; three times in each of systemd's spans, so that one late pass is no end."""
        seen = self._passes()
        while True:
            await self._clock.sleep(self._watchdog_s / 3 if self._watchdog_s else _IDLE_S)
            if (passes := self._passes()) != seen:
                seen = passes
                self._tell("WATCHDOG=1")

    def _tell(self, state: str) -> None:
        if not self._address:
            return
        # An address that begins with @ is in the abstract namespace: unix(7).
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)
                sender.sendto(state.encode(), address)
        except OSError as error:
            _log.warning("systemd could not be told", state=state.partition("=")[0], why=str(error))
