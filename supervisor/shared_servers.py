"""Which other channel has the CasparCG server's channel that a start or another setting would take."""

from collections.abc import Sequence

from db.models import Channel
from supervisor.airing import playout_of
from supervisor.decisions.fencing import server_place
from supervisor.errors import Conflict
from supervisor.schemas.playout import CasparIn

_HERE = "127.0.0.1"


def require_own_server(row: Channel, channels: Sequence[Channel], nodes: int) -> None:
    """``nodes``: how many there are. Raises Conflict.

    Two sidecars would take each other's pictures and outputs off again and again. A server on the node itself is
    another one on each node: two such channels are refused where they are sure to meet.
    """
    mine = server_of(row)
    if mine is None:
        return
    for other in channels:
        if other.id == row.id or (other.desired == "off" and other.phase == "off") or server_of(other) != mine:
            continue
        placed = other.node_id or other.wanted_node_id
        if mine[0] != _HERE or nodes <= 1 or (row.wanted_node_id is not None and row.wanted_node_id == placed):
            raise Conflict(
                f"channel {mine[2]} of the CasparCG server at {mine[0]} port {mine[1]} is {other.name}'s now, and each "
                "channel needs one of its own",
                conflict="server_taken",
                hint=f"Stop {other.name} first, or give one of them another channel of the server, or another server.",
            )


def server_of(row: Channel) -> tuple[str, int, int] | None:
    """Host, port and channel of the server that the row names; None where the channel plays by itself."""
    if row.engine != "caspar":
        return None
    server = playout_of(row).caspar or CasparIn()
    host = _HERE if server_place(row.engine, server.host) == "here" else server.host.casefold()
    return host, server.port, server.channel
