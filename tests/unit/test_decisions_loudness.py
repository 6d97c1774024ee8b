"""By how much a clip is levelled."""

import pytest

from sidecar.protocol.channel import LoudnessProfile
from supervisor.decisions.loudness import gain_mb


@pytest.mark.parametrize(
    ("profile", "loudness", "peak", "gain"),
    [
        ("r128", -2300, -500, 0),
        ("r128", -2400, -2000, 0),  # one unit off is near enough
        ("r128", -2200, 0, 0),
        ("r128", -2401, -2000, 101),
        ("r128", -1000, 0, -1300),
        ("a85", -1000, 0, -1400),
        ("a85", -2700, -1000, 300),
        ("r128", -4000, -3000, 600),  # at most 6 dB up
        ("r128", -2800, -300, 200),  # up to its true peak of -1 dBTP
        ("a85", -2900, -300, 100),  # up to its true peak of -2 dBTP
        ("r128", -2800, 50, 0),  # too quiet, and not made quieter for its peak
        ("r128", None, None, 0),  # not measured, or silent
        ("off", -1000, 0, 0),
    ],
)
def test_gain(profile: LoudnessProfile, loudness: int | None, peak: int | None, gain: int) -> None:
    assert gain_mb(profile, loudness, peak) == gain
