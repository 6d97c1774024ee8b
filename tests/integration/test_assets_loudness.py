"""Clips are measured in the background, and a channel with a loudness profile levels them."""

import asyncio
import os
from collections.abc import Collection, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from db.models import Asset, Channel, Item, Playlist
from db.repositories.assets import Assets
from db.store import Store
from supervisor.assets.fingerprint import fingerprint
from supervisor.assets.measuring import LoudnessWatch, measure
from supervisor.clock import SystemClock
from supervisor.sidecar_lists import sidecar_playlist
from tests.fixtures.torture import Picturing, Sounding, numbered, tone, write_clip


def clip(path: Path, level_db: float, layout: str = "stereo") -> Path:
    """A stereo sine of 1 kHz reads as many LUFS as its peak has dBFS (EBU Tech 3341)."""
    channels = 1 if layout == "mono" else 2
    sound = np.stack([tone(1000, 4, 10 ** (level_db / 20))] * channels)
    return write_clip(path, Picturing(numbered(320, 180), 100), [Sounding(sound, layout)])


async def test_a_clip_is_measured_as_it_airs(tmp_path: Path) -> None:
    found = await measure(clip(tmp_path / "clip.mkv", -30))
    assert (found.state, found.done_ms) == ("measured", 4000)
    assert found.loudness_mb == pytest.approx(-3000, abs=10)
    assert found.true_peak_mb == pytest.approx(-3000, abs=40)
    mono = await measure(clip(tmp_path / "mono.mkv", -30, "mono"))
    assert mono.loudness_mb == pytest.approx(-3000, abs=10), "mono airs on both sides"


async def test_silence_and_what_cannot_be_heard(tmp_path: Path) -> None:
    silent = await measure(clip(tmp_path / "silent.mkv", -200))
    assert (silent.state, silent.loudness_mb) == ("measured", None)
    mute = write_clip(tmp_path / "mute.mkv", Picturing(numbered(320, 180), 25))
    assert (await measure(mute)).why == f"it has no sound: {mute}"
    missing = await measure(tmp_path / "missing.mkv")
    assert (missing.state, missing.why) == ("failed", f"no such file: {tmp_path}/missing.mkv")


async def test_a_file_that_hangs_is_given_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "hung.ts")
    assert "nothing of it could be read" in (await measure(tmp_path / "hung.ts", line_s=2.0)).why


class Looking(SystemClock):
    """Sleeps no time, but a look at a time."""

    def __init__(self) -> None:
        self.looks = asyncio.Semaphore(0)
        self.looked = asyncio.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        self.looked.release()
        await self.looks.acquire()


async def test_all_assets_are_looked_through_only_when_one_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(f"sqlite+aiosqlite:///{tmp_path}/mcr.db")
    await store.migrate()
    clock, asked = Looking(), 0
    unmeasured = Assets.unmeasured

    async def counted(assets: Assets, limit: int, besides: Collection[str] = ()) -> Sequence[Asset]:
        nonlocal asked
        asked += 1
        return await unmeasured(assets, limit, besides)

    async def twenty_looks() -> None:
        for _ in range(20):
            await clock.looked.acquire()
            clock.looks.release()

    async def nobody() -> None:
        raise AssertionError("nothing can be measured here")

    monkeypatch.setattr(Assets, "unmeasured", counted)
    watch = asyncio.create_task(LoudnessWatch(store, clock, lambda: True, nobody).run())
    try:
        async with asyncio.timeout(60):
            await twenty_looks()
            assert asked == 1
            gone = {"title": "gone", "path": str(tmp_path / "gone.mkv"), "size_bytes": 1, "fingerprint": "0" * 64}
            async with store.write() as tx:
                await tx.assets.add({**gone, "audio_codec": "aac"}, clock.now())
            await twenty_looks()
            assert asked == 3, "the new one at once, and whether there is another"
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        await store.close()


async def test_assets_are_measured_once_and_levelled(tmp_path: Path) -> None:
    store = Store(f"sqlite+aiosqlite:///{tmp_path}/mcr.db")
    await store.migrate()
    clock = SystemClock()
    paths = {name: clip(tmp_path / f"{name}.mkv", level) for name, level in (("quiet", -27), ("loud", -10))}
    rows = [
        {"title": name, "path": str(path), "size_bytes": 1, "fingerprint": fingerprint(path).digest, "rate": "25",
         "duration_frames": 100, "audio_codec": "pcm_s16le"}
        for name, path in paths.items()
    ]  # fmt: skip
    rows.append({**rows[0], "title": "gone", "path": str(tmp_path / "gone.mkv"), "fingerprint": "0" * 64})
    try:
        async with store.write() as tx:
            ids = await tx.assets.add_many(rows, clock.now())
        told = asyncio.Semaphore(0)

        async def tell() -> None:
            told.release()

        watch = asyncio.create_task(LoudnessWatch(store, clock, lambda: True, tell).run())
        async with asyncio.timeout(60):
            await told.acquire()
            await told.acquire()
        watch.cancel()
        async with store.read() as tx:
            assets = await tx.assets.by_ids(ids)
            left = [asset.title for asset in await tx.assets.unmeasured(10)]
    finally:
        await store.close()
    assert left == ["gone"]
    assert {asset.rev for asset in assets.values()} == {1}, "nobody who edits it meanwhile is refused"
    items = [Item(id=id_, asset_id=id_, title="x", kind="clip", in_frames=0, start_mode="follow") for id_ in ids]
    channel = Channel(rate="25", after_last="filler", playout={"loudness_profile": "r128"})
    gains = [
        item.gain_mb for item in sidecar_playlist(channel, Playlist(revision=1), items, assets, Fraction(25)).items
    ]
    assert gains == [pytest.approx(400, abs=10), pytest.approx(-1300, abs=10), 0]
    changed = assets[ids[0]]
    changed.fingerprint = "1" * 64
    assert (changed.is_measured, changed.loudness_mb) == (False, None), "another content was not measured"
