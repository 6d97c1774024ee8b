"""A thread beside the programme's encoder that begins its own encode anew after a failure."""

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Final, Generic, TypeVar

log = logging.getLogger(__name__)

Job = TypeVar("Job")

REST_AFTER_FAILURE_S: Final = 5.0


class EncodeAgain(Generic[Job]):
    """``put`` never waits; who puts asks ``waiting`` first, for nothing else bounds the queue.

    ``fault``: why nothing comes of it now, empty while something does.
    """

    def __init__(
        self,
        encode: Callable[[Iterator[Job]], None],
        *,
        name: str,
        what: str,
        forget: Callable[[Job], None] = lambda _: None,
    ) -> None:
        """``encode`` opens an encoder and takes jobs until they end; it may raise, and is called anew after a rest.
        ``forget`` is told of every job that waited while there was no encoder. Both in this thread. ``what`` fails, in
        the log's words."""
        self._encode = encode
        self._what = what
        self._forget = forget
        self._queue: queue.SimpleQueue[tuple[Job] | None] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.fault = ""

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    def start(self) -> None:
        self._thread.start()

    def put(self, job: Job) -> None:
        self._queue.put((job,))

    def came(self) -> None:
        """Something came of it."""
        self.fault = ""

    def close(self) -> None:
        """What waits is still encoded, where there is an encoder."""
        self._closed.set()
        self._queue.put(None)

    def join(self, timeout: float) -> bool:
        if self._thread.ident is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            try:
                self._encode(self._jobs())
            except Exception as error:  # the programme and all others play on, and this one comes back
                log.exception("%s failed", self._what)
                self.fault = f"{error}; trying again in {REST_AFTER_FAILURE_S:.0f} s"
                if self._closed.wait(REST_AFTER_FAILURE_S):
                    return
                self._forget_what_waits()
            else:
                return

    def _jobs(self) -> Iterator[Job]:
        while (taken := self._queue.get()) is not None:
            yield taken[0]

    def _forget_what_waits(self) -> None:
        """What waited while there was no encoder would come in a burst, too late."""
        while True:
            try:
                taken = self._queue.get_nowait()
            except queue.Empty:
                return
            if taken is None:
                self._queue.put(None)
                return
            self._forget(taken[0])
