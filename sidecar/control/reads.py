"""The routes that only look: status, as-run, thumbnail, metrics."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Protocol, TypeVar

from starlette.requests import Request

from sidecar.control.answers import Answer, Refuse, answer
from sidecar.control.metrics import MEDIA_TYPE, exposition
from sidecar.control.nonces import Lease, Nonces
from sidecar.control.pool import Pool
from sidecar.control.requests import number_in
from sidecar.engine.interface import PlayoutStatus
from sidecar.journal import Journal
from sidecar.protocol.status import JournalStatus, Status

_DISK_S = 5.0
_PICTURE_S = 2.0
_MOST_RECORDS = 1000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answers. ``rate`` is the channel's, ``pid`` this process's, ``leased`` as in its document."""

    channel_id: str
    epoch: int
    rate: str
    pid: int
    leased: bool = False


class Engine(Protocol):
    """What is looked at: a playout, or a recorder."""

    def status(self) -> PlayoutStatus: ...

    def thumbnail(self) -> bytes:
        """A JPEG. Raises OSError, ValueError, RuntimeError."""
        ...


@dataclass(frozen=True, slots=True)
class Reads:
    """Every status carries a fresh nonce."""

    identity: Identity
    playout: Engine
    journal: Journal
    lease: Lease
    nonces: Nonces
    disk: Pool = field(default_factory=lambda: Pool("disk", 2))
    pictures: Pool = field(default_factory=lambda: Pool("pictures", 1))

    async def status(self, _request: Request) -> Answer:
        return answer(self.now())

    def now(self) -> Status:
        """As ``GET /status`` answers."""
        return self._status(self.nonces.issue())

    async def asrun(self, request: Request) -> Answer:
        run_id = request.query_params.get("run", self.journal.run_id)
        after = number_in(request, "after", 0, 0, 10**18 - 1)
        limit = number_in(request, "limit", 500, 1, _MOST_RECORDS)
        page = await self._from_disk(partial(self.journal.page, run_id, after, limit))
        if page is None:
            raise Refuse("invalid", f"there is no journal of run {run_id[:64]!r} on this disk", status=404)
        return answer(page)

    async def thumbnail(self, _request: Request) -> Answer:
        try:
            return Answer(200, await self.pictures.run(self.playout.thumbnail, _PICTURE_S), "image/jpeg")
        except (OSError, ValueError, RuntimeError) as error:
            raise Refuse("engine_failed", f"no thumbnail could be made: {error}") from error

    async def metrics(self, _request: Request) -> Answer:
        return Answer(200, exposition(self._status("")).encode(), MEDIA_TYPE)

    async def _from_disk(self, work: Callable[[], T]) -> T:
        try:
            return await self.disk.run(work, _DISK_S)
        except OSError as error:
            raise Refuse("engine_failed", f"the journals cannot be read: {error.strerror or error}") from error

    def _status(self, nonce: str) -> Status:
        playout, journal, identity = self.playout.status(), self.journal, self.identity
        return Status(
            channel_id=identity.channel_id,
            epoch=identity.epoch,
            run_id=journal.run_id,
            pid=identity.pid,
            state=playout.state,
            nonce=nonce,
            rate=identity.rate,
            frame=playout.frame,
            frames_late=playout.frames_late,
            frames_skipped=playout.frames_skipped,
            picture=playout.picture,
            reason=playout.reason,
            item=playout.item,
            next=playout.next,
            hold=playout.hold,
            playlist_revision=playout.playlist_revision,
            after_last=playout.after_last,
            outputs=playout.outputs,
            outputs_digest=playout.outputs_digest,
            loudness=playout.loudness,
            lease_left_ms=self.lease.left_ms(),
            journal=JournalStatus(journal.run_id, journal.last_seq, journal.degraded),
            skipped=playout.skipped,
            at=datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            leased=identity.leased,
            faults=playout.faults,
            logo=playout.logo,
            hold_left_ms=playout.hold_left_ms,
            dropped=playout.dropped,
            live_faults=playout.live_faults,
            recording=playout.recording,
            look_digest=playout.look_digest,
            engine=playout.engine,
            since_frame=playout.since_frame,
        )
