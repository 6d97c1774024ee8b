"""DeckLink outputs on the stand-in driver: who has a port, and that nobody else gets it (P2, P3)."""

import os
import signal
import time
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from sidecar.clips.make import make_clip
from sidecar.clips.specification import ClipSpecification
from sidecar.outputs.decklink import DeckLinkSink, PortBusy, PortMissing
from sidecar.outputs.decklink_address import parse_decklink_url
from sidecar.outputs.decklink_stand_in import BEHAVIOUR, VARIABLE, StandInBehaviour, StandInDriver, StandInFrame
from sidecar.outputs.sinks import make_sink
from sidecar.outputs.templates import make_templates
from sidecar.protocol.channel import Item, Output
from sidecar.protocol.status import OutputStatus, Status
from tests.fixtures.air import ENCODING, FORMAT, encoded
from tests.fixtures.sidecars import document, sidecar

TEMPLATES = make_templates(FORMAT, ENCODING)


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    """Two ports of one card, and an older card's: that one is the first."""
    directory = tmp_path / "blackmagic"
    directory.mkdir()
    for name, text in (("io0", "DeckLink Duo 2\n81:1\n"), ("io1", "DeckLink Duo 2\n81:2\n"), ("dv0", "DeckLink SDI\n")):
        (directory / name).write_text(text)
    return directory


def behave(cards: Path, **behaviour: object) -> None:
    (cards / BEHAVIOUR).write_bytes(msgspec.json.encode(StandInBehaviour(**behaviour)))  # type: ignore[arg-type]


def sink_of(url: str, cards: Path) -> DeckLinkSink:
    return DeckLinkSink(parse_decklink_url(url), StandInDriver(cards))


def frames(cards: Path, port: str) -> list[StandInFrame]:
    lines = (cards / f"{port}.frames").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=StandInFrame) for line in lines]


@pytest.mark.parametrize(
    "url",
    ["decklink://", "decklink://0", "decklink://1?key=1", "decklink://1?key=", "decklink://a", "decklink://1/2",
     "decklink://100", "udp://1", "decklink://1?key=2&x=1", "decklink://1\n"],
)  # fmt: skip
def test_what_is_no_port_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="DeckLink port"):
        parse_decklink_url(url)


def test_without_a_driver_the_output_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    sink = make_sink(Output("d", "decklink", "decklink://1"), live=tmp_path, epoch=1, segment_length=Fraction(2))
    assert sink.fencing == "cable"
    with pytest.raises(OSError, match="this engine drives no DeckLink card"):
        sink.open(TEMPLATES)


def test_a_port_has_one_holder_and_missing_is_told_from_busy(cards: Path) -> None:
    """P3, also within one process and for the key's port."""
    first = sink_of("decklink://2?key=3", cards)
    first.open(TEMPLATES)
    for url, busy in (("decklink://2", 2), ("decklink://3", 3), ("decklink://1?key=3", 3)):
        newcomer = sink_of(url, cards)
        with pytest.raises(PortBusy, match=f"DeckLink port {busy} is in use"):
            newcomer.open(TEMPLATES)
        newcomer.abandon()
    with pytest.raises(PortMissing, match="no DeckLink port 4"):
        sink_of("decklink://4", cards).open(TEMPLATES)
    oldest = sink_of("decklink://1", cards)
    oldest.open(TEMPLATES)
    first.close()
    second = sink_of("decklink://3?key=2", cards)
    second.open(TEMPLATES)
    second.close()
    oldest.close()
    assert (cards / "io0").read_text() == "DeckLink Duo 2\n81:1\n", "the device list reads these"


def test_every_picture_is_written_to_both_ports(cards: Path) -> None:
    behave(cards, log_frames=True)
    sink = sink_of("decklink://2?key=3", cards)
    with pytest.raises(OSError, match="not open"):
        sink.write(encoded(range(1))[0], after_gap=False)
    sink.open(TEMPLATES)
    for batch in encoded(range(12)):
        sink.write(batch, after_gap=False)
    sink.close()
    for port in ("io0", "io1"):
        assert [(frame.frame, frame.pid) for frame in frames(cards, port)] == [(n, os.getpid()) for n in range(12)]
    assert sink.bytes_sent > 0


def test_a_port_settles_before_it_can_be_had_again(cards: Path) -> None:
    behave(cards, settle_s=0.3)
    sink = sink_of("decklink://1", cards)
    sink.open(TEMPLATES)
    sink.close()
    closed = time.monotonic()
    while True:
        try:
            sink.open(TEMPLATES)
            break
        except PortBusy:
            assert time.monotonic() < closed + 60
            time.sleep(0.01)
    assert time.monotonic() >= closed + 0.25
    sink.close()


def test_a_newcomer_may_take_the_running_output_down(cards: Path) -> None:
    """CasparCG #1012: why a claim is taken before anything is opened."""
    behave(cards, newcomer_kills=True)
    running, newcomer = sink_of("decklink://1", cards), sink_of("decklink://1", cards)
    batch = encoded(range(1))[0]
    running.open(TEMPLATES)
    running.write(batch, after_gap=False)
    with pytest.raises(PortBusy):
        newcomer.open(TEMPLATES)
    with pytest.raises(OSError, match="taken down by another"):
        running.write(batch, after_gap=False)
    running.abandon()
    running.open(TEMPLATES)
    running.write(batch, after_gap=False)
    running.close()


def test_real_sidecars_never_share_a_port(cards: Path, tmp_path: Path) -> None:
    """P2, P3, I14: the newcomer is down and says why, and gets the port when the holder is dead, however it died."""
    behave(cards, log_frames=True)
    clip = make_clip(ClipSpecification(1, "One", 320, 180, Fraction(25), 500), tmp_path)
    what = document((Item(id="1" * 32, title="One", path=str(clip)),))
    environment = {VARIABLE: str(cards)}
    what = msgspec.structs.replace(what, outputs=(Output("sdi", "decklink", "decklink://2"),))
    with (
        sidecar(what, tmp_path / "a", environment=environment) as first,
        sidecar(what, tmp_path / "b", environment=environment) as second,
    ):
        first.arm()
        first.until(lambda s: sdi(s).state == "up", "the first has the port")
        second.arm()
        status = second.until(lambda s: sdi(s).state == "down", "the second has not")
        assert "DeckLink port 2 is in use by another process" in sdi(status).detail
        assert (sdi(status).fencing, status.state) == ("cable", "on_air")
        first.process.send_signal(signal.SIGKILL)
        second.until(lambda s: sdi(s).state == "up", "the second has the port")
        second.until(lambda s: sdi(s).frames_sent > 10, "frames")
    written = frames(cards, "io0")
    by_pid = {pid: [frame.at for frame in written if frame.pid == pid] for pid in {frame.pid for frame in written}}
    assert set(by_pid) == {first.process.pid, second.process.pid}
    assert max(by_pid[first.process.pid]) < min(by_pid[second.process.pid])


def sdi(status: Status) -> OutputStatus:
    return next(output for output in status.outputs if output.kind == "decklink")
