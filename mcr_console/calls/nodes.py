"""Nodes, claims and media roots."""

from mcr_console.calls.base import API, COMMAND_S, Calls
from supervisor.schemas.base import Page
from supervisor.schemas.claim import Claim, ReleaseIn
from supervisor.schemas.media_root import MediaRoot, MediaRootIn
from supervisor.schemas.node import LostIn, Node, NodeIn, NodePatch
from supervisor.schemas.what_if import WhatIf


class NodeCalls(Calls):
    """The machines and what they have."""

    async def nodes(self) -> tuple[Node, ...]:
        return await self._all("/nodes", Node)

    async def create_node(self, values: NodeIn) -> Node:
        return await self._send("POST", "/nodes", Node, values)

    async def update_node(self, node_id: str, rev: int, changes: NodePatch) -> Node:
        return await self._send("PATCH", f"/nodes/{node_id}", Node, changes, rev=rev)

    async def delete_node(self, node_id: str, rev: int) -> None:
        await self._http.call("DELETE", f"{API}/nodes/{node_id}", rev=rev)

    async def declare_lost(self, node_id: str, reason: str) -> Node:
        """Somebody stands beside it and it is dead: its channels are started elsewhere without waiting."""
        return await self._send("POST", f"/nodes/{node_id}/declare-lost", Node, LostIn(reason=reason))

    async def accept_node(self, node_id: str) -> Node:
        """The machine that answers in its place now is the node from now on."""
        return await self._send("POST", f"/nodes/{node_id}/accept", Node)

    async def adopt_node(self, node_id: str) -> Node:
        """It belongs to this supervisor's cluster from now on, and obeys no other."""
        return await self._send("POST", f"/nodes/{node_id}/adopt", Node)

    async def what_if(self, node_id: str) -> WhatIf:
        """What would become of what plays there if its machine died now."""
        return await self._http.get(f"{API}/nodes/{node_id}/what-if", WhatIf)

    async def claims(self, *, live_only: bool = True) -> tuple[Claim, ...]:
        return (await self._http.get(f"{API}/claims", Page[Claim], query={"live_only": live_only})).items

    async def release_claim(self, claim_id: str, reason: str) -> Claim:
        return await self._send("POST", f"/claims/{claim_id}/release", Claim, ReleaseIn(reason=reason))

    async def media_roots(self) -> tuple[MediaRoot, ...]:
        return (await self._http.get(f"{API}/media-roots", Page[MediaRoot])).items

    async def create_media_root(self, path: str) -> MediaRoot:
        """``path`` is of the supervisor's machine."""
        return await self._send("POST", "/media-roots", MediaRoot, MediaRootIn(path=path), deadline_s=COMMAND_S)

    async def delete_media_root(self, root_id: str) -> None:
        await self._http.call("DELETE", f"{API}/media-roots/{root_id}")
