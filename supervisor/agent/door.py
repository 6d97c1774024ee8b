"""One sidecar's HTTP door, with deadlines and limits: what it says is checked before anybody believes it."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import httpx
import msgspec

from sidecar.protocol.asrun import AsRunPage
from sidecar.protocol.commands import (
    AdjustCommand,
    ArmCommand,
    Command,
    CommandReply,
    CueCommand,
    DropCommand,
    LeaseCommand,
    LogoCommand,
    OutputsCommand,
    PlaylistCommand,
    Refusal,
    TakeCommand,
)
from sidecar.protocol.status import Status
from supervisor.agent.interface import (
    Adjust,
    Arm,
    Cue,
    Drop,
    Order,
    Replace,
    SetOutputs,
    ShowLogo,
    SidecarBroken,
    SidecarRefused,
    SidecarSilent,
    Transport,
)

_LIMIT: Final = 8 * 1024 * 1024
"""Bytes of any answer; a page of as-run is the largest."""
_T = TypeVar("_T")


class DoorFile(msgspec.Struct, frozen=True):
    """``door.json`` of a sidecar's state directory."""

    port: int
    pid: int
    run_id: str


def read_door(state_dir: Path) -> DoorFile | None:
    """None while there is none, or none that can be read."""
    try:
        return msgspec.json.decode((state_dir / "door.json").read_bytes(), type=DoorFile)
    except (OSError, msgspec.MsgspecError):
        return None


@dataclass(frozen=True, slots=True)
class Request:
    """``body`` is JSON."""

    method: str
    path: str
    body: bytes | None = None


def request_for(order: Order) -> Request:
    """The one HTTP request that says ``order``."""
    command_id, epoch, by = order.command_id, order.epoch, order.by
    match order.said:
        case Transport(verb="take", expect_item_id=expected):
            return _post("take", TakeCommand(command_id, epoch, by, expected))
        case Transport(verb=verb):
            return _post(verb, Command(command_id, epoch, by))
        case Cue(item_id):
            return _post("cue", CueCommand(command_id, epoch, item_id, by))
        case Adjust(ms, expected):
            return _post("adjust", AdjustCommand(command_id, epoch, ms, by, expected))
        case Drop(item_id, is_dropped):
            return _post("drop" if is_dropped else "undrop", DropCommand(command_id, epoch, item_id, by))
        case ShowLogo(show):
            return _post("logo", LogoCommand(command_id, epoch, show, by))
        case Arm(nonce, resume, resume_at):
            return _post("arm", ArmCommand(command_id, epoch, nonce, by, resume, resume_at))
        case Replace(playlist, look):
            body = msgspec.json.encode(PlaylistCommand(command_id, epoch, playlist, by, look))
            return Request("PUT", "/playlist", body)
        case SetOutputs(outputs):
            return Request("PUT", "/outputs", msgspec.json.encode(OutputsCommand(command_id, epoch, outputs, by)))


def stop_request(command_id: str, epoch: int, by: str) -> Request:
    return _post("stop", Command(command_id, epoch, by))


def lease_request(command_id: str, epoch: int, nonce: str, ttl_ms: int) -> Request:
    return _post("lease", LeaseCommand(command_id, epoch, nonce, ttl_ms))


def _post(verb: str, command: msgspec.Struct) -> Request:
    return Request("POST", f"/{verb}", msgspec.json.encode(command))


class Door:
    """Calls to one sidecar. ``base`` is its URL without a path.

    Every method raises SidecarSilent when the deadline passes or the connection fails, SidecarBroken for an answer
    that nobody can read, and SidecarRefused for a problem document.
    """

    def __init__(self, client: httpx.AsyncClient, base: str, token: str) -> None:
        self._client = client
        self._base = base
        self._headers = {"authorization": f"Bearer {token}"}

    async def status(self, timeout: float) -> Status:
        return _decoded(await self._call(Request("GET", "/status"), timeout), Status)

    async def command(self, request: Request, timeout: float) -> CommandReply:
        return _decoded(await self._call(request, timeout), CommandReply)

    async def asrun(self, run_id: str, after: int, limit: int, timeout: float) -> AsRunPage:
        path = httpx.URL("/asrun", params={"run": run_id, "after": after, "limit": limit})
        return _decoded(await self._call(Request("GET", str(path)), timeout), AsRunPage)

    async def thumbnail(self, timeout: float) -> bytes:
        return await self._call(Request("GET", "/thumbnail.jpg"), timeout)

    async def _call(self, request: Request, timeout: float) -> bytes:
        try:
            async with asyncio.timeout(timeout):
                try:
                    status, body = await self._send(request)
                except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
                    # A connection kept from an earlier call was closed just now. Every request may be repeated: reading
                    # changes nothing, and a command has its id.
                    status, body = await self._send(request)
        except TimeoutError as error:
            raise SidecarSilent(f"no answer to {request.path} within {timeout:g} s") from error
        except httpx.HTTPError as error:
            said = str(error) or type(error).__name__
            raise SidecarSilent(f"no answer to {request.path}: {said}") from error
        if status == 200:
            return body
        try:
            refusal = msgspec.json.decode(body, type=Refusal)
        except msgspec.MsgspecError as error:
            raise SidecarBroken(f"{request.path} answered HTTP {status} without saying why") from error
        raise SidecarRefused(refusal)

    async def _send(self, request: Request) -> tuple[int, bytes]:
        headers = {**self._headers, "content-type": "application/json"}
        url = self._base + request.path
        async with self._client.stream(
            request.method, url, content=request.body, headers=headers, timeout=None
        ) as answer:
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > _LIMIT:
                    raise SidecarBroken(f"{request.path} answered more than {_LIMIT} bytes")
            return answer.status_code, bytes(body)


def _decoded(body: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise SidecarBroken(f"its answer is not a {kind.__name__}: {error}") from error
