"""A channel between two nodes: what moves it, what does not, and that it is never doubled on the way."""

import asyncio

import pytest

from supervisor.errors import Conflict, PlayoutFailed
from tests.fixtures.agents import NodeHome, until
from tests.fixtures.fleets import Fleet, fleet
from tests.fixtures.stations import FOREVER, OLGA


async def outputs(made: Fleet, channel_id: str, *specs: tuple[str, str, bool]) -> None:
    row = await made.row(channel_id)
    async with made.store.write() as tx:
        await tx.channels.update_spec(channel_id, row.rev, {}, specs)
    await made.commands.channel_changed(channel_id)


async def moved(made: Fleet, channel_id: str, epoch: int, timeout: float = 20.0) -> None:
    await made.on_air(channel_id, epoch=epoch, timeout=timeout)


async def warm(made: Fleet) -> None:
    """A leader that has led for long enough to judge, with media looked at."""
    await until(lambda: made.supervision.standing().leader, what="leads")
    await until(lambda: not made.supervision.why_stay(made.nodes["a"].id), what="warmed up")


async def test_a_channel_leaves_a_node_that_is_lost_and_its_zombie_is_ended(node_home: NodeHome) -> None:
    """P1, P2: HLS needs no wait, as what the old one writes is published nowhere; back, the old one is ended."""
    async with fleet(node_home) as made:
        row = await made.channel(FOREVER)
        await made.start(row)
        await warm(made)
        first = await made.node_of(row.id)
        lost = next(node.id for node in made.nodes.values() if node.name == first)
        (foretold,) = made.supervision.what_if(lost).fates
        made.link(first).cut = True
        await moved(made, row.id, 2)
        second = await made.node_of(row.id)
        assert second != first
        assert foretold.target is not None
        assert (foretold.target.node_name, foretold.why_not) == (second, "")
        assert (await made.sidecars(row.id))[first] == [(1, "on_air")]
        assert any(f"its node {first} does not answer: moves to {second}" in it for it in await made.sentences(row.id))
        made.link(first).cut = False
        await until(lambda: made.supervision.placement(row.id), what="seen again")

        async def ended() -> bool:
            return (await made.sidecars(row.id))[first] == []

        await until(ended, what="the zombie's end")
        assert (await made.sidecars(row.id))[second] == [(2, "on_air")]
        assert (await made.row(row.id)).epoch == 2, "no automatic fail-back"
        await made.off(row.id)


async def test_a_udp_output_with_a_lease_is_waited_for_until_it_is_over(node_home: NodeHome) -> None:
    """P2: nobody enters the air before every lease is certainly over; the new one waits muted."""
    async with fleet(node_home) as made:
        row = await made.channel(FOREVER)
        await outputs(made, row.id, ("udp", "udp://127.0.0.1:5999", True))
        await made.start(row)
        assert (await made.row(row.id)).leased
        await warm(made)
        first = await made.node_of(row.id)
        granted = asyncio.get_running_loop().time()
        made.link(first).cut = True
        await until(lambda: made.live(row.id).phase == "fencing", what="fencing")

        async def muted() -> bool:
            return (2, "muted") in (await made.sidecars(row.id))[made.b.name if first == "a" else "a"]

        await until(muted, what="the new one, muted")
        await moved(made, row.id, 2)
        assert asyncio.get_running_loop().time() - granted >= 2.0
        said = await made.sentences(row.id)
        assert any("waits until every lease of the old one" in it for it in said)
        assert any("every lease of the old one" in it and "has run out" in it for it in said)


async def test_a_udp_output_that_holds_is_alert_only(node_home: NodeHome) -> None:
    """P2, P6: an unreachable node may still send. An operator who stands beside it may say that it is dead."""
    async with fleet(node_home) as made:
        row = await made.channel(FOREVER)
        await outputs(made, row.id, ("udp", "udp://127.0.0.1:5999", False))
        await made.start(row)
        await warm(made)
        first = await made.node_of(row.id)
        made.link(first).cut = True

        async def told() -> bool:
            return "channel_unreachable" in await made.alarms()

        await until(told, what="alarm")
        assert "its UDP output holds" in made.live(row.id).decision
        assert (await made.row(row.id)).epoch == 1
        async with made.store.write() as tx:
            node = await tx.nodes.get(made.nodes[first].id)
            await tx.nodes.declare_lost(node.id, node.rev, by="olga", reason="it burns", now=node.created_at)
        await moved(made, row.id, 2)
        assert any("was declared dead" in it for it in await made.sentences(row.id))


