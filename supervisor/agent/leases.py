"""Lease grants on their way from the leader to the sidecars.

A grant cannot give more time than it should however late it comes, so nothing here needs to be exact: what is lost is
replaced by the next round's.
"""

import asyncio
import secrets
from typing import Final

import structlog

from supervisor.agent.door import Door, lease_request
from supervisor.agent.interface import AgentError, LeaseGrant, LeaseRound
from supervisor.agent.watching import Watching
from supervisor.clock import Clock
from supervisor.nursery import Nursery

log = structlog.get_logger(__name__)

PATIENCE: Final = 0.25
"""Seconds that a report waits for its grants; a sidecar that hangs must not hold up the word of all others."""


class Leases:
    """At most one grant is under way to each sidecar: a newer one takes an older one's place."""

    def __init__(self, watching: Watching, nursery: Nursery, answer: float, clock: Clock) -> None:
        self._clock = clock
        self._watching = watching
        self._nursery = nursery
        self._answer_s = answer
        self._under_way: dict[tuple[str, int], asyncio.Task[None]] = {}

    async def hand_on(self, leases: LeaseRound) -> None:
        """Returns when all are handed on, at the latest after ``PATIENCE``; those left are still tried."""
        tasks = [task for grant in leases.grants if (task := self._begin(grant, leases.ttl_ms)) is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=PATIENCE)

    def _begin(self, grant: LeaseGrant, ttl_ms: int) -> asyncio.Task[None] | None:
        key = (grant.channel_id, grant.epoch)
        watched = self._watching.find(*key)
        if watched is None or watched.exit is not None or watched.door is None:
            return None
        if watched.apart_until > self._clock.monotonic():
            return None
        before = self._under_way.get(key)
        if before is not None:
            before.cancel()
        task = self._nursery.once(f"lease of {grant.channel_id}", self._hand(watched.door, grant, ttl_ms))
        self._under_way[key] = task
        task.add_done_callback(lambda done: self._forget(key, done))
        return task

    async def _hand(self, door: Door, grant: LeaseGrant, ttl_ms: int) -> None:
        request = lease_request(secrets.token_hex(8), grant.epoch, grant.nonce, ttl_ms)
        try:
            await door.command(request, self._answer_s)
        except AgentError as error:
            log.info("a lease was not handed on", channel=grant.channel_id, epoch=grant.epoch, why=str(error))

    def _forget(self, key: tuple[str, int], done: asyncio.Task[None]) -> None:
        if self._under_way.get(key) is done:
            del self._under_way[key]
