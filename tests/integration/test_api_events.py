"""The event stream over a real socket: snapshot, resume, heartbeat, slow readers, many readers."""

import asyncio
import gc
import json
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from httpx_sse import EventSource, aconnect_sse

from db.errors import StoreUnavailable
from supervisor.events import WRITE, Event
from supervisor.schemas.event import PAYLOADS, Reset
from tests.fixtures.patience import patience
from tests.fixtures.running import Running, eventually


@asynccontextmanager
async def listening(supervisor: Running, last_id: str | None = None) -> AsyncGenerator["Reader", None]:
    headers = {"Last-Event-ID": last_id} if last_id else {}
    async with aconnect_sse(supervisor.unix, "GET", "/api/v1/events", headers=headers) as source:
        yield Reader(source)


class Reader:
    def __init__(self, source: EventSource) -> None:
        self.source = source
        self._events = source.aiter_sse()

    async def until(self, name: str, deadline_s: float = 10.0) -> tuple[str, dict[str, Any]]:
        """The next event of this name: its id and its data. Every event on the way must be what its schema says."""
        async with asyncio.timeout(patience(deadline_s)):
            while True:
                event = await anext(self._events)
                data = json.loads(event.data)
                PAYLOADS[event.event].model_validate(data)
                if event.event == name:
                    return event.id, data


async def test_a_stream_begins_with_everything(supervisor: Running) -> None:
    made = await supervisor.call("POST", "/channels", json={"name": "One"})
    async with listening(supervisor) as reader:
        assert reader.source.response.headers["content-type"].startswith("text/event-stream")
        _, reset = await reader.until("reset")
    assert [channel["id"] for channel in reset["channels"]] == [made["id"]]
    assert [node["name"] for node in reset["nodes"]] == ["here"]
    assert reset["supervisor"]["name"] == "here"


async def test_a_plan_that_others_make_and_drop_is_heard(supervisor: Running) -> None:
    spec = {"name": "Ingest", "input": {"kind": "test"}}
    recorder = await supervisor.call("POST", "/recorders", json=spec, expect=201)
    async with listening(supervisor) as reader:
        await reader.until("reset")
        plan = {
            "recorder_id": recorder["id"],
            "title": "News",
            "date": "2040-01-01",
            "at": "20:00:00",
            "duration_s": 60,
        }
        made = await supervisor.call("POST", "/schedules", json=plan, expect=201)
        _, heard = await reader.until("schedule")
        assert heard == made
        changed = await supervisor.call("PATCH", f"/schedules/{made['id']}", rev=made["rev"], json={"title": "Late"})
        assert (await reader.until("schedule"))[1] == changed
        await supervisor.call("DELETE", f"/schedules/{made['id']}", rev=changed["rev"])
        _, gone = await reader.until("schedule_deleted")
        assert gone == {"schedule_id": made["id"], "recorder_id": recorder["id"]}


async def test_what_others_change_is_heard(supervisor: Running) -> None:
    async with listening(supervisor) as reader:
        await reader.until("reset")
        made = await supervisor.call("POST", "/channels", json={"name": "One"})
        _, channel = await reader.until("channel")
        assert channel["id"] == made["id"]
        playlist = await supervisor.call("POST", "/playlists", json={"name": "Day"})
        current = await supervisor.call("GET", f"/channels/{made['id']}")
        await supervisor.call(
            "PATCH", f"/channels/{made['id']}", rev=current["rev"], json={"playlist_id": playlist["id"]}
        )
        insert = {"revision": playlist["revision"], "items": [{"kind": "slate", "slate_frames": 25}]}
        edit = await supervisor.call("POST", f"/playlists/{playlist['id']}/items", json=insert)
        _, changed = await reader.until("playlist")
        assert (changed["revision"], changed["channel_ids"]) == (edit["revision"], [made["id"]])
        current = await supervisor.call("GET", f"/channels/{made['id']}")
        await supervisor.call("DELETE", f"/channels/{made['id']}", rev=current["rev"])
        _, deleted = await reader.until("channel_deleted")
        assert deleted == {"channel_id": made["id"]}


async def test_it_beats_each_second(supervisor: Running) -> None:
    async with listening(supervisor) as reader:
        await reader.until("beat")
        _, beat = await reader.until("beat", deadline_s=4.0)
    assert beat["supervisor"]["leader"] is True


async def test_a_reader_that_comes_back_misses_nothing(supervisor: Running) -> None:
    async with listening(supervisor) as reader:
        last_id, _ = await reader.until("reset")
    names = [f"C{number}" for number in range(3)]
    for name in names:
        await supervisor.call("POST", "/channels", json={"name": name})
    heard: list[str] = []
    async with listening(supervisor, last_id) as reader:
        for _ in names:
            _, channel = await reader.until("channel")
            heard.append(channel["name"])
    assert heard == names


async def test_an_id_of_another_life_gets_a_snapshot(supervisor: Running) -> None:
    async with listening(supervisor, "0123456789ab-7") as reader:
        event_id, _ = await reader.until("reset", deadline_s=3.0)
    assert not event_id.startswith("0123456789ab-")


