"""A small JPEG of a picture, for a wall of channels."""

import io
import threading
import time
from collections.abc import Callable

import av
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from PIL import Image

WIDTH = 192
_QUALITY = 75
_FRESH_S = 0.5


class Thumbnailer:
    """``jpeg`` is for worker threads: it blocks some milliseconds, once for all who ask within half a second."""

    def __init__(self, picture: Callable[[], av.VideoFrame]) -> None:
        self._picture = picture
        self._lock = threading.Lock()
        self._scaler = VideoReformatter()
        self._jpeg = b""
        self._made_at = float("-inf")

    def jpeg(self) -> bytes:
        with self._lock:
            if time.monotonic() - self._made_at >= _FRESH_S:
                self._jpeg = self._make(self._picture())
                self._made_at = time.monotonic()
            return self._jpeg

    def _make(self, picture: av.VideoFrame) -> bytes:
        height = max(2, round(WIDTH * picture.height / picture.width))
        small = self._scaler.reformat(
            picture,
            WIDTH,
            height,
            "rgb24",
            src_colorspace=Colorspace.ITU709,
            dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
        )
        memory = io.BytesIO()
        Image.fromarray(small.to_ndarray()).save(memory, "JPEG", quality=_QUALITY)
        return memory.getvalue()
