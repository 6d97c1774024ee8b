"""Files that are missing, broken or hang. P1: none of them ever stops who asks for the next frame."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sidecar.media import FileSource
from sidecar.media.abandoned import MOST_IN_A_FOLDER, abandoned
from sidecar.protocol.channel import ChannelFormat
from sidecar.rundown.model import SourceView, Supply
from tests.fixtures.patience import patience
from tests.fixtures.playing import SMALL, airing, play, take_all
from tests.fixtures.torture import Picturing, Sounding, numbered, tone, write_clip

AT_ONCE = 10.0  # seconds, for a busy machine; a call that waits for a hung read takes for ever


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + patience(seconds)
    while not condition():
        assert time.monotonic() < until, "not within the deadline"
        time.sleep(0.005)


def let_go(fifo: Path) -> bool:
    """Who waits at the FIFO gets to its end; who comes later waits again."""
    os.close(os.open(fifo, os.O_RDWR | os.O_NONBLOCK))
    return True


class Since:
    """The sources' threads that began after this was made: those of tests before may be ending still."""

    def __init__(self) -> None:
        self._before = set(threading.enumerate())

    def threads(self) -> int:
        began = set(threading.enumerate()) - self._before
        return sum(thread.name.startswith("source ") for thread in began)


def failed(path: Path | str, **item: object) -> str:
    played = play(path, SMALL, **item)
    assert played.end.supply is Supply.FAILED
    return played.end.error


def clip(path: Path, frames: int = 100) -> Path:
    codec = "ffv1" if path.suffix == ".mkv" else "libx264"
    return write_clip(path, Picturing(numbered(320, 180), frames, codec=codec, gop=12))


def test_what_cannot_be_played_says_why(tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    garbage = tmp_path / "garbage.mp4"
    garbage.write_bytes(np.random.default_rng(2).bytes(200_000))
    (tmp_path / "folder").mkdir()
    assert failed(tmp_path / "missing.mp4") == f"no such file: {tmp_path}/missing.mp4"
    assert failed(empty) == f"the file is empty: {empty}"
    assert failed(garbage) == f"not a media file, or damaged beyond reading: {garbage}"
    assert failed(tmp_path / "folder") == f"a folder, not a file: {tmp_path}/folder"
    assert failed("/dev/zero") == "a device, not a file: /dev/zero"
    assert failed("") == "not a path: ''"
    whole = clip(tmp_path / "whole.mkv", 50)
    assert failed(whole, in_frames=70) == f"the in point lies behind its end: {whole}"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{path}\n#EXT-X-ENDLIST\n"),
        ("list.ffconcat", "ffconcat version 1.0\nfile '{path}'\n"),
        ("list.mpd", '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period></Period></MPD>'),
        ("list.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"),
        ("words.srt", "1\n00:00:01,000 --> 00:00:02,000\nHello\n"),
    ],
)
def test_lists_and_links_are_not_followed(tmp_path: Path, name: str, text: str) -> None:
    """A file that names other files or hosts is refused, though what it names could be played."""
    path = tmp_path / name
    path.write_text(text.format(path=clip(tmp_path / "real.mkv", 10)))
    assert "not a " in failed(path)


@pytest.mark.parametrize("path", ["http://127.0.0.1:9/clip.mp4", "concat:a.ts|b.ts", "tcp://127.0.0.1:9", "pipe:0"])
def test_a_path_is_only_ever_a_path(path: str) -> None:
    assert failed(path) == f"no such file: {path}"


def test_a_colon_in_a_name_is_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip(tmp_path / "plain.mkv", 10).rename(tmp_path / "data:clip 20:00.mkv")
    monkeypatch.chdir(tmp_path)
    assert len(play("data:clip 20:00.mkv", SMALL).moments) == 10


