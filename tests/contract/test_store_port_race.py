"""Two channels and a recorder race for one port, again and again: always exactly one wins (P3)."""

import asyncio
import os
from datetime import datetime

import pytest

from db.errors import PortTaken
from db.models import Channel, Recorder
from db.repositories.ports import PortWanted
from db.store import Store
from tests.long import LONG

RACES = int(os.environ.get("MCR_RACES", "120" if LONG else "60"))
"""``MCR_RACES=1000`` takes some six minutes over the three stores."""
TIMEOUT_S = 120 + RACES
"""A thousand races are some six thousand transactions, each flushed to a disk that others use, too."""
FORMAT = {"width": 1280, "height": 720, "rate": "25"}


@pytest.mark.timeout(TIMEOUT_S)
async def test_two_channels_and_a_recorder_race_for_one_port(store: Store, now: datetime) -> None:
    async with store.write() as tx:
        node_id = (await tx.nodes.add(name="mcr-a", kind="agent", now=now)).id
        racers: list[Channel | Recorder] = [
            await tx.channels.add({"name": "NEWS", **FORMAT}, [], now),
            await tx.channels.add({"name": "SPORT", **FORMAT}, [], now),
            await tx.recorders.add({"name": "INGEST", "input_kind": "decklink", "device_index": 1}, now),
        ]
    port = PortWanted(node_id, "index:1", 1)
    wins: dict[str, int] = {racer.name: 0 for racer in racers}

    async def start(racer: Channel | Recorder, ready: asyncio.Barrier) -> str:
        await ready.wait()
        async with store.write() as tx:
            nouns = tx.channels if isinstance(racer, Channel) else tx.recorders
            row = await nouns.get(racer.id)
            await nouns.set_desired(row.id, row.rev, "on", [port], now)
        return racer.name

    for number in range(RACES):
        ready = asyncio.Barrier(3)
        order = racers[number % 3 :] + racers[: number % 3]
        results = await asyncio.gather(*(start(racer, ready) for racer in order), return_exceptions=True)
        (winner,) = [result for result in results if isinstance(result, str)]
        losers = [result for result in results if not isinstance(result, str)]
        assert [(type(loser), getattr(loser, "owner_name", None)) for loser in losers] == [(PortTaken, winner)] * 2
        wins[winner] += 1
        async with store.write() as tx:
            live = await tx.ports.list(node_id=node_id)
            assert len(live) == 1
            for racer in racers:
                nouns = tx.channels if isinstance(racer, Channel) else tx.recorders
                row = await nouns.get(racer.id)
                if row.desired == "on":
                    assert row.name == winner
                    await nouns.set_desired(row.id, row.rev, "off", (), now)
    assert min(wins.values()) > 0, "every side must have won some, or this was no race"
