"""A node whose sidecars are values: it obeys start, arm and stop, and its statuses go on as real ones do.

What it costs is kept small and apart, so that a supervisor of a thousand channels can be measured on one machine.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

import msgspec

from sidecar.protocol.asrun import GENESIS, AsRunRecord, chain_hash, encode_line
from sidecar.protocol.channel import Item, SidecarDocument
from sidecar.protocol.commands import CommandReply, Refusal
from sidecar.protocol.status import ItemNext, ItemOnAir, JournalStatus, Loudness, OutputStatus, Status
from supervisor.agent.interface import (
    Arm,
    EpochUsed,
    Exit,
    JournalLine,
    JournalPage,
    JournalRun,
    LeaseRound,
    MediaRootSeen,
    MediaSeen,
    NodeCondition,
    NodeReport,
    NotRunning,
    Order,
    SidecarRefused,
    SidecarReport,
    StaleEpoch,
    StaleTerm,
    StartOrder,
    StillRunning,
    StopOrder,
    Transport,
)
from supervisor.clock import Clock

RATE = 25
ITEM_FRAMES = 60 * RATE
"""Items without a length of their own last a minute: an end and a start in the as-run a minute and channel."""
TAKE_GUARD_S = 1.0
REPLIES_KEPT = 50
NS = 1_000_000_000


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass
class SimulatedSidecar:
    """One run of one channel. Times are seconds of the clock given to each call."""

    document: SidecarDocument
    epoch: int
    pid: int
    run_id: str = field(default_factory=lambda: uuid4().hex)
    armed_at: float | None = None
    armed_wall: datetime | None = None
    exit: Exit | None = None
    polls: int = 0
    answered_at: float | None = None
    status: Status | None = None
    lease_until: float | None = None
    lines: list[JournalLine] = field(default_factory=list[JournalLine])
    airing: int = 0
    started: int = 0
    """The output frame at which ``airing`` began."""
    taken_at: float | None = None
    replies: dict[str, CommandReply] = field(default_factory=dict[str, CommandReply])

    def log(self, kind: str, frame: int, wall: datetime, **more: object) -> None:
        prev = chain_hash(self.lines[-1].line) if self.lines else GENESIS
        record = AsRunRecord(
            self.document.channel_id, self.run_id, self.epoch, len(self.lines) + 1, kind, frame,  # type: ignore[arg-type]
            int(wall.timestamp() * NS), self.document.format.rate, prev, **more,  # type: ignore[arg-type]
        )  # fmt: skip
        self.lines.append(JournalLine(encode_line(record), record))

    def _item(self, airing: int) -> Item | None:
        items = self.document.playlist.items
        return items[(airing - 1) % len(items)] if items else None

    def poll(self, now: float, wall: datetime) -> None:
        """A new status, and what happened since the last one into the journal."""
        self.polls += 1
        self.answered_at = now
        frame = self._frame(now)
        if self.armed_at is not None:
            self._run_on(frame, wall)
        item = self._item(self.airing) if self.airing else None
        following = self._item(self.airing + 1)
        started = self.started
        self.status = Status(
            channel_id=self.document.channel_id, epoch=self.epoch, run_id=self.run_id, pid=self.pid,
            state="muted" if self.armed_at is None else "on_air", nonce=secrets.token_hex(8),
            rate=self.document.format.rate, frame=frame, frames_late=0, frames_skipped=0,
            picture="filler" if item is None else "item", reason="" if item else "muted",
            item=None if item is None else ItemOnAir(
                item.id, item.title, self.airing, frame - started, ITEM_FRAMES, started, _stamp(wall)
            ),
            next=None if following is None else ItemNext(
                following.id, following.title, False, True, None if not self.airing else started + ITEM_FRAMES - frame
            ),
            hold=False, playlist_revision=self.document.playlist.revision,
            after_last=self.document.playlist.after_last,
            outputs=tuple(
                OutputStatus(
                    output.id, output.kind, output.role, "up" if self.armed_at is not None else "starting", "",
                    frame * 15_000, frame, 0, segments=frame // (2 * RATE),
                )
                for output in self.document.outputs
            ),
            loudness=Loudness(-23.0, -23.0, -9.0),
            lease_left_ms=None if self.lease_until is None else int((self.lease_until - now) * 1000),
            journal=JournalStatus(self.run_id, len(self.lines), None), skipped=(), at=_stamp(wall),
        )  # fmt: skip

    def _frame(self, now: float) -> int:
        """How many frames of its clock have begun."""
        return 0 if self.armed_at is None else int((now - self.armed_at) * RATE)

    def _run_on(self, frame: int, wall: datetime) -> None:
        if not self.airing:
            self._cut(0, wall, "follow")
        while frame >= self.started + ITEM_FRAMES:
            self._cut(self.started + ITEM_FRAMES, wall, "follow")

    def _cut(self, at: int, wall: datetime, cause: str, by: str = "") -> None:
        ended, item = self._item(self.airing), self._item(self.airing + 1)
        if self.airing and ended is not None:
            self.log(
                "item_end", at, wall, cause=cause, by=by, airing=self.airing, item_id=ended.id, title=ended.title,
                frames=at - self.started,
            )  # fmt: skip
        self.airing, self.started = self.airing + 1, at
        if item is not None:
            self.log(
                "item_start", at, wall, cause=cause, by=by, airing=self.airing, item_id=item.id, title=item.title
            )  # fmt: skip

    async def take(self, order: Order, expected: str | None, clock: Clock) -> CommandReply:
        """Cuts at the next frame of its clock, and answers then: there is no picture to encode.

        A repeated id gets the first answer. Raises SidecarRefused as a real one would.
        """
        if self.armed_at is None:
            raise SidecarRefused(Refusal("Muted", 409, "not_armed", "the channel is not on air"))
        if order.command_id in self.replies:
            return self._telling(self.replies[order.command_id], clock)
        arrived = clock.monotonic()
        self._run_on(self._frame(arrived), clock.now())
        if self.taken_at is not None and arrived - self.taken_at < TAKE_GUARD_S:
            raise SidecarRefused(Refusal("Take guard", 409, "take_guard", "a second take within a second"))
        following = self._item(self.airing + 1)
        if following is None:
            raise SidecarRefused(Refusal("Nothing to take", 409, "nothing_to_take", "nothing comes next"))
        if expected is not None and following.id != expected:
            raise SidecarRefused(Refusal("Changed", 409, "target_changed", f"{following.title} would go to air"))
        self.taken_at = arrived
        at = self._frame(arrived) + 1
        await clock.sleep(max(0.0, self.armed_at + at / RATE - clock.monotonic()))
        if at < self.started + ITEM_FRAMES:  # else the item ended by itself in that very frame
            self._cut(at, clock.now(), "take", order.by)
        took = (clock.monotonic() - arrived) * 1000
        reply = CommandReply(order.command_id, order.epoch, f"on air: {following.title}", at, took, following.id)
        self.replies[order.command_id] = reply
        while len(self.replies) > REPLIES_KEPT:
            del self.replies[next(iter(self.replies))]
        return self._telling(reply, clock)

    def _telling(self, reply: CommandReply, clock: Clock) -> CommandReply:
        """With its status, as a real one answers."""
        self.poll(clock.monotonic(), clock.now())
        return msgspec.structs.replace(reply, status=self.status)

    def report(self, now: float) -> SidecarReport:
        age = None if self.answered_at is None else now - self.answered_at
        on_air = self.armed_at is not None and self.exit is None
        return SidecarReport(
            self.document.channel_id, self.epoch, self.pid, self.exit, self.polls, self.polls, self.status, age, 2, "",
            age if on_air else None,
        )  # fmt: skip


class SimulatedNode:
    """A ``NodeAgent``. ``run`` it: once a second it polls its sidecars, as an agent does."""

    def __init__(self, name: str, clock: Clock, poll: float = 1.0) -> None:
        self.name = name
        self._clock = clock
        self._poll_s = poll
        self._sidecars: dict[tuple[str, int], SimulatedSidecar] = {}
        self._highest: dict[str, int] = {}
        self._number = self._rounds = self._term = 0
        self._pid = 1000
        self._news = asyncio.Event()
        self._incarnation, self._boot = uuid4().hex, secrets.token_hex(8)

    async def run(self) -> None:
        due = self._clock.monotonic()
        while True:
            due += self._poll_s
            await self._clock.sleep(max(0.0, due - self._clock.monotonic()))
            now, wall = self._clock.monotonic(), self._clock.now()
            for sidecar in self._sidecars.values():
                if sidecar.exit is None:
                    sidecar.poll(now, wall)
            self._rounds += 1
            self._tell()

    def _tell(self) -> None:
        self._number += 1
        self._news.set()
        self._news = asyncio.Event()

    def _check_term(self, term: int) -> None:
        if term < self._term:
            raise StaleTerm(term, self._term)
        self._term = term

    def _living(self, channel_id: str, epoch: int) -> SimulatedSidecar:
        sidecar = self._sidecars.get((channel_id, epoch))
        if sidecar is None or sidecar.exit is not None:
            raise NotRunning(f"no sidecar of epoch {epoch} of channel {channel_id} runs on {self.name}")
        return sidecar

    async def start(self, order: StartOrder) -> int:
        return self._start(order, beside=False)

    async def standby(self, order: StartOrder) -> int:
        return self._start(order, beside=True)

    def _start(self, order: StartOrder, *, beside: bool) -> int:
        self._check_term(order.term)
        highest = self._highest.get(order.channel_id, 0)
        if order.epoch < highest:
            raise StaleEpoch(order.channel_id, order.epoch, highest)
        known = self._sidecars.get((order.channel_id, order.epoch))
        if known is not None:
            if known.exit is not None:
                raise EpochUsed(f"epoch {order.epoch} of channel {order.channel_id} {known.exit}")
            return known.pid
        for (channel_id, epoch), other in list(self._sidecars.items()):
            if channel_id == order.channel_id:
                if other.exit is None and not beside:
                    raise StillRunning(channel_id, epoch, other.pid)
                if other.exit is not None:
                    del self._sidecars[channel_id, epoch]
        self._highest[order.channel_id] = order.epoch
        self._pid += 1
        sidecar = SimulatedSidecar(order.document, order.epoch, self._pid)
        sidecar.log("run_start", 0, self._clock.now())
        sidecar.poll(self._clock.monotonic(), self._clock.now())
        self._sidecars[order.channel_id, order.epoch] = sidecar
        self._tell()
        return sidecar.pid

    async def stop(self, order: StopOrder) -> Exit | None:
        self._check_term(order.term)
        ended: Exit | None = None
        for (channel_id, epoch), sidecar in self._sidecars.items():
            if channel_id == order.channel_id and epoch <= order.epoch and sidecar.exit is None:
                frame = 0 if sidecar.status is None else sidecar.status.frame
                sidecar.log("run_end", frame, self._clock.now(), cause="stop", by=order.by)
                ended = sidecar.exit = Exit(0)
        self._tell()
        return ended

    async def report(self, seen: int, wait: float, leases: LeaseRound | None = None) -> NodeReport:
        if leases is not None:
            self._check_term(leases.term)
            now = self._clock.monotonic()
            for grant in leases.grants:
                sidecar = self._sidecars.get((grant.channel_id, grant.epoch))
                if sidecar is not None and sidecar.exit is None:
                    sidecar.lease_until = (sidecar.answered_at or now) + leases.ttl_ms / 1000
        if self._number <= seen and wait > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), wait)
        now = self._clock.monotonic()
        reports = tuple(sidecar.report(now) for sidecar in self._sidecars.values())
        return NodeReport(self._number, self._rounds, reports, self._condition(), self._term)

    def _condition(self) -> NodeCondition:
        return NodeCondition(
            incarnation=self._incarnation, boot=self._boot, version="0", launcher="process",
            capabilities=frozenset({"ffmpeg"}), devices=(), at=datetime.now(UTC), load=0.1,
        )  # fmt: skip

    async def poll(self, channel_id: str, epoch: int) -> SidecarReport:
        sidecar = self._living(channel_id, epoch)
        sidecar.poll(self._clock.monotonic(), self._clock.now())
        return sidecar.report(self._clock.monotonic())

    async def command(self, order: Order, timeout: float) -> CommandReply:
        self._check_term(order.term)
        sidecar = self._living(order.channel_id, order.epoch)
        if isinstance(order.said, Arm) and sidecar.armed_at is None:
            sidecar.armed_at, sidecar.armed_wall = self._clock.monotonic(), self._clock.now()
            sidecar.log("on_air", 0, sidecar.armed_wall, by=order.by)
        if isinstance(order.said, Transport) and order.said.verb == "take":
            return await sidecar.take(order, order.said.expect_item_id, self._clock)
        return CommandReply(order.command_id, order.epoch, "done", None, 1.0)

    async def thumbnail(self, channel_id: str, epoch: int) -> bytes:
        self._living(channel_id, epoch)
        return b"\xff\xd8\xff\xd9"

    async def media(self, roots: Sequence[str], paths: Sequence[str]) -> MediaSeen:
        """Everything is there: the rundowns of the bench are slates, or named for what nobody opens."""
        return MediaSeen(tuple(MediaRootSeen(root, "0" * 32) for root in roots), {})

    async def live_file(self, channel_id: str, path: str) -> bytes:
        raise FileNotFoundError(path)

    async def runs(self, known: Mapping[str, Set[str]]) -> tuple[JournalRun, ...]:
        return tuple(
            JournalRun(channel_id, sidecar.run_id, epoch, sidecar.exit is None)
            for (channel_id, epoch), sidecar in self._sidecars.items()
            if sidecar.run_id not in known.get(channel_id, frozenset())
        )

    async def asrun(self, channel_id: str, run_id: str, after: int, limit: int) -> JournalPage | None:
        for (name, _), sidecar in self._sidecars.items():
            if name == channel_id and sidecar.run_id == run_id:
                lines = tuple(sidecar.lines[after : after + limit])
                return JournalPage(run_id, lines, len(sidecar.lines), sidecar.exit is None)
        return None
