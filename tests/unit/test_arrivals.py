"""When a file that comes in is whole."""

import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from supervisor.errors import Invalid
from supervisor.intake.arrivals import OLD_NS, Arrivals, Entry
from supervisor.intake.folders import Changed, check_room, is_being_written, put_away, read_whole, scan

NOW = 1_800_000_000 * 10**9
AT = datetime(2026, 3, 29, 4, 0, tzinfo=UTC)


def entry(name: str, size: int = 100, *, age_ns: int = 0, inode: int = 1) -> Entry:
    return Entry(name, size, NOW - age_ns, inode)


def seen(folder: Path, name: str) -> Entry:
    (found,) = (one for one in scan(folder, deep=False)[0] if one.name == name)
    return found


def test_a_file_is_whole_when_two_more_looks_show_no_change() -> None:
    arrivals = Arrivals()
    assert not arrivals.whole([entry("a.csv", 100)], NOW)
    assert not arrivals.whole([entry("a.csv", 100)], NOW)
    assert not arrivals.whole([entry("a.csv", 200)], NOW), "it grew"
    assert not arrivals.whole([entry("a.csv", 200)], NOW)
    assert arrivals.whole([entry("a.csv", 200)], NOW) == {"a.csv"}
    assert not arrivals.whole([entry("a.csv", 200, age_ns=-5)], NOW), "it was written again, to the same size"


def test_what_was_renamed_into_its_name_is_whole_at_once() -> None:
    arrivals = Arrivals()
    assert not arrivals.whole([entry("day.csv.part", inode=7)], NOW)
    assert arrivals.whole([entry("day.csv", inode=7)], NOW) == {"day.csv"}
    assert not arrivals.whole([entry("other.csv", inode=8)], NOW)


def test_what_is_old_is_whole_at_once_and_what_is_named_partial_never() -> None:
    arrivals = Arrivals()
    old = [
        entry("a.csv", age_ns=OLD_NS),
        entry("b.csv.part", age_ns=OLD_NS, inode=2),
        entry("c.csv", age_ns=1, inode=3),
    ]
    assert arrivals.whole(old, NOW) == {"a.csv"}
    for _ in range(5):
        whole = arrivals.whole(old, NOW)
    assert whole == {"a.csv", "c.csv"}


def test_a_file_that_turned_out_to_be_written_is_looked_at_anew() -> None:
    arrivals = Arrivals()
    for _ in range(3):
        whole = arrivals.whole([entry("a.csv")], NOW)
    assert whole == {"a.csv"}
    arrivals.changed("a.csv")
    assert not arrivals.whole([entry("a.csv")], NOW)


def test_an_open_writer_is_seen_and_nobody_is_hurt_by_the_look(tmp_path: Path) -> None:
    path = tmp_path / "a.mxf"
    with path.open("wb") as writer:
        writer.write(b"x")
        writer.flush()
        assert is_being_written(path)
    assert not is_being_written(path)
    assert signal.getsignal(signal.SIGURG) in (signal.SIG_DFL, None)
    with path.open("ab"):
        pass  # the lease was given back: this waits for nobody


def test_only_plain_files_of_the_folder_are_seen(tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text("secret")
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.csv").write_text("a")
    (folder / ".hidden.csv").write_text("a")
    (folder / "sub" / "b.csv").write_text("b")
    (folder / "link.csv").symlink_to(outside)
    (folder / "away").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.csv")
    assert [one.name for one in scan(folder, deep=False)[0]] == ["a.csv"]
    assert [one.name for one in scan(folder, deep=True)[0]] == ["a.csv", "sub/b.csv"]
    with pytest.raises(Invalid, match="cannot be read"):
        read_whole(folder, entry("link.csv"), 100)
    with pytest.raises(Invalid, match="larger than 0 bytes"):
        read_whole(folder, seen(folder, "a.csv"), 0)
    with pytest.raises(Invalid, match="cannot be read"):
        scan(tmp_path / "gone", deep=False)


def test_what_was_read_is_put_beside_its_report_and_over_nothing(tmp_path: Path) -> None:
    for text in ("first", "second"):
        (tmp_path / "day.csv").write_text(text)
        put_away(tmp_path, seen(tmp_path, "day.csv"), "done", {"result": text}, AT)
    assert not (tmp_path / "day.csv").exists()
    assert (tmp_path / "done" / "day.csv").read_text() == "first"
    assert (tmp_path / "done" / "day.20260329T040000.000000Z.csv").read_text() == "second"
    assert '"second"' in (tmp_path / "done" / "day.20260329T040000.000000Z.csv.report.json").read_text()


def test_a_list_that_takes_the_place_of_the_one_that_was_read_stays_to_be_read(tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_text("first")
    read = seen(tmp_path, "day.csv")
    assert read_whole(tmp_path, read, 100) == b"first"
    (tmp_path / "day.part").write_text("other")
    os.utime(tmp_path / "day.part", ns=(read.mtime_ns, read.mtime_ns))
    (tmp_path / "day.part").rename(tmp_path / "day.csv")
    put_away(tmp_path, read, "done", {}, AT)
    assert (tmp_path / "day.csv").read_text() == "other"
    assert not list((tmp_path / "done").iterdir()), "neither it nor the report of another one"
    with pytest.raises(Changed):
        read_whole(tmp_path, read, 100)
    (tmp_path / "day.csv").unlink()
    put_away(tmp_path, read, "done", {}, AT)


def test_nothing_is_put_where_a_link_points(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "refused").symlink_to(elsewhere)
    (folder / "day.csv").write_text("x")
    with pytest.raises(Invalid, match="cannot be put"):
        put_away(folder, seen(folder, "day.csv"), "refused", {}, AT)
    with pytest.raises(Invalid, match="cannot be put"):
        check_room(folder, "day.csv", "refused")
    check_room(folder, "day.csv", "done")
    assert (folder / "day.csv").exists()
    assert not list(elsewhere.iterdir())
