"""Takes MPEG-TS over SRT by libavformat and decodes what comes; knows nothing of the sender.

Each receiver is a process of its own: libsrt 1.5.4 ends every session of a process when libavformat closes one.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path
from typing import Self

import av
from av.error import FFmpegError
from av.video.frame import VideoFrame

from tests.instruments.frame_cells import read_frame


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class SrtReceiver:
    """One session, as a listener or a caller. ``options`` are libavformat's, whose latency counts microseconds."""

    def __init__(self, port: int, mode: str, **options: str) -> None:
        self.port = port
        shown = {"mode": mode, "latency": "120000", "timeout": "4000000", "listen_timeout": "25000000"} | options
        query = "&".join(f"{name}={value}" for name, value in shown.items())
        self._url = f"srt://127.0.0.1:{port}?{query}"
        self.numbers: list[int | None] = []
        self.corrupt = 0
        self.ended_by = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, self._url],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).parents[2],
        )
        self._reader = threading.Thread(target=self._read, daemon=True, name="srt-receiver")
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        self.join(10)
        self._process.kill()
        self._process.wait(5)
        self.join(5)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def is_alive(self) -> bool:
        return self._reader.is_alive()

    def join(self, timeout: float) -> None:
        """Until the session is over."""
        self._reader.join(timeout)

    def hang_up(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            if "number" in said:
                self.numbers.append(said["number"])
            self.corrupt += said.get("corrupt", 0)
            self.ended_by = said.get("ended", self.ended_by)


def _say(**said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def _receive(url: str) -> None:
    is_over = threading.Event()

    def end(_signal: int, _frame: object) -> None:
        if is_over.is_set():
            os._exit(0)
        is_over.set()

    signal.signal(signal.SIGTERM, end)
    try:
        with av.open(url, "r", format="mpegts", options={"analyzeduration": "500000"}) as container:
            for packet in container.demux(video=0):
                if packet.is_corrupt:
                    _say(corrupt=1)
                for picture in packet.decode():
                    assert isinstance(picture, VideoFrame)
                    _say(number=read_frame(picture, (Fraction(16, 9),)).number)
                if is_over.is_set():
                    return
    except FFmpegError as error:  # also how libsrt tells that the sender hung up
        _say(ended=str(error))


if __name__ == "__main__":
    _receive(sys.argv[1])
