"""An RTMP server that lets one publisher in after the other and reads the frame numbers of what it gets: libavformat's.

The server is a process of its own, ``python -m tests.instruments.rtmp_listener URL``, which prints a line of JSON for
each thing that it sees; ``RtmpListener`` is that process and what it printed.
"""

import json
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parent.parent.parent


@dataclass
class RtmpSessionSeen:
    """``frames``: (arrival in monotonic seconds, number in the picture or None). ``opened`` and ``ended`` likewise."""

    opened: float
    frames: list[tuple[float, int | None]] = field(default_factory=list)
    sounds: int = 0
    corrupt: int = 0
    ended: float | None = None

    @property
    def numbers(self) -> list[int | None]:
        return [number for _, number in self.frames]


class RtmpListener:
    """``sessions`` grows as publishers come; one at a time is let in. The process is killed when the block is left."""

    def __init__(self, port: int | None = None) -> None:
        self.port = port or _free_port()
        self.url = f"rtmp://127.0.0.1:{self.port}/live/secret-key"
        self.sessions: list[RtmpSessionSeen] = []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.instruments.rtmp_listener", self.url],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
        )
        self._thread = threading.Thread(target=self._read, name="rtmp-listener", daemon=True)
        self._thread.start()
        self.wait_until_listening()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(10)
        self._thread.join(10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def send_signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait_until_listening(self, timeout: float = 30.0) -> None:
        """Looks at the kernel's table, since a connection that is made to look is a publisher."""
        wanted = (f"0100007F:{self.port:04X}", "0A")
        deadline = time.monotonic() + timeout
        while not any((fields[1], fields[3]) == wanted for fields in _tcp_table()):
            assert self._process.poll() is None, "the listener ended"
            assert time.monotonic() < deadline, f"nobody listens on port {self.port} after {timeout} s"
            time.sleep(0.02)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            seen = json.loads(line)
            match seen["what"]:
                case "open":
                    self.sessions.append(RtmpSessionSeen(seen["at"]))
                case "frame":
                    self.sessions[-1].frames.append((seen["at"], seen["number"]))
                case "sound":
                    self.sessions[-1].sounds += 1
                case "corrupt":
                    self.sessions[-1].corrupt += 1
                case _:
                    self.sessions[-1].ended = seen["at"]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _tcp_table() -> list[list[str]]:
    return [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]


def _say(what: str, **more: object) -> None:
    sys.stdout.write(json.dumps({"what": what, "at": time.monotonic(), **more}) + "\n")
    sys.stdout.flush()


def _serve_one(url: str) -> None:
    import av

    from tests.instruments.frame_cells import read_frame

    # PyAV crashes where ``options`` meet streams that are found under way (its issue 1245); these are no such options.
    with av.open(url, "r", format="flv", container_options={"listen": "1", "analyzeduration": "1"}) as container:
        _say("open")
        try:
            for packet in container.demux():
                if packet.is_corrupt:
                    _say("corrupt")
                if packet.stream.type != "video":
                    _say("sound")
                    packet.decode()
                    continue
                for picture in packet.decode():
                    _say("frame", number=read_frame(picture, (Fraction(16, 9),)).number)  # type: ignore[arg-type]
        except av.error.FFmpegError:  # how libavformat tells that the publisher was cut off
            pass
        _say("end")


def main() -> None:
    import av

    while True:
        try:
            _serve_one(sys.argv[1])
        except av.error.FFmpegError:
            time.sleep(0.05)  # somebody connected and was no publisher, or the port is not free again yet


if __name__ == "__main__":
    main()
