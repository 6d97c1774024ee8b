from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.outputs.playlist import MediaPlaylist, Segment, date_time, parse_playlist, target_duration
from tests.instruments.hls_reader import parse_playlist as read_as_a_player


def grown(*segments: Segment, window: int = 6) -> MediaPlaylist:
    playlist = MediaPlaylist(2)
    for segment in segments:
        playlist = playlist.appended(segment, window)
    return playlist


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(1, 8))
def test_sequence_numbers_stay_with_their_segments_while_the_window_slides(breaks: list[bool], window: int) -> None:
    """RFC 8216, 6.2.2: a segment keeps its media sequence number, and the discontinuities before it are counted."""
    numbers: dict[str, tuple[int, int]] = {}
    playlist = MediaPlaylist(2)
    for number, discontinuity in enumerate(breaks):
        playlist = playlist.appended(Segment(f"1/{number}.ts", Fraction(2), discontinuity=discontinuity), window)
        assert len(playlist.segments) <= window
        seen = playlist.discontinuity_sequence
        for at, segment in enumerate(playlist.segments):
            seen += segment.discontinuity
            assert numbers.setdefault(segment.uri, (playlist.media_sequence + at, seen)) == (
                playlist.media_sequence + at,
                seen,
            )


@given(
    st.lists(
        st.builds(
            Segment,
            st.integers(0, 999).map(lambda number: f"7/{number}.ts"),
            st.integers(1, 120).map(lambda frames: Fraction(frames, 25)),
            st.sampled_from(["", "2026-11-22T12:00:00.000Z"]),
            st.booleans(),
        ),
        max_size=8,
    ),
    st.booleans(),
)
def test_what_is_written_is_read_back(segments: list[Segment], ended: bool) -> None:
    playlist = grown(*segments)
    playlist = playlist.end() if ended else playlist
    assert parse_playlist(playlist.render()) == playlist
    assert len(read_as_a_player(playlist.render()).entries) == len(playlist.segments)


def test_durations_are_exact_to_a_microsecond() -> None:
    text = grown(Segment("1/0.ts", Fraction(60 * 1001, 30000))).render()
    assert "#EXTINF:2.002000,\n1/0.ts\n" in text


def test_the_target_duration_covers_every_segment_as_the_rfc_rounds() -> None:
    assert target_duration(Fraction(60 * 1001, 30000)) == 2
    assert target_duration(Fraction(2, 5)) == 1
    assert grown(Segment("1/0.ts", Fraction(5, 2))).target_duration == 3


@pytest.mark.parametrize(
    "text",
    ["", "#EXTM3U", "hello\n", "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:x\n", "#EXTM3U\n#EXTINF:-1,\n1/0.ts\n",
     "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:-4\n", "#EXTM3U\n#EXTINF:nan,\n1/0.ts\n", "#EXTM3U\n#EXTINF:1"],
)  # fmt: skip
def test_a_broken_playlist_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any sentence will do
        parse_playlist(text)


def test_a_date_is_utc_with_milliseconds() -> None:
    assert date_time(1_795_350_760_985_746_088) == "2026-11-22T12:32:40.985Z"
