"""What a decoded file sounds like in the channel's format: which ear, how loud, and when."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sidecar.protocol.channel import ChannelFormat
from tests.fixtures.playing import SMALL, level, play
from tests.fixtures.torture import Picturing, Sounding, grey, numbered, tone, write_clip

SECONDS = 2.0
FRAMES = 50


def level_at(samples: NDArray[np.float32], frequency: float, rate: int = 48_000) -> float:
    """Amplitude of one frequency, away from the ends."""
    inner = samples[rate // 4 : -rate // 4].astype(np.float64)
    time = np.arange(inner.size) / rate
    return float(2 * abs(np.mean(inner * np.exp(-2j * np.pi * frequency * time))))


def clip(path: Path, *sounds: Sounding, frames: int = FRAMES, **options: str) -> Path:
    codec = "ffv1" if path.suffix == ".mkv" else "libx264"
    return write_clip(path, Picturing(numbered(320, 180), frames, codec=codec), sounds, **options)


def decibels(ratio: float) -> float:
    return float(20 * np.log10(ratio))


@pytest.mark.parametrize("rate", [48_000, 44_100, 32_000, 96_000])
def test_stereo_keeps_its_sides_and_its_level(tmp_path: Path, rate: int) -> None:
    samples = np.stack([tone(440, SECONDS, 0.5, rate), tone(1000, SECONDS, 0.25, rate)])
    sound = play(clip(tmp_path / "stereo.mkv", Sounding(samples, rate=rate)), SMALL).sound
    assert sound.shape == (2, 96_000)
    assert abs(decibels(level_at(sound[0], 440) / 0.5)) < 0.05
    assert abs(decibels(level_at(sound[1], 1000) / 0.25)) < 0.05
    assert level_at(sound[0], 1000) < 0.001
    assert level_at(sound[1], 440) < 0.001


def test_mono_goes_to_both_sides_at_its_level(tmp_path: Path) -> None:
    sound = play(clip(tmp_path / "mono.mkv", Sounding(tone(440, SECONDS)[None], "mono")), SMALL).sound
    assert np.array_equal(sound[0], sound[1])
    assert abs(decibels(level_at(sound[0], 440) / 0.5)) < 0.05


@pytest.mark.parametrize("tracks", [2, 8])
def test_mono_tracks_one_and_two_are_left_and_right(tmp_path: Path, tracks: int) -> None:
    sounds = [Sounding(tone(400 + 100 * track, SECONDS)[None], "mono") for track in range(tracks)]
    sound = play(clip(tmp_path / "tracks.mov", *sounds), SMALL).sound
    assert abs(decibels(level_at(sound[0], 400) / 0.5)) < 0.05
    assert abs(decibels(level_at(sound[1], 500) / 0.5)) < 0.05
    assert level_at(sound[0], 500) < 0.001
    assert level_at(sound[1], 400) < 0.001


def surround(levels: dict[int, float]) -> NDArray[np.float32]:
    """5.1 in the order L R C LFE BL BR, each channel with a frequency of its own."""
    samples = np.zeros((6, round(SECONDS * 48_000)), np.float32)
    for channel, amount in levels.items():
        samples[channel] = tone(400 + 100 * channel, SECONDS, amount)
    return samples


def test_surround_is_mixed_down_as_the_itu_says(tmp_path: Path) -> None:
    """Fronts at their level, centre and surrounds at -3 dB, no low frequency effects."""
    samples = surround(dict.fromkeys(range(6), 0.2))
    sound = play(clip(tmp_path / "surround.mkv", Sounding(samples, "5.1", "flac")), SMALL).sound
    for side, other, front, rear in ((0, 1, 400, 800), (1, 0, 500, 900)):
        assert abs(decibels(level_at(sound[side], front) / 0.2)) < 0.1
        assert abs(decibels(level_at(sound[side], 600) / 0.2) + 3.01) < 0.1
        assert abs(decibels(level_at(sound[side], rear) / 0.2) + 3.01) < 0.1
        assert level_at(sound[side], 700) < 0.001
        assert level_at(sound[other], front) < 0.001


def test_surround_at_full_scale_does_not_clip(tmp_path: Path) -> None:
    """The sum would be 7.6 dB over full scale: it is turned down, and stays a clean tone."""
    samples = np.stack([tone(440, SECONDS, 0.99)] * 6)
    sound = play(clip(tmp_path / "loud.mkv", Sounding(samples, "5.1")), SMALL).sound
    assert np.abs(sound).max() <= 1.0
    assert level_at(sound[0], 440) > 0.9
    assert level_at(sound[0], 3 * 440) < 0.05  # a clipped sine has its third harmonic at a fifth and more


def flash_and_beep(path: Path, codec: str, rate: Fraction, at: int, **options: str) -> Path:
    """Frame ``at`` is white, and its first sample begins a beep."""
    beep = np.zeros((2, 3 * 48_000), np.float32)
    start = round(at / rate * 48_000)
    beep[:, start : start + 4_800] = tone(1000, 0.1)
    picture = Picturing(
        lambda number: grey(320, 180, 235 if at <= number < at + 5 else 16),
        round(3 * rate),
        rate=rate,
        codec="libx264",
        options={"qp": "10"},
    )
    return write_clip(path, picture, [Sounding(beep, codec=codec)], **options)


def delay(path: Path, channel: ChannelFormat, first_frame: int = 0, **item: object) -> float:
    """Milliseconds by which the beep comes after the flash."""
    played = play(path, channel, first_frame, **item)
    samples = 0
    flash = None
    for moment in played.moments:
        if flash is None and level(moment.picture) > 128:
            flash = samples
        samples += moment.sound.shape[1]
    heard = int(np.argmax(np.abs(played.sound[0]) > 0.1))
    assert flash is not None
    assert heard
    return (heard - flash) / 48


@pytest.mark.parametrize(
    ("name", "codec", "tolerance"),
    [
        ("clip.mov", "pcm_s16le", 1.0),
        ("clip.mp4", "aac", 5.0),
        ("clip.ts", "mp2", 5.0),
        ("clip.ts", "aac", 30.0),  # see below
        ("clip.mkv", "libopus", 5.0),
        ("clip.mkv", "flac", 2.0),
    ],
)
def test_flash_and_beep_are_together(tmp_path: Path, name: str, codec: str, tolerance: float) -> None:
    """Also where the decoder needs priming. A transport stream cannot say how much AAC primes (21 ms)."""
    path = flash_and_beep(tmp_path / name, codec, Fraction(25), 50)
    assert abs(delay(path, SMALL)) <= tolerance


@pytest.mark.parametrize("rate", ["25", "30000/1001", "50"])
@pytest.mark.parametrize("source", [Fraction(24000, 1001), Fraction(25), Fraction(60000, 1001)])
def test_flash_and_beep_stay_together_when_the_rate_changes(tmp_path: Path, rate: str, source: Fraction) -> None:
    """Within a channel frame: a source frame may come on screen only at a frame of the channel."""
    path = flash_and_beep(tmp_path / "clip.mov", "pcm_s16le", source, 30)
    assert -float(1000 / Fraction(rate)) - 1 <= delay(path, ChannelFormat(320, 180, rate)) <= 1


@pytest.mark.parametrize(("in_frames", "first_frame"), [(10, 0), (45, 0), (60, 0), (0, 30), (30, 33)])
def test_flash_and_beep_are_together_behind_an_in_point(tmp_path: Path, in_frames: int, first_frame: int) -> None:
    """Also after a seek, with sound that overlaps from frame to frame (AAC)."""
    path = flash_and_beep(tmp_path / "clip.mp4", "aac", Fraction(25), 70)
    assert abs(delay(path, SMALL, first_frame, in_frames=in_frames)) <= 5


@pytest.mark.parametrize("name", ["late.mkv", "late.ts"])
def test_sound_that_starts_late_is_preceded_by_silence(tmp_path: Path, name: str) -> None:
    codec = "mp2" if name.endswith("ts") else "pcm_s16le"
    sound = Sounding(np.stack([tone(440, 1.5)] * 2), codec=codec, start=Fraction(1, 2))
    played = play(clip(tmp_path / name, sound), SMALL).sound
    heard = int(np.argmax(np.abs(played[0]) > 0.05))
    assert abs(heard - 24_000) < 48 * 15
    assert len(played[0]) == 96_000


def test_sound_that_starts_before_the_picture_is_cut(tmp_path: Path) -> None:
    """The item begins with its picture: 200 ms of sound before it do not air."""
    samples = np.zeros((2, 96_000), np.float32)
    samples[:, 9_600 + 24_000 :] = 0.5
    picture = Picturing(numbered(320, 180), 40, start=Fraction(1, 5))
    played = play(write_clip(tmp_path / "early.mkv", picture, [Sounding(samples)]), SMALL).sound
    assert abs(int(np.argmax(played[0] > 0.1)) - 24_000) <= 48


def test_sound_shorter_than_the_picture_ends_without_a_click(tmp_path: Path) -> None:
    """It is faded over 3 ms and silence follows."""
    constant = np.full((2, 48_000), 0.5, np.float32)
    played = play(clip(tmp_path / "short.mkv", Sounding(constant)), SMALL).sound
    assert played.shape[1] == 96_000
    assert np.abs(np.diff(played[0, 100:])).max() < 0.01
    assert played[0, 47_000] == pytest.approx(0.5, abs=0.001)
    assert not played[0, 48_000:].any()


def test_sound_longer_than_the_picture_ends_with_it(tmp_path: Path) -> None:
    played = play(clip(tmp_path / "long.mkv", Sounding(np.stack([tone(440, 4)] * 2))), SMALL)
    assert len(played.moments) == FRAMES
    assert np.abs(played.sound[:, -480:]).max() > 0.4


def test_sound_with_a_hole_keeps_its_place(tmp_path: Path) -> None:
    """Packets are missing in the middle: silence stands in for them, without clicks, and what follows is on time."""
    hole = range(30 * 1024, 60 * 1024)
    sound = Sounding(np.full((2, 96_000), 0.5, np.float32), hole=hole)
    played = play(clip(tmp_path / "hole.mkv", sound), SMALL).sound[0]
    assert np.abs(played[hole.start + 96 : hole.stop - 96]).max() == 0
    assert played[hole.start - 240] == pytest.approx(0.5, abs=0.001)
    assert played[hole.stop + 240] == pytest.approx(0.5, abs=0.001)
    assert np.abs(np.diff(played[100:-100])).max() < 0.01


def test_a_file_without_sound_is_silent(tmp_path: Path) -> None:
    played = play(clip(tmp_path / "silent.mkv"), SMALL)
    assert len(played.moments) == FRAMES
    assert not played.sound.any()


def test_a_file_without_a_picture_shows_black(tmp_path: Path) -> None:
    """Three seconds of sound are three seconds of black, with no frame number."""
    path = write_clip(tmp_path / "radio.wav", None, [Sounding(np.stack([tone(440, 3)] * 2))])
    played = play(path, SMALL)
    assert len(played.moments) == 75
    assert {level(moment.picture) for moment in played.moments} == {16}
    assert set(played.numbers) == {-1}
    assert abs(decibels(level_at(played.sound[0], 440) / 0.5)) < 0.05
