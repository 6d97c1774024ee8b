"""Bugs that the simulation must find: each switched on by patching the real code, in tests alone."""

import contextlib
import dataclasses
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from db.models import Channel
from db.repositories.leader import Fence
from sidecar.control.nonces import Nonces
from sidecar.protocol.asrun import AsRunRecord
from supervisor.decisions.view import Decision, Relocate, View
from supervisor.loops import channel, fleet, leadership, nodes
from supervisor.loops.actions import Actions
from supervisor.loops.notes import Placing
from supervisor.schemas.channel import Phase
from tests.simulation.journal import SimJournal
from tests.simulation.sidecar import SimSidecar

if TYPE_CHECKING:
    from tests.simulation.world import World

Plant = Callable[["World"], AbstractContextManager[object]]


@contextlib.contextmanager
def _epoch_only(_: "World") -> Generator[None]:
    """A transition looks at the epoch that it saw, and not at the rev."""
    write, as_decided = Actions._write, Actions._as_decided
    decided: dict[str, tuple[int, int]] = {}

    async def looser(self: Actions, phase: Phase, placing: Placing) -> Channel:
        async with self._desk.store.read() as tx:
            fresh = await tx.channels.get(self.row.id)
        if fresh.epoch == self.row.epoch and fresh.rev > self.row.rev:
            self.row.rev = fresh.rev
        return await write(self, phase, placing)

    def same_epoch(self: Actions) -> Channel:
        if self.row.rev == self.decided_on:
            decided[self.row.id] = (self.row.rev, self.row.epoch)
        elif decided.get(self.row.id) == (self.decided_on, self.row.epoch):
            return self.row
        return as_decided(self)

    with patch.object(Actions, "_write", looser), patch.object(Actions, "_as_decided", same_epoch):
        yield


@contextlib.contextmanager
def _claim_outside(world: "World") -> Generator[None]:
    """The port is looked at in a transaction of its own, and then written without a look."""
    from db.repositories.ports import Ports

    _alter(world, "DROP INDEX uq_port_claim_live")

    async def claim(self: Ports, wanted: Any, *, owner_kind: str, owner_id: str, epoch: int, now: Any, **_: Any) -> Any:
        from db.models import PortClaim, new_id

        # What it saw was so a moment ago.
        owned = world.claims_seen.get((wanted.node_id, wanted.port))
        if owned not in (None, owner_id):
            raise await self._owner(wanted)
        self._session.add(
            PortClaim(
                id=new_id(),
                node_id=wanted.node_id,
                port=wanted.port,
                device_index=wanted.device_index,
                owner_kind=owner_kind,
                owner_id=owner_id,
                epoch=epoch,
                state="reserved",
                since=now,
            )
        )
        await self._session.flush()
        return None

    with patch.object(Ports, "claim", claim):
        yield


@contextlib.contextmanager
def _misses_kept(_: "World") -> Generator[None]:
    """A tick of ours that came late clears nothing and is not noted."""
    with (
        patch.object(nodes.NodeWatch, "clear", lambda _: None),
        patch.object(fleet.Fleet, "_note_stall", lambda _: None),
    ):
        yield


def _late_arm(_: "World") -> AbstractContextManager[object]:
    """A nonce is good for ever, and counts from now."""

    def redeem(self: Nonces, nonce: str) -> float | None:
        return self._now() if self._issued.pop(nonce, None) is not None or nonce else None

    return patch.object(Nonces, "redeem", redeem)


def _revived_lease(_: "World") -> AbstractContextManager[object]:
    """A grant runs from its arrival, however old its nonce is."""

    def extend(self: SimSidecar, nonce: str, seconds: float) -> None:
        del nonce
        was_over = not self.lease_is_live()
        self.lease.extend(self.now(), seconds)
        self.node.world.truth.lease_given(self, seconds, was_over=was_over)

    return patch.object(SimSidecar, "_extend", extend)


