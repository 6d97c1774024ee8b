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
    assert preview.join(5)
    assert [batch[0].pts for batch in delivered] == [number * preview.step for number in range(4)]


def test_a_preview_that_is_behind_leaves_pictures_out() -> None:
    held = threading.Event()
    preview = PreviewThread(FORMAT, ENCODING, lambda _: held.wait(5) and None)
    preview.start()
    for frame in range(0, preview.step * 50, preview.step):
        preview.offer(frame, WALL_NS, numbered_picture(0, 1))
    held.set()
    preview.close()
    assert preview.join(5)


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
        thread.join(5)
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
