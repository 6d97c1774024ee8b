"""Where everything is written: room, speed, and whether SQLite may live there."""

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Final

from mcr_console.cli.doctor.finding import Finding
from mcr_console.cli.places import Home

NETWORK: Final = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "fuse.sshfs", "fuse.s3fs",
                  "fuse.rclone", "fuse.glusterfs", "lustre", "beegfs", "vboxsf", "virtiofs"}  # fmt: skip
IN_MEMORY: Final = {"tmpfs", "ramfs"}
_PROBE_BYTES: Final = 32 * 1024 * 1024
_LITTLE: Final = 5 * 2**30  # bytes
_SLOW: Final = 30e6  # bytes a second: a dozen channels' segments with room to spare
_SLOW_SYNC_S: Final = 0.25  # the journal is flushed at every event


def existing(path: Path) -> Path:
    """``path``, or the nearest folder above it that is there."""
    return next((place for place in (path, *path.parents) if place.is_dir()), Path("/"))


def file_system_type(path: Path, mounts: str) -> str:
    """The type of the file system that ``path`` is on, from the text of /proc/mounts."""
    best, kind = -1, "unknown"
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        point = fields[1].encode().decode("unicode_escape")  # a space is written \040
        if (path.is_relative_to(point)) and len(point) >= best:
            best, kind = len(point), fields[2]
    return kind


def file_system(home: Home) -> Finding:
    place = existing(home.path).resolve()
    try:
        kind = file_system_type(place, Path("/proc/mounts").read_text())
    except OSError:
        return Finding("note", "file system", "its type cannot be read here")
    seen = f"{home.path} on {kind}"
    if kind in NETWORK:
        return Finding(
            "missing",
            "file system",
            f"{seen}, a network file system",
            "SQLite's write-ahead log needs a local disk: set MCR_HOME to one. Media may stay on the network.",
        )
    if kind in IN_MEMORY:
        return Finding("warning", "file system", f"{seen}, which a restart empties", "Set MCR_HOME to a disk.")
    return Finding("ok", "file system", seen)


def space(home: Home) -> Finding:
    usage = shutil.disk_usage(existing(home.path))
    seen = f"{usage.free / 2**30:.1f} GiB free"
    if usage.free < _LITTLE:
        return Finding(
            "warning", "disk space", seen, "A full disk degrades the as-run journal and stops HLS. Make room."
        )
    return Finding("ok", "disk space", seen)


def speed(home: Home) -> Finding:
    """Writes 32 MiB and takes them away again."""
    place = existing(home.path)
    block = os.urandom(1024 * 1024)
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            began = time.monotonic()
            for _ in range(_PROBE_BYTES // len(block)):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
            took = time.monotonic() - began
            began = time.monotonic()
            file.write(b"one line of a journal\n")
            file.flush()
            os.fsync(file.fileno())
            sync = time.monotonic() - began
    except OSError as error:
        return Finding(
            "missing",
            "disk writes",
            f"nothing can be written to {place}: {error.strerror}",
            "Set MCR_HOME to a directory that you may write to.",
        )
    rate = _PROBE_BYTES / max(took, 1e-6)
    seen = f"{rate / 1e6:.0f} MB/s, a flush takes {sync * 1000:.0f} ms"
    if rate < _SLOW or sync > _SLOW_SYNC_S:
        return Finding(
            "warning", "disk writes", seen, "Slow for live segments and the journal; a local disk is better."
        )
    return Finding("ok", "disk writes", seen)
