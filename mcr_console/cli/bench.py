"""``mcr bench``: how many channels this machine carries. Starts one after another, and ends all of them."""

import asyncio
import contextlib
import json
import os
import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from mcr_console.cli.background import listener_pid
from mcr_console.cli.capacity import Step, judge, sentences
from mcr_console.cli.commands import AsJson
from mcr_console.cli.demo.clips import make_clips
from mcr_console.cli.demo.command import demo_home
from mcr_console.cli.demo.keeper import Keeper
from mcr_console.cli.demo.leash import Leash
from mcr_console.cli.demo.lineup import MOST, Lineup, is_unchanged
from mcr_console.cli.failures import Exit
from mcr_console.cli.places import Home
from mcr_console.cli.playing import playing
from mcr_console.cli.progress import Progress, poll
from mcr_console.cli.signals import run_until_signal
from mcr_console.cli.wording import is_settled_on_air
from mcr_console.client import Client
from mcr_console.http import ClientError
from supervisor.schemas.channel import Channel

ON_AIR_S: Final = 60.0
_SETTLED_S: Final = 2.0
"""The start of a process is not what is measured."""
_WHAT: Final = "1280x720, HLS with a preview"
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PSS: Final = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


def bench(
    channels: Annotated[int, typer.Option(min=1, max=MOST, help="At most so many.")] = 16,
    seconds: Annotated[float, typer.Option(min=2, max=600, help="How long each number of them is watched.")] = 8.0,
    media: Annotated[Path | None, typer.Option(help="Play this folder's files instead of the demo's clips.")] = None,
    as_json: AsJson = False,
) -> None:
    """Find out how many channels this machine carries: one more at a time, until frames are late or cores used up.

    It has a supervisor, a database and a folder of its own, which are gone at the end, however it ends.
    """
    if media is not None and not media.is_dir():
        raise typer.BadParameter(f"{media} is no folder", param_hint="--media")
    # What belongs to a real installation is not to be measured with.
    os.environ.pop("MCR_DATABASE_URL", None)
    with tempfile.TemporaryDirectory(prefix="mcrbench", dir="/tmp", ignore_cleanup_errors=True) as folder:
        home = Home(Path(folder), chosen=True)
        given = None if media is None else media.absolute()
        steps = asyncio.run(run_until_signal(_bench(home, channels, seconds, given)))
    if not steps:
        raise typer.Exit(Exit.FAILED)
    cores = os.cpu_count() or 1
    verdict = judge(steps)
    if as_json:
        told = {**asdict(verdict), "cores": cores, "steps": [asdict(step) for step in steps]}
        print(json.dumps(told, indent=2))
    else:
        print("\n".join(sentences(verdict, _WHAT if media is None else f"{_WHAT}, your clips", cores)))
    if not verdict.carried:
        raise typer.Exit(Exit.FAILED)


async def _bench(home: Home, most: int, seconds: float, media: Path | None) -> list[Step]:
    """What was measured, step by step; the last may have failed."""
    progress, leash = Progress(), Leash()
    keeper = Keeper(home, leash, lambda _: None)
    try:
        progress.step("starting supervisor")
        await keeper.start()
        folder = media or await _clips(home, leash, progress)
        async with Client.at(socket=home.socket) as client:
            await keeper.until_ready(client)
            wanted = await Lineup(client, home, folder, most, mixed=media is None).prepare(progress)
            return await _one_by_one(client, home, wanted, seconds, progress)
    finally:
        with contextlib.suppress(OSError):
            progress.step("ending what was started")
        await keeper.end()
        with contextlib.suppress(OSError):
            progress.clear()


async def _clips(home: Home, leash: Leash, progress: Progress) -> Path:
    """The demo's own, where they were made already."""
    there = demo_home(dict(os.environ))
    if is_unchanged(there, there.clips):
        return there.clips
    await make_clips(home.clips, leash, progress)
    return home.clips


async def _one_by_one(
    client: Client, home: Home, wanted: Sequence[Channel], seconds: float, progress: Progress
) -> list[Step]:
    steps: list[Step] = []
    for number, channel in enumerate(wanted, start=1):
        progress.step(f"{number} on air")
        try:
            await client.start(channel.id)
        except ClientError:  # a machine that is at its end does not always take it: what was measured still counts
            step = Step(number, seconds, on_air=False)
        else:
            step = await _step(client, home, number, seconds)
        steps.append(step)
        progress.step(f"{number} on air: {step.fault or f'{step.cores:.2f} cores, {step.late} late frames'}")
        if step.fault:
            break
    return steps


async def _step(client: Client, home: Home, number: int, seconds: float) -> Step:
    async def all_on_air() -> bool | None:
        try:
            return sum(is_settled_on_air(one.live) for one in await client.channels()) >= number or None
        except ClientError:  # a machine that is at its end does not always answer in time
            return None

    if not await poll(all_on_air, deadline_s=ON_AIR_S):
        return Step(number, seconds, on_air=False)
    await asyncio.sleep(_SETTLED_S)
    before = await _seen(client, home)
    await asyncio.sleep(seconds)
    after = await _seen(client, home)
    took = after.at - before.at
    busy, total = after.busy - before.busy, after.total - before.total
    return Step(
        number, round(took, 2), on_air=after.on_air >= number, frames=after.frames - before.frames,
        late=after.late - before.late, cores=round((after.ticks - before.ticks) / _TICKS / took, 3),
        of_cores=os.cpu_count() or 1,
        busy=round(busy / total, 3) if total else 0.0, memory_mib=round(after.memory_mib, 1),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Seen:
    """At one instant: sums over all channels, and over all processes of this home."""

    at: float
    on_air: int
    frames: int
    late: int
    ticks: int
    memory_mib: float
    busy: int
    total: int


async def _seen(client: Client, home: Home) -> _Seen:
    live: list[Channel] = []

    async def answered() -> bool | None:
        try:
            live[:] = await client.channels()
        except ClientError:
            return None
        return True

    await poll(answered, deadline_s=ON_AIR_S)
    pids = [sidecar.pid for sidecar in playing(home)]
    with contextlib.suppress(OSError):
        pids.append(listener_pid(home.socket))
    processes = [_process(pid) for pid in pids]
    fields = _machine()
    return _Seen(
        at=time.monotonic(), on_air=sum(is_settled_on_air(one.live) for one in live),
        frames=sum(one.live.frame for one in live),
        late=sum(one.live.frames_late + one.live.frames_skipped for one in live),
        ticks=sum(ticks for ticks, _ in processes), memory_mib=sum(mib for _, mib in processes),
        busy=sum(fields) - fields[3] - fields[4], total=sum(fields),  # all but idle and iowait
    )  # fmt: skip


def _machine() -> list[int]:
    """Ticks of all cores together since the start of the machine, by what they went to: proc(5)."""
    return [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]


def _process(pid: int) -> tuple[int, float]:
    """Ticks of CPU and MiB of memory, its share of what is shared; nothing of one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        shared = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    except OSError:
        return 0, 0.0
    return int(fields[11]) + int(fields[12]), int(shared[1]) / 1024 if shared else 0.0
