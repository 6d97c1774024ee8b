"""What is seen of a watched folder now: for the API, and for who asks whether a clip is on its way."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

State = Literal["arriving", "waiting", "probing", "refused", "taken"]
SHOWN: Final = 200
"""Files of a folder that are told one by one."""


@dataclass(frozen=True, slots=True)
class FileSeen:
    """``arriving`` is still written, ``waiting`` is whole and not yet looked into, ``taken`` is an asset or an applied
    list; ``detail`` says why one is refused."""

    name: str
    state: State
    detail: str = ""


@dataclass(frozen=True, slots=True)
class FolderSeen:
    """``counts`` is by state. ``fault``: why the folder cannot be read, or what of it was left out. ``files``: those
    worth telling one by one, for what is taken long ago is only counted."""

    looked_at: datetime
    fault: str = ""
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    files: tuple[FileSeen, ...] = ()


def folder_seen(files: Sequence[FileSeen], looked_at: datetime, fault: str = "") -> FolderSeen:
    counts = Counter(file.state for file in files)
    shown = [file for file in files if file.state != "taken" or file.detail][:SHOWN]
    return FolderSeen(looked_at, fault, dict(counts), tuple(shown))
