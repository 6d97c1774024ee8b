"""People and services: who they are, what they may do in which projects, and their tokens."""

import os
from collections.abc import Sequence
from datetime import timedelta

from fastapi import Request, Response

from db.models import Principal as Row
from db.models import ProjectGrant
from supervisor.api.context import Context, Ctx, Who
from supervisor.api.permissions import sees_all
from supervisor.api.problems import documented
from supervisor.api.revisions import SeenRev, set_etag
from supervisor.api.route import note, router
from supervisor.errors import Conflict, Invalid
from supervisor.people import new_token, unix_user_name
from supervisor.schemas.base import Id, Page
from supervisor.schemas.principal import (
    Grant,
    GrantIn,
    Myself,
    NewToken,
    Principal,
    PrincipalIn,
    PrincipalPatch,
    Right,
    Token,
    TokenId,
    TokenIn,
)

routes = router("principals")

_SPEC = ("name", "role", "unix_user", "active")


@routes.get("/me", responses=documented())
async def read_myself(who: Who) -> Myself:
    """Whom this supervisor takes the caller for, and what they may do."""
    rights = {
        project_id: _rights(operates=project_id in who.operates, edits=project_id in who.edits)
        for project_id in ([] if sees_all(who) else sorted(who.projects))
    }
    grants = tuple(Grant(project_id=project_id, rights=of) for project_id, of in rights.items())
    return Myself.model_validate({"name": who.name, "origin": who.origin, "role": who.role, "grants": grants})


@routes.get("/principals", responses=documented())
async def list_principals(context: Ctx) -> Page[Principal]:
    """By name. They are few, so it is one page."""
    async with context.store.read() as tx:
        rows, grants = await tx.principals.list(), await tx.principals.grants()
    return Page(items=tuple(_view(row, grants) for row in rows))


@routes.post("/principals", status_code=201, responses=documented(409))
async def create_principal(context: Ctx, request: Request, response: Response, values: PrincipalIn) -> Principal:
    """A person or a service. It sees no project until it is granted one, and an admin sees all."""
    _keep_own_user(values.unix_user, values.role, active=True)
    async with context.store.write() as tx:
        row = await tx.principals.add(values.name, values.kind, values.role, values.unix_user, context.clock.now())
    note(request, f"principal:{row.id}", after=values.model_dump())
    return await _changed(context, response, row.id)


@routes.get("/principals/{principal_id}", responses=documented(404))
async def read_principal(context: Ctx, response: Response, principal_id: Id) -> Principal:
    """One principal, with its grants."""
    return await _answer(context, response, principal_id)


@routes.patch("/principals/{principal_id}", responses=documented(404, 409, 428))
async def update_principal(
    context: Ctx, request: Request, response: Response, principal_id: Id, rev: SeenRev, changes: PrincipalPatch
) -> Principal:
    """Only what is given changes, and holds at once: its streams end, and begin anew with what it sees then."""
    given = changes.model_dump(exclude_unset=True)
    if not given or any(given.get(name, "kept") is None for name in ("name", "role", "active")):
        raise Invalid("give what to change; only unix_user can be emptied")
    async with context.store.write() as tx:
        before = await tx.principals.get(principal_id)
        _keep_own_user(
            given.get("unix_user", before.unix_user),
            given.get("role", before.role),
            active=given.get("active", before.active),
        )
        note(request, name=before.name, before={name: getattr(before, name) for name in given}, after=given)
        await tx.principals.update(principal_id, rev, given)
    return await _changed(context, response, principal_id)


@routes.delete("/principals/{principal_id}", status_code=204, responses=documented(404, 409, 428))
async def delete_principal(context: Ctx, request: Request, principal_id: Id, rev: SeenRev) -> None:
    """With its grants and tokens. What it did stays in the audit log under its name."""
    async with context.store.write() as tx:
        before = await tx.principals.get(principal_id)
        note(request, before={name: getattr(before, name) for name in _SPEC})
        await tx.principals.delete(principal_id, rev)
    await context.people.reload()


@routes.put("/principals/{principal_id}/projects/{project_id}", responses=documented(404))
async def grant_project(
    context: Ctx, request: Request, response: Response, principal_id: Id, project_id: Id, values: GrantIn
) -> Principal:
    """To see the project, and what is given beside that, in the place of what was granted of it before."""
    async with context.store.write() as tx:
        before = [one for one in await tx.principals.grants(principal_id) if one.project_id == project_id]
        row, project = await tx.principals.get(principal_id), await tx.projects.get(project_id)
        after = _rights(operates=values.operate, edits=values.edit)
        note(request, name=row.name, project=project.name, before=_rights_of(before), after=after)
        await tx.principals.grant(principal_id, project_id, operates=values.operate, edits=values.edit)
    return await _changed(context, response, principal_id)


