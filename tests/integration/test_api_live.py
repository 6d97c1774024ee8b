"""``/live`` gives out what the node has on which the channel's newest epoch is, whichever node that is."""

import pytest

from supervisor.errors import NotFound, Unavailable
from supervisor.loops.supervision import Supervision
from tests.fixtures.running import Running

CHANNEL = "c" * 32


async def test_live_files_come_from_the_channels_node(supervisor: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """P2: a zombie's node is not asked; P6: a node that is away is no missing file."""
    asked: list[tuple[str, str]] = []

    async def live_file(_: Supervision, channel_id: str, path: str) -> bytes:
        asked.append((channel_id, path))
        if path == "7/9.ts":
            raise Unavailable("One is on node-b, which does not answer")
        if path not in {"index.m3u8", "7/0.ts"}:
            raise NotFound(f"no {path}")
        return path.encode()

    monkeypatch.setattr(Supervision, "live_file", live_file)
    index = await supervisor.unix.get(f"/live/{CHANNEL}/index.m3u8")
    assert (index.status_code, index.content, index.headers["Cache-Control"]) == (200, b"index.m3u8", "no-store")
    segment = await supervisor.unix.get(f"/live/{CHANNEL}/7/0.ts")
    assert (segment.content, segment.headers["Content-Type"]) == (b"7/0.ts", "video/mp2t")
    assert segment.headers["Cache-Control"] == "public, max-age=3600, immutable"
    assert (await supervisor.unix.get(f"/live/{CHANNEL}/nothing")).status_code == 404
    away = await supervisor.unix.get(f"/live/{CHANNEL}/7/9.ts")
    assert (away.status_code, away.json()["code"]) == (503, "unavailable")
    assert asked[0] == (CHANNEL, "index.m3u8")
