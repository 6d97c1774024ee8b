"""What the station says of alarms: one text for each kind, channel or recorder, and on the alarms themselves."""

from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from db import schema
from db.errors import Missing
from db.models import Channel, Recorder
from db.store import Store

NOBODY = "0" * 32


async def add(store: Store, now: datetime) -> tuple[Channel, Recorder]:
    async with store.write() as tx:
        channel = await tx.channels.add({"name": "One", "width": 1280, "height": 720, "rate": "25"}, [], now)
        return channel, await tx.recorders.add({"name": "Ingest", "input_kind": "test"}, now)


async def test_an_alarm_carries_all_that_is_said_of_it_the_most_exact_first(store: Store, now: datetime) -> None:
    channel, recorder = await add(store, now)
    async with store.write() as tx:
        await tx.instructions.set(None, None, "dark", "call 4711", "kim", now)
        await tx.instructions.set(channel.id, None, None, "crosspoint 12", "kim", now)
        await tx.instructions.set(channel.id, None, "dark", "was", "kim", now)
        changed = await tx.instructions.set(channel.id, None, "dark", "cut to the spare", "lee", now)
        await tx.instructions.set(None, recorder.id, None, "ring the archive", "kim", now)
        assert (changed.text, changed.changed_by) == ("cut to the spare", "lee")
        assert len(await tx.instructions.list()) == 4
        dark, _ = await tx.alarms.raise_once("dark", channel.id, None, "critical", "dark", now)
        hung, _ = await tx.alarms.raise_once("hung", channel.id, None, "critical", "hung", now)
        other, _ = await tx.alarms.raise_once("dark", NOBODY, None, "critical", "dark", now)
        taped, _ = await tx.alarms.raise_once("hung", None, None, "critical", "hung", now, recorder.id)
        none, _ = await tx.alarms.raise_once("hung", None, NOBODY, "critical", "hung", now)
        assert dark.instruction == "cut to the spare · crosspoint 12 · call 4711"
        said = [row.instruction for row in (hung, other, taped, none)]
        assert said == ["crosspoint 12", "call 4711", "ring the archive", ""]


async def test_open_alarms_show_what_changed_and_no_others_do(store: Store, now: datetime) -> None:
    channel, recorder = await add(store, now)
    async with store.write() as tx:
        alarm, _ = await tx.alarms.raise_once("dark", channel.id, None, "critical", "dark", now)
        await tx.alarms.raise_once("hung", None, None, "critical", "hung", now, recorder.id)
        await tx.alarms.raise_once("dark", NOBODY, None, "critical", "over", now)
        await tx.alarms.clear("dark", NOBODY, None, now)
        said = await tx.instructions.set(None, None, "dark", "call 4711", "kim", now)
        assert [row.id for row in await tx.instructions.tell_open_alarms(said)] == [alarm.id]
        assert await tx.instructions.tell_open_alarms(said) == []
        of_recorder = await tx.instructions.set(None, recorder.id, None, "ring the archive", "kim", now)
        assert [row.recorder_id for row in await tx.instructions.tell_open_alarms(of_recorder)] == [recorder.id]
    async with store.read() as tx:
        told = {row.text: row.instruction for row in await tx.alarms.list(open_only=False)}
        assert told == {"dark": "call 4711", "hung": "ring the archive", "over": ""}
    async with store.write() as tx:
        gone = await tx.instructions.delete(said.id)
        assert [row.instruction for row in await tx.instructions.tell_open_alarms(gone)] == [""]
        with pytest.raises(Missing, match="instruction"):
            await tx.instructions.delete(said.id)


async def test_it_is_of_something_that_there_is_and_goes_with_it(store: Store, now: datetime) -> None:
    channel, recorder = await add(store, now)
    async with store.write() as tx:
        for wrong in ((None, None, None), (channel.id, recorder.id, None)):
            with pytest.raises(ValueError, match="an instruction is of"):
                await tx.instructions.set(*wrong, "text", "kim", now)
        for gone in ((NOBODY, None, None), (None, NOBODY, None)):
            with pytest.raises(Missing):
                await tx.instructions.set(*gone, "text", "kim", now)
        await tx.instructions.set(channel.id, None, "dark", "of the channel", "kim", now)
        await tx.instructions.set(None, recorder.id, None, "of the recorder", "kim", now)
        await tx.channels.delete(channel.id, channel.rev)
        assert [row.text for row in await tx.instructions.list()] == ["of the recorder"]
        await tx.recorders.delete(recorder.id, recorder.rev)
        assert await tx.instructions.list() == []


async def test_a_recorders_alarm_of_the_version_before_is_found_as_its_own(real_store: Store, now: datetime) -> None:
    """It stood in the channel's place, and is known by the same key."""
    channel, recorder = await add(real_store, now)
    async with real_store.write() as tx:
        await tx.alarms.raise_once("hung", None, None, "critical", "hung", now, recorder.id)
        await tx.alarms.raise_once("hung", channel.id, None, "critical", "hung", now)
    await schema.downgrade(real_store.url, "0012")
    engine = create_async_engine(real_store.url)
    async with engine.connect() as connection:
        found = (await connection.execute(text("SELECT channel_id FROM alarm"))).scalars().all()
    await engine.dispose()
    assert sorted(found) == sorted([channel.id, recorder.id])
    await real_store.migrate()
    async with real_store.write() as tx:
        again, is_new = await tx.alarms.raise_once("hung", None, None, "critical", "hung", now, recorder.id)
        assert (is_new, again.recorder_id, again.channel_id) == (False, recorder.id, None)
        assert [row.channel_id for row in await tx.alarms.list(channel_id=channel.id)] == [channel.id]
        assert await tx.alarms.orphans() == []
