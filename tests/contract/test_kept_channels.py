"""Channels kept in memory: never older than what was answered, and no database asked while none changed."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import pytest

from db.channel_writes import may_change_channels
from db.errors import Missing, StoreUnavailable
from db.models import Channel
from db.repositories.channels import OutputSpec, Position
from db.store import Store
from db.transaction import Transaction, transaction
from supervisor.api.kept_channels import FRESH_S, KeptChannels
from supervisor.clock import SystemClock
from supervisor.events import Events
from supervisor.live import LiveBoard

FORMAT = {"width": 1280, "height": 720, "rate": "25"}


async def add(store: Store, name: str, now: datetime) -> Channel:
    async with store.write() as tx:
        return await tx.channels.add({"name": name, **FORMAT}, [OutputSpec("hls")], now)


class Later(SystemClock):
    """As much later as a test says."""

    by = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.by


def board() -> LiveBoard:
    return LiveBoard(Events(), SystemClock(), lambda _: 0)


def kept(
    store: Store, row: Callable[[str], Channel | None] = lambda _: None, clock: SystemClock | None = None
) -> KeptChannels:
    return KeptChannels(store, clock or SystemClock(), board().get, row)


async def rename_elsewhere(store: Store, channel: Channel) -> Channel:
    """By a store of its own, of which this one hears nothing."""
    other = Store(store.url.render_as_string(hide_password=False))
    async with other.write() as tx:
        changed = await tx.channels.update_spec(channel.id, channel.rev, {"name": "New"})
    await other.close()
    return changed


async def test_what_was_answered_is_what_is_read(real_store: Store, now: datetime) -> None:
    store, channels = real_store, kept(real_store)
    one, two = [await add(store, name, now) for name in ("One", "Two")]
    assert [(await channels.get(it.id)).name for it in (one, two)] == ["One", "Two"]
    async with store.write() as tx:
        changed = await tx.channels.update_spec(
            one.id, one.rev, {"name": "New"}, [OutputSpec("udp", "udp://10.0.0.1:5")]
        )
        # Read by others while nobody knows whether it will hold.
        assert (await channels.get(one.id)).name == "One"
    read = await channels.get(one.id)
    assert (read.name, read.rev) == ("New", changed.rev)
    assert [output.kind for output in read.outputs] == ["udp"]
    async with store.write() as tx:
        started = await tx.channels.set_desired(two.id, two.rev, "on")
    assert ((await channels.get(two.id)).desired, (await channels.get(two.id)).rev) == ("on", started.rev)
    async with store.write() as tx:
        await tx.channels.delete(one.id, changed.rev)
    with pytest.raises(Missing):
        await channels.get(one.id)


async def test_what_is_known_elsewhere_to_be_newer_is_read_again(real_store: Store, now: datetime) -> None:
    """As after a commit that was done when nobody waited for it any more."""
    rows: dict[str, Channel] = {}
    channels = kept(real_store, rows.get)
    one = await add(real_store, "One", now)
    assert (await channels.get(one.id)).rev == one.rev
    rows[one.id] = await rename_elsewhere(real_store, one)
    assert (await channels.get(one.id)).name == "New"


async def test_whatever_is_known_a_channel_is_read_again_after_a_minute(real_store: Store, now: datetime) -> None:
    """As after a repair by hand: a file that another program wrote to."""
    clock = Later()
    channels = kept(real_store, clock=clock)
    one = await add(real_store, "One", now)
    assert (await channels.get(one.id)).name == "One"
    await rename_elsewhere(real_store, one)
    clock.by = FRESH_S
    assert (await channels.get(one.id)).name == "New"


async def test_what_is_seen_of_a_channel_is_never_kept(real_store: Store, now: datetime) -> None:
    seen = board().get("a" * 32)
    channels = KeptChannels(real_store, SystemClock(), lambda _: seen, lambda _: None)
    one = await add(real_store, "One", now)
    assert (await channels.get(one.id)).live.frame == 0
    seen = seen.model_copy(update={"frame": 7})
    assert (await channels.get(one.id)).live.frame == 7


async def test_what_was_read_before_a_change_is_not_kept_after_it(
    real_store: Store, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two calls: the first has read, and is still on its way when a change is answered, and the second after that."""
    channels, read = kept(real_store), real_store.read
    one = await add(real_store, "One", now)
    has_read, goes_on = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def slowly() -> AsyncGenerator[Transaction]:
        async with read() as tx:
            yield tx
        has_read.set()
        await goes_on.wait()

    monkeypatch.setattr(real_store, "read", slowly)
    first = asyncio.create_task(channels.get(one.id))
    await has_read.wait()
    monkeypatch.undo()
    async with real_store.write() as tx:
        await tx.channels.update_spec(one.id, one.rev, {"name": "New"})
    assert (await channels.get(one.id)).name == "New"
    goes_on.set()
    assert (await first).name == "One", "it was asked before"
    assert (await channels.get(one.id)).name == "New"


