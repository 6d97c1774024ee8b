"""Which source frame every channel frame shows, and how many there are: exact, on files with good and bad clocks."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from sidecar.media.probe import probe
from sidecar.protocol.channel import ChannelFormat
from sidecar.rundown.rate import converted_frames, parse_rate
from tests.fixtures.playing import SMALL, level, play
from tests.fixtures.torture import Picturing, Sounding, number_of, numbered, tone, write_clip

FILM, PAL, NTSC, PAL_FAST, NTSC_FAST = (
    Fraction(24000, 1001),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(50),
    Fraction(60000, 1001),
)


def seen(moments: list) -> list[int]:
    """The frame numbers that are in the pictures, modulo 200."""
    return [number_of(level(moment.picture)) for moment in moments]


def small(rate: str) -> ChannelFormat:
    return ChannelFormat(320, 180, rate)


Kept = Callable[[str, Picturing], Path]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """The clip of a name, written once for all tests of this file: to encode it takes longer than to play it."""
    folder = tmp_path_factory.mktemp("kept")

    def written(name: str, picturing: Picturing) -> Path:
        path = folder / name
        return path if path.exists() else write_clip(path, picturing)

    return written


RATES = [FILM, Fraction(24), PAL, NTSC, Fraction(30), PAL_FAST, NTSC_FAST, Fraction(100)]
CHANNELS = ["25", "30000/1001", "50", "60000/1001", "24"]


@pytest.mark.parametrize(
    ("name", "source", "channel"),
    [
        *(("clip.mkv", source, channel) for source in RATES for channel in CHANNELS),
        *(("clip.mp4", source, channel) for source in (FILM, NTSC, PAL_FAST) for channel in CHANNELS[:3]),
    ],
)
def test_every_channel_frame_shows_what_is_on_screen(kept: Kept, name: str, source: Fraction, channel: str) -> None:
    """Channel frame m shows source frame floor(m * source / channel), whatever the container rounds its clock to
    (Matroska: milliseconds), and the item is as long as the rundown counts it."""
    codec = "ffv1" if name.endswith("mkv") else "libx264"
    clip = Picturing(numbered(320, 180), 60, rate=source, codec=codec, options={"qp": "0"} if codec != "ffv1" else {})
    path = kept(f"{source.numerator}-{source.denominator} {name}", clip)
    played = play(path, small(channel))
    wanted = [
        index * source // parse_rate(channel) for index in range(converted_frames(60, source, parse_rate(channel)))
    ]
    assert played.numbers == wanted
    assert seen(played.moments) == wanted


@pytest.mark.parametrize(
    ("name", "in_frames"),
    [
        *(("clip.mp4", at) for at in (0, 1, 7, 49, 50, 51, 130, 199)),
        *((name, at) for name in ("clip.mkv", "clip.ts") for at in (1, 51, 199)),
        *(
            pytest.param(name, at, marks=pytest.mark.long)
            for name in ("clip.mkv", "clip.ts")
            for at in (0, 7, 49, 50, 130)
        ),
    ],
)
def test_in_points_are_exact_also_between_key_frames(kept: Kept, name: str, in_frames: int) -> None:
    """One key frame in 250, pictures stored out of order."""
    clip = Picturing(
        numbered(320, 180), 200, codec="libx264", options={"qp": "0", "bf": "3", "x264-params": "scenecut=0"}, gop=250
    )
    played = play(kept(f"one key frame {name}", clip), SMALL, in_frames=in_frames)
    assert seen(played.moments) == list(range(in_frames, 200))
    assert played.numbers == seen(played.moments)


@pytest.mark.parametrize("channel", ["25", "30000/1001", "50"])
@pytest.mark.parametrize("first_frame", [1, 77, 120])
def test_a_resumed_item_shows_what_it_would_have_shown(kept: Kept, channel: str, first_frame: int) -> None:
    """P1: joined in progress, the item goes on at exactly the frame it would be at."""
    path = kept("resumed.mkv", Picturing(numbered(320, 180), 200, rate=NTSC))
    whole = play(path, small(channel), in_frames=11)
    resumed = play(path, small(channel), first_frame, in_frames=11)
    assert resumed.numbers == whole.numbers[first_frame:]
    assert seen(resumed.moments) == resumed.numbers


def test_the_duration_ends_it(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mkv", Picturing(numbered(320, 180), 100))
    assert play(path, SMALL, in_frames=10, duration_frames=30).numbers == list(range(10, 40))
    assert play(path, SMALL, 25, in_frames=10, duration_frames=30).numbers == list(range(35, 40))
    assert play(path, SMALL, 30, in_frames=10, duration_frames=30).numbers == []


def test_a_variable_rate_is_followed(tmp_path: Path) -> None:
    """Frames 40, 200, 10 and 90 ms long: each channel frame shows the one that is on screen."""
    lengths = (40, 200, 10, 90)
    times = [sum(lengths[index % 4] for index in range(number)) for number in range(24)]
    path = write_clip(tmp_path / "vfr.mkv", Picturing(numbered(320, 180), 24, times=times))
    shown = seen(play(path, SMALL).moments)
    wanted = [max(n for n in range(24) if times[n] <= index * 40) for index in range(len(shown))]
    assert shown == wanted
    assert abs(len(shown) * 40 - (times[-1] + 90)) <= 100


@pytest.mark.parametrize("start", [Fraction(0), Fraction(36_000), Fraction(95_440)])
def test_a_clock_that_starts_anywhere(tmp_path: Path, start: Fraction) -> None:
    """A transport stream that begins ten hours in, or just before its 33 bit clock wraps (26.5 hours)."""
    clip = Picturing(numbered(320, 180), 100, codec="libx264", options={"qp": "0"}, start=start)
    path = write_clip(tmp_path / "clip.ts", clip, [Sounding(tone(440, 4)[None], "mono", "mp2", start=start)])
    assert seen(play(path, SMALL).moments) == list(range(100))
    assert seen(play(path, SMALL, in_frames=80).moments) == list(range(80, 100))


@pytest.mark.parametrize("starts", [(0, 1000), (1000, 0), (0, 0)])
def test_a_clock_that_jumps(tmp_path: Path, starts: tuple[int, int]) -> None:
    """Two recordings joined: the second goes on where the first ends, its sound with it."""
    data = b""
    for number, start in enumerate(starts):
        clip = Picturing(
            lambda frame, n=number: numbered(320, 180)(frame + 60 * n), 60, codec="libx264",
            options={"qp": "0", "tune": "zerolatency"}, start=Fraction(start),
        )  # fmt: skip
        sound = Sounding(tone(400 + 600 * number, 2.4)[None], "mono", "mp2", start=Fraction(start))
        data += write_clip(tmp_path / f"{number}.ts", clip, [sound]).read_bytes()
    joined = tmp_path / "joined.ts"
    joined.write_bytes(data)
    played = play(joined, SMALL)
    assert [number for number, following in pairwise(seen(played.moments)) if number != following] == list(range(119))
    assert abs(len(played.moments) - 120) <= 3
    half = played.sound.shape[1] // 2
    assert abs(played.sound[0, half - 24_000 : half - 4_800]).max() > 0.3
    assert abs(played.sound[0, half + 4_800 : half + 24_000]).max() > 0.3


@pytest.mark.parametrize("channel", ["25", "30000/1001"])
@pytest.mark.parametrize(
    "name", ["clip.mp4", "clip.mkv", "clip.ts", "clip.mov", "clip.avi", "clip.mxf", "clip.flv", "clip.mpg"]
)
def test_what_a_probe_counts_is_what_airs(tmp_path: Path, name: str, channel: str) -> None:
    """The rundown's predicted length of an item, from the probe alone, is how many frames air."""
    codec = {"mkv": "ffv1", "mxf": "mpeg2video", "mpg": "mpeg2video"}.get(name.split(".")[1], "libx264")
    clip = Picturing(numbered(320, 180), 93, codec=codec, rate=PAL)
    sound_codec = {"mxf": "pcm_s16le", "mkv": "pcm_s16le", "mpg": "mp2", "avi": "pcm_s16le"}.get(
        name.split(".")[1], "aac"
    )
    path = write_clip(tmp_path / name, clip, [Sounding(tone(440, 3.7)[None], "mono", sound_codec)])
    seen_by_probe = probe(str(path))
    assert seen_by_probe.verdict == "usable", seen_by_probe.refusal
    assert (seen_by_probe.rate, seen_by_probe.duration_frames, seen_by_probe.duration_ms) == ("25", 93, 3720)
    played = play(path, small(channel))
    assert len(played.moments) == converted_frames(93, PAL, parse_rate(channel))
