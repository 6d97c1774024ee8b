"""What all groups of commands share: plain help, failures that become exit codes, and the way to a supervisor."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Final, TypeVar, cast

import typer
from pydantic import BaseModel, ValidationError
from typer.core import TyperGroup

from mcr_console.cli.failures import Exit, Failure, show
from mcr_console.cli.places import Home, socket_to_use
from mcr_console.client import Client
from mcr_console.http import ApiProblem, ClientError, Unreachable

T = TypeVar("T")

_REASONS: Final = 10
"""Shown of a long list."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Sure = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


class Commands(TyperGroup):
    """A group whose commands end with a Failure instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer has no public name for what it hands over here
        try:
            return super().invoke(ctx)
        except Failure as failure:
            show(failure)
            raise typer.Exit(failure.code) from failure
        except ClientError as error:
            failure = as_failure(error)
            show(failure)
            raise typer.Exit(failure.code) from error


def group(help_text: str) -> typer.Typer:
    return typer.Typer(
        cls=Commands,
        help=help_text,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def as_failure(error: ClientError) -> Failure:
    if isinstance(error, Unreachable):
        return Failure(error.title, error.detail, error.hint, code=Exit.UNREACHABLE)
    detail, hint = error.detail, error.hint
    if isinstance(error, ApiProblem) and error.code == "follows":
        return Failure(error.title, detail, hint, code=Exit.FOLLOWS)
    if isinstance(error, ApiProblem) and error.retry_after_s:
        hint = f"{hint} Try again in {error.retry_after_s} s.".strip()
    if isinstance(error, ApiProblem) and isinstance(refused := error.extra.get("refused"), list):
        named = [str(reason) for reason in cast("list[object]", refused)]
        more = [f"and {len(named) - _REASONS} more"] if len(named) > _REASONS else []
        detail, hint = "\n".join([detail, *named[:_REASONS], *more]), ""
    return Failure(error.title, detail, hint)


def home() -> Home:
    return Home.of(os.environ)


def with_supervisor(work: Callable[[Client], Awaitable[T]]) -> T:
    """Runs ``work`` with a client of the supervisor that is there; this never starts one."""

    async def run() -> T:
        async with Client.at(socket=socket_to_use(home())) as client:
            return await work(client)

    return asyncio.run(run())


def checked(make: Callable[[], T]) -> T:
    """What ``make`` makes of what was typed. Failure where it does not fit, without the text, which may be secret."""
    try:
        return make()
    except ValidationError as error:
        wrong = [
            f"{'.'.join(map(str, it['loc'])) or 'it'}: {it['msg']}"
            for it in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        raise Failure("That is not accepted", "\n".join(wrong)) from None


def print_json(values: Sequence[BaseModel]) -> None:
    print(json.dumps([value.model_dump(mode="json") for value in values], indent=2))


def confirm(question: str, *, yes: bool) -> None:
    """Asks on a terminal. Without one, and without ``yes``, the answer is no: Failure."""
    if yes:
        return
    try:
        agreed = typer.confirm(question, err=True)
    except (typer.Abort, EOFError):
        agreed = False
    if not agreed:
        raise Failure("Nothing was done", "It was not confirmed.", "--yes answers beforehand.")
