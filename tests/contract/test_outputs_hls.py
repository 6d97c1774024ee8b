"""HLS as a player meets it: across segments, epochs, gaps, failing disks."""

import errno
import io
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest

from sidecar.engine.pacing import NS
from sidecar.outputs.hls import WINDOW, HlsSink
from sidecar.outputs.templates import make_templates
from tests.fixtures.air import ENCODING, FORMAT, WALL_NS, encoded, read_numbers
from tests.fixtures.small_disk import small_disk
from tests.instruments.hls_reader import HlsRecorder, MediaPlaylist, from_folder, parse_playlist

TEMPLATES = make_templates(FORMAT, ENCODING)
GOP = 10
GOP_S = Fraction(GOP, 25)


def played(folder: Path, epoch: int, frames: range, *, end: bool = True) -> HlsSink:
    sink = HlsSink(folder, epoch, GOP_S)
    sink.open(TEMPLATES)
    for batch in encoded(frames, wall_ns=WALL_NS + epoch * 60 * NS):
        sink.write(batch, after_gap=False)
    if end:
        sink.close()
    return sink


def playlist(folder: Path, epoch: int) -> MediaPlaylist:
    return parse_playlist((folder / f"{epoch}.m3u8").read_text())


def listed_bytes(folder: Path, epoch: int) -> bytes:
    return b"".join((folder / entry.uri).read_bytes() for entry in playlist(folder, epoch).entries)


def decoded(data: bytes, *, jumps: bool = False) -> list[int | None]:
    """Frame numbers; fails for a packet marked corrupt, an error, or a warning of the demuxer or decoder.

    ``jumps``: timestamps may go on later than they ended, which the demuxer remarks on.
    """
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture(local=False) as logs, av.open(io.BytesIO(data), format="mpegts") as container:
            pictures: list[av.VideoFrame] = []
            for packet in container.demux():
                assert not packet.is_corrupt
                if packet.stream.type == "video":
                    pictures += packet.decode()
                else:
                    packet.decode()
    finally:
        av.logging.set_level(None)
    remarks = [message for level, _, message in logs if level <= av.logging.WARNING]
    assert [remark for remark in remarks if not (jumps and remark.startswith("DTS discontinuity"))] == []
    return [seen.number for seen in read_numbers(iter(pictures))]


def test_segments_are_cut_at_keyframes_with_exact_lengths(tmp_path: Path) -> None:
    sink = played(tmp_path, 1, range(48))
    entries = playlist(tmp_path, 1).entries
    assert [entry.duration for entry in entries] == [0.4, 0.4, 0.4, 0.4, 0.32]
    assert sink.segments == 5
    for number, entry in enumerate(entries):
        alone = decoded((tmp_path / entry.uri).read_bytes())
        assert alone == list(range(number * GOP, min(48, (number + 1) * GOP)))
    assert playlist(tmp_path, 1).ended


def test_all_segments_together_are_one_stream(tmp_path: Path) -> None:
    played(tmp_path, 1, range(55))
    assert decoded(listed_bytes(tmp_path, 1)) == list(range(55))


def test_the_next_epoch_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    """P2 and P5: a player that follows the link sees numbers go on, one discontinuity, and no corrupt packet."""
    played(tmp_path, 3, range(30), end=False)
    before = playlist(tmp_path, 3)
    assert not before.ended
    played(tmp_path, 4, range(20))
    after = playlist(tmp_path, 4)
    assert [entry.uri for entry in after.entries] == ["3/0.ts", "3/1.ts", "4/0.ts", "4/1.ts"]
    assert [entry.discontinuity for entry in after.entries] == [False, False, True, False]
    assert [(entry.sequence, entry.uri) for entry in after.entries[:2]] == [
        (entry.sequence, entry.uri) for entry in before.entries[:2]
    ]
    assert decoded(listed_bytes(tmp_path, 4), jumps=True) == [*range(20), *range(20)]


def test_an_epoch_that_follows_one_elsewhere_begins_above_it(tmp_path: Path) -> None:
    """P2: from node A to B and back, no number is used twice and none goes back."""
    here, there = tmp_path / "a", tmp_path / "b"
    played(here, 3, range(30), end=False)
    first = playlist(here, 3)
    played(there, 4, range(300), end=False)
    second = playlist(there, 4)
    played(here, 5, range(20))
    third = playlist(here, 5)
    assert [entry.uri for entry in third.entries] == ["5/0.ts", "5/1.ts"]
    assert first.entries[-1].sequence < second.sequence
    assert second.entries[-1].sequence < third.sequence
    assert first.discontinuity_sequence < second.discontinuity_sequence < third.discontinuity_sequence


