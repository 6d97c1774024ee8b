"""The numbers of a public playlist over any history of moves, restarts and clocks (P2)."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.engine.encoder_settings import gop_frames
from sidecar.outputs.hls_folder import HlsFolder
from sidecar.outputs.playlist import MediaPlaylist, Segment
from sidecar.outputs.sequences import EPOCH_TICKS, TICKS, first_number, is_predecessor

NS = 1_000_000_000
START_NS = 1_800_000_000 * NS
WINDOW = 6


@dataclass(frozen=True)
class Run:
    """One epoch: on which node, after what pause, how far its clock is behind, and which of its segments have a gap
    before them. ``segments`` 0: it died before its first; ``armed`` False: before it opened anything."""

    node: int
    pause_ns: int
    behind_ns: int
    length: Fraction
    gaps: tuple[bool, ...]
    armed: bool


lengths = st.tuples(st.fractions(1, 120, max_denominator=1001), st.integers(200, 4_000)).map(
    lambda drawn: Fraction(gop_frames(drawn[0], drawn[1])) / drawn[0]
)
runs = st.builds(
    Run,
    st.integers(0, 2),
    st.integers(0, 120 * NS),
    st.integers(0, (EPOCH_TICKS // TICKS) * NS - NS),
    lengths,
    st.lists(st.booleans(), max_size=30).map(tuple),
    st.booleans(),
)


def listed(playlist: MediaPlaylist) -> list[tuple[int, int, str]]:
    """(media sequence, discontinuity sequence, name) of each segment, as RFC 8216 counts."""
    found, discontinuities = [], playlist.discontinuity_sequence
    for at, segment in enumerate(playlist.segments):
        discontinuities += segment.discontinuity
        found.append((playlist.media_sequence + at, discontinuities, segment.uri))
    return found


@settings(max_examples=150, deadline=None)
@given(st.lists(runs, min_size=1, max_size=8))
def test_the_public_numbers_never_go_back(history: list[Run]) -> None:
    """Over A to B to A, restarts in place, attempts that wrote nothing, and clocks up to 15 s behind."""
    now_ns, names = START_NS, dict[int, str]()
    highest = previous = (0, 0)
    with TemporaryDirectory() as home:
        for epoch, run in enumerate(history, start=1):
            now_ns += run.pause_ns
            folder = HlsFolder(Path(home) / str(run.node), epoch)
            if not run.armed:
                continue
            folder.make()
            public: MediaPlaylist | None = None
            for number, gap in enumerate(run.gaps):
                if public is None:
                    public = folder.previous_playlist(2, WINDOW, now_ns - run.behind_ns)
                discontinuity = bool(public.segments) and (gap or number == 0)
                segment = Segment(folder.uri(number), run.length, discontinuity=discontinuity)
                public = public.appended(segment, WINDOW)
                folder.write_segment(number, b"")
                folder.write_playlist(public)
                now_ns += int(run.length * NS)
                first = public.media_sequence, public.discontinuity_sequence
                assert first[0] >= previous[0], "the media sequence went back"
                assert first[1] >= previous[1], "the discontinuity sequence went back"
                previous = first
                for sequence, discontinuities, uri in listed(public):
                    name = f"{run.node}/{uri}"
                    assert names.setdefault(sequence, name) == name, "one number names two segments"
                    highest = max(highest[0], sequence), max(highest[1], discontinuities)
                newest = listed(public)[-1]
                assert (newest[0], newest[1]) == highest, "the newest segment is not the highest"


def test_a_restart_in_place_is_dense_and_a_move_is_not() -> None:
    assert is_predecessor(4, 5, opened={4, 5}, written={4})
    assert is_predecessor(4, 7, opened={4, 5, 6, 7}, written={4}), "5 and 6 died here before their first segment"
    assert not is_predecessor(4, 6, opened={4, 6}, written={4}), "5 was elsewhere"
    assert not is_predecessor(4, 6, opened={4, 5, 6}, written={4, 5}), "5 cannot be read"


def test_numbers_fit_31_bits_for_years() -> None:
    assert first_number(1_987_000_000 * NS, 1000) < 1 << 31
    assert first_number(0, 3) == 3 * EPOCH_TICKS, "a node without a clock still goes up with the epoch"
