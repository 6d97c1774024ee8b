"""From a path to an asset: look, fingerprint, probe, and keep what was found."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import structlog

from db.errors import Missing, StaleRev
from db.models import Asset
from db.store import Store
from sidecar.protocol.probe import Probe
from supervisor.assets.fingerprint import Fingerprint, fingerprint
from supervisor.assets.names import is_text, readable, title_of
from supervisor.assets.probing import Prober
from supervisor.clock import Clock
from supervisor.confined import Confined
from supervisor.errors import Invalid, Unavailable
from supervisor.threads import Threads

READ_S: Final = 20.0
"""Seconds in which both ends of a file must have been read."""
THERE_S: Final = 5.0
"""Seconds in which a disk must say whether files are still there."""
FACTS: Final = 1
"""How much this version finds out about a file; assets of which less is known are looked at again."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to import. ``title`` is its name without extension when left out."""

    path: Path
    title: str | None = None
    house_id: str | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one file: its asset, or why there is none. ``passes``: what cannot be read now may be later."""

    wanted: Wanted
    asset: Asset | None
    is_new: bool
    refusal: str
    passes: bool = False


@dataclass(frozen=True, slots=True)
class _Unread:
    """Why nothing is known of a file; ``passes``: for want of time or of a free thread."""

    why: str
    passes: bool = False


_Look = Fingerprint | _Unread


class AssetNews(Protocol):
    """Who is told what became of assets that are there already."""

    async def moved(self, asset_ids: Collection[str]) -> None:
        """Their files are elsewhere now."""
        ...

    async def replaced(self, newer: Mapping[str, str]) -> None:
        """Where these assets' files were other content is now: the newer asset, by the older one's id."""
        ...


class AssetImport:
    """Imports many files at once, in bounded numbers.

    The same content is the same asset: at the same path, or at another when it is no longer at the first.
    """

    def __init__(
        self, store: Store, clock: Clock, prober: Prober, files: Threads,
        news: AssetNews | None = None,
    ) -> None:  # fmt: skip
        self._news = news
        self._store = store
        self._clock = clock
        self._prober = prober
        self._files = files

    async def add(self, wanted: Wanted, project_id: str | None, confined: Confined | None = None) -> Asset:
        """One file's asset. Raises Invalid with the reason when it cannot be used."""
        (result,) = await self.add_all((wanted,), project_id, confined)
        if result.asset is None:
            raise Invalid(result.refusal)
        return result.asset

    async def add_all(
        self, wanted: Sequence[Wanted], project_id: str | None, confined: Confined | None = None
    ) -> tuple[Imported, ...]:
        """One result a file, in order. A path that is there twice is looked at once; none outside of ``confined``."""
        first = {one.path: one for one in reversed(wanted)}
        looks = dict(zip(first, await asyncio.gather(*(self._look(path, confined) for path in first)), strict=True))
        known = await self._known(looks, project_id)
        known |= await self._follow_moved(looks, known.keys(), project_id)
        unknown = [path for path, look in looks.items() if isinstance(look, Fingerprint) and path not in known]
        probes = dict(zip(unknown, await self._prober.probe(unknown), strict=True))
        made = await self._make(looks, probes, first, project_id)
        results: list[Imported] = []
        told: set[Path] = set()
        for one in wanted:
            asset = known.get(one.path) or made.get(one.path)
            is_new = one.path in made and one.path not in told
            told.add(one.path)
            look = looks[one.path]
            refusal = "" if asset else _refusal(one.path, look, probes.get(one.path))
            passes = asset is None and _passes(look, probes.get(one.path))
            results.append(Imported(one, asset, is_new, refusal, passes))
        return tuple(results)

    async def _look(self, path: Path, confined: Confined | None = None) -> _Look:
        """What the file is, or why it cannot be read."""
        if not path.is_absolute():
            return _Unread(f"{path} is not an absolute path")
        if "\0" in str(path):
            return _Unread("a path cannot hold a NUL")
        if not is_text(str(path)):
            return _Unread(f"{readable(str(path))}: its name is not UTF-8; rename it")
        try:
            return await self._files.run(READ_S, fingerprint, path, confined)
        except TimeoutError:
            return _Unread(f"{path} could not be read within {READ_S:.0f} s", passes=True)
        except Unavailable as error:
            return _Unread(error.detail, passes=True)
        except Invalid as error:
            return _Unread(error.detail)

    async def _known(self, looks: Mapping[Path, _Look], project_id: str | None) -> dict[Path, Asset]:
        async with self._store.read() as tx:
            found = await tx.assets.by_contents(_contents(looks), project_id)
        return {Path(path): asset for (_, path), asset in found.items()}

    async def _follow_moved(
        self, looks: Mapping[Path, _Look], known: Collection[Path], project_id: str | None
    ) -> dict[Path, Asset]:
        """Assets whose file was moved or renamed, by where it is now. Two with one content are left as they are."""
        wanted = {
            look.digest: (path, look)
            for path, look in looks.items()
            if isinstance(look, Fingerprint) and path not in known
        }
        if not wanted:
            return {}
        async with self._store.read() as tx:
            rows = await tx.assets.by_fingerprints(wanted.keys(), project_id)
        gone = await self._gone({row.path for row in rows})
        moved: dict[Path, Asset] = {}
        for row in rows:
            path, look = wanted[row.fingerprint]
            if row.path not in gone or path in moved:
                continue
            try:
                async with self._store.write() as tx:
                    changes = {"path": str(path), "mtime_ns": look.mtime_ns}
                    moved[path] = await tx.assets.found(row.id, row.rev, changes)
            except (Missing, StaleRev):
                continue  # somebody else was faster; the next look finds it at its new place
            _log.info("an asset's file was moved", asset=row.id, before=row.path, now=str(path))
        if moved and self._news is not None:
            await self._news.moved({asset.id for asset in moved.values()})
        return moved

    async def _gone(self, paths: Collection[str]) -> frozenset[str]:
        """Those where certainly no file is any more."""
        if not paths:
            return frozenset()
        try:
            return await self._files.run(THERE_S, gone, tuple(paths))
        except (TimeoutError, Unavailable):
            return frozenset()

    async def look_again(self, assets: Sequence[Asset]) -> int:
        """Finds out what this version wants to know of assets that an older one made; how many are known now.

        One whose content is another now is left: it is another asset.
        """
        looks = dict(
            zip(assets, await asyncio.gather(*(self._look(Path(asset.path)) for asset in assets)), strict=True)
        )
        same = {
            Path(asset.path): (asset, look)
            for asset, look in looks.items()
            if isinstance(look, Fingerprint) and look.digest == asset.fingerprint
        }
        probes = dict(zip(same, await self._prober.probe(tuple(same)), strict=True))
        count = 0
        for path, (asset, look) in same.items():
            if probes[path].verdict != "usable":
                continue
            try:
                async with self._store.write() as tx:
                    await tx.assets.found(asset.id, asset.rev, _found(look, probes[path]))
            except (Missing, StaleRev):
                continue
            count += 1
        return count

    async def _make(
        self,
        looks: Mapping[Path, _Look],
        probes: Mapping[Path, Probe],
        wanted: Mapping[Path, Wanted],
        project_id: str | None,
    ) -> dict[Path, Asset]:
        """Assets of the usable ones, by path. What somebody else has imported meanwhile is taken as it is."""
        usable = {path: probe for path, probe in probes.items() if probe.verdict == "usable"}
        if not usable:
            return {}
        contents = _contents({path: looks[path] for path in usable})
        async with self._store.write() as tx:
            there = {path for _, path in await tx.assets.by_contents(contents, project_id)}
            facts = [
                _facts(wanted[path], looks[path], probe, project_id)
                for path, probe in usable.items()
                if str(path) not in there
            ]
            before = await tx.assets.at_paths([str(one["path"]) for one in facts], project_id)
            await tx.assets.add_many(facts, self._clock.now())
            found = await tx.assets.by_contents(contents, project_id)
        made = {Path(path): asset for (_, path), asset in found.items()}
        replaced = {row.id: made[Path(row.path)].id for row in before if Path(row.path) in made}
        if replaced and self._news is not None:
            await self._news.replaced(replaced)
        return made


