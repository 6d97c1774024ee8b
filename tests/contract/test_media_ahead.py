"""How a file is decoded ahead: what is opened beside other channels takes no core from them."""

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from sidecar.media import FileSource, file_source
from sidecar.rundown.model import Supply
from tests.fixtures.air import wait_until
from tests.fixtures.playing import SMALL, airing
from tests.fixtures.torture import Picturing, numbered, write_clip


def test_before_it_is_on_air_a_file_is_decoded_ahead_at_twice_its_speed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P8: two moments as fast as it goes; from the first one that is taken on, whatever is missing."""
    asked: list[float] = []
    goes_on = threading.Event()

    def breath(seconds: float) -> None:
        asked.append(seconds)
        goes_on.wait(30)

    monkeypatch.setattr(file_source, "time", SimpleNamespace(sleep=breath))
    path = write_clip(tmp_path / "clip.mp4", Picturing(numbered(320, 180), 100, codec="libx264", gop=12))
    source = FileSource(airing(path), SMALL)
    try:
        wait_until(lambda: bool(asked), 20, "it takes a breath")
        view = source.view()
        assert (view.supply, view.frames_ahead, asked) == (Supply.READY, 2, [0.02])
        source.take(1920)
        goes_on.set()
        wait_until(lambda: source.view().frames_ahead == 20, 20, "all that it keeps ahead is there")
        assert asked == [0.02]
    finally:
        goes_on.set()
        source.close()
