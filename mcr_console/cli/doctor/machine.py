"""The machine itself: Python, processors, memory, clock, open files."""

import ctypes
import os
import platform
import resource
import sys
from pathlib import Path
from typing import Final

from mcr_console.cli.doctor.finding import Finding
from mcr_console.cli.wording import counted

CHANNELS_PER_CORE: Final = 2
"""At 1280x720p25; what the README's figures come to."""
_MEMORY_PER_CHANNEL: Final = 300 * 1024 * 1024  # bytes
_FILES_PER_CHANNEL: Final = 32
_TIME_ERROR: Final = 5  # adjtimex(2): the kernel's clock is not synchronised


def python() -> Finding:
    seen = f"{platform.python_version()} at {sys.executable}"
    if sys.platform != "linux":
        return Finding("missing", "system", f"{platform.system()}, {seen}", "Supervisor and sidecars run on Linux.")
    return Finding("ok", "Python", seen)


def cores_allowed(cgroup: Path = Path("/sys/fs/cgroup/cpu.max")) -> float:
    """Processors this process may use: the affinity mask, cut by the control group's quota."""
    cores = float(len(os.sched_getaffinity(0)))
    try:
        quota, period = cgroup.read_text().split()
        return min(cores, int(quota) / int(period)) if quota != "max" else cores
    except (OSError, ValueError):
        return cores  # no control groups of version 2 here


def processors(channels: int | None) -> Finding:
    """``channels``: how many should be on air; None when no supervisor could be asked."""
    cores = cores_allowed()
    room = int(cores * CHANNELS_PER_CORE)
    seen = f"{cores:g} usable, about {counted(room, 'channel')} at 1280x720p25"
    if channels is not None and channels > room:
        return Finding(
            "warning",
            "processors",
            f"{seen}, and {channels} should be on air",
            "Watch for late frames in mcr status; choose smaller formats or move channels to another machine.",
        )
    return Finding("ok", "processors", seen)


def memory() -> Finding:
    try:
        rows = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
        available = next(int(row[1]) * 1024 for row in rows if row[0] == "MemAvailable:")
    except (OSError, ValueError, StopIteration):
        return Finding("note", "memory", "cannot be read here")
    seen = f"{available / 2**30:.1f} GiB available, about {counted(available // _MEMORY_PER_CHANNEL, 'channel')}"
    if available < 2 * _MEMORY_PER_CHANNEL:
        return Finding("warning", "memory", seen, "A channel takes up to 300 MiB; free some.")
    return Finding("ok", "memory", seen)


def clock() -> Finding:
    """Asks the kernel whether something keeps its clock in step; whichever program does."""
    libc = ctypes.CDLL(None, use_errno=True)
    answer = libc.adjtimex(ctypes.create_string_buffer(512))  # zeros: modes 0 reads and sets nothing
    if answer < 0:
        return Finding("note", "clock", "the kernel does not say whether it is synchronised")
    if answer == _TIME_ERROR:
        return Finding(
            "warning",
            "clock",
            "not synchronised",
            "As-run times and scheduled starts are only as good as it. Install chrony, or: timedatectl set-ntp true",
        )
    return Finding("ok", "clock", "synchronised")


def open_files() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = "unlimited" if soft == resource.RLIM_INFINITY else str(soft)
    if soft != resource.RLIM_INFINITY and soft < 64 * _FILES_PER_CHANNEL:
        more = "ulimit -n 65536" if hard == resource.RLIM_INFINITY or hard >= 65536 else f"ulimit -n {hard}"
        return Finding("note", "open files", f"{limit} allowed", f"For more than a few dozen channels: {more}")
    return Finding("ok", "open files", f"{limit} allowed")
