"""Two supervisors on one PostgreSQL: one leads, each drives its own node alone, and the other takes over."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from db.store import Store
from supervisor.errors import Unavailable
from tests.fixtures.agents import NodeHome, until
from tests.fixtures.stations import FOREVER, OLGA, station


@pytest.fixture
async def shared(migrated_postgres_url: str) -> AsyncIterator[Store]:
    store = Store(migrated_postgres_url)
    yield store
    await store.close()


@pytest.fixture
def other_home(node_home: NodeHome, tmp_path_factory: pytest.TempPathFactory) -> NodeHome:
    """Below the first, which ends whatever is left."""
    path: Path = node_home.path / "other"
    path.mkdir()
    return NodeHome(path)


async def test_the_next_leader_leaves_the_others_node_alone(
    node_home: NodeHome, other_home: NodeHome, shared: Store
) -> None:
    """P2, P5: two homes are two nodes; what one plays the other neither restarts nor ends, and it is adopted back."""
    async with AsyncExitStack() as life_of_first:
        first = await life_of_first.enter_async_context(station(node_home, shared))
        row = await first.channel(FOREVER)
        await first.start(row)
        pid = await first.pid(row.id)
        async with station(other_home, shared, leads=False) as second:
            async with shared.read() as tx:
                assert [node.name for node in await tx.nodes.list()] == ["here", "here 2"]
            with pytest.raises(Unavailable, match="does not decide now"):
                await second.commands.stop(row.id, OLGA)
            await life_of_first.aclose()
            await until(lambda: second.supervision.standing().leader, what="the second leads")
            await until(lambda: "left alone" in second.live(row.id).decision, what="a decision of its own")
            after = await second.row(row.id)
            assert (after.epoch, after.phase) == (1, "running"), second.live(row.id).decision
            assert node_home.processes() == [pid]
    async with station(node_home, shared) as first:
        await first.on_air(row.id, epoch=1)
        assert await first.pid(row.id) == pid
        await first.off(row.id)
