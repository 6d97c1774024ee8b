"""``python -m supervisor.healthy``: whether the supervisor of this home answers, for a container's health check."""

import http.client
import socket
import sys
from pathlib import Path
from typing import Final

from supervisor.errors import McrError
from supervisor.settings import Settings

_ANSWER_S: Final = 5.0


def fault(path: Path) -> str:
    """Why it does not answer at this socket; empty where it does, be it a follower or without its database."""
    connection = http.client.HTTPConnection("localhost", timeout=_ANSWER_S)
    try:
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(_ANSWER_S)
        connection.sock.connect(str(path))
        connection.request("GET", "/api/v1/supervisor")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"{path}: {error or type(error).__name__}"
    finally:
        connection.close()
    return "" if status == 200 else f"{path}: HTTP {status}"


def main() -> None:
    """Ends with code 1 and says why where it does not answer."""
    try:
        why = fault(Settings().socket_path)
    except (McrError, ValueError) as error:
        why = str(error)
    if why:
        sys.exit(f"the supervisor does not answer at {why}")


if __name__ == "__main__":
    main()
