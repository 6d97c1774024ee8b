"""Which cluster an agent belongs to: a restored copy of a database must not command the nodes of the one it is of.

The key says who may give orders; this says on whose behalf. It guards against mistakes of who has the key, not against
thieves of it: a program that names no cluster, as those before this version, is obeyed as it was.
"""

import asyncio
from typing import Final, Protocol, runtime_checkable

import structlog

from supervisor.agent.interface import OtherCluster
from supervisor.agent.memory import Memory
from supervisor.errors import Unavailable
from supervisor.threads import Threads

log = structlog.get_logger(__name__)

_WRITE: Final = 2.0
"""Seconds that the disk has for it."""


@runtime_checkable
class CanBeAdopted(Protocol):
    """What a ``NodeAgent`` of another machine is besides."""

    async def adopt(self) -> None:
        """Has it belong to this supervisor's cluster from now on, and to no other. Raises OSError, AgentAway."""
        ...


class Belonging:
    """One agent's. The first cluster that is named is the one; ``memory`` None: known until the end of the process.

    Close it at the end: what is being kept then has its time.
    """

    def __init__(self, node: str, memory: Memory | None = None) -> None:
        self._node = node
        self._memory = memory
        self._cluster = "" if memory is None else memory.cluster()
        self._kept = self._cluster
        self._writing = asyncio.Lock()
        self._disk = Threads("agent memory", places=1)
        self._keeping: asyncio.Task[None] | None = None

    def check(self, cluster: str) -> None:
        """Raises OtherCluster for an order of another cluster; an empty one is of an older program.

        Nobody waits for the disk: one that is full or hangs must keep nothing off air.
        """
        if not cluster:
            return
        if self._cluster and cluster != self._cluster:
            raise OtherCluster(
                f"the agent of node {self._node} belongs to cluster {self._cluster} and obeys no other, which "
                f"{cluster} is: 'mcr node adopt {self._node}' takes it over, where that is meant"
            )
        self._cluster = cluster
        if self._kept != cluster and (self._keeping is None or self._keeping.done()):
            self._keeping = asyncio.get_running_loop().create_task(self._keep_ours(), name="keeping the cluster's id")

    async def adopt(self, cluster: str) -> None:
        """Raises ValueError when none is named, and OSError when it cannot be kept; then nothing changed."""
        if not cluster:
            raise ValueError("no cluster is named: whoever orders this is of an older version")
        before = self._cluster
        async with self._writing:
            await self._keep(cluster)
            self._cluster = cluster
        log.warning("this agent belongs to another cluster from now on", was=before, now=cluster)

    async def close(self) -> None:
        if self._keeping is not None:
            await asyncio.wait((self._keeping,))

    async def _keep_ours(self) -> None:
        async with self._writing:
            if self._kept == self._cluster:
                return  # it was adopted meanwhile
            try:
                await self._keep(self._cluster)
            except OSError as error:
                # The next order tries again.
                log.warning(
                    "the cluster that this agent belongs to cannot be kept", cluster=self._cluster, why=str(error)
                )

    async def _keep(self, cluster: str) -> None:
        if self._memory is not None:
            try:
                await self._disk.run(_WRITE, self._memory.keep_cluster, cluster)
            except (TimeoutError, Unavailable) as error:
                raise OSError(f"the disk with the agent's memory does not answer within {_WRITE:g} s") from error
        self._kept = cluster
