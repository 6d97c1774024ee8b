"""A rundown driven by the command line, on air: dropped, undropped, made longer, cued again, edited and taken back."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.fixtures.homes import TestHome, until
from tests.fixtures.small_clips import make_small_clip

pytestmark = pytest.mark.realtime

TITLES = ("A", "B", "C")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for title in TITLES:
        make_small_clip(folder / f"{title}.mp4", frames=5000)
    return folder


def on_air(home: TestHome, clips: Path) -> None:
    assert home.mcr("up").returncode == 0, home.log_end()
    added = home.mcr("channel", "add", "One", "--from", str(clips), "--format", "360p25", "--start")
    assert added.returncode == 0, added.stderr + home.log_end()
    until(lambda: [row["state"] for row in rows(home)] == ["on_air", "next", "planned"], 30.0, home.log_end)


def rows(home: TestHome) -> list[dict[str, Any]]:
    said = home.mcr("rundown", "show", "One", "--json")
    assert said.returncode == 0, said.stderr
    found: list[dict[str, Any]] = json.loads(said.stdout)["rows"]
    return found


def logo(home: TestHome) -> dict[str, Any] | None:
    found: dict[str, Any] | None = json.loads(done(home, "channel", "show", "One", "--json"))["channel"]["live"]["logo"]
    return found


def state(home: TestHome, title: str) -> str:
    return next(row["state"] for row in rows(home) if row["title"] == title)


def done(home: TestHome, *arguments: str) -> str:
    said = home.mcr(*arguments)
    assert said.returncode == 0, said.stderr + home.log_end()
    return said.stdout


def refused(home: TestHome, *arguments: str) -> str:
    said = home.mcr(*arguments)
    assert said.returncode == 1, said.stdout
    return said.stderr


def test_what_airs_is_driven_and_what_comes_is_dropped_and_let_air_again(home: TestHome, clips: Path) -> None:
    on_air(home, clips)
    assert "C will not air (" in done(home, "channel", "drop", "One", "3")
    assert "A is on air: take what is to air instead" in refused(home, "channel", "drop", "One", "A")
    assert "The rundown has no 'Z'" in refused(home, "channel", "drop", "One", "Z")
    assert "C will air (" in done(home, "channel", "undrop", "One", "C")
    assert "A airs 30.0 s longer, " in done(home, "channel", "adjust", "One", "--longer", "30")
    assert "A airs 10.0 s shorter, " in done(home, "channel", "adjust", "One", "--shorter", "10")
    assert home.mcr("channel", "adjust", "One").returncode == 2, "by nothing"
    assert "cued again: A (" in done(home, "channel", "recue", "One")
    until(lambda: json.loads(done(home, "channel", "show", "One", "--json"))["channel"]["live"]["next"]["ready"], 30.0)
    taken = done(home, "channel", "take", "One")
    assert "on air: A (" in taken
    assert state(home, "A") == "on_air"
    assert "the channel has no logo" in refused(home, "channel", "logo", "One", "on")
    log = done(home, "asrun", "--channel", "One")
    assert log.count("A") >= 2, log


def test_a_list_on_air_is_edited_and_taken_back_line_by_line(home: TestHome, clips: Path) -> None:
    on_air(home, clips)
    assert "Revision 2, 3 items" in done(home, "rundown", "show", "One")
    assert "2 items dropped, revision 3" in done(home, "rundown", "drop", "One", "2", "C")
    assert [row["state"] for row in rows(home)] == ["on_air", "dropped", "dropped"]
    assert "1 item will air again, revision 4" in done(home, "rundown", "undrop", "One", "C")
    until(lambda: state(home, "C") == "next", 30.0, lambda: rows(home))
    assert "revision 5" in done(home, "rundown", "undo", "One")
    assert state(home, "C") == "dropped"
    changed = done(
        home, "rundown", "set", "One", "3", "--title", "Spot", "--category", "Commercial", "--logo", "inherit"
    )
    assert '"C" is changed, revision 6' in changed
    assert '3. "Spot"' not in changed
    assert rows(home)[2]["title"] == "Spot"
    assert "The rundown has no 'C'" in refused(home, "rundown", "undrop", "One", "C")
    inserted = done(home, "rundown", "insert", "One", str(clips / "B.mp4"), "--hold")
    assert "1 item next, revision 7" in inserted
    assert [row["title"] for row in rows(home)] == ["A", "B", "B", "Spot"]
    assert rows(home)[1]["start_mode"] == "hold"
    assert "Name it by its line" in refused(home, "rundown", "drop", "One", "B")


def test_a_playing_channel_takes_on_its_logo_at_once_and_what_comes_later_is_said(home: TestHome, clips: Path) -> None:
    on_air(home, clips)
    assert "There is nothing to change of it" in refused(home, "channel", "set", "One", "--logo-x", "10")
    Image.new("RGBA", (40, 20), "white").save(clips / "logo.png")
    said = done(home, "channel", "set", "One", "--logo", str(clips / "logo.png"), "--logo-category", "Spot=off",
                "--silence", "60", "--loudness", "r128")  # fmt: skip
    assert "from its next start: loudness_profile; it plays on as it is" in said
    until(lambda: (logo(home) or {}).get("shown") is True, 30.0, home.log_end)
    done(home, "rundown", "set", "One", "2", "--category", "spot")
    until(lambda: json.loads(done(home, "channel", "show", "One", "--json"))["channel"]["live"]["next"]["ready"], 30.0)
    assert "on air: B (" in done(home, "channel", "take", "One")
    until(lambda: (logo(home) or {}).get("shown") is False, 30.0, home.log_end)
    assert "logo on until the next item" in done(home, "channel", "logo", "One", "on")
    until(lambda: logo(home) == {"shown": True, "override": "on", "fault": ""}, 30.0, lambda: logo(home))
    shown = json.loads(done(home, "channel", "show", "One", "--json"))["channel"]
    assert (shown["logo"]["categories"], shown["silence_s"]) == ({"Spot": "off"}, 60)
    done(home, "channel", "set", "One", "--logo-category", "spot=inherit", "--logo-category", "News=on", "--logo-off")
    shown = json.loads(done(home, "channel", "show", "One", "--json"))["channel"]
    assert (shown["logo"]["categories"], shown["logo"]["on"]) == ({"News": "on"}, False)
    done(home, "channel", "set", "One", "--no-logo")
    until(lambda: logo(home) is None, 30.0, lambda: logo(home))
    assert home.mcr("channel", "set", "One").returncode == 2, "nothing is to change"
    assert home.mcr("channel", "set", "One", "--logo-category", "Spot").returncode == 2
    assert "lapses at the next item" in done(home, "channel", "logo", "--help").replace("\n", " ")
