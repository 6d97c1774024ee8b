"""Gain, logo and watch through the playout's public door, measured on the decoded programme."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from sidecar.engine.playout import Playout
from sidecar.protocol.channel import Item, Logo, Output, Playlist, SidecarDocument, WatchThresholds
from sidecar.rundown.clock import Refused
from sidecar.rundown.model import Airing
from tests.fixtures.air import ENCODING, FORMAT, Facts, NumberedSource, PacedTime, wait_until
from tests.fixtures.playing import plane

FRAMES = 50
LEVEL = 0.1


class Air:
    def __init__(self, folder: Path, *items: Item, logo: Logo | None = None) -> None:
        self.file = folder / "programme.ts"
        self.facts = Facts()
        self.time = PacedTime()
        document = SidecarDocument(
            "c" * 32, "Test", FORMAT, (Output("file", "file", str(self.file)),), Playlist(1, items), ENCODING,
            logo=logo, watch=WatchThresholds(black_s=1, freeze_s=1, silence_s=1),
        )  # fmt: skip
        self.playout = Playout(
            document,
            epoch=1,
            journal=self.facts,  # type: ignore[arg-type]  # what it needs of a journal, without files
            media_root=folder,
            open_source=self._open,
            time=self.time,
        )
        self.time.is_ready = self._has_taken_most

    def _open(self, airing: Airing, channel: object) -> NumberedSource:
        return NumberedSource(airing, FORMAT, clip=1, frames=FRAMES, level=LEVEL)

    def _has_taken_most(self) -> bool:
        status = self.playout.status()
        return all(status.frame - output.frames_sent < 4 for output in status.outputs if output.id == "file")

    def start(self) -> None:
        self.playout.start()
        wait_until(lambda: (coming := self.playout.status().next) is None or coming.ready, 5, "the first item is ready")
        self.playout.arm("tester").result(60)

    def play(self, frames: int) -> None:
        wait_until(lambda: self.playout.status().frame >= frames, 30, f"frame {frames}")

    def decoded(self) -> tuple[list[np.ndarray], np.ndarray]:
        assert self.playout.stop("tester", 10)
        with av.open(str(self.file)) as container:
            pictures = [plane(frame).copy() for frame in container.decode(video=0)]
        with av.open(str(self.file)) as container:
            sound = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
        return pictures, sound


@pytest.fixture
def stopped() -> Iterator[list[Air]]:
    made: list[Air] = []
    yield made
    for one in made:
        one.playout.stop("test's end", 10)


def clip(name: str, **values: object) -> Item:
    return Item(name, name, path=f"/{name}", **values)  # type: ignore[arg-type] - test values


def test_an_items_gain_is_on_its_sound_and_on_no_others(tmp_path: Path, stopped: list[Air]) -> None:
    air = Air(tmp_path, clip("plain"), clip("quiet", gain_mb=-600), clip("loud", gain_mb=350))
    stopped.append(air)
    air.start()
    air.play(3 * FRAMES)
    _, sound = air.decoded()
    for number, gain in enumerate((0, -6, 3.5)):
        middle = sound[:, (number * FRAMES + 15) * 1920 : (number * FRAMES + 35) * 1920]
        assert 20 * np.log10(np.median(middle) / LEVEL) == pytest.approx(gain, abs=0.2)


def has_logo(picture: np.ndarray) -> bool:
    return bool(np.median(picture[142:158, 282:298]) > 200)


def white(path: Path) -> Logo:
    Image.new("RGBA", (20, 20), (255, 255, 255, 255)).save(path)
    return Logo(str(path), x=280, y=140)


def test_the_logo_is_on_by_item_and_by_an_operator_until_the_next(tmp_path: Path, stopped: list[Air]) -> None:
    items = (clip("inherits"), clip("without", logo="off"), clip("again"))
    air = Air(tmp_path, *items, logo=white(tmp_path / "logo.png"))
    stopped.append(air)
    air.playout.start()
    wait_until(lambda: (logo := air.playout.status().logo) is not None and not logo.fault, 5, "the logo")
    air.playout.arm("tester").result(60)
    air.play(20)
    off = air.playout.logo("off", "anna").result(60)
    assert (off.sentence, off.frame is not None) == ("logo off until the next item", True)
    air.play(FRAMES + 20)
    on = air.playout.logo("on", "anna").result(60)
    air.play(3 * FRAMES)
    pictures, _ = air.decoded()
    assert off.frame is not None
    assert on.frame is not None
    wanted = [
        number < off.frame or on.frame <= number < 2 * FRAMES or number >= 2 * FRAMES for number in range(3 * FRAMES)
    ]
    assert [has_logo(picture) for picture in pictures[: 3 * FRAMES]] == wanted
    assert [(fact.cause, fact.by, fact.detail) for fact in air.facts.of("command") if fact.cause == "logo"] == [
        ("logo", "anna", "logo off until the next item"),
        ("logo", "anna", "logo on until the next item"),
    ]


def test_a_logo_that_cannot_be_read_is_told_and_the_air_goes_on(tmp_path: Path, stopped: list[Air]) -> None:
    air = Air(tmp_path, clip("one"), logo=Logo(str(tmp_path / "missing.png")))
    stopped.append(air)
    air.start()
    wait_until(lambda: (logo := air.playout.status().logo) is not None and "No such" in logo.fault, 5, "the fault")
    with pytest.raises(Refused, match="No such file"):
        air.playout.logo("on", "anna").result(60)
    air.play(10)


def test_a_channel_without_a_logo_refuses_the_key(tmp_path: Path, stopped: list[Air]) -> None:
    air = Air(tmp_path, clip("one"))
    stopped.append(air)
    air.start()
    with pytest.raises(Refused, match="has no logo"):
        air.playout.logo("off", "anna").result(60)
    assert air.playout.status().logo is None


def test_silence_and_stillness_are_seen_where_they_leave(tmp_path: Path, stopped: list[Air]) -> None:
    """The list is over: the slate stands without sound, which nobody asked for. In standby somebody did."""
    air = Air(tmp_path, clip("one"))
    stopped.append(air)
    air.start()
    air.play(FRAMES)
    assert air.playout.status().faults.raised == ()
    wait_until(lambda: "silence" in air.playout.status().faults.raised, 20, "silence")
    air.playout.command(lambda clock: clock.standby("anna")).result(60)
    wait_until(lambda: air.playout.status().faults.raised == (), 5, "nothing in standby")
    frame = air.playout.status().frame
    air.play(frame + 40)

    assert air.playout.status().faults.raised == ()
