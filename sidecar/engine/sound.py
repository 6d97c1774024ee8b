"""Levels, and joining sound without a click."""

import numpy as np

from sidecar.media.interface import Samples

RAMP_MS = 3


def amplified(sound: Samples, gain_mb: int) -> Samples:
    """``sound`` itself where there is nothing to do. ``gain_mb``: hundredths of a decibel."""
    return sound * np.float32(10 ** (gain_mb / 2000)) if gain_mb else sound


class SoundJoiner:
    """Sees all sound that leaves, in order. Where a picture cut cuts sound, the step is made a slope of 3 ms: the last
    level falls while the new sound rises. That needs no look ahead, so a take costs no delay."""

    def __init__(self, sample_rate: int) -> None:
        length = sample_rate * RAMP_MS // 1000
        self._rise = np.linspace(0.0, 1.0, length, endpoint=False, dtype=np.float32)
        self._level = np.zeros((2, 1), np.float32)

    def join(self, sound: Samples, *, cut: bool) -> Samples:
        """``sound`` itself, or a copy with the slope when ``cut``."""
        if sound.shape[1] == 0:
            return sound
        if cut:
            length = min(len(self._rise), sound.shape[1])
            rise = self._rise[:length]
            sound = sound.copy()
            sound[:, :length] = sound[:, :length] * rise + self._level * (1.0 - rise)
        self._level = sound[:, -1:].copy()
        return sound
