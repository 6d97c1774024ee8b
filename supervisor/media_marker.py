"""The file that names a media root: what a node finds in it proves that the folder is the one that is meant."""

import os
import re
from pathlib import Path
from typing import Final

from db.models import new_id
from supervisor.errors import Invalid
from supervisor.schemas.media_root import MARKER_FILE

_MARKER: Final = re.compile(rb"[0-9a-f]{32}\n?")


def whole_path(path: str) -> str:
    """The path without a slash at its end. Raises Invalid for one with ``..`` or the like in it, and for ``/``."""
    plain = os.path.normpath(path)
    if not plain.startswith("/") or plain != (path.rstrip("/") or "/"):
        raise Invalid(f"{path!r} is not a plain absolute path", hint=f"Give {plain}, if that is what you mean.")
    if plain.strip("/") == "":
        raise Invalid("the whole machine is no media root", hint="Give the folder that the clips lie in.")
    return plain


def read_or_make_marker(path: str) -> str:
    """The marker in the media root ``path``, made where there is none. Blocks.

    A folder that cannot be written to is fine when it has a marker: it was marked from another machine. Raises Invalid.
    """
    file = os.path.join(path, MARKER_FILE)  # noqa: PTH118 - stays text: Path would be made a str again at once
    if not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir() raises for a name that is too long
        raise Invalid(f"{path} is not a folder of the supervisor's machine", hint="Is it mounted?")
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except FileExistsError:
        return _read(file)
    except OSError as error:
        raise Invalid(
            f"{path} has no marker, and none can be written there: {error.strerror}",
            hint=f"Let the supervisor's user write there, or write 32 hex digits of your own into {file}.",
        ) from None
    marker = new_id()
    try:
        with os.fdopen(descriptor, "w") as stream:
            stream.write(marker + "\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        Path(file).unlink(missing_ok=True)
        raise Invalid(f"the marker {file} cannot be written: {error.strerror}") from None
    return marker


def _read(file: str) -> str:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            content = stream.read(100)
    except OSError as error:
        raise Invalid(f"the marker {file} cannot be read: {error.strerror}") from None
    if _MARKER.fullmatch(content) is None:
        raise Invalid(f"{file} holds no marker", hint="It is to hold 32 hex digits. Delete it to have a new one made.")
    return content.decode().strip()
