"""The sidecar's log: one JSON object a line on standard output.

The standard library's logging, and not structlog: that one imports rich, which alone costs 0.15 s of every start, and a
sidecar's start is time off air.
"""

import logging
import sys
import traceback
from datetime import UTC, datetime

import msgspec


class _JsonLines(logging.Formatter):
    def __init__(self, **common: str | int) -> None:
        super().__init__()
        self._common = common

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
            **self._common,
        }
        if record.exc_info is not None and record.exc_info[0] is not None:
            entry["exception"] = "".join(traceback.format_exception(*record.exc_info))
        return msgspec.json.encode(entry).decode()


def configure(**common: str | int) -> None:
    """Sends the sidecar's log from INFO up, and its libraries' from WARNING; ``common`` is on every line."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_JsonLines(**common))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("sidecar").setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