async def test_a_change_of_which_nobody_knows_whether_it_holds_is_looked_at(
    real_store: Store, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = kept(real_store)
    one = await add(real_store, "One", now)
    assert (await channels.get(one.id)).name == "One"

    @asynccontextmanager
    async def unanswered(*args: object, **more: object) -> AsyncGenerator[Transaction]:
        async with transaction(*args, **more) as tx:
            yield tx
        raise StoreUnavailable("the commit was done, and did not answer")

    monkeypatch.setattr("db.store.transaction", unanswered)
    with pytest.raises(StoreUnavailable):
        async with real_store.write() as tx:
            await tx.channels.update_spec(one.id, one.rev, {"name": "New"})
    monkeypatch.undo()
    assert (await channels.get(one.id)).name == "New"


async def test_no_database_is_asked_while_no_channel_changes(
    real_store: Store, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But where another process may change them, always."""
    rows: dict[str, Channel] = {}
    store, channels = real_store, kept(real_store, rows.get)
    one = await add(store, "One", now)
    rows[one.id] = one  # supervision has read the same
    async with store.write() as tx:
        leadership = await tx.leader.acquire("me", "", 60, seize=False)
    assert leadership is not None
    fence = leadership.fence
    first = await channels.get(one.id)
    async with store.write() as tx:
        await tx.projects.add("Other", now)
        await tx.channels.record_positions(fence, {one.id: Position("item", 1, now, "25")})
        await tx.channels.extend_leases(fence, {one.id: 0}, 60)
        await tx.audit.add(now, "root", "unix", "look", "", "done")
    monkeypatch.setattr("db.store.transaction", away)
    if store.dialect == "sqlite":
        assert await channels.get(one.id) == first
    else:
        with pytest.raises(StoreUnavailable):
            await channels.get(one.id)
    monkeypatch.undo()


def away(*_: object, **__: object) -> object:
    raise StoreUnavailable("the disk is gone")


@pytest.mark.parametrize(
    ("statement", "may"),
    [
        ("INSERT INTO channel (id) VALUES (?)", True),
        ('INSERT INTO "channel"(id) VALUES (?)', True),
        ("INSERT INTO output (id) VALUES (?)", True),
        ("INSERT INTO as_run (id) VALUES (?)", False),
        ("INSERT INTO audit (id) VALUES (?) ON CONFLICT DO NOTHING", False),
        ("INSERT OR REPLACE INTO project (id) VALUES (?)", True),
        ("UPDATE channel SET rev=? WHERE id = ?", True),
        ("UPDATE channel SET lease_until=NULL, rev=(channel.rev + ?) WHERE id = ?", True),
        ("UPDATE channel_note SET rev=?", False),
        ("UPDATE leader SET term=?", False),
        ("UPDATE OR REPLACE project SET id=?", True),
        ("DELETE FROM playlist WHERE id = ?", True),
        ("WITH a AS (SELECT 1) UPDATE channel SET rev=1", True),
        ("SELECT id FROM channel", False),
        ("BEGIN IMMEDIATE", False),
        ("", True),
    ],
)
def test_in_doubt_a_statement_may_change_a_channel(statement: str, may: bool) -> None:
    assert may_change_channels(statement) is may
