"""Four channels of 1280x720p25 on this machine: late frames by their own count, and lateness seen by a UDP receiver.

The receiver notes when each picture's first datagram comes and compares it with the picture's time stamp; a picture
more than one frame after the earliest line through all of them counts as late.
"""

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench.cost import cpu_seconds, memory_mib
from bench.record import keep
from sidecar.protocol.channel import ChannelFormat, Output
from tests.fixtures.sidecars import RunningSidecar, looped, on_air
from tests.instruments.udp_receiver import PictureClock

CHANNELS = 4
MINUTES = 15
FRAME_S = 1 / 25


def measure(clips: list[Path], minutes: float = MINUTES) -> None:
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        receivers = [stack.enter_context(PictureClock()) for _ in range(CHANNELS)]
        sidecars: list[RunningSidecar] = []
        for number, receiver in enumerate(receivers):
            outputs = (Output("0" * 32, "hls"), Output("1" * 32, "udp", receiver.url))
            order = clips[number:] + clips[:number]
            document = looped(f"Bench {number + 1}", order, ChannelFormat(1280, 720, "25"), outputs)
            sidecars.append(stack.enter_context(on_air(document, Path(home) / str(number))))
        time.sleep(5)  # the start of four processes on two cores is not what is measured
        for receiver in receivers:
            receiver.pictures.clear()
        before = [sidecar.status() for sidecar in sidecars]
        cpu = [cpu_seconds(sidecar.process.pid) for sidecar in sidecars]
        began = time.monotonic()
        time.sleep(minutes * 60)  # the measurement
        seconds = time.monotonic() - began
        after = [sidecar.status() for sidecar in sidecars]
        used = [cpu_seconds(sidecar.process.pid) - earlier for sidecar, earlier in zip(sidecars, cpu, strict=True)]
        memory = [memory_mib(sidecar.process.pid) for sidecar in sidecars]
        lateness = [receiver.lateness() for receiver in receivers]
    late = [
        b.frames_late + b.frames_skipped - a.frames_late - a.frames_skipped for a, b in zip(before, after, strict=True)
    ]
    merged = sorted(value for channel in lateness for value in channel)
    keep(
        "four_channels",
        figures={
            "minutes": round(seconds / 60, 1),
            "late_frames": sum(late),
            "pictures_received": len(merged),
            "pictures_over_a_frame_late_at_receiver": sum(value > FRAME_S for value in merged),
            "lateness_p99_ms": round(merged[int(len(merged) * 0.99)] * 1000, 1),
            "lateness_worst_ms": round(merged[-1] * 1000, 1),
            "cpu_cores_used": round(sum(used) / seconds, 2),
            "memory_mib_each": round(max(memory)),
        },
        samples={
            "late": late,
            "cpu_seconds": used,
            "memory_mib": memory,
            "worst_lateness_ms": [round(max(channel) * 1000, 1) for channel in lateness],
        },
    )