def _fail_back(_: "World") -> AbstractContextManager[object]:
    """A channel goes back to the node it was on first, as soon as that can take it."""
    real, homes = channel.decide, dict[str, str]()

    def decide(view: View, timing: Any) -> Decision:
        decision = real(view, timing)
        if view.phase == "running" and view.node_id is not None:
            home = homes.setdefault(view.name, view.node_id)
            back = home != view.node_id
            if back and decision.observed == "on_air" and not view.why_not_leading and not view.pinned:
                return Decision((Relocate(home),), "goes back home", decision.observed)
        return decision

    return patch.object(channel, "decide", decide)


def _told_unflushed(_: "World") -> AbstractContextManager[object]:
    """The journal tells of records that are only in memory."""

    def told(self: SimJournal) -> list[AsRunRecord]:
        waiting = list[AsRunRecord]()
        for fact in self.waiting:
            waiting.append(self._record(fact, len(self.flushed) + len(waiting) + 1, "0" * 64))
        return [*self.flushed, *waiting]

    return patch.object(SimJournal, "told", told)


@contextlib.contextmanager
def _collected_twice(world: "World") -> Generator[None]:
    """What is handed over is inserted, whatever is there already."""
    from dataclasses import asdict

    from sqlalchemy import insert, update

    from db.models import AsRun, AsRunRun
    from db.repositories.as_run import AsRunLog
    from db.repositories.rows import upsert

    _alter(world, "CREATE TABLE copy AS SELECT * FROM as_run", "DROP TABLE as_run", "ALTER TABLE copy RENAME TO as_run")

    async def append(self: AsRunLog, _: Any, run: Any, node_id: str, epoch: int, rows: Any, events: Any = ()) -> int:
        del events
        key = {"channel_id": run.channel_id, "run_id": run.run_id}
        await self._session.execute(
            upsert(self._session, AsRunRun)
            .values(**key, node_id=node_id, epoch=epoch, collected_seq=0, complete=False)
            .on_conflict_do_nothing()
        )
        if not rows:
            return await self.collected_seq(run.channel_id, run.run_id)
        await self._session.execute(insert(AsRun.__table__), [{**key, "epoch": epoch, **asdict(row)} for row in rows])
        await self._session.execute(
            update(AsRunRun)
            .where(AsRunRun.channel_id == run.channel_id, AsRunRun.run_id == run.run_id)
            .values(collected_seq=rows[-1].seq)
            .execution_options(synchronize_session=False)
        )
        return rows[-1].seq

    with patch.object(AsRunLog, "append", append):
        yield


def _old_status(_: "World") -> AbstractContextManager[object]:
    """What an older sidecar tells counts for the newest epoch."""
    real = channel.ChannelKeeper._view

    def view(self: channel.ChannelKeeper, *args: Any) -> View:
        seen = real(self, *args)
        if seen.sighting is not None and seen.sighting.epoch < seen.epoch:
            return dataclasses.replace(seen, sighting=dataclasses.replace(seen.sighting, epoch=seen.epoch))
        return seen

    return patch.object(channel.ChannelKeeper, "_view", view)


def _past_trust(_: "World") -> AbstractContextManager[object]:
    """A leader that cannot renew goes on leading until somebody tells it otherwise."""

    def fence(self: leadership.Leadership) -> Fence | None:
        return self._fence

    return patch.object(leadership.Leadership, "fence", property(fence))


PLANTED: Final[dict[str, Plant]] = {
    "compare-and-set on the epoch only": _epoch_only,
    "claim checked outside the transaction": _claim_outside,
    "misses kept over a stall": _misses_kept,
    "a late arm obeyed": _late_arm,
    "a dead lease revived": _revived_lease,
    "automatic fail-back": _fail_back,
    "journal acknowledged before it is flushed": _told_unflushed,
    "as-run collected twice": _collected_twice,
    "a status of an old epoch accepted": _old_status,
    "a leader acting past its trusted time": _past_trust,
}


def _alter(world: "World", *statements: str) -> None:
    import sqlite3

    connection = sqlite3.connect(world.database.path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()
