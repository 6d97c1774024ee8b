"""Who is calling: whom the unix socket's peer is taken for, the holder of a token on TCP."""

import hashlib
import hmac
import ipaddress
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from starlette.requests import Request

from supervisor.errors import Invalid
from supervisor.people import People, unix_user_name
from supervisor.principal import Principal
from supervisor.schemas.control import SESSION_HEADER, STATION_HEADER


@dataclass(frozen=True, slots=True)
class Connection:
    """What a door knows of the connection that a request came by.

    ``peer_uid`` is set on the unix socket alone; ``address`` on TCP alone. ``abort`` ends it without a farewell.
    """

    peer_uid: int | None
    address: str | None
    abort: Callable[[], None]


class Token:
    """The local admin's bearer token. Only its hash is kept and only hashes are compared."""

    def __init__(self, secret: str) -> None:
        self._digest: Final = hashlib.sha256(secret.encode()).digest()

    def matches(self, presented: str | None) -> bool:
        """Takes as long for no token as for a wrong one."""
        digest = hashlib.sha256((presented or "").encode()).digest()
        return hmac.compare_digest(digest, self._digest) and presented is not None


def read_or_make_token(path: Path) -> Token:
    """The token in ``path``, made at the first start, 0600. Raises Invalid when others can read it."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor) as file:
        status = os.fstat(file.fileno())
        secret = file.read(4096).strip()
    if status.st_mode & 0o077 or status.st_uid != os.getuid():
        raise Invalid(f"{path} can be read by others", hint=f"Run: chmod 600 {path}, or delete it to get a new token.")
    if len(secret) < 32:
        raise Invalid(f"{path} holds no token", hint="Delete it: the next start makes a new one.")
    return Token(secret)


def authenticate(request: Request, token: Token, people: People) -> Principal | None:
    """The principal of a request, or None. A request that came by no known door has none.

    Whom a row names is that; else the supervisor's own user and root are admins on the unix socket, and who holds the
    token of its home, which that user alone can read, is one on this machine's loopback.
    """
    connection = getattr(request.state, "connection", None)
    if not isinstance(connection, Connection):
        return None
    session, station = _seat(request)
    found: Principal | None = None
    origin = "unix"
    if connection.peer_uid is not None:
        found = _of_unix(connection.peer_uid, people)
    elif connection.address is not None:
        origin = f"tcp {connection.address}"
        presented = presented_token(request)
        if presented is not None:
            found = people.by_token(presented, origin)
        if found is None and is_loopback(connection.address) and token.matches(presented):
            found = Principal(name=unix_user_name(os.getuid()), origin=origin, role="admin")
    return None if found is None else replace(found, origin=origin, session=session, station=station)


def _of_unix(uid: int, people: People) -> Principal | None:
    known = people.by_unix_user(uid)
    if known is None and uid in {0, os.getuid()}:
        return Principal(name=unix_user_name(uid), origin="unix", role="admin")
    return known


def presented_token(request: Request) -> str | None:
    """The bearer token that a request carries, right or wrong."""
    scheme, _, presented = request.headers.get("authorization", "").partition(" ")
    return presented.strip() if scheme.lower() == "bearer" else None


def _seat(request: Request) -> tuple[str, str]:
    """The session and the station that the call names; what is neither is as good as none."""
    session, station = request.headers.get(SESSION_HEADER, ""), request.headers.get(STATION_HEADER, "")
    if not re.fullmatch(r"[0-9a-f]{32}", session):
        return "", ""
    return session, station if re.fullmatch(r"[ -~]{1,60}", station) else ""


def is_loopback(host: str) -> bool:
    """``localhost`` or an address of this machine to itself; names are not looked up."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def host_of(header: str) -> str:
    """The host in a Host header, without its port and brackets."""
    host = header.strip()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
