"""The demo's line-up, and the leash that nothing outlives."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mcr_console.cli.demo.headless import record
from mcr_console.cli.demo.leash import Leash
from mcr_console.cli.demo.lineup import is_unchanged, own_title, plan, rotated, stamp, stamp_path
from mcr_console.cli.places import Home
from mcr_console.cli.playing import playing
from sidecar.clips.specification import DEMO_CLIPS
from tests.fixtures.channels import make_channel
from tests.fixtures.patience import patience


@given(st.lists(st.integers(), unique=True), st.integers(1, 32), st.booleans())
def test_every_channel_plays_every_clip(items: list[int], count: int, backwards: bool) -> None:
    for position in range(count):
        assert sorted(rotated(items, position, count, backwards=backwards)) == sorted(items)


def test_no_two_channels_begin_with_the_same_clip() -> None:
    orders = [rotated(range(8), position, 4, backwards=position % 2 == 1) for position in range(4)]
    assert len({order[0] for order in orders}) == 4


def test_channels_have_names_of_their_own() -> None:
    names = [planned.name for planned in plan(32)]
    assert len(set(names)) == 32
    assert names[:2] == ["News 24", "Kids"]


def test_a_stamp_changes_with_the_files_and_only_then(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"1")
    before = stamp(tmp_path)
    assert stamp(tmp_path) == before
    (tmp_path / "a.mp4").write_bytes(b"12")
    assert stamp(tmp_path) != before


def test_clips_are_made_again_unless_the_last_complete_start_found_them_so(tmp_path: Path) -> None:
    home, clips = Home(tmp_path, chosen=True), tmp_path / "clips"
    assert not is_unchanged(home, clips)
    clips.mkdir()
    (clips / "a.mp4").write_bytes(b"1")
    assert not is_unchanged(home, clips)
    stamp_path(home).write_text(json.dumps({**stamp(clips), "count": 4}))
    assert is_unchanged(home, clips)
    (clips / "a.mp4").unlink()
    assert not is_unchanged(home, clips)


def test_own_clips_have_the_titles_that_are_burnt_into_them() -> None:
    for clip in DEMO_CLIPS:
        assert own_title(Path(clip.file_name).stem) == clip.title
    assert own_title("my own film") == "my own film"


def test_a_record_says_when_its_values_are_the_last_known() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    assert record(make_channel(), now, None)["state"] == "OFF"
    assert record(make_channel(), now, "gone")["state"] == "supervisor lost: gone"


def until(condition: Callable[[], bool], deadline_s: float = 10.0) -> bool:
    end = time.monotonic() + patience(deadline_s)
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def alive(marker: str) -> list[int]:
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
            state = (process / "stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if marker.encode() in environment and state != "Z":
            found.append(int(process.name))
    return found


def test_a_leashed_program_dies_with_its_children_when_the_leash_is_let_go() -> None:
    marker = f"LEASH_TEST={os.getpid()}-{time.monotonic_ns()}"
    leash = Leash()
    name, _, value = marker.partition("=")
    process = subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-m",
            "mcr_console.cli.demo.leashed",
            str(leash.read_fd),
            "/bin/sh",
            "-c",
            "sleep 60 & sleep 60",
        ],
        env={**os.environ, name: value},
        start_new_session=True,
        pass_fds=(leash.read_fd,),
    )
    assert until(lambda: len(alive(marker)) >= 3)
    leash.let_go()
    assert process.wait(60) == -9
    assert until(lambda: not alive(marker))


def test_a_leashed_program_hands_its_exit_code_on() -> None:
    leash = Leash()
    done = subprocess.run(
        [sys.executable, "-P", "-m", "mcr_console.cli.demo.leashed", str(leash.read_fd), "/bin/sh", "-c", "exit 7"],
        start_new_session=True,
        pass_fds=(leash.read_fd,),
        timeout=10,
        check=False,
    )
    leash.let_go()
    assert done.returncode == 7


def test_only_a_process_with_its_own_state_directory_counts_as_playing(tmp_path: Path) -> None:
    """A pid that was given out again is somebody else's process and must never be taken for a sidecar."""
    home = Home(tmp_path, chosen=True)
    state = tmp_path / "sidecars" / "c1" / "4"
    state.mkdir(parents=True)
    (state / "door.json").write_text(f'{{"port": 1, "pid": {os.getpid()}, "run_id": "r"}}')
    assert playing(home) == []
    process = subprocess.Popen(["/bin/sleep", "30"], env={"MCR_STATE_DIR": str(state)})
    try:
        (state / "door.json").write_text(f'{{"port": 1, "pid": {process.pid}, "run_id": "r"}}')
        assert until(lambda: [found.pid for found in playing(home)] == [process.pid])
    finally:
        process.kill()
        process.wait()
    assert playing(home) == []
