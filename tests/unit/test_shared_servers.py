"""Two channels never drive one channel of a CasparCG server: each would take the other's pictures off."""

import pytest

from db.models import Channel
from supervisor.errors import Conflict
from supervisor.shared_servers import require_own_server

REMOTE: dict[str, object] = {"host": "Studio"}
LOCAL: dict[str, object] = {"host": "127.0.0.1"}


def channel(name: str, server: dict[str, object] | None = None, **more: object) -> Channel:
    known: dict[str, object] = {"desired": "on", "phase": "running", "engine": "caspar", **more}
    return Channel(id=name, name=name, playout={"caspar": server} if server else None, **known)


@pytest.mark.parametrize(
    ("one", "other", "nodes", "meet"),
    [
        (channel("a", REMOTE), channel("b", {"host": "studio", "layer": 20}), 3, True),
        (channel("a", REMOTE), channel("b", REMOTE, desired="off", phase="stopping"), 3, True),
        (channel("a", REMOTE), channel("b", REMOTE, desired="off", phase="off"), 3, False),
        (channel("a", REMOTE), channel("b", {**REMOTE, "channel": 2}), 3, False),
        (channel("a", REMOTE), channel("b", {**REMOTE, "port": 5251}), 3, False),
        (channel("a", REMOTE), channel("b", REMOTE, engine="ffmpeg"), 3, False),
        (channel("a", LOCAL), channel("b", {"host": "localhost"}), 1, True),
        (channel("a"), channel("b"), 1, True),
        (channel("a", LOCAL), channel("b", LOCAL, node_id="n1"), 2, False),
        (channel("a", LOCAL, wanted_node_id="n1"), channel("b", LOCAL, node_id="n1"), 2, True),
        (channel("a", LOCAL, wanted_node_id="n2"), channel("b", LOCAL, node_id="n1"), 2, False),
    ],
)
def test_a_start_is_refused_where_another_channel_has_the_server(
    one: Channel, other: Channel, nodes: int, meet: bool
) -> None:
    require_own_server(one, [one], nodes)
    if not meet:
        require_own_server(one, [other, one], nodes)
        return
    with pytest.raises(Conflict, match="is b's now") as refused:
        require_own_server(one, [other, one], nodes)
    assert refused.value.conflict == "server_taken"
