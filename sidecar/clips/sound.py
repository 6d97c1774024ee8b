"""The sound of a clip: a quiet chord of its own, and a beep a frame long with every flash."""

import numpy as np
from numpy.typing import NDArray

from sidecar.clips.picture import is_flash
from sidecar.clips.specification import ClipSpecification

SAMPLE_RATE = 48_000
BEEP_HZ = 1_000
BEEP_LEVEL = 0.25
CHORD_LEVEL = 0.04


def clip_sound(clip: ClipSpecification) -> NDArray[np.float32]:
    """Shape (channels, samples), as long as the picture to the sample."""
    total = int(clip.frames * SAMPLE_RATE / clip.rate)
    time = np.arange(total) / SAMPLE_RATE
    root = 110.0 * 2 ** (clip.number * 2 % 12 / 12)
    sound = np.zeros((clip.audio_channels, total), dtype=np.float32)
    for channel in range(clip.audio_channels):
        interval = (1.0, 1.25, 1.5, 0.5, 1.0, 1.25)[channel % 6]
        sound[channel] = CHORD_LEVEL * np.sin(2 * np.pi * root * interval * time)
    beep_length = int(SAMPLE_RATE / clip.rate)
    beep = BEEP_LEVEL * np.sin(2 * np.pi * BEEP_HZ * np.arange(beep_length) / SAMPLE_RATE)
    for number in range(clip.frames):
        if is_flash(number, clip):
            start = int(number * SAMPLE_RATE / clip.rate)
            end = min(total, start + beep_length)
            sound[:, start:end] += beep[: end - start].astype(np.float32)
    fade = min(480, total)
    sound[:, :fade] *= np.linspace(0, 1, fade, dtype=np.float32)
    sound[:, total - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return sound
