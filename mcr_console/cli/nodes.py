"""``mcr node …``: the machines that play."""

import json

from mcr_console.cli.commands import AsJson, group, with_supervisor
from mcr_console.cli.wording import counted
from mcr_console.client import Client
from mcr_console.safe_text import safe
from supervisor.schemas.node import Node

app = group("The machines that play.")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all nodes, one line each."""
    nodes = with_supervisor(Client.nodes)
    if as_json:
        print(json.dumps([node.model_dump(mode="json") for node in nodes], indent=2))
        return
    for node in nodes:
        print(node_line(node))


def node_line(node: Node) -> str:
    answer = (
        "has not answered yet"
        if node.last_answer_age_ms is None
        else f"answered {node.last_answer_age_ms / 1000:.1f} s ago"
    )
    draining = ", draining" if node.draining else ""
    where = f", {safe(node.url)}" if node.url else ""
    used = f"{node.channels} of {counted(node.capacity, 'channel')}"
    return f"{safe(node.name)}: {node.kind}{where}, {used}, {answer}{draining}"


# A single command would otherwise take the group's place: ``mcr node`` alone.
@app.callback()
def node() -> None:
    """The machines that play."""
