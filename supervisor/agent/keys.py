"""The keys by which supervisors and agents know each other.

One cluster key, which every supervisor has; from it a key for each node by its name. An agent needs its node's alone,
so that a node that falls into wrong hands speaks for no other.
"""

import contextlib
import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path
from typing import Final

from supervisor.errors import Invalid
from supervisor.files import write_whole

_KEY: Final = re.compile("[0-9a-f]{64}", re.ASCII)


def node_key(cluster_key: bytes, node: str) -> bytes:
    """The key between the supervisors and the agent of the node of that name."""
    return hmac.digest(cluster_key, f"node {node}".encode(), hashlib.sha256)


def read_key(path: Path) -> bytes:
    """The 64 hexadecimal digits in ``path``. Raises Invalid for anything else, or when others can read it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(200).decode("ascii", "replace").strip()
    except OSError as error:
        raise Invalid(
            f"the key in {path} cannot be read: {error.strerror}",
            hint="'python -m supervisor node-key NAME', at a supervisor, prints a node's.",
        ) from error
    if mode & 0o077:
        raise Invalid(f"{path} can be read by others", hint=f"Run: chmod 600 {path}")
    if _KEY.fullmatch(text) is None:
        raise Invalid(f"{path} holds no key", hint="A key is 64 hexadecimal digits.")
    return bytes.fromhex(text)


def read_or_make_cluster_key(path: Path) -> bytes:
    """The key in ``path``, made once, whoever is first. Raises Invalid as ``read_key``."""
    if not path.exists():
        try:
            _make(path)
        except OSError as error:
            raise Invalid(f"the cluster key cannot be written to {path}: {error.strerror}") from error
    return read_key(path)


def _make(path: Path) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write_whole(new, f"{secrets.token_hex(32)}\n".encode())
        # A link is made or not: of two that are first at once, both read the one's.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(new)
    finally:
        new.unlink(missing_ok=True)