async def test_maintenance_empties_a_node_without_a_gap_that_is_not_needed(node_home: NodeHome) -> None:
    """P1, P2: the new one is ready before the old one is ended, and enters the air after it is gone."""
    async with fleet(node_home) as made:
        row = await made.channel(FOREVER)
        await made.start(row)
        await warm(made)
        first = await made.node_of(row.id)
        async with made.store.write() as tx:
            node = await tx.nodes.get(made.nodes[first].id)
            await tx.nodes.update(node.id, node.rev, {"maintenance": True})
        await moved(made, row.id, 2)
        assert await made.node_of(row.id) != first
        assert (await made.sidecars(row.id))[first] == []
        said = await made.sentences(row.id)
        ready = next(at for at, it in enumerate(said) if "is ready, muted" in it and "ends the old one" in it)
        assert any("confirms that the old sidecar is gone" in it for it in said[ready:])
        await made.log_is_complete_everywhere(row.id)


async def test_a_person_moves_one_channel_and_it_is_ready_there_before_it_leaves(node_home: NodeHome) -> None:
    """P1, P2: by the way that failover takes; what holds it is named, and nothing of a refused move happens later."""
    async with fleet(node_home) as made:
        row = await made.channel(FOREVER)
        with pytest.raises(Conflict, match="is not moved: it is off"):
            await made.commands.move(row.id, None, OLGA)
        await made.start(row)
        await warm(made)
        first = await made.node_of(row.id)
        second = "b" if first == "a" else "a"
        with pytest.raises(Conflict, match=f"it is on {first} already"):
            await made.commands.move(row.id, made.nodes[first].id, OLGA)
        row = await made.row(row.id)
        async with made.store.write() as tx:
            row = await tx.channels.set_hold_failover(row.id, row.rev, True, "ann")
        await made.commands.channel_changed(row.id)
        with pytest.raises(Conflict, match="failover is held by ann"):
            await made.commands.move(row.id, None, OLGA)
        async with made.store.write() as tx:
            await tx.channels.set_hold_failover(row.id, row.rev, False, "ann")
        await made.commands.channel_changed(row.id)
        with pytest.raises(Conflict, match="at epoch 1, not 7"):
            await made.commands.move(row.id, None, OLGA, expect_epoch=7)

        async def moves() -> bool:
            try:
                await made.commands.move(row.id, None, OLGA, expect_epoch=1)
            except Conflict as refused:
                # On a machine that is busy a node may have missed a probe a moment ago.
                if "did not answer the last probes" not in str(refused):
                    raise
                return False
            return True

        await until(moves, 60.0, "the other node answers")
        assert await made.node_of(row.id) == second
        await moved(made, row.id, 2)
        assert await made.sidecars(row.id) == {first: [], second: [(2, "on_air")]}
        said = await made.sentences(row.id)
        begun = next(at for at, it in enumerate(said) if f"olga moves it from {first} to {second}" in it)
        ready = next(at for at, it in enumerate(said) if "is ready, muted" in it and "ends the old one" in it)
        assert begun < ready
        assert any("confirms that the old sidecar is gone" in it for it in said[ready:])
        await made.log_is_complete_everywhere(row.id)


async def test_an_operator_may_hold_failover(node_home: NodeHome) -> None:
    async with fleet(node_home) as made:
        row = await made.channel(FOREVER)
        await made.start(row)
        await warm(made)
        row = await made.row(row.id)
        async with made.store.write() as tx:
            await tx.channels.set_hold_failover(row.id, row.rev, True, "olga")
        made.link(await made.node_of(row.id)).cut = True
        await until(lambda: "failover is held by olga" in made.live(row.id).decision, what="the veto")
        row = await made.row(row.id)
        async with made.store.write() as tx:
            await tx.channels.set_hold_failover(row.id, row.rev, False, "olga")
        await moved(made, row.id, 2)


