"""A live input that is cut and comes back: what a viewer decodes is what the as-run says, to the frame."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from uuid import uuid4

import pytest

from sidecar.clips.make import make_clip
from sidecar.clips.specification import ClipSpecification
from sidecar.protocol.asrun import AsRunRecord
from sidecar.protocol.channel import ChannelFormat, Item, Output, Playlist, SidecarDocument
from tests.fixtures.live_senders import CLIP as LIVE
from tests.fixtures.live_senders import SenderProcess, free_port
from tests.fixtures.sidecars import on_air
from tests.instruments.frame_cells import Seen, read_frame
from tests.instruments.hls_reader import HlsRecorder, from_folder

BEFORE, AFTER = 1, 2
LIVE_FRAMES = 18 * 25


def clip(number: int, folder: Path) -> Item:
    path = make_clip(ClipSpecification(number, f"Clip {number}", 320, 180, Fraction(25), 75), folder)
    return Item(uuid4().hex, f"Clip {number}", path=str(path.resolve()), duration_frames=75)


def expected(records: Sequence[AsRunRecord], numbers: dict[str, int]) -> Iterator[int | None]:
    """The clip number that every output frame shows by the journal; None where no item is on the output."""
    shows: int | None = None
    frame = 0
    for record in records:
        if record.kind not in ("item_start", "item_end", "live_lost", "live_back", "filler_start", "filler_end"):
            continue
        yield from (shows for _ in range(frame, record.frame))
        frame = record.frame
        returns = record.kind == "live_back" and record.cause == "live back"
        shows = numbers[record.item_id or ""] if record.kind == "item_start" or returns else None


@pytest.mark.realtime
@pytest.mark.timeout(240)
def test_a_live_input_that_is_cut_and_restored_airs_as_the_log_says(tmp_path: Path) -> None:
    """P4. A clip, a live SRT input that is cut for some seconds, and a clip again."""
    port = free_port()
    before, after = clip(BEFORE, tmp_path), clip(AFTER, tmp_path)
    url = f"srt://:{port}?mode=listener&latency=60"
    live = Item(uuid4().hex, "Studio", kind="live", url=url, duration_frames=LIVE_FRAMES)
    form = ChannelFormat(320, 180, "25")
    playlist = Playlist(1, (before, live, after), "hold")
    document = SidecarDocument(uuid4().hex, "Live", form, (Output("0" * 32, "hls"),), playlist)
    sender = SenderProcess(f"srt://127.0.0.1:{port}?mode=caller", "mpegts")
    with (
        sender,
        on_air(document, tmp_path / "home") as channel,
        HlsRecorder(from_folder(channel.live), "1.m3u8") as recorder,
    ):
        coming = channel.until(lambda s: s.next is not None and s.next.ready, "the input connected ahead").next
        assert coming is not None
        assert coming.live is not None
        channel.until(lambda s: s.item is not None and s.item.position_frames > 60 and s.item.live, "live", 30)
        sender.cut()
        lost = channel.until(lambda s: s.picture == "filler", "the input lost", 30)
        assert lost.item is not None
        assert lost.item.live is not None
        assert (lost.item.item_id, lost.item.live.state) == (live.id, "lost")
        sender.restore()
        channel.until(lambda s: s.picture == "item", "the input back", 40)
        channel.until(lambda s: s.picture == "hold", "the end of the list", 60)
        records = channel.records()
        channel.do("stop")
        channel.ended()
        recorder.poll()
    seen = [read_frame(picture, (Fraction(16, 9),)) for picture in recorder.recording.pictures()]
    assert recorder.recording.faults == []
    compare(seen, records, {before.id: BEFORE, live.id: LIVE, after.id: AFTER})


def compare(seen: Sequence[Seen], records: Sequence[AsRunRecord], numbers: dict[str, int]) -> None:
    told = list(expected(records, numbers))
    end = max(record.frame for record in records if record.kind == "item_end")
    assert len(seen) >= end
    pairs = enumerate(zip(told, seen, strict=False))
    assert [(index, one, shown.clip) for index, (one, shown) in pairs if one != shown.clip] == []
    marks = [(record.kind, record.cause) for record in records if record.kind.startswith("live_")]
    assert marks == [("live_lost", "live lost"), ("live_back", "live back")]
    ends = {record.item_id: record.frames for record in records if record.kind == "item_end"}
    assert list(ends.values()) == [75, LIVE_FRAMES, 75]
    airing = [shown.number or 0 for shown in seen[:end] if shown.clip == LIVE]
    assert airing == sorted(airing)
