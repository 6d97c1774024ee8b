"""A supervisor that is none: a process that speaks the API's words over a unix socket, with manners as a test asks.

``python -m tests.doubles.scripted_supervisor SOCKET MANNERS``, with MANNERS the path of a JSON file that is looked at
ten times a second, so that a test can change it. Every channel changes ``hz`` times a second. ``channels``: how many,
from the start. ``hostile``: names, titles and sentences try to break the screen. ``slow_s``: every answer and every
piece of the stream comes so much later. ``garbage``: what is answered and told in place of JSON, one of ``GARBAGE``.
``refuse``: every call but the stream gets that status. ``alarms``: so many come and go. What was read is written
beside it, as MANNERS.read.

The console's own scenes make the values; what the console asks beside the stream gets one of them, or 404.
"""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from supervisor.schemas.base import Schema
from supervisor.schemas.channel import Channel
from supervisor.schemas.event import Beat, Reset
from tests.console.scenes import alarm, asrun_events, channel, rundown, supervisor_info

BURSTS: Final = 20
"""A second's changes come in so many parts, as those of so many nodes would."""
HOSTILE: Final = (
    "[bold red]markup[/] [@click=app.quit]x[/] [/nothing",
    "\x1b[2J\x1b]0;title\x07\x9b31mcontrol\x00\x08\x7f\r\nnext line\tand \u2028 more",
    "\u202eright to left\u202c שלום עולם مرحبا بالعالم",
    "👩‍👩‍👧‍👦🏳️‍🌈 🇩🇪 ❤️ emoji 漢字かな交じり文",
    "Z̸̡͉̗̱̲a̴̧̛͓l̶̨̯͖g̵̢̛o̷" * 20,
    "ten thousand " * 800,
    "\u200b\u200d\ufeff",
)
GARBAGE: Final = {
    "html": b"<html><body>It works!</body></html>",
    "bytes": bytes(range(256)) * 8,
    "half": b'{"supervisor": {"name": "mcr-1", "vers',
    "other": b'{"a": [1, 2, {"b": null}], "items": "none", "title": 7}',
    "null": b"null",
    "deep": b"[" * 20_000,
    "endless": b"x" * 3_000_000,
}


