"""What a supervisor answers to the screens beside the wall: machines, ports, and what would become of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from mcr_console.client import ClientError
from supervisor.schemas.alarm import Alarm, ShelveIn
from supervisor.schemas.base import Page
from supervisor.schemas.claim import Claim
from supervisor.schemas.coming import Coming, ComingBoard
from supervisor.schemas.explanation import Candidate, Decision, Explanation, OutputFencing, Placement, Refused
from supervisor.schemas.history import HistoryEvent
from supervisor.schemas.node import Device, Holder, Node, NodePatch
from supervisor.schemas.recorder import RecordedFile, Recorder
from supervisor.schemas.schedule import Schedule
from supervisor.schemas.what_if import Fate, Room, WhatIf
from tests.console.recorder_scenes import recorders, recordings, schedules

NOON = datetime(2026, 11, 22, 14, 3, 47, tzinfo=UTC)


def node_id(number: int) -> str:
    return f"{ord('n'):04x}{number:028x}"


def channel_id(number: int) -> str:
    return f"{ord('c'):04x}{number:028x}"


def machine(number: int, name: str, channels: int = 3, **values: object) -> Node:
    known: dict[str, object] = {
        "id": node_id(number), "name": name, "kind": "agent", "url": f"http://10.0.0.{number}:6271", "capacity": 8,
        "draining": False, "created_at": NOON - timedelta(days=9), "rev": 4, "channels": channels,
        "last_answer_age_ms": 300, "state": "answers", "version": "0.1.0", "launcher": "process",
        "capabilities": ("ffmpeg",), "load": 0.31 + number / 10, "clock_offset_ms": 3 * number,
    }  # fmt: skip
    return Node.model_validate({**known, **values})


def held_by(name: str, state: str = "active", kind: str = "channel") -> Holder:
    return Holder.model_validate(
        {"owner_kind": kind, "owner_id": channel_id(7), "owner_name": name, "state": state, "since": NOON}
    )


DUO = "DeckLink Duo 2"


def machines() -> tuple[Node, ...]:
    ports = (
        Device(index=1, model=DUO, persistent_id="c7a1", busy=True, held_by=held_by("Music")),
        Device(index=2, model=DUO, persistent_id="c7a2", busy=False),
    )
    return (
        machine(1, "node-a", 3, devices=ports),
        machine(2, "node-b", 2),
        machine(3, "node-c", 2, load=0.58),
    )


def troubled_machines() -> tuple[Node, ...]:
    ports = (
        Device(index=1, model=DUO, persistent_id="c7a1", busy=True, held_by=held_by("Music", "unknown")),
        Device(index=2, model=DUO, persistent_id="c7a2", busy=True),
    )
    return (
        machine(1, "node-a", 3, devices=ports, load=1.42, clock_offset_ms=-340),
        machine(
            2, "node-b", 2, state="away", last_answer_age_ms=41_000, fault="no route to host",
            away_since=NOON - timedelta(seconds=41), load=None, clock_offset_ms=None,
        ),
        machine(3, "node-c", 2, draining=True, maintenance=True),
        machine(4, "node-d", 0, state="foreign", fault="its incarnation is 7f3a and not 19cc"),
        machine(
            5, "node-e", 0, state="away", last_answer_age_ms=900_000, lost_at=NOON - timedelta(minutes=12),
            lost_by="ann", lost_reason="power supply burnt, seen by the guard",
        ),
    )  # fmt: skip


def claims() -> tuple[Claim, ...]:
    known = {
        "id": f"{ord('p'):04x}{1:028x}", "node_id": node_id(1), "node_name": "node-a", "port": "c7a1",
        "device_index": 1, "owner_kind": "channel", "owner_id": channel_id(7), "owner_name": "Music", "epoch": 7,
        "state": "unknown", "since": NOON - timedelta(hours=3),
    }  # fmt: skip
    return (Claim.model_validate(known),)


def what_if(of: Node) -> WhatIf:
    """Of node-a something moves, something waits, something stays; of the others all moves."""
    fates: tuple[Fate, ...] = (
        _fate(2, "Kids", to=1, name="node-a"),
        _fate(6, "Regional S", to=3, name="node-c", when="after_lease"),
    )
    if of.id == node_id(1):
        missing = Candidate(
            node_id=node_id(2), node_name="node-b", why_not="node node-b: media is missing there",
            missing={"/media/sport/cup_final.mxf": "no such file"},
        )  # fmt: skip
        fates = (
            _fate(1, "News 24", to=2, name="node-b"),
            _fate(3, "Sport", why="no other node can take it: node node-b: media is missing there", seen=(missing,)),
            _fate(7, "Music", to=2, name="node-b", why="a DeckLink output is moved by people alone"),
        )
    if of.channels == 0:
        fates = ()
    others = [one for one in machines() if one.id != of.id]
    return WhatIf(
        node_id=of.id, node_name=of.name, at=NOON, fates=fates,
        rooms=tuple(
            Room(node_id=one.id, node_name=one.name, capacity=8, placed=one.channels, after=one.channels + 1)
            for one in others
        ),
    )  # fmt: skip


def _fate(
    number: int, title: str, *, to: int | None = None, name: str | None = None, why: str = "", when: str = "at_once",
    seen: tuple[Candidate, ...] = (),
) -> Fate:  # fmt: skip
    return Fate.model_validate(
        {
            "kind": "channel", "id": channel_id(number), "name": title, "number": number,
            "to_node_id": None if to is None else node_id(to), "to_node_name": name, "why_not": why,
            "when": "never" if why else when, "candidates": seen,
        }
    )  # fmt: skip


def an_alarm(number: int, of: int | None = 3, severity: str = "warning", **values: object) -> Alarm:
    known: dict[str, object] = {
        "id": f"{ord('a'):04x}{number:028x}", "channel_id": None if of is None else channel_id(of), "node_id": None,
        "code": "late_frames", "severity": severity, "text": "Sport repeats frames: nothing new is there in time",
        "raised_at": NOON - timedelta(seconds=40 * number), "acknowledged_by": None, "acknowledged_at": None,
        "cleared_at": None,
    }  # fmt: skip
    return Alarm.model_validate({**known, **values})


def open_alarms() -> tuple[Alarm, ...]:
    """Each state once, and one that the station says something of."""
    return (
        an_alarm(
            1, 5, "critical", code="channel_dark", raised_at=NOON - timedelta(seconds=2),
            text="Regional N should be on air and is not: the sidecar exited with code 139",
            instruction="Call transmission on 4411; put crosspoint 12 to the standby encoder.",
        ),
        an_alarm(2, 2, code="output_down", text="Kids: udp 10.0.4.7:5000: no route to host"),
        an_alarm(3, 3, acknowledged_by="ann", acknowledged_at=NOON - timedelta(seconds=30)),
        an_alarm(
            4, None, code="clock_offset", text="The clock of node-c is 0.8 s ahead of this supervisor's",
            shelved_until=NOON + timedelta(minutes=25), shelved_by="kim", shelved_reason="NTP is being moved",
        ),
    )  # fmt: skip


def over_alarms() -> tuple[Alarm, ...]:
    return (an_alarm(9, 6, text="Regional S: what leaves is silent", cleared_at=NOON - timedelta(minutes=3)),)


def what_is_coming() -> tuple[Coming, ...]:
    said: tuple[tuple[int, str, str, float | None, str], ...] = (
        (6, "hold", "warning", 21, "council_live waits for a take"),
        (3, "live", "info", 260, "live: ob-truck-2"),
        (1, "gap", "warning", 1400, "nothing is planned for 2:00 before headlines_1430: filler airs"),
        (4, "media", "critical", 1680, "trailer_fire: the file is gone"),
        (2, "overrun", "warning", 2800, "a fixed start cuts 0:30 of Big Buck Bunny"),
        (7, "list_end", "warning", 9000, "the list ends"),
        (9, "media", "warning", None, "STANDBY clip slate: sound is missing"),
    )
    return tuple(
        Coming.model_validate(
            {
                "channel_id": channel_id(of), "kind": kind, "severity": severity, "item_id": f"{index:032x}",
                "at": None if at is None else NOON + timedelta(seconds=at), "text": text,
            }
        )
        for index, (of, kind, severity, at, text) in enumerate(said)
    )  # fmt: skip


@dataclass
class DeskScene:
    """What stands there. ``refuses``: what every question is answered with instead."""

    nodes: Sequence[Node] = field(default_factory=machines)
    claims: Sequence[Claim] = field(default_factory=claims)
    coming: Sequence[Coming] = ()
    refused: tuple[Refused, ...] = ()
    decided: tuple[tuple[int, str], ...] = ()
    """In place of the usual decisions: how many seconds ago, and what; the oldest first."""
    placement: dict[str, Any] = field(default_factory=lambda: {"target_id": node_id(2)})
    over: Sequence[Alarm] = ()
    recorders: Sequence[Recorder] = field(default_factory=recorders)
    refuses: ClientError | None = None


class ScriptedDesk:
    """Behind the same interface as the console's own client. ``done`` is what was ordered."""

    desk: DeskScene
    done: list[tuple[Any, ...]]

    def _asked(self) -> None:
        if self.desk.refuses is not None:
            raise self.desk.refuses

    async def newest_alarms(self, limit: int) -> tuple[Alarm, ...]:
        self._asked()
        return tuple(self.desk.over)[:limit]

    async def coming(self, hours: int = 4) -> ComingBoard:
        self._asked()
        return ComingBoard(at=NOON, items=tuple(self.desk.coming))

    async def shelve(self, alarm_id: str, values: ShelveIn) -> Alarm:
        self.done.append(("shelve", alarm_id, values))
        return an_alarm(1)

    async def unshelve(self, alarm_id: str) -> Alarm:
        self.done.append(("unshelve", alarm_id))
        return an_alarm(1)

    async def nodes(self) -> tuple[Node, ...]:
        self._asked()
        return tuple(self.desk.nodes)

    async def claims(self, *, live_only: bool = True) -> tuple[Claim, ...]:
        self._asked()
        return tuple(self.desk.claims)

    async def what_if(self, node_id: str) -> WhatIf:
        self._asked()
        return what_if(next(one for one in self.desk.nodes if one.id == node_id))

    async def update_node(self, node_id: str, rev: int, changes: NodePatch) -> Node:
        self.done.append(("update_node", node_id, rev, changes))
        self._asked()
        return next(one for one in self.desk.nodes if one.id == node_id)

    async def declare_lost(self, node_id: str, reason: str) -> Node:
        self.done.append(("declare_lost", node_id, reason))
        return next(one for one in self.desk.nodes if one.id == node_id)

    async def release_claim(self, claim_id: str, reason: str) -> Claim:
        self.done.append(("release_claim", claim_id, reason))
        return next(one for one in self.desk.claims if one.id == claim_id)

    async def recorders(self) -> tuple[Recorder, ...]:
        self._asked()
        return tuple(self.desk.recorders)

    async def schedules(self) -> tuple[Schedule, ...]:
        self._asked()
        return schedules()

    async def recordings(self, recorder_id: str) -> tuple[RecordedFile, ...]:
        self._asked()
        return recordings() if recorder_id == recordings()[0].recorder_id else ()

    async def start_recorder(self, recorder_id: str) -> Recorder:
        self.done.append(("start_recorder", recorder_id))
        return self.desk.recorders[0]

    async def stop_recorder(self, recorder_id: str) -> Recorder:
        self.done.append(("stop_recorder", recorder_id))
        return self.desk.recorders[0]

    async def explain(self, channel_id: str) -> Explanation:
        self._asked()
        said = tuple((ago, "decision", text) for ago, text in self.desk.decided) or (
            (94, "decision", "starts on node-a with epoch 7: its node answers and has room"),
            (92, "phase", "starting"),
            (91, "decision", "on air on node-a, epoch 7"),
            (40, "decision", "one heartbeat of node-a was missed: waiting, nothing is replaced on suspicion"),
            (39, "alarm", "late_frames raised: repeats frames, nothing new is there in time"),
            (12, "decision", "on air, frames late; 61 frames were repeated"),
        )
        return Explanation(
            channel_id=channel_id,
            decisions=tuple(
                Decision.model_validate({"at": NOON - timedelta(seconds=ago), "kind": kind, "sentence": text})
                for ago, kind, text in said
            ),
            refusals=self.desk.refused,
            outputs=(OutputFencing(kind="hls", url="", words="moved at once"),),
            hold_failover_by="ann",
        )

    async def placement(self, channel_id: str) -> Placement:
        self._asked()
        return Placement(
            channel_id=channel_id,
            node_id=node_id(1),
            hold_failover_by="ann",
            candidates=(
                Candidate(node_id=node_id(2), node_name="node-b"),
                Candidate(node_id=node_id(3), node_name="node-c", why_not="node node-c is full: 8 of 8 channels"),
            ),
            **self.desk.placement,
        )

    async def history_page(self, **_: object) -> Page[HistoryEvent]:
        self._asked()
        return Page[HistoryEvent](items=(), next_cursor=None)
