"""A53 captions from a source's pictures to the programme's, byte by byte, and none that were not there."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sidecar.engine.encoder import PictureEncoder, SoundEncoder
from sidecar.engine.encoder_thread import EncoderThread, FrameJob
from sidecar.engine.logo import LogoOverlay
from sidecar.engine.own_encode import OwnEncode
from sidecar.outputs.packet import Batch
from sidecar.outputs.templates import make_templates
from sidecar.outputs.transport_stream import TransportStreamMuxer
from sidecar.protocol.channel import ChannelFormat, Logo
from tests.fixtures.air import ENCODING, FORMAT, encoded, wait_until
from tests.fixtures.playing import play
from tests.instruments.transport_stream import take_apart

_FIRST_SLICE = re.compile(rb"\x00?\x00\x00\x01[\x65\x61\x41]")


def triplets(number: int) -> bytes:
    """A CEA-608 pair that names the picture, and an empty one of field two."""
    return bytes([0xFC, 0x80 | 0x20 | number & 0x1F, 0xC1, 0xFD, 0x80, 0x80])


def with_captions(batch: Batch, number: int) -> Batch:
    """An SEI message before the picture's first slice (ITU-T H.264, annex D; ATSC A/53, 6.2.3)."""
    body = b"\xb5\x00\x31GA94\x03\x42\xff" + triplets(number) + b"\xff"
    sei = b"\x00\x00\x00\x01\x06\x04" + bytes([len(body)]) + body + b"\x80"
    data = batch[0].data
    slice_ = _FIRST_SLICE.search(data)
    assert slice_ is not None
    return (replace(batch[0], data=data[: slice_.start()] + sei + data[slice_.start() :]), *batch[1:])


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    muxer = TransportStreamMuxer(make_templates(FORMAT, ENCODING))
    batches = [with_captions(batch, number) for number, batch in enumerate(encoded(range(50)))]
    data = b"".join(chunk for batch in batches for chunk in muxer.mux(batch)) + b"".join(muxer.finish())
    assert take_apart(data).picture_caption_bytes(0x100) == [triplets(number) for number in range(50)]
    path = tmp_path_factory.mktemp("captions") / "clip.ts"
    path.write_bytes(data)
    return path


def aired(clip: Path, channel: ChannelFormat) -> list[bytes]:
    """The captions of each picture of the programme."""
    played = play(clip, channel)
    encoder = PictureEncoder(channel, ENCODING, threads=1)
    muxer = TransportStreamMuxer(make_templates(channel, ENCODING))
    data = b""
    for number, moment in enumerate(played.moments):
        data += b"".join(muxer.mux(tuple(encoder.encode(number, moment.picture, 0))))
    return take_apart(data + b"".join(muxer.finish())).picture_caption_bytes(0x100)


@pytest.mark.parametrize("size", [(320, 180), (640, 360), (256, 256)], ids=["same", "scaled", "boxed"])
def test_captions_pass_picture_by_picture_at_the_same_rate(clip: Path, size: tuple[int, int]) -> None:
    assert aired(clip, ChannelFormat(*size, "25")) == [triplets(number) for number in range(50)]


def test_a_picture_that_stands_has_its_captions_once(clip: Path) -> None:
    """In a hold they would be typed again with every frame."""
    picture = play(clip, FORMAT).moments[7].picture
    encoder = PictureEncoder(FORMAT, ENCODING, threads=1)
    sent = [packet.data for frame in range(6) for packet in encoder.encode(frame, picture, 0)]
    assert [b"GA94" in data for data in sent] == [True, False, False, False, False, False]


def test_at_twice_the_rate_nothing_is_said_twice(clip: Path) -> None:
    said = [captions for captions in aired(clip, ChannelFormat(320, 180, "50")) if captions]
    assert said == [triplets(number) for number in range(50)]


@pytest.mark.parametrize(("logo", "captions"), [(True, True), (False, False), (True, False)])
def test_they_pass_with_the_logo_and_only_where_the_item_lets_them(clip: Path, logo: bool, captions: bool) -> None:
    """Through the encoder's thread and an output's own; the picture stands at the end, the logo goes and comes."""
    overlay = LogoOverlay(np.full((20, 40, 4), 255, np.uint8), Logo("x"), FORMAT)
    muxer = TransportStreamMuxer(make_templates(FORMAT, ENCODING))
    chunks: list[bytes] = []

    of_its_own = TransportStreamMuxer(make_templates(FORMAT, ENCODING))
    own_chunks: list[bytes] = []
    own = OwnEncode(FORMAT, ENCODING, lambda batch: own_chunks.extend(of_its_own.mux(batch)), name="o")

    def deliver(job: FrameJob, batch: Batch) -> None:
        chunks.extend(muxer.mux(batch))
        wait_until(lambda: own.waiting < 10, 20, "room")
        own.offer(job)

    thread = EncoderThread(
        PictureEncoder(FORMAT, ENCODING, threads=1), SoundEncoder(FORMAT, ENCODING), deliver=deliver,
        finish_picture=overlay.on, most_pictures=1000, most_waiting=1000, on_death=pytest.fail,
    )  # fmt: skip
    pictures = [moment.picture for moment in play(clip, FORMAT).moments]
    silence = np.zeros((2, 1920), np.float32)
    shown = [(picture, logo) for picture in pictures] + [(pictures[-1], is_on) for is_on in (not logo, logo)]
    own.start()
    thread.start()
    for number, (picture, is_on) in enumerate(shown):
        assert thread.put(FrameJob(number, 0, picture, silence, logo=is_on, captions=captions))
    thread.close()
    assert thread.join(60)
    own.close()
    assert own.join(60)
    assert own.pictures_left_out == 0
    said = take_apart(b"".join([*chunks, *muxer.finish()])).picture_caption_bytes(0x100)
    assert [one for one in said if one] == ([triplets(number) for number in range(50)] if captions else [])
    own_said = take_apart(b"".join([*own_chunks, *of_its_own.finish()])).picture_caption_bytes(0x100)
    assert own_said == said
