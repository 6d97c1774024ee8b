"""The elector's own connection: bounded on both its ends, and refused where a pooler would share its session."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Callable
from typing import Protocol, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs]

from db.errors import TransactionPooler

CONNECT_TIMEOUT = 2.0
COMMAND_TIMEOUT = 2.0
_SETTINGS = {
    "statement_timeout": "1500",
    "lock_timeout": "1000",
    # The server's end: without them it keeps the session, and its lock, of a supervisor that was cut off.
    "tcp_user_timeout": "3000",
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "3",
}
# PostgreSQL before 12 has not all of them.
_SET = (
    "SELECT count(set_config(name, wanted.value, false)) "
    "FROM unnest($1::text[], $2::text[]) AS wanted (name, value) JOIN pg_settings USING (name)"
)
_OUR_END = {"TCP_USER_TIMEOUT": 3000, "TCP_KEEPIDLE": 2, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 3}
"""By name in ``socket``, where the system has them: milliseconds, seconds, seconds, a number."""
_ROUNDS = 5


class Driver(Protocol):
    """What is used here of an ``asyncpg.Connection``, which has no types of its own."""

    async def execute(self, query: str) -> str: ...
    async def fetchval(self, query: str, *args: object) -> object: ...
    def terminate(self) -> None: ...


class Opener:
    """Makes the connection, one at a time, and can end it at once."""

    def __init__(self) -> None:
        self._driver: Driver | None = None
        self._checked = False

    async def open(self, *args: object, **values: object) -> Driver:
        """With asyncpg's own arguments. Raises ``TransactionPooler``, and whatever asyncpg raises.

        The settings are not made part of the start-up, where a pooler would refuse them in words of its own.
        """
        connect = cast("Callable[..., asyncio.Future[Driver]]", asyncpg.connect)  # pyright: ignore[reportUnknownMemberType]
        bounded = {**values, "timeout": CONNECT_TIMEOUT, "command_timeout": COMMAND_TIMEOUT, "statement_cache_size": 0}
        driver = await connect(*args, **{"server_settings": {"application_name": "mcr elector"}, **bounded})
        try:
            _bound(driver)
            await driver.fetchval(_SET, list(_SETTINGS), list(_SETTINGS.values()))
            if not self._checked:
                other = await connect(*args, **bounded)
                try:
                    await _refuse_transaction_pooler(driver, other)
                finally:
                    other.terminate()
                self._checked = True
        except BaseException:
            driver.terminate()
            raise
        self._driver = driver
        return driver

    def terminate(self) -> None:
        """Without a word to the server and without waiting for it."""
        if self._driver is not None:
            self._driver.terminate()
            self._driver = None


def _bound(driver: Driver) -> None:
    """A server that is cut off is noticed within seconds, whether it owes an answer or not."""
    transport = cast("asyncio.Transport", getattr(driver, "_transport"))  # noqa: B009 - asyncpg does not give it out
    end = cast("socket.socket", transport.get_extra_info("socket"))
    if end.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _OUR_END.items():
        option = getattr(socket, name, None)
        if option is not None:
            end.setsockopt(socket.IPPROTO_TCP, option, value)


async def _refuse_transaction_pooler(one: Driver, other: Driver) -> None:
    """A pooler in transaction mode gives the server process that ``one`` has just used to ``other``'s transaction,
    and then ``one`` another. Who else uses the pooler may come between, so that it is looked at more than once.
    """
    for _ in range(_ROUNDS):
        before = await one.fetchval("SELECT pg_backend_pid()")
        async with _in_transaction(other):
            theirs = await other.fetchval("SELECT pg_backend_pid()")
            if theirs == before:
                raise TransactionPooler(f"two connections at once share server process {before}")
            after = await one.fetchval("SELECT pg_backend_pid()")
        if after != before:
            raise TransactionPooler(f"one connection spoke with server process {before}, then with {after}")


@contextlib.asynccontextmanager
async def _in_transaction(driver: Driver) -> AsyncGenerator[None, None]:
    await driver.execute("BEGIN")
    yield
    await driver.execute("ROLLBACK")
