"""Reading other programs' lists of files. Pure: from text to events, and to reasons for what is not one."""

import re
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Final, cast
from urllib.parse import unquote, urlsplit

from supervisor.assets.names import is_text, readable, title_of
from supervisor.errors import Invalid
from supervisor.playlists import wording
from supervisor.playlists.jsontext import json_object
from supervisor.playlists.schedule import Collecting, Schedule, ScheduledEvent, Seconds

_MEDIA: Final = (
    "3gp aac ac3 aif aiff asf avi dv flac flv gxf m2t m2ts m2v m4a m4v mkv mov mp2 mp3 mp4 "
    "mpe mpeg mpg mts mxf oga ogg ogv opus ts vob wav webm wmv"
)
MEDIA_SUFFIXES: Final = frozenset(f".{name}" for name in _MEDIA.split())
STILL_SUFFIXES: Final = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_DIGITS: Final = re.compile(r"(\d+)", re.ASCII)


def natural(name: str) -> tuple[tuple[tuple[bool, int, str], ...], str]:
    """A sort key of file names by which ``clip`` comes before ``clip 2`` and that before ``clip 10``, in any case."""
    parts = filter(None, _DIGITS.split(Path(name).stem.casefold()))
    return tuple((False, int(part), "") if part.isdecimal() else (True, 0, part) for part in parts), name


def of_folder(folder: Path, names: Iterable[tuple[str, bool]]) -> Schedule:
    """``names``: what the folder holds, each with whether it is a folder itself. Not looked into those."""
    found = Collecting()
    for name, is_folder in sorted(names, key=lambda pair: natural(pair[0])):
        if not is_text(name):
            found.refused.append(f"{readable(name)}: its name is not UTF-8; rename it")
        elif is_folder:
            found.refused.append(f"{name}: a folder; only files directly in {folder} are taken")
        elif name.startswith("."):
            found.refused.append(f"{name}: a hidden file")
        elif Path(name).suffix.lower() not in MEDIA_SUFFIXES:
            found.refused.append(f"{name}: not a media file by its name")
        else:
            found.events.append(ScheduledEvent(name, path=folder / name))
    return found.schedule()


def of_m3u(text: str, folder: Path) -> Schedule:
    """An M3U list of files: paths relative to ``folder``, titles from ``#EXTINF``. Raises Invalid for an HLS stream."""
    if re.search(r"^#EXT-X-(TARGETDURATION|STREAM-INF|MEDIA-SEQUENCE)", text, re.MULTILINE):
        raise Invalid("this is an HLS stream's playlist, not a list of files")
    found = Collecting()
    title: str | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.upper().startswith("#EXTINF:"):
            title = title_of(line.partition(",")[2]) or None
        elif line and not line.startswith("#"):
            try:
                found.events.append(ScheduledEvent(f"line {number}", path=path_of(line, folder), title=title))
            except ValueError as error:
                found.refused.append(f"line {number}: {error}")
            title = None
    return found.schedule()


def of_ffplayout(text: str, folder: Path) -> Schedule:
    """ffplayout's JSON: ``{"program": [{"in", "out", "duration", "source", …}]}``, seconds. Raises Invalid.

    The format is in the README of github.com/ffplayout/ffplayout, "JSON Playlist Example". What that can do to a clip
    and this program cannot (another sound, a filter) is said in ``remarks``; the clip itself is taken.
    """
    program = json_object(text).get("program")
    if not isinstance(program, list):
        raise Invalid('this is not an ffplayout playlist: it has no "program" list')
    found = Collecting()
    for number, item in enumerate(cast("list[object]", program), 1):
        try:
            event, remarks = _ffplayout_event(item, f"program {number}", folder)
        except ValueError as error:
            found.refused.append(f"program {number}: {error}")
        else:
            found.events.append(event)
            found.remarks.extend(f"program {number}: {remark}" for remark in remarks)
    return found.schedule()


def path_of(text: str, folder: Path) -> Path:
    """An absolute path. Raises ValueError where the text names no file that could be played."""
    if "\0" in text:
        raise ValueError("a path cannot hold a NUL")
    if _URL.match(text):
        try:
            parts = urlsplit(text)
            local = parts.scheme.lower() == "file" and parts.hostname in {None, "", "localhost"}
        except ValueError:
            raise ValueError(f"{text[:200]} is no URL that can be read") from None
        path = unquote(parts.path) if local else ""
        if path and "\0" not in path:
            return Path(path)
        raise ValueError(f"{text[:200]} is a URL; only files of this machine can be imported")
    found = folder / text
    if found.suffix.lower() in STILL_SUFFIXES:
        raise ValueError(f"{text[:200]} is a still picture; only video and sound can be imported")
    return found


def _ffplayout_event(item: object, line: str, folder: Path) -> tuple[ScheduledEvent, list[str]]:
    """Raises ValueError."""
    fields = cast("dict[str, object]", item) if isinstance(item, dict) else {}
    source = fields.get("source")
    if not isinstance(source, str) or not source:
        raise ValueError("it has no source")
    path = path_of(source, folder)
    begin, end, duration = (_seconds(fields, name) for name in ("in", "out", "duration"))
    if end is not None and duration is not None and end.value >= duration.value:
        end = None
    title = fields.get("title")
    remarks = [
        f"its {name} is not used; the clip itself is"
        for name in ("audio", "custom_filter")
        if isinstance(fields.get(name), str) and fields.get(name)
    ]
    name = (title_of(title) or None) if isinstance(title, str) else None
    category = fields.get("category")
    named, remark = wording.category(category) if isinstance(category, str) else ("", "")
    remarks += filter(None, (remark,))
    return ScheduledEvent(line, path=path, title=name, begin=begin, end=end, category=named), remarks


def _seconds(fields: dict[str, object], name: str) -> Seconds | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value <= 10**7:
        raise ValueError(f"{name} is {value!r}, not seconds")
    return Seconds(Fraction(value))