async def test_a_reader_that_takes_nothing_is_cut_off_and_harms_nobody(
    supervisor: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A console on a dead link must hold neither memory nor the supervisor's end."""
    monkeypatch.setattr("supervisor.api.routes.stream.STUCK_S", 0.5)
    events = supervisor.application.events
    made = await supervisor.call("POST", "/channels", json={"name": "One" * 20})
    row = await supervisor.call("GET", f"/channels/{made['id']}")
    stuck = socket.socket(socket.AF_UNIX)
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.connect(str(supervisor.settings.socket_path))
    stuck.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: mcr\r\n\r\n")

    async def is_there() -> bool:
        return events.readers == 1

    await eventually(is_there, "the reader")
    from supervisor.schemas.channel import Channel

    async def gone() -> bool:
        events.publish("channel", Channel.model_validate(row))
        return events.readers == 0

    try:
        await eventually(gone, "the stuck reader cut off", deadline_s=20.0)
        async with listening(supervisor) as reader:
            await reader.until("reset", deadline_s=3.0)
    finally:
        stuck.close()


async def test_streams_that_begin_together_have_their_snapshot_in_parts_and_hold_none_of_it(
    supervisor: Running,
) -> None:
    """A restart brings every console back at once: each with a snapshot of its own in memory would be a lot for as long
    as they stay; and what is written at once must go through the slowest line within the time it may take nothing."""
    for number in range(12):
        urls = [f"srt://127.0.0.1:{4000 + 10 * number + n}?streamid={'x' * 400}" for n in range(8)]
        outputs = [{"kind": "srt", "url": url} for url in urls]
        await supervisor.call("POST", "/channels", json={"name": f"Channel {number}", "outputs": outputs})
    streams = [await asyncio.open_unix_connection(str(supervisor.settings.socket_path)) for _ in range(10)]
    for _, writer in streams:
        writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: mcr\r\n\r\n")
    async with asyncio.timeout(patience(20.0)):
        beginnings = await asyncio.gather(*(_beginning(reader) for reader, _ in streams))
    resets = [json.loads(b"".join(parts).partition(b"data: ")[2].partition(b"\n")[0]) for parts in beginnings]
    assert [len(reset["channels"]) for reset in resets] == [12] * len(streams)
    assert max(len(part) for parts in beginnings for part in parts) <= WRITE < sum(len(part) for part in beginnings[0])
    held = [one for one in gc.get_objects() if type(one) is Reset or (type(one) is Event and one.name == "reset")]
    assert held == []
    for _, writer in streams:
        writer.close()


async def _beginning(reader: asyncio.StreamReader) -> list[bytes]:
    """The parts of an answer's body, as they were written, up to the first beat."""
    await reader.readuntil(b"\r\n\r\n")
    parts = [b""]
    while b"event: beat" not in parts[-1]:
        size = int(await reader.readline(), 16)
        parts.append((await reader.readexactly(size + 2))[:-2])
    return parts


def _away(*_: object, **__: object) -> object:
    raise StoreUnavailable("the server closed the connection")


async def test_a_console_opens_on_what_is_known_while_the_store_is_away(
    supervisor: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P6: the watcher's database is gone; who comes now still sees every channel, and the alarm that says so."""
    made = await supervisor.call("POST", "/channels", json={"name": "One", "outputs": [{"kind": "hls"}]})
    monkeypatch.setattr("db.store.transaction", _away)

    async def seen() -> dict[str, Any] | None:
        async with listening(supervisor) as reader:
            _, reset = await reader.until("reset", deadline_s=3.0)
        return reset if [alarm["code"] for alarm in reset["alarms"]] == ["store_unavailable"] else None

    reset = await eventually(seen, "the alarm in a new console's reset", deadline_s=15.0)
    (channel,) = reset["channels"]
    assert (channel["id"], channel["name"]) == (made["id"], "One")
    assert channel["outputs"] == made["outputs"]
    assert [node["name"] for node in reset["nodes"]] == ["here"]
    monkeypatch.undo()


async def test_a_rev_that_supervision_moved_is_told(supervisor: Running) -> None:
    """Who edits by the rev the stream told last is not refused for a phase that changed by itself."""
    made = await supervisor.call("POST", "/channels", json={"name": "One", "playlist_id": None})
    path = f"/channels/{made['id']}"
    async with listening(supervisor) as reader:
        await reader.until("reset")
        await supervisor.call("POST", f"{path}/start")
        await supervisor.call("POST", f"{path}/stop")

        told = made
        async with asyncio.timeout(patience(20.0)):
            while True:
                _, told = await reader.until("channel", deadline_s=20.0)
                row = await supervisor.call("GET", path)
                if row["live"]["phase"] == "off" and row["rev"] == told["rev"] > made["rev"]:
                    break
        await supervisor.call("PATCH", path, rev=told["rev"], json={"name": "Two"})
