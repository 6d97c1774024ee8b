"""A sidecar of one's own, started as the node agent starts one."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from uuid import uuid4

import httpx
import msgspec

from sidecar.protocol.channel import ChannelFormat, Item, Output, Playlist, SidecarDocument
from sidecar.protocol.status import Status

TICKS = os.sysconf("SC_CLK_TCK")


def looped(name: str, files: list[Path], form: ChannelFormat, outputs: tuple[Output, ...]) -> SidecarDocument:
    items = tuple(Item(id=f"{n:032x}", title=file.stem, path=str(file.resolve())) for n, file in enumerate(files))
    return SidecarDocument(uuid4().hex, name, form, outputs, Playlist(1, items, "loop"))


class SidecarProcess:
    """Started muted, armed at once; stopped when left."""

    def __init__(self, document: SidecarDocument, home: Path, epoch: int = 1) -> None:
        self.document, self.home, self.epoch = document, home, epoch
        self._token = secrets.token_hex(16)
        self.media_root = home / "media"
        self.started = 0.0

    def __enter__(self) -> "SidecarProcess":
        state = self.home / self.document.channel_id / str(self.epoch)
        state.mkdir(parents=True)
        self.media_root.mkdir(exist_ok=True)
        (state / "document.json").write_bytes(msgspec.json.encode(self.document))
        environment = os.environ | {
            "CHANNEL_ID": self.document.channel_id,
            "MCR_EPOCH": str(self.epoch),
            "MCR_TOKEN": self._token,
            "MCR_DOCUMENT": str(state / "document.json"),
            "MCR_STATE_DIR": str(state),
            "MCR_JOURNAL_DIR": str(self.home / "journal" / self.document.channel_id),
            "MCR_MEDIA_ROOT": str(self.media_root),
        }
        self.started = time.monotonic()
        self.log = state / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sidecar"], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        door = state / "door.json"
        self.until(door.exists, "no door.json", 20)
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{json.loads(door.read_text())['port']}", timeout=5, trust_env=False,
            headers={"Authorization": f"Bearer {self._token}"},
        )  # fmt: skip
        nonce = self.status().nonce
        self.command("arm", nonce=nonce)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)

    def until(self, condition: Callable[[], bool], what: str, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            if self.process.poll() is not None:
                raise RuntimeError(f"sidecar ended with {self.process.returncode}: {self.log.read_text()[-2000:]}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} after {timeout} s: {self.log.read_text()[-2000:]}")
            time.sleep(0.01)

    def status(self) -> Status:
        answer = self.client.get("/status").raise_for_status()
        return msgspec.json.decode(answer.content, type=Status)

    def command(self, verb: str, **fields: object) -> dict[str, object]:
        body = {"command_id": uuid4().hex, "epoch": self.epoch, "by": "bench", **fields}
        return self.client.post(f"/{verb}", json=body).raise_for_status().json()

    def cpu_seconds(self) -> float:
        """User and system time of the process so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mib(self) -> float:
        """Proportional share of memory (PSS): what this process costs the machine."""
        for line in Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("no Pss in smaps_rollup")

    @property
    def live(self) -> Path:
        return self.media_root / "live" / self.document.channel_id

    @property
    def playlist(self) -> Path:
        return self.live / f"{self.epoch}.m3u8"
