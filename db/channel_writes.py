"""Which transactions may have changed a channel or its outputs: for who keeps such rows in memory."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from db.transaction import Transaction

_ROWS: Final = frozenset({"channel", "output"})
_NOTES: Final = ("UPDATE channel SET lease_until=", "UPDATE channel SET position_item_id=")
"""How the leader notes each second what nobody is shown, without raising the rev (``repositories.channels``)."""
_HARMLESS: Final = frozenset({"SELECT", "BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE", "ROLLBACK"})


class ChannelWrites:
    """Hears every statement of an engine through which alone this database is written. No method blocks."""

    def __init__(self, writer: AsyncEngine) -> None:
        self.version = 0
        """Another one whenever a transaction ended that may have changed a channel or its outputs."""
        self._statements = 0
        event.listen(writer.sync_engine, "before_cursor_execute", self._hear)

    @asynccontextmanager
    async def heard(self, writing: AbstractAsyncContextManager[Transaction]) -> AsyncGenerator[Transaction, None]:
        """``writing``; at its end, however it ends, the version is another one if need be."""
        before = self._statements
        try:
            async with writing as tx:
                yield tx
        finally:
            # Also where it was another transaction's statement, which waits for this one's end or came before it.
            if self._statements != before:
                self.version += 1

    def _hear(self, _connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if may_change_channels(statement):
            self._statements += 1


def may_change_channels(statement: str) -> bool:
    """Whether this SQL may change what is shown of a channel or an output, also through what refers to what.

    In doubt it may."""
    if statement.startswith(_NOTES) and " rev=" not in statement:
        return False
    match statement.replace("(", " ").replace('"', "").split(None, 4):
        case ["INSERT", "INTO", table, *_] | ["UPDATE", table, "SET", *_]:
            return table in _ROWS
        case [verb, *_]:
            return verb not in _HARMLESS
        case _:
            return True
