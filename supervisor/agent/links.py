"""The public media playlists: symbolic links moved once per epoch, and a witness that what they name grows."""

import os
from collections.abc import Iterator
from pathlib import Path

from sidecar.protocol.status import Status


class Links:
    """``<media>/live/<channel>/index.m3u8`` and ``…/preview/index.m3u8``. Methods block on the disk."""

    def __init__(self, media_root: Path) -> None:
        self._live = media_root / "live"

    def move(self, status: Status) -> None:
        """Points the links at the status' epoch, each as soon as its first segment is whole.

        The caller has checked that this is the channel's newest epoch. A link is replaced by rename, so that a player
        finds the old list or the new one and never none. Repeating it changes nothing.
        """
        for output in status.outputs:
            if output.kind == "hls" and output.segments >= 1:
                directory = self._directory(status.channel_id, preview=output.role == "preview")
                _point(directory / "index.m3u8", f"{status.epoch}.m3u8")

    def changed_ns(self, channel_id: str, epoch: int) -> int | None:
        """A number that grows whenever a media playlist of the epoch was written; None before the first."""
        stamps = [stamp for path in self._playlists(channel_id, epoch) if (stamp := _modified(path)) is not None]
        return max(stamps, default=None)

    def _playlists(self, channel_id: str, epoch: int) -> Iterator[Path]:
        for preview in (False, True):
            yield self._directory(channel_id, preview=preview) / f"{epoch}.m3u8"

    def _directory(self, channel_id: str, *, preview: bool) -> Path:
        directory = self._live / channel_id
        return directory / "preview" if preview else directory


def _point(link: Path, target: str) -> None:
    try:
        if os.readlink(link) == target:  # noqa: PTH115 - the text of the link, not a path
            return
    except OSError:
        # There is none yet, or it is no link: it becomes one.
        pass
    new = link.with_name(f".{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)


def _modified(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
