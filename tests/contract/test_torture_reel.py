"""The torture reel: files that are hard to play right, as a viewer gets them, played, encoded and decoded again.

No stretch, comb, one-sided sound or lost channel, each measured on the decoded programme. ``test_media_pictures`` and
``test_media_sound`` look at the same machinery in finer steps and before the encoder.
"""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from sidecar.media import FileSource
from sidecar.protocol.channel import ChannelFormat
from sidecar.rundown.model import Supply
from sidecar.rundown.rate import converted_frames, parse_rate
from tests.fixtures.encoded import Seen, encoded, seen
from tests.fixtures.playing import airing, level, plane, take_all
from tests.fixtures.torture import (
    Picturing,
    Planes,
    Sounding,
    grey,
    number_of,
    numbered,
    rotate_mp4,
    tone,
    write_clip,
)

pytestmark = pytest.mark.long

WHITE, DARK, MIDDLE = 200, 60, 130
STEP = 8
"""Pixels on the screen that an interlaced clip's square moves from field to field."""
MPEG2 = {"qscale": "2", "flags": "+ildct+ilme+qscale", "global_quality": "236"}
SMALL = ChannelFormat(320, 180, "25")


def square(width: int, height: int, aspect: Fraction, moved: float = 0, rows: slice = slice(None)) -> Planes:
    """A block that is square on the screen, half as high as the picture, ``moved`` picture heights to the right; only
    in ``rows`` of it."""
    planes = grey(width, height, DARK)
    side = height // 2
    across, left = round(side / aspect), round((width / 4 * aspect + moved * height) / aspect)
    lines = np.zeros(height, bool)
    lines[rows] = True
    lines[: height // 4] = lines[height // 4 + side :] = False
    planes[0][lines, left : left + across] = WHITE
    return planes


def two_fields(number: int, first: int, size: tuple[int, int], aspect: Fraction) -> Planes:
    """Field ``first`` (0: the upper) with the square where it is then, the other with it one step further."""
    width, height = size
    planes = grey(width, height, DARK)
    for order in range(2):
        rows = slice((first + order) % 2, None, 2)
        field = square(width, height, aspect, (2 * number + order) * STEP / height, rows)
        planes[0][rows] = field[0][rows]
    return planes


def block(picture: VideoFrame) -> tuple[int, int, float, float]:
    """Width and height of the white block, the position of its left edge, and how far rows differ in that."""
    bright = plane(picture) > MIDDLE
    height = int(np.sum(bright.sum(axis=1) > 20))
    top = int((bright.sum(axis=1) > 20).argmax())
    rows = bright[top + height // 8 : top + height - height // 8]
    lefts = rows.argmax(axis=1)
    return int(np.median(rows.sum(axis=1))), height, float(np.median(lefts)), float(np.std(lefts))


@pytest.mark.parametrize(("order", "first"), [("tff", 0), ("bff", 1)])
@pytest.mark.parametrize("rate", ["25", "50"])
@pytest.mark.parametrize(
    ("size", "aspect", "channel"),
    [
        ((1920, 1080), Fraction(1), (1920, 1080)),
        ((1440, 1080), Fraction(4, 3), (1280, 720)),
        ((720, 576), Fraction(64, 45), (1280, 720)),
        ((720, 576), Fraction(64, 45), (1024, 576)),
    ],
    ids=["1080i25", "HDV to 720p", "576i anamorphic to 720p", "576i anamorphic to 576p"],
)
def test_interlaced_pictures(
    tmp_path: Path,
    size: tuple[int, int],
    aspect: Fraction,
    channel: tuple[int, int],
    rate: str,
    order: str,
    first: int,
) -> None:
    """No comb: every row of a moving edge is in one place. No stretch: the square is square and fills half the height.
    At 50 a second each field's motion is there, in order, whichever field is first."""
    clip = Picturing(
        lambda number: two_fields(number, first, size, aspect),
        10,
        codec="mpeg2video",
        options=MPEG2,
        field_order=order,
        aspect=aspect,
    )
    shown = seen(write_clip(tmp_path / "clip.ts", clip), ChannelFormat(*channel, rate))
    per_frame = 1 if rate == "25" else 2
    assert len(shown.pictures) == 10 * per_frame
    lefts = []
    for picture in shown.pictures[per_frame:-per_frame]:
        across, down, left, spread = block(picture)
        assert spread < 1.5, "comb"
        assert abs(down - channel[1] / 2) <= 4
        assert abs(across - down) <= 6, "stretched"
        lefts.append(left)
    step = STEP * channel[1] / size[1] * 2 / per_frame
    assert np.all(np.abs(np.diff(lefts) - step) <= 2.5), np.diff(lefts)


def test_the_comb_would_be_seen(tmp_path: Path) -> None:
    """The same fields not marked as interlaced are shown as they are, and the measurement finds the comb."""
    clip = Picturing(lambda number: two_fields(number, 0, (720, 576), Fraction(64, 45)), 6, aspect=Fraction(64, 45))
    shown = seen(write_clip(tmp_path / "clip.mkv", clip), ChannelFormat(1280, 720, "25"))
    assert min(block(picture)[3] for picture in shown.pictures) > 2.5


@pytest.mark.parametrize("channel", ["25", "30000/1001", "50", "60000/1001"])
@pytest.mark.parametrize("source", [Fraction(30000, 1001), Fraction(60000, 1001)], ids=["29.97", "59.94"])
def test_american_rates(tmp_path: Path, source: Fraction, channel: str) -> None:
    """Every frame of the programme shows the source frame that is on screen then; picture and sound end together."""
    sound = Sounding(np.stack([tone(440, 2.1)] * 2), codec="aac")
    path = write_clip(tmp_path / "clip.mp4", Picturing(numbered(320, 180), 60, rate=source, codec="libx264"), [sound])
    shown = seen(path, ChannelFormat(320, 180, channel))
    rate = parse_rate(channel)
    wanted = [index * source // rate for index in range(converted_frames(60, source, rate))]
    assert [number_of(level(picture)) for picture in shown.pictures] == wanted
    assert abs(shown.sound.shape[1] - len(wanted) * 48_000 / rate) <= 1024


def amplitudes(shown: Seen, frequencies: list[int]) -> NDArray[np.float64]:
    """By side and frequency, away from the ends."""
    inner = shown.sound[:, 12_000:-12_000].astype(np.float64)
    time = np.arange(inner.shape[1]) / 48_000
    waves = np.exp(-2j * np.pi * np.outer(frequencies, time))
    return 2 * np.abs(inner @ waves.T) / inner.shape[1]


def still(path: Path, *sounds: Sounding, codec: str = "ffv1") -> Path:
    return write_clip(path, Picturing(numbered(320, 180), 50, codec=codec), sounds)


def test_eight_mono_tracks(tmp_path: Path) -> None:
    """Tracks 1 and 2 are left and right, at their level, and nothing of the others comes with them."""
    frequencies = [400 + 100 * track for track in range(8)]
    tracks = [Sounding(tone(frequency, 2.0)[None], "mono") for frequency in frequencies]
    heard = amplitudes(seen(still(tmp_path / "tracks.mov", *tracks, codec="libx264"), SMALL), frequencies)
    assert heard[0] == pytest.approx([0.5, 0, 0, 0, 0, 0, 0, 0], abs=0.02)
    assert heard[1] == pytest.approx([0, 0.5, 0, 0, 0, 0, 0, 0], abs=0.02)


@pytest.mark.parametrize(("name", "codec"), [("clip.mkv", "flac"), ("clip.mp4", "aac"), ("clip.ts", "ac3")])
def test_five_point_one(tmp_path: Path, name: str, codec: str) -> None:
    """No channel but the effects is lost: fronts on their side, the centre on both, the surrounds on theirs."""
    frequencies = [400, 500, 600, 700, 800, 900]
    samples = np.stack([tone(frequency, 2.0, 0.2) for frequency in frequencies])
    path = still(tmp_path / name, Sounding(samples, "5.1", codec), codec="ffv1" if codec == "flac" else "libx264")
    heard = amplitudes(seen(path, SMALL), [400, 500, 600, 800, 900])
    assert heard[0] == pytest.approx([0.2, 0, 0.141, 0.141, 0], abs=0.02)
    assert heard[1] == pytest.approx([0, 0.2, 0.141, 0, 0.141], abs=0.02)


def test_one_mono_track_is_on_both_sides(tmp_path: Path) -> None:
    heard = amplitudes(seen(still(tmp_path / "mono.mkv", Sounding(tone(440, 2.0)[None], "mono")), SMALL), [440])
    assert heard[:, 0] == pytest.approx([0.5, 0.5], abs=0.02)


def test_no_sound(tmp_path: Path) -> None:
    """The programme has a silent sound as long as its pictures."""
    shown = seen(still(tmp_path / "silent.mkv"), SMALL)
    assert [number_of(level(picture)) for picture in shown.pictures] == list(range(50))
    assert abs(shown.sound.shape[1] - 96_000) <= 1024
    assert np.abs(shown.sound).max() < 0.001


@pytest.mark.parametrize("matrix", [(0, 1, -1, 0), (0, -1, 1, 0)], ids=["clockwise", "counterclockwise"])
def test_rotated(tmp_path: Path, matrix: tuple[float, ...]) -> None:
    """A phone held upright: an upright picture between black bars, its square square."""
    clip = Picturing(lambda _: square(640, 360, Fraction(1)), 5, codec="libx264", options={"qp": "4"})
    path = rotate_mp4(write_clip(tmp_path / "phone.mp4", clip), matrix)
    picture = seen(path, ChannelFormat(1280, 720, "25")).pictures[2]
    inside = plane(picture) > (16 + DARK) // 2
    assert abs(int(inside.any(axis=0).sum()) - 404) <= 4
    assert int(inside.any(axis=1).sum()) == 720
    across, down, _, _ = block(picture)
    assert abs(across - down) <= 4
    assert abs(across - 404 / 2) <= 4


def test_variable_rate(tmp_path: Path) -> None:
    """Frames 40, 200, 10 and 90 ms long: every programme frame shows the one that is on screen."""
    lengths = (40, 200, 10, 90)
    times = [sum(lengths[index % 4] for index in range(number)) for number in range(24)]
    path = write_clip(tmp_path / "phone.mkv", Picturing(numbered(320, 180), 24, times=times))
    shown = [number_of(level(picture)) for picture in seen(path, SMALL).pictures]
    assert shown == [max(n for n in range(24) if times[n] <= index * 40) for index in range(len(shown))]
    assert abs(len(shown) * 40 - (times[-1] + 90)) <= 100


def test_truncated(tmp_path: Path) -> None:
    """What is there airs in order with its sound on both sides, and the end says that something is missing."""
    sound = Sounding(np.stack([tone(440, 8.0)] * 2), codec="aac")
    clip = Picturing(numbered(320, 180), 200, codec="libx264", options={"qp": "4", "bf": "0"})
    data = write_clip(tmp_path / "whole.mp4", clip, [sound], movflags="faststart").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(data[: len(data) // 2])
    shown = seen(cut, SMALL)
    assert shown.end.supply is Supply.FAILED
    assert "cut short" in shown.end.error
    numbers = [number_of(level(picture)) for picture in shown.pictures]
    assert len(numbers) > 50
    assert numbers == list(range(len(numbers)))
    assert amplitudes(shown, [440])[:, 0] == pytest.approx([0.5, 0.5], abs=0.05)


def test_growing(tmp_path: Path) -> None:
    """A recording that goes on while it airs, a second behind its writer: all of it airs, in order, with its sound."""
    clip = Picturing(numbered(320, 180), 150, codec="libx264", options={"qp": "4", "tune": "zerolatency"})
    sound = Sounding(np.stack([tone(440, 6.0)] * 2), codec="mp2")
    data = write_clip(tmp_path / "whole.ts", clip, [sound]).read_bytes()
    growing = tmp_path / "growing.ts"
    portion = len(data) // 6
    growing.write_bytes(data[: 2 * portion])
    source = FileSource(airing(growing), SMALL)
    try:
        played = take_all(source, SMALL, 20)
        with growing.open("ab", buffering=0) as file:
            for at in range(2 * portion, len(data), portion):
                file.write(data[at : at + portion])
                played.moments.extend(take_all(source, SMALL, 20).moments)
        rest = take_all(source, SMALL)
    finally:
        source.close()
    played.moments.extend(rest.moments)
    shown = encoded(played, SMALL)
    assert [number_of(level(picture)) for picture in shown.pictures] == list(range(150))
    assert amplitudes(shown, [440])[:, 0] == pytest.approx([0.5, 0.5], abs=0.02)
    assert rest.end.supply is Supply.ENDED
