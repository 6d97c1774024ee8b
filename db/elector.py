"""Who leads: the lease decides; whatever tells sooner that a leader is gone is only a quick signal beside it."""

from typing import Protocol

from db.postgresql_elector import PostgresqlElector
from db.repositories.leader import Fence, Leadership
from db.store import Store


class Elector(Protocol):
    """One supervisor's way to the lease. One task at a time; every call ends by a deadline of its own."""

    @property
    def other(self) -> Leadership | None:
        """Who led at the last attempt when it was not us; None when it was, and before the first."""
        ...

    async def attempt(self, holder: str, address: str, ttl: float, above: int = 0) -> Leadership | None:
        """Takes or renews the lease for ``ttl`` seconds; None when somebody else has it.

        The term is above ``above``: one that some agent has seen, where the store may have been restored.
        ``holder`` is another for every life of a supervisor. Trust what is answered from the start of the call, by the
        own monotonic clock. Raises ``StoreUnavailable``, after which nothing is known, and ``TransactionPooler``.
        """
        ...

    async def release(self, fence: Fence) -> None:
        """Gives the lease back, so that whoever comes next need not wait. Raises ``StoreUnavailable``."""
        ...

    async def close(self) -> None:
        """Lets go of every connection. Never raises for a database that is away."""
        ...


class StoreElector:
    """The lease alone, in the store's own transactions.

    ``seize``: the caller holds other proof that no other supervisor lives, such as a lock on the store's file; the
    first lease is then taken from whoever has it.
    """

    def __init__(self, store: Store, *, timeout: float, seize: bool = False) -> None:
        """``timeout`` in seconds is for each call."""
        self._store = store
        self._timeout = timeout
        self._seize = seize
        self.other: Leadership | None = None

    async def attempt(self, holder: str, address: str, ttl: float, above: int = 0) -> Leadership | None:
        async with self._store.write(timeout=self._timeout) as tx:
            held = await tx.leader.acquire(holder, address, ttl, seize=self._seize, above=above)
            other = await tx.leader.get() if held is None else None
        self._seize = self._seize and held is None
        self.other = other
        return held

    async def release(self, fence: Fence) -> None:
        async with self._store.write(timeout=self._timeout) as tx:
            await tx.leader.release(fence)

    async def close(self) -> None:
        """The connections are the store's."""


def elector(store: Store, *, timeout: float) -> Elector:
    """The one for the store's database. On SQLite the caller is alone, by the lock on the store's file."""
    if store.dialect == "sqlite":
        return StoreElector(store, timeout=timeout, seize=True)
    return PostgresqlElector(store.url, timeout=timeout)