@routes.delete("/principals/{principal_id}/projects/{project_id}", status_code=204, responses=documented(404))
async def withdraw_project(context: Ctx, request: Request, principal_id: Id, project_id: Id) -> None:
    """It sees the project no more."""
    async with context.store.write() as tx:
        row = await tx.principals.get(principal_id)
        before = [one for one in await tx.principals.grants(principal_id) if one.project_id == project_id]
        note(request, name=row.name, before=_rights_of(before), after=())
        await tx.principals.withdraw(principal_id, project_id)
    await context.people.reload()


@routes.get("/tokens", responses=documented(404))
async def list_tokens(context: Ctx, principal_id: Id | None = None) -> Page[Token]:
    """The oldest first, also those that are over. They are few, so it is one page."""
    async with context.store.read() as tx:
        if principal_id is not None:
            await tx.principals.get(principal_id)
        rows = await tx.principals.tokens(principal_id)
    return Page(items=tuple(Token.model_validate(row) for row in rows))


@routes.post("/principals/{principal_id}/tokens", status_code=201, responses=documented(404, 409))
async def create_token(
    context: Ctx, who: Who, request: Request, response: Response, principal_id: Id, values: TokenIn
) -> NewToken:
    """A key with which the principal comes in on TCP. This answer alone tells it; what is kept is its digest."""
    response.headers["Cache-Control"] = "no-store"
    token_id, token, digest = new_token()
    now = context.clock.now()
    async with context.store.write() as tx:
        row = await tx.principals.get(principal_id)
        if not row.active:
            raise Conflict(f"{row.name} is not active", conflict="not_active", hint="Make it active first.")
        made = await tx.principals.add_token(
            token_id,
            digest,
            principal_id,
            values.label,
            by=who.name,
            now=now,
            expires_at=now + timedelta(days=values.days),
        )
    note(request, f"token:{token_id}", name=row.name, label=values.label, expires_at=made.expires_at.isoformat())
    await context.people.reload()
    return NewToken.model_validate({**Token.model_validate(made).model_dump(), "token": token})


@routes.post("/tokens/{token_id}/revoke", responses=documented(404))
async def revoke_token(context: Ctx, who: Who, request: Request, token_id: TokenId) -> Token:
    """It opens nothing any more; streams that came by it end within a second. Repeating it changes nothing."""
    async with context.store.write() as tx:
        row = await tx.principals.revoke_token(token_id, who.name, context.clock.now())
    note(request, label=row.label)
    await context.people.reload()
    return Token.model_validate(row)


def _keep_own_user(unix_user: str | None, role: str, *, active: bool) -> None:
    """Whom a row names is that, and no more: the supervisor's own user and root would be locked out by it."""
    own = {name for uid in (0, os.getuid()) for name in (str(uid), unix_user_name(uid))}
    if unix_user in own and (role != "admin" or not active):
        raise Conflict(
            f"{unix_user} is root, or the user that this supervisor runs as: it would be locked out",
            conflict="own_user",
            hint="It is an admin without a row. Name another user, or give it the role admin.",
        )


async def _changed(context: Context, response: Response, principal_id: str) -> Principal:
    """It holds here from now on, and at the other supervisors of this store within seconds."""
    await context.people.reload()
    return await _answer(context, response, principal_id)


async def _answer(context: Context, response: Response, principal_id: str) -> Principal:
    async with context.store.read() as tx:
        row, grants = await tx.principals.get(principal_id), await tx.principals.grants(principal_id)
    set_etag(response, row.rev)
    return _view(row, grants)


def _view(row: Row, grants: Sequence[ProjectGrant]) -> Principal:
    mine = tuple(
        Grant(project_id=one.project_id, rights=_rights(operates=one.operates, edits=one.edits))
        for one in grants
        if one.principal_id == row.id
    )
    names = ("id", "name", "kind", "role", "unix_user", "active", "created_at", "rev")
    return Principal.model_validate({**{name: getattr(row, name) for name in names}, "grants": mine})


def _rights(*, operates: bool, edits: bool) -> tuple[Right, ...]:
    found: list[Right] = ["view"]
    if operates:
        found.append("operate")
    if edits:
        found.append("edit")
    return tuple(found)


def _rights_of(grants: Sequence[ProjectGrant]) -> tuple[Right, ...]:
    return _rights(operates=grants[0].operates, edits=grants[0].edits) if grants else ()
