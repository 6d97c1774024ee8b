"""The card that airs when no programme does."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from sidecar.media import Slate
from sidecar.protocol.channel import ChannelFormat
from tests.fixtures.playing import HD, plane

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def test_it_is_a_picture_of_the_channels_format() -> None:
    for width, height in ((1280, 720), (720, 576), (1920, 1080), (64, 64)):
        picture = Slate("One", ChannelFormat(width, height, "25"), "UTC").picture(NOON)
        assert (picture.width, picture.height, picture.format.name) == (width, height, "yuv420p")
        luma = plane(picture)
        assert luma.min() >= 16
        assert luma.max() <= 235
        assert luma.max() > 150, "nothing is written on it"


def test_its_clock_moves_each_second_and_not_between() -> None:
    """Within a second it is the same picture; the next second only the clock's figures differ."""
    slate = Slate("One", HD, "UTC")
    first = slate.picture(NOON)
    assert slate.picture(NOON + timedelta(milliseconds=999)) is first
    second = slate.picture(NOON + timedelta(seconds=1))
    rows = np.flatnonzero((plane(first) != plane(second)).any(axis=1))
    assert rows.min() > 0.4 * 720
    assert rows.max() < 0.65 * 720


def test_its_clock_shows_the_channels_zone() -> None:
    """13:00 in Berlin is drawn as 13:00 in UTC is; the name of the zone differs."""
    berlin = Slate("One", HD, "Europe/Berlin").picture(NOON)
    utc = Slate("One", HD, "UTC").picture(NOON + timedelta(hours=1))
    clock = slice(int(0.44 * 720), int(0.63 * 720))
    assert np.array_equal(plane(berlin)[clock], plane(utc)[clock])
    assert not np.array_equal(plane(berlin), plane(utc))


@pytest.mark.parametrize("text", ["no such file: /media/news.mp4", "x" * 4_000, "two\nlines\x1b[31m", "日本語", ""])
def test_a_name_stays_on_the_card(text: str) -> None:
    """However long it is, the outer twentieth stays free."""
    luma = plane(Slate(text, HD, "UTC").picture(NOON))
    background = np.median(luma)
    assert np.all(luma[:, :64] == background)
    assert np.all(luma[:, -64:] == background)
