"""Measuring how loud assets are, one after the other in the background, each in a process that can be killed."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec
import structlog

from db.errors import StoreError
from db.models import Asset
from db.store import Store
from sidecar.protocol.measurement import Measurement
from supervisor.assets.probing import end_process
from supervisor.clock import Clock

LINE_S: Final = 20.0
"""Seconds without a sign of progress after which a measurement is given up."""
_LOOK_S: Final = 2.0
"""Seconds between two looks for new assets."""
_ALL_S: Final = 60.0
"""Seconds until all assets are looked through again when nothing was to be measured and none is new."""
_AGAIN_S: Final = 3600.0
"""Seconds until a file that could not be measured is tried again."""
_MOST_FAILED: Final = 10_000
"""Fewer than a statement may have parameters."""

_log = structlog.get_logger(__name__)
_decoder = msgspec.json.Decoder(Measurement)


async def measure(path: Path, line_s: float = LINE_S) -> Measurement:
    """Never raises for what is wrong with the file: ``failed`` says why."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # what lies in the current directory is not imported in place of the program
        "-m",
        "sidecar",
        "loudness",
        str(path),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        while True:
            async with asyncio.timeout(line_s):
                line = await process.stdout.readline()
            if not line:
                return Measurement("failed", why=f"listening to it ended the measurement: {path}")
            told = _decoder.decode(line)
            if told.state != "going":
                return told
    except TimeoutError:
        return Measurement("failed", why=f"nothing of it could be read for {line_s:.0f} s: {path}")
    except (msgspec.MsgspecError, ValueError) as error:
        return Measurement("failed", why=f"the measurement answered what cannot be read: {error}")
    finally:
        await end_process(process)


class LoudnessWatch:
    """Measures what is not measured, the newest first, while this supervisor leads. ``told`` hears of every new one."""

    def __init__(
        self, store: Store, clock: Clock, leads: Callable[[], bool], told: Callable[[], Awaitable[None]]
    ) -> None:
        self._store = store
        self._clock = clock
        self._leads = leads
        self._told = told
        self._failed: dict[str, float] = {}
        """Until when each is not tried again. Another content is another asset."""
        self._newest: str | None = None
        self._look_through = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                found = await self._measure_one() if self._leads() else False
            except StoreError as error:
                _log.info("loudness is measured later", why=str(error))
                found = False
            if not found:
                await self._clock.sleep(_LOOK_S)

    async def _measure_one(self) -> bool:
        """Whether there was one."""
        now = self._clock.monotonic()
        self._failed = {asset_id: until for asset_id, until in self._failed.items() if until > now}
        async with self._store.read() as tx:
            newest = await tx.assets.newest()
            if newest == self._newest and now < self._look_through:
                return False
            waiting = await tx.assets.unmeasured(1, self._failed.keys())
        if not waiting:
            self._newest, self._look_through = newest, now + _ALL_S
            return False
        (asset,) = waiting
        measurement = await measure(Path(asset.path))
        if measurement.state == "measured":
            await self._keep(asset, measurement)
        else:
            _log.info("loudness could not be measured", asset=asset.id, why=measurement.why)
            if len(self._failed) == _MOST_FAILED:
                del self._failed[next(iter(self._failed))]
            self._failed[asset.id] = now + _AGAIN_S
        return True

    async def _keep(self, asset: Asset, measurement: Measurement) -> None:
        async with self._store.write() as tx:
            kept = await tx.assets.measured(
                asset.id, asset.fingerprint, measurement.loudness_mb, measurement.true_peak_mb
            )
        if kept:  # else it is gone, or has another content by now
            await self._told()
