"""Calls to one container engine through its SDK, which blocks: on threads of their own, each with a deadline.

The SDK's low-level client is used, as it gives back what the engine said. It has no types of its own: ``Api`` is what
of it is called here.
"""

import contextlib
import math
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Protocol, TypeVar, cast
from urllib.parse import urlsplit

import docker  # pyright: ignore[reportMissingTypeStubs] - it has none
import requests.exceptions
import urllib3.exceptions
from docker.constants import DEFAULT_DOCKER_API_VERSION  # pyright: ignore[reportMissingTypeStubs]
from docker.errors import APIError, DockerException  # pyright: ignore[reportMissingTypeStubs]
from docker.tls import TLSConfig  # pyright: ignore[reportMissingTypeStubs]

from supervisor.agent.docker_ssh import SshDoor, ssh_command
from supervisor.agent.interface import EngineAway
from supervisor.errors import Invalid, Unavailable
from supervisor.threads import Threads

_T = TypeVar("_T")
_PLACES: Final = 8
_QUIET: Final = 30.0
"""Seconds without an event after which the stream of events is opened anew: a dead connection says nothing either."""
_ONE_STREAM: Final = 60.0
_GRACE: Final = 1.0
"""Seconds by which a thread's deadline is later than its call's: the call itself then says what was wrong."""
Json = Mapping[str, object]


