"""Which agent speaks for which node."""

from dataclasses import dataclass, replace

from db.models import Node
from supervisor.agent.interface import NodeAgent
from supervisor.agent.keys import node_key
from supervisor.agent.remote import RemoteAgent
from supervisor.clock import Clock
from supervisor.nursery import Nursery
from supervisor.reach import EVERYWHERE, Reach


@dataclass(frozen=True, slots=True)
class _Known:
    what: tuple[str, ...]
    """Of the node's row: with anything else it is another agent."""
    name: str
    agent: RemoteAgent
    stored: str
    """The certificate that the row had when it was last seen, given or not."""


class Agents:
    """``local`` is the agent in this process, by the id of the node it speaks for; all others are elsewhere.

    ``margin`` and ``cluster`` are ``RemoteAgent``'s.
    """

    def __init__(
        self, local: tuple[str, NodeAgent] | None, cluster_key: bytes, clock: Clock, *,
        margin: float = 0.3, reach: Reach = EVERYWHERE, cluster: str = "",
    ) -> None:  # fmt: skip
        self._local = local
        self._cluster_key = cluster_key
        self._margin = margin
        self._reach = reach
        self._cluster = cluster
        self._nursery = Nursery(clock)
        self._known: dict[str, _Known] = {}
        self._leaving: set[RemoteAgent] = set()

    def of(self, node: Node) -> NodeAgent | None:
        """The same object for as long as the node's name, its url and a certificate that people gave stay the same, and
        nobody took the noted one away: by that people say that whatever answers next is to be met anew, TLS or not.

        None for another supervisor's local node: only that supervisor reaches it.
        """
        if self._local is not None and node.id == self._local[0]:
            return self._local[1]
        known = self._known.get(node.id)
        certificate, given = node.certificate or "", bool(node.certificate_given)  # a row that is not stored has none
        what = (node.name, node.url or "", certificate if given else "")
        if known is not None and known.what == what and (certificate or not known.stored):
            if known.stored != certificate:
                self._known[node.id] = replace(known, stored=certificate)
            return known.agent
        self.forget(node.id)
        if node.kind != "agent" or not node.url:
            return None
        key = node_key(self._cluster_key, node.name)
        agent = RemoteAgent(
            node.url, node.name, key, certificate,
            given=given, margin=self._margin, reach=self._reach, cluster=self._cluster,
        )  # fmt: skip
        self._known[node.id] = _Known(what, node.name, agent, certificate)
        return agent

    def forget(self, node_id: str) -> None:
        """Closes the connections to a node that was deleted, or is elsewhere now."""
        known = self._known.pop(node_id, None)
        if known is not None:
            self._leaving.add(known.agent)
            self._nursery.once(f"closing connections to {known.name}", self._close(known.agent))

    async def close(self) -> None:
        """Closes every connection but the local agent, which is its owner's."""
        await self._nursery.close()
        for agent in (*self._leaving, *(known.agent for known in self._known.values())):
            await agent.close()
        self._known.clear()

    async def _close(self, agent: RemoteAgent) -> None:
        await agent.close()
        self._leaving.discard(agent)
