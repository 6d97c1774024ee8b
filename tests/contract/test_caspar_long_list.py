"""Two hundred clips on the CasparCG engine, many the same again: exact, and never behind by more than a look."""

import random

import pytest

from sidecar.caspar.drive import POLL_NS
from sidecar.protocol.channel import Item
from tests.fixtures.caspar_air import TICK_NS, CasparAir

pytestmark = pytest.mark.long

FILES = {f"f{n}": 60 + 37 * n for n in range(12)}


async def test_two_hundred_clips_with_repeats_are_logged_to_the_frame() -> None:
    chance = random.Random(5)
    items: list[Item] = []
    expected: list[tuple[str, int]] = []
    for number in range(200):
        name = items[-1].title if items and chance.random() < 0.3 else chance.choice(list(FILES))
        whole = FILES[name]
        trim = chance.choice([None, chance.randrange(12, whole)])
        first = 0 if trim is None else chance.randrange(0, whole - trim + 1)
        path = f"/media/{name}.mp4"
        items.append(
            Item(id=f"i{number}", title=name, path=path, in_frames=first, source_rate="25", duration_frames=trim)
            if trim is not None
            else Item(id=f"i{number}", title=name, path=path)
        )
        expected.append((f"i{number}", whole if trim is None else trim))
    total = sum(frames for _, frames in expected)
    behind = 0
    async with CasparAir(items, FILES) as air:
        await air.arm()
        while air.time.ticks <= total + 50:
            await air.step()
            behind = max(behind, air.time.ticks - air.clock.frame)
        ends = air.ends()
        assert [(name, frames) for name, _, frames, _ in ends] == expected
        assert all(cause == "ended" and late == 0 for _, cause, _, late in ends)
        starts = [fact.frame for fact, _ in air.facts if fact.kind == "item_start"]
        assert starts == [one.tick for one in air.aired][:200]  # the log's frames are those of the air itself
        assert {fact.proof for fact, _ in air.facts} == {"confirmed"}
    assert behind <= POLL_NS // TICK_NS + 1