@dataclass
class Scripted:
    """``channels`` are made once, and change from then on."""

    manners_file: Path
    manners: dict[str, Any] = field(default_factory=dict[str, Any])
    channels: list[Channel] = field(default_factory=list[Channel])
    version: int = 0
    turn: int = 0

    def read_manners(self) -> None:
        with suppress(OSError, ValueError):
            text = self.manners_file.read_text()
            manners = json.loads(text)
            if manners != self.manners:
                self.manners = manners
                self.manners_file.with_suffix(".read").write_text(text)

    def fill(self) -> None:
        for number in range(1, int(self.manners.get("channels", 9)) + 1):
            name = f"Channel {number}"
            titles: dict[str, Any] = {}
            if self.manners.get("hostile"):
                name = HOSTILE[number % len(HOSTILE)]
                words = HOSTILE[(number + 1) % len(HOSTILE)]
                titles = {"follows": words, "node": words, "reason": words, "decision": words}
                if number % 4 == 0:
                    titles |= {"picture": "filler"}
                elif number % 4 == 1:
                    titles |= {"observed": "silent"}
            length = 30_000 + 1000 * number
            self.channels.append(channel(number, name, name, left=length, length=length, **titles))

    def reset(self) -> bytes:
        alarms = [alarm(n, n, "warning", "output down", 5.0) for n in range(1, int(self.manners.get("alarms", 0)) + 1)]
        snapshot = Reset(supervisor=self.info(), channels=tuple(self.channels), nodes=(), alarms=tuple(alarms))
        return self.told("reset", snapshot)

    def info(self) -> Any:
        return supervisor_info().model_copy(update={"at": datetime.now(UTC)})

    def told(self, name: str, payload: Schema) -> bytes:
        garbage = GARBAGE.get(str(self.manners.get("garbage", "")))
        data = payload.model_dump_json().encode() if garbage is None else garbage.replace(b"\n", b" ")
        return b"id: b1-%d\nevent: %s\ndata: %s\n\n" % (self.version, name.encode(), data)

    def changes(self) -> bytes:
        """What changes with the next burst: as a heartbeat of a node's channels does."""
        told = bytearray()
        now = datetime.now(UTC)
        for index in range(self.turn % BURSTS, len(self.channels), BURSTS):
            one = self.channels[index]
            live, self.version = one.live, self.version + 1
            item, loud = live.item, live.loudness
            if item is not None and item.duration_frames is not None:
                position = (item.position_frames + 25) % item.duration_frames
                item = item.model_copy(update={"position_frames": position})
            if loud is not None:
                loud = loud.model_copy(update={"short_term_lufs": -20.0 - self.version % 60 / 10})
            beats = (*live.heartbeat_ms[1:], self.version * 37 % 90)
            changed = {"version": self.version, "as_of": now, "item": item, "loudness": loud, "heartbeat_ms": beats}
            live = live.model_copy(update={**changed, "frame": live.frame + 25, "heartbeat_age_ms": 20})
            self.channels[index] = one.model_copy(update={"live": live})
            told += self.told("channel_live", live)
        self.turn += 1
        if self.turn % BURSTS == 0 and self.channels:
            for event in asrun_events(1):
                of = self.channels[self.version % len(self.channels)].id
                told += self.told("asrun", event.model_copy(update={"channel_id": of, "seq": self.version}))
            wanted = int(self.manners.get("alarms", 0))
            if wanted:
                one = alarm(self.turn // BURSTS % wanted + 1, 1, "warning", f"alarm {self.turn}", 1.0)
                is_over = self.turn // BURSTS // wanted % 2 == 0
                told += self.told("alarm", one.model_copy(update={"cleared_at": now if is_over else None}))
        return bytes(told)

    async def stream(self) -> AsyncGenerator[bytes, None]:
        yield self.reset()
        clock = asyncio.get_running_loop().time
        due = beat = clock()
        while True:
            due += 1 / (BURSTS * float(self.manners.get("hz", 1.0)))
            await asyncio.sleep(max(0.0, due - clock()))
            told = self.changes()
            if clock() >= beat:
                beat += 1.0
                told += self.told("beat", Beat(supervisor=self.info()))
            if told:
                yield told

    def answer(self, method: str, path: str) -> tuple[int, bytes]:
        """Status and body of what is no stream."""
        garbage = GARBAGE.get(str(self.manners.get("garbage", "")))
        status = int(self.manners.get("refuse", 200))
        if garbage is not None or status != 200:
            return status, garbage or b"no"
        parts = path.partition("?")[0].removeprefix("/api/v1/").split("/")
        match method, parts:
            case "GET", ["channels", id_, "rundown"]:
                of = next((one for one in self.channels if one.id == id_), None)
                return (404, b"{}") if of is None else (200, rundown(of).model_dump_json().encode())
            case "GET", ["asrun"]:
                items = [json.loads(event.model_dump_json()) for event in asrun_events()]
                return 200, json.dumps({"items": items, "next_cursor": None}).encode()
            case "POST", ["channels", id_, _]:
                done = {"command_id": "x" * 8, "channel_id": id_, "done": "done", "frame": self.version}
                return 200, json.dumps({**done, "item_id": None, "took_ms": 12.0}).encode()
            case _:
                problem = {"title": "Not found", "status": 404, "code": "not_found", "detail": "no such thing here"}
                return 404, json.dumps(problem).encode()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, path, *_ = head.split(" ", 2)
                length = next(
                    (int(one.split(":")[1]) for one in head.lower().split("\r\n") if one.startswith("content-length:")),
                    0,
                )
                await reader.readexactly(length)
                await asyncio.sleep(float(self.manners.get("slow_s", 0.0)))
                if path.startswith("/api/v1/events"):
                    await self._tell(writer)
                    return
                status, body = self.answer(method, path)
                kind = b"content-type: application/json"
                writer.write(b"HTTP/1.1 %d So\r\n%s\r\ncontent-length: %d\r\n\r\n%s" % (status, kind, len(body), body))
                await writer.drain()
        writer.close()

    async def _tell(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        async for data in self.stream():
            await asyncio.sleep(float(self.manners.get("slow_s", 0.0)))
            writer.write(b"%x\r\n%s\r\n" % (len(data), data))
            await writer.drain()


async def main(socket: str, manners: Path) -> None:
    """Until it is ended."""
    scripted = Scripted(manners)
    scripted.read_manners()
    scripted.fill()
    async with await asyncio.start_unix_server(scripted.serve, socket):
        while True:
            await asyncio.sleep(0.1)
            scripted.read_manners()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
