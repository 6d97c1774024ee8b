"""Where a supervisor's files are: the machine's own, or this user's under ``MCR_HOME``.

The supervisor decides this (``supervisor/settings.py``); the command line must find it before it can ask, so the rule
stands here again, and ``tests/unit/test_cli_places.py`` holds the two together.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from platformdirs import user_data_path

SYSTEM_SOCKET: Final = Path("/run/mcr/mcr.sock")
SYSTEM_HOME: Final = Path("/var/lib/mcr")
_SOCKET_PATH_LIMIT: Final = 100  # bytes


@dataclass(frozen=True, slots=True)
class Home:
    """``chosen``: somebody set ``MCR_HOME`` or ``MCR_SOCKET``, and means this one and no other.

    ``listens_at``: ``MCR_SOCKET``, a place of its own for the supervisor's socket; only a system service has one.
    """

    path: Path
    chosen: bool
    listens_at: Path | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Home":
        home, socket = environment.get("MCR_HOME"), environment.get("MCR_SOCKET")
        path = _absolute(Path(home) if home else user_data_path("mcr-console"))
        return cls(path, bool(home or socket), _absolute(Path(socket)) if socket else None)

    @property
    def socket(self) -> Path:
        if self.listens_at is not None:
            return self.listens_at
        usual = self.path / "run" / "mcr.sock"
        if len(os.fsencode(usual)) <= _SOCKET_PATH_LIMIT:
            return usual
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        return Path(f"/tmp/mcr-{os.getuid()}-{digest}/mcr.sock")  # noqa: S108 - the supervisor owns and guards it

    @property
    def log(self) -> Path:
        """What a supervisor in the background has said."""
        return self.path / "logs" / "supervisor.log"

    @property
    def console_log(self) -> Path:
        """What went wrong in a console."""
        return self.log.with_name("console.log")

    @property
    def lock(self) -> Path:
        return self.path / "run" / "supervisor.lock"

    @property
    def clips(self) -> Path:
        return self.path / "media" / "clips"

    @property
    def sidecars(self) -> Path:
        return self.path / "sidecars"

    def environment(self) -> dict[str, str]:
        """This process' environment for a program that is to use this home."""
        values = {**os.environ, "MCR_HOME": str(self.path)}
        values.pop("MCR_SOCKET", None)
        return values if self.listens_at is None else {**values, "MCR_SOCKET": str(self.listens_at)}


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - not resolve(): a link to the data stays a link


def socket_to_use(home: Home, system_socket: Path = SYSTEM_SOCKET) -> Path:
    """The machine's own supervisor where this user may reach one and did not choose a home, else the home's."""
    if not home.chosen and system_socket.is_socket() and os.access(system_socket, os.R_OK | os.W_OK):
        return system_socket
    return home.socket
