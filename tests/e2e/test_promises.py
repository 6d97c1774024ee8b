"""Real processes, killed with real signals, while somebody watches the public playlist from outside."""

import contextlib
import itertools
import os
import signal
from collections.abc import AsyncIterator, Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from db import schema
from db.urls import database_url
from mcr_console.client import Client
from sidecar.clips.make import make_clip
from sidecar.clips.specification import ClipSpecification
from sidecar.journal.reading import damages
from supervisor.schemas.asrun import AsRunEvent
from supervisor.schemas.channel import Channel, ChannelFormat, ChannelIn
from supervisor.schemas.playlist import PlaylistImport
from tests.e2e.supervisor_process import SupervisorProcess, eventually
from tests.fixtures.homes import TestHome
from tests.instruments.frame_account import NumberedClip, account
from tests.instruments.frame_cells import read_frame
from tests.instruments.hls_reader import HlsRecorder, Recording, from_folder

pytestmark = [pytest.mark.realtime, pytest.mark.short, pytest.mark.timeout(120)]

RATE = Fraction(25)
SMALL = (320, 180)
CLIPS = {number: NumberedClip(RATE, 40 + number) for number in (1, 2, 3)}


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clips_in(tmp_path_factory.mktemp("media"), (640, 360))


@pytest.fixture
def small_media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For several channels at once on a machine of two cores."""
    return clips_in(tmp_path_factory.mktemp("small"), SMALL)


def clips_in(folder: Path, picture: tuple[int, int]) -> Path:
    for number, clip in CLIPS.items():
        make_clip(ClipSpecification(number, f"Promise {number}", *picture, RATE, clip.frames), folder)
    return folder


@pytest.fixture
def supervisor(home: TestHome) -> Iterator[SupervisorProcess]:
    with SupervisorProcess(home) as process:
        yield process


@pytest.fixture
async def client(supervisor: SupervisorProcess) -> AsyncIterator[Client]:
    async with supervisor.client() as client:
        yield client


async def on_air(client: Client, channel_id: str, *, above_epoch: int = 0, deadline_s: float = 15.0) -> Channel:
    async def look() -> Channel | None:
        channel = await client.channel(channel_id)
        live = channel.live
        return channel if live.observed == "on_air" and live.phase == "running" and live.epoch > above_epoch else None

    return await eventually(look, f"channel on air above epoch {above_epoch}", deadline_s)


async def channel_on_air(
    client: Client, media: Path, name: str = "Promise", picture: tuple[int, int] = (640, 360), deadline_s: float = 15.0
) -> Channel:
    async def import_media() -> str:
        request = PlaylistImport(name=f"{name}s", source="folder", path=str(media))
        return (await client.import_playlist(request)).playlist.id

    playlist_id = await eventually(import_media, "import")
    values = ChannelIn(
        name=name,
        format=ChannelFormat(width=picture[0], height=picture[1], rate="25"),
        playlist_id=playlist_id,
        after_last="loop",
    )
    channel = await client.create_channel(values)
    await client.start(channel.id)
    return await on_air(client, channel.id, deadline_s=deadline_s)


def recorder_of(supervisor: SupervisorProcess, channel: Channel) -> HlsRecorder:
    return HlsRecorder(from_folder(supervisor.media_root / "live" / channel.id))


def counted(recording: Recording) -> None:
    """Every frame of an unbroken recording accounted for."""
    result = account((read_frame(frame, (Fraction(16, 9),)) for frame in recording.pictures()), CLIPS, RATE)
    assert result.clean, result.faults
    assert recording.faults == []


async def events_of(client: Client, channel: Channel) -> list[AsRunEvent]:
    return [event async for event in client.asrun(channel_id=channel.id)]


def check_as_run(events: list[AsRunEvent]) -> None:
    """P4: nothing twice, and within a run no frame without an owner."""
    keys = [(event.run_id, event.seq) for event in events]
    assert len(keys) == len(set(keys)), "an event stands twice"
    runs: dict[str, list[AsRunEvent]] = {}
    for event in events:
        runs.setdefault(event.run_id, []).append(event)
    for run in runs.values():
        aired = sorted((e for e in run if e.kind != "skipped"), key=lambda e: e.start_frame)
        for before, after in itertools.pairwise(aired):
            assert before.frames is not None, f"{before.title} has no end though {after.title} followed"
            assert before.start_frame + before.frames == after.start_frame, (before, after)


async def test_p5_a_killed_supervisor_takes_nothing_off_air_and_adopts_on_return(
    supervisor: SupervisorProcess, client: Client, media: Path
) -> None:
    """P5, P4: same process, same epoch, no frame lost, the as-run complete."""
    channel = await channel_on_air(client, media)
    pids = supervisor.sidecars()
    assert len(pids) == 1
    with recorder_of(supervisor, channel) as recorder:
        recorder.wait_for(2, 60)
        supervisor.kill()
        recorder.wait_for(4, 60)
        supervisor.start()
        again = await on_air(client, channel.id)
        recorder.wait_for(6, 60)
    assert supervisor.sidecars() == pids
    assert again.live.epoch == channel.live.epoch
    counted(recorder.recording)

    async def collected() -> list[AsRunEvent] | None:
        events = await events_of(client, channel)
        return events if len(events) >= 6 else None

    check_as_run(await eventually(collected, "six events in the as-run"))


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_p5_an_upgrade_from_the_schema_before_takes_none_of_four_channels_off_air(
    supervisor: SupervisorProcess, client: Client, small_media: Path
) -> None:
    """P5, P4: the supervisor is stopped, its database goes one version back while four channels play, and the next
    start brings it forward again and finds what plays: the same processes and epochs, every frame in what a player
    got and in the journals, each of which is one run with a whole chain."""
    names = ("One", "Two", "Three", "Four")
    channels = [await channel_on_air(client, small_media, name, SMALL, 60.0) for name in names]
    pids = supervisor.sidecars()
    assert len(pids) == len(names)
    with contextlib.ExitStack() as stack:
        recorders = [stack.enter_context(recorder_of(supervisor, channel)) for channel in channels]
        for recorder in recorders:
            recorder.wait_for(2, 60)
        supervisor.send(signal.SIGTERM)
        assert supervisor.wait() == 0
        await one_version_back(supervisor.home.path / "mcr.db")
        supervisor.start()
        again = [await on_air(client, channel.id, deadline_s=60.0) for channel in channels]
        for recorder in recorders:
            recorder.wait_for(len(recorder.recording.segments) + 2, 60)
    assert supervisor.sidecars() == pids
    assert [channel.live.epoch for channel in again] == [channel.live.epoch for channel in channels]
    for recorder in recorders:
        counted(recorder.recording)
    for channel in channels:
        journal = supervisor.home.path / "journal" / channel.id
        assert len([run for run in journal.iterdir() if run.is_dir()]) == 1, "it was started again"
        assert list(damages(journal)) == []

        async def collected(channel: Channel = channel) -> list[AsRunEvent] | None:
            events = await events_of(client, channel)
            return events if len(events) >= 4 else None

        check_as_run(await eventually(collected, "four events in the as-run", 60.0))


async def one_version_back(database: Path) -> None:
    url = database_url(str(database))
    newest = ScriptDirectory.from_config(schema.configuration()).get_revision(schema.newest())
    assert newest is not None
    assert isinstance(newest.down_revision, str)
    await schema.downgrade(url, newest.down_revision)


async def test_p1_a_killed_sidecar_is_replaced_in_place_and_players_play_on(
    supervisor: SupervisorProcess, client: Client, media: Path
) -> None:
    """P1, P2, P4: back on air with a higher epoch; the playlist runs on; the as-run has no double."""
    channel = await channel_on_air(client, media)
    with recorder_of(supervisor, channel) as recorder:
        recorder.wait_for(2, 60)
        (pid,) = supervisor.sidecars()
        os.kill(pid, signal.SIGKILL)
        again = await on_air(client, channel.id, above_epoch=channel.live.epoch)
        recorder.wait_for(5, 60)
    assert again.live.epoch == channel.live.epoch + 1
    recording = recorder.recording
    pictures = list(recording.pictures())
    assert recording.faults == []
    assert len(list(recording.spans())) == 2
    assert len(pictures) == sum(round(entry.duration * 25) for entry, _ in recording.segments.values())

    async def both_runs() -> list[AsRunEvent] | None:
        events = await events_of(client, channel)
        ended = [event for event in events if event.status == "unknown end"]
        return events if ended and len({event.run_id for event in events}) == 2 else None

    check_as_run(await eventually(both_runs, "both runs in the as-run"))


@pytest.mark.long
async def test_p5_shutting_down_and_returning_takes_nothing_off_air_and_stop_does(
    supervisor: SupervisorProcess, client: Client, media: Path
) -> None:
    """P5: SIGTERM ends the supervisor alone. A stop ends playout, and the playlist says that it ended."""
    channel = await channel_on_air(client, media)
    pids = supervisor.sidecars()
    with recorder_of(supervisor, channel) as recorder:
        recorder.wait_for(1, 60)
        supervisor.send(signal.SIGTERM)
        assert supervisor.wait() == 0
        recorder.wait_for(3, 60)
        supervisor.start()
        await on_air(client, channel.id)
        assert supervisor.sidecars() == pids
        await client.stop(channel.id)

        async def off() -> bool:
            return (await client.channel(channel.id)).live.phase == "off"

        await eventually(off, "off air")
    recorder.poll()
    assert supervisor.sidecars() == set()
    assert recorder.recording.ended
    counted(recorder.recording)

    async def ended() -> list[AsRunEvent] | None:
        events = await events_of(client, channel)
        return events if events and events[-1].frames is not None else None

    check_as_run(await eventually(ended, "the last event's end"))


@pytest.mark.long
async def test_p1_after_a_power_cut_wanted_channels_return_by_themselves(
    supervisor: SupervisorProcess, client: Client, media: Path
) -> None:
    """P1, P4: everything killed at once, the supervisor alone started again: on air where it was, nothing twice."""
    channel = await channel_on_air(client, media)

    async def second_item() -> Channel | None:
        found = await client.channel(channel.id)
        return found if found.live.item and found.live.item.title.startswith("02") else None

    before = await eventually(second_item, "second item on air")
    for pid in supervisor.sidecars():
        os.kill(pid, signal.SIGKILL)
    supervisor.kill()
    supervisor.start()
    again = await on_air(client, channel.id, above_epoch=before.live.epoch)
    assert again.live.item is not None
    assert again.live.item.title[:2] in {"02", "03"}, "it began anew instead of resuming"
    check_as_run(await events_of(client, channel))
