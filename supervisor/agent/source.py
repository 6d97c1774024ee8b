"""Where a supervisor's agents come from."""

from db.models import Node
from supervisor.agent.interface import NodeAgent


class Agents:
    """An ``AgentSource``: the agent in this process for its own node."""

    def __init__(self, local_id: str, local: NodeAgent) -> None:
        self._local_id = local_id
        self._local = local

    def of(self, node: Node) -> NodeAgent | None:
        """As in ``AgentSource``."""
        return self._local if node.id == self._local_id else None
