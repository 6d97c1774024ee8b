"""Reads a channel's HLS below a media root, by the names that it has and no others."""

import os
import re
import stat
from typing import Final

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of one file: a segment of 2 s at 250 Mbit/s."""

_PATH: Final = re.compile(
    r"(?P<preview>preview/)?(?:(?P<index>index)\.m3u8|(?P<list>[0-9]{1,18})\.m3u8"
    r"|(?P<epoch>[0-9]{1,18})/(?P<segment>[0-9]{1,18}\.ts))",
    re.ASCII,
)
_LINK: Final = re.compile(r"[0-9]{1,18}\.m3u8", re.ASCII)
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def read_hls_file(root: str, channel_id: str, path: str) -> bytes:
    """The bytes of one of the names that a channel's HLS has, and of no other. Blocks. Raises FileNotFoundError.

    No link is followed on the way but ``index.m3u8`` itself, and that only to a media playlist beside it.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise FileNotFoundError(f"{path[:100]!r} is no file of a channel's HLS")
    opened: list[int] = []
    try:
        directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        opened.append(directory)
        for part in (channel_id, match["preview"] and "preview", match["epoch"]):
            if part:
                directory = os.open(part, _DIRECTORY, dir_fd=directory)
                opened.append(directory)
        name = match["segment"] or f"{match['list'] or 'index'}.m3u8"
        if match["index"]:
            name = os.readlink(name, dir_fd=directory)
            if _LINK.fullmatch(name) is None:
                raise FileNotFoundError("index.m3u8 leads to no media playlist beside it")
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
        opened.append(file)
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            raise FileNotFoundError(f"{path} is no file of a channel's HLS")
        with os.fdopen(os.dup(file), "rb") as stream:
            return stream.read(LARGEST)
    except OSError as error:
        raise FileNotFoundError(f"channel {channel_id} has no {path}: {error.strerror}") from None
    finally:
        for descriptor in opened:
            os.close(descriptor)
