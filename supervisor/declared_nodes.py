"""Nodes that a supervisor is told of when it starts, so that a whole station comes up without a command by hand."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from db.errors import StaleRev, Taken
from db.store import Store
from supervisor.errors import Invalid

_DECLARED: Final = re.compile(r"(?P<name>[^=,]{1,80})=(?P<url>https?://[^,\s]{1,480})")


@dataclass(frozen=True, slots=True)
class DeclaredNode:
    """``url`` is where its agent listens."""

    name: str
    url: str


def parse_declared(text: str) -> tuple[DeclaredNode, ...]:
    """``name=https://host:6271``, separated by commas. Raises Invalid."""
    found: list[DeclaredNode] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = _DECLARED.fullmatch(part)
        if match is None:
            raise Invalid(f"MCR_NODES has {part!r}", hint="Write it as n1=https://n1:6271,n2=https://n2:6271.")
        found.append(DeclaredNode(match["name"].strip(), match["url"]))
    return tuple(found)


async def declare(store: Store, nodes: tuple[DeclaredNode, ...], now: datetime) -> None:
    """Adds those that are not there yet, and corrects the url of those that are. Raises StoreError.

    Several supervisors may do it at once. A node that is no longer declared stays: channels may be there.
    """
    async with store.read() as tx:
        known = {row.name: row for row in await tx.nodes.list()}
    for node in nodes:
        row = known.get(node.name)
        if row is not None and (row.kind != "agent" or row.url == node.url):
            continue
        try:
            async with store.write() as tx:
                if row is None:
                    await tx.nodes.add(name=node.name, kind="agent", url=node.url, now=now)
                else:
                    await tx.nodes.update(row.id, row.rev, {"url": node.url})
        except (Taken, StaleRev):
            # Another supervisor was told the same, and was first.
            continue
