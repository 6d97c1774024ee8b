"""Who may come in: people and services, what they may do in which projects, and their tokens."""

from typing import Annotated, Literal

from pydantic import Field

from supervisor.schemas.base import Id, Instant, Line, Name, Schema

PrincipalKind = Literal["person", "service"]
PrincipalRole = Literal["viewer", "operator", "engineer", "admin"]
"""The most that it may do anywhere. viewer: look. operator: change air and lists. engineer: change channels, recorders
and the station's machines as well. admin: everything, in all projects."""
Right = Literal["view", "operate", "edit"]
UnixUser = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\s:/]+$")]
TokenId = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]


class Grant(Schema):
    """In this project: `view` always; `operate`: change what is on air; `edit`: change lists and, as an engineer,
    channels and recorders."""

    project_id: Id
    rights: tuple[Right, ...]


class GrantIn(Schema):
    """In the place of what was granted of the project before. To see it goes with every grant."""

    operate: bool = False
    edit: bool = False


class PrincipalIn(Schema):
    """`unix_user`: whom the unix socket takes for it, by name or number."""

    name: Name
    kind: PrincipalKind = "person"
    role: PrincipalRole
    unix_user: UnixUser | None = None


class PrincipalPatch(Schema):
    """Only what is given changes; `unix_user` null empties it. Not `active`: nobody comes in as it."""

    name: Name | None = None
    role: PrincipalRole | None = None
    unix_user: UnixUser | None = None
    active: bool | None = None


class Principal(Schema):
    id: Id
    name: str
    kind: PrincipalKind
    role: PrincipalRole
    unix_user: str | None
    active: bool
    grants: tuple[Grant, ...]
    created_at: Instant
    rev: int


class Myself(Schema):
    """Whom a supervisor takes the caller for, and by which door. An admin's `grants` are empty: they may all."""

    name: str
    origin: str
    role: PrincipalRole
    grants: tuple[Grant, ...]


class TokenIn(Schema):
    """`label` says where it is used. It ends by itself after `days`."""

    label: Annotated[Line, Field(min_length=1, max_length=80)]
    days: Annotated[int, Field(ge=1, le=3650)] = 90


class Token(Schema):
    """Without its secret, which nobody can tell any more. The last use is to the minute."""

    id: TokenId
    principal_id: Id
    label: str
    created_at: Instant
    created_by: str
    expires_at: Instant
    last_used_at: Instant | None
    last_used_from: str | None
    revoked_at: Instant | None
    revoked_by: str | None


class NewToken(Token):
    """With the token itself, this once."""

    token: str
