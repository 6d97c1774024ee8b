"""An HLS media playlist (RFC 8216) as a value: a window of segments that slides, over changes of epoch too."""

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction

_MAX_SEGMENT_S = 3600


@dataclass(frozen=True, slots=True)
class Segment:
    """``uri`` is relative to the playlist. ``duration`` in seconds. ``discontinuity``: timestamps begin anew here.

    ``starts_at`` is the first picture's instant as RFC 3339, empty where it is not known.
    """

    uri: str
    duration: Fraction
    starts_at: str = ""
    discontinuity: bool = False


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """``target_duration`` in whole seconds; the two sequence numbers are those of the first segment."""

    target_duration: int
    media_sequence: int = 0
    discontinuity_sequence: int = 0
    segments: tuple[Segment, ...] = ()
    ended: bool = False

    def appended(self, segment: Segment, window: int) -> "MediaPlaylist":
        """With ``segment`` at the end and at most ``window`` segments."""
        segments = (*self.segments, segment)
        leaving = segments[: max(0, len(segments) - window)]
        return replace(
            self,
            target_duration=max(self.target_duration, _rounded(segment.duration)),
            media_sequence=self.media_sequence + len(leaving),
            discontinuity_sequence=self.discontinuity_sequence + sum(gone.discontinuity for gone in leaving),
            segments=segments[len(leaving) :],
        )

    def end(self) -> "MediaPlaylist":
        """Nothing follows."""
        return replace(self, ended=True)

    def render(self) -> str:
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:3",
            "#EXT-X-INDEPENDENT-SEGMENTS",
            f"#EXT-X-TARGETDURATION:{self.target_duration}",
            f"#EXT-X-MEDIA-SEQUENCE:{self.media_sequence}",
            f"#EXT-X-DISCONTINUITY-SEQUENCE:{self.discontinuity_sequence}",
        ]
        for segment in self.segments:
            if segment.discontinuity:
                lines.append("#EXT-X-DISCONTINUITY")
            if segment.starts_at:
                lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{segment.starts_at}")
            lines += [f"#EXTINF:{float(segment.duration):.6f},", segment.uri]
        if self.ended:
            lines.append("#EXT-X-ENDLIST")
        return "\n".join(lines) + "\n"


def parse_playlist(text: str) -> MediaPlaylist:
    """Reads what ``render`` writes. Raises ValueError for anything that is not whole."""
    lines = text.splitlines()
    if not lines or lines[0] != "#EXTM3U" or not text.endswith("\n"):
        raise ValueError("not a whole playlist")
    numbers = {"#EXT-X-TARGETDURATION": 0, "#EXT-X-MEDIA-SEQUENCE": 0, "#EXT-X-DISCONTINUITY-SEQUENCE": 0}
    segments: list[Segment] = []
    duration, starts_at, discontinuity, ended = Fraction(0), "", False, False
    for line in lines[1:]:
        tag, _, value = line.partition(":")
        if tag in numbers:
            numbers[tag] = int(value)
        elif tag == "#EXT-X-DISCONTINUITY":
            discontinuity = True
        elif tag == "#EXT-X-PROGRAM-DATE-TIME":
            starts_at = value
        elif tag == "#EXTINF":
            duration = Fraction(value.partition(",")[0])
            if not 0 <= duration <= _MAX_SEGMENT_S:
                raise ValueError(f"no duration of a segment: {value!r}")
        elif tag == "#EXT-X-ENDLIST":
            ended = True
        elif line and not line.startswith("#"):
            segments.append(Segment(line, duration, starts_at, discontinuity))
            duration, starts_at, discontinuity = Fraction(0), "", False
    target, media, discontinuities = numbers.values()
    if min(target, media, discontinuities) < 0:
        raise ValueError("a sequence number is negative")
    return MediaPlaylist(target, media, discontinuities, tuple(segments), ended)


def target_duration(longest: Fraction) -> int:
    """Whole seconds for segments of ``longest`` seconds: the nearest, as the RFC compares, and at least 1."""
    return max(1, _rounded(longest))


def _rounded(seconds: Fraction) -> int:
    return math.floor(seconds + Fraction(1, 2))


def date_time(wall_ns: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return (
        datetime.fromtimestamp(wall_ns // 1_000_000 / 1000, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