def _contents(looks: Mapping[Path, _Look]) -> list[tuple[str, str]]:
    return [(look.digest, str(path)) for path, look in looks.items() if isinstance(look, Fingerprint)]


def _facts(wanted: Wanted, look: _Look, probe: Probe, project_id: str | None) -> dict[str, object]:
    assert isinstance(look, Fingerprint)
    title = title_of(wanted.title or "") or title_of(wanted.path.stem) or title_of(wanted.path.name)
    return {
        "project_id": project_id,
        "house_id": wanted.house_id,
        "title": title,
        "path": str(wanted.path),
        **_found(look, probe),
    }


def _found(look: Fingerprint, probe: Probe) -> dict[str, object]:
    return {
        "size_bytes": look.size_bytes,
        "fingerprint": look.digest,
        "mtime_ns": look.mtime_ns,
        "facts": FACTS,
        "rate": probe.rate,
        "duration_frames": probe.duration_frames,
        "asset_duration_ms": probe.duration_ms,
        "width": probe.width,
        "height": probe.height,
        "video_codec": probe.video_codec,
        "audio_codec": probe.audio_codec,
        "audio_channels": probe.audio_channels,
        "start_timecode": probe.start_timecode,
        "scan": probe.scan,
        "aspect": probe.aspect,
        "variable_rate": probe.variable_rate,
        "captions": probe.captions,
        "audio_tracks": list(probe.audio_tracks),
        "silent": probe.silent,
    }


def gone(paths: Sequence[str]) -> frozenset[str]:
    """Those where there is no file. Blocks. What cannot be asked for, for want of rights, counts as there."""
    return frozenset(path for path in paths if _is_gone(path))


def _is_gone(path: str) -> bool:
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _passes(look: _Look, probe: Probe | None) -> bool:
    return look.passes if isinstance(look, _Unread) else probe is not None and probe.passes


def _refusal(path: Path, look: _Look, probe: Probe | None) -> str:
    if isinstance(look, _Unread):
        return look.why
    return f"{path}: {probe.refusal or 'it was not probed'}" if probe else f"{path}: it was not probed"
