"""What a decoded file looks like in the channel's format: measured, on clips that are hard to get right."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sidecar.protocol.channel import ChannelFormat
from tests.fixtures.playing import HD, level, plane, play
from tests.fixtures.torture import Picturing, Planes, colour, grey, rotate_mp4, write_clip

WHITE, DARK = 200, 60


def square_clip(width: int, height: int, aspect: Fraction) -> Planes:
    """A picture with a white block that is square on a screen, a quarter of the height."""
    planes = grey(width, height, DARK)
    side = height // 4
    across = round(side / aspect)
    top, left = (height - side) // 2, (width - across) // 2
    planes[0][top : top + side, left : left + across] = WHITE
    return planes


def extent(mask: np.ndarray) -> tuple[int, int]:
    """Width and height of what is true."""
    return int(mask.any(axis=0).sum()), int(mask.any(axis=1).sum())


@pytest.mark.parametrize(
    ("width", "height", "aspect", "picture"),
    [
        (1920, 1080, Fraction(1), (1280, 720)),
        (720, 576, Fraction(64, 45), (1280, 720)),  # 16:9 anamorphic
        (720, 576, Fraction(16, 15), (960, 720)),  # 4:3: pillarbox
        (720, 480, Fraction(8, 9), (960, 720)),
        (1440, 1080, Fraction(4, 3), (1280, 720)),  # HDV
        (640, 272, Fraction(1), (1280, 544)),  # letterbox
        (608, 1080, Fraction(1), (406, 720)),  # upright
        (322, 242, Fraction(1), (958, 720)),
    ],
)
def test_nothing_is_stretched(
    tmp_path: Path, width: int, height: int, aspect: Fraction, picture: tuple[int, int]
) -> None:
    clip = Picturing(
        lambda _: square_clip(width, height, aspect), 2, aspect=aspect, codec="libx264", options={"qp": "0"}
    )
    shown = plane(play(write_clip(tmp_path / "square.mkv", clip)).moments[1].picture)
    across, down = extent(shown > (WHITE + DARK) // 2)
    assert abs(across - down) <= 3
    assert extent(shown > (16 + DARK) // 2) == picture
    assert abs(down - picture[1] / 4) <= 3


@pytest.mark.parametrize(
    ("matrix", "corner"),
    [
        ((1, 0, 0, 1), "upper left"),
        ((0, 1, -1, 0), "upper right"),  # turned clockwise by 90 degrees
        ((-1, 0, 0, -1), "lower right"),
        ((0, -1, 1, 0), "lower left"),
    ],
)
def test_rotation_is_obeyed(tmp_path: Path, matrix: tuple[float, ...], corner: str) -> None:
    """The stored upper left corner is bright; a phone's display matrix says where it belongs."""

    def draw(_: int) -> Planes:
        planes = square_clip(640, 360, Fraction(1))
        planes[0][:60, :60] = 235
        return planes

    clip = Picturing(draw, 2, codec="libx264", options={"qp": "0"})
    shown = plane(play(rotate_mp4(write_clip(tmp_path / "phone.mp4", clip), matrix)).moments[0].picture)
    picture = shown > (16 + DARK) // 2
    across, down = extent(picture)
    upright = matrix[0] == 0
    assert (across, down) == ((404, 720) if upright else (1280, 720))
    left, top = int(picture.any(axis=0).argmax()), int(picture.any(axis=1).argmax())
    inner = shown[top : top + down, left : left + across]
    bright = {
        "upper left": inner[:40, :40],
        "upper right": inner[:40, -40:],
        "lower left": inner[-40:, :40],
        "lower right": inner[-40:, -40:],
    }
    assert {name: bool(np.median(part) > 220) for name, part in bright.items()} == {
        name: name == corner for name in bright
    }


def ycbcr(rgb: tuple[float, float, float], red: float, blue: float, full: bool) -> tuple[int, int, int]:
    """By the definition of BT.601 and BT.709, from their weights of red and blue."""
    luma = red * rgb[0] + (1 - red - blue) * rgb[1] + blue * rgb[2]
    from_blue, from_red = (rgb[2] - luma) / (2 * (1 - blue)), (rgb[0] - luma) / (2 * (1 - red))
    if full:
        return round(255 * luma), round(min(255, 128 + 255 * from_blue)), round(min(255, 128 + 255 * from_red))
    return round(16 + 219 * luma), round(128 + 224 * from_blue), round(128 + 224 * from_red)


BT601, BT709 = (0.299, 0.114), (0.2126, 0.0722)


