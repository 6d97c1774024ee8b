"""The programme's encoders, as a decoder sees what they make."""

from fractions import Fraction

import av
import numpy as np
import pytest

from sidecar.engine.encoder import PictureEncoder, SoundEncoder
from sidecar.protocol.channel import ChannelFormat
from sidecar.rundown.rate import parse_rate, samples_before
from tests.fixtures.air import ENCODING, FORMAT, WALL_NS, numbered_picture

GOP = 10


def keyframes(frames: list[int]) -> list[int]:
    encoder = PictureEncoder(FORMAT, ENCODING, threads=1)
    assert encoder.gop == GOP
    packets = [packet for frame in frames for packet in encoder.encode(frame, numbered_picture(frame, 1), WALL_NS)]
    assert [packet.pts for packet in packets] == frames
    return [packet.pts for packet in packets if packet.keyframe]


def test_keyframes_come_at_every_multiple() -> None:
    assert keyframes(list(range(35))) == [0, 10, 20, 30]


def test_a_picture_that_was_left_out_moves_its_keyframe_and_no_other() -> None:
    assert keyframes([frame for frame in range(45) if frame not in (10, 11, 30)]) == [0, 12, 20, 31, 40]


def test_pictures_of_another_type_and_repeats_do_not_disturb_it() -> None:
    encoder = PictureEncoder(FORMAT, ENCODING, threads=1)
    picture = numbered_picture(1, 1)
    found: list[int] = []
    for frame in range(25):
        picture.pict_type = av.video.frame.PictureType.I  # as a decoder leaves it
        found += [packet.pts for packet in encoder.encode(frame, picture, WALL_NS) if packet.keyframe]
    assert found == [0, 10, 20]


def test_the_stream_says_what_its_colours_are() -> None:
    encoder = PictureEncoder(FORMAT, ENCODING, threads=1)
    decoder = av.CodecContext.create("h264", "r")
    packets = encoder.encode(0, numbered_picture(0, 1), WALL_NS)
    decoder.decode(av.Packet(packets[0].data))
    assert (decoder.colorspace, decoder.color_range, decoder.color_primaries, decoder.color_trc) == (1, 1, 1, 1)
    assert decoder.sample_aspect_ratio == 1
    assert not decoder.has_b_frames


@pytest.mark.parametrize("rate", ["25", "30000/1001", "24000/1001", "60000/1001"])
def test_sound_of_any_portions_is_one_stream(rate: str) -> None:
    """Timestamps count samples, and what is decoded is what went in, one block of priming later."""
    fraction = parse_rate(rate)
    encoder = SoundEncoder(ChannelFormat(320, 180, rate), ENCODING)
    wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(96_000) / 48_000).astype(np.float32)
    sound = np.stack([wave, -wave])
    packets = []
    for frame in range(int(fraction)):
        first, end = (samples_before(number, fraction, 48_000) for number in (frame, frame + 1))
        packets += encoder.encode(sound[:, first:end])
    assert [packet.pts for packet in packets] == [(number - 1) * 1024 for number in range(len(packets))]
    assert {packet.time_base for packet in packets} == {Fraction(1, 48_000)}
    decoder = av.CodecContext.create("aac", "r")
    decoder.sample_rate, decoder.layout = 48_000, "stereo"  # type: ignore[attr-defined]
    decoder.extradata = b"\x11\x90"  # AAC LC, 48 kHz, stereo
    decoded = np.concatenate(
        [block.to_ndarray() for packet in packets for block in decoder.decode(av.Packet(packet.data))], axis=1
    )[:, 1024:]
    length = decoded.shape[1] - 2048
    assert np.abs(decoded[:, 2048:length] - sound[:, 2048:length]).max() < 0.03
