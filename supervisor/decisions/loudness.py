"""By how much a clip's sound is levelled. Pure; everything in hundredths of a decibel."""

from typing import Final

from sidecar.protocol.channel import LoudnessProfile

TARGETS: Final[dict[LoudnessProfile, tuple[int, int] | None]] = {
    "off": None,
    "r128": (-2300, -100),
    "a85": (-2400, -200),
}
"""Integrated loudness (LUFS) and the highest true peak (dBTP): EBU R 128, ATSC A/85."""
UNTOUCHED: Final = 100
"""Within one loudness unit of the target nothing is done."""
MOST_UP: Final = 600


def gain_mb(profile: LoudnessProfile, loudness_mb: int | None, true_peak_mb: int | None) -> int:
    """Of a clip that was measured. None: it is not measured, or silent, and airs as it is.

    What is too quiet is made louder only as far as its true peak allows, and never softer for it.
    """
    target = TARGETS[profile]
    if target is None or loudness_mb is None:
        return 0
    wanted, highest = target
    off = wanted - loudness_mb
    if abs(off) <= UNTOUCHED:
        return 0
    if off < 0:
        return off
    room = off if true_peak_mb is None else highest - true_peak_mb
    return max(0, min(off, MOST_UP, room))
