"""From a path to an asset: look, fingerprint, probe, and keep what was found."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from db.models import Asset
from db.store import Store
from sidecar.protocol.probe import Probe
from supervisor.assets.fingerprint import Fingerprint, fingerprint
from supervisor.assets.names import is_text, readable, title_of
from supervisor.assets.probing import Prober
from supervisor.clock import Clock
from supervisor.errors import Invalid, Unavailable
from supervisor.threads import Threads

READ_S: Final = 20.0
"""Seconds in which both ends of a file must have been read."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to import. ``title`` is its name without extension when left out."""

    path: Path
    title: str | None = None
    house_id: str | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one file: its asset, or why there is none."""

    wanted: Wanted
    asset: Asset | None
    is_new: bool
    refusal: str


class AssetImport:
    """Imports many files at once, in bounded numbers. The same file at the same path is the same asset."""

    def __init__(self, store: Store, clock: Clock, prober: Prober, files: Threads) -> None:
        self._store = store
        self._clock = clock
        self._prober = prober
        self._files = files

    async def add(self, wanted: Wanted, project_id: str | None) -> Asset:
        """One file's asset. Raises Invalid with the reason when it cannot be used."""
        (result,) = await self.add_all((wanted,), project_id)
        if result.asset is None:
            raise Invalid(result.refusal)
        return result.asset

    async def add_all(self, wanted: Sequence[Wanted], project_id: str | None) -> tuple[Imported, ...]:
        """One result a file, in order. A path that is there twice is looked at once."""
        first = {one.path: one for one in reversed(wanted)}
        looks = dict(zip(first, await asyncio.gather(*(self._look(path) for path in first)), strict=True))
        known = await self._known(looks, project_id)
        unknown = [path for path, look in looks.items() if isinstance(look, Fingerprint) and path not in known]
        probes = dict(zip(unknown, await self._prober.probe(unknown), strict=True))
        made = await self._make(looks, probes, first, project_id)
        results: list[Imported] = []
        told: set[Path] = set()
        for one in wanted:
            asset = known.get(one.path) or made.get(one.path)
            is_new = one.path in made and one.path not in told
            told.add(one.path)
            refusal = "" if asset else _refusal(one.path, looks[one.path], probes.get(one.path))
            results.append(Imported(one, asset, is_new, refusal))
        return tuple(results)

    async def _look(self, path: Path) -> Fingerprint | str:
        """What the file is, or why it cannot be read."""
        if not path.is_absolute():
            return f"{path} is not an absolute path"
        if "\0" in str(path):
            return "a path cannot hold a NUL"
        if not is_text(str(path)):
            return f"{readable(str(path))}: its name is not UTF-8; rename it"
        try:
            return await self._files.run(READ_S, fingerprint, path)
        except TimeoutError:
            return f"{path} could not be read within {READ_S:.0f} s"
        except (Invalid, Unavailable) as error:
            return error.detail

    async def _known(self, looks: Mapping[Path, Fingerprint | str], project_id: str | None) -> dict[Path, Asset]:
        async with self._store.read() as tx:
            found = await tx.assets.by_contents(_contents(looks), project_id)
        return {Path(path): asset for (_, path), asset in found.items()}

    async def _make(
        self,
        looks: Mapping[Path, Fingerprint | str],
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
            await tx.assets.add_many(facts, self._clock.now())
            found = await tx.assets.by_contents(contents, project_id)
        return {Path(path): asset for (_, path), asset in found.items()}


def _contents(looks: Mapping[Path, Fingerprint | str]) -> list[tuple[str, str]]:
    return [(look.digest, str(path)) for path, look in looks.items() if isinstance(look, Fingerprint)]


def _facts(wanted: Wanted, look: Fingerprint | str, probe: Probe, project_id: str | None) -> dict[str, object]:
    assert isinstance(look, Fingerprint)
    title = title_of(wanted.title or "") or title_of(wanted.path.stem) or title_of(wanted.path.name)
    return {
        "project_id": project_id,
        "house_id": wanted.house_id,
        "title": title,
        "path": str(wanted.path),
        "size_bytes": look.size_bytes,
        "fingerprint": look.digest,
        "rate": probe.rate,
        "duration_frames": probe.duration_frames,
        "asset_duration_ms": probe.duration_ms,
        "width": probe.width,
        "height": probe.height,
        "video_codec": probe.video_codec,
        "audio_codec": probe.audio_codec,
        "audio_channels": probe.audio_channels,
    }


def _refusal(path: Path, look: Fingerprint | str, probe: Probe | None) -> str:
    if isinstance(look, str):
        return look
    return f"{path}: {probe.refusal or 'it was not probed'}" if probe else f"{path}: it was not probed"
