"""The settings as a page: ``python -m supervisor.settings_page`` prints ``docs/settings.md``."""

import sys
from typing import Final

import typer
from typer.core import TyperGroup, TyperOption

from supervisor.__main__ import app
from supervisor.settings import Settings

_HEAD: Final = """\
# Settings

Made from the program's own tables by `make settings`. Everything that the supervisor and the agent write lies below
`MCR_HOME`; a variable that is not set has the value in the third column.

## From the environment

| variable | what it is | unless it is set |
|---|---|---|
"""


def page() -> str:
    """The whole page, in Markdown."""
    command = typer.main.get_command(app)
    assert isinstance(command, TyperGroup)
    parts = [_HEAD]
    for name, field in Settings.model_fields.items():
        default = "a folder of this user's" if name == "home" else _said(field.default)
        parts.append(_row(f"`MCR_{name.upper()}`", field.description or "", default))
    for name in ("serve", "agent"):
        parts.append(f"\n## `mcr {name}`\n\n| option | what it is | unless it is given |\n|---|---|---|\n")
        options = [it for it in command.commands[name].params if isinstance(it, TyperOption) and not it.hidden]
        for option in options:
            flags = " ".join(f"`{flag}`" for flag in (*option.opts, *option.secondary_opts))
            if option.envvar:
                flags += f", `{option.envvar}`"
            parts.append(_row(flags, option.help or "", "needed" if option.required else _said(option.default)))
    return "".join(parts)


def _said(value: object) -> str:
    if value is None or value == "":
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _row(*cells: str) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", r"\|").split()) for cell in cells) + " |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
