"""A CasparCG server that the sidecar starts itself: the server of the tests as a real process."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sidecar.caspar.minder import Minder, kept_process
from sidecar.caspar.playout import CasparPlayout
from sidecar.caspar.server_config import ServerFolder, wanted_mode, written_config
from sidecar.protocol.caspar_modes import Mode
from sidecar.protocol.channel import CasparServer, ChannelFormat, Item, Output, Playlist, SidecarDocument
from sidecar.protocol.status import EngineHealth
from tests.fixtures.air import Facts, wait_until

ROOT = Path(__file__).parents[2]
NS = 1_000_000_000
FORMAT = ChannelFormat(1280, 720, "25")
NONE = EngineHealth("", answers=False, moves=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Kept:
    """A minder, its clock, and what it may have left behind."""

    def __init__(self, place: Path, **environment: str) -> None:
        self.place = place
        program = place / "casparcg"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m tests.doubles.caspar "$@"\n')
        program.chmod(0o755)
        self.server = CasparServer(port=free_port(), program=str(program))
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "DISPLAY"}, "PYTHONPATH": str(ROOT),
            **environment,
        }  # fmt: skip
        self.now_ns = 0
        self.screens: Callable[[], str | None] = lambda: None
        self.minder = self.another()

    def another(self, mode: Mode | None = None) -> Minder:
        folder = ServerFolder(self.place / "caspar", self.place / "media")
        return Minder(
            self.server,
            mode or wanted_mode(self.server, FORMAT),
            folder,
            self.environment,
            lambda: self.screens(),  # noqa: PLW0108 - set after
        )

    def mind(self, pass_ns: int = 0) -> None:
        self.now_ns += pass_ns
        self.minder.mind(self.now_ns)

    def answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.server.port)) == 0

    def pid(self) -> int:
        process = kept_process(self.place / "caspar")
        assert process is not None
        return process.pid


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    yield made
    while not made.minder.end(signal.SIGKILL):
        time.sleep(0.01)


def until_gone(kept: Kept) -> None:
    wait_until(lambda: not kept.minder.is_alive, 30, "its end")


def test_it_is_started_once_and_comes_again_with_a_pause_and_its_last_words(kept: Kept) -> None:
    kept.mind()
    wait_until(kept.answers, 30, "an answer")
    first = kept.pid()
    kept.mind()
    assert kept.pid() == first
    os.kill(first, signal.SIGKILL)
    until_gone(kept)
    kept.mind()
    assert "by signal 9" in kept.minder.fault
    assert not kept.minder.is_alive
    kept.mind(NS)
    wait_until(kept.answers, 30, "an answer")
    assert kept.pid() != first
    assert kept.minder.fault == ""


def test_its_last_words_repeat_no_secret_of_what_it_was_told_and_its_log_is_its_owners(kept: Kept) -> None:
    kept.mind()
    folder = kept.place / "caspar"
    assert folder.stat().st_mode & 0o077 == 0
    address = "srt://ob.example:9000?passphrase=hornisgrinde"
    received = f'[info]    Received message from 127.0.0.1: PLAY 1-12 "{address}" CUT 0'
    failed = "[error]    rtmp://kim:hornisgrinde@cdn.example/app/hornisgrinde: Input/output error"
    shouted = failed.replace("rtmp:", "RTMP:")
    for lines, said in (
        ([received], "srt://ob.example:9000"),
        ([failed, received], "rtmp://cdn.example"),
        ([shouted], "RTMP://cdn.example"),
    ):
        (folder / "server.log").write_text("\n".join([*lines * 500, *lines]))
        assert said in kept.minder.last_words()
        assert "grinde" not in kept.minder.last_words()


def test_it_lives_on_without_who_started_it_and_is_found_again(kept: Kept) -> None:
    kept.mind()
    wait_until(kept.answers, 30, "an answer")
    first = kept.pid()
    kept.minder = kept.another()
    kept.mind()
    assert kept.minder.is_alive
    assert kept.pid() == first
    assert kept.minder.starts == 0


def test_one_that_was_told_otherwise_is_ended_first(kept: Kept) -> None:
    kept.mind()
    wait_until(kept.answers, 30, "an answer")
    first = kept.pid()
    kept.minder.mind(0)
    before, kept.minder = (
        kept.minder,
        kept.another(Mode("720p5000", 1280, 720, wanted_mode(kept.server, FORMAT).rate * 2)),
    )
    kept.mind()
    wait_until(lambda: not before.is_alive, 30, "the end of the one before")
    before.mind(0)  # reaps it
    kept.mind(NS)
    kept.mind(20 * NS)
    wait_until(kept.answers, 30, "an answer")
    assert kept.pid() != first


def test_a_stop_ends_it_and_nothing_is_kept(kept: Kept) -> None:
    kept.mind()
    wait_until(kept.answers, 30, "an answer")
    assert not kept.minder.end(signal.SIGTERM)
    until_gone(kept)
    assert kept.minder.end(signal.SIGTERM)
    assert kept_process(kept.place / "caspar") is None
    assert "Successfully shutdown" in (kept.place / "caspar" / "server.log").read_text()


def test_another_program_on_its_port_is_not_taken_for_it(kept: Kept) -> None:
    with socket.create_server(("127.0.0.1", kept.server.port)):
        kept.mind()
        assert kept.minder.starts == 1
        assert not kept.minder.is_alive
        assert "another program listens" in kept.minder.fault
    kept.mind(NS)
    assert kept.minder.is_alive


def test_a_program_that_is_not_there_is_said(tmp_path: Path) -> None:
    server = CasparServer(port=free_port(), program=str(tmp_path / "casparcg"))
    minder = Minder(server, wanted_mode(server, FORMAT), ServerFolder(tmp_path / "caspar", tmp_path))
    minder.mind(0)
    assert not minder.is_alive
    assert "cannot be started" in minder.fault


def test_it_is_not_told_what_its_sidecar_was_told(kept: Kept) -> None:
    kept.environment |= {"CHANNEL_ID": "c" * 32, "MCR_TOKEN": "secret", "MCR_EPOCH": "1"}
    kept.minder = kept.another()
    kept.mind()
    wait_until(kept.answers, 30, "an answer")
    told = Path(f"/proc/{kept.pid()}/environ").read_bytes()
    assert b"PATH=" in told
    assert b"CHANNEL_ID" not in told
    assert b"MCR_" not in told


def test_one_without_a_screen_is_given_one_once_it_says_so(tmp_path: Path) -> None:
    kept = Kept(tmp_path, FAKE_CASPAR_VERSION="2.4.3 abc Stable")
    screen = tmp_path / "Xvfb"
    screen.write_text("#!/bin/sh\nexec sleep 600\n")
    screen.chmod(0o755)
    kept.screens = lambda: str(screen)
    kept.minder = kept.another()
    kept.mind()
    until_gone(kept)
    kept.mind()
    assert "OpenGL" in kept.minder.fault
    kept.mind(NS)
    wait_until(kept.answers, 30, "an answer")
    while not kept.minder.end(signal.SIGKILL):
        time.sleep(0.01)


def test_the_configuration_is_what_the_channel_needs(tmp_path: Path) -> None:
    folder = ServerFolder(tmp_path / "a&b", Path("/media"))
    server = CasparServer(port=5301, channel=2, program="/opt/casparcg", mode="1080i5000")
    written = written_config(server, wanted_mode(server, ChannelFormat(1920, 1080, "25")), folder)
    assert written.count("<video-mode>1080i5000</video-mode>") == 2
    assert "<port>5301</port>" in written
    assert "a&amp;b/log/" in written
    assert "<media-path>/media/</media-path>" in written
    assert "video-modes" not in written


def test_a_format_that_the_server_has_no_name_for_is_told_in_numbers(tmp_path: Path) -> None:
    server = CasparServer(program="/opt/casparcg")
    mode = wanted_mode(server, ChannelFormat(640, 360, "30000/1001"))
    written = written_config(server, mode, ServerFolder(tmp_path, tmp_path))
    assert f"<video-mode>{mode.name}</video-mode>" in written
    assert "<time-scale>30000</time-scale>" in written
    assert "<duration>1001</duration>" in written
    cadence = [int(one) for one in written.partition("<cadence>")[2].partition("<")[0].split(",")]
    assert sum(cadence) * 30000 == 48000 * 1001 * len(cadence)


@pytest.mark.parametrize(
    ("mode", "width", "rate"), [("1080i5000", 1280, "25"), ("1080i5000", 1920, "50"), ("9", 1920, "25")]
)
def test_a_mode_of_another_format_is_refused(mode: str, width: int, rate: str) -> None:
    with pytest.raises(ValueError, match=r"mode"):
        wanted_mode(CasparServer(mode=mode), ChannelFormat(width, 1080, rate))


@pytest.mark.realtime
def test_a_channel_starts_its_server_is_put_back_after_its_death_and_ends_it_with_the_stop(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"any")
    document = SidecarDocument(
        "c" * 32, "Test", FORMAT, (Output("udp", "udp", "udp://127.0.0.1:5004"),),
        Playlist(1, (Item("a", "a", path=str(clip)),), "loop"), caspar=kept.server,
    )  # fmt: skip
    deaths: list[str] = []
    engine = CasparPlayout(
        document, epoch=1, journal=Facts(),  # type: ignore[arg-type]  # what it needs of a journal, without files
        media_root=tmp_path, folder=tmp_path / "caspar", on_death=deaths.append, environment=kept.environment,
    )  # fmt: skip
    engine.start()
    try:
        wait_until(lambda: (health := engine.status().engine) is not None and health.answers, 60, "its server")
        engine.arm("op").result(60)
        wait_until(lambda: engine.status().frame > 10, 60, "frames")
        first = kept.pid()
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: "by signal 9" in (engine.status().engine or NONE).detail, 60, "that it says so")
        wait_until(lambda: (engine.status().engine or NONE).moves, 60, "its server again")
        assert kept.pid() != first
    finally:
        ended = engine.stop("op", 20)
    assert ended
    assert deaths == []
    assert kept_process(tmp_path / "caspar") is None
    assert not kept.answers()
