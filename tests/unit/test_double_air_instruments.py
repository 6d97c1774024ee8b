"""P2's instruments must find a planted second sender before they may say that there was none."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import pytest

from tests.fixtures.air import wait_until
from tests.fixtures.planted_sender import planted
from tests.instruments import double_air
from tests.instruments.double_air import judge_index, judge_rtmp, judge_udp
from tests.instruments.heard import MS, Span, double_air_ms, gaps, returns, spans
from tests.instruments.public_index import IndexReader, epoch_of, from_path, from_url
from tests.instruments.rtmp_messages import MessageReader, chunked, decode, encode
from tests.instruments.rtmp_receiver import Policy, RtmpReceiver
from tests.instruments.sender_capture import Capture, Datagram, SenderCapture

S = 1000 * MS


def every(sender: str, first_ms: int, last_ms: int, step_ms: int = 10) -> list[tuple[str, int]]:
    return [(sender, at * MS) for at in range(first_ms, last_ms + 1, step_ms)]


def test_one_after_the_other_is_no_double_air_and_the_gap_is_told_to_the_millisecond() -> None:
    found = spans(every("a", 0, 5000) + every("b", 5347, 9007))
    assert [(span.sender, span.heard) for span in found] == [("a", 501), ("b", 367)]
    assert double_air_ms(found) == 0
    assert [gap.ms for gap in gaps(found)] == [347]
    assert returns(found) == []


def test_an_overlap_is_told_to_the_millisecond_and_three_at_once_are_not_counted_twice() -> None:
    assert double_air_ms(spans(every("a", 0, 5000) + every("b", 4880, 9000))) == 120
    three = spans(every("a", 0, 5000) + every("b", 4000, 9000) + every("c", 4500, 4700))
    assert double_air_ms(three) == 1000
    assert gaps(three) == []


def test_a_single_stray_datagram_of_an_old_sender_is_found() -> None:
    stray = spans([*every("a", 0, 5000), *every("b", 5100, 30_000), ("a", 20_000 * MS)])
    assert double_air_ms(stray) == 1
    assert [(one.sender, one.other) for one in returns(stray)] == [("a", "b")]


def test_a_sender_that_comes_back_after_another_is_found_though_they_never_sent_at_once() -> None:
    found = spans(every("a", 0, 5000) + every("b", 5100, 6500) + every("a", 6600, 9000))
    assert double_air_ms(found) == 0
    assert len(returns(found)) == 1
    assert not double_air.judge("run", "udp", found).clean


def test_a_sender_that_pauses_alone_has_a_gap_and_does_not_come_back() -> None:
    found = spans(every("a", 0, 5000) + every("a", 8000, 9000))
    assert found == [Span("a", 0, 5 * S, 501), Span("a", 8 * S, 9 * S, 101)]
    assert [gap.ms for gap in gaps(found)] == [3000]
    assert returns(found) == []


def test_a_receiver_that_heard_nothing_or_lost_datagrams_proves_nothing() -> None:
    assert not judge_udp("run", Capture()).clean
    one = [Datagram(0, "127.0.0.1:1", b"")]
    assert judge_udp("run", Capture(one)).clean
    assert not judge_udp("run", Capture(one, dropped=3)).clean


@contextmanager
def two(url: str, first_s: float, pause: Callable[[], None], second_s: float) -> Iterator[list[Popen[bytes]]]:
    """Two senders to one address in processes of their own; ended when left."""
    senders = [planted(url, 1, first_s)]
    try:
        pause()
        senders.append(planted(url, 2, second_s, first=500))
        yield senders
    finally:
        for sender in senders:
            sender.kill()
            sender.wait(60)


@pytest.mark.realtime
def test_p2_two_real_senders_to_one_udp_port_are_told_apart_and_their_double_air_is_measured() -> None:
    """Planted: the second begins while the first sends, and outlives it."""
    with SenderCapture() as receiver:
        capture = receiver.capture
        with two(receiver.url, 2.5, lambda: wait_until(lambda: bool(capture.datagrams), 15, "a sender"), 3.0) as both:
            for sender in both:
                assert sender.wait(60) == 0
    assert capture.kernel_times
    one, other = capture.spans()
    assert judge_udp("planted", capture).double_air_ms == pytest.approx((one.last_ns - other.first_ns) / MS, abs=0.01)
    assert not judge_udp("planted", capture).clean
    assert capture.continuity_errors() > 10
    assert [capture.of(sender).continuity_errors() for sender in capture.senders()] == [0, 0]
    seen = [capture.pictures(sender) for sender in capture.senders()]
    assert [{frame.clip for frame in pictures} for pictures in seen] == [{1}, {2}]
    assert [frame.number for frame in seen[1]] == list(range(500, 575))


def test_p2_one_real_sender_after_another_is_clean_and_the_gap_is_the_receivers_own() -> None:
    with SenderCapture() as receiver:
        for clip in (1, 2):
            sender = planted(receiver.url, clip, 0.4)
            assert sender.wait(60) == 0
    verdict = judge_udp("one by one", receiver.capture)
    assert verdict.clean, verdict
    assert len(verdict.senders) == 2
    assert len(verdict.gaps_ms) == 1


def listing(*names: str, sequence: int) -> bytes:
    entries = "".join(f"#EXTINF:2.000,\n{name}.ts\n" for name in names)
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{sequence}\n{entries}".encode()


def index_of(*texts: bytes | None, step_ms: int = 100) -> IndexReader:
    """A reader that was shown each text once; None is no list."""
    shown = iter(texts)

    def read() -> bytes:
        text = next(shown)
        if text is None:
            raise FileNotFoundError
        return text

    reader = IndexReader(read)
    for number in range(len(texts)):
        reader.poll(number * step_ms * MS)
    return reader


FOUR = listing("7/1", "7/2", "7/3", sequence=1)
FIVE = listing("7/2", "7/3", "8/0", sequence=2)


def test_a_list_that_passes_from_one_epoch_to_the_next_is_clean_and_tells_when() -> None:
    log = index_of(FOUR, FOUR, None, FIVE, listing("7/3", "8/0", "8/1", sequence=3)).log
    verdict = judge_index("run", log)
    assert verdict.clean, verdict
    assert log.change_ns(8) == 300 * MS
    assert log.first_segment_ns(8) == 300 * MS
    assert verdict.gaps_ms == (200.0,)


def test_p2_a_list_that_goes_back_an_epoch_is_found_and_measured() -> None:
    """Planted: for 300 ms the new epoch, then the old one again."""
    log = index_of(FOUR, FIVE, FIVE, FIVE, FOUR, FOUR).log
    verdict = judge_index("planted", log)
    assert verdict.double_air_ms == 200
    assert "the list went back from epoch 8 to 7" in verdict.faults
    assert any("sequence went back" in fault for fault in verdict.faults)


def test_p2_segments_of_two_epochs_after_the_change_are_found() -> None:
    mixed = index_of(FOUR, FIVE, listing("8/0", "7/4", "8/1", sequence=4)).log
    assert any("mixed" in fault for fault in mixed.faults)
    late = index_of(FOUR, FIVE, listing("7/9", "8/0", "8/1", sequence=4)).log
    assert late.faults == ["segment 7/9.ts of epoch 7 is new though epoch 8 had the list"]
    assert index_of(b"<html>").log.faults


def test_the_index_is_read_from_disk_through_its_link_and_over_http(tmp_path: Path) -> None:
    (tmp_path / "7.m3u8").write_bytes(FOUR)
    (tmp_path / "index.m3u8").symlink_to("7.m3u8")
    with IndexReader(from_path(tmp_path / "index.m3u8"), 0.01) as reader:
        wait_until(lambda: reader.log.change_ns(7) is not None, 10, "epoch 7")
        (tmp_path / "8.m3u8").write_bytes(FIVE)
        (tmp_path / ".new").symlink_to("8.m3u8")
        (tmp_path / ".new").replace(tmp_path / "index.m3u8")
        wait_until(lambda: reader.log.change_ns(8) is not None, 10, "epoch 8")
    assert judge_index("run", reader.log).clean
    with pytest.raises(OSError, match="refused"):
        from_url("http://127.0.0.1:1/index.m3u8")()
    with pytest.raises(ValueError, match="invalid literal"):
        epoch_of("segment.ts")


def test_rtmp_messages_come_whole_from_any_cut_and_over_any_chunk_size() -> None:
    body = encode("publish", 4.0, None, "key", "live", {"yes": True, "word": "ä"})
    data = chunked(1, 0, (64).to_bytes(4, "big"), channel=2) + chunked(20, 1, body * 3, size=64)
    for cut in (1, 5, 63, 1000):
        reader = MessageReader()
        parts = [data[at : at + cut] for at in range(0, len(data), cut)]
        messages = [message for part in parts for message in reader.feed(part)]
        assert [message.kind for message in messages] == [1, 20]
        assert decode(messages[1].body) == decode(body) * 3
    with pytest.raises(ValueError, match="without a header"):
        list(MessageReader().feed(b"\xc7" + bytes(20)))


@pytest.mark.realtime
@pytest.mark.parametrize(("policy", "double"), [("first", False), ("last", False), ("all", True)])
def test_p2_two_real_rtmp_publishers_are_found_and_who_wins_is_the_receivers_policy(
    policy: Policy, double: bool
) -> None:
    """Planted: a second publisher of the same key comes while the first one sends."""
    with RtmpReceiver(policy) as receiver:
        log = receiver.log
        with two(receiver.url(), 4.0, lambda: wait_until(lambda: any(log.heard()), 15, "media"), 1.0) as (first, other):
            wait_until(lambda: len(log.connections) == 2, 15, "a second publisher")
            second = log.connections[1]
            wait_until(lambda: second.closed_ns is not None, 15, "the second one's end")
            assert (other.wait(60) == 0) is (policy != "first")
            assert policy == "first" or (first.poll() is None) is (policy == "all")
    verdict = judge_rtmp("planted", log)
    assert (verdict.double_air_ms > 300) is double
    assert len(verdict.senders) == (1 if policy == "first" else 2)
    assert bool(second.refused) is (policy == "first")
    assert len(log.attempts()) == 2


def test_a_run_of_verdicts_is_kept_as_lines_and_one_that_is_not_clean_fails_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = double_air.judge("good", "udp", spans(every("a", 0, 100)))
    bad = double_air.judge("bad", "udp", spans(every("a", 0, 100) + every("b", 90, 200)))
    for name, verdicts in (("good", [good]), ("both", [good, bad])):
        with (tmp_path / name).open("w") as lines:
            double_air.write(lines, verdicts)
    assert double_air.main([str(tmp_path / "good")]) == 0
    capsys.readouterr()
    assert double_air.main([str(tmp_path / "both")]) == 1
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert said[0]["run"] == "bad"
    assert said[1] == {"receivers": 2, "double_air_ms": 10.0, "clean": False}
    assert double_air.main([]) == 1
