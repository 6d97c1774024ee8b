"""One door to all readers: the bytes of a list in, a schedule out."""

from collections.abc import Callable, Mapping
from datetime import time
from pathlib import Path
from typing import Final

from supervisor.errors import Invalid
from supervisor.playlists.broadcast_day import DAY_START
from supervisor.playlists.bxf import of_bxf
from supervisor.playlists.documents import of_json
from supervisor.playlists.entries import of_ffplayout, of_m3u
from supervisor.playlists.schedule import Schedule
from supervisor.playlists.tables import of_csv
from supervisor.playlists.text import decoded
from supervisor.schemas.listing import ListFormat, ListOptions

LARGEST_LIST: Final = 8 * 1024 * 1024
"""Bytes."""


def read_list(
    form: ListFormat, data: bytes, folder: Path, options: ListOptions, day_start: time = DAY_START
) -> Schedule:
    """Pure. Relative paths start at ``folder``; ``day_start`` is when the broadcast day begins.

    Raises Invalid, and nothing else, whatever ``data`` is."""
    if len(data) > LARGEST_LIST:
        raise Invalid(f"it is larger than {LARGEST_LIST} bytes: that is no list")
    if form == "bxf":
        return of_bxf(data, folder, options, day_start)
    return _READERS[form](data, folder, options)


def _m3u(data: bytes, folder: Path, options: ListOptions) -> Schedule:
    # Latin-1 is what .m3u was before .m3u8.
    return of_m3u(decoded(data, options.encoding, otherwise="latin-1"), folder)


def _ffplayout(data: bytes, folder: Path, options: ListOptions) -> Schedule:
    return of_ffplayout(decoded(data, options.encoding), folder)


_READERS: Final[Mapping[ListFormat, Callable[[bytes, Path, ListOptions], Schedule]]] = {
    "csv": of_csv,
    "json": of_json,
    "m3u": _m3u,
    "ffplayout": _ffplayout,
}
