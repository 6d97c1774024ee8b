"""Other programs' lists, read: what becomes an entry, what is refused, in which order."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.models import Asset
from supervisor.errors import Invalid
from supervisor.playlists.entries import natural, of_ffplayout, of_folder, of_m3u
from supervisor.playlists.items import trim
from supervisor.playlists.schedule import MOST, ScheduledEvent, Seconds, nearest_frame

HERE = Path("/media/day")
ASSET = Asset(id="a", title="A", path="/a", rate="25", duration_frames=250)


def seconds(begin: str, end: str | None) -> ScheduledEvent:
    last = None if end is None else Seconds(Fraction(end))
    return ScheduledEvent("line 1", path=HERE, begin=Seconds(Fraction(begin)), end=last)


def test_names_sort_as_people_count() -> None:
    ordered = ["009.mp4", "9.mp4", "10.mp4", "a.mp4", "a9.mp4", "a9b.mp4", "A10.mp4", "b.mp4"]
    backwards = ordered[::-1]
    assert sorted(backwards, key=natural) == ordered


@given(st.lists(st.text(max_size=8), unique=True, max_size=6))
def test_any_names_have_one_order(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(names, key=natural) == sorted(backwards, key=natural)


@given(st.text(max_size=400))
def test_whatever_an_m3u_holds_every_line_is_taken_or_refused(text: str) -> None:
    lines = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    found = of_m3u(text, HERE)
    assert len(found.events) + len(found.refused) == len(lines)


def test_titles_of_an_m3u_belong_to_the_line_after_them() -> None:
    found = of_m3u("#EXTINF:12.5 tvg-id=x,News, at one\n/a.mp4\nb.mp4\n#EXTINF:1,\nc.mp4\n", HERE)
    assert [(event.path, event.title) for event in found.events] == [
        (Path("/a.mp4"), "News, at one"),
        (HERE / "b.mp4", None),
        (HERE / "c.mp4", None),
    ]


@pytest.mark.parametrize(
    "line", ["http://a/b.mp4", "rtmp://a/b", "srt://:1", "file://elsewhere/a.mp4", "a.JPG", "a\0b"]
)
def test_what_is_no_file_of_this_machine_is_refused(line: str) -> None:
    found = of_m3u(line, HERE)
    assert (found.events, len(found.refused)) == ((), 1)


def test_a_stream_is_no_list() -> None:
    with pytest.raises(Invalid, match="HLS"):
        of_m3u("#EXTM3U\n#EXT-X-TARGETDURATION:2\n0.ts\n", HERE)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"program": {}}', '{"program": [', "NaN", "[" * 100_000])
def test_what_is_no_ffplayout_list_is_said_so(text: str) -> None:
    with pytest.raises(Invalid):
        of_ffplayout(text, HERE)


@pytest.mark.parametrize(
    "item", ["1", "{}", '{"source": ""}', '{"source": "a", "in": -1}', '{"source": "a", "out": true}', '{"source": 7}']
)
def test_an_entry_that_cannot_be_is_refused_alone(item: str) -> None:
    found = of_ffplayout(f'{{"program": [{item}, {{"source": "a.mp4"}}]}}', HERE)
    assert [event.path for event in found.events] == [HERE / "a.mp4"]
    assert len(found.refused) == 1


def test_a_list_that_is_too_long_is_refused_whole() -> None:
    with pytest.raises(Invalid, match=str(MOST)):
        of_folder(HERE, [(f"{number}.mp4", False) for number in range(MOST + 1)])


@pytest.mark.parametrize(
    ("seconds", "rate", "frame"),
    [
        ("0", "25", 0),
        ("0.02", "25", 1),
        ("0.0199", "25", 0),
        ("10.01", "30000/1001", 300),
        ("3600", "60000/1001", 215784),
    ],
)
def test_seconds_become_the_nearest_frame(seconds: str, rate: str, frame: int) -> None:
    assert nearest_frame(Fraction(seconds), Fraction(rate)) == frame


@pytest.mark.parametrize(
    ("begin", "end", "frames"),
    [
        ("0", None, (0, None)),
        ("1", None, (25, None)),
        ("1", "2", (25, 50)),
        ("0", "10", (0, None)),
        ("0", "99", (0, None)),
    ],
)
def test_a_trim_is_made_of_frames_and_ends_with_the_asset(
    begin: str, end: str | None, frames: tuple[int, int | None]
) -> None:
    assert trim(seconds(begin, end), ASSET)[:2] == frames


@pytest.mark.parametrize(("begin", "end"), [("10", None), ("2", "2"), ("2", "1"), ("0", "0.01")])
def test_a_trim_of_nothing_is_refused(begin: str, end: str | None) -> None:
    with pytest.raises(Invalid):
        trim(seconds(begin, end), ASSET)
