"""One leader: the lease by the database's clock, its term, and writes that carry it (P2)."""

import asyncio
from datetime import datetime

import pytest
from sqlalchemy import text

from db.errors import NotLeader
from db.repositories.leader import Fence, Leadership
from db.store import Store

TTL = 10.0


async def acquire(store: Store, holder: str, ttl: float = TTL, *, seize: bool = False) -> Leadership | None:
    async with store.write() as tx:
        return await tx.leader.acquire(holder, f"http://{holder}", ttl, seize=seize)


async def leadership(store: Store) -> Leadership:
    async with store.read() as tx:
        found = await tx.leader.get()
    assert found is not None
    return found


async def until_expired(store: Store) -> None:
    async with asyncio.timeout(60):
        while (await leadership(store)).held:  # noqa: ASYNC110 - a lease tells nobody that it ends
            await asyncio.sleep(0.02)


async def test_there_is_none_at_first(store: Store) -> None:
    async with store.read() as tx:
        assert await tx.leader.get() is None
        with pytest.raises(NotLeader):
            await tx.leader.require(Fence("", 0))


async def test_the_holder_renews_in_its_term_and_keeps_others_out(store: Store) -> None:
    first = await acquire(store, "a")
    assert first is not None
    renewed = await acquire(store, "a")
    assert renewed is not None
    assert renewed.fence == first.fence
    assert renewed.expires_at >= first.expires_at
    assert await acquire(store, "b") is None
    assert (await leadership(store)).address == "http://a"


async def test_an_expired_lease_is_taken_in_a_higher_term(store: Store) -> None:
    first = await acquire(store, "a", ttl=0.1)
    assert first is not None
    await until_expired(store)
    second = await acquire(store, "b")
    assert second is not None
    assert second.term == first.term + 1
    with pytest.raises(NotLeader):
        async with store.read() as tx:
            await tx.leader.require(first.fence)


async def test_a_holder_that_let_its_own_lease_run_out_gets_a_new_term(store: Store) -> None:
    first = await acquire(store, "a", ttl=0.1)
    assert first is not None
    await until_expired(store)
    again = await acquire(store, "a")
    assert again is not None
    assert again.term == first.term + 1


async def test_release_frees_the_lease_and_keeps_the_term(store: Store) -> None:
    first = await acquire(store, "a")
    assert first is not None
    async with store.write() as tx:
        assert await tx.leader.release(first.fence)
        assert not (await tx.leader.get() or first).held
    second = await acquire(store, "b")
    assert second is not None
    assert second.term == first.term + 1
    async with store.write() as tx:
        assert not await tx.leader.release(first.fence), "an old holder ends nobody else's lease"
    assert (await leadership(store)).held


async def test_who_has_other_proof_may_seize_it(store: Store) -> None:
    first = await acquire(store, "a")
    second = await acquire(store, "b", seize=True)
    assert first is not None
    assert second is not None
    assert (second.holder, second.term) == ("b", first.term + 1)


async def test_of_many_at_once_exactly_one_leads(store: Store) -> None:
    for _ in range(3):
        taken = await asyncio.gather(*(acquire(store, f"holder {number}") for number in range(12)))
        (winner,) = [one for one in taken if one is not None]
        async with store.write() as tx:
            await tx.leader.release(winner.fence)


async def test_a_clock_set_back_does_not_leave_the_channels_without_a_leader(store: Store) -> None:
    """P1: a lease that ends a day from now cannot have been given by this clock."""
    first = await acquire(store, "a")
    assert first is not None
    async with store.write() as tx:
        await tx.leader._session.execute(text("UPDATE leader SET expires_at = '2999-01-01 00:00:00.000000'"))
    second = await acquire(store, "b")
    assert second is not None
    assert second.term == first.term + 1
    assert second.expires_at < datetime.fromisoformat("2998-01-01T00:00Z")


async def test_a_lease_has_bounds(store: Store) -> None:
    for ttl in (0, -1, 61):
        with pytest.raises(ValueError, match="a lease of"):
            await acquire(store, "a", ttl=ttl)
