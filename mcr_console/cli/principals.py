"""``mcr principal …``, ``mcr token …`` and ``mcr whoami``: who may come in, and what they may do."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, cast, get_args

import typer

from mcr_console.cli.commands import AsJson, Sure, checked, confirm, group, print_json, with_supervisor
from mcr_console.cli.failures import Failure
from mcr_console.client import Client
from mcr_console.people import People
from mcr_console.safe_text import safe
from supervisor.schemas.principal import (
    Grant,
    GrantIn,
    Principal,
    PrincipalIn,
    PrincipalKind,
    PrincipalPatch,
    PrincipalRole,
    Token,
    TokenIn,
)
from supervisor.schemas.project import Project

app = group("People and services: their role, and what they may do in which project. An admin's to say.")
token = group("Keys with which people and services come in on TCP. An admin's to give.")

_ROLES = ", ".join(get_args(PrincipalRole))


def _role(text: str) -> str:
    """Typer has no list of literals. Raises typer.BadParameter."""
    if text not in get_args(PrincipalRole):
        raise typer.BadParameter(f"not a role: {text!r}; there are {_ROLES}")
    return text


Named = Annotated[str, typer.Argument(metavar="NAME", help="The principal's name.")]
OfProject = Annotated[str, typer.Argument(metavar="PROJECT", help="The project's name.")]
Role = Annotated[str, typer.Option(parser=_role, metavar="ROLE", help=f"The most that it may do: {_ROLES}.")]
UnixUser = Annotated[
    str | None, typer.Option(metavar="USER", help="Whom the unix socket takes for it: a user's name or number.")
]


def whoami() -> None:
    """Say whom the supervisor takes you for, and what you may do."""

    async def run(client: Client) -> list[str]:
        people = People(client)
        me, projects = await people.myself(), await people.projects()
        lines = [f"{safe(me.name)}, {me.role}, by {safe(me.origin)}"]
        names = {project.id: project.name for project in projects}
        return lines + [f"  {grant_words(one, names)}" for one in me.grants]

    for line in with_supervisor(run):
        print(line)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List who may come in, one line each."""

    async def run(client: Client) -> tuple[tuple[Principal, ...], dict[str, str]]:
        people = People(client)
        return await people.principals(), {one.id: one.name for one in await people.projects()}

    found, names = with_supervisor(run)
    if as_json:
        print_json(found)
        return
    for one in found:
        print(principal_line(one, names))
    if not found:
        print("Nobody is named; this user and root are admins here. mcr principal add names somebody.")


