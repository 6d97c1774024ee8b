"""CPU seconds per channel-second: the sidecar against ffmpeg doing the same clips with the same encoder options.

The two run in turn, A B A B, so that a machine whose speed drifts does not favour one. ffmpeg reads as fast as it
can: pacing costs it nothing, and CPU per second of programme is what is compared. Both make the programme as HLS.
"""

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av

from bench.cost import cpu_seconds, memory_mib
from bench.record import keep, median
from sidecar.engine.encoder_settings import encoder_threads, gop_frames, preview_format, preview_step, x264_options
from sidecar.engine.preview import preview_encoding
from sidecar.protocol.channel import ChannelFormat, Encoding, Output
from sidecar.rundown.rate import parse_rate
from tests.fixtures.sidecars import looped, on_air

RUNS = 3
FORMAT = ChannelFormat(1280, 720, "25")


def loop_seconds(clips: list[Path]) -> float:
    """How long all of ``clips`` play, once."""
    seconds = 0.0
    for clip in clips:
        with av.open(str(clip)) as container:
            seconds += (container.duration or 0) / 1_000_000
    return seconds


def sidecar_cpu(clips: list[Path]) -> tuple[float, dict[str, float]]:
    """Over one loop of the clips on air, start-up left out. The preview, loudness, journal and API are in it."""
    with tempfile.TemporaryDirectory() as home:
        document = looped("Bench", clips, FORMAT, (Output("0" * 32, "hls"),))
        with on_air(document, Path(home)) as sidecar:
            first = sidecar.until(lambda status: status.frame >= 50, "two seconds on air").frame
            cpu = cpu_seconds(sidecar.process.pid)
            time.sleep(loop_seconds(clips))  # the measurement: one round of the clips
            used, status = cpu_seconds(sidecar.process.pid) - cpu, sidecar.status()
            extra = {
                "memory_mib": memory_mib(sidecar.process.pid),
                "late": status.frames_late,
                "skipped": status.frames_skipped,
            }
    return used / float((status.frame - first) / parse_rate(FORMAT.rate)), extra


def encoder(encoding: Encoding, form: ChannelFormat, gop: int) -> list[str]:
    """The sidecar's own encoder settings, as ffmpeg's arguments."""
    options = [argument for name, value in x264_options(encoding, gop).items() for argument in (f"-{name}", value)]
    threads = str(encoder_threads(form))
    return ["-threads", threads, "-c:v", "libx264", "-b:v", str(encoding.video_bit_rate), *options]


def ffmpeg_cpu(program: str, clips: list[Path], *, preview: bool) -> float:
    """Each clip once, as one continuous programme."""
    encoding, rate = Encoding(), parse_rate(FORMAT.rate)
    gop = gop_frames(rate, encoding.gop_ms)
    inputs: list[str] = []
    chain = ""
    for number, clip in enumerate(clips):
        with av.open(str(clip)) as container:
            sound = bool(container.streams.audio)
            duration = (container.duration or 0) / 1_000_000
        inputs += ["-threads", "1", "-i", str(clip)]
        chain += (
            f"[{number}:v]fps={rate},scale={FORMAT.width}:{FORMAT.height}:force_original_aspect_ratio=decrease,"
            f"pad={FORMAT.width}:{FORMAT.height}:-1:-1,setsar=1,format=yuv420p[v{number}];"
        )
        source = f"[{number}:a]" if sound else f"anullsrc=r=48000:cl=stereo:d={duration},"
        chain += f"{source}aresample=48000,aformat=channel_layouts=stereo:sample_fmts=fltp[a{number}];"
    chain += "".join(f"[v{n}][a{n}]" for n in range(len(clips))) + f"concat=n={len(clips)}:v=1:a=1[v][a]"
    small, step = preview_format(FORMAT), preview_step(rate, gop)
    if preview:
        chain += f";[v]split[v1][v2];[v2]fps={rate / step},scale={small.width}:{small.height}:flags=fast_bilinear[p]"
    with tempfile.TemporaryDirectory() as folder:
        command = [
            program, "-nostdin", "-loglevel", "error", *inputs, "-filter_complex", chain,
            "-filter_complex_threads", "1",
            "-map", "[v1]" if preview else "[v]", "-map", "[a]", *encoder(encoding, FORMAT, gop),
            "-c:a", "aac", "-b:a", str(encoding.audio_bit_rate), "-f", "hls", "-hls_time", "2", f"{folder}/p.m3u8",
        ]  # fmt: skip
        if preview:
            command += [
                "-map", "[p]", *encoder(preview_encoding(encoding), small, gop // step),
                "-f", "hls", "-hls_time", "2", f"{folder}/preview.m3u8",
            ]  # fmt: skip
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, timeout=600)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / loop_seconds(clips)


def measure(clips: list[Path]) -> None:
    program = shutil.which("ffmpeg")
    if program is None:
        sys.exit("the peer of this measurement is missing: install ffmpeg")
    ours: list[float] = []
    peers: list[float] = []
    with_preview: list[float] = []
    extras: list[dict[str, float]] = []
    for _ in range(RUNS):
        cpu, extra = sidecar_cpu(clips)
        ours.append(cpu)
        extras.append(extra)
        peers.append(ffmpeg_cpu(program, clips, preview=False))
        with_preview.append(ffmpeg_cpu(program, clips, preview=True))
    late = sum(extra["late"] for extra in extras)
    keep(
        "cpu_against_ffmpeg",
        figures={
            "sidecar_cpu_per_channel_second": round(median(ours), 3),
            "ffmpeg_cpu_per_channel_second": round(median(with_preview), 3),
            "ratio": round(median([a / b for a, b in zip(ours, with_preview, strict=True)]), 2),
            "ratio_to_ffmpeg_without_preview": round(median([a / b for a, b in zip(ours, peers, strict=True)]), 2),
            "memory_mib": round(max(extra["memory_mib"] for extra in extras)),
            "late_frames_per_hour": round(late * 3600 / (loop_seconds(clips) * RUNS), 1),
        },
        samples={"sidecar": ours, "ffmpeg": peers, "ffmpeg_with_preview": with_preview, "sidecar_extra": extras},
    )
