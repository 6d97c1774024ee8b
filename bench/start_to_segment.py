"""From the start of the sidecar's process to its first frame encoded and to its first whole public segment."""

import tempfile
import time
from pathlib import Path

from bench.record import keep, median
from sidecar.protocol.channel import ChannelFormat, Output
from tests.fixtures.sidecars import looped, on_air

RUNS = 10


def measure(clips: list[Path]) -> None:
    to_frame: list[float] = []
    to_segment: list[float] = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as home:
            document = looped("Bench", clips, ChannelFormat(1280, 720, "25"), (Output("0" * 32, "hls"),))
            with on_air(document, Path(home)) as sidecar:
                sidecar.until(lambda status: status.frame > 0, "the first frame")
                to_frame.append(time.monotonic() - sidecar.started)
                playlist = sidecar.live / f"{sidecar.epoch}.m3u8"
                sidecar.until(lambda _: playlist.exists(), "the first segment")  # noqa: B023 - asked before the next
                to_segment.append(time.monotonic() - sidecar.started)
    keep(
        "start_to_segment",
        figures={
            "start_to_first_frame_s": round(median(to_frame), 2),
            "start_to_first_frame_worst_s": round(max(to_frame), 2),
            "start_to_first_segment_s": round(median(to_segment), 2),
            "start_to_first_segment_worst_s": round(max(to_segment), 2),
        },
        samples={"to_first_frame": to_frame, "to_first_segment": to_segment},
    )
