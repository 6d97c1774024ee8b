"""Recorders with real sidecars under a supervision that goes away, and on nodes that do."""

import os
import signal
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from db.models import Recorder
from sidecar.protocol.asrun import decode_line
from supervisor.api.recordings import files_of
from supervisor.schemas.recorder import RecordedFile, RecorderLive
from tests.fixtures.agents import NodeHome, until
from tests.fixtures.fleets import Fleet, fleet
from tests.fixtures.live_senders import LiveSender, free_port
from tests.fixtures.recordings import held
from tests.fixtures.stations import OLGA, REAL, Station, station

DEADLINE_S = 60.0
SERVICE = {"poll": 1.0, "answer": 0.8, "output_still": 4.5, "lease_ttl": 10.0, "lease_margin": 1.0, "standby": 60.0}
MOVES = {**SERVICE, "sidecar_lease": 6.0, "horizon": 7.5, "grant_within": 1.5, "fence_margin": 0.5, "warm_up": 9.0}
pytestmark = [pytest.mark.realtime, pytest.mark.timeout(300)]


async def started(here: Station, **values: object) -> Recorder:
    async with here.store.write() as tx:
        spec = {"name": "Ingest", "input_kind": "test", "floor_mb": 0, **values}
        row = await tx.recorders.add(spec, datetime.now(UTC))
    await here.supervision.recorders.changed(row.id)
    return await here.supervision.recorders.start(row.id, OLGA)


async def recording(here: Station, recorder_id: str, *, epoch: int, frames: int) -> RecorderLive:
    """Once this epoch, or one after it, has recorded so many."""

    def there() -> bool:
        live = here.supervision.recorders_live.get(recorder_id)
        return live.epoch >= epoch and live.observed == "recording" and live.frames >= frames

    try:
        await until(there, DEADLINE_S, f"epoch {epoch} with {frames} frames")
    except AssertionError as error:
        raise AssertionError(f"{error}; {here.supervision.recorders_live.get(recorder_id)!r}") from error
    return here.supervision.recorders_live.get(recorder_id)


async def off(here: Station, recorder_id: str) -> None:
    await here.supervision.recorders.stop(recorder_id, OLGA)
    await until(lambda: here.supervision.recorders_live.get(recorder_id).phase == "off", DEADLINE_S, "off")


async def logged(here: Station, recorder_id: str, ended: int, begun: int = 0) -> list[RecordedFile]:
    """Oldest first, once so many have ended, and so many are told of."""

    async def files() -> list[RecordedFile]:
        return files_of(decode_line(row.line.encode() + b"\n") for row in await here.records_of(recorder_id))

    async def enough() -> bool:
        found = await files()
        return len(found) >= begun and sum(file.end_at is not None for file in found) >= ended

    await until(enough, DEADLINE_S, f"{ended} files that ended")
    return await files()


async def node_of(made: Fleet, recorder_id: str) -> str:
    async with made.store.read() as tx:
        row = await tx.recorders.get(recorder_id)
    return next((name for name, node in made.nodes.items() if node.id == row.node_id), "none")


async def test_a_supervisor_that_is_gone_costs_no_frame_and_the_next_adopts(node_home: NodeHome) -> None:
    """P5, of recordings: one run, one file, every picture of it."""
    async with station(node_home, timing=SERVICE, program=REAL) as here:
        row = await started(here)
        before = await recording(here, row.id, epoch=1, frames=30)
        pid = await here.pid(row.id)
    async with station(node_home, timing=SERVICE, program=REAL) as here:
        after = await recording(here, row.id, epoch=1, frames=before.frames + 30)
        assert await here.pid(row.id) == pid
        assert after.path == before.path
        await off(here, row.id)
        (file,) = await logged(here, row.id, ended=1)
        numbers = held(Path(file.path)).numbers
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert (file.frames, file.gaps, file.lost_before) == (len(numbers), (), None)
        await here.log_is_complete(row.id)


async def test_a_killed_recording_goes_on_and_what_was_lost_is_told_to_the_frame(node_home: NodeHome) -> None:
    """From outside: the sender's own numbers in the two files. Connections have clocks of their own, so within two."""
    port = free_port()
    async with station(node_home, timing=SERVICE, program=REAL) as here:
        with LiveSender(f"udp://127.0.0.1:{port}?pkt_size=1316"):
            row = await started(here, input_kind="udp", input_url=f"udp://127.0.0.1:{port}")
            before = await recording(here, row.id, epoch=1, frames=50)
            os.kill(await here.pid(row.id), signal.SIGKILL)
            await recording(here, row.id, epoch=before.epoch + 1, frames=40)
            first, second = await logged(here, row.id, ended=1, begun=2)
            assert (first.end_cause, second.end_at) == ("cut short", None)
            await off(here, row.id)
        numbers = [held(Path(file.path)).numbers for file in (first, second)]
        lost = numbers[1][0] - numbers[0][-1] - 1
        assert first.frames == len(numbers[0])
        assert second.lost_before is not None
        assert abs(second.lost_before - lost) <= 2


async def test_a_recorder_leaves_a_node_that_is_lost_and_what_is_left_there_ends_well(node_home: NodeHome) -> None:
    """P1, P2, of recordings: it goes on elsewhere, and what the old one recorded meanwhile is kept and ended."""
    async with fleet(node_home, program=REAL, timing=MOVES) as made:
        row = await started(made)
        before = await recording(made, row.id, epoch=1, frames=25)
        await until(lambda: not made.supervision.why_stay(made.nodes["a"].id), what="warmed up")
        first = await node_of(made, row.id)
        made.link(first).cut = True
        moved = await recording(made, row.id, epoch=before.epoch + 1, frames=25)
        assert await node_of(made, row.id) != first
        made.link(first).cut = False

        async def ended() -> bool:
            return (await made.sidecars(row.id))[first] == []

        await until(ended, DEADLINE_S, "the old one's end")
        await off(made, row.id)
        files = await logged(made, row.id, ended=2)
        assert [(file.epoch, file.end_cause) for file in files] == [(before.epoch, "stop"), (moved.epoch, "stop")]
        for file in files:
            numbers = held(Path(file.path)).numbers
            assert all(two == one + 1 for one, two in pairwise(numbers))
            assert file.frames == len(numbers)
        assert files[1].lost_before == 0, "the old one recorded on"
