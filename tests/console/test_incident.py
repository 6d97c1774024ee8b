"""The incident bundle: what is in it, what must not be, and that it is made when nothing answers."""

import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from mcr_console.client import Client, Unreachable
from mcr_console.incident import collect, file_name, write
from supervisor.schemas.channel import Output
from tests.console.conftest import Desk, settled
from tests.console.desk_scenes import DeskScene
from tests.console.handover_scenes import NOTES, page_of
from tests.console.scenes import NOON, ScriptedSupervisor, asrun_events, channel, ident, normal_channels, reset

SECRET = "s3cr3t-stream-key"


async def test_one_key_writes_state_events_as_run_logs_and_the_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCR_HOME", str(tmp_path))
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "supervisor.log").write_bytes(b"x" * 3_000_000 + b"the end")
    keyed = channel(4, "Movies", "Sintel (reel 2)").model_copy(
        update={"outputs": (Output(id=ident(1, "o"), kind="rtmp", url=f"rtmp://cdn.example/live/{SECRET}"),)}
    )
    channels = [*normal_channels()[:3], keyed, *normal_channels()[4:]]
    desk = Desk([reset(channels)], history=asrun_events(40), page=page_of(normal_channels(), notes=NOTES))
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("3", "ctrl+r")
        await settled(pilot)
        assert "incident bundle: " in desk.text()
    assert not desk.app.faults
    [path] = (tmp_path / "incidents").iterdir()
    assert path.name == file_name(NOON)
    assert path.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(path) as bundle:
        parts = {name: bundle.read(name) for name in bundle.namelist()}
    assert {"screen.svg", "channels.json", "nodes.json", "alarms.json", "handover.json", "supervisor.json"} <= set(
        parts
    )
    assert b"SPORT" in parts["screen.svg"]
    assert len(json.loads(parts["channels.json"])) == 9
    assert len(parts["as-run.jsonl"].splitlines()) == 40
    assert len(parts["logs/supervisor.log"]) == 2_000_000
    assert parts["logs/supervisor.log"].endswith(b"the end")
    assert SECRET.encode() not in b"".join(parts.values())
    assert b"logs/console.log: " in parts["README.txt"], "what could not be had is named"


async def test_what_is_older_than_asked_for_is_left_out() -> None:
    feed = ScriptedSupervisor([reset(normal_channels())], history=asrun_events(10), page=page_of(()))
    parts = await collect(feed, NOON + timedelta(hours=1), hours=2, logs=())
    assert len(parts["as-run.jsonl"].splitlines()) == 10
    assert b"What could not be had:\n  nothing" in parts["README.txt"]


async def test_it_is_made_while_nothing_answers(tmp_path: Path) -> None:
    log = tmp_path / "supervisor.log"
    log.write_text("it ended here")
    async with Client.at(socket=tmp_path / "nobody") as client:
        parts = await collect(client, NOON, hours=2, logs=[log])
    assert set(parts) == {"README.txt", "logs/supervisor.log"}
    assert b"channels.json: No supervisor there" in parts["README.txt"]


async def test_one_part_that_fails_keeps_no_other_out() -> None:
    refuses = DeskScene(refuses=Unreachable("The supervisor did not answer", "nothing within 5 s"))
    feed = ScriptedSupervisor([reset(normal_channels())], desk=refuses, page=page_of(()))
    parts = await collect(feed, NOON, hours=2, logs=())
    assert "nodes.json" not in parts
    assert "channels.json" in parts


def test_a_bundle_of_the_same_second_is_not_written_over(tmp_path: Path) -> None:
    write(tmp_path / "one.zip", {"a": b"1"})
    with pytest.raises(FileExistsError):
        write(tmp_path / "one.zip", {"a": b"2"})
    with zipfile.ZipFile(tmp_path / "one.zip") as bundle:
        assert bundle.read("a") == b"1"
    assert [one.name for one in tmp_path.iterdir()] == ["one.zip"]