async def test_a_channel_just_started_and_never_heard_from_is_not_failed_over(node_home: NodeHome) -> None:
    """Regression: absence was read as age, and a start that takes its time was moved at once."""
    node_home.faults()
    async with fleet(node_home) as made:
        for link in (made.a, made.b):
            NodeHome(node_home.path / link.name).faults(never_ready=True)
        row = await made.channel(FOREVER)
        await made.commands.start(row.id, OLGA)
        await until(lambda: made.live(row.id).phase == "starting", what="starting")
        for _ in range(5):
            await asyncio.wait_for(made.a.agent.report(-1, 0.0), 60)
            await until(lambda: "waits for epoch 1 to get ready" in made.live(row.id).decision, what="its sentence")
        for link in (made.a, made.b):
            NodeHome(node_home.path / link.name).faults()
        await made.on_air(row.id, epoch=1)


async def test_a_channel_that_is_starting_is_failed_over_too(node_home: NodeHome) -> None:
    """Regression: the guard refused it because the state was ``starting``."""
    async with fleet(node_home) as made:
        for link in (made.a, made.b):
            NodeHome(node_home.path / link.name).faults(never_ready=True)
        row = await made.channel(FOREVER)
        await made.commands.start(row.id, OLGA)
        await until(lambda: made.live(row.id).phase == "starting", what="starting")
        first = await made.node_of(row.id)
        await warm(made)
        made.link(first).cut = True
        for link in (made.a, made.b):
            NodeHome(node_home.path / link.name).faults()
        await made.on_air(row.id, epoch=2)
        assert await made.node_of(row.id) != first


async def test_the_supervisors_own_commands_need_no_door_and_no_role(node_home: NodeHome) -> None:
    """Regression: the scheduler's own commands were refused for lack of authority. Nothing here calls an API: a
    restart and a move are orders in process, and the as-run names the system."""
    async with fleet(node_home) as made:
        row = await made.channel(FOREVER)
        await made.start(row)
        await warm(made)
        made.link(await made.node_of(row.id)).cut = True
        await moved(made, row.id, 2)

        async def named() -> bool:
            records = await made.records_of(row.id)
            return any(it.epoch == 2 and it.kind == "on_air" and '"by":"system"' in it.line for it in records)

        await until(named, what="as-run by the system")


async def test_an_engines_failure_is_no_conflict(node_home: NodeHome) -> None:
    """Regression: what failed in the engine was reported as a conflict of the operator's."""
    async with fleet(node_home) as made:
        row = await made.channel(FOREVER, FOREVER)
        await made.start(row)
        NodeHome(node_home.path / await made.node_of(row.id)).faults(refuse_take=[502, "engine_failed"])
        with pytest.raises(PlayoutFailed) as failed:
            await made.take(row.id)
        assert not isinstance(failed.value, Conflict)
        assert failed.value.status == 502


async def test_a_slow_old_sidecars_heartbeat_is_not_the_new_ones(node_home: NodeHome) -> None:
    """Regression: the old one's answer, late, made a channel look on air that was not."""
    async with fleet(node_home) as made:
        row = await made.channel(FOREVER)
        await made.start(row)
        await warm(made)
        first = await made.node_of(row.id)
        second = "b" if first == "a" else "a"
        NodeHome(node_home.path / second).faults(never_ready=True)
        made.link(first).cut = True
        await until(lambda: made.live(row.id).epoch == 2, what="the move")
        made.link(first).cut = False
        await until(lambda: made.live(row.id).phase in ("fencing", "starting"), what="still under way")
        keeper = made.supervision.row(row.id)
        assert keeper is not None
        assert keeper.phase != "running", "the zombie's frames are no evidence of the new one's"
        NodeHome(node_home.path / second).faults()
        await moved(made, row.id, 2)
