"""A channel that plays for months keeps nothing of what its filters said."""

import gc
import subprocess
import sys

import pytest
from av.error import FFmpegError, err_check

_ASK = """
import gc, sys
from sidecar.media.av_errors import leak_nothing
from sidecar.media.graph import chain, pictures_of

if sys.argv[1] == "mended":
    leak_nothing()
graph = chain([("buffer", {"video_size": "64x36", "pix_fmt": "yuv420p", "time_base": "1/25"}), ("buffersink", {})])
for _ in range(2):  # the first time fills what is kept for good
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(1000):
        assert not list(pictures_of(graph))
    gc.collect()
print(sys.getallocatedblocks() - before)
"""


def kept(how: str) -> int:
    """Blocks of memory that a thousand questions to a filter with nothing ready have left behind."""
    command = [sys.executable, "-c", _ASK, how]
    return int(subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout)


def test_a_filter_that_has_nothing_ready_costs_no_memory() -> None:
    assert kept("mended") < 100
    if kept("as PyAV has it") < 100:
        pytest.fail("PyAV or Python no longer leaks here: sidecar.media.av_errors can go")


def test_an_error_says_the_same_with_the_mend() -> None:
    from sidecar.media.av_errors import leak_nothing

    def said(code: int) -> list[object]:
        with pytest.raises(FFmpegError) as caught:
            err_check(-code if code < 1000 else -0x20464F45, "a/clip.mp4")
        error = caught.value
        return [type(error), error.args, str(error), error.errno, error.strerror, error.filename]

    before = [said(code) for code in (2, 11, 1000)]
    was = FFmpegError.__init__
    try:
        leak_nothing()
        assert [said(code) for code in (2, 11, 1000)] == before
    finally:
        FFmpegError.__init__ = was
        gc.collect()
