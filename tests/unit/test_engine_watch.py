"""Black, still pictures and silence: what counts, from when, and what is meant so."""

from fractions import Fraction

import av
import numpy as np
import pytest

from sidecar.engine.output_watch import OutputWatch, Portion, has_moved, rows_of
from sidecar.protocol.channel import Meant, WatchThresholds
from sidecar.protocol.status import OutputFaults

RATE = Fraction(25)
QUIET = np.zeros((2, 1920), np.float32)
LOUD = np.full((2, 1920), 0.1, np.float32)
SIZE = (320, 180)


def picture(luma: np.ndarray) -> av.VideoFrame:
    chroma = np.full((SIZE[1] // 2, SIZE[0]), 128, np.uint8)
    return av.VideoFrame.from_ndarray(np.concatenate([luma.astype(np.uint8), chroma]), format="yuv420p")


def noise(seed: int, middle: int = 128, spread: int = 60) -> np.ndarray:
    return np.random.default_rng(seed).integers(middle - spread, middle + spread + 1, (SIZE[1], SIZE[0]))


BLACK = picture(np.full((SIZE[1], SIZE[0]), 16))
MOVING = [picture(noise(seed)) for seed in range(7)]


class Watched:
    def __init__(self, **thresholds: int) -> None:
        self.watch = OutputWatch(RATE, WatchThresholds(**thresholds))
        self.number = 0

    def air(
        self, seconds: float, *pictures: av.VideoFrame, sound: np.ndarray = LOUD, meant: tuple[Meant, ...] = ()
    ) -> OutputFaults:
        for _ in range(round(seconds * RATE)):
            shown = pictures[self.number // 5 % len(pictures)] if self.number % 5 == 0 else None
            self.watch.add(Portion(self.number, shown, sound, meant))
            self.number += 1
        return self.watch.faults


def test_a_programme_that_moves_and_sounds_has_no_faults() -> None:
    assert Watched().air(60, *MOVING) == OutputFaults()


@pytest.mark.parametrize(
    ("name", "limit", "pictures", "sound"),
    [("black", 8, (BLACK,), LOUD), ("freeze", 30, MOVING[:1], LOUD), ("silence", 15, MOVING, QUIET)],
)
def test_a_fault_is_raised_when_its_time_is_over(
    name: str, limit: int, pictures: tuple[av.VideoFrame, ...], sound: np.ndarray
) -> None:
    watched = Watched()
    watched.air(3, *MOVING[1:])
    before = watched.air(limit - 0.4, *pictures, sound=sound)
    assert before.raised == ()
    after = watched.air(0.8, *pictures, sound=sound)
    assert after.raised == (name,)
    lasting = {"black": after.black_ms, "freeze": after.freeze_ms, "silence": after.silence_ms}
    assert abs(lasting.pop(name) - limit * 1000 - 400) <= 200
    assert set(lasting.values()) == {0}, "black is not told as a still picture too"
    assert watched.air(0.4, *MOVING[1:]) == OutputFaults()


def test_what_is_meant_raises_nothing_and_does_not_count_for_what_follows() -> None:
    watched = Watched(black_s=2, freeze_s=2, silence_s=2)
    assert watched.air(10, BLACK, sound=QUIET, meant=("black", "freeze", "silence")) == OutputFaults()
    faults = watched.air(1, BLACK, sound=QUIET)
    assert faults.raised == ()
    assert 800 <= faults.black_ms <= 1000
    assert watched.air(2, BLACK, sound=QUIET).raised == ("black", "silence")
    watched.air(5, MOVING[0], meant=("freeze",))
    assert watched.air(1, MOVING[0]).raised == ()
    assert watched.air(2, MOVING[0]).raised == ("freeze",)


def test_a_threshold_of_zero_never_raises() -> None:
    assert Watched(black_s=0, silence_s=0).air(60, BLACK, sound=QUIET).raised == ()


def test_black_with_a_logo_is_black_and_a_dark_scene_is_not() -> None:
    luma = np.full((SIZE[1], SIZE[0]), 16)
    luma[10:24, 280:310] = 200
    assert Watched().air(9, picture(luma)).raised == ("black",)
    dark = [picture(noise(seed, 30, 12)) for seed in range(5)]
    assert Watched().air(9, *dark) == OutputFaults()


def test_codings_noise_is_no_motion_and_a_small_clock_is() -> None:
    still = noise(1)
    grain = [rows_of(picture(still + noise(seed, 0, 4))) for seed in range(2, 6)]
    assert not any(has_moved(grain[0], other) for other in grain)
    ticking = still.copy()
    ticking[20:40, 20:24] = 255 - ticking[20:40, 20:24] // 2
    assert has_moved(rows_of(picture(still)), rows_of(picture(ticking)))


def test_a_slow_fade_is_no_still_picture() -> None:
    """No look differs much from the one before it."""
    fade = [picture(np.full((SIZE[1], SIZE[0]), 40 + step)) for step in range(180)]
    assert Watched(freeze_s=5).air(36, *fade).raised == ()
