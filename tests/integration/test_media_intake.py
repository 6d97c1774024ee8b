"""A watched media folder, on a real store and real files, where the disk behind it does not answer for a while."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from db.models import WatchedFolder
from db.repositories.watched_folders import FolderSpec
from db.store import Store
from sidecar.protocol.probe import Probe
from supervisor.assets import importing
from supervisor.assets.importing import AssetImport
from supervisor.assets.probing import Prober
from supervisor.clock import SystemClock
from supervisor.intake.media import PASSES_S, MediaIntake
from supervisor.threads import Threads
from tests.fixtures.small_clips import make_small_clip


class SlowProber(Prober):
    """The real one, which has next to no time for a file while it ``is_slow``."""

    def __init__(self) -> None:
        super().__init__()
        self.is_slow = True
        self.asked = 0

    async def probe(self, paths: Sequence[Path]) -> tuple[Probe, ...]:
        self.asked += 1
        return await (Prober(file_s=0.001).probe(paths) if self.is_slow else super().probe(paths))


class MovedClock(SystemClock):
    """This machine's, ``ahead`` seconds further."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


async def seen(intake: MediaIntake, folder: WatchedFolder) -> dict[str, tuple[str, str]]:
    found, _ = await intake.look(folder, lambda _: None)
    return {file.name: (file.state, file.detail) for file in found.files}


async def test_a_clip_that_could_not_be_read_in_time_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(f"sqlite+aiosqlite:///{tmp_path}/mcr.db")
    await store.migrate()
    clock, media, freed = MovedClock(), Threads("media", places=1), threading.Event()
    assets = AssetImport(store, clock, Prober(), media)
    intake = MediaIntake(store, clock, assets, Threads("watched folders", places=2))
    (tmp_path / "in").mkdir()
    make_small_clip(tmp_path / "in" / "N1.mp4")
    try:
        async with store.write() as tx:
            folder = await tx.watched_folders.add(FolderSpec("media", str(tmp_path / "in")), clock.now())
        with pytest.raises(TimeoutError):
            await media.run(0.05, freed.wait)
        with monkeypatch.context() as planted:
            planted.setattr(importing, "READ_S", 0.05)
            files = await seen(intake, folder)
            for _ in range(3):
                files = await seen(intake, folder)
        assert files == {"N1.mp4": ("waiting", "all 1 media are busy")}
        freed.set()
        assert await seen(intake, folder) == files, "it is not asked for at every look"
        clock.ahead = PASSES_S
        assert await seen(intake, folder) == {}
        async with store.read() as tx:
            (asset,) = await tx.assets.list()
            assert asset.house_id == "N1"
        another = MediaIntake(store, clock, assets, Threads("watched folders", places=2))
        monkeypatch.setattr(assets, "add_all", None)
        for _ in range(3):
            assert await seen(another, folder) in ({}, {"N1.mp4": ("arriving", "")})
        assert await seen(another, folder) == {}, "it is known by its path, and not read again"
    finally:
        freed.set()
        await store.close()


async def test_a_clip_whose_probe_took_too_long_is_tried_again_ever_more_seldom(tmp_path: Path) -> None:
    store = Store(f"sqlite+aiosqlite:///{tmp_path}/mcr.db")
    await store.migrate()
    clock, prober = MovedClock(), SlowProber()
    assets = AssetImport(store, clock, prober, Threads("media", places=2))
    intake = MediaIntake(store, clock, assets, Threads("watched folders", places=2))
    (tmp_path / "in").mkdir()
    make_small_clip(tmp_path / "in" / "N1.mp4")
    try:
        async with store.write() as tx:
            folder = await tx.watched_folders.add(FolderSpec("media", str(tmp_path / "in")), clock.now())
        files: dict[str, tuple[str, str]] = {}
        for _ in range(4):
            files = await seen(intake, folder)
        assert files["N1.mp4"][0] == "waiting"
        assert "could not be read within" in files["N1.mp4"][1]
        for wait in (PASSES_S, 2 * PASSES_S):
            asked = prober.asked
            clock.ahead += wait - 5
            assert await seen(intake, folder) == files
            assert prober.asked == asked, "not yet"
            clock.ahead += 10
            assert await seen(intake, folder) == files
            assert prober.asked == asked + 1
        prober.is_slow = False
        clock.ahead += 4 * PASSES_S
        assert await seen(intake, folder) == {}
        async with store.read() as tx:
            assert [asset.house_id for asset in await tx.assets.list()] == ["N1"]
    finally:
        await store.close()


async def test_of_the_programs_own_home_its_media_alone_come_in(tmp_path: Path) -> None:
    """Whoever watches a folder around it watches no database and no key."""
    store = Store(f"sqlite+aiosqlite:///{tmp_path}/mcr.db")
    await store.migrate()
    clock, home = MovedClock(), tmp_path / "in" / "home"
    assets = AssetImport(store, clock, Prober(), Threads("media", places=2))
    intake = MediaIntake(store, clock, assets, Threads("watched folders", places=2), home)
    for folder in ("run", "media"):
        (home / folder).mkdir(parents=True)
        make_small_clip(home / folder / f"{folder}.mp4")
    try:
        async with store.write() as tx:
            watched = await tx.watched_folders.add(FolderSpec("media", str(tmp_path / "in")), clock.now())
        files: dict[str, tuple[str, str]] = {}
        for _ in range(4):
            files = await seen(intake, watched)
        assert [(name, state) for name, (state, _) in files.items()] == [("home/run/run.mp4", "refused")]
        async with store.read() as tx:
            assert [asset.house_id for asset in await tx.assets.list()] == ["media"]
    finally:
        await store.close()
