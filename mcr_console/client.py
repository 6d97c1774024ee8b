"""The console's and the command line's only door to a supervisor: one method for each thing its API can do."""

import uuid
from collections.abc import AsyncGenerator
from pathlib import Path
from types import TracebackType

from mcr_console.calls.alarms import AlarmCalls
from mcr_console.calls.asrun import AsRunCalls
from mcr_console.calls.base import API, COMMAND_S
from mcr_console.calls.channels import ChannelCalls, TransportVerb
from mcr_console.calls.nodes import NodeCalls
from mcr_console.calls.playlists import PlaylistCalls
from mcr_console.calls.recorders import RecorderCalls
from mcr_console.calls.station import StationCalls
from mcr_console.event_stream import SILENCE_S, Event, LinkMessage, Lost, Unreadable, event_stream
from mcr_console.http import ApiProblem, ClientError, Http, Unreachable
from supervisor.schemas.event import SupervisorInfo
from supervisor.schemas.supervisor import ShutdownDone, ShutdownIn

__all__ = [
    "ApiProblem",
    "Client",
    "ClientError",
    "Event",
    "LinkMessage",
    "Lost",
    "TransportVerb",
    "Unreachable",
    "Unreadable",
]


def new_command_id() -> str:
    """A name for one key press or one call; sent again with the same name it is not done again."""
    return uuid.uuid4().hex


class Client(AlarmCalls, AsRunCalls, ChannelCalls, NodeCalls, PlaylistCalls, RecorderCalls, StationCalls):
    """The link itself, and the supervisor; what it can do with channels and the rest is in ``mcr_console.calls``."""

    @classmethod
    def at(
        cls,
        *,
        socket: Path | None = None,
        url: str | None = None,
        token: str | None = None,
        authority: Path | None = None,
        read_only: bool = False,
    ) -> "Client":
        """A client of the supervisor at a unix socket, or at a URL with a bearer token. Nothing is sent yet.

        ``authority`` and ``read_only`` as for ``Http.open``.
        """
        return cls(Http.open(socket=socket, url=url, token=token, authority=authority, read_only=read_only))

    @property
    def http(self) -> Http:
        """For what is an admin's: ``mcr_console.people``."""
        return self._http

    def sit(self, session: str, station: str) -> "Client":
        """From now on every call names this session and where it sits."""
        self._http.sit(session, station)
        return self

    @property
    def seat(self) -> str:
        """What the supervisor shows of this client's session; empty without one."""
        return self._http.seat

    @property
    def where(self) -> str:
        """The socket's path or the URL, for people."""
        return self._http.where

    async def close(self) -> None:
        await self._http.close()

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    # The supervisor itself

    async def supervisor(self) -> SupervisorInfo:
        return await self._http.get(f"{API}/supervisor", SupervisorInfo)

    async def shut_down(self, *, off_air: bool) -> ShutdownDone:
        """Ends the supervisor. Playout goes on, unless ``off_air``: then each stop is confirmed first."""
        deadline_s = 120.0 if off_air else COMMAND_S
        return await self._send(
            "POST", "/supervisor/shutdown", ShutdownDone, ShutdownIn(off_air=off_air), deadline_s=deadline_s
        )

    async def alive(self) -> None:
        """Returns when something answers ``/healthz``; raises otherwise."""
        await self._http.call("GET", "/healthz", deadline_s=2.0)

    async def ready(self) -> None:
        """Returns when database and leadership are there; raises ``ApiProblem`` 503 with what is missing."""
        await self._http.call("GET", "/readyz", deadline_s=2.0)

    def events(self, *, last_id: str | None = None, silence_s: float = SILENCE_S) -> AsyncGenerator[LinkMessage, None]:
        """See ``mcr_console.event_stream.event_stream``. Close it with ``contextlib.aclosing``."""
        return event_stream(self._http, last_id=last_id, silence_s=silence_s)