def test_a_name_that_is_not_unicode_plays(tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mkv")
    clip(tmp_path / "plain.mkv", 10).rename(name)
    assert len(play(name, SMALL).moments) == 10


def test_a_file_cut_short_airs_what_is_there_and_says_so(tmp_path: Path) -> None:
    picture = Picturing(numbered(320, 180), 250, codec="libx264", gop=12)
    whole = write_clip(tmp_path / "whole.mp4", picture, movflags="faststart").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    played = play(cut, SMALL)
    assert 60 < len(played.moments) < 190
    assert played.numbers == list(range(len(played.moments)))
    assert played.end.supply is Supply.FAILED
    assert played.end.error.startswith("cut short, ")


def test_a_file_damaged_in_the_middle_goes_on(tmp_path: Path) -> None:
    """Rubbish over a tenth of it: the rest airs in its place and the length is right."""
    picture = Picturing(numbered(320, 180), 250, codec="libx264", options={"qp": "0"}, gop=12)
    path = write_clip(tmp_path / "clip.ts", picture, [Sounding(tone(440, 10)[None], "mono", "mp2")])
    data = bytearray(path.read_bytes())
    start = len(data) // 2
    data[start : start + len(data) // 10] = np.random.default_rng(3).bytes(len(data) // 10)
    path.write_bytes(data)
    played = play(path, SMALL)
    assert played.end.supply is Supply.ENDED
    assert abs(len(played.moments) - 250) <= 1
    assert played.numbers[-1] == 249


def test_a_read_that_hangs_at_the_opening(tmp_path: Path) -> None:
    """A FIFO nobody writes to: the kernel keeps the thread, nobody else."""
    hung = tmp_path / "hung.ts"
    os.mkfifo(hung)
    since = Since()
    started = time.monotonic()
    source = FileSource(airing(hung), SMALL)
    assert source.view() == SourceView(Supply.OPENING)
    source.close()
    source.close()
    assert time.monotonic() - started < AT_ONCE
    assert since.threads() == 1
    wait_for(lambda: let_go(hung) and since.threads() == 0)


def test_a_read_that_hangs_in_the_middle(tmp_path: Path) -> None:
    """The writer of a FIFO stops: what came is given, then the source is dry, and stays free to use and to close."""
    picture = Picturing(numbered(320, 180), 250, codec="libx264", options={"qp": "0"}, gop=12)
    data = write_clip(tmp_path / "clip.ts", picture).read_bytes()
    hung = tmp_path / "hung.ts"
    os.mkfifo(hung)
    since = Since()
    source = FileSource(airing(hung), SMALL)
    writer = os.open(hung, os.O_RDWR)
    feeder = threading.Thread(target=os.write, args=(writer, data[: len(data) * 3 // 5]), daemon=True)
    feeder.start()
    taken = 0

    def dry() -> bool:
        nonlocal taken
        while source.view().supply is Supply.READY:
            assert source.take(1920).source_frame == taken
            taken += 1
        return not feeder.is_alive() and source.view().supply is Supply.DRY and taken > 100

    wait_for(dry)
    started = time.monotonic()
    assert source.view() == SourceView(Supply.DRY)
    with pytest.raises(LookupError):
        source.take(1920)
    source.close()
    assert time.monotonic() - started < AT_ONCE
    os.close(writer)
    wait_for(lambda: since.threads() == 0)


def test_hung_reads_are_bounded_and_others_still_play(tmp_path: Path) -> None:
    """One thread a hung file, a few a folder; then the sources fail at once, with a reason. Elsewhere files play."""
    folder = tmp_path / "dead server"
    folder.mkdir()
    since = Since()
    fifos = [folder / f"{number}.ts" for number in range(MOST_IN_A_FOLDER + 2)]
    for fifo in fifos:
        os.mkfifo(fifo)
    for fifo in fifos[:MOST_IN_A_FOLDER]:
        FileSource(airing(fifo), SMALL).close()

    def view(path: Path) -> SourceView:
        source = FileSource(airing(path), SMALL)
        try:
            return source.view()
        finally:
            source.close()

    wait_for(lambda: "files of its folder hang" in abandoned.refusal(str(fifos[-1])))
    assert view(fifos[-1]).supply is Supply.FAILED
    assert "files of its folder hang" in view(fifos[-1]).error
    assert "reading it has hung for" in view(fifos[0]).error
    assert since.threads() == MOST_IN_A_FOLDER
    assert len(play(clip(tmp_path / "healthy.mkv", 10), SMALL).moments) == 10
    wait_for(lambda: all(let_go(fifo) for fifo in fifos) and since.threads() == 0)


def test_a_closed_source_ends_its_thread_and_keeps_no_pictures(tmp_path: Path) -> None:
    since = Since()
    source = FileSource(airing(clip(tmp_path / "clip.mkv")), SMALL)
    wait_for(lambda: source.view().frames_ahead >= 10)
    source.close()
    wait_for(lambda: since.threads() == 0)
    assert source.view().supply is Supply.ENDED
    assert source.view().frames_ahead == 0


@pytest.mark.parametrize(
    ("channel", "most"),
    [(ChannelFormat(320, 180, "25"), 20), (ChannelFormat(320, 180, "50"), 40), (ChannelFormat(3840, 2160, "50"), 8)],
)
def test_what_is_decoded_ahead_is_bounded(tmp_path: Path, channel: ChannelFormat, most: int) -> None:
    """0.8 s, or 96 MiB of pictures."""
    source = FileSource(airing(clip(tmp_path / "clip.mkv", 200)), channel)
    wait_for(lambda: source.view().frames_ahead == most)
    taken = source.take(960)
    wait_for(lambda: source.view().frames_ahead == most)
    assert taken.source_frame == 0
    assert source.view().frames_ahead == most
    source.close()


def test_taking_fast_never_waits_and_loses_nothing(tmp_path: Path) -> None:
    source = FileSource(airing(clip(tmp_path / "clip.mkv", 200)), SMALL)
    assert take_all(source, SMALL).numbers == list(range(200))
    source.close()
