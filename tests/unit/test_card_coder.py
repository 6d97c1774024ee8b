"""What comes raw from a card, coded: pictures and sound stay together whatever the card loses."""

import io
from fractions import Fraction
from itertools import pairwise
from typing import cast

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from sidecar.recorder.card_coder import CardCoder
from sidecar.recorder.media import Coded

RATE = 25
RATE_OF_SOUND = 48_000
SAMPLES = RATE_OF_SOUND // RATE


def raw(frames: list[int]) -> bytes:
    """Picture and sound of these frames, each at its time."""
    memory = io.BytesIO()
    with av.open(memory, "w", format="nut") as container:
        video = cast("VideoStream", container.add_stream("rawvideo", rate=RATE))  # pyright: ignore[reportUnknownMemberType]
        video.width, video.height, video.pix_fmt = 320, 180, "uyvy422"
        # PyAV leaves add_stream's keywords untyped.
        audio = container.add_stream("pcm_s16le", rate=RATE_OF_SOUND, layout="stereo")  # pyright: ignore[reportUnknownMemberType]
        for number in frames:
            picture = av.VideoFrame(320, 180, "uyvy422")
            picture.pts, picture.time_base = number, Fraction(1, RATE)
            container.mux(video.encode(picture))
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 2 * SAMPLES), np.int16), format="s16", layout="stereo")
            sound.sample_rate, sound.pts, sound.time_base = RATE_OF_SOUND, number * SAMPLES, Fraction(1, RATE_OF_SOUND)
            container.mux(audio.encode(sound))
    return memory.getvalue()


def coded(frames: list[int]) -> list[Coded]:
    found: list[Coded] = []
    with av.open(io.BytesIO(raw(frames)), "r", format="nut") as container:
        coder = CardCoder(container.streams.video[0], Fraction(RATE), interlaced=False)
        try:
            for packet in container.demux():
                found.extend(coder.coded(packet))
        finally:
            coder.close()
    return found


def test_sound_is_where_its_picture_is_after_frames_that_the_card_lost() -> None:
    found = coded([*range(50), *range(60, 110)])
    pictures = [one.pts for one in found if one.is_picture]
    sound = [one.pts for one in found if not one.is_picture]
    assert [round(at * RATE) for at in pictures] == [*range(50), *range(60, 110)]
    gaps = [later - before for before, later in pairwise(sound) if later - before > Fraction(1, RATE)]
    assert len(gaps) == 1, "the gap stays a gap"
    assert float(gaps[0]) == pytest.approx(0.4, abs=0.05)
    assert Fraction(109, RATE) - sound[-1] < Fraction(1, 10), "it is not early from there on"


def test_sound_without_a_loss_is_counted() -> None:
    sound = [one.pts for one in coded([*range(50)]) if not one.is_picture]
    assert {later - before for before, later in pairwise(sound)} == {Fraction(1024, RATE_OF_SOUND)}
