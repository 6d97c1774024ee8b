"""Pure drawing: exact widths whatever comes in, nothing that steers a terminal, colours that mean one thing."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rich.cells import cell_len
from rich.style import Style

from mcr_console.condition import condition, programme_outputs
from mcr_console.drawing.attention import render_attention
from mcr_console.drawing.channel_facts import channel_title, render_side
from mcr_console.drawing.channel_line import render_channel_line
from mcr_console.drawing.footer import FooterView, render_footer
from mcr_console.drawing.gauges import loudness_bar, output_words
from mcr_console.drawing.grid import grid_for
from mcr_console.drawing.rundown_line import render_rundown_heading, render_rundown_line
from mcr_console.drawing.strips import line
from mcr_console.drawing.tile import TileView, picture_size, render_tile
from mcr_console.drawing.verdict import countdown
from mcr_console.palette import ASCII, Palette, choose, monochrome, sixteen, truecolor
from mcr_console.safe_text import fit, safe
from mcr_console.thumbnails import half_blocks
from mcr_console.wall_state import ChannelState, WallBuilder
from supervisor.schemas.channel import ChannelLive, EngineLive, LiveInput, LoudnessLive, Rundown, RundownRow
from tests.console.scenes import FrozenClock, alarm, channel, degraded_channels, reset

PALETTES = (truecolor(), sixteen(), monochrome(), truecolor(ASCII))
NOW = FrozenClock().monotonic()
LIVE = LiveInput(state="ready")


def view(one: object, *, stale: bool = False, focused: bool = False) -> TileView:
    state = ChannelState(one, one.live, NOW)  # type: ignore[arg-type, attr-defined] - a channel
    return TileView(state, NOW, stale, focused, "14:03:47", None)


@given(st.text(max_size=60), st.integers(0, 40))
def test_fit_is_exactly_as_wide_as_asked_and_prints_no_control(text: str, width: int) -> None:
    fitted = fit(text, width)
    assert cell_len(fitted) == width
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", fitted)


def test_safe_keeps_brackets_and_replaces_what_steers_a_terminal() -> None:
    assert safe("[red]x[/red]") == "[red]x[/red]"
    assert safe("a\x1b[31mb\r\n\tc") == "a·[31mb···c"
    assert safe("\u202edesrever") == "desrever"


@given(st.text(max_size=30), st.text(max_size=30), st.integers(0, 60))
def test_a_line_is_exactly_as_wide_as_asked(left: str, right: str, width: int) -> None:
    assert cell_len(line(width, Style(), [(left, Style())], [(right, Style())]).text) == width


@pytest.mark.parametrize("palette", PALETTES, ids=lambda palette: palette.name)
@pytest.mark.parametrize("size", [(38, 7), (58, 11), (99, 19), (198, 24)])
def test_a_tile_fills_its_place_in_every_state(palette: Palette, size: tuple[int, int]) -> None:
    for one in degraded_channels():
        for stale in (False, True):
            strips = render_tile(view(one, stale=stale), *size, palette)
            assert [strip.cell_length for strip in strips] == [size[0]] * size[1]
            assert all(cell_len(strip.text) == size[0] for strip in strips)


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_title_breaks_a_tile_or_a_line(name: str, title: str) -> None:
    one = channel(1, "x", title, follows=title).model_copy(update={"name": name})
    for strip in [*render_tile(view(one), 38, 7, truecolor()), render_channel_line(view(one), 80, truecolor())]:
        assert cell_len(strip.text) == strip.cell_length
        assert strip.text.isprintable()


@pytest.mark.parametrize(
    ("observed", "answers", "moves", "word", "line_says"),
    [
        ("on_air", True, True, "ON AIR", "server  answers, moves"),
        ("on_air", True, False, "ON AIR", "server  answers, stands"),
        ("on_air", False, True, "ON AIR", "server  silent, moves"),
        ("unknown", False, False, "SERVER SILENT", "server  silent"),
        ("hung", False, False, "HUNG", "server  silent"),
    ],
)
def test_the_channel_screen_tells_which_layer_is_wrong(
    observed: str, answers: bool, moves: bool, word: str, line_says: str
) -> None:
    engine = EngineLive(version="2.5.0", answers=answers, moves=moves, detail="" if answers and moves else "no reply")
    one = channel(1, "News", observed=observed, engine=engine)
    seen = condition(view(one).state)
    assert seen.word == word
    assert seen.needs_somebody is not (answers and moves)
    drawn = [strip.text for strip in render_side(view(one), 60, 24, truecolor())]
    assert any(line_says in text for text in drawn)
    assert any("no reply" in text for text in drawn) is not (answers and moves)


def test_red_is_tally_and_green_is_next_and_neither_is_left_when_stale() -> None:
    palette = truecolor()
    red, green = palette.tally.color, palette.next.color
    for one in degraded_channels():
        for stale in (False, True):
            segments = [segment for strip in render_tile(view(one, stale=stale), 38, 7, palette) for segment in strip]
            reds = [s for s in segments if s.style and red in {s.style.color, s.style.bgcolor}]
            greens = [s for s in segments if s.style and s.style.color == green]
            on_air = one.live.observed in {"on_air", "late"}
            assert bool(reds) == (on_air and not stale), one.name
            assert not (greens and stale)


def test_what_the_chip_and_the_column_say_is_not_said_again() -> None:
    late = channel(2, "Second", "bikes", observed="late", decision="on air, frames late: bikes; gives it the new list")
    text = "\n".join(strip.text for strip in render_tile(view(late), 60, 14, truecolor()))
    assert "LATE" in text
    assert "frames late" not in text
    assert "gives it the new list" in text
    assert text.count("bikes") == 1
    told = alarm(1, 2, "warning", "Second repeats frames", 5)
    clock = FrozenClock()
    builder = WallBuilder(clock)
    for message in [reset([late], [told])]:
        builder.merge(message)
    [line_] = [s.text for s in render_attention(builder.state(), 80, 3, clock, truecolor()) if "repeats" in s.text]
    assert line_.count("Second") == 1


def test_an_alarm_of_a_recorder_is_called_one() -> None:
    clock = FrozenClock()
    builder = WallBuilder(clock)
    told = alarm(1, None, "warning", "Ingest should record", 5).model_copy(update={"recorder_id": "7" * 32})
    builder.merge(reset([channel(2, "Second", "bikes")], [told]))
    [line_] = [s.text for s in render_attention(builder.state(), 80, 3, clock, truecolor()) if "Ingest" in s.text]
    assert "recorder" in line_


def test_off_air_fills_its_title_line_and_says_so_in_words() -> None:
    off_air = degraded_channels()[4]
    for palette in PALETTES:
        title = render_tile(view(off_air), 38, 7, palette)[0]
        assert "OFF AIR" in title.text
        assert all(s.style and (s.style.reverse or s.style.bgcolor == palette.off_air_block.bgcolor) for s in title)


def test_stale_never_shows_an_old_state_as_if_it_were_now() -> None:
    for one in degraded_channels():
        title = render_tile(view(one, stale=True), 48, 7, truecolor())[0].text
        assert "STALE was" in title


@pytest.mark.parametrize(
    ("rate", "left", "shown"),
    [("25", 1804, "-00:01:12:04"), ("30000/1001", 1800, "-00:01:00;02"), ("50", 49, "-00:00:00:49")],
)
def test_countdown_is_a_timecode_of_the_channels_rate(rate: str, left: int, shown: str) -> None:
    one = channel(1, "News", left=left, rate=rate, heartbeat_age_ms=0)
    assert countdown(ChannelState(one, one.live, NOW), NOW) == shown


@pytest.mark.parametrize("place", ["wall", "list", "channel"])
def test_the_footer_drops_by_rank_and_keeps_the_take(place: str) -> None:
    one = channel(3, "Sport", follows="studio_break")
    shown = FooterView(place, ChannelState(one, one.live, NOW), stale=False, pending=False)  # type: ignore[arg-type] - a place
    texts = [render_footer(shown, width, truecolor()).text for width in (80, 120, 200)]
    assert [cell_len(text) for text in texts] == [80, 120, 200]
    assert all("TAKE 3 SPORT → studio_break" in text for text in texts)
    assert len(texts[0].split()) < len(texts[2].split())


def test_a_narrow_footer_has_what_the_moment_asks_for() -> None:
    calm, late = channel(3, "Sport", follows="ident"), channel(3, "Sport", follows="ident", observed="late")
    live = calm.live.model_copy(
        update={"item": None if calm.live.item is None else calm.live.item.model_copy(update={"live": LIVE})}
    )

    def foot(of: ChannelLive, undo: str = "") -> str:
        state = ChannelState(calm, of, NOW)
        return render_footer(FooterView("wall", state, stale=False, pending=False, undo=undo), 80, truecolor()).text

    quiet = foot(calm.live)
    assert "undo" not in quiet
    assert "explain" not in quiet
    assert "+30 s" not in quiet
    assert "U  undo take" in foot(calm.live, undo="take")
    assert "e  explain" in foot(late.live)
    assert "]  +30 s" in foot(live)


@pytest.mark.parametrize(("lufs", "filled"), [(-50.0, 0), (-41.0, 0), (-23.0, 7), (-14.0, 10), (-3.0, 10)])
def test_the_loudness_bar_goes_by_the_scale_of_the_ebu(lufs: float, filled: int) -> None:
    measured = LoudnessLive(momentary_lufs=lufs, short_term_lufs=-30.0, peak_dbfs=None)
    one = channel(1, "News", loudness=measured)
    palette = truecolor()
    [(full, style), (rest, _)] = loudness_bar(one.live, 10, palette)
    assert (len(full), len(rest)) == (filled, 10 - filled)
    assert style is (palette.warning if lufs >= -14 else palette.signal)
    assert loudness_bar(channel(1, "News", loudness=None).live, 10, palette) == []


def test_a_tile_names_its_programme_outputs_and_counts_them_where_room_is_short() -> None:
    one = channel(2, "Kids", outputs=("up", "stalled"))
    names = output_words(programme_outputs(ChannelState(one, one.live, NOW)), 20, truecolor())
    assert "".join(text for text, _ in names) == "hls ▲udp"
    for width in (38, 60, 100):
        shown = "\n".join(strip.text for strip in render_tile(view(one), width, 7, truecolor()))
        assert "hls ▲udp" in shown or "1/2 out" in shown


def test_an_old_picture_says_its_age_until_a_new_one_comes() -> None:
    image = Image.new("RGB", (32, 18), (0, 120, 0))
    lines = half_blocks(image, *picture_size(38, 7, truecolor()), dimmed=True)
    one = channel(1, "News")
    for seconds, words in ((4, " 4 s old "), (75, " 1:15 old "), (None, "")):
        shown = replace(view(one), picture=lines, picture_age=seconds)
        text = [strip.text for strip in render_tile(shown, 38, 7, truecolor())]
        assert (words in text[5]) if words else ("old" not in "".join(text))
        assert all(cell_len(row) == 38 for row in text)


def test_the_grid_shows_all_it_can_and_never_less_than_a_whole_tile() -> None:
    for count in (1, 2, 4, 9, 30, 500):
        for width, height in ((80, 22), (120, 38), (200, 58)):
            grid = grid_for(count, width, height)
            assert grid.width >= 38
            assert grid.height >= 7
            assert grid.columns * (grid.width + 1) + 1 <= width
            if count <= 4:
                assert grid.total_height <= height


def test_the_palette_follows_the_terminal() -> None:
    assert choose("truecolor", no_color=False, ascii_only=False).name == "truecolor"
    assert choose("256", no_color=False, ascii_only=False).thumbnails
    assert choose("standard", no_color=False, ascii_only=False).name == "sixteen"
    assert choose("truecolor", no_color=True, ascii_only=False).name == "monochrome"
    assert not choose("truecolor", no_color=False, ascii_only=True).thumbnails
    for glyph in vars_of(ASCII):
        assert glyph.isascii()


def vars_of(glyphs: object) -> list[str]:
    return [value for name in type(glyphs).__dataclass_fields__ if isinstance(value := getattr(glyphs, name), str)]  # type: ignore[attr-defined] - a dataclass


@pytest.mark.parametrize("observed", ["on_air", "late", "dark", "hung", "silent", "gone", "unknown", None])
def test_a_channel_that_is_being_moved_is_shown_as_on_air_only_by_the_old_ones_own_word(observed: str | None) -> None:
    """P2: while a silent old sidecar is fenced nobody can say what is on air; one that answers keeps its tally."""
    sentence = "waits 4.2 s until the old sidecar's lease is over"
    if observed == "on_air":
        found = condition(view(channel(1, "News", phase="fencing", observed=observed, decision=sentence)).state)
        assert (found.tally, found.word, found.warning, found.why) == ("on_air", "ON AIR", "MOVING", sentence)
        assert not found.needs_somebody
    for phase in ("blocked",) if observed == "on_air" else ("fencing", "blocked"):
        found = condition(view(channel(1, "News", phase=phase, observed=observed, decision=sentence)).state)
        assert found.tally in {"changing", "off_air", "unknown"}, (phase, observed)
        assert found.needs_somebody or observed not in {"unknown", "dark", "gone"}, (phase, observed)
        assert phase.upper() in (found.word, *found.warnings)
        assert found.why == sentence


def test_a_silent_channel_is_unknown_and_not_on_air() -> None:
    found = condition(view(channel(1, "News", observed="silent", decision="3 polls missed")).state)
    assert (found.tally, found.word, found.why) == ("unknown", "SILENT", "3 polls missed")


def test_the_title_says_who_holds_failover() -> None:
    held = channel(1, "News").model_copy(update={"hold_failover": True, "hold_failover_by": "olga"})
    title = "".join(text for text, _ in channel_title(view(held).state, truecolor()))
    assert title.endswith("node-a e7  FAILOVER HELD by olga")
    free = "".join(text for text, _ in channel_title(view(channel(1, "News")).state, truecolor()))
    assert "FAILOVER" not in free


def test_a_rundown_shows_fixed_starts_what_is_over_and_when_to_act() -> None:
    state = ChannelState(channel(1, "One", "news"), channel(1, "One", "news").live, NOW)
    at = datetime(2026, 3, 1, 20, 15, tzinfo=UTC)
    plain: dict[str, Any] = {
        "position": 0, "kind": "clip", "start_mode": "follow", "start_at": at, "duration_frames": 250,
        "duration_ms": 10_000, "asset_duration_ms": 10_000, "state": "planned",
    }  # fmt: skip
    rows = (
        RundownRow(item_id="a", title="film", **{**plain, "start_mode": "fixed", "fixed_at": at},
                   over_under_frames=300, cut_frames=50),
        RundownRow(item_id="b", title="gone", **{**plain, "state": "dropped", "start_at": None}),
        RundownRow(item_id="c", title="a word", **{**plain, "kind": "comment", "start_at": None,
                                                   "duration_frames": None}),
    )  # fmt: skip
    shown = Rundown(
        channel_id=None, playlist_id=None, revision=1, rate="25", time_zone="Europe/Berlin", rows=rows,
        next_fixed_item_id="a", next_action_at=at, next_action="x waits for a take",
    )  # fmt: skip
    palette = truecolor()
    lines = [
        render_rundown_line(row, shown, state, 120, palette, cursor=False, stale=False).text for row in rows
    ]  # fmt: skip
    assert re.search(r"21:15:00:00\s+FIX\s+film\s.*over 0:12 cut 0:02", lines[0])
    assert "dropped" in lines[1]
    assert re.search(r"^\s+a word\s+$", lines[2])
    assert render_rundown_heading(120, palette, shown).text.rstrip().endswith("OVER 0:12  act 21:15:00")
