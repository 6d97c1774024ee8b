"""Real agent services over simulated nodes: ``python -m bench.simulated_nodes FIRST COUNT FIRST_PORT KEY_FILE``.

Serves nodes ``sim<FIRST>`` and on at 127.0.0.1, one port each, until its parent ends.
"""

import asyncio
import sys
from pathlib import Path

from bench.simulated_node import SimulatedNode
from supervisor.agent.keys import node_key, read_key
from supervisor.agent.service.application import application
from supervisor.agent.service.serving import listening_socket
from supervisor.api.doors import make_server
from supervisor.clock import SystemClock


def node_name(number: int) -> str:
    return f"sim{number:02d}"


async def serve(first: int, count: int, first_port: int, cluster_key: bytes) -> None:
    async with asyncio.TaskGroup() as tasks:
        for number in range(first, first + count):
            name = node_name(number)
            node = SimulatedNode(name, SystemClock())
            door = listening_socket("127.0.0.1", first_port + number)
            server = make_server(application(node, name, node_key(cluster_key, name)))
            tasks.create_task(node.run())
            tasks.create_task(server.serve(sockets=[door]))
        await asyncio.to_thread(sys.stdin.read)
        raise SystemExit  # the parent is gone, or wants no more


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), read_key(Path(sys.argv[4]))))
