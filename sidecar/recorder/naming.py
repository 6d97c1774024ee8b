"""Names of recordings: a template of the recorder's, filled with words that can be anything; safe whatever they are.

A template has ``{recorder} {title} {date} {time} {segment} {epoch}`` and letters, digits, blanks and ``. _ -``; a ``/``
makes folders. What is filled in makes none, begins no name with a dot, and is shortened.
"""

import os
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

FIELDS: Final = ("recorder", "title", "date", "time", "segment", "epoch")
_FIELD: Final = re.compile(r"\{([a-z]{1,12})\}")
_LITERAL: Final = re.compile(r"[A-Za-z0-9._ /-]*")
_MOST_BYTES: Final = 120
"""Of one component; a file's own endings come behind it."""
_LONGEST: Final = 200
_TRIES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Named:
    """What a template is filled with. ``at`` is aware; ``segment`` counts files of one job from 1."""

    recorder: str
    title: str
    at: datetime
    segment: int
    epoch: int


def check_template(template: str) -> None:
    """Raises ValueError with what is wrong and what may be there."""
    if not template or len(template) > _LONGEST:
        raise ValueError(f"the name template of a recorder has 1 to {_LONGEST} characters")
    unknown = [name for name in _FIELD.findall(template) if name not in FIELDS]
    if unknown or _LITERAL.fullmatch(_FIELD.sub("", template)) is None:
        there = " ".join(f"{{{name}}}" for name in FIELDS)
        raise ValueError(f"a name template has letters, digits, blanks, . _ - and / for folders, and {there}")
    if any(not part.strip(" .") for part in template.split("/")):
        raise ValueError("a folder or file of a name template is empty, or only dots")


def file_name(template: str, named: Named) -> Path:
    """Relative, without an ending. Raises ValueError as ``check_template``."""
    check_template(template)
    words = {
        "recorder": named.recorder,
        "title": named.title or named.recorder,
        "date": f"{named.at:%Y-%m-%d}",
        "time": f"{named.at:%H%M%S}",
        "segment": f"{named.segment:03d}",
        "epoch": str(named.epoch),
    }
    parts = [_FIELD.sub(lambda field: _safe(words[field[1]]), part) for part in template.split("/")]
    return Path(*(_component(part) for part in parts))


def free_path(folder: Path, name: Path, ending: str) -> Path:
    """A path below ``folder`` that nobody has; a number is put behind a name that is taken. Raises OSError."""
    wanted = folder / name
    for number in range(1, _TRIES):
        path = wanted.with_name(f"{wanted.name}{'' if number == 1 else f'-{number}'}{ending}")
        if not os.path.lexists(path):
            return path
    raise FileExistsError(f"{wanted}{ending} and {_TRIES} names like it are taken")


def _safe(word: str) -> str:
    word = unicodedata.normalize("NFC", word)
    return "".join(one if one.isalnum() or one in "._ -" else "_" for one in word)


def _component(part: str) -> str:
    part = part.strip(" ").lstrip(".") or "_"
    while len(part.encode()) > _MOST_BYTES:
        part = part[:-1]
    return part.rstrip(" .") or "_"
