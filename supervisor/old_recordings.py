"""Has nodes take a recorder's old files away, as the recorder says; nothing goes that is not in the audit log."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Final, cast

import structlog

from db.models import Channel, Recorder
from db.repositories.leader import Fence
from db.store import Store
from supervisor.agent.old_recordings import OldRecording, RecordingsRule
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
        channels: Callable[[], Iterable[Channel]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._fence = fence
        self._history = history
        self._channels = channels

    async def nodes_of(self, recorder: Recorder) -> frozenset[str]:
        """Where it recorded, as the log has it, and where it records. Raises StoreError."""
        async with self._store.read(timeout=_STORE_S) as tx:
            runs = await tx.as_run.runs(recorder.id)
        return frozenset({run.node_id for run in runs} | ({recorder.node_id} if recorder.node_id else set()))

    async def round(self, recorder: Recorder, node_id: str, agent: CanTidy) -> int:
        """How many files went from there. Raises StoreError and what the agent raises."""
        if not recorder.keep_days and not recorder.keep_gib:
            return 0
        rule = await self._rule(recorder)
        if rule is None:
            return 0
        gone: list[OldRecording] = []
        try:
            for _ in range(_STEPS):
                fence = self._fence()
                if fence is None:
                    break
                order = RecordingsOrder(fence.term, recorder.id, self._clock.now(), rule)
                found = await agent.drop_recordings(order)
                if not found.due:
                    break
                gone += await self._take(recorder, node_id, agent, fence, order, found.due)
                if found.is_all:
                    break
        finally:
            self._tell(recorder, node_id, gone)
        return len(gone)

    async def _take(
        self, recorder: Recorder, node_id: str, agent: CanTidy, fence: Fence, order: RecordingsOrder,
        due: Sequence[OldRecording],
    ) -> list[OldRecording]:  # fmt: skip
        """Written down first: of an answer that is lost, and of a supervisor that ends, the log must not lack it."""
        detail: dict[str, object] = {
            "node_id": node_id,
            "keep_days": recorder.keep_days,
            "keep_gib": recorder.keep_gib,
            "files": [{"path": file.path, "bytes": file.bytes, "why": file.why} for file in due],
        }
        async with self._store.write(timeout=_STORE_S) as tx:
            await tx.leader.require(fence)
            await tx.audit.add(
                self._clock.now(), SYSTEM.name, SYSTEM.origin, ACTION, f"recorder:{recorder.id}", "done", detail
            )
        chosen = frozenset(file.path for file in due)
        answer = await agent.drop_recordings(
            RecordingsOrder(order.term, order.recorder_id, self._clock.now(), order.rule, tuple(chosen))
        )
        return [file for file in answer.due if file.path in chosen]

    async def _rule(self, recorder: Recorder) -> RecordingsRule | None:
        """None where it is not known what is to be spared."""
        below = f"/recordings/{recorder.id}/"
        async with self._store.read(timeout=_STORE_S) as tx:
            spared = list(await tx.assets.paths_with(below, MOST_SPARED + 1))
        for channel in self._channels():
            spared += (text for text in _texts(channel.playout) if below in text)
        if len(spared) > MOST_SPARED:
            log.warning("old recordings stay: too many of them are assets", recorder=recorder.id, assets=len(spared))
            return None
        return RecordingsRule(
            timedelta(days=recorder.keep_days).total_seconds() if recorder.keep_days else None,
            recorder.keep_gib << 30 if recorder.keep_gib else None,
            tuple(spared),
        )

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
