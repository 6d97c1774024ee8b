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
_AGAIN_S: Final = 3600.0
"""Seconds until a file that could not be measured is tried again."""
_AT_A_LOOK: Final = 50
_MOST_FAILED: Final = 10_000

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
        self._failed: dict[tuple[str, str], float] = {}

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
        async with self._store.read() as tx:
            waiting = await tx.assets.unmeasured(_AT_A_LOOK + len(self._failed))
        now = self._clock.monotonic()
        self._failed = {key: until for key, until in self._failed.items() if until > now}
        asset = next((one for one in waiting if (one.id, one.fingerprint) not in self._failed), None)
        if asset is None:
            return False
        measurement = await measure(Path(asset.path))
        if measurement.state == "measured":
            await self._keep(asset, measurement)
        else:
            _log.info("loudness could not be measured", asset=asset.id, why=measurement.why)
            if len(self._failed) < _MOST_FAILED:
                self._failed[asset.id, asset.fingerprint] = now + _AGAIN_S
        return True

    async def _keep(self, asset: Asset, measurement: Measurement) -> None:
        async with self._store.write() as tx:
            kept = await tx.assets.measured(
                asset.id, asset.fingerprint, measurement.loudness_mb, measurement.true_peak_mb
            )
        if kept:  # else it is gone, or has another content by now
            await self._told()
