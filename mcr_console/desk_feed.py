"""What the screens beside the wall ask of a supervisor, as ``Client`` does it. All raise ``ClientError``."""

from collections.abc import Sequence
from typing import Protocol

from mcr_console.incident import IncidentFeed
from supervisor.schemas.alarm import Alarm, ShelveIn
from supervisor.schemas.base import Page
from supervisor.schemas.claim import Claim
from supervisor.schemas.coming import ComingBoard
from supervisor.schemas.explanation import Explanation, Placement
from supervisor.schemas.handover import Handover, ShiftNote, ShiftNoteIn
from supervisor.schemas.history import HistoryEvent, HistoryKind
from supervisor.schemas.node import Node, NodePatch
from supervisor.schemas.what_if import WhatIf


class AlarmFeed(Protocol):
    async def acknowledge(self, alarm_id: str) -> Alarm: ...
    async def shelve(self, alarm_id: str, values: ShelveIn) -> Alarm: ...
    async def unshelve(self, alarm_id: str) -> Alarm: ...
    async def newest_alarms(self, limit: int) -> tuple[Alarm, ...]: ...
    async def coming(self, hours: int = 4) -> ComingBoard: ...


class NodeFeed(Protocol):
    async def nodes(self) -> tuple[Node, ...]: ...
    async def claims(self, *, live_only: bool = True) -> tuple[Claim, ...]: ...
    async def what_if(self, node_id: str) -> WhatIf: ...
    async def update_node(self, node_id: str, rev: int, changes: NodePatch) -> Node: ...
    async def declare_lost(self, node_id: str, reason: str) -> Node: ...
    async def release_claim(self, claim_id: str, reason: str) -> Claim: ...


class WhyFeed(Protocol):
    async def explain(self, channel_id: str) -> Explanation: ...
    async def placement(self, channel_id: str) -> Placement: ...
    async def history_page(
        self,
        *,
        channel_id: str | None = None,
        node_id: str | None = None,
        kinds: Sequence[HistoryKind] = (),
        cursor: str | None = None,
        limit: int = 200,
    ) -> Page[HistoryEvent]: ...


class ShiftFeed(Protocol):
    async def handover(self, hours: int = 12) -> Handover: ...
    async def add_shift_note(self, values: ShiftNoteIn) -> ShiftNote: ...


class DeskFeed(AlarmFeed, NodeFeed, WhyFeed, ShiftFeed, IncidentFeed, Protocol):
    """All of it."""
