"""Has nodes take a recorder's old files away, as the recorder says; nothing goes that is not in the audit log."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Final, cast

import structlog

from db.models import Recorder
from db.repositories.leader import Fence
from db.store import Store
from supervisor.agent.old_recordings import ENDING, OldRecording, RecordingsRule
from supervisor.agent.tidying import MOST_SPARED, CanTidy, RecordingsOrder
from supervisor.clock import Clock
from supervisor.history import History
from supervisor.principal import SYSTEM

log = structlog.get_logger(__name__)

ACTION: Final = "recording.take_away"
_STORE_S: Final = 5.0
_STEPS: Final = 20
"""Of some files each in one round; the next round goes on."""


class OldRecordings:
    """Of one recorder on one node at a time."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        fence: Callable[[], Fence | None],
        history: History,
    ) -> None:
        self._store = store
        self._clock = clock
        self._fence = fence
        self._history = history
        self._stuck: dict[tuple[str, str], set[str]] = {}
        """By recorder and node."""

    async def nodes_of(self, recorder: Recorder) -> frozenset[str]:
        """Where it recorded, as the log has it, and where it records. Raises StoreError."""
        async with self._store.read(timeout=_STORE_S) as tx:
            runs = await tx.as_run.runs(recorder.id)
        return frozenset({run.node_id for run in runs} | ({recorder.node_id} if recorder.node_id else set()))

    async def round(self, recorder_id: str, node_id: str, agent: CanTidy) -> int:
        """How many files went from there. Raises StoreError and what the agent raises.

        Recorder and what is in use are read before every step: whoever has them kept meanwhile is heard.
        """
        more = set(self._stuck.get((recorder_id, node_id), ()))
        recorder, gone = None, list[OldRecording]()
        try:
            for _ in range(_STEPS):
                recorder, used = await self._read(recorder_id)
                fence = self._fence()
                if fence is None or not (recorder.keep_days or recorder.keep_gib):
                    break
                spared = used | more
                if len(spared) > MOST_SPARED:
                    log.warning("old recordings stay: too many of them are in use", recorder=recorder.id)
                    break
                order = RecordingsOrder(fence.term, recorder.id, self._clock.now(), _rule(recorder, spared))
                found = await agent.drop_recordings(order)
                if not found.due:
                    break
                others = await self._as_large(found.due)
                if not others <= spared:
                    more |= others
                    continue
                went, stuck = await self._take(recorder, node_id, agent, fence, order, found.due)
                gone += went
                if stuck:
                    more |= stuck
                    self._stuck.setdefault((recorder.id, node_id), set()).update(stuck)
                elif found.is_all:
                    break
        finally:
            if recorder is not None:
                self._tell(recorder, node_id, gone)
        return len(gone)

    async def _take(
        self, recorder: Recorder, node_id: str, agent: CanTidy, fence: Fence, order: RecordingsOrder,
        due: Sequence[OldRecording],
    ) -> tuple[list[OldRecording], set[str]]:  # fmt: skip
        """What went, and what its disk does not let go. Written down first: of an answer that is lost, and of a
        supervisor that ends, the log must not lack it."""
        detail: dict[str, object] = {
            "node_id": node_id,
            "keep_days": recorder.keep_days,
            "keep_gib": recorder.keep_gib,
            "files": [{"path": file.path, "bytes": file.bytes, "why": file.why} for file in due],
        }
        if not await self._write_down(recorder, fence, "done", detail):
            return [], set()
        chosen = frozenset(file.path for file in due)
        answer = await agent.drop_recordings(
            RecordingsOrder(order.term, order.recorder_id, self._clock.now(), order.rule, tuple(chosen))
        )
        went = [file for file in answer.due if file.path in chosen]
        stuck = set(answer.stuck) & chosen
        if stuck:
            text = (
                "its node's disk does not let these go, which were to: they are not tried again before the next start"
            )
            await self._correct(recorder, node_id, fence, text, stuck)
        stayed = chosen - stuck - {file.path for file in went}
        if stayed:
            text = "these were changed just before they were to go, or are others by now: they stay"
            await self._correct(recorder, node_id, fence, text, stayed)
        return went, stuck

    async def _correct(self, recorder: Recorder, node_id: str, fence: Fence, why: str, files: Iterable[str]) -> None:
        """What was written down to go and did not."""
        names = sorted(files)
        log.warning(why, recorder=recorder.name, node=node_id, files=names)
        await self._write_down(recorder, fence, "failed", {"node_id": node_id, "why": why, "files": names})

    async def _write_down(self, recorder: Recorder, fence: Fence, outcome: str, detail: dict[str, object]) -> bool:
        """False, and nothing is: the recorder keeps its files for another time by now, so that none may go."""
        async with self._store.write(timeout=_STORE_S) as tx:
            await tx.leader.require(fence)
            if outcome == "done" and _keeps(await tx.recorders.get(recorder.id)) != _keeps(recorder):
                return False
            await tx.audit.add(
                self._clock.now(), SYSTEM.name, SYSTEM.origin, ACTION, f"recorder:{recorder.id}", outcome, detail
            )
        return True

    async def _read(self, recorder_id: str) -> tuple[Recorder, set[str]]:
        """The recorder, and paths of what is in use: of assets that say that they are this recorder's, and of all that
        channels name, which may be links to its files. As the store has it now: what a supervisor remembers is old, and
        nothing yet, as it begins to lead."""
        below = f"/recordings/{recorder_id}/"
        async with self._store.read(timeout=_STORE_S) as tx:
            recorder = await tx.recorders.get(recorder_id)
            spared = set(await tx.assets.paths_with(below, MOST_SPARED + 1))
            channels = await tx.channels.list()
        for channel in channels:
            spared.update(text for text in _texts(channel.playout) if below in text or _is_video(text))
        return recorder, spared

    async def _as_large(self, due: Sequence[OldRecording]) -> set[str]:
        """Paths of assets of these sizes, by whatever path they are reached: their node finds out whether they are the
        same files."""
        async with self._store.read(timeout=_STORE_S) as tx:
            return set(await tx.assets.paths_of_size({file.bytes for file in due}, MOST_SPARED + 1))

    def _tell(self, recorder: Recorder, node_id: str, gone: Sequence[OldRecording]) -> None:
        if not gone:
            return
        size = sum(file.bytes for file in gone)
        why = " and ".join(
            words
            for reason, words in (
                ("age", f"older than {recorder.keep_days} days"),
                ("room", f"beyond {recorder.keep_gib} GiB"),
            )
            if any(file.why == reason for file in gone)
        )
        what = "1 recording" if len(gone) == 1 else f"{len(gone)} recordings"
        was = "was" if len(gone) == 1 else "were"
        text = f"{what} of {recorder.name} {was} taken away ({size / (1 << 30):.1f} GiB): {why}"
        self._history.recordings_went(recorder.id, node_id, text, {"files": len(gone), "bytes": size})


def _rule(recorder: Recorder, spared: Iterable[str]) -> RecordingsRule:
    return RecordingsRule(
        timedelta(days=recorder.keep_days).total_seconds() if recorder.keep_days else None,
        recorder.keep_gib << 30 if recorder.keep_gib else None,
        tuple(sorted(spared)),
    )


def _keeps(recorder: Recorder) -> tuple[int, int]:
    return recorder.keep_days, recorder.keep_gib


def _is_video(text: str) -> bool:
    return text.startswith("/") and text.endswith(ENDING)


def _texts(value: object) -> Iterable[str]:
    """Every text in a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in cast("dict[str, object]", value).values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from _texts(inner)
