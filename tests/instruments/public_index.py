"""Reads the public ``index.m3u8`` ten times a second and notes whose programme it names: an epoch is a sender.

A segment's uri is ``<epoch>/<name>.ts``. The list of a new epoch may begin with the last segments of the one before
(a player goes on through them); after that nothing new of an older epoch may ever be listed.
"""

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.instruments.heard import Span, spans
from tests.instruments.hls_reader import MediaPlaylist, parse_playlist

Read = Callable[[], bytes]
"""The playlist's bytes; raises OSError while there is none."""


def from_path(index: Path) -> Read:
    """Through the symbolic link, as a web server would."""
    return index.read_bytes


def from_url(url: str, headers: Mapping[str, str] | None = None, timeout: float = 2.0) -> Read:
    # No proxy of the environment's: what is measured is the server.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, headers=dict(headers or {}))

    def read() -> bytes:
        try:
            with opener.open(request, timeout=timeout) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise OSError(f"{url} answered {error.code}") from error

    return read


def epoch_of(uri: str) -> int:
    """Raises ValueError for a uri that names none."""
    return int(uri.partition("/")[0])


@dataclass(frozen=True, slots=True)
class Reading:
    """``epoch`` is that of the last segment listed: whose programme a player joins. None: no list could be read."""

    at_ns: int
    epoch: int | None
    sequence: int = 0
    last: int = 0
    changed: bool = False


@dataclass
class IndexLog:
    """Every reading, when each segment was first listed, and what was wrong, in words."""

    readings: list[Reading] = field(default_factory=list)
    listed_ns: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def spans(self) -> list[Span]:
        """Each epoch with the time the public list was its own. The time between is what a reading may miss."""
        return spans((str(reading.epoch), reading.at_ns) for reading in self.readings if reading.epoch is not None)

    def heard(self) -> list[tuple[str, int]]:
        """Each new segment as a sign of life of its epoch."""
        return [(str(epoch_of(uri)), at) for uri, at in self.listed_ns.items()]

    def change_ns(self, epoch: int) -> int | None:
        """When the list was first that of ``epoch``."""
        return next((reading.at_ns for reading in self.readings if reading.epoch == epoch), None)

    def first_segment_ns(self, epoch: int) -> int | None:
        """When the first segment of ``epoch`` was listed."""
        return min((at for uri, at in self.listed_ns.items() if epoch_of(uri) == epoch), default=None)


class IndexReader:
    """Reads on a thread until left."""

    def __init__(self, read: Read, interval: float = 0.1) -> None:
        self._read, self._interval = read, interval
        self.log = IndexLog()
        self._text = b""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="index-reader", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.is_set():
            self.poll(time.time_ns())
            self._stop.wait(self._interval)

    def poll(self, at_ns: int) -> None:
        log = self.log
        try:
            text = self._read()
            playlist = parse_playlist(text.decode())
            epochs = [epoch_of(entry.uri) for entry in playlist.entries]
        except OSError:
            log.readings.append(Reading(at_ns, None))
            return
        except ValueError as error:
            log.faults.append(f"not a playlist: {error}")
            log.readings.append(Reading(at_ns, None))
            return
        last = playlist.sequence + len(epochs) - 1
        reading = Reading(at_ns, epochs[-1] if epochs else None, playlist.sequence, last, text != self._text)
        if reading.changed:
            self._text = text
            self._judge(reading, playlist, epochs)
        log.readings.append(reading)

    def _judge(self, reading: Reading, playlist: MediaPlaylist, epochs: list[int]) -> None:
        log = self.log
        before = next((old for old in reversed(log.readings) if old.epoch is not None), None)
        newest = max((old.epoch for old in log.readings if old.epoch is not None), default=0)
        if before is not None and before.epoch is not None and reading.epoch is not None:
            if reading.epoch < before.epoch:
                log.faults.append(f"the list went back from epoch {before.epoch} to {reading.epoch}")
            if reading.sequence < before.sequence or reading.last < before.last:
                log.faults.append(
                    f"the sequence went back from {before.sequence}-{before.last} to {reading.sequence}-{reading.last}"
                )
        if epochs != sorted(epochs):
            log.faults.append(f"epochs are mixed: {epochs}")
        for entry, epoch in zip(playlist.entries, epochs, strict=True):
            if entry.uri in log.listed_ns:
                continue
            log.listed_ns[entry.uri] = reading.at_ns
            if epoch < newest:
                log.faults.append(f"segment {entry.uri} of epoch {epoch} is new though epoch {newest} had the list")
