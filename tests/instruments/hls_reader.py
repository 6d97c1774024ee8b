"""Records a public HLS playlist as a player would: follows it, fetches each segment once, and notes what is wrong."""

import io
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av

Fetch = Callable[[str], bytes]
"""Bytes of a path relative to the playlist's folder; raises OSError where there is none."""


def from_folder(folder: Path) -> Fetch:
    return lambda name: (folder / name).read_bytes()


@dataclass(frozen=True, slots=True)
class Entry:
    sequence: int
    uri: str
    duration: float
    discontinuity: bool


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    sequence: int
    discontinuity_sequence: int
    entries: tuple[Entry, ...]
    ended: bool


def parse_playlist(text: str) -> MediaPlaylist:
    """RFC 8216 media playlist; raises ValueError where a player would stop."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or lines[0] != "#EXTM3U":
        raise ValueError(f"not a playlist: {text[:60]!r}")
    sequence = discontinuity_sequence = 0
    entries: list[Entry] = []
    duration: float | None = None
    discontinuity = ended = False
    for line in lines[1:]:
        tag, _, value = line.partition(":")
        match tag:
            case "#EXT-X-MEDIA-SEQUENCE":
                sequence = int(value)
            case "#EXT-X-DISCONTINUITY-SEQUENCE":
                discontinuity_sequence = int(value)
            case "#EXT-X-DISCONTINUITY":
                discontinuity = True
            case "#EXT-X-ENDLIST":
                ended = True
            case "#EXTINF":
                duration = float(value.split(",")[0])
            case _ if not line.startswith("#"):
                if duration is None:
                    raise ValueError(f"segment without EXTINF: {line}")
                entries.append(Entry(sequence + len(entries), line, duration, discontinuity))
                duration, discontinuity = None, False
    return MediaPlaylist(sequence, discontinuity_sequence, tuple(entries), ended)


@dataclass
class Recording:
    """Segments in order of sequence with the wall time each was first listed; ``faults`` in words."""

    segments: dict[int, tuple[Entry, bytes]] = field(default_factory=dict)
    listed_at: dict[int, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    ended: bool = False

    def spans(self) -> Iterator[bytes]:
        """The programme's bytes, one piece between discontinuities."""
        part = b""
        for sequence in sorted(self.segments):
            entry, data = self.segments[sequence]
            if entry.discontinuity and part:
                yield part
                part = b""
            part += data
        if part:
            yield part

    def pictures(self) -> Iterator[av.VideoFrame]:
        """Decodes all; a packet marked corrupt or an error becomes a fault."""
        for number, span in enumerate(self.spans()):
            with av.open(io.BytesIO(span), format="mpegts") as container:
                video = container.streams.video[0]
                try:
                    for packet in container.demux(video):
                        if packet.is_corrupt:
                            self.faults.append(f"span {number}: corrupt packet at {packet.dts}")
                        yield from packet.decode()
                except av.error.FFmpegError as error:
                    self.faults.append(f"span {number}: {error}")


class HlsRecorder:
    """Polls ``playlist`` ten times a second on a thread until stopped."""

    def __init__(self, fetch: Fetch, playlist: str = "index.m3u8", interval: float = 0.1) -> None:
        self._fetch, self._playlist, self._interval = fetch, playlist, interval
        self.recording = Recording()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hls-recorder", daemon=True)
        self._highest = -1
        self._discontinuities = -1

    def __enter__(self) -> "HlsRecorder":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def wait_for(self, segments: int, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while len(self.recording.segments) < segments:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.recording.segments)} of {segments} segments after {timeout} s")
            self._stop.wait(0.05)

    def _run(self) -> None:
        while not self._stop.is_set():
            self.poll()
            self._stop.wait(self._interval)

    def poll(self) -> None:
        try:
            playlist = parse_playlist(self._fetch(self._playlist).decode())
        except OSError:
            return
        except ValueError as error:
            self.recording.faults.append(str(error))
            return
        recording = self.recording
        recording.ended = playlist.ended
        last = playlist.sequence + len(playlist.entries) - 1
        if last < self._highest:
            recording.faults.append(f"the playlist went back from {self._highest} to {last}")
        if playlist.discontinuity_sequence < self._discontinuities:
            recording.faults.append("the discontinuity sequence went back")
        self._discontinuities = playlist.discontinuity_sequence
        if self._highest >= 0 and playlist.sequence > self._highest + 1:
            recording.faults.append(f"segments {self._highest + 1} to {playlist.sequence - 1} were never listed")
        for entry in playlist.entries:
            if entry.sequence in recording.segments:
                if recording.segments[entry.sequence][0].uri != entry.uri:
                    recording.faults.append(f"segment {entry.sequence} changed its name to {entry.uri}")
                continue
            try:
                data = self._fetch(entry.uri)
            except OSError as error:
                recording.faults.append(f"segment {entry.uri} is listed and not there: {error}")
                continue
            recording.segments[entry.sequence] = (entry, data)
            recording.listed_at[entry.sequence] = time.time()
        self._highest = max(self._highest, last)
