"""What a file is, whatever it is called."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from supervisor.confined import Confined
from supervisor.errors import Invalid

EDGE: Final = 1024 * 1024
"""Bytes read at either end: enough to tell media files apart, and little enough for a network disk."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """``digest``: SHA-256 over the size as text, the first and the last MiB. ``mtime_ns``: the file's just then."""

    size_bytes: int
    digest: str
    mtime_ns: int = 0


def fingerprint(path: Path, confined: Confined | None = None) -> Fingerprint:
    """Blocks. Raises Invalid where there is no regular file that can be read, or one that lies elsewhere."""
    try:
        # O_NONBLOCK: opening a named pipe must not wait for somebody to write to it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise Invalid(f"{path} is not a regular file")
            if confined is not None:
                confined.require_opened(descriptor, path)
            digest = hashlib.sha256(b"%d\n" % status.st_size)
            digest.update(file.read(EDGE))
            file.seek(max(0, status.st_size - EDGE))
            digest.update(file.read(EDGE))
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from error
    return Fingerprint(status.st_size, digest.hexdigest(), status.st_mtime_ns)
