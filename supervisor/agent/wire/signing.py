"""How a supervisor and an agent know each other: HMAC-SHA256 both ways with the node's key, and no clock in it.

A hello exchanges nonces, of which both make the key of a session. Each request carries the session, a counter that is
used once, and a MAC over both, the method, the target and the body; each answer carries a MAC over the request's
counter, the status and the body. The node's name is in every key, so that what is said to one node is void at another.
An agent that speaks TLS signs the fingerprint of its certificate into its welcome: who stands between has another.
"""

import hashlib
import hmac
import secrets
from typing import Final

PROTOCOL: Final = 1
"""Raised when an older one no longer understands what is said."""
SESSION: Final = "mcr-session"
COUNTER: Final = "mcr-counter"
MAC: Final = "mcr-mac"
"""Names of headers."""
_WINDOW: Final = 1024
"""Requests by which one may be overtaken by later ones."""


def new_nonce() -> str:
    return secrets.token_hex(16)


def hello_mac(key: bytes, node: str, nonce: str) -> str:
    return _mac(key, "hello", str(PROTOCOL), node, nonce)


def cluster_mac(key: bytes, node: str, nonce: str, cluster: str) -> str:
    """Of the cluster that a hello names: with the hello's nonce, so that it goes with that one alone."""
    return _mac(key, "cluster", str(PROTOCOL), node, nonce, cluster)


def welcome_mac(key: bytes, node: str, nonce: str, session: str, agent_nonce: str, certificate: str = "") -> str:
    """``certificate``: the agent's own, by its fingerprint; empty where it speaks in the clear."""
    parts = ("welcome", str(PROTOCOL), node, nonce, session, agent_nonce)
    return _mac(key, *parts, certificate) if certificate else _mac(key, *parts)


def session_key(key: bytes, node: str, nonce: str, session: str, agent_nonce: str) -> bytes:
    return bytes.fromhex(_mac(key, "session", str(PROTOCOL), node, nonce, session, agent_nonce))


def request_mac(key: bytes, counter: int, method: str, target: bytes, body: bytes) -> str:
    """``target`` is path and query as they are sent; ``key`` the session's."""
    return _mac(key, "request", str(counter), method, target, body)


def answer_mac(key: bytes, counter: int, status: int, body: bytes) -> str:
    return _mac(key, "answer", str(counter), str(status), body)


def same(given: str, expected: str) -> bool:
    """In constant time."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _mac(key: bytes, *parts: str | bytes) -> str:
    mac = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode()
        # Each with its length: two lists of parts must never be the same bytes.
        mac.update(len(data).to_bytes(8, "big"))
        mac.update(data)
    return mac.hexdigest()


class Counters:
    """Which counters of a session were used: each is good once, in any order within a window."""

    def __init__(self) -> None:
        self._highest = 0
        self._used = 0
        """Bit n: the counter n below the highest."""

    def use(self, counter: int) -> bool:
        """False for one that was used before, or is too old to tell."""
        ahead = counter - self._highest
        if ahead > 0:
            kept = self._used << ahead if ahead < _WINDOW else 0
            self._used = (kept | 1) & ((1 << _WINDOW) - 1)
            self._highest = counter
            return True
        bit = 1 << -ahead if -ahead < _WINDOW else 0
        if counter < 1 or not bit or self._used & bit:
            return False
        self._used |= bit
        return True
