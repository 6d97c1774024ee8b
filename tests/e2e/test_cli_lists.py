"""Lists by the command line: imported with a mapping, a difference shown and refused, then confirmed."""

from pathlib import Path

import pytest

from tests.fixtures.homes import TestHome, until
from tests.fixtures.small_clips import make_small_clip

pytestmark = pytest.mark.realtime

MAPPING = """
separator = ";"
time_zone = "Europe/Berlin"
date = 2026-03-01
numbers = "seconds"
[columns]
traffic_id = "Event"
house_id = "Clip"
start = "Zeit"
duration = "Dauer"
"""


def test_a_list_is_imported_and_revised(home: TestHome, tmp_path: Path) -> None:
    mapping, day = tmp_path / "mapping.toml", tmp_path / "day.csv"
    mapping.write_text(MAPPING)
    day.write_text("Event;Clip;Zeit;Dauer\nT1;N1;20:00:00;30\nT2;N2;20:00:30;x\nT3;N3;20:01:00;30\n")
    assert home.mcr("up").returncode == 0, home.log_end()
    options = ("--csv", str(day), "--mapping", str(mapping))
    made = home.mcr("playlist", "import", "Day", *options)
    assert made.returncode == 0, made.stderr + home.log_end()
    assert "Day: 2 items" in made.stdout
    assert "left out: line 3: 'x' is no length" in made.stderr
    assert "missing: no clip has the house id N3" in made.stderr

    day.write_text("Event;Clip;Zeit;Dauer\nT1;N1;20:00:00;45\nT4;N4;20:00:45;30\n")
    shown = home.mcr("playlist", "revise", "Day", *options, "--dry-run")
    assert '+ inserted 2026-03-01 19:00:45Z "N4" (N4)' in shown.stdout, shown.stdout + shown.stderr
    assert '- removed  2026-03-01 19:01:00Z "N3" (N3)' in shown.stdout
    assert "~ changed" in shown.stdout
    refused = home.mcr("playlist", "revise", "Day", *options)
    assert refused.returncode != 0
    assert "--yes answers beforehand" in refused.stderr
    assert "revision 2" in home.mcr("playlist", "show", "Day").stdout
    done = home.mcr("playlist", "revise", "Day", *options, "--yes")
    assert done.returncode == 0, done.stderr
    assert "Day: changed; 1 inserted, 1 removed, 1 changed; revision 3" in done.stdout

    mapping.write_text('[columns]\nhouse = "Clip"\n')
    wrong = home.mcr("playlist", "revise", "Day", *options, "--yes")
    assert wrong.returncode != 0
    assert "docs/lists.md" in wrong.stderr


def test_lists_come_in_by_themselves_and_what_is_missing_is_told(home: TestHome, tmp_path: Path) -> None:
    folder, clips = tmp_path / "lists", tmp_path / "clips"
    folder.mkdir()
    clips.mkdir()
    assert home.mcr("up").returncode == 0, home.log_end()
    assert home.mcr("channel", "add", "One").returncode == 0, home.log_end()
    watched = home.mcr("watch", "lists", "One", str(folder))
    assert watched.returncode == 0, watched.stderr
    assert home.mcr("watch", "media", str(clips)).returncode == 0
    (folder / "day.csv").write_text("house id,title\nN1,News\n")
    make_small_clip(clips / "N2.mp4")
    until((folder / "done" / "day.csv").exists, 60.0, home.log_end)
    told = home.mcr("ahead", "One")
    assert (
        'One: critical needed at a time nobody can tell: 1. "News" (N1): there is no clip of house id N1' in told.stdout
    )
    assert "One: 1 item checked, 1 not as they should be" in told.stdout
    until(lambda: "1 asset" in home.mcr("watch", "list").stdout, 60.0, home.log_end)
    listed = home.mcr("watch", "list").stdout
    assert f"{folder}: lists of One" in listed
    assert "day.csv: One: the list day.csv was applied: 1 inserted" in listed
    assert home.mcr("watch", "stop", str(folder), "--yes").returncode == 0
    assert str(folder) not in home.mcr("watch", "list").stdout
    clip = str(clips / "N2.mp4")
    added = home.mcr("playlist", "add", "One", clip, "--in", "00:00:00:05", "--out", "00:00:00:15")
    assert added.returncode == 0, added.stderr
    assert (
        '2. "N2", asset 0:01, from 00:00:00:05 to 00:00:00:15, house id N2'
        in home.mcr("playlist", "show", "One").stdout
    )
