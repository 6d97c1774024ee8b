"""The way to a container engine on another machine by ssh: a socket here that each connection to leads there.

The SDK's own ssh transports know no deadline: a machine that went silent would hold a thread for good. Here the SDK
speaks to a unix socket, which has deadlines, and every connection is handed to an ``ssh`` of its own that carries it to
the engine (``docker system dial-stdio``, as the docker program does). Keys, hosts and users are the ssh client's.
"""

import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

_LISTEN: Final = 16
_SAID: Final = 400
"""Bytes of what ssh last said that are told."""


class SshDoor:
    """Listens until ``close``. ``url`` is what the SDK is given instead of the engine's."""

    def __init__(self, url: str) -> None:
        """Raises ValueError for a URL that names no host, OSError when no socket can be made."""
        self._command = ssh_command(url)
        # 0700: whoever connects to the socket commands the engine.
        self._directory = tempfile.TemporaryDirectory(prefix="mcr-engine-")
        path = Path(self._directory.name) / "engine.sock"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(_LISTEN)
        self._errors = Path(self._directory.name) / "ssh.log"
        self._running: list[subprocess.Popen[bytes]] = []
        self.url = f"unix://{path}"
        threading.Thread(target=self._carry, name="ssh to an engine", daemon=True).start()

    def said(self) -> str:
        """What ssh said last: why it cannot get there. Empty when it said nothing."""
        try:
            text = self._errors.read_bytes()[-_SAID:].decode("utf-8", "replace")
        except OSError:
            return ""
        lines = [line for line in text.splitlines() if line.strip()]
        return "".join(letter if letter.isprintable() else "·" for letter in lines[-1]) if lines else ""

    def close(self) -> None:
        """Ends every connection. Safe to call twice."""
        # Only a shutdown wakes the thread that accepts.
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
        self._listener.close()
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.wait()
        self._directory.cleanup()

    def _carry(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # closed
            with connection, self._errors.open("wb") as errors:
                # The process has the connection itself: nothing is copied here, and its end is the connection's.
                process = subprocess.Popen(  # noqa: S603 - our own argv; the URL's parts were checked
                    self._command,
                    stdin=connection.fileno(),
                    stdout=connection.fileno(),
                    stderr=errors,
                    start_new_session=True,
                )
            self._running = [one for one in self._running if one.poll() is None]
            self._running.append(process)


def ssh_command(url: str) -> tuple[str, ...]:
    """The argv for ``ssh://[user@]host[:port]``. Raises ValueError for what names no host, or is an option to ssh."""
    parts = urlsplit(url)
    if parts.scheme != "ssh" or not parts.hostname or parts.path not in ("", "/") or parts.password is not None:
        raise ValueError(f"{url}: an engine by ssh is named ssh://[user@]host[:port]")
    if parts.hostname.startswith("-") or (parts.username or "").startswith("-"):
        raise ValueError(f"{url}: neither user nor host may begin with a dash")
    options = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-o", "ServerAliveInterval=5", "-T")
    user = ("-l", parts.username) if parts.username else ()
    port = ("-p", str(parts.port)) if parts.port else ()
    return ("ssh", *options, *user, *port, "--", parts.hostname, "docker", "system", "dial-stdio")
