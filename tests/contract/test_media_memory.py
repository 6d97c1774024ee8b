"""A channel that plays for months keeps nothing of what its filters said."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from av.error import FFmpegError, err_check

from tests.fixtures.sidecars import document

_ASK = """
import gc, sys
from sidecar.media.graph import chain, pictures_of

graph = chain([("buffer", {"video_size": "64x36", "pix_fmt": "yuv420p", "time_base": "1/25"}), ("buffersink", {})])
for _ in range(2):  # the first time fills what is kept for good
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(1000):
        assert not list(pictures_of(graph))
    gc.collect()
print(sys.getallocatedblocks() - before)
"""


_SIDECAR = """
import sidecar.lifecycle

class Sidecar:
    def __init__(self, configuration):
        pass

    async def run(self):
        import tests.contract.test_media_memory as asked
        exec(asked._ASK, {})
        return 0

sidecar.lifecycle.Sidecar = Sidecar
from sidecar.__main__ import main
raise SystemExit(main())
"""


def kept(*commands: str) -> int:
    """Blocks of memory that a thousand questions to a filter with nothing ready have left behind."""
    command = [sys.executable, "-c", "\n".join((*commands, _ASK))]
    return int(subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout)


def test_a_filter_that_has_nothing_ready_costs_no_memory() -> None:
    assert kept("from sidecar.media.av_errors import leak_nothing", "leak_nothing()") < 100
    if kept() < 100:
        pytest.fail("PyAV or Python no longer leaks here: sidecar.media.av_errors can go")


def test_a_sidecar_is_mended_before_it_plays(tmp_path: Path) -> None:
    """Its program, as its agent starts it, up to where it would begin."""
    what = document(())
    (tmp_path / "document.json").write_bytes(msgspec.json.encode(what))
    places = {f"MCR_{name}": str(tmp_path / name) for name in ("STATE_DIR", "JOURNAL_DIR", "MEDIA_ROOT")}
    told = {"CHANNEL_ID": what.channel_id, "MCR_EPOCH": "1", "MCR_TOKEN": "t" * 32}
    done = subprocess.run(
        [sys.executable, "-c", _SIDECAR], check=False, capture_output=True, text=True, timeout=120,
        env=os.environ | places | told | {"MCR_DOCUMENT": str(tmp_path / "document.json")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) < 100


def test_an_error_says_the_same_with_the_mend() -> None:
    from sidecar.media.av_errors import leak_nothing

    def said(code: int) -> list[object]:
        with pytest.raises(FFmpegError) as caught:
            err_check(-code if code < 1000 else -0x20464F45, "a/clip.mp4")
        error = caught.value
        return [type(error), error.args, str(error), error.errno, error.strerror, error.filename]

    def told() -> list[object]:
        """As where a library's last word is known, too."""
        log = (16, "mov", "moov atom not found")
        of = [FFmpegError(5, "no", "a/clip.mp4", log), FFmpegError(5, "no", None, log), FFmpegError(5, "no")]
        return [[it.args, str(it), it.log, it.errno, it.filename] for it in of]

    before, before_told = [said(code) for code in (2, 11, 1000)], told()
    was = FFmpegError.__init__
    try:
        leak_nothing()
        assert [said(code) for code in (2, 11, 1000)] == before
        assert told() == before_told
    finally:
        FFmpegError.__init__ = was
        gc.collect()
