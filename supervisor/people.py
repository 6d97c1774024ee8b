"""Who may come in, in this process' memory: read from the store, and known on while the store is away (P6)."""

import asyncio
import functools
import hashlib
import hmac
import os
import pwd
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, cast

import structlog

from db.errors import StoreError
from db.store import Store
from supervisor.clock import Clock
from supervisor.errors import Unavailable
from supervisor.principal import Principal, Role
from supervisor.threads import Threads

EVERY_S: Final = 2.0
"""Seconds after which what another supervisor of this store changed holds here."""
READ_S: Final = 2.0
START_S: Final = 20.0
"""A supervisor that starts waits longer: after a power cut its disk is slow, and nobody starts it again."""
NAMES_S: Final = 2.0
"""Seconds for a directory service to tell which number a user's name has; a hanging one must not hold up the loop."""
USED_S: Final = 60.0
"""Of one token the last use is written at most once in so many seconds."""
PREFIX: Final = "mcr"
_ID_BYTES: Final = 6
_SECRET_BYTES: Final = 32
_NOBODYS: Final = hashlib.sha256(b"").hexdigest()

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Key:
    principal_id: str
    digest: str
    expires_at: datetime
    revoked: bool


@dataclass(frozen=True, slots=True)
class _Known:
    """All of it as one transaction saw it; those who are not active are not in it."""

    principals: Mapping[str, Principal] = field(default_factory=dict[str, Principal])
    by_uid: Mapping[int, str] = field(default_factory=dict[int, str])
    keys: Mapping[str, _Key] = field(default_factory=dict[str, _Key])


class People:
    """Principals by unix user and by token. Belongs to one event loop; only ``load`` and ``run`` wait."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known = _Known()
        self._used: dict[str, tuple[datetime, str]] = {}
        self._written: dict[str, datetime] = {}
        self._threads = Threads("look-ups of users", places=1)
        self._uids: dict[str, int] = {}
        self._loading = asyncio.Lock()
        for uid in {0, os.getuid()}:
            unix_user_name(uid)  # known from now on, with no look-up while calls wait

    async def load(self, timeout: float = READ_S) -> None:
        """Reads all of them. Raises StoreError, and then what was known holds on."""
        # One after the other: what was read before a change must not come after what was read behind it.
        async with self._loading:
            await self._load(timeout)

    async def reload(self) -> None:
        """After a change that is written: what cannot be read now holds within seconds (``run``)."""
        try:
            await self.load()
        except StoreError as error:
            _log.warning("who may come in is as it was last known", why=str(error))

    async def _load(self, timeout: float) -> None:
        async with self._store.read(timeout=timeout) as tx:
            rows, grants, tokens = (
                await tx.principals.list(),
                await tx.principals.grants(),
                await tx.principals.tokens(),
            )
        principals: dict[str, Principal] = {}
        for row in rows:
            if row.active:
                mine = [grant for grant in grants if grant.principal_id == row.id]
                principals[row.id] = Principal(
                    name=row.name,
                    origin="",
                    role=cast("Role", row.role),
                    projects=frozenset(grant.project_id for grant in mine),
                    operates=frozenset(grant.project_id for grant in mine if grant.operates),
                    edits=frozenset(grant.project_id for grant in mine if grant.edits),
                    id=row.id,
                    unix_user=row.unix_user or "",
                )
        users = {row.unix_user: row.id for row in rows if row.unix_user is not None and row.active}
        uids = await self._look_up(users)
        self._known = _Known(
            principals,
            {uids[user]: id_ for user, id_ in users.items() if user in uids},
            {
                token.id: _Key(token.principal_id, token.digest, token.expires_at, token.revoked_at is not None)
                for token in tokens
            },
        )

    async def run(self) -> None:
        """Reads again and again, and writes down which tokens were used, until cancelled."""
        while True:
            try:
                await self.load()
                await self._write_uses()
            except StoreError as error:
                _log.warning("who may come in is as it was last known", why=str(error))
            await self._clock.sleep(EVERY_S)

    async def _look_up(self, users: Collection[str]) -> Mapping[str, int]:
        """Their numbers, by name or number. Who is not found now is who they were found to be last."""
        try:
            self._uids |= await self._threads.run(NAMES_S, _uids_of, tuple(users))
        except (TimeoutError, Unavailable):
            _log.warning("users of the unix socket could not be looked up; they are as they were last known")
        return self._uids

    def by_unix_user(self, uid: int) -> Principal | None:
        """Whom the unix socket takes for the user of this number."""
        principal_id = self._known.by_uid.get(uid)
        return None if principal_id is None else self._known.principals.get(principal_id)

    def by_token(self, presented: str, origin: str) -> Principal | None:
        """Whose token it is, if it holds still; notes that it was used.

        The part that names the token is looked up; of its secret only digests are compared, in constant time, and with
        nobody's where there is no such token.
        """
        token_id, _, secret = presented.removeprefix(f"{PREFIX}_").partition("_")
        key = self._known.keys.get(token_id) if presented.startswith(f"{PREFIX}_") else None
        same = hmac.compare_digest(digest_of(secret), _NOBODYS if key is None else key.digest)
        if key is None or not same or not self._holds(key):
            return None
        principal = self._known.principals.get(key.principal_id)
        if principal is None:
            return None
        self._used[token_id] = (self._clock.now(), origin)
        return replace(principal, token_id=token_id)

    def stands(self, principal: Principal) -> bool:
        """Whether all that ``principal`` was let in with holds still. Always, of who is in no row."""
        if not principal.id:
            return True
        now = self._known.principals.get(principal.id)
        if now is None or _rights(now) != _rights(principal):
            return False
        if not principal.token_id:
            return now.unix_user == principal.unix_user
        key = self._known.keys.get(principal.token_id)
        return key is not None and self._holds(key)

    def _holds(self, key: _Key) -> bool:
        return not key.revoked and self._clock.now() < key.expires_at

    async def _write_uses(self) -> None:
        now = self._clock.now()
        due = {
            id_: used
            for id_, used in self._used.items()
            if id_ not in self._written or (now - self._written[id_]).total_seconds() >= USED_S
        }
        if not due:
            return
        async with self._store.write() as tx:
            for token_id, (at, origin) in due.items():
                await tx.principals.token_used(token_id, at, origin)
        for token_id, used in due.items():
            self._written[token_id] = now
            if self._used.get(token_id) == used:
                del self._used[token_id]


def new_token() -> tuple[str, str, str]:
    """Its id, the whole of it (``mcr_<id>_<secret>``), and its secret's digest, which alone is kept."""
    token_id, secret = secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
    return token_id, f"{PREFIX}_{token_id}_{secret}", digest_of(secret)


def digest_of(secret: str) -> str:
    """SHA-256 in hexadecimal digits. A secret of 256 random bits needs no slower one."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _uids_of(users: tuple[str, ...]) -> dict[str, int]:
    """By name; a number says itself. Asks the system's directory, which may take its time."""
    found: dict[str, int] = {}
    for user in users:
        try:
            found[user] = int(user) if user.isdecimal() else pwd.getpwnam(user).pw_uid
        except KeyError:
            continue
    return found


@functools.lru_cache(maxsize=64)
def unix_user_name(uid: int) -> str:
    """The user's name, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _rights(principal: Principal) -> tuple[object, ...]:
    return (principal.name, principal.role, principal.projects, principal.operates, principal.edits)
