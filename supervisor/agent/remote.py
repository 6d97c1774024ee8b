"""The agent of another machine, over HTTP."""

from collections.abc import Mapping, Sequence, Set
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

from sidecar.protocol.asrun import TornLine
from sidecar.protocol.commands import CommandReply
from supervisor.agent.drills import DrillOrder
from supervisor.agent.interface import (
    AgentAway,
    Exit,
    JournalPage,
    JournalRun,
    LeaseRound,
    MediaSeen,
    NodeReport,
    Order,
    SidecarReport,
    StartOrder,
    StopOrder,
)
from supervisor.agent.leases import PATIENCE
from supervisor.agent.line import Line
from supervisor.agent.live_files import LARGEST
from supervisor.agent.old_recordings import OldRecordings
from supervisor.agent.signed_client import Call, SignedClient, decoded
from supervisor.agent.tidying import TIDYING_S, JournalsOrder, RecordingsOrder
from supervisor.agent.wire.problems import Problem, error_of
from supervisor.agent.wire.shapes import CommandIn, MediaIn, PageOut, ReportIn, RunsIn, SidecarIn, encode
from supervisor.reach import EVERYWHERE, Reach

_START: Final = 20.0
"""Seconds; a container engine takes some of them."""
_STOP: Final = 15.0
"""Seconds; the agent itself takes eleven before it gives up."""
_POLL: Final = 3.0
_FILES: Final = 8.0
"""Seconds for what the agent's own disks have to answer; it gives them up to five."""

_TIDY: Final = TIDYING_S + 5.0

_T = TypeVar("_T")


