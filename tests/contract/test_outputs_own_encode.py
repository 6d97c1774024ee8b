"""An output's own encode when it has no time, and when there is no encoder: its sound stays in step, and it ends."""

import itertools

import av
import numpy as np
import pytest

from sidecar.engine import encode_again
from sidecar.engine.encoder_thread import FrameJob
from sidecar.engine.own_encode import OwnEncode
from sidecar.outputs.packet import EncodedPacket
from sidecar.protocol.channel import Encoding
from tests.fixtures.air import ENCODING, FORMAT, wait_until

SAMPLES = 48_000 // 25


def job(number: int, *, picture: bool = False) -> FrameJob:
    grey = av.VideoFrame(FORMAT.width, FORMAT.height, "yuv420p") if picture else None
    return FrameJob(number, number * 40_000_000, grey, np.zeros((2, SAMPLES), np.float32))


def test_sound_is_in_step_again_after_an_overload() -> None:
    packets: list[EncodedPacket] = []
    encode = OwnEncode(FORMAT, ENCODING, packets.extend, name="o")
    offered = iter(range(1000))
    for number in offered:
        encode.offer(job(number))
        if number == 400:  # ten seconds wait, six are let go
            break
    encode.start()
    wait_until(lambda: bool(packets) and packets[-1].pts > 240 * SAMPLES, 20, "what waited")
    for number in offered:
        encode.offer(job(number))
        if number == 440:
            break
    encode.close()
    assert encode.join(60)
    times = [packet.pts for packet in packets]
    assert times == sorted(set(times))
    assert times[-1] == pytest.approx(441 * SAMPLES, abs=2048)
    gaps = [(before, after) for before, after in itertools.pairwise(times) if after - before != 1024]
    assert len(gaps) == 1
    assert gaps[0] == (pytest.approx(250 * SAMPLES, abs=4096), pytest.approx(401 * SAMPLES, abs=2048))


def test_one_that_cannot_open_says_why_and_ends_when_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode_again, "REST_AFTER_FAILURE_S", 600.0)
    packets: list[EncodedPacket] = []
    encode = OwnEncode(FORMAT, Encoding(preset="nonsense"), packets.extend, name="o")
    encode.start()
    encode.offer(job(0, picture=True))
    wait_until(lambda: bool(encode.fault), 10, "the reason")
    assert encode.fault.startswith("its own encode failed: ")
    encode.close()
    assert encode.join(60)
    assert packets == []
