"""Interlaced channels of a server: it counts fields, the rundown frames, and outputs keep the fields in order."""

import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sidecar.caspar.consumers import Places, consumer_of
from sidecar.protocol.caspar_modes import FieldOrder, mode_named
from sidecar.protocol.channel import CasparServer, ChannelFormat, Output, Playlist, SidecarDocument
from tests.fixtures.caspar_air import CasparAir, item

FIELDS = {"a": 500, "b": 250, "c": 120}
NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(("mode", "rate"), [("1080i5000", Fraction(25)), ("1080i5994", NTSC), ("NTSC", NTSC)])
async def test_a_list_airs_to_the_frame_where_the_server_counts_fields(mode: str, rate: Fraction) -> None:
    items = [item("a", 50), item("b", 30), item("c", None)]
    place = CasparServer(mode=mode)
    async with CasparAir(items, FIELDS, rate=rate, form=mode, fields=2, place=place) as air:
        await air.arm()
        await air.run(200)
        assert air.ends() == [("a", "ended", 50, 0), ("b", "ended", 30, 0), ("c", "ended", 60, 0)]
        assert [one.tick for one in air.aired][:3] == [0, 100, 160]
        assert any("LENGTH 100" in one for one in air.server.received)


async def test_a_server_of_another_mode_than_told_plays_nothing_and_it_is_said() -> None:
    place = CasparServer(mode="1080i5994")
    async with CasparAir([item("a", 50)], FIELDS, form="1080i5000", fields=2, place=place) as air:
        await air.arm()
        await air.run(20)
        assert air.aired == []
        assert "1080i5000" in air.drive.health.detail
        assert "1080i5994" in air.drive.health.detail


@pytest.mark.parametrize(
    ("name", "rate", "ticks", "order"),
    [
        ("1080i5000", "25", "50", "upper first"),
        ("1080I5994", "30000/1001", "60000/1001", "upper first"),
        ("PAL", "25", "50", "upper first"),
        ("ntsc", "30000/1001", "60000/1001", "lower first"),
        ("1080p5994", "60000/1001", "60000/1001", "progressive"),
    ],
)
def test_what_a_mode_counts_and_which_field_is_first(name: str, rate: str, ticks: str, order: FieldOrder) -> None:
    mode = mode_named(name)
    assert mode is not None
    assert (mode.rate, mode.ticks, mode.order) == (Fraction(rate), Fraction(ticks), order)


def told(output: Output, order: FieldOrder) -> str:
    document = SidecarDocument("c" * 32, "Test", ChannelFormat(1920, 1080, "25"), (output,), Playlist(1))
    return consumer_of(output, 700, document, Places(Path("/media"), 1), 0, order).add


def test_a_headend_gets_fields_and_players_whole_frames() -> None:
    udp, web = Output("u", "udp", "udp://127.0.0.1:5004"), Output("r", "rtmp", "rtmp://127.0.0.1/app/key")
    for order, first in (("upper first", "tff"), ("lower first", "bff")):
        said = told(udp, order)
        assert f"interlace=scan={first}:" in said
        assert "-flags:v +ildct+ilme " in said
        assert "interlace" not in told(web, order)
        assert "fps=25/1," in told(web, order)
        assert "fps=25/1," in told(Output("h", "hls"), order)
    assert "interlace" not in told(udp, "progressive")
    assert "fps=" not in told(udp, "progressive")


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the filter is in ffmpeg's own program alone")
@pytest.mark.parametrize(("order", "even"), [("upper first", 0), ("lower first", 1)])
def test_the_filter_weaves_the_first_picture_into_the_first_field(order: FieldOrder, even: int) -> None:
    """By FFmpeg itself, which the server uses: of pictures that are white and black in turn, as a consumer is given
    them, the first one's lines are those of the first field."""
    words = told(Output("u", "udp", "udp://127.0.0.1:5004"), order).split()
    raw = "-f rawvideo -pix_fmt bgra -video_size 64x64 -framerate 50 -i -"
    filters = words[words.index("-filter:v") + 1]
    pictures = b"".join((b"\xff" if number % 2 == 0 else b"\0") * 64 * 64 * 4 for number in range(8))
    done = subprocess.run(
        ["ffmpeg", "-v", "error", *raw.split(), "-vf", filters, "-f", "rawvideo", "-"],
        input=pictures, capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    size = 64 * 64 * 3 // 2
    assert len(done.stdout) == 4 * size, "half as many pictures"
    luma = np.frombuffer(done.stdout[:size], np.uint8)[: 64 * 64].reshape(64, 64)
    assert luma[even::2].mean() > 200
    assert luma[1 - even :: 2].mean() < 50
