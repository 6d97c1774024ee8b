"""The faults of a soak: which comes when is drawn from a seed, and each is made on the real process."""

import asyncio
import contextlib
import os
import random
import signal
import sqlite3
from dataclasses import asdict, dataclass

from bench.soak_station import CHANNELS, REMOTE, STEADY, Station
from tests.e2e.supervisor_process import eventually
from tests.fixtures.machines import Machine

EARLY = (
    "sidecar_killed", "sidecar_killed", "sidecar_frozen", "supervisor_killed", "supervisor_restarted",
    "supervisor_frozen", "agent_killed", "agent_frozen", "node_killed", "database_locked", "consoles_come",
)  # fmt: skip
LATE = (
    "sidecar_killed", "sidecar_killed", "sidecar_frozen", "supervisor_frozen", "agent_frozen", "database_locked",
    "consoles_come",
)  # fmt: skip
"""Once memory is judged, supervisor, agent and the steady channel's sidecar live on: what is ended leaks nothing."""

SHARE_OF_EARLY = 0.4


@dataclass(frozen=True)
class Fault:
    """``channel`` is whose sidecar it is, ``seconds`` how long what is frozen or locked stays so."""

    kind: str
    channel: str
    seconds: float

    @property
    def ends_sidecar_of(self) -> str:
        """The channel that must go on by another sidecar; empty where none must."""
        return {"sidecar_killed": self.channel, "sidecar_frozen": self.channel, "node_killed": REMOTE}.get(
            self.kind, ""
        )

    def told(self) -> dict[str, object]:
        return asdict(self)


def draw(seed: int, number: int, share: float) -> Fault:
    """The fault of that number, ``share`` of the whole soak after its beginning. Pure."""
    dice = random.Random(f"{seed} {number}")
    late = share >= SHARE_OF_EARLY
    kind = dice.choice(LATE if late else EARLY)
    channel = dice.choice([name for name in CHANNELS if not late or name != STEADY])
    return Fault(kind, channel, round(dice.uniform(2.0, 8.0), 1))


async def make(fault: Fault, station: Station) -> None:
    """Returns when the fault is over; what recovers from it does so afterwards."""
    supervisor, agent = station.supervisor, station.agent
    match fault.kind:
        case "sidecar_killed":
            _signal(station.sidecar_of(fault.channel), signal.SIGKILL)
        case "sidecar_frozen":
            pid = station.sidecar_of(fault.channel)
            _signal(pid, signal.SIGSTOP)
            await asyncio.sleep(fault.seconds + 6)
            _signal(pid, signal.SIGCONT)  # of whom, as it should be, nobody is left
        case "supervisor_killed":
            supervisor.kill()
            await asyncio.sleep(fault.seconds)
            supervisor.start()
        case "supervisor_restarted":
            supervisor.send(signal.SIGTERM)
            await eventually(lambda: _ended(supervisor), "the supervisor ends", 20)
            supervisor.start()
        case "supervisor_frozen":
            supervisor.freeze()
            await asyncio.sleep(fault.seconds)
            supervisor.thaw()
        case "agent_killed":
            agent.kill()
            await asyncio.sleep(fault.seconds)
            agent.start()
        case "node_killed":
            agent.lose()
            await asyncio.sleep(fault.seconds)
            agent.start()
        case "agent_frozen":
            agent.freeze()
            await asyncio.sleep(fault.seconds)
            agent.thaw()
        case "database_locked":
            with contextlib.closing(sqlite3.connect(station.database, timeout=10, isolation_level=None)) as store:
                store.execute("BEGIN IMMEDIATE")
                await asyncio.sleep(fault.seconds)
                store.execute("ROLLBACK")
        case _:
            return  # made by who knows the clients


async def _ended(machine: Machine) -> bool:
    return not machine.runs


def _signal(pid: int | None, number: signal.Signals) -> None:
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
