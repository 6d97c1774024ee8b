import numpy as np

from sidecar.engine.sound import RAMP_MS, SoundJoiner
from sidecar.media.interface import Samples

RATE = 48_000
RAMP = RATE * RAMP_MS // 1000


def level(value: float, samples: int = 1920) -> Samples:
    return np.full((2, samples), value, np.float32)


def steepest(*portions: Samples) -> float:
    return float(np.abs(np.diff(np.concatenate(portions, axis=1))).max())


def test_a_cut_becomes_a_slope_of_three_milliseconds() -> None:
    joiner = SoundJoiner(RATE)
    first = joiner.join(level(0.8), cut=False)
    second = joiner.join(level(-0.8), cut=True)
    assert steepest(first, second) < 1.6 / RAMP * 1.01
    assert np.all(second[:, RAMP:] == np.float32(-0.8))


def test_into_silence_and_out_of_it_too() -> None:
    joiner = SoundJoiner(RATE)
    portions = [joiner.join(level(0.5), cut=True), joiner.join(level(0), cut=True), joiner.join(level(0.5), cut=True)]
    assert steepest(level(0), *portions) < 0.5 / RAMP * 1.01


def test_a_natural_seam_is_not_touched() -> None:
    joiner = SoundJoiner(RATE)
    joiner.join(level(0.8), cut=False)
    sound = level(-0.8)
    assert joiner.join(sound, cut=False) is sound


def test_the_sound_of_a_source_is_not_written_to() -> None:
    joiner = SoundJoiner(RATE)
    sound = level(0.5)
    sound.flags.writeable = False
    assert joiner.join(sound, cut=True) is not sound


def test_less_sound_than_a_slope() -> None:
    joiner = SoundJoiner(RATE)
    joiner.join(level(1.0), cut=False)
    assert joiner.join(level(0.0, 10), cut=True).shape == (2, 10)
    assert joiner.join(level(0.0, 0), cut=True).shape == (2, 0)
