"""``python -m bench soak --hours 2``: real channels for hours, a fault every minute, and what grows meanwhile.

Everything is written down as it comes, in ``bench/work/soak.jsonl``: a soak that was broken off goes on where it was.
``bench/results/soak.json`` is written anew after every proof. Exit code 1 when something is not as it should be.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench import soak_judge
from bench.record import keep
from bench.soak_clients import Clients
from bench.soak_faults import Fault, draw, make
from bench.soak_station import CHANNELS, STEADY, Station, measured, station
from mcr_console.client import Client, ClientError
from tests.e2e.supervisor_process import eventually

HOURS = 2.0
SEED = 7
SAMPLE_S, FAULT_S, PROOF_S = 10.0, 60.0, 600.0
BACK_S = 120.0
"""Long: a machine that does other work starts a supervisor in half a minute. How long it was is in the result."""
_CROWD = 12
_CALM_S = 20.0
"""After the last fault, before the last proof."""
LINES = Path(__file__).parent / "work" / "soak.jsonl"


class Soak:
    """``run`` once; ``lines`` is what was written down, earlier lives included."""

    def __init__(self, path: Path, hours: float, seed: int) -> None:
        self._path = path
        self.lines: list[soak_judge.Line] = []
        if path.exists():
            kept = [json.loads(line) for line in path.read_text().splitlines()]
            if kept and kept[0]["hours"] == hours and kept[0]["seed"] == seed and kept[-1]["what"] != "end":
                self.lines = kept
        if not self.lines:
            path.parent.mkdir(exist_ok=True)
            path.unlink(missing_ok=True)
            self.write("begin", hours=hours, seed=seed, began=datetime.now(UTC).isoformat())
        self._hours, self._seed = hours, seed
        self._since = datetime.fromisoformat(self.lines[0]["began"])
        self._earlier = max((line["s"] for line in self.lines if line["what"] == "sample"), default=0.0)
        self._number = sum(line["what"] == "fault" for line in self.lines)
        self._life = f"{time.time():.0f}"
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return self._earlier + time.monotonic() - self._began

    @property
    def is_new(self) -> bool:
        return len(self.lines) == 1

    def write(self, what: str, **values: object) -> None:
        line = {"what": what, **values}
        self.lines.append(line)
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    async def run(self, made: Station) -> list[str]:
        async with made.client() as client:
            await made.begin(client)
            self._began = time.monotonic()
            clients = Clients(made, self._seed)
            others = [asyncio.create_task(clients.run()), asyncio.create_task(self._sample(made, client))]
            faults = asyncio.create_task(self._faults(made, client, clients))
            try:
                while not faults.done():
                    await asyncio.wait({faults, *others}, timeout=PROOF_S, return_when=asyncio.FIRST_COMPLETED)
                    for task in others:
                        if task.done():
                            task.result()
                    self.write("clients", life=self._life, counts=dict(clients.counts))
                    await self._prove(made, client)
                    self.publish()
                faults.result()
                await asyncio.sleep(_CALM_S)
                await self._prove(made, client)
            finally:
                for task in (faults, *others):
                    task.cancel()
                await asyncio.gather(faults, *others, return_exceptions=True)
            self.write("clients", life=self._life, counts=dict(clients.counts))
            self.write("end", s=self.seconds)
            return self.publish()

    async def _faults(self, made: Station, client: Client, clients: Clients) -> None:
        whole = self._hours * 3600
        while self.seconds < whole:
            due = (self._number + 1) * FAULT_S
            if due >= whole:
                await asyncio.sleep(max(0.0, whole - self.seconds))
                return
            await asyncio.sleep(max(0.0, due - self.seconds))
            fault = draw(self._seed, self._number, self.seconds / whole)
            at, before = self.seconds, await _epochs(client)
            await (clients.crowd(_CROWD) if fault.kind == "consoles_come" else make(fault, made))
            over = time.monotonic()
            newer = made.channel_ids[victim] if (victim := fault.ends_sidecar_of) else ""
            back, why = await self._back(made, client, over, newer, before.get(newer, 0))
            self._number += 1
            self.write("fault", number=self._number, s=round(at, 1), **fault.told(), back_s=back, why=why)
            print(f"{datetime.now(UTC):%X} fault {self._number}: {_said(fault)}: {why or f'{back} s'}", file=sys.stderr)

    async def _back(
        self, made: Station, client: Client, over: float, newer: str, epoch: int
    ) -> tuple[float | None, str]:
        """Seconds from the fault's end until every channel is on air by the supervisor's word.

        ``newer`` is the one whose sidecar was ended: it must be on air by another, of an epoch above ``epoch``.
        """

        async def back() -> bool:
            return (not newer or (await client.channel(newer)).live.epoch > epoch) and await made.all_on_air(client)

        try:
            await asyncio.sleep(0.5)  # what is ended counts as on air until somebody has looked
            await eventually(back, "every channel on air", BACK_S)
            return round(time.monotonic() - over, 2), ""
        except TimeoutError as error:
            with contextlib.suppress(ClientError):
                seen = [f"{c.name} {c.live.phase} {c.live.observed}" for c in await client.channels()]
                return None, f"{error}; {', '.join(seen)}"
            return None, str(error)

    async def _sample(self, made: Station, client: Client) -> None:
        while True:
            await asyncio.sleep(SAMPLE_S - time.monotonic() % SAMPLE_S)
            lag = 0.0
            with contextlib.suppress(ClientError):
                lag = (await client.supervisor()).loop_lag_ms
            processes: dict[str, dict[str, int]] = {}
            for name, pid in _processes(made).items():
                with contextlib.suppress(OSError, KeyError):
                    processes[name] = measured(pid)
            self.write(
                "sample", s=round(self.seconds, 1), processes=processes, lag_ms=lag, hz=os.sysconf("SC_CLK_TCK"),
                load=round(os.getloadavg()[0], 1),
                database=made.database.stat().st_size // 1024,
            )  # fmt: skip

    async def _prove(self, made: Station, client: Client) -> None:
        for name in CHANNELS:
            try:
                proof = await client.verify_asrun(made.channel_ids[name], since=self._since, until=datetime.now(UTC))
            except ClientError as error:
                print(f"the log of {name} is not proven now: {error}", file=sys.stderr)
                continue
            on_disk = made.journal_lines(name)
            try:
                await eventually(partial(_stored, made, name, on_disk), "collected", 20)
                missing = 0
            except TimeoutError:
                missing = len(set(on_disk) - made.stored_lines(name))
            self.write(
                "proof", s=round(self.seconds, 1), channel=name, holds=proof.holds, sentence=proof.sentence,
                span=proof.span_frames, aired=proof.aired_frames + proof.filler_frames, off_air=proof.off_air_frames,
                unaccounted=proof.unaccounted_frames, twice=proof.twice_frames, inferred=proof.inferred_frames,
                runs=proof.runs, records=proof.records, faulty=proof.faulty, faults=proof.faults[:10],
                on_disk=len(on_disk), not_stored=missing,
            )  # fmt: skip
            print(f"{datetime.now(UTC):%X} {name}: {proof.sentence}", file=sys.stderr)

    def publish(self) -> list[str]:
        figures, wrong = soak_judge.figures(self.lines, self._hours)
        figures["wrong"] = len(wrong)
        samples = [line for line in self.lines if line["what"] != "begin"]
        keep("soak", figures=figures, samples={"seed": self._seed, "wrong": wrong, "lines": _thinned(samples)})
        return wrong


async def _epochs(client: Client) -> dict[str, int]:
    """Of every channel; empty while the supervisor does not answer."""
    with contextlib.suppress(ClientError):
        return {channel.id: channel.live.epoch for channel in await client.channels()}
    return {}


def _said(fault: Fault) -> str:
    return f"{fault.kind} ({fault.channel}, {fault.seconds} s)"


def _processes(made: Station) -> dict[str, int]:
    """What is sampled, by a name of its own."""
    found = {"supervisor": made.supervisor.pid, "agent": made.agent.pid}
    for name in CHANNELS:
        pid = made.sidecar_of(name)
        if pid is not None:
            found["steady" if name == STEADY else name] = pid
    for machine in (made.supervisor, made.agent):
        others = sorted(set(machine.sidecars()) - set(found.values()))
        found |= {f"spare {machine.host} {number}": pid for number, pid in enumerate(others)}
    return found


async def _stored(made: Station, name: str, lines: list[str]) -> bool:
    return set(lines) <= made.stored_lines(name)


def _thinned(lines: list[soak_judge.Line]) -> list[soak_judge.Line]:
    """Every sixth sample, and all the rest: a result is to be read."""
    samples = [line for line in lines if line["what"] == "sample"]
    kept = {id(line) for line in samples[::6]}
    return [line for line in lines if line["what"] != "sample" or id(line) in kept]


def measure(hours: float = HOURS, seed: int = SEED) -> int:
    """The exit code."""
    soak = Soak(LINES, hours, seed)
    name = hashlib.sha256(str(LINES.resolve()).encode()).hexdigest()[:8]
    folder = Path(tempfile.gettempdir()) / f"mcrsoak-{name}"
    if soak.is_new:
        shutil.rmtree(folder, ignore_errors=True)
    with station(folder) as made:
        wrong = asyncio.run(soak.run(made))
    for sentence in wrong:
        print(f"soak: {sentence}", file=sys.stderr)
    return 1 if wrong else 0
