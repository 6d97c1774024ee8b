"""True peak as ITU-R BS.1770-5 measures it (Annex 2): the sound four times oversampled by the filter given there."""

import numpy as np

from sidecar.media.interface import Samples

_HALF = (
    (0.0017089843750, 0.0109863281250, -0.0196533203125, 0.0332031250000, -0.0594482421875, 0.1373291015625,
     0.9721679687500, -0.1022949218750, 0.0476074218750, -0.0266113281250, 0.0148925781250, -0.0083007812500),
    (-0.0291748046875, 0.0292968750000, -0.0517578125000, 0.0891113281250, -0.1665039062500, 0.4650878906250,
     0.7797851562500, -0.2003173828125, 0.1015625000000, -0.0582275390625, 0.0330810546875, -0.0189208984375),
)  # fmt: skip
"""Phases 0 and 1; 2 and 3 are their mirror images."""
_PHASES = np.array([*_HALF, _HALF[1][::-1], _HALF[0][::-1]], np.float32)
_TAPS = _PHASES.shape[1]


class TruePeak:
    """The highest level between samples of stereo sound that comes in any portions, in order."""

    def __init__(self) -> None:
        self._before = np.zeros((2, _TAPS - 1), np.float32)
        self.highest = 0.0
        """Since the start or ``begin``; full scale is 1.0."""

    def begin(self) -> None:
        """Forgets what came before."""
        self._before[:] = 0.0
        self.highest = 0.0

    def add(self, sound: Samples) -> None:
        if not sound.shape[1]:
            return
        joined = np.concatenate([self._before, sound], axis=1)
        self._before = joined[:, -(_TAPS - 1) :].copy()
        highest = float(np.abs(sound).max())
        # No phase gains more than 1.9: sound that is low enough cannot set a new mark.
        if highest * 2 > self.highest:
            for channel in joined:
                for phase in _PHASES:
                    highest = max(highest, float(np.abs(np.convolve(channel, phase, "valid")).max()))
        self.highest = max(self.highest, highest)
