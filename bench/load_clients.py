"""The clients of ``bench.load``, in a process of their own:

``python -m bench.load_clients PORT TOKEN READERS SLOW RATE SECONDS CHANNEL…``

READERS read events, SLOW of them nothing at all; RATE calls a second are made on kept connections, each at its time
whether the one before is answered or not. Prints what they saw as JSON.
"""

import asyncio
import contextlib
import json
import socket
import sys
import time
from dataclasses import dataclass, field

CONNECTIONS = 40
"""For calls: with the readers they are fewer than the door's number."""


@dataclass
class Seen:
    """Seconds; ``ended`` counts readers that were cut off."""

    answers: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    """When each call was due, since the beginning, and how long after that it was answered."""
    clients_late: list[float] = field(default_factory=list[float])
    """How long after its time each call was handed out: these clients' own loop, which has all readers too."""
    failed: int = 0
    late: int = 0
    """Calls that were made more than a second after their time: nobody was free."""
    events: int = 0
    beats: list[float] = field(default_factory=list[float])
    """Of every reader the longest time between two beats."""
    ended: int = 0
    slow_ended: int = 0


def head_of(path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


async def read_events(port: int, token: str, seen: Seen, until: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head_of("/api/v1/events", token))
    last, longest = time.monotonic(), 0.0
    try:
        while (left := until - time.monotonic()) > 0:
            async with asyncio.timeout(left):
                chunk = await reader.read(262_144)
            if not chunk:
                seen.ended += 1
                return
            seen.events += chunk.count(b"event: ")
            if b"event: beat" in chunk:
                now = time.monotonic()
                last, longest = now, max(longest, now - last)
    except TimeoutError:
        pass
    except OSError:
        seen.ended += 1
    finally:
        seen.beats.append(max(longest, time.monotonic() - last))
        writer.close()


async def read_nothing(port: int, token: str, seen: Seen, until: float) -> None:
    """Asks for events and takes none: its buffers fill, and the supervisor is to cut it off."""
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # else the kernel takes megabytes for it
    small.setblocking(False)
    await asyncio.get_running_loop().sock_connect(small, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=small, limit=1024)
    writer.write(head_of("/api/v1/events", token))
    await reader.read(100)
    writer.transport.pause_reading()  # type: ignore[attr-defined] - a socket's transport can
    await asyncio.sleep(max(0.0, until - time.monotonic() - 5.0))
    with contextlib.suppress(RuntimeError):
        writer.transport.resume_reading()  # type: ignore[attr-defined] - as above
    try:
        async with asyncio.timeout(4.0):
            while await reader.read(262_144):
                pass
        seen.slow_ended += 1
    except TimeoutError:
        pass
    except OSError:
        seen.slow_ended += 1
    writer.close()


async def call(
    port: int, token: str, paths: list[str], due: "asyncio.Queue[tuple[float, int]]", began: float, seen: Seen
) -> None:
    """One connection, for ever; anew where it is lost."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            while True:
                at, number = await due.get()
                seen.late += time.monotonic() - at > 1.0
                writer.write(head_of(paths[number % len(paths)], token))
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                await reader.readexactly(length)
                seen.failed += not head.startswith(b"HTTP/1.1 200")
                seen.answers.append((at - began, time.monotonic() - at))
        except (OSError, ValueError, asyncio.IncompleteReadError):
            seen.failed += 1


async def run(port: int, token: str, readers: int, slow: int, rate: float, seconds: float, channels: list[str]) -> Seen:
    seen, until = Seen(), time.monotonic() + seconds
    paths = [f"/api/v1/channels/{id_}" for id_ in channels]
    paths[::10] = ["/api/v1/supervisor" for _ in paths[::10]]
    due: asyncio.Queue[tuple[float, int]] = asyncio.Queue(10_000)
    async with asyncio.TaskGroup() as group:
        for number in range(readers):
            work = read_nothing if number < slow else read_events
            group.create_task(work(port, token, seen, until))
        number, began = 0, time.monotonic()
        callers = [group.create_task(call(port, token, paths, due, began, seen)) for _ in range(CONNECTIONS)]
        while time.monotonic() < until:
            at = began + number / rate
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            seen.clients_late.append(time.monotonic() - at)
            with contextlib.suppress(asyncio.QueueFull):
                due.put_nowait((at, number))
            number += 1
        for task in callers:
            task.cancel()
    return seen


if __name__ == "__main__":
    port, token, readers, slow, rate, seconds = sys.argv[1:7]
    found = asyncio.run(run(int(port), token, int(readers), int(slow), float(rate), float(seconds), sys.argv[7:]))
    print(json.dumps(vars(found)))
