"""A sidecar without pictures: the protocol's state machine on virtual time, with the real nonces and lease."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from sidecar.control.nonces import GOOD_FOR_S, Lease, Nonces
from sidecar.protocol.channel import Item, Playlist, ResumePoint, SidecarDocument
from sidecar.protocol.commands import CommandReply, Refusal, RefusalCode
from sidecar.protocol.status import ItemNext, ItemOnAir, Loudness, SidecarState, Status
from sidecar.rundown.forecast import NoSpot, advance, following_index, index_of
from tests.simulation.journal import SimJournal
from tests.simulation.outputs import SEGMENT_FRAMES, SimOutput
from tests.simulation.processes import Process

if TYPE_CHECKING:
    from tests.simulation.node import SimNode

FLUSH_S: Final = (0.004, 0.05)
RECONNECT_S: Final = (0.4, 1.2)
_SILENCE: Final = Loudness(None, None, None)


class Refuse(Exception):
    """Becomes a problem document."""

    def __init__(self, code: RefusalCode, detail: str, status: int = 409) -> None:
        super().__init__(detail)
        self.refusal = Refusal(code, status, code, detail)


@dataclass(eq=False, slots=True)
class SimSidecar:
    """One process. ``stood_at``: its frames stand since; ``mute_door``: it plays on and answers nothing.

    Everything it does by itself are timers in its process's context, so that SIGSTOP, kill -9 and a hypervisor pause
    do to it what they do to a process.
    """

    node: "SimNode"
    process: Process
    pid: int
    start_ticks: int
    environment: dict[str, str]
    document: SidecarDocument
    epoch: int
    boot: str
    run_id: str = ""
    exit_code: int | None = None
    exited: bool = False
    at_exit: list[Callable[[int], None]] = field(default_factory=list[Callable[[int], None]])
    stood_at: float | None = None
    mute_door: bool = False
    ill_at: float = -1e9
    """When something was last done to it that would excuse its end."""
    door_open: bool = False
    ready: bool = False
    armed_at: float | None = None
    stood: float = 0.0
    stopping: bool = False
    index: int | None = None
    item_started: int = 0
    first_frame: int = 0
    airing: int = 0
    replies: dict[str, CommandReply] = field(default_factory=dict[str, CommandReply])
    playlist: Playlist = field(init=False)
    rate: Fraction = field(init=False)
    nonces: Nonces = field(init=False)
    lease: Lease = field(init=False)
    journal: SimJournal = field(init=False)
    outputs: list[SimOutput] = field(init=False)
    _turn: int = 0

    def __post_init__(self) -> None:
        self.playlist = self.document.playlist
        self.rate = Fraction(self.document.format.rate)
        self.nonces, self.lease = Nonces(self.now), Lease(self.now)
        self.outputs = [SimOutput(self, output) for output in self.document.outputs if output.role == "programme"]

    # --- what it is asked by the world --------------------------------------------------------------------------

    @property
    def channel_id(self) -> str:
        return self.document.channel_id

    @property
    def uses_card(self) -> bool:
        return any(output.kind == "decklink" for output in self.outputs)

    @property
    def leased(self) -> bool:
        return self.document.leased

    @property
    def name(self) -> str:
        return f"{self.document.name}/{self.epoch}@{self.node.name}"

    @property
    def moves(self) -> bool:
        """Frames are made now."""
        armed = self.armed_at is not None and not self.stopping and not self.still
        return armed and self.process.runs and not self.exited and self.now() >= (self.armed_at or 0.0)

    def now(self) -> float:
        return self.process.host.monotonic(self.node.world.loop.now)

    def lease_is_live(self) -> bool:
        return self.lease.left_s() > 0

    @property
    def frame(self) -> int:
        if self.armed_at is None:
            return 0
        until = self.now() if self.stood_at is None else self.stood_at
        return max(0, int((until - self.armed_at - self.stood) * self.rate))

    @property
    def item(self) -> Item | None:
        return None if self.index is None or self.index >= len(self.playlist.items) else self.playlist.items[self.index]

    # --- its life -----------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Its first instruction."""
        self.run_id = secrets.token_hex(16)
        directory = Path(self.environment["MCR_JOURNAL_DIR"]) / self.run_id
        self.journal = SimJournal(
            self.node.disk, directory, self.channel_id, self.run_id, self.epoch, self.document.format.rate
        )
        directory.mkdir(parents=True, exist_ok=True)
        self._write("run_start", 0, detail=f"pid {self.pid}")
        door = {"port": self.pid, "pid": self.pid, "run_id": self.run_id}
        (Path(self.environment["MCR_STATE_DIR"]) / "door.json").write_bytes(msgspec.json.encode(door))
        self.door_open = True
        self.after(self.node.chance.uniform(0.0, 0.5), self._decoded)

    def _decoded(self) -> None:
        self.ready = True

    def after(self, seconds: float, work: Callable[[], None]) -> None:
        """``work``, unless the process is gone by then."""
        self.node.world.loop.call_later(seconds, work, context=self.process.context)

    def exit(self, code: int) -> None:
        """The kernel has it: nothing of it runs any more."""
        if self.exited:
            return
        self.exited, self.exit_code = True, code
        self.node.world.loop.kill(self.process)
        for output in self.outputs:
            output.connected = False
        self.node.world.log.say("exit", f"{self.name} code {code}")
        for told in self.at_exit:
            told(code)

    @property
    def still(self) -> bool:
        return self.stood_at is not None

    def stand(self) -> None:
        """A fault: the door answers, and no frame comes any more."""
        self.stood_at = self.stood_at or self.now()

    # --- its journal --------------------------------------------------------------------------------------------

    def _write(self, kind: Any, frame: int, **more: Any) -> None:
        wall = int(self.process.host.wall_clock(self.node.world.loop.now).timestamp() * 1_000_000) * 1000
        self.journal.write(kind, frame, wall, **more)
        self.after(self.node.chance.uniform(*FLUSH_S), self._flush)

    def _flush(self) -> None:
        if not self.journal.flush(self.node.world.loop.now):
            self.after(1.0, self._flush)

    # --- its door -----------------------------------------------------------------------------------------------

    def status(self) -> Status:
        host, world = self.process.host, self.node.world
        item = self.item
        at = host.wall_clock(world.loop.now).isoformat()
        on_air = None
        if item is not None and self.armed_at is not None:
            position = self.frame - self.item_started + self.first_frame
            on_air = ItemOnAir(
                item.id,
                item.title,
                self.airing,
                position,
                item.duration_frames,
                self.item_started,
                at,
                item.asset_id,
            )
        state: SidecarState = "stopping" if self.stopping else "muted" if self.armed_at is None else "on_air"
        left = self.lease.left_ms()
        return Status(
            channel_id=self.channel_id,
            epoch=self.epoch,
            run_id=self.run_id,
            pid=self.pid,
            state=state,
            nonce=self.nonces.issue(),
            rate=self.document.format.rate,
            frame=self.frame,
            frames_late=0,
            frames_skipped=0,
            picture="filler" if item is None else "item",
            reason="" if item is not None else "the rundown is empty",
            item=on_air,
            next=self._next(),
            hold=False,
            playlist_revision=self.playlist.revision,
            after_last=self.playlist.after_last,
            outputs=tuple(output.status() for output in self.outputs),
            loudness=_SILENCE,
            lease_left_ms=left,
            journal=self.journal.status(),
            skipped=(),
            at=at,
            leased=self.leased,
        )

    def _next(self) -> ItemNext | None:
        if self.armed_at is None:
            index = self._first_index(self.document.resume)
        else:
            following = following_index(self.playlist, self.index) if self.index is not None else NoSpot.ENDED
            index = None if isinstance(following, NoSpot) else following
        if index is None:
            return None
        coming = self.playlist.items[index]
        return ItemNext(coming.id, coming.title, False, self.ready, None)

    def _first_index(self, resume: ResumePoint | None) -> int | None:
        items = self.playlist.items
        if not items:
            return None
        found = index_of(items, resume.item_id) if resume is not None else None
        return found if found is not None else 0

    def command(self, verb: str, body: dict[str, Any]) -> CommandReply:
        """Raises Refuse."""
        if body["epoch"] != self.epoch:
            self.node.world.log.say("refused", f"{self.name} {verb} of epoch {body['epoch']}")
            raise Refuse("stale_epoch", f"this sidecar is epoch {self.epoch}, the command is of epoch {body['epoch']}")
        known = self.replies.get(body["command_id"])
        if known is not None:
            return self._telling(verb, known)
        by = body.get("by", "")
        frame: int | None = None
        match verb:
            case "arm":
                frame = self._arm(body["nonce"], by, self._entrance(body))
            case "lease":
                self._extend(body["nonce"], body["ttl_ms"] / 1000)
            case "stop":
                self.node.world.truth.ended(self, "a stop")
                self.leave(by)
            case "playlist":
                self._replace(msgspec.convert(body["playlist"], Playlist))
            case "take" | "skip":
                if self.armed_at is None:
                    raise Refuse("not_armed", "the channel is not on air")
                frame = self.frame
                self._follow("take", frame, by)
            case _:
                if self.armed_at is None:
                    raise Refuse("not_armed", "the channel is not on air")
        reply = CommandReply(body["command_id"], self.epoch, verb, frame, 1.0, None)
        self.replies[body["command_id"]] = reply
        return self._telling(verb, reply)

    def _telling(self, verb: str, reply: CommandReply) -> CommandReply:
        """With its status, as a real one answers, but for what concerns no picture."""
        return reply if verb in {"lease", "stop"} else msgspec.structs.replace(reply, status=self.status())

    def _issued(self, nonce: str) -> float:
        issued = self.nonces.redeem(nonce)
        if issued is None:
            self.node.world.log.say("refused", f"{self.name} a nonce that is not of the last {GOOD_FOR_S:g} s")
            raise Refuse("stale_nonce", f"the nonce is not of a status of this process less than {GOOD_FOR_S:g} s ago")
        return issued

    def _extend(self, nonce: str, seconds: float) -> None:
        issued, was_over = self._issued(nonce), not self.lease_is_live()
        self.lease.extend(issued, seconds)
        self.node.world.truth.lease_given(self, seconds, was_over=was_over)

    # --- its air ------------------------------------------------------------------------------------------------

    def _entrance(self, body: dict[str, Any]) -> ResumePoint | None:
        """Where the list begins: as the arm says, else as the document did."""
        said = body.get("resume")
        point = None if said is None else msgspec.convert(said, ResumePoint)
        if point is None or index_of(self.playlist.items, point.item_id) is None:
            return self.document.resume
        if body.get("resume_at") is None:
            return point
        due = datetime.fromisoformat(body["resume_at"])
        late = max(0.0, (self.process.host.wall_clock(self.node.world.loop.now) - due).total_seconds())
        return advance(self.playlist, point, int(late * self.rate)) or point

    def _arm(self, nonce: str, by: str, resume: ResumePoint | None) -> int:
        issued = self._issued(nonce)
        if self.stopping:
            raise Refuse("not_armed", "this sidecar cannot enter the air any more")
        if self.armed_at is not None:
            return self.frame
        self.lease.extend(issued, GOOD_FOR_S)
        self.armed_at = self.now() + self.node.chance.uniform(0.02, 0.1)
        self._write("on_air", 0, cause="arm", by=by)
        index = self._first_index(resume)
        resumed = resume is not None and index is not None and self.playlist.items[index].id == resume.item_id
        self._cut(index, "resume" if resumed else "arm", 0, by, resume.frame if resume is not None and resumed else 0)
        self.node.world.truth.armed(self)
        for output in self.outputs:
            if output.needs_session:
                self._connect(output)
        self.after(SEGMENT_FRAMES / float(self.rate), self._segment)
        return 1

    def _connect(self, output: SimOutput) -> None:
        if self.stopping or self.exited:
            return
        if not output.connected and output.may_connect() and self.node.world.receivers.accepts(self, output):
            output.connected = True
        self.after(self.node.chance.uniform(*RECONNECT_S), lambda: self._connect(output))

    def _segment(self) -> None:
        """A segment is whole: its playlist is written."""
        if self.stopping:
            return
        if self.moves:
            self.node.stamps[self.channel_id, self.epoch] = self.frame
        self.after(SEGMENT_FRAMES / float(self.rate), self._segment)

    def _cut(self, index: int | None, cause: str, at: int, by: str = "", first: int = 0) -> None:
        if self.airing:
            self._end_item(cause, at, by)
        self.index, self.item_started, self.first_frame = index, at, first
        self.airing += 1
        self._turn += 1
        item = self.item
        if item is None:
            self._write("filler_start", at, cause=cause, by=by)
            return
        self._write(
            "item_start", at, cause=cause, by=by, airing=self.airing, item_id=item.id, title=item.title, in_frames=first
        )
        if item.duration_frames is not None:
            self._watch_end(max(1, item.duration_frames - first), self._turn)

    def _watch_end(self, length: int, turn: int) -> None:
        due = self.item_started + length

        def over() -> None:
            if turn != self._turn or self.stopping:
                return
            if self.frame < due:
                self.after((due - self.frame) / float(self.rate) + 0.001, over)
            else:
                self._follow("ended", due)

        self.after(max(0.0, (due - self.frame) / float(self.rate)), over)

    def _follow(self, cause: str, at: int, by: str = "") -> None:
        following = following_index(self.playlist, self.index) if self.index is not None else NoSpot.ENDED
        self._cut(None if isinstance(following, NoSpot) else following, cause, at, by)

    def _end_item(self, cause: str, at: int, by: str) -> None:
        item = self.item
        frames = at - self.item_started
        if item is None:
            self._write("filler_end", at, cause=cause, by=by, frames=frames)
        else:
            self._write(
                "item_end", at, cause=cause, by=by, airing=self.airing, item_id=item.id, title=item.title, frames=frames
            )

    def _replace(self, playlist: Playlist) -> None:
        if playlist.revision < self.playlist.revision:
            raise Refuse("stale_revision", f"this holds revision {self.playlist.revision}")
        item = self.item
        self.playlist = playlist
        self.index = None if item is None else index_of(playlist.items, item.id)

    def leave(self, by: str) -> None:
        """The clean end: leaves the air at once, flushes, exits with 0."""
        if self.stopping:
            return
        if not self.door_open:
            # It has not come so far as to know the signal: it dies of it.
            self.exit(-15)
            return
        frame = self.frame
        if self.armed_at is not None:
            self._end_item("stop", frame, by)
        self.stopping = True
        self._write("run_end", frame, cause="stop", by=by)
        self.after(self.node.chance.uniform(0.06, 0.2), lambda: self.exit(0))
