"""What looks at the programme without touching it: loudness, preview, thumbnail, slate."""

import io
import threading
import time
from datetime import datetime

import av
import numpy as np
import pytest
from PIL import Image

from sidecar.engine.loudness import LoudnessMeter, LoudnessThread
from sidecar.engine.pacing import NS
from sidecar.engine.preview import PreviewThread
from sidecar.engine.slate_thread import SlateThread
from sidecar.engine.thumbnail import Thumbnailer
from sidecar.engine.true_peak import TruePeak
from sidecar.media.interface import Samples
from sidecar.outputs.packet import Batch
from sidecar.protocol.channel import ChannelFormat
from tests.fixtures.air import ENCODING, FORMAT, WALL_NS, PacedTime, numbered_picture, wait_until

RATE = 48_000


def sine(seconds: float, peak_dbfs: float, hertz: float = 1000) -> Samples:
    wave = 10 ** (peak_dbfs / 20) * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)
    return np.stack([wave, wave]).astype(np.float32)


@pytest.mark.parametrize("portion", [1601, 1920, 800, 48_000])
def test_a_stereo_sine_of_minus_23_dbfs_reads_minus_23_lufs(portion: int) -> None:
    """EBU Tech 3341, case 1: within 0.1 LU, whatever portions the sound comes in."""
    meter = LoudnessMeter(RATE)
    sound = sine(4, -23)
    for at in range(0, sound.shape[1], portion):
        meter.add(sound[:, at : at + portion])
    loudness = meter.loudness
    meter.close()
    assert loudness.momentary_lufs == pytest.approx(-23, abs=0.1)
    assert loudness.short_term_lufs == pytest.approx(-23, abs=0.1)
    assert loudness.peak_dbfs == pytest.approx(-23, abs=0.1)


def test_silence_has_no_figures_rather_than_wrong_ones() -> None:
    meter = LoudnessMeter(RATE)
    meter.add(np.zeros((2, 4 * RATE), np.float32))
    loudness = meter.loudness
    meter.close()
    assert (loudness.momentary_lufs, loudness.short_term_lufs, loudness.peak_dbfs) == (None, None, None)


def test_the_meter_s_thread_takes_any_amount_and_holds_nobody_up() -> None:
    meter = LoudnessThread(RATE)
    started = time.monotonic()
    for _ in range(10_000):
        meter.offer(sine(0.04, -23))
    assert time.monotonic() - started < 20
    meter.start()
    wait_until(lambda: meter.loudness.momentary_lufs is not None, 5, "a figure")
    assert meter.loudness.momentary_lufs == pytest.approx(-23, abs=1)
    meter.close()


