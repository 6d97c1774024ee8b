"""Asking ``python -m sidecar probe`` what files hold, many a process, without ever waiting for one that hangs."""

import asyncio
import contextlib
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import structlog

from sidecar.protocol.probe import Probe

PATHS_A_PROCESS: Final = 24
PROCESSES: Final = 2
FILE_S: Final = 20.0
"""Seconds that one file may take before its process is killed."""
_LINE_LIMIT: Final = 1024 * 1024

_log = structlog.get_logger(__name__)
_decoder = msgspec.json.Decoder(Probe)


@dataclass(frozen=True, slots=True)
class _Blame:
    """Why a file was not answered for; ``passes``: for want of time."""

    why: str
    passes: bool = False


class Prober:
    """At most ``PROCESSES`` probes at once, whoever asks."""

    def __init__(self, file_s: float = FILE_S) -> None:
        self._file_s: Final = file_s
        self._free = asyncio.Semaphore(PROCESSES)

    async def probe(self, paths: Sequence[Path]) -> tuple[Probe, ...]:
        """One answer a path, in order: a file that hangs or crashes its process is refused with that as the reason."""
        batches = [paths[start : start + PATHS_A_PROCESS] for start in range(0, len(paths), PATHS_A_PROCESS)]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._batch(batch)) for batch in batches]
        return tuple(answer for task in tasks for answer in task.result())

    async def _batch(self, paths: Sequence[Path]) -> list[Probe]:
        waiting = deque(str(path) for path in paths)
        answers: list[Probe] = []
        while waiting:
            async with self._free:
                blame = await self._process(waiting, answers.append)
            if waiting:
                path = waiting.popleft()
                _log.warning("probe failed", path=path, why=blame.why)
                answers.append(Probe(path=path, verdict="refused", refusal=blame.why, passes=blame.passes))
        return answers

    async def _process(self, waiting: deque[str], answered: Callable[[Probe], None]) -> _Blame:
        """Takes what one process answers off ``waiting``; says why the first that is left was not answered."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # what lies in the current directory is not imported in place of the program
            "-m",
            "sidecar",
            "probe",
            *waiting,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_LINE_LIMIT,
        )
        assert process.stdout is not None
        try:
            while waiting:
                async with asyncio.timeout(self._file_s):
                    line = await process.stdout.readline()
                if not line:
                    code = await asyncio.wait_for(process.wait(), self._file_s)
                    return _Blame(f"reading it ended the probe (code {code})")
                answer = _decoder.decode(line)
                if answer.path != waiting[0]:
                    return _Blame(f"the probe answered for {answer.path!r} instead")
                waiting.popleft()
                answered(answer)
        except TimeoutError:
            return _Blame(f"it could not be read within {self._file_s:.0f} s", passes=True)
        except (msgspec.MsgspecError, ValueError) as error:
            return _Blame(f"the probe answered what cannot be read: {error}")
        finally:
            await end_process(process)
        return _Blame("")


async def end_process(process: asyncio.subprocess.Process) -> None:
    """Kills it. A process that is stuck in a read of a dead disk cannot even be killed; it is left behind then."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    try:
        await asyncio.wait_for(process.wait(), 2.0)
    except TimeoutError:
        _log.warning("a probe that was killed has not ended yet", pid=process.pid)
