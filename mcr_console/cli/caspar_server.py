"""``HOST[:PORT][/CHANNEL[-LAYER]][?mode=…&program=…&media=…]`` as a CasparCG server."""

import re
from typing import Final

import typer
from pydantic import ValidationError

from mcr_console.safe_text import safe
from supervisor.schemas.channel import EngineLive
from supervisor.schemas.playout import CasparIn

_FORM: Final = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+)(:(?P<port>[0-9]{1,5}))?(/(?P<channel>[0-9]{1,2})(-(?P<layer>[0-9]{1,4}))?)?",
    re.ASCII,
)

_OPTIONS: Final = ("mode", "program", "media")


def caspar_server(text: str | CasparIn) -> CasparIn:
    """Raises BadParameter."""
    if isinstance(text, CasparIn):
        return text
    place, _, options = text.partition("?")
    match = _FORM.fullmatch(place)
    if match is None:
        raise typer.BadParameter(f"not a CasparCG server: {text!r}; write HOST, or HOST:5250/1-10")
    told = {name: value for name, value in match.groupdict().items() if value is not None}
    for option in options.split("&") if options else ():
        name, _, value = option.partition("=")
        if name not in _OPTIONS or name in told or not value:
            raise typer.BadParameter(f"not an option of a CasparCG server: {option!r}; there are mode, program, media")
        told[name] = value
    told["host"] = told["host"].removeprefix("[").removesuffix("]")
    try:
        return CasparIn.model_validate(told)
    except ValidationError as error:
        raise typer.BadParameter(f"not a CasparCG server: {text!r}: {error.errors()[0]['msg']}") from error


def engine_line(engine: EngineLive) -> str:
    """How the server is."""
    if not engine.detail:
        return f"CasparCG server {safe(engine.version)}: answers, and its channel moves"
    state = "answers" if engine.answers else "does not answer"
    return f"CasparCG server {safe(engine.version)}".rstrip() + f": {state}; {safe(engine.detail)}"
