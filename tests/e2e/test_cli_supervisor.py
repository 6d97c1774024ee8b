"""The command line against a real supervisor and real sidecars: up, a channel of one's own files, down, up, off air."""

import csv
import io
import json
import signal
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from mcr_console.cli.places import Home
from mcr_console.cli.playing import playing
from sidecar.clips.make import make_clip
from sidecar.clips.specification import ClipSpecification
from tests.fixtures.homes import TestHome, new_home, until

pytestmark = pytest.mark.realtime


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for number in (1, 2):
        make_clip(ClipSpecification(number, f"Clip {number}", 320, 180, Fraction(25), 50), folder)
    (folder / "readme.txt").write_text("no media")
    return folder


def sidecar_pids(home: TestHome) -> list[int]:
    return [sidecar.pid for sidecar in playing(Home(home.path, chosen=True))]


def test_own_files_on_air_and_playout_outlives_the_supervisor(home: TestHome, clips: Path) -> None:
    """P5, and from no supervisor at all to own files on air in two commands."""
    up = home.mcr("up")
    assert up.returncode == 0, up.stderr + home.log_end()

    added = home.mcr(
        "channel", "add", "My channel", "--from", str(clips), "--format", "360p25", "--output", "hls",
        "--output", "udp://127.0.0.1:9", "--start",
    )  # fmt: skip
    assert added.returncode == 0, added.stderr + home.log_end()
    assert "1 My channel: ON AIR" in added.stdout
    assert "readme.txt" in added.stderr
    (pid,) = sidecar_pids(home)

    take = home.mcr("channel", "take", "my CHANNEL")
    assert take.returncode == 0, take.stderr

    down = home.mcr("down")
    assert down.returncode == 0, down.stderr + home.log_end()
    assert "1 channel stays on air" in down.stdout
    assert sidecar_pids(home) == [pid]

    again = home.mcr("up")
    assert "1 channel played on" in again.stdout, again.stderr
    until(lambda: "ON AIR" in home.mcr("channel", "list").stdout, 15.0, home.log_end)
    assert sidecar_pids(home) == [pid]

    refused = home.mcr("down", "--off-air")
    assert refused.returncode == 1
    assert "OFF AIR" in refused.stderr
    assert sidecar_pids(home) == [pid]

    log = home.mcr("asrun", "--channel", "1", "--csv")
    rows = list(csv.DictReader(io.StringIO(log.stdout)))
    assert len({(row["run_id"], row["seq"]) for row in rows}) == len(rows) >= 2
    assert {row["channel_name"] for row in rows} == {"My channel"}

    off = home.mcr("down", "--off-air", "--yes")
    assert off.returncode == 0, off.stderr + home.log_end()
    assert home.processes() == {}


@pytest.mark.timeout(300)
def test_a_backup_taken_on_air_is_restored_elsewhere_and_a_wrong_one_costs_nothing(home: TestHome, clips: Path) -> None:
    """P4, P5: what a station would need after a fire is taken while it plays."""
    added = home.mcr("up")
    assert added.returncode == 0, added.stderr + home.log_end()
    added = home.mcr("channel", "add", "My channel", "--from", str(clips), "--format", "360p25", "--start")
    assert added.returncode == 0, added.stderr + home.log_end()
    (pid,) = sidecar_pids(home)
    backup = home.mcr("db", "backup", str(home.path / "monday.mcr"))
    assert backup.returncode == 0, backup.stderr
    assert "the same as in the database" in backup.stdout
    refused = home.mcr("db", "restore", str(home.path / "monday.mcr"), "--yes")
    assert refused.returncode != 0
    assert "already runs here" in refused.stderr
    with new_home() as elsewhere:
        restored = elsewhere.mcr("db", "restore", str(home.path / "monday.mcr"), "--yes")
        assert restored.returncode == 0, restored.stderr
        rows = backup.stdout.split(" rows")[0]
        assert restored.stdout.startswith(f"{rows} rows of "), "not what the backup held"
        assert "are the same as in" in restored.stdout
        database = elsewhere.path / "mcr.db"
        before = database.read_bytes()
        (elsewhere.path / "letter").write_text("Dear operator")
        for wrong in ("letter", "nowhere"):
            refused = elsewhere.mcr("db", "restore", str(elsewhere.path / wrong), "--yes")
            assert refused.returncode == 2
            assert database.read_bytes() == before, "a restore that was refused cost the database"
        again = elsewhere.mcr("db", "restore", str(home.path / "monday.mcr"), "--yes")
        assert "What was here before is in" in again.stdout, again.stderr
        assert [it.read_bytes() for it in elsewhere.path.glob("mcr.db.before-*")] == [before]
    assert sidecar_pids(home) == [pid]


