"""Tries long before its start whether a live input connects, a few at a time, on threads that nobody waits for."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from sidecar.media.live_connect import why_not
from sidecar.media.live_input import live_inputs
from sidecar.protocol.channel import Item
from sidecar.protocol.live_url import LiveAddress, parse_live_url
from sidecar.protocol.status import LiveFault

log = logging.getLogger(__name__)

AT_ONCE: Final = 2
MOST: Final = 50
"""Addresses that are tried in turn; of more the first that are due."""
LOOK_S: Final = 5.0
"""How often the list is looked at."""
AGAIN_S: Final = 300.0
"""After one that connected; one that did not is tried sooner, first after ``FIRST_AGAIN_S``."""
FIRST_AGAIN_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class _Tried:
    fault: str
    failures: int
    again_at: float


class LiveScout:
    """``coming`` answers which live items are due before long; it is asked by these threads.

    What this process has open is not tried, whoever opened it: many senders take one connection only. Listeners, and
    datagrams to this machine itself, cannot be tried: their port is taken by who airs them.
    """

    def __init__(
        self,
        coming: Callable[[], Sequence[Item]],
        connect: Callable[[str], str] = why_not,
        *,
        in_use: Callable[[], Collection[LiveAddress]] = live_inputs.addresses,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``connect`` blocks, and says why an url does not connect, or nothing. ``in_use``: what is open now."""
        self._coming = coming
        self._connect = connect
        self._in_use = in_use
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._wanted: tuple[Item, ...] = ()
        self._tried: dict[str, _Tried] = {}
        self._at_work: set[str] = set()
        self._closed = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name=f"live-scout-{number}", daemon=True) for number in range(AT_ONCE)
        ]

    @property
    def faults(self) -> tuple[LiveFault, ...]:
        """Of the items that are due before long. From any thread; never waits for a connection."""
        with self._lock:
            seen = [(item, self._tried.get(item.url or "")) for item in self._wanted]
        return tuple(LiveFault(item.id, tried.fault) for item, tried in seen if tried is not None and tried.fault)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """What is at work is left to end by itself."""
        self._closed.set()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                url = self._next()
                if url is not None:
                    self._try(url)
                    continue
            except Exception:  # told where a fault would be; the air does not depend on it
                log.exception("live inputs could not be tried")
            self._closed.wait(LOOK_S)

    def _next(self) -> str | None:
        """The address that is due for the longest, which is then at work."""
        with self._lock:
            now, in_use = self._monotonic(), self._in_use()
            if now - self._looked_at >= LOOK_S:
                self._looked_at = now
                self._wanted = tuple(item for item in self._coming() if can_be_tried(item.url, in_use))
                urls = tuple(dict.fromkeys(item.url for item in self._wanted if item.url))[:MOST]
                self._tried = {url: tried for url, tried in self._tried.items() if url in urls}
            else:
                urls = tuple(dict.fromkeys(item.url for item in self._wanted if item.url))[:MOST]
            due = [
                (self._tried[url].again_at if url in self._tried else float("-inf"), place, url)
                for place, url in enumerate(urls)
                if url not in self._at_work and can_be_tried(url, in_use)
            ]
            if not due or min(due)[0] > now:
                return None
            url = min(due)[2]
            self._at_work.add(url)
            return url

    def _try(self, url: str) -> None:
        fault = "it could not be tried"
        try:
            fault = self._connect(url)
        finally:
            with self._lock:
                self._at_work.discard(url)
                before = self._tried.get(url)
                failures = 0 if not fault else 1 if before is None else before.failures + 1
                wait = AGAIN_S if not failures else min(AGAIN_S, FIRST_AGAIN_S * 2.0 ** min(failures - 1, 10))
                self._tried[url] = _Tried(fault, failures, self._monotonic() + wait)
        if fault and (before is None or before.fault != fault):
            log.warning("a live input that is due before long does not connect: %s", fault)


def can_be_tried(url: str | None, in_use: Collection[LiveAddress] = ()) -> bool:
    """False too for what is no address: that is told elsewhere."""
    try:
        address = parse_live_url(url or "")
    except ValueError:
        return False
    return address not in in_use and not address.listens and (address.scheme != "udp" or _is_group(address))


def _is_group(address: LiveAddress) -> bool:
    try:
        return ip_address(address.host).is_multicast
    except ValueError:
        return False
