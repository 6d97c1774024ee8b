"""``python -m tests.console.pictures``: the README's pictures, drawn by the console from the scenes of its tests."""

import asyncio
import os
from pathlib import Path
from typing import Final

from tests.console.conftest import Desk, settled
from tests.console.scenes import asrun_events, normal_channels, reset

DOCS: Final = Path(__file__).parents[2] / "docs"
SIZE: Final = (120, 40)
PICTURES: Final = {"wall": ("3",), "channel": ("1", "enter")}
"""By the file's name, the keys that lead there."""


async def draw(keys: tuple[str, ...]) -> str:
    desk = Desk([reset(normal_channels())], history=asrun_events(40))
    async with desk.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press(*keys)
        await settled(pilot)
        desk.clock.passed = 0.4
        await settled(pilot)
        assert not desk.app.faults
        return desk.app.export_screenshot(title="mcr", simplify=True)


def main() -> None:
    for name in ("NO_COLOR", "MCR_ASCII"):
        os.environ.pop(name, None)
    for name, keys in PICTURES.items():
        (DOCS / f"{name}.svg").write_text(asyncio.run(draw(keys)), encoding="utf-8")


if __name__ == "__main__":
    main()