class EngineRefused(Exception):
    """The engine answered, with an error. ``status`` is HTTP's."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


class Stream(Protocol):
    def __iter__(self) -> Iterator[Json]: ...

    def close(self) -> None: ...


class Api(Protocol):
    """``docker.APIClient``, as far as it is used. ``timeout`` is for each of its requests, in seconds."""

    timeout: float
    trust_env: bool

    def version(self, api_version: bool = True) -> Json: ...

    def info(self) -> Json: ...

    def create_container_from_config(self, config: Json, name: str) -> Json: ...

    def start(self, container: str) -> object: ...

    def inspect_container(self, container: str) -> Json: ...

    def containers(self, *, all: bool, filters: Json) -> list[Json]: ...  # noqa: A002 - the SDK's

    def kill(self, container: str, signal: int) -> object: ...

    def remove_container(self, container: str, *, force: bool) -> object: ...

    def events(self, *, filters: Json, decode: bool) -> Stream: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """``url``: ``unix:///path``, ``tcp://host:port`` or ``ssh://[user@]host[:port]``.

    ``certificates`` is a directory with ``ca.pem``, ``cert.pem`` and ``key.pem``, as the docker program has them.
    """

    url: str
    certificates: Path | None = None

    @property
    def is_local(self) -> bool:
        return self.url.startswith("unix://")

    def check(self) -> None:
        """Raises Invalid for an engine that cannot be reached, or only by giving it away."""
        parts = urlsplit(self.url)
        if parts.scheme == "unix" and parts.path and not parts.netloc:
            return
        if parts.scheme == "ssh":
            try:
                ssh_command(self.url)
            except ValueError as error:
                raise Invalid(str(error)) from None
            return
        if parts.scheme != "tcp" or not parts.hostname or not parts.port:
            raise Invalid(
                f"{self.url} names no container engine",
                hint="Give unix:///path, tcp://host:port with certificates, or ssh://[user@]host.",
            )
        if self.certificates is None and not _is_loopback(parts.hostname):
            raise Invalid(
                f"{self.url} would be spoken to in the clear: whoever listens there, or between, owns that machine",
                hint="Name the directory of the certificates, or reach the engine by ssh://.",
            )
        for name in ("ca.pem", "cert.pem", "key.pem") if self.certificates else ():
            assert self.certificates is not None
            if not (self.certificates / name).is_file():
                raise Invalid(
                    f"{self.certificates / name} is not there", hint="TLS to an engine needs all three files."
                )


class Engine:
    """One engine. Belongs to one event loop; ``close`` it."""

    def __init__(self, address: EngineAddress) -> None:
        """Raises Invalid as ``EngineAddress.check``. Nothing is connected yet."""
        address.check()
        self.address = address
        self._calls = Threads("calls to the container engine", _PLACES)
        self._listening = Threads("streams of container events", 2)
        self._idle: queue.LifoQueue[Api] = queue.LifoQueue()
        self._ssh = SshDoor(address.url) if address.url.startswith("ssh://") else None
        self._stream: Stream | None = None
        self._closed = threading.Event()

    async def do(self, seconds: float, call: Callable[[Api], _T]) -> _T:
        """What ``call`` returns. Raises EngineAway, EngineRefused; after EngineAway it may still be carried out."""
        try:
            return await self._calls.run(seconds + _GRACE, self._call, seconds, call)
        except TimeoutError:
            raise EngineAway(self._away(f"no answer within {seconds:g} s")) from None
        except Unavailable:
            raise EngineAway(self._away("earlier calls have not come back")) from None

    async def listen(self, filters: Json, opened: Callable[[], None], seen: Callable[[Json], None]) -> None:
        """Returns when the stream of events ended or was quiet for long. Both are called on a thread.

        ``opened`` is called when nothing that happens from now on will be missed. Raises EngineAway.
        """
        try:
            await self._listening.run(_ONE_STREAM + _QUIET + 10.0, self._listen, filters, opened, seen)
        except (TimeoutError, Unavailable):
            raise EngineAway(self._away("its events have stopped")) from None

    def close(self) -> None:
        """Closes every connection that nobody uses just now; a call that hangs closes its own when it comes back."""
        self._closed.set()
        _end(self._stream)
        while True:
            try:
                self._idle.get_nowait().close()
            except queue.Empty:
                break
        if self._ssh is not None:
            self._ssh.close()

    # On threads

    def _call(self, seconds: float, call: Callable[[Api], _T]) -> _T:
        with self._told():
            try:
                api = self._idle.get_nowait()
            except queue.Empty:
                api = self._connect(seconds)
            api.timeout = seconds
            try:
                answer = call(api)
            except APIError:
                self._put_back(api)
                raise
            except BaseException:
                api.close()
                raise
            self._put_back(api)
            return answer

    def _listen(self, filters: Json, opened: Callable[[], None], seen: Callable[[Json], None]) -> None:
        with self._told():
            api = self._connect(_QUIET)
            try:
                stream = api.events(filters=filters, decode=True)
                self._stream = stream
                if self._closed.is_set():
                    return
                opened()
                until = time.monotonic() + _ONE_STREAM
                for event in stream:
                    seen(event)
                    if time.monotonic() > until or self._closed.is_set():
                        return
            except urllib3.exceptions.ReadTimeoutError:
                return  # quiet
            finally:
                _end(self._stream)
                self._stream = None
                api.close()

    def _put_back(self, api: Api) -> None:
        if self._closed.is_set():
            api.close()
        else:
            self._idle.put(api)

    def _connect(self, seconds: float) -> Api:
        """A client that speaks the newest version which both sides know."""
        first = self._client(DEFAULT_DOCKER_API_VERSION, seconds)
        try:
            theirs = first.version(api_version=False).get("ApiVersion")
        finally:
            first.close()
        if not isinstance(theirs, str):
            raise DockerException("it does not say which version of the API it speaks")
        return self._client(min(DEFAULT_DOCKER_API_VERSION, theirs, key=_version), seconds)

    def _client(self, version: str, seconds: float) -> Api:
        certificates = self.address.certificates
        tls = False
        if certificates is not None and not self.address.is_local:
            pair = (str(certificates / "cert.pem"), str(certificates / "key.pem"))
            tls = TLSConfig(client_cert=pair, ca_cert=str(certificates / "ca.pem"), verify=True)
        url = self.address.url if self._ssh is None else self._ssh.url
        api = cast("Api", docker.APIClient(base_url=url, version=version, timeout=math.ceil(seconds), tls=tls))
        # No proxy of the environment stands between an agent and its engine.
        api.trust_env = False
        return api

    @contextlib.contextmanager
    def _told(self) -> Generator[None]:
        """Turns whatever the SDK raises into one of our two."""
        try:
            yield
        except APIError as error:
            said = str(cast("object", error.explanation) or error)
            raise EngineRefused(error.status_code or 500, said) from error
        except (DockerException, requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise EngineAway(self._away(_words(error))) from error
        except ValueError as error:
            raise EngineAway(self._away(f"it answers what nobody can read: {error}")) from error

    def _away(self, why: str) -> str:
        said = self._ssh.said() if self._ssh is not None else ""
        return f"the container engine at {self.address.url} does not answer: {said or why}"


def _end(stream: Stream | None) -> None:
    """Wakes who reads it. The SDK reaches for its socket, which may be closed just now: then there is nothing to do."""
    if stream is not None:
        with contextlib.suppress(OSError, AttributeError, DockerException):
            stream.close()


def _words(error: BaseException) -> str:
    """The innermost reason: the SDK wraps it three times."""
    while error.__context__ is not None and isinstance(error, (requests.exceptions.RequestException, DockerException)):
        error = error.__context__
    reason = cast("object", getattr(error, "reason", None))
    if isinstance(reason, BaseException):
        error = reason
    if isinstance(error, TimeoutError | urllib3.exceptions.TimeoutError):
        return "it took too long"
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