def test_off_air_without_a_supervisor_leaves_no_process(home: TestHome, clips: Path) -> None:
    added = home.mcr("up")
    assert added.returncode == 0, added.stderr
    added = home.mcr(
        "channel", "add", "Alone", "--from", str(clips), "--format", "360p25", "--output", "hls", "--start"
    )
    assert added.returncode == 0, added.stderr + home.log_end()
    assert home.mcr("down").returncode == 0
    assert len(sidecar_pids(home)) == 1

    refused = home.mcr("down", "--off-air")
    assert refused.returncode == 1
    assert len(sidecar_pids(home)) == 1

    off = home.mcr("down", "--off-air", "--yes")
    assert off.returncode == 0, off.stderr + home.log_end()
    assert "starting supervisor" in off.stderr
    assert "taking every channel off air" in off.stderr
    assert home.processes() == {}


def start_demo(home: TestHome, clips: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        home.command("demo", "--headless", "--channels", "2", "--media", str(clips), *arguments),
        env=home.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def records(demo: subprocess.Popen[str], count: int) -> list[dict[str, object]]:
    assert demo.stdout is not None
    return [json.loads(demo.stdout.readline()) for _ in range(count)]


def test_the_demo_ends_by_itself_and_leaves_nothing(home: TestHome, clips: Path) -> None:
    done = home.mcr("demo", "--channels", "2", "--media", str(clips), "--for", "3")
    assert done.returncode == 0, done.stderr + home.log_end()
    assert "no terminal" in done.stderr
    assert "on air 2/2" in done.stderr
    seen = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["number"] for record in seen[:2]] == [1, 2]
    assert 6 <= len(seen) <= 8
    assert all(str(record["state"]).startswith("ON AIR") for record in seen), seen
    for number in (1, 2):
        frames = [record["frame"] for record in seen if record["number"] == number]
        # A heartbeat that comes late leaves the frame of the one before.
        assert frames == sorted(frames), frames
        assert frames[0] < frames[-1], frames
    assert home.processes() == {}


@pytest.mark.long
def test_a_killed_demo_leaves_nothing_and_starts_again(home: TestHome, clips: Path) -> None:
    """The leash: nobody is left to clean up after kill -9."""
    demo = start_demo(home, clips)
    records(demo, 2)
    assert len(sidecar_pids(home)) == 2

    second = home.mcr("demo", "--channels", "1", "--media", str(clips), "--for", "1")
    assert second.returncode == 1
    assert "at work there" in second.stderr
    assert len(sidecar_pids(home)) == 2

    demo.kill()
    demo.communicate()
    until(lambda: not home.processes(), 10.0, home.processes)

    again = home.mcr("demo", "--channels", "2", "--media", str(clips), "--for", "0")
    assert again.returncode == 0, again.stderr + home.log_end()
    assert "importing" not in again.stderr
    assert home.processes() == {}


@pytest.mark.long
def test_the_demos_supervisor_is_started_again_and_the_air_never_stops(home: TestHome, clips: Path) -> None:
    """P5: kill -9 of the supervisor; then SIGTERM ends the demo in order."""
    demo = start_demo(home, clips)
    before = records(demo, 2)
    pids = sidecar_pids(home)
    (supervisor,) = [pid for pid, command in home.processes().items() if "-m supervisor" in command]
    subprocess.run(["kill", "-9", str(supervisor)], check=True)

    def adopted() -> bool:
        record = records(demo, 1)[0]
        return str(record["state"]).startswith("ON AIR") and int(str(record["frame"])) > int(str(before[0]["frame"]))

    until(lambda: any("-m supervisor" in command for command in home.processes().values()), 10.0, home.processes)
    until(adopted, 20.0, home.log_end)
    assert sidecar_pids(home) == pids

    demo.send_signal(signal.SIGTERM)
    _, said = demo.communicate(timeout=60)
    assert demo.returncode == 0, said
    assert "the supervisor died (SIGKILL)" in said
    assert home.processes() == {}
