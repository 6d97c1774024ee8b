"""Commands on their way to the playout thread, and their answers on the way back."""

import logging
import queue
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from sidecar.engine.pacing import PlayoutTime
from sidecar.rundown.clock import Done, Refused, RundownClock
from sidecar.rundown.model import Airing

log = logging.getLogger(__name__)

MOST_WAITING = 64


@dataclass(frozen=True, slots=True)
class Applied:
    """A command that was done. ``frame`` is the output frame that first shows it, None where there is no picture
    to wait for. ``took_ms``: from ``put`` to the hand-over of that frame to the encoder."""

    sentence: str
    frame: int | None
    took_ms: float
    item_id: str | None


class CommandQueueFull(Exception):
    """More commands wait than the playout takes in a frame's time; nothing was done."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    act: Callable[[RundownClock], Done]
    answer: "Future[Applied]"
    arrived_ns: int


class CommandQueue:
    """``put`` is for any thread; the rest is the playout thread's."""

    def __init__(self, time: PlayoutTime) -> None:
        self._time = time
        self._queue: queue.SimpleQueue[_Waiting] = queue.SimpleQueue()
        self._unshown: list[tuple[_Waiting, Done]] = []
        self._untold: list[tuple[_Waiting, Applied]] = []

    def put(self, act: Callable[[RundownClock], Done]) -> "Future[Applied]":
        """Raises CommandQueueFull."""
        if self._queue.qsize() >= MOST_WAITING:
            raise CommandQueueFull(f"{MOST_WAITING} commands wait already")
        answer: Future[Applied] = Future()
        self._queue.put(_Waiting(act, answer, self._time.monotonic_ns()))
        return answer

    def apply(self, rundown: RundownClock) -> None:
        """Does what waits, in order. A command whose asker gave up before is left out."""
        self.tell()
        while True:
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                return
            if waiting.answer.set_running_or_notify_cancel():
                self._apply_one(waiting, rundown)

    def _apply_one(self, waiting: _Waiting, rundown: RundownClock) -> None:
        try:
            done = waiting.act(rundown)
        except Refused as refused:
            waiting.answer.set_exception(refused)
        except Exception as error:  # a defect in one command is that command's answer, and not the end of the air
            log.exception("a command failed")
            waiting.answer.set_exception(error)
        else:
            if done.shows:
                self._unshown.append((waiting, done))
            else:
                self._note(waiting, done, None)

    @property
    def is_shown_soon(self) -> bool:
        """Something was applied whose effect no frame has shown yet."""
        return bool(self._unshown)

    def shown(self, frame: int) -> None:
        """Output frame ``frame`` was handed to the encoder: it shows whatever was applied before it."""
        if self._unshown:
            for waiting, done in self._unshown:
                self._note(waiting, done, frame)
            self._unshown.clear()

    def tell(self) -> None:
        """Answers what was done. To be called once the status shows it: who asks again at once finds it done."""
        told, self._untold = self._untold, []
        for waiting, applied in told:
            waiting.answer.set_result(applied)

    def refuse(self, airing: Airing, why: str) -> None:
        """The cut to it that was ordered will not be made."""
        for waiting, done in [one for one in self._unshown if one[1].airing is airing]:
            self._unshown.remove((waiting, done))
            waiting.answer.set_exception(Refused("target_not_ready", f"{airing.item.title or airing.item.id}: {why}"))

    def close(self) -> None:
        """Nothing will be shown any more."""
        self.tell()
        while True:
            try:
                self._queue.get_nowait().answer.cancel()
            except queue.Empty:
                break
        for waiting, _ in self._unshown:
            waiting.answer.set_exception(Refused("not_armed", "the channel left the air before this was shown"))
        self._unshown.clear()

    def _note(self, waiting: _Waiting, done: Done, frame: int | None) -> None:
        took_ms = (self._time.monotonic_ns() - waiting.arrived_ns) / 1_000_000
        item_id = done.airing.item.id if done.airing is not None else None
        self._untold.append((waiting, Applied(done.sentence, frame, round(took_ms, 2), item_id)))
