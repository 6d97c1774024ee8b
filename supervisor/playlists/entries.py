"""Reading other programs' lists. Pure: from text to entries, and to reasons for what is not one."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Final, cast
from urllib.parse import unquote, urlsplit

from supervisor.assets.names import is_text, readable, title_of
from supervisor.errors import Invalid

_MEDIA: Final = (
    "3gp aac ac3 aif aiff asf avi dv flac flv gxf m2t m2ts m2v m4a m4v mkv mov mp2 mp3 mp4 "
    "mpe mpeg mpg mts mxf oga ogg ogv opus ts vob wav webm wmv"
)
MEDIA_SUFFIXES: Final = frozenset(f".{name}" for name in _MEDIA.split())
STILL_SUFFIXES: Final = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
MOST: Final = 5000
"""Entries of one list."""

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_DIGITS: Final = re.compile(r"(\d+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """One file that a list names. ``seconds_in`` and ``seconds_out`` trim it; None plays to its end.

    ``line`` is where in the list it stands, for messages.
    """

    path: Path
    line: str
    title: str | None = None
    seconds_in: Fraction = Fraction(0)
    seconds_out: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Entries:
    """``refused`` says of everything that is no entry why."""

    entries: tuple[Entry, ...]
    refused: tuple[str, ...]


def natural(name: str) -> tuple[tuple[tuple[bool, int, str], ...], str]:
    """A sort key of file names by which ``clip`` comes before ``clip 2`` and that before ``clip 10``, in any case."""
    parts = filter(None, _DIGITS.split(Path(name).stem.casefold()))
    return tuple((False, int(part), "") if part.isdecimal() else (True, 0, part) for part in parts), name


def of_folder(folder: Path, names: Iterable[tuple[str, bool]]) -> Entries:
    """``names``: what the folder holds, each with whether it is a folder itself. Not looked into those."""
    entries: list[Entry] = []
    refused: list[str] = []
    for name, is_folder in sorted(names, key=lambda pair: natural(pair[0])):
        if not is_text(name):
            refused.append(f"{readable(name)}: its name is not UTF-8; rename it")
        elif is_folder:
            refused.append(f"{name}: a folder; only files directly in {folder} are taken")
        elif name.startswith("."):
            refused.append(f"{name}: a hidden file")
        elif Path(name).suffix.lower() not in MEDIA_SUFFIXES:
            refused.append(f"{name}: not a media file by its name")
        else:
            entries.append(Entry(folder / name, name))
    return _bounded(entries, refused)


def of_m3u(text: str, folder: Path) -> Entries:
    """An M3U list of files: paths relative to ``folder``, titles from ``#EXTINF``. Raises Invalid for an HLS stream."""
    if re.search(r"^#EXT-X-(TARGETDURATION|STREAM-INF|MEDIA-SEQUENCE)", text, re.MULTILINE):
        raise Invalid("this is an HLS stream's playlist, not a list of files")
    entries: list[Entry] = []
    refused: list[str] = []
    title: str | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.upper().startswith("#EXTINF:"):
            title = title_of(line.partition(",")[2]) or None
        elif line and not line.startswith("#"):
            path = _path(line, folder)
            if isinstance(path, Path):
                entries.append(Entry(path, f"line {number}", title))
            else:
                refused.append(f"line {number}: {path}")
            title = None
    return _bounded(entries, refused)


def of_ffplayout(text: str, folder: Path) -> Entries:
    """ffplayout's JSON: ``{"program": [{"in", "out", "duration", "source", …}]}``, seconds. Raises Invalid.

    The format is in the README of github.com/ffplayout/ffplayout, "JSON Playlist Example". What that can do to a clip
    and this program cannot (another sound, a filter) is said in ``refused``; the clip itself is taken.
    """
    try:
        document: object = json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"this is not JSON: {error}") from None
    program = cast("dict[str, object]", document).get("program") if isinstance(document, dict) else None
    if not isinstance(program, list):
        raise Invalid('this is not an ffplayout playlist: it has no "program" list')
    entries: list[Entry] = []
    refused: list[str] = []
    for number, item in enumerate(cast("list[object]", program), 1):
        try:
            entry, remarks = _ffplayout_entry(item, f"program {number}", folder)
        except _NoEntry as error:
            refused.append(f"program {number}: {error}")
        else:
            entries.append(entry)
            refused.extend(f"program {number}: {remark}" for remark in remarks)
    return _bounded(entries, refused)


class _NoEntry(Exception):
    """Why an entry names nothing that can be taken."""


def _ffplayout_entry(item: object, line: str, folder: Path) -> tuple[Entry, list[str]]:
    if not isinstance(item, dict):
        raise _NoEntry("not an object")
    fields = cast("dict[str, object]", item)
    source = fields.get("source")
    if not isinstance(source, str) or not source:
        raise _NoEntry("it has no source")
    path = _path(source, folder)
    if not isinstance(path, Path):
        raise _NoEntry(path)
    begin, end = _seconds(fields, "in") or Fraction(0), _seconds(fields, "out")
    duration = _seconds(fields, "duration")
    if end is not None and duration is not None and end >= duration:
        end = None
    title = fields.get("title")
    remarks = [
        f"its {name} is not used; the clip itself is"
        for name in ("audio", "custom_filter")
        if isinstance(fields.get(name), str) and fields.get(name)
    ]
    return Entry(path, line, (title_of(title) or None) if isinstance(title, str) else None, begin, end), remarks


def _seconds(fields: dict[str, object], name: str) -> Fraction | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value <= 10**7:
        raise _NoEntry(f"{name} is {value!r}, not seconds")
    return Fraction(value)


def _no_number(text: str) -> object:
    raise ValueError(f"{text} is no number")


def _path(text: str, folder: Path) -> Path | str:
    """An absolute path, or why the text names no file."""
    if "\0" in text:
        return "a path cannot hold a NUL"
    if _URL.match(text):
        parts = urlsplit(text)
        if parts.scheme.lower() == "file" and parts.hostname in {None, "", "localhost"}:
            return Path(unquote(parts.path))
        return f"{text[:200]} is a URL; only files of this machine can be imported"
    path = folder / text
    if path.suffix.lower() in STILL_SUFFIXES:
        return f"{text[:200]} is a still picture; only video and sound can be imported"
    return path


def _bounded(entries: list[Entry], refused: list[str]) -> Entries:
    if len(entries) > MOST:
        raise Invalid(f"{len(entries)} files are more than the {MOST} a playlist is imported with at once")
    return Entries(tuple(entries), tuple(refused))