@pytest.mark.parametrize(
    "rgb",
    [
        *((0.75, 0.1, 0.1), (0.15, 0.2, 0.8)),
        *(pytest.param(it, marks=pytest.mark.long) for it in ((0.1, 0.7, 0.2), (0.9, 0.9, 0.9), (0.7, 0.7, 0.1))),
    ],
)
@pytest.mark.parametrize(
    ("size", "weights", "space", "colour_range", "pixel_format", "chroma"),
    [
        ((1280, 720), BT709, 1, 1, "yuv420p", (2, 2)),
        ((1280, 720), BT709, 2, 0, "yuv420p", (2, 2)),  # undeclared HD
        ((720, 576), BT601, 2, 0, "yuv420p", (2, 2)),  # undeclared SD
        ((720, 576), BT601, 6, 1, "yuv422p", (2, 1)),
        ((720, 576), BT709, 1, 1, "yuv420p", (2, 2)),  # SD that says it is BT.709
        ((1280, 720), BT709, 1, 2, "yuv420p", (2, 2)),  # full range
        ((640, 360), BT601, 5, 2, "yuv420p", (2, 2)),
        ((1920, 1080), BT709, 1, 1, "yuv422p10le", (2, 1)),
        ((1280, 720), BT709, 1, 1, "yuv444p", (1, 1)),
        ((1280, 720), BT601, 5, 1, "yuv420p", (2, 2)),  # HD that says it is BT.601
    ],
)
def test_colours_are_the_channels(
    tmp_path: Path,
    rgb: tuple[float, float, float],
    size: tuple[int, int],
    weights: tuple[float, float],
    space: int,
    colour_range: int,
    pixel_format: str,
    chroma: tuple[int, int],
) -> None:
    """A flat colour comes out as BT.709 in video range within two code values, whatever it was written as."""
    levels = ycbcr(rgb, *weights, full=colour_range == 2)
    clip = Picturing(
        lambda _: colour(*size, levels, chroma),
        1,
        pixel_format=pixel_format,
        colour_space=space,
        colour_range=colour_range,
    )
    shown = play(write_clip(tmp_path / "colour.mkv", clip)).moments[0].picture
    wanted = ycbcr(rgb, *BT709, full=False)
    assert [abs(level(shown, index) - wanted[index]) <= 2 for index in range(3)] == [True] * 3, (
        [level(shown, index) for index in range(3)],
        wanted,
    )
    assert (shown.format.name, shown.colorspace, shown.color_range) == ("yuv420p", 1, 1)
    assert shown.pict_type == 0


FIELD_STEP = 16


def field_bar(number: int, first: int) -> Planes:
    """1920x1080 of two fields in which a bar moves by FIELD_STEP pixels a field; ``first`` is the field shown first."""
    planes = grey(1920, 1080, DARK)
    for order in range(2):
        left = 400 + (2 * number + order) * FIELD_STEP
        planes[0][(first + order) % 2 :: 2, left : left + 200] = WHITE
    return planes


@pytest.mark.parametrize(("order", "first"), [("tff", 0), ("bff", 1)])
@pytest.mark.parametrize("rate", ["25", "50"])
def test_interlaced_pictures_are_made_whole(tmp_path: Path, order: str, first: int, rate: str) -> None:
    """1080i25: no comb, and at 50 a second every field's motion in its own time, whichever field is first."""
    clip = Picturing(
        lambda number: field_bar(number, first),
        12,
        codec="mpeg2video",
        options={"qscale": "2", "flags": "+ildct+ilme+qscale", "global_quality": "236"},
        field_order=order,
    )
    played = play(write_clip(tmp_path / f"{order}.ts", clip), ChannelFormat(1920, 1080, rate))
    per_frame = 1 if rate == "25" else 2
    assert len(played.moments) == 12 * per_frame
    assert played.numbers == [index // per_frame for index in range(12 * per_frame)]
    edges = []
    for moment in played.moments[per_frame:-per_frame]:
        bright = plane(moment.picture)[200:880].astype(int) > (WHITE + DARK) // 2
        lefts = bright.argmax(axis=1)
        assert abs(np.median(lefts[0::2]) - np.median(lefts[1::2])) <= 2, "comb"
        edges.append(float(np.median(lefts)))
    steps = np.diff(edges)
    assert np.all(np.abs(steps - FIELD_STEP * 2 / per_frame) <= 3), steps


def test_progressive_pictures_of_the_channels_format_pass_untouched(tmp_path: Path) -> None:
    """No scaler softens them: every sample of noise comes out as it went in."""
    noise = np.random.default_rng(1).integers(16, 236, (720, 1280), np.uint8)

    def draw(_: int) -> Planes:
        return (noise, *grey(1280, 720, 0)[1:])

    shown = play(write_clip(tmp_path / "noise.mkv", Picturing(draw, 2))).moments[1].picture
    assert np.array_equal(plane(shown), noise)


def test_a_repeated_source_frame_is_the_same_picture(tmp_path: Path) -> None:
    """At twice the rate every picture is conformed once and handed out twice."""
    clip = Picturing(lambda number: grey(640, 360, 40 + number), 10)
    moments = play(write_clip(tmp_path / "slow.mkv", clip), ChannelFormat(1280, 720, "50")).moments
    assert len(moments) == 20
    assert all(moments[index].picture is moments[index + 1].picture for index in range(0, 20, 2))


def test_size_that_changes_on_the_way(tmp_path: Path) -> None:
    """Joined transport streams of different shapes: each part is fitted on its own."""
    parts = []
    for width, height in ((720, 576), (640, 360)):
        clip = Picturing(
            lambda _, w=width, h=height: grey(w, h, 120), 12, codec="mpeg2video", aspect=Fraction(1),
            options={"bf": "0"},
        )  # fmt: skip
        parts.append(write_clip(tmp_path / f"{height}.ts", clip).read_bytes())
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(parts))
    moments = play(joined, HD).moments
    assert extent(plane(moments[3].picture) > 60) == (900, 720)
    assert extent(plane(moments[-2].picture) > 60) == (1280, 720)
    assert len(moments) in (23, 24)  # the decoder may lose the last picture before the change
