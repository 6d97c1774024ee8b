"""What the store refuses, and why. Everything a repository raises on purpose is a ``StoreError``.

An error raised inside ``store.write()`` and not caught there undoes the whole transaction.
"""

from datetime import datetime


class StoreError(Exception):
    """Root of all."""


class Missing(StoreError):
    """No such row; ``kind`` is the noun (``channel``, ``asset``…)."""

    def __init__(self, kind: str, id: str) -> None:  # noqa: A002 - the word of the API
        super().__init__(f"there is no {kind} {id}")
        self.kind = kind
        self.id = id


class StaleRev(StoreError):
    """The row moved on since it was read: read again and decide again."""

    def __init__(self, kind: str, id: str, saw: int, is_: int) -> None:  # noqa: A002
        super().__init__(f"{kind} {id} is at rev {is_}; this change saw rev {saw}")
        self.kind = kind
        self.id = id
        self.saw = saw
        self.is_ = is_


class StaleRevision(StoreError):
    """The playlist was edited since it was read."""

    def __init__(self, playlist_id: str, saw: int, is_: int) -> None:
        super().__init__(f"playlist {playlist_id} is at revision {is_}; this edit saw revision {saw}")
        self.playlist_id = playlist_id
        self.saw = saw
        self.is_ = is_


class NotLeader(StoreError):
    """The term is over or was never ours: drop everything, read again."""

    def __init__(self, term: int) -> None:
        super().__init__(f"term {term} does not lead (any more): nothing was changed")
        self.term = term


class Taken(StoreError):
    """Another row has this value already; ``kind`` is the noun, ``field`` its column."""

    def __init__(self, field: str, value: object, kind: str = "") -> None:
        super().__init__(f"{kind + ' ' if kind else ''}{field} {value!r} is taken")
        self.kind = kind
        self.field = field
        self.value = value


class InUse(StoreError):
    """Cannot be deleted; ``by`` says in words what still needs it."""

    def __init__(self, kind: str, id: str, by: str) -> None:  # noqa: A002
        super().__init__(f"{kind} {id} is in use by {by}")
        self.kind = kind
        self.id = id
        self.by = by


class PortTaken(StoreError):
    """Promise P3: the port has an owner, and this is who it is. An owner that is gone is named by its id.

    ``reserved_until``: it is nobody's yet, but kept until then for ``reserved_for``, a title of the owner's schedules.
    """

    def __init__(
        self,
        *,
        owner_kind: str,
        owner_id: str,
        owner_name: str,
        node_id: str,
        node_name: str,
        port: str,
        device_index: int,
        since: datetime,
        reserved_for: str = "",
        reserved_until: datetime | None = None,
    ) -> None:
        card = "" if port.startswith("index:") else f" (card {port})"
        port_named = f"port {device_index} of node {node_name}{card}"
        if reserved_until is None:
            said = f"{port_named} belongs to {owner_kind} {owner_name} since {since:%F %T}Z"
        else:
            said = f"{port_named} is kept for {reserved_for} of {owner_kind} {owner_name} until {reserved_until:%F %T}Z"
        super().__init__(said)
        self.owner_kind = owner_kind
        self.owner_id = owner_id
        self.owner_name = owner_name
        self.node_id = node_id
        self.node_name = node_name
        self.port = port
        self.device_index = device_index
        self.since = since
        self.reserved_for = reserved_for
        self.reserved_until = reserved_until


class JournalGap(StoreError):
    """Records between ``collected`` and ``first`` were not handed over: ask the journal again from ``collected``."""

    def __init__(self, channel_id: str, run_id: str, collected: int, first: int) -> None:
        super().__init__(
            f"run {run_id} of channel {channel_id} is collected up to {collected}, the next record came as {first}"
        )
        self.channel_id = channel_id
        self.run_id = run_id
        self.collected = collected
        self.first = first


class Inconsistent(StoreError):
    """The database refused values that break one of its constraints, which ``detail`` names. A fault of ours."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"the database refused the change: {detail}")
        self.detail = detail


class StoreUnavailable(StoreError):
    """The database is away, too busy or too slow. A write that ends so may have been done: read again.

    ``cause`` is what the driver said.
    """

    def __init__(self, cause: str) -> None:
        super().__init__(f"the database is not available: {cause}")
        self.cause = cause


class TransactionPooler(StoreError):
    """Between us and PostgreSQL is a pooler that gives out sessions by transaction; ``seen`` is what showed it."""

    def __init__(self, seen: str) -> None:
        super().__init__(
            f"the database is reached through a pooler in transaction mode ({seen}), which keeps no session, and the "
            "leader's lock needs one: set pool_mode = session for this database in PgBouncer, or give MCR the address "
            "of PostgreSQL itself"
        )
        self.seen = seen


class SchemaTooNew(StoreError):
    """The database was migrated by a newer version of this program: run that version, or restore a backup."""

    def __init__(self, found: str, newest: str) -> None:
        super().__init__(
            f"the database has schema revision {found}, which this version does not know (its newest is {newest}): "
            "run the newer version, or restore a backup from before the upgrade"
        )
        self.found = found
        self.newest = newest


class SchemaTooOld(StoreError):
    """The database is behind: run ``mcr db upgrade``."""

    def __init__(self, found: str | None, newest: str) -> None:
        super().__init__(f"the database has schema revision {found}, this version needs {newest}: run mcr db upgrade")
        self.found = found
        self.newest = newest
