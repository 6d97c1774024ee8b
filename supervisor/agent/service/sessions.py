"""The agent's side of who may give it orders."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from supervisor.agent.wire.problems import UNKNOWN_SESSION, Problem
from supervisor.agent.wire.shapes import Hello, Welcome
from supervisor.agent.wire.signing import (
    PROTOCOL,
    Counters,
    cluster_mac,
    hello_mac,
    new_nonce,
    request_mac,
    same,
    session_key,
    welcome_mac,
)

_MOST_PROVEN: Final = 32
_MOST_NEW: Final = 64
_LARGEST: Final = 2**63


class Refused(Exception):
    """Nothing was done. ``problem`` is told as it is, unsigned: with whom we speak is not known."""

    def __init__(self, code: str, detail: str, status: int = 401) -> None:
        super().__init__(detail)
        self.problem = Problem("Not obeyed", status, code, detail)


@dataclass(slots=True)
class Session:
    """``key`` signs both ways; ``cluster`` is on whose behalf its orders are."""

    key: bytes
    cluster: str = ""
    counters: Counters = field(default_factory=Counters)


class Sessions:
    """Bounded: of those that have proven themselves by a request the least used goes, of the others the oldest.

    Who records a hello and sends it again gets sessions that he cannot use, and pushes out none that are in use.
    """

    def __init__(self, node: str, key: bytes, certificate: str = "") -> None:
        self._node = node
        self._key = key
        self._certificate = certificate
        self._new: OrderedDict[str, Session] = OrderedDict()
        self._proven: OrderedDict[str, Session] = OrderedDict()

    def welcome(self, hello: Hello) -> Welcome:
        """Raises Refused."""
        if hello.protocol != PROTOCOL:
            raise Refused(
                "protocol", f"this agent speaks protocol {PROTOCOL}, not {hello.protocol}: update the older", 400
            )
        if not same(hello.mac, hello_mac(self._key, hello.node, hello.nonce)):
            raise Refused("wrong_key", "the hello is not signed with this node's key")
        if hello.node != self._node:
            raise Refused("wrong_node", f"this is the agent of node {self._node}")
        named = cluster_mac(self._key, hello.node, hello.nonce, hello.cluster)
        if hello.cluster and not same(hello.cluster_mac, named):
            raise Refused("wrong_key", "the cluster that the hello names is not signed with this node's key")
        session, nonce = new_nonce(), new_nonce()
        parts = (self._key, self._node, hello.nonce, session, nonce)
        self._new[session] = Session(session_key(*parts), hello.cluster)
        while len(self._new) > _MOST_NEW:
            self._new.popitem(last=False)
        return Welcome(session, nonce, welcome_mac(*parts, self._certificate), self._certificate)

    def knows(self, session: str) -> bool:
        return session in self._proven or session in self._new

    def accept(self, name: str, counter: str, mac: str, method: str, target: bytes, body: bytes) -> tuple[Session, int]:
        """The session of a request that is genuine and new, and its counter. Raises Refused."""
        session = self._proven.get(name) or self._new.get(name)
        if session is None:
            raise Refused(UNKNOWN_SESSION, "this agent does not know the session: say hello again")
        number = int(counter) if counter.isascii() and counter.isdigit() and len(counter) < 20 else 0
        if not same(mac, request_mac(session.key, number, method, target, body)):
            raise Refused("bad_signature", "the request is not signed with the session's key")
        if number >= _LARGEST or not session.counters.use(number):
            raise Refused("replayed", f"request {number} of this session was here before")
        self._new.pop(name, None)
        self._proven[name] = session
        self._proven.move_to_end(name)
        while len(self._proven) > _MOST_PROVEN:
            self._proven.popitem(last=False)
        return session, number
