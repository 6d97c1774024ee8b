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

from bench.record import keep, median
from bench.sidecar_process import SidecarProcess, looped
from sidecar.protocol.channel import ChannelFormat, Encoding, Output

SECONDS = 60
RUNS = 3
FORMAT = ChannelFormat(1280, 720, "25")


def sidecar_cpu(clips: list[Path]) -> tuple[float, dict[str, float]]:
    """Over ``SECONDS`` on air, start-up left out. The preview, loudness, journal and API are in it."""
    with tempfile.TemporaryDirectory() as home:
        document = looped("Bench", clips, FORMAT, (Output("0" * 32, "hls"),))
        with SidecarProcess(document, Path(home)) as sidecar:
            sidecar.until(lambda: sidecar.status().frame >= 50, "not on air", 20)
            first, cpu = sidecar.status().frame, sidecar.cpu_seconds()
            time.sleep(SECONDS)
            frames, used = sidecar.status().frame - first, sidecar.cpu_seconds() - cpu
            status = sidecar.status()
            extra = {"memory_mib": sidecar.memory_mib(), "late": status.frames_late, "skipped": status.frames_skipped}
    return used / (frames / 25), extra


def ffmpeg_cpu(program: str, clips: list[Path], *, preview: bool) -> float:
    encoding = Encoding()
    seconds = 0.0
    inputs: list[str] = []
    chain = ""
    for number, clip in enumerate(clips):
        with av.open(str(clip)) as container:
            sound = bool(container.streams.audio)
            duration = (container.duration or 0) / 1_000_000
        seconds += duration
        inputs += ["-threads", "1", "-i", str(clip)]
        chain += (
            f"[{number}:v]fps=25,scale=1280:720:force_original_aspect_ratio=decrease,"
            f"pad=1280:720:-1:-1,setsar=1,format=yuv420p[v{number}];"
        )
        source = f"[{number}:a]" if sound else f"anullsrc=r=48000:cl=stereo:d={duration},"
        chain += f"{source}aresample=48000,aformat=channel_layouts=stereo:sample_fmts=fltp[a{number}];"
    chain += "".join(f"[v{n}][a{n}]" for n in range(len(clips))) + f"concat=n={len(clips)}:v=1:a=1[v][a]"
    if preview:
        chain += ";[v]split[v1][v2];[v2]fps=25/4,scale=320:180:flags=fast_bilinear[p]"
    with tempfile.TemporaryDirectory() as folder:
        picture = "[v1]" if preview else "[v]"
        command = [
            program, "-nostdin", "-loglevel", "error", *inputs, "-filter_complex", chain,
            "-filter_complex_threads", "1",
            "-map", picture, "-map", "[a]", "-threads", "1", "-c:v", "libx264", "-preset", encoding.preset,
            "-tune", encoding.tune, "-b:v", str(encoding.video_bit_rate), "-g", str(25 * encoding.gop_ms // 1000),
            "-c:a", "aac", "-b:a", str(encoding.audio_bit_rate), "-f", "hls", "-hls_time", "2", f"{folder}/p.m3u8",
        ]  # fmt: skip
        if preview:
            command += [
                "-map", "[p]", "-threads", "1", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency",
                "-b:v", "200k", "-g", "12", "-f", "hls", "-hls_time", "2", f"{folder}/preview.m3u8",
            ]  # fmt: skip
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, timeout=600)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / seconds


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
            "late_frames_per_hour": round(late * 3600 / (SECONDS * RUNS), 1),
        },
        samples={"sidecar": ours, "ffmpeg": peers, "ffmpeg_with_preview": with_preview, "sidecar_extra": extras},
    )