class RemoteAgent:
    """A ``NodeAgent``. ``url`` is ``https://host:port``; ``margin``: what a call may take beyond the agent's own time.

    ``certificate`` is the fingerprint that is trusted there, ``given`` by people or only seen before. ``cluster``:
    whose orders these are; every call of an agent that belongs to another raises OtherCluster. Close it when it is done
    with.
    """

    def __init__(
        self, url: str, node: str, key: bytes, certificate: str = "", *,
        given: bool = False, margin: float = 0.3, reach: Reach = EVERYWHERE,
        cluster: str = "",
    ) -> None:  # fmt: skip
        self._name = node
        self._margin = margin
        self._http = SignedClient(node, key, Line(url, certificate, given=given, reach=reach), cluster)

    @property
    def certificate(self) -> str:
        """The fingerprint of the certificate that its agent has proven to be its own, or people gave; else empty."""
        return self._http.certificate

    @property
    def is_encrypted(self) -> bool | None:
        """None before it answered."""
        return self._http.is_encrypted

    async def close(self) -> None:
        """What is under way ends with AgentAway."""
        await self._http.close()

    async def start(self, order: StartOrder) -> int:
        """As in ``NodeAgent``."""
        return await self._ask(_post("/sidecar/start", order), _START, int)

    async def standby(self, order: StartOrder) -> int:
        """As in ``NodeAgent``."""
        return await self._ask(_post("/sidecar/standby", order), _START, int)

    async def stop(self, order: StopOrder) -> Exit | None:
        """As in ``NodeAgent``. Not said twice: the second answer would know of no exit."""
        return await self._ask_for_any(_post("/sidecar/stop", order, again=False), _STOP, Exit)

    async def report(self, seen: int, wait: float, leases: LeaseRound | None = None) -> NodeReport:
        """As in ``NodeAgent``."""
        if leases is None:
            call = _get("/sidecars", seen=str(seen), wait=repr(wait))
        else:
            call = _post("/sidecars", ReportIn(seen, wait, leases))
            wait = max(wait, PATIENCE)
        report = await self._ask(call, wait + self._margin, NodeReport)
        if report.condition.at.tzinfo is None:
            raise self._garbled()
        return report

    async def poll(self, channel_id: str, epoch: int) -> SidecarReport:
        """As in ``NodeAgent``."""
        return await self._ask(_post("/sidecar/poll", SidecarIn(channel_id, epoch)), _POLL, SidecarReport)

    async def command(self, order: Order, timeout: float) -> CommandReply:
        """As in ``NodeAgent``."""
        call = _post("/sidecar/command", CommandIn.of(order, timeout))
        return await self._ask(call, timeout + self._margin, CommandReply)

    async def drill(self, order: DrillOrder) -> None:
        """As in ``CanDrill``."""
        await self._bytes(_post("/drill", order, again=False), _POLL)

    async def drop_journals(self, order: JournalsOrder) -> Mapping[str, str]:
        """As in ``CanTidy``. Safe to say twice: what is gone already is gone."""
        return await self._ask(_post("/journals/drop", order), _TIDY, dict[str, str])

    async def drop_recordings(self, order: RecordingsOrder) -> OldRecordings:
        """As in ``CanTidy``. Not said twice: the second answer would tell of others."""
        return await self._ask(_post("/recordings/drop", order, again=False), _TIDY, OldRecordings)

    async def adopt(self) -> None:
        """As in ``CanBeAdopted``."""
        await self._bytes(_post("/adopt", {}), _POLL)

    async def thumbnail(self, channel_id: str, epoch: int) -> bytes:
        """As in ``NodeAgent``."""
        return await self._bytes(_get("/sidecar/thumbnail", channel_id=channel_id, epoch=str(epoch)), _FILES)

    async def media(self, roots: Sequence[str], paths: Sequence[str]) -> MediaSeen:
        """As in ``NodeAgent``. Raises ValueError for more than 64 roots or 5,000 paths."""
        return await self._ask(_post("/media", MediaIn(tuple(roots), tuple(paths))), _FILES, MediaSeen)

    async def live_file(self, channel_id: str, path: str) -> bytes:
        """As in ``NodeAgent``."""
        return await self._bytes(_get("/live", most=LARGEST, channel_id=channel_id, path=path), _FILES)

    async def runs(self, known: Mapping[str, Set[str]]) -> tuple[JournalRun, ...]:
        """As in ``NodeAgent``."""
        given = RunsIn({channel: frozenset(runs) for channel, runs in known.items()})
        return await self._ask(_post("/runs", given), _FILES, tuple[JournalRun, ...])

    async def asrun(self, channel_id: str, run_id: str, after: int, limit: int) -> JournalPage | None:
        """As in ``NodeAgent``."""
        call = _get("/asrun", channel_id=channel_id, run_id=run_id, after=str(after), limit=str(limit))
        page = await self._ask_for_any(call, _FILES, PageOut)
        try:
            return None if page is None else page.page()
        except TornLine as error:
            raise self._garbled() from error

    async def _ask(self, call: Call, timeout: float, shape: type[_T]) -> _T:
        answer = decoded(await self._bytes(call, timeout), shape)
        if answer is None:
            raise self._garbled()
        return answer

    async def _ask_for_any(self, call: Call, timeout: float, shape: type[_T]) -> _T | None:
        """None where the agent has none."""
        body = await self._bytes(call, timeout)
        if body == b"null":
            return None
        answer = decoded(body, shape)
        if answer is None:
            raise self._garbled()
        return answer

    async def _bytes(self, call: Call, timeout: float) -> bytes:
        status, body = await self._http.call(call, timeout)
        if status == 200:
            return body
        problem = decoded(body, Problem)
        if problem is None:
            raise self._garbled()
        raise error_of(problem) or AgentAway(f"node {self._name}: its agent failed: {problem.detail}")

    def _garbled(self) -> AgentAway:
        return AgentAway(f"node {self._name}: its agent answered what nobody can read; do the versions differ?")


def _post(target: str, body: object, *, again: bool = True) -> Call:
    return Call("POST", target, encode(body), again=again)


def _get(target: str, *, most: int | None = None, **query: str) -> Call:
    asked = f"{target}?{urlencode(query, quote_via=quote, safe='', errors='replace')}"
    return Call("GET", asked) if most is None else Call("GET", asked, most=most)