def test_the_preview_leaves_the_programmes_pictures_alone() -> None:
    """The programme's encoder sets timestamps on the same objects, and would put pictures out of order."""
    delivered: list[Batch] = []
    preview = PreviewThread(FORMAT, ENCODING, delivered.append)
    preview.start()
    picture = av.VideoFrame.from_ndarray(numbered_picture(3, 1).to_ndarray(), format="yuv420p")
    for frame in range(preview.step * 4):
        picture.pts = 123
        preview.offer(frame, WALL_NS, picture)
        wait_until(lambda due=frame // preview.step + 1: len(delivered) >= due, 5, "the preview's picture")
        assert picture.pts == 123
    preview.close()
    assert preview.join(60)
    assert [batch[0].pts for batch in delivered] == [number * preview.step for number in range(4)]


def test_a_preview_that_is_behind_leaves_pictures_out() -> None:
    held = threading.Event()
    preview = PreviewThread(FORMAT, ENCODING, lambda _: held.wait(5) and None)
    preview.start()
    for frame in range(0, preview.step * 50, preview.step):
        preview.offer(frame, WALL_NS, numbered_picture(0, 1))
    held.set()
    preview.close()
    assert preview.join(60)


def test_a_thumbnail_is_made_once_for_all_who_ask_at_the_same_time() -> None:
    asked: list[int] = []

    def picture() -> av.VideoFrame:
        asked.append(1)
        return numbered_picture(0, 1, ChannelFormat(640, 360, "25"))

    thumbnailer = Thumbnailer(picture)
    results: list[bytes] = []
    threads = [threading.Thread(target=lambda: results.append(thumbnailer.jpeg())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(set(results)) == 1 == len(asked)
    with Image.open(io.BytesIO(results[0])) as image:
        assert image.size == (192, 108)
        red, green, blue = np.asarray(image.convert("RGB"), dtype=np.int16)[40, 90]
    # numbered pictures are RGB 90 all over
    assert max(abs(int(level) - 90) for level in (red, green, blue)) <= 4


class Card:
    """Draws a card whose luma is the second; breaks when told."""

    def __init__(self) -> None:
        self.is_broken = False

    def picture(self, wall: datetime) -> av.VideoFrame:
        if self.is_broken:
            raise RuntimeError("no font")
        return av.VideoFrame.from_ndarray(np.full((96, 64), wall.second + 20, np.uint8), format="yuv420p")


def level(picture: av.VideoFrame) -> int:
    return int(picture.to_ndarray()[0, 0]) - 20


def test_the_slate_is_drawn_ahead_and_a_card_that_breaks_stands(caplog: pytest.LogCaptureFixture) -> None:
    card = Card()
    slate = SlateThread(card, PacedTime())
    slate.start()
    for second in range(6, 30):
        wall = WALL_NS + second * NS
        wait_until(lambda wall=wall, second=second: level(slate.picture(wall)) == second % 60, 5, "this second's card")
        wait_until(
            lambda wall=wall, second=second: (slate.picture(wall), level(slate.picture(wall + NS)))[1] == second + 1,
            5,
            "the next one, ahead",
        )
    card.is_broken = True
    assert level(slate.picture(WALL_NS + 45 * NS)) <= 31
    wait_until(lambda: "no font" in caplog.text, 5, "the report")
    card.is_broken = False
    wait_until(lambda: level(slate.picture(WALL_NS + 46 * NS)) == 46, 5, "cards again")
    slate.close()


def test_integrated_loudness_is_gated_as_ebu_tech_3341_says() -> None:
    """Case 3: 10 s at -36, 60 s at -23, 10 s at -36 dBFS read -23 LUFS; ungated they would read -24.2."""
    meter = LoudnessMeter(RATE)
    for seconds, level in ((10, -36), (60, -23), (10, -36)):
        meter.add(sine(seconds, level))
    integrated = meter.loudness.integrated_lufs
    meter.close()
    assert integrated == pytest.approx(-23, abs=0.1)


def test_an_item_has_figures_of_its_own() -> None:
    """Nothing of the louder one before it is in them."""
    meter = LoudnessMeter(RATE)
    meter.add(sine(3, -10))
    meter.begin_item()
    assert (meter.loudness.integrated_lufs, meter.loudness.true_peak_dbtp) == (None, None)
    meter.add(sine(3, -30))
    loudness = meter.loudness
    meter.close()
    assert loudness.integrated_lufs == pytest.approx(-30, abs=0.1)
    assert loudness.true_peak_dbtp == pytest.approx(-30, abs=0.3)


@pytest.mark.parametrize(
    ("hertz", "phase", "peak"), [(12_000, 45, 0.0), (6_000, 0, 0.0), (997, 0, 0.0), (8_000, 60, 0.0)]
)
@pytest.mark.parametrize("portion", [48_000, 1601])
def test_the_true_peak_is_between_the_samples(hertz: int, phase: float, peak: float, portion: int) -> None:
    """A quarter of the sample rate at 45 degrees: its samples stand at -3 dB. Tech 3341 allows +0.2 and -0.4 dB."""
    wave = np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE + np.radians(phase)).astype(np.float32)
    # Faded, for a sudden start has a peak of its own.
    wave *= np.minimum(1, np.minimum(np.arange(RATE), np.arange(RATE)[::-1]) / 4800).astype(np.float32)
    measured = TruePeak()
    for at in range(0, RATE, portion):
        measured.add(np.stack([wave, wave])[:, at : at + portion])
    assert -0.4 <= 20 * np.log10(measured.highest) - peak <= 0.2
