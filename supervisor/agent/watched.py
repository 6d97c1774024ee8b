"""One sidecar under the agent's eyes."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from sidecar.protocol.status import Status
from supervisor.agent.door import Door
from supervisor.agent.interface import Exit, SidecarReport
from supervisor.agent.launcher import Identity
from supervisor.agent.memory import Handle

_TAIL: Final = 4096
_WORDS: Final = 240


class _Logged(msgspec.Struct):
    """What is read of a line of a sidecar's log."""

    event: str
    exception: str = ""


@dataclass(slots=True)
class Watched:
    """What is known of one sidecar. ``exit`` is set once and for all when its process is gone.

    ``answers_as`` is the pid that it wrote beside its port: inside a container, not the one that the machine counts.
    """

    handle: Handle
    process: Identity
    door: Door | None = None
    answers_as: int | None = None
    run_id: str | None = None
    exit: Exit | None = None
    polls: int = 0
    answers: int = 0
    status: Status | None = None
    answered_at: float | None = None
    round_trip_ms: int | None = None
    fault: str = "it has not opened its door yet"
    looked: bool = False
    stamp: int | None = None
    stamp_seen_at: float | None = None
    linked: set[str] = field(default_factory=set[str])
    told: Status | None = None
    """What it told last with a command's answer."""
    apart_until: float = 0.0
    """Until then, monotonic, a drill keeps it apart: it is not spoken to."""

    @property
    def key(self) -> tuple[str, int]:
        return self.handle.channel_id, self.handle.epoch

    @property
    def state_dir(self) -> Path:
        return Path(self.handle.state_dir)

    def missed(self, why: str) -> None:
        """A poll that was not answered well."""
        self.polls += 1
        self.fault = why

    def answered(self, status: Status, now: float, took: float) -> None:
        """A poll that was. ``now`` is when the answer came, ``took`` its round trip; seconds, monotonic."""
        self.polls += 1
        self.answers += 1
        self._know(status, now)
        self.round_trip_ms = round(took * 1000)
        self.fault = ""

    def heard(self, status: Status, now: float) -> None:
        """What it told with a command's answer, at ``now``; no poll."""
        if self.told is None or not status.is_before(self.told):
            self.told = status
        self._know(status, now)

    def _know(self, status: Status, now: float) -> None:
        """Answers may overtake each other."""
        if self.told is None or not status.is_before(self.told):
            self.status = status
        self.answered_at = now

    def witness(self, stamp: int | None, now: float) -> None:
        """The media playlists' stamp as just read. Only changes that we saw ourselves count, on our own clock."""
        if self.looked and stamp is not None and stamp != self.stamp:
            self.stamp_seen_at = now
        self.looked, self.stamp = True, stamp

    def report(self, now: float) -> SidecarReport:
        return SidecarReport(
            channel_id=self.handle.channel_id,
            epoch=self.handle.epoch,
            pid=self.process.pid,
            exit=self.exit,
            polls=self.polls,
            answers=self.answers,
            status=self.status,
            age_s=None if self.answered_at is None else now - self.answered_at,
            round_trip_ms=self.round_trip_ms,
            fault=self.fault,
            output_age_s=None if self.stamp_seen_at is None else now - self.stamp_seen_at,
        )


def last_words(log: Path) -> str:
    """The last line of a log that says anything, fit for a line of text; empty when there is none. Blocks.

    Of a sidecar's own lines, which are JSON, what happened and the error itself: people read it.
    """
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL))
            tail = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    said = [line.strip() for line in tail.splitlines() if line.strip()]
    if not said:
        return ""
    return "".join(letter if letter.isprintable() else "·" for letter in _in_words(said[-1]))[:_WORDS]


def _in_words(line: str) -> str:
    try:
        told = msgspec.json.decode(line, type=_Logged)
    except (msgspec.MsgspecError, UnicodeEncodeError):  # the latter for half of a character pair
        return line
    error = told.exception.strip().rpartition("\n")[2]
    return f"{told.event}: {error}" if error else told.event
