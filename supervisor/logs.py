"""Logs: one JSON object a line, on standard error, written by a thread of its own. On a terminal they are words.

Whoever started the supervisor says where standard error goes. A pipe that nobody reads or a disk that hangs stops that
thread and never the loop: what does not fit into the queue is counted and left out.
"""

import contextlib
import logging
import queue
import sys
import threading
from collections.abc import Generator
from typing import Final

import structlog
from structlog.types import EventDict, Processor

WAITING: Final = 10_000
"""Lines that may wait to be written."""
_SECRET_KEYS: Final = frozenset({"token", "authorization", "password", "secret"})


class _BackgroundHandler(logging.Handler):
    """Hands every record to a thread that writes it; never blocks, and says with a later line what was left out."""

    def __init__(self, target: logging.Handler) -> None:
        super().__init__()
        self._target = target
        self._lines: queue.Queue[logging.LogRecord | None] = queue.Queue(WAITING)
        self._left_out = 0
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        if self._left_out:
            record.left_out = self._left_out
        try:
            self._lines.put_nowait(record)
        except queue.Full:
            self._left_out += 1
        else:
            self._left_out = 0

    def end(self) -> None:
        """Writes what waits, for at most a second: a reader that never reads must not keep the process alive."""
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(None)
        self._thread.join(timeout=1.0)

    def _write(self) -> None:
        while (record := self._lines.get()) is not None:
            self._target.handle(record)


def _without_secrets(_: object, __: str, event: EventDict) -> EventDict:
    for key in event.keys() & _SECRET_KEYS:
        event[key] = "***"
    return event


def _error_at_hand(_: object, __: str, event: EventDict) -> EventDict:
    """The error that is being handled: the thread that writes handles none."""
    if event.get("exc_info") is True:
        event["exc_info"] = sys.exc_info()
    return event


def _left_out(_: object, __: str, event: EventDict) -> EventDict:
    record = event.get("_record")
    count = getattr(record, "left_out", 0)
    return {**event, "left_out": count} if count else event


def _words(_: object, __: str, event: EventDict) -> str:
    """One line for a person; nothing that somebody else named can move the cursor."""
    said = dict(event)
    at, level, text = str(said.pop("at", ""))[11:19], said.pop("level", ""), said.pop("event", "")
    said.pop("logger", None)
    trace = said.pop("exception", "")
    more = " ".join(f"{name}={value!r}" for name, value in said.items())
    line = "".join(one if one.isprintable() else "\ufffd" for one in f"{at} {level:7} {text}  {more}").rstrip()
    return f"{line}\n{trace}" if trace else line


def _renderers(*, for_a_person: bool) -> tuple[Processor, ...]:
    if for_a_person:
        return structlog.processors.format_exc_info, _words
    return structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer(default=str)


@contextlib.contextmanager
def logging_to_stderr(level: int = logging.INFO) -> Generator[None]:
    """Logs while the block runs; at its end what waits is written, for at most a second."""
    shared: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _without_secrets,
        _error_at_hand,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                _left_out,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(for_a_person=sys.stderr.isatty()),
            ],
        )
    )
    background = _BackgroundHandler(handler)
    root = logging.getLogger()
    root.handlers = [background]
    root.setLevel(level)
    for name in ("uvicorn.error", "httpx", "httpcore", "asyncio", "alembic", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        yield
    finally:
        root.handlers = []
        background.end()