def test_ffmpegs_own_player_reads_across_epochs(tmp_path: Path) -> None:
    played(tmp_path, 1, range(20))
    played(tmp_path, 2, range(20))
    with av.open(str(tmp_path / "2.m3u8")) as container:
        numbers = read_numbers(frame for frame in container.decode(video=0))
    assert [seen.number for seen in numbers] == [*range(20), *range(20)]


def test_sequences_never_go_back_over_many_epochs(tmp_path: Path) -> None:
    recorder = HlsRecorder(from_folder(tmp_path))
    link = tmp_path / "index.m3u8"
    for epoch in range(1, 6):
        played(tmp_path, epoch, range(35), end=epoch == 5)
        fresh = tmp_path / "fresh"
        fresh.symlink_to(f"{epoch}.m3u8")
        fresh.replace(link)
        recorder.poll()
    assert recorder.recording.faults == []
    assert [number.number for number in read_numbers(recorder.recording.pictures())][-35:] == list(range(35))


def test_old_segments_and_epochs_go_away_once_nobody_can_want_them(tmp_path: Path) -> None:
    played(tmp_path, 1, range(20))
    (tmp_path / "index.m3u8").symlink_to("1.m3u8")
    played(tmp_path, 2, range(GOP * 30), end=False)
    entries = playlist(tmp_path, 2).entries
    assert len(entries) == WINDOW
    files = sorted(int(path.stem) for path in (tmp_path / "2").iterdir())
    listed = sorted(int(Path(entry.uri).stem) for entry in entries)
    assert files[-WINDOW:] == listed
    # RFC 8216, 6.2.2: as long as the longest playlist that listed it, and its own length.
    assert len(files) == 2 * WINDOW + 1
    # The agent has not moved the link yet: the playlist it names must stay, and its segments with it.
    assert (tmp_path / "1.m3u8").exists()
    (tmp_path / "index.m3u8").unlink()
    (tmp_path / "index.m3u8").symlink_to("2.m3u8")
    played(tmp_path, 3, range(GOP * 20))
    assert {path.name for path in tmp_path.iterdir()} == {"2", "2.m3u8", "3", "3.m3u8", "index.m3u8"}


def test_a_gap_is_a_discontinuity_and_its_segment_has_its_true_length(tmp_path: Path) -> None:
    sink = HlsSink(tmp_path, 1, GOP_S)
    sink.open(TEMPLATES)
    for batch in encoded(range(15)):
        sink.write(batch, after_gap=False)
    for number, batch in enumerate(encoded(range(40, 60))):
        sink.write(batch, after_gap=number == 0)
    sink.close()
    entries = playlist(tmp_path, 1).entries
    assert [(entry.duration, entry.discontinuity) for entry in entries] == [
        (0.4, False), (0.2, False), (0.4, True), (0.4, False),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:x\n", "\x00\xff", "#EXTM3U"])
def test_a_previous_playlist_that_cannot_be_read_is_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "4.m3u8").write_text(text)
    played(tmp_path, 5, range(20))
    assert [entry.uri for entry in playlist(tmp_path, 5).entries] == ["5/0.ts", "5/1.ts"]


def test_a_previous_playlist_cannot_name_other_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret.ts"
    secret.write_bytes(b"mine")
    place = tmp_path / "live"
    place.mkdir()
    (place / "1.m3u8").write_text("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:9\n#EXTINF:2.0,\n../secret.ts\n")
    played(place, 2, range(GOP * 20))
    assert secret.read_bytes() == b"mine"
    assert playlist(place, 2).sequence >= 10


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    with small_disk(tmp_path / "disk", "1m") as place:
        yield place


def test_a_full_disk_fails_the_output_and_leaves_no_half_file(tiny_disk: Path) -> None:
    sink = played(tiny_disk, 1, range(20), end=False)
    ballast = tiny_disk / "ballast"
    with pytest.raises(OSError, match="No space left"):
        ballast.write_bytes(b"x" * (2 << 20))
    batches = encoded(range(20, 60))
    with pytest.raises(OSError, match="No space left") as failure:  # noqa: PT012 - whichever segment is too much
        for batch in batches:
            sink.write(batch, after_gap=False)
    assert failure.value.errno == errno.ENOSPC
    assert not [name for name in os.listdir(tiny_disk / "1") if name.endswith(".part")]  # noqa: PTH208
    sink.abandon()
    ballast.unlink()
    sink.open(TEMPLATES)
    for batch in batches:
        sink.write(batch, after_gap=False)
    sink.close()
    entries = playlist(tiny_disk, 1).entries
    assert [entry.uri for entry in entries] == [f"1/{number}.ts" for number in range(len(entries))]
    assert [entry.discontinuity for entry in entries] == [False, True, False, False, False]
