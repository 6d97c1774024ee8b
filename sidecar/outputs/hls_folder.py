"""The files of one epoch's HLS: written whole or not at all, and taken away when nobody can want them any more."""

import logging
import re
import shutil
from collections import deque
from pathlib import Path

from sidecar.outputs.playlist import MediaPlaylist, Segment, parse_playlist
from sidecar.outputs.sequences import first_number, is_predecessor

log = logging.getLogger(__name__)

_OWN_URI = re.compile(r"([1-9][0-9]*)/[0-9]+\.ts")
_PLAYLIST = re.compile(r"([1-9][0-9]*)\.m3u8")
_EPOCH = re.compile(r"[1-9][0-9]*")


class HlsFolder:
    """``place`` holds ``<epoch>/<n>.ts``, ``<epoch>.m3u8`` and the agent's link ``index.m3u8``. Every method may block,
    and raises OSError; only removing what is no longer wanted never fails, as it is tried again."""

    def __init__(self, place: Path, epoch: int) -> None:
        self._place = place
        self._epoch = epoch
        self._listed: tuple[Segment, ...] = ()
        self._leaving: deque[str] = deque()

    def make(self) -> None:
        (self._place / str(self._epoch)).mkdir(parents=True, exist_ok=True)

    def uri(self, number: int) -> str:
        return f"{self._epoch}/{number}.ts"

    def write_segment(self, number: int, data: bytes) -> None:
        _write_whole(self._place / self.uri(number), data)

    def write_playlist(self, playlist: MediaPlaylist) -> None:
        _write_whole(self._place / f"{self._epoch}.m3u8", playlist.render().encode())

    def previous_playlist(self, target_duration: int, window: int, starts_ns: int) -> MediaPlaylist:
        """What the first segment, which starts at ``starts_ns`` UTC, is appended to: the last segments of the epoch
        before, with its sequence numbers, if that aired here; else an empty playlist with numbers above its."""
        previous = self._predecessor()
        if previous is None:
            number = first_number(starts_ns, self._epoch)
            return MediaPlaylist(target_duration, number, number)
        kept = self._still_there(previous.segments)[-window:]
        gone = previous.segments[: len(previous.segments) - len(kept)]
        self._listed = kept
        return MediaPlaylist(
            max([target_duration, *(round(segment.duration) for segment in kept)]),
            previous.media_sequence + len(gone),
            previous.discontinuity_sequence + sum(segment.discontinuity for segment in gone),
            kept,
        )

    def _predecessor(self) -> MediaPlaylist | None:
        opened = {int(name) for name in self._names(_EPOCH)}
        written = {int(name) for name in self._names(_PLAYLIST)}
        last = max((epoch for epoch in written if epoch < self._epoch), default=0)
        if last == 0 or not is_predecessor(last, self._epoch, opened=opened, written=written):
            return None
        path = self._place / f"{last}.m3u8"
        try:
            return parse_playlist(path.read_text())
        except ValueError as error:
            log.warning("%s: %s; its segments are not listed again", path, error)
            return None

    def _still_there(self, segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
        kept: list[Segment] = []
        for segment in reversed(segments):
            if not _OWN_URI.fullmatch(segment.uri) or not (self._place / segment.uri).is_file():
                break
            kept.append(segment)
        return tuple(reversed(kept))

    def tidy(self, playlist: MediaPlaylist) -> None:
        """Removes segments some time after they left the list, and epochs of which nothing is left in it."""
        listed = {segment.uri for segment in playlist.segments}
        self._leaving.extend(segment.uri for segment in self._listed if segment.uri not in listed)
        self._listed = playlist.segments
        # RFC 8216 6.2.2: a segment stays for its own length and that of the longest playlist that listed it.
        while len(self._leaving) > len(playlist.segments) + 1:
            _remove(self._place / self._leaving.popleft())
        wanted = {uri.partition("/")[0] for uri in (*listed, *self._leaving)}
        linked = self._linked()
        for epoch in self._names(_EPOCH):
            if int(epoch) < self._epoch and epoch not in wanted and linked != f"{epoch}.m3u8":
                shutil.rmtree(self._place / epoch, ignore_errors=True)
        for epoch in self._names(_PLAYLIST):
            if int(epoch) < self._epoch and epoch not in wanted and linked != f"{epoch}.m3u8":
                _remove(self._place / f"{epoch}.m3u8")

    def _linked(self) -> str:
        try:
            return str((self._place / "index.m3u8").readlink())
        except OSError:  # no link yet: nobody plays
            return ""

    def _names(self, pattern: re.Pattern[str]) -> list[str]:
        matches = (pattern.fullmatch(entry.name) for entry in self._place.iterdir())
        return [match[match.re.groups] for match in matches if match]


def _write_whole(path: Path, data: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.part")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except OSError:
        _remove(unfinished)  # on a full disk the piece would be in the way
        raise


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("%s: %s; left behind", path, error.strerror)
