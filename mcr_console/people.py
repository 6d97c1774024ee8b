"""What an admin asks of a supervisor about people, services, their tokens and the audit log."""

from collections.abc import Mapping
from typing import Final, Literal

from mcr_console.client import API, Client
from mcr_console.http import Http, Query, read_as
from supervisor.schemas.audit import AuditRow
from supervisor.schemas.base import Page
from supervisor.schemas.principal import (
    GrantIn,
    Myself,
    NewToken,
    Principal,
    PrincipalIn,
    PrincipalPatch,
    Token,
    TokenIn,
)
from supervisor.schemas.project import Project, ProjectIn

_EXPORT_S: Final = 300.0
_PAGE: Final = 200


class People:
    """Every method raises ``ApiProblem`` or ``Unreachable``, both ``ClientError``."""

    def __init__(self, client: Client) -> None:
        self._http: Http = client.http

    async def myself(self) -> Myself:
        """Whom the supervisor takes this client for."""
        return await self._http.get(f"{API}/me", Myself)

    async def principals(self) -> tuple[Principal, ...]:
        """By name."""
        return (await self._http.get(f"{API}/principals", Page[Principal])).items

    async def create(self, values: PrincipalIn) -> Principal:
        return read_as(Principal, await self._http.call("POST", f"{API}/principals", body=values))

    async def update(self, principal: Principal, changes: PrincipalPatch) -> Principal:
        path = f"{API}/principals/{principal.id}"
        return read_as(Principal, await self._http.call("PATCH", path, body=changes, rev=principal.rev))

    async def delete(self, principal: Principal) -> None:
        await self._http.call("DELETE", f"{API}/principals/{principal.id}", rev=principal.rev)

    async def grant(self, principal_id: str, project_id: str, values: GrantIn) -> Principal:
        path = f"{API}/principals/{principal_id}/projects/{project_id}"
        return read_as(Principal, await self._http.call("PUT", path, body=values))

    async def withdraw(self, principal_id: str, project_id: str) -> None:
        await self._http.call("DELETE", f"{API}/principals/{principal_id}/projects/{project_id}")

    async def tokens(self) -> tuple[Token, ...]:
        """The oldest first, also those that are over."""
        return (await self._http.get(f"{API}/tokens", Page[Token])).items

    async def create_token(self, principal_id: str, values: TokenIn) -> NewToken:
        """Its answer alone holds the token."""
        return read_as(NewToken, await self._http.call("POST", f"{API}/principals/{principal_id}/tokens", body=values))

    async def revoke_token(self, token_id: str) -> Token:
        return read_as(Token, await self._http.call("POST", f"{API}/tokens/{token_id}/revoke"))

    async def projects(self) -> tuple[Project, ...]:
        """By name; those that one sees."""
        found: list[Project] = []
        cursor: str | None = None
        while True:
            page = await self._http.get(f"{API}/projects", Page[Project], query={"cursor": cursor, "limit": _PAGE})
            found.extend(page.items)
            cursor = page.next_cursor
            if cursor is None:
                return tuple(found)

    async def create_project(self, name: str) -> Project:
        return read_as(Project, await self._http.call("POST", f"{API}/projects", body=ProjectIn(name=name)))

    async def audit(self, filters: Mapping[str, str | None], limit: int) -> tuple[AuditRow, ...]:
        """The last ``limit`` rows, newest first."""
        found: list[AuditRow] = []
        cursor: str | None = None
        while len(found) < limit:
            query: Query = {**filters, "cursor": cursor, "limit": min(_PAGE, limit - len(found))}
            page = await self._http.get(f"{API}/audit", Page[AuditRow], query=query)
            found.extend(page.items)
            cursor = page.next_cursor
            if cursor is None:
                break
        return tuple(found)

    async def audit_export(self, form: Literal["csv", "jsonl"], since: str | None, until: str | None) -> bytes:
        """The whole log, or a span of it."""
        query: Query = {"format": form, "from": since, "to": until}
        return await self._http.call("GET", f"{API}/audit/export", query=query, deadline_s=_EXPORT_S)
