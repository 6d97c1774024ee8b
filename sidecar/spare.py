"""A sidecar before it knows what it will be: everything that costs time at a start and needs no document is done.

``python -m sidecar --spare`` imports, tells that it is ready, and waits on the descriptor ``MCR_SPARE_FD`` for one line
of JSON, ``Becoming``. With that it is the sidecar that it would have been if it had been started so: its variables,
also those that /proc shows, its directory and its log. When the other end closes instead, it exits.
"""

import ctypes
import gc
import importlib
import os
import select
import socket
import threading
from pathlib import Path
from typing import Final

from sidecar.protocol.spare import DESCRIPTOR, MOST_BYTES, NAMED, READY, RESERVED, Becoming, reservation

_IDLE: Final = 10
"""The importing thread's nice value: what is on air comes first, and a busy node still gets its spare."""

_LOOK_MS: Final = 50
"""Milliseconds between looks whether the imports are done; the other end's closing is seen at once."""

_MODULES: Final = (
    "asyncio",
    "sidecar.configuration",
    "sidecar.lifecycle",
    "sidecar.logs",
    "uvicorn.lifespan.off",
    "uvicorn.loops.asyncio",
    "uvicorn.protocols.http.h11_impl",
)
"""With all that they import. The last three uvicorn itself would only import when it begins to serve."""


def become() -> bool:
    """Waits until this process is needed, and makes it what it is told to be. False: it is not needed any more."""
    channel = socket.socket(fileno=int(os.environ.pop(DESCRIPTOR)))
    preparing = threading.Thread(target=_prepare, name="preparing")
    preparing.start()
    hang_up = select.poll()
    hang_up.register(channel, select.POLLRDHUP)
    while preparing.is_alive():
        if hang_up.poll(_LOOK_MS):
            os._exit(0)  # with the import under way
    try:
        channel.sendall(READY)
        line = _line(channel)
        if line is None:
            return False
        what = Becoming.decode(line)
        _show(what.environment)
        os.environ.update(what.environment)
        os.environ.pop(RESERVED)
        os.chdir(what.directory)
        _log_to(what.log)
        channel.sendall(NAMED)
    except OSError:  # whoever would have needed it is gone
        return False
    finally:
        channel.close()
    return True


def _prepare() -> None:
    """In a thread of its own, as a thread without rights cannot take back that it is idle."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _IDLE)
    for name in _MODULES:
        importlib.import_module(name)
    from sidecar.engine.rehearsal import rehearse

    rehearse()
    gc.collect()
    gc.freeze()


def _line(channel: socket.socket) -> bytes | None:
    """None when the other end closed before it had said all."""
    said = b""
    while not said.endswith(b"\n"):
        more = channel.recv(MOST_BYTES)
        if not more or len(said) > MOST_BYTES:
            return None
        said += more
    return said


def _show(environment: dict[str, str]) -> None:
    """Writes the variables where /proc/<pid>/environ shows them, over the ones reserved for it at the start.

    By them an agent that has lost its notes finds its sidecars again. Raises OSError where they do not fit.
    """
    before = reservation().encode()
    after = b"\0".join(os.fsencode(f"{name}={value}") for name, value in environment.items())
    # Fields 50 of proc(5)'s stat: where the variables begin; the name in field 2 may hold anything.
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    place = int(fields[47]) + Path("/proc/self/environ").read_bytes().find(before)
    if len(after) >= len(before) or ctypes.string_at(place, len(before)) != before:
        raise OSError("the variables have no room")
    ctypes.memmove(place, after.ljust(len(before), b"\0"), len(before))


def _log_to(path: str) -> None:
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