@app.command()
def add(
    name: Named,
    role: Role,
    unix_user: UnixUser = None,
    service: Annotated[bool, typer.Option("--service", help="A program, and no person.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let somebody in. They see no project until one is granted, unless they are admins."""
    kind: PrincipalKind = "service" if service else "person"
    values = checked(lambda: PrincipalIn(name=name, kind=kind, role=cast("PrincipalRole", role), unix_user=unix_user))
    made = with_supervisor(lambda client: People(client).create(values))
    print(made.model_dump_json(indent=2) if as_json else principal_line(made, {}))


@app.command("set")
def set_(
    name: Named,
    role: Annotated[str | None, typer.Option(parser=_role, metavar="ROLE", help=f"Another role: {_ROLES}.")] = None,
    unix_user: UnixUser = None,
    active: Annotated[bool | None, typer.Option("--active/--inactive", help="Whether it may come in.")] = None,
) -> None:
    """Change a principal's role or unix user, or keep it out for a while."""
    given = {"role": role, "unix_user": unix_user, "active": active}
    changes = {what: value for what, value in given.items() if value is not None}
    if not changes:
        raise typer.BadParameter("say what to change: --role, --unix-user, --active or --inactive")

    patch = checked(lambda: PrincipalPatch.model_validate(changes))

    async def run(client: Client) -> Principal:
        people = People(client)
        return await people.update(await _named(people, name), patch)

    print(principal_line(with_supervisor(run), {}))


@app.command()
def remove(name: Named, yes: Sure = False) -> None:
    """Take a principal away, with its grants and tokens. Asks first."""

    async def run(client: Client) -> str:
        people = People(client)
        found = await _named(people, name)
        confirm(f"Take {found.name} away, with all that it was granted and its tokens?", yes=yes)
        await people.delete(found)
        return f"{safe(found.name)} comes in no more."

    print(with_supervisor(run))


@app.command()
def grant(
    name: Named,
    project: OfProject,
    operate: Annotated[bool, typer.Option("--operate", help="Change what is on air, too.")] = False,
    edit: Annotated[
        bool, typer.Option("--edit", help="Change lists, too; and channels and recorders, as an engineer.")
    ] = False,
    make: Annotated[bool, typer.Option("--make", help="Make the project if there is none of that name.")] = False,
) -> None:
    """Let it see a project, in the place of what was granted of the project before."""

    async def run(client: Client) -> str:
        people = People(client)
        found = await _named(people, name)
        projects = await people.projects()
        if make and project not in {one.name for one in projects}:
            projects = (*projects, await people.create_project(project))
        of = _project(project, projects)
        changed = await people.grant(found.id, of.id, GrantIn(operate=operate, edit=edit))
        return principal_line(changed, {one.id: one.name for one in projects})

    print(with_supervisor(run))


@app.command()
def revoke(name: Named, project: OfProject) -> None:
    """Let it see a project no more."""

    async def run(client: Client) -> str:
        people = People(client)
        found, of = await _named(people, name), _project(project, await people.projects())
        await people.withdraw(found.id, of.id)
        return f"{safe(found.name)} sees {safe(of.name)} no more."

    print(with_supervisor(run))


@token.command("add")
def token_add(
    name: Named,
    label: Annotated[str, typer.Option(help="Where it is used.")] = "console",
    days: Annotated[int, typer.Option(min=1, max=3650, help="It ends by itself after so many days.")] = 90,
) -> None:
    """Print a new token, this once: keep it in a file that only its owner reads."""

    values = checked(lambda: TokenIn(label=label, days=days))

    async def run(client: Client) -> str:
        people = People(client)
        found = await _named(people, name)
        return (await people.create_token(found.id, values)).token

    print(with_supervisor(run))


@token.command("list")
def token_list(as_json: AsJson = False) -> None:
    """List tokens, one line each, with when they were last used."""

    async def run(client: Client) -> tuple[tuple[Token, ...], dict[str, str]]:
        people = People(client)
        return await people.tokens(), {one.id: one.name for one in await people.principals()}

    found, names = with_supervisor(run)
    if as_json:
        print_json(found)
        return
    for one in found:
        print(token_line(one, names, datetime.now(UTC)))
    if not found:
        print("There are none. mcr token add NAME makes one.")


@token.command("revoke")
def token_revoke(
    token_id: Annotated[str, typer.Argument(metavar="TOKEN", help="Its id, as mcr token list tells, or the token.")],
) -> None:
    """End a token now."""
    bare = token_id.removeprefix("mcr_").partition("_")[0]
    gone = with_supervisor(lambda client: People(client).revoke_token(bare))
    print(f"{gone.id} opens nothing any more.")


def principal_line(one: Principal, projects: Mapping[str, str]) -> str:
    """One principal, one line."""
    words = [safe(one.name), one.role if one.kind == "person" else f"{one.role} (a service)"]
    if one.unix_user is not None:
        words.append(f"unix user {safe(one.unix_user)}")
    if not one.active:
        words.append("kept out")
    words.extend(grant_words(grant, projects) for grant in one.grants)
    return ", ".join(words)


def grant_words(grant: Grant, projects: Mapping[str, str]) -> str:
    """``Sport: view, operate``."""
    return f"{safe(projects.get(grant.project_id, grant.project_id))}: {' and '.join(grant.rights)}"


def token_line(one: Token, names: Mapping[str, str], now: datetime) -> str:
    """One token, one line."""
    used = "never used"
    if one.last_used_at is not None:
        used = f"last used {one.last_used_at:%Y-%m-%d %H:%M} UTC by {safe(one.last_used_from or '?')}"
    if one.revoked_at is not None:
        state = f"revoked by {safe(one.revoked_by or '?')}"
    elif one.expires_at <= now:
        state = f"over since {one.expires_at:%Y-%m-%d}"
    else:
        state = f"until {one.expires_at:%Y-%m-%d}"
    return f"{one.id} {safe(names.get(one.principal_id, one.principal_id))}, {safe(one.label)}, {state}, {used}"


async def _named(people: People, name: str) -> Principal:
    found = await people.principals()
    for one in found:
        if name in (one.name, one.id):
            return one
    there = ", ".join(safe(one.name) for one in found[:12]) or "none yet; mcr principal add names one"
    raise Failure("No such principal", f"Nobody is named {name!r}.", f"There are: {there}.")


def _project(named: str, projects: tuple[Project, ...]) -> Project:
    for one in projects:
        if named in (one.name, one.id):
            return one
    there = ", ".join(safe(one.name) for one in projects[:12]) or "none yet"
    raise Failure("No such project", f"Nothing is named {named!r}.", f"There are: {there}. --make makes it.")
