"""What is carried out about a recorder: as about a channel, but for its row, its input and its jobs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, get_args

from db.models import Channel, Recorder
from db.repositories.leader import Fence
from db.transaction import Transaction
from sidecar.protocol.channel import ChannelFormat, Item, Playlist, Rate, ResumePoint, SidecarDocument
from sidecar.protocol.recording import InputKind, RecorderInput, Recording
from supervisor.decisions.resume import Beginning
from supervisor.loops.actions import Actions
from supervisor.loops.desk import Desk
from supervisor.loops.documents import Material
from supervisor.loops.notes import Holds, Placing
from supervisor.loops.outputs import OutputNeeds
from supervisor.schemas.channel import Phase

_FORMAT: Final = ChannelFormat(width=1280, height=720, rate="25")
"""A recorder keeps what comes; its clock counts at this rate until it knows the input's."""


def supervised(row: Recorder) -> Channel:
    """A recorder as the keeper of a channel sees it: the columns that both have, and none of a list. Of no session."""
    fenced = "cable" if row.input_kind == "decklink" else "resource"
    return Channel(
        id=row.id,
        name=row.name,
        number=0,
        project_id=row.project_id,
        width=_FORMAT.width,
        height=_FORMAT.height,
        rate=_FORMAT.rate,
        playlist_id=None,
        after_last="hold",
        resume_policy="continue",
        wanted_node_id=row.wanted_node_id,
        engine="ffmpeg",
        time_zone=row.time_zone,
        day_start="00:00",
        created_at=row.created_at,
        desired=row.desired,
        phase=row.phase,
        phase_since=row.phase_since,
        node_id=row.node_id,
        epoch=row.epoch,
        rev=row.rev,
        fencing_node_id=row.fencing_node_id,
        fencing_by=row.fencing_by,
        fenced_by=row.fenced_by or fenced,
        leased=False,
        hold_failover=False,
    )


class RecorderActions(Actions):
    """``recorder`` is the newest that anybody read; ``row`` is what both kinds have of it."""

    owner_kind = "recorder"

    def __init__(self, recorder: Recorder, desk: Desk) -> None:
        super().__init__(supervised(recorder), desk)
        self.recorder = recorder
        self._jobs: tuple[Item, ...] = ()
        self._revision = 1

    def give_jobs(self, jobs: Sequence[Item]) -> bool:
        """What its recording belongs to from when on; whether that is another than before."""
        if tuple(jobs) == self._jobs:
            return False
        self._jobs = tuple(jobs)
        self._revision += 1
        self.edited()
        return True

    async def _changed(
        self, tx: Transaction, row: Channel, fence: Fence, phase: Phase, now: datetime, placing: Placing
    ) -> Channel:
        self.recorder = await tx.recorders.transition(
            row.id,
            rev=row.rev,
            fence=fence,
            phase=phase,
            now=now,
            node_id=placing.node_id,
            fencing_node_id=placing.fencing_node_id,
            fencing_by=placing.fencing_by,
            fenced_by=placing.fenced_by,
            raise_epoch=placing.raise_epoch,
            claims=placing.claims,
        )
        return supervised(self.recorder)

    async def _stored(self, tx: Transaction) -> Channel:
        self.recorder = await tx.recorders.get(self.row.id)
        return supervised(self.recorder)

    async def _needs(self, tx: Transaction) -> OutputNeeds:
        row = self.recorder = await tx.recorders.get(self.row.id)
        if row.input_kind == "decklink" and row.device_index is not None:
            return OutputNeeds("cable", (row.device_index,))
        return OutputNeeds("resource")

    async def _material(self, rate: Rate) -> Material:
        jobs = self._jobs or (Item(self.row.id, ""),)
        return Material(Playlist(self._revision, jobs, "hold"), ())

    def _begin(self, holds: Holds) -> Beginning:
        # Jobs have no places, and none of them ever brought a recorder down.
        self._titles = {}
        return Beginning(None, "")

    def _document(self, material: Material, resume: ResumePoint | None) -> SidecarDocument:
        row = self.recorder
        return SidecarDocument(
            channel_id=row.id,
            name=row.name,
            format=_FORMAT,
            outputs=(),
            playlist=material.playlist,
            time_zone=row.time_zone,
            recording=Recording(
                input=RecorderInput(_kind(row.input_kind), row.input_url, row.device_index),
                template=row.template,
                segment_s=row.segment_s,
                floor_mb=row.floor_mb,
            ),
        )


def _kind(text: str) -> InputKind:
    for kind in get_args(InputKind):
        if kind == text:
            return kind
    raise ValueError(f"an input of kind {text!r} is not recorded by this version")
