"""Channels kept in memory: never older than what was answered, and no database asked while none changed."""

from collections.abc import Callable
from datetime import datetime

import pytest

from db.channel_writes import may_change_channels
from db.errors import Missing, StoreUnavailable
from db.models import Channel
from db.repositories.channels import OutputSpec, Position
from db.store import Store
from supervisor.api.kept_channels import KeptChannels
from supervisor.clock import SystemClock
from supervisor.events import Events
from supervisor.live import LiveBoard

FORMAT = {"width": 1280, "height": 720, "rate": "25"}


async def add(store: Store, name: str, now: datetime) -> Channel:
    async with store.write() as tx:
        return await tx.channels.add({"name": name, **FORMAT}, [OutputSpec("hls")], now)


def kept(store: Store, row: Callable[[str], Channel | None] = lambda _: None) -> KeptChannels:
    clock = SystemClock()
    return KeptChannels(store, clock, LiveBoard(Events(), clock, lambda _: 0).get, row)


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
    other = Store(real_store.url.render_as_string(hide_password=False))
    async with other.write() as tx:
        changed = await tx.channels.update_spec(one.id, one.rev, {"name": "New"})
    await other.close()
    rows[one.id] = changed
    assert (await channels.get(one.id)).name == "New"


async def test_no_database_is_asked_while_no_channel_changes(
    real_store: Store, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But where another process may change them, always."""
    store, channels = real_store, kept(real_store)
    one = await add(store, "One", now)
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
