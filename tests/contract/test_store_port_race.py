"""Two channels and a recorder race for one port, again and again: always exactly one wins (P3)."""

from datetime import datetime

import pytest

from db.store import Store
from tests.fixtures.port_race import PortRace
from tests.long import LONG

RACES = 120 if LONG else 60
"""``make races`` runs a thousand on each database."""


@pytest.mark.long
async def test_two_channels_and_a_recorder_race_for_one_port(store: Store, now: datetime) -> None:
    race = await PortRace.prepared(store, now)
    winners = {await race.run(number) for number in range(RACES)}
    assert winners == {racer.name for racer in race.racers}, "every side must have won some, or this was no race"
