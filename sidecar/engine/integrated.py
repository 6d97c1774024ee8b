"""Integrated loudness as EBU R 128 and ITU-R BS.1770 gate it, from the momentary loudness of every 100 ms."""

import math

import numpy as np

_ABSOLUTE_GATE = -70.0  # LUFS
_RELATIVE_GATE = 10.0  # LU below the mean of what passed the absolute gate
_TOP = 30.0  # LUFS; nothing is that loud
_BINS_A_LU = 10
_OVERLAP = 3
"""Of the blocks of 400 ms, one every 100 ms, so many reach back to before a beginning."""


class IntegratedLoudness:
    """Memory and work do not grow with the length: blocks are kept by level, a tenth of an LU each, with their exact
    energy."""

    def __init__(self) -> None:
        bins = round((_TOP - _ABSOLUTE_GATE) * _BINS_A_LU)
        self._counts = np.zeros(bins, np.int64)
        self._energies = np.zeros(bins, np.float64)
        self._skip = 0

    def begin(self) -> None:
        """What is added from here on is another item's; blocks that still hear the one before do not count."""
        self._counts[:] = 0
        self._energies[:] = 0.0
        self._skip = _OVERLAP

    def add(self, momentary_lufs: float) -> None:
        """One block of 400 ms, 100 ms after the one before."""
        if self._skip:
            self._skip -= 1
            return
        if not momentary_lufs > _ABSOLUTE_GATE:  # also what is not a number
            return
        place = min(int((momentary_lufs - _ABSOLUTE_GATE) * _BINS_A_LU), len(self._counts) - 1)
        self._counts[place] += 1
        self._energies[place] += 10 ** (momentary_lufs / 10)

    @property
    def lufs(self) -> float | None:
        """None while nothing was louder than the absolute gate."""
        count = int(self._counts.sum())
        if not count:
            return None
        gate = 10 * math.log10(float(self._energies.sum()) / count) - _RELATIVE_GATE
        first = max(0, math.ceil((gate - _ABSOLUTE_GATE) * _BINS_A_LU))
        return 10 * math.log10(float(self._energies[first:].sum()) / int(self._counts[first:].sum()))
