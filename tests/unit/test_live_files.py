"""What ``/live`` gives out: a channel's HLS by its own names, and nothing else that lies on the disk."""

import os
from pathlib import Path

import pytest

from supervisor.agent.live_files import read_hls_file

CHANNEL = "c" * 32


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A media root as two epochs leave it, with secrets around it."""
    (tmp_path / "secret.m3u8").write_bytes(b"secret")
    root = tmp_path / "live"
    for folder in (root / CHANNEL, root / CHANNEL / "preview"):
        for epoch in ("1", "2"):
            (folder / epoch).mkdir(parents=True)
            (folder / epoch / "0.ts").write_bytes(b"G" + epoch.encode())
            (folder / f"{epoch}.m3u8").write_bytes(b"list " + epoch.encode())
        (folder / "index.m3u8").symlink_to("2.m3u8")
    (root / CHANNEL / "1" / "notes.txt").write_bytes(b"secret")
    return root


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("index.m3u8", b"list 2"),
        ("1.m3u8", b"list 1"),
        ("1/0.ts", b"G1"),
        ("2/0.ts", b"G2"),
        ("preview/index.m3u8", b"list 2"),
        ("preview/2/0.ts", b"G2"),
    ],
)
def test_a_channels_own_files_are_given_out(root: Path, path: str, data: bytes) -> None:
    assert read_hls_file(str(root), CHANNEL, path) == data


@pytest.mark.parametrize(
    "path",
    [
        "", ".", "..", "../../secret.m3u8", "1/../../../secret.m3u8", "1/notes.txt", "/etc/passwd", "1//0.ts",
        "preview/../index.m3u8", "preview/preview/index.m3u8", "index.m3u8/", "1", "preview", "1/0.ts\n", "1/0.TS",
        "1/%30.ts", "\N{FULLWIDTH DIGIT ONE}/0.ts", "1\\0.ts", "x.m3u8", "9/0.ts", "9.m3u8", "1/" + "0" * 300 + ".ts",
    ],
)  # fmt: skip
def test_nothing_else_is(root: Path, path: str) -> None:
    with pytest.raises(FileNotFoundError):
        read_hls_file(str(root), CHANNEL, path)


def test_no_link_leads_out(root: Path, tmp_path: Path) -> None:
    """P7: whoever can write into a channel's folder cannot make the supervisor read something else aloud."""
    outside = tmp_path / "secret.m3u8"
    folder = root / CHANNEL
    (folder / "1" / "7.ts").symlink_to(outside)
    (folder / "7.m3u8").symlink_to(outside)
    (folder / "7").symlink_to(tmp_path)
    (tmp_path / "0.ts").write_bytes(b"secret")
    (root / ("d" * 32)).symlink_to(tmp_path)
    for path in ("1/7.ts", "7.m3u8", "7/0.ts"):
        with pytest.raises(FileNotFoundError):
            read_hls_file(str(root), CHANNEL, path)
    with pytest.raises(FileNotFoundError):
        read_hls_file(str(root), "d" * 32, "secret.m3u8")
    for target in (str(outside), "../../secret.m3u8", "7.m3u8", "1/0.ts"):
        (folder / "index.m3u8").unlink()
        (folder / "index.m3u8").symlink_to(target)
        with pytest.raises(FileNotFoundError):
            read_hls_file(str(root), CHANNEL, "index.m3u8")


def test_what_is_no_regular_file_is_not_opened(root: Path) -> None:
    os.mkfifo(root / CHANNEL / "1" / "8.ts")
    (root / CHANNEL / "1" / "9.ts").mkdir()
    for path in ("1/8.ts", "1/9.ts"):
        with pytest.raises(FileNotFoundError):
            read_hls_file(str(root), CHANNEL, path)


def test_no_descriptor_is_left_open(root: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        read_hls_file(str(root), CHANNEL, "preview/2/0.ts")
        with pytest.raises(FileNotFoundError):
            read_hls_file(str(root), CHANNEL, "9/0.ts")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
