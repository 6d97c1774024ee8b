"""What an operator configured (``console.toml``, never written here) and what the console remembers by itself.

Both lie in ``$MCR_HOME`` where that is set, else where XDG says. A file that cannot be used is told in a sentence, and
the console runs without it.
"""

import json
import os
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias, get_args

from platformdirs import user_config_path, user_state_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mcr_console.keymap import Keymap, keymap_of

ThemeName: TypeAlias = Literal["auto", "dark", "light", "cvd", "sixteen", "plain"]
Sort: TypeAlias = Literal["number", "name", "node", "trouble"]
Base: TypeAlias = Literal["wall", "list"]
THEMES: Final[tuple[ThemeName, ...]] = get_args(ThemeName)
SORTS: Final[tuple[Sort, ...]] = get_args(Sort)
THEME_CALLED: Final[Mapping[str, ThemeName]] = {name: name for name in THEMES}
SORT_CALLED: Final[Mapping[str, Sort]] = {name: name for name in SORTS}
LARGEST: Final = 65_536
"""Bytes of a file that are read."""

Keys = Annotated[dict[str, str], Field(max_length=200)]


class Configured(BaseModel):
    """``console.toml``. None: not said, so what is remembered holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    theme: ThemeName | None = None
    glyphs: Literal["unicode", "ascii"] | None = None
    screen: Base | None = None
    sort: Sort | None = None
    filter: Annotated[str, Field(max_length=200)] | None = None
    keys: Keys = {}


class Remembered(BaseModel):
    """``console-state.json``: what was so when the console was last left."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    theme: ThemeName = "auto"
    screen: Base = "wall"
    sort: Sort = "number"
    filter: Annotated[str, Field(max_length=200)] = ""


@dataclass(frozen=True, slots=True)
class Preferences:
    """``troubles`` are sentences about files that could not be used; ``state_file`` None remembers nothing."""

    theme: ThemeName = "auto"
    ascii_only: bool = False
    screen: Base = "wall"
    sort: Sort = "number"
    filter: str = ""
    keymap: Keymap = field(default_factory=Keymap)
    troubles: tuple[str, ...] = ()
    state_file: Path | None = None


def config_file(environment: Mapping[str, str]) -> Path:
    """Where ``console.toml`` is looked for."""
    home = environment.get("MCR_HOME")
    return (Path(home).expanduser() if home else user_config_path("mcr-console")) / "console.toml"


def state_file(environment: Mapping[str, str]) -> Path:
    """Where the console keeps what it remembers."""
    home = environment.get("MCR_HOME")
    return (Path(home).expanduser() if home else user_state_path("mcr-console")) / "console-state.json"


def preferences(environment: Mapping[str, str]) -> Preferences:
    """Reads both files. ``MCR_ASCII`` and ``MCR_THEME`` win over them. Never raises for what they hold."""
    troubles: list[str] = []
    configured = _configured(config_file(environment), troubles)
    kept = state_file(environment)
    remembered = _remembered(kept, troubles)
    keymap, refused = keymap_of(configured.keys)
    troubles += [f"{config_file(environment)}: {words}" for words in refused]
    theme: ThemeName = configured.theme or remembered.theme
    asked = environment.get("MCR_THEME", "")
    if asked:
        found = THEME_CALLED.get(asked)
        if found is None:
            troubles.append(f"MCR_THEME is {asked!r}, and there are {', '.join(THEMES)}")
        theme = found or theme
    return Preferences(
        theme=theme,
        ascii_only=environment.get("MCR_ASCII", "") not in {"", "0"} or configured.glyphs == "ascii",
        screen=configured.screen or remembered.screen,
        sort=configured.sort or remembered.sort,
        filter=remembered.filter if configured.filter is None else configured.filter,
        keymap=keymap,
        troubles=tuple(troubles),
        state_file=kept,
    )


def remember(file: Path, values: Remembered) -> None:
    """Written whole or not at all. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".console-state.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(values.model_dump_json(indent=2) + "\n")
        Path(name).replace(file)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _configured(file: Path, troubles: list[str]) -> Configured:
    try:
        return Configured.model_validate(tomllib.loads(_text(file)))
    except FileNotFoundError:
        return Configured()
    except ValidationError as error:
        troubles.append(f"{file} is not used: {_first(error)}")
    except (OSError, ValueError) as error:
        troubles.append(f"{file} is not used: {error}")
    return Configured()


def _remembered(file: Path, troubles: list[str]) -> Remembered:
    try:
        return Remembered.model_validate(json.loads(_text(file)))
    except FileNotFoundError:
        return Remembered()
    except ValidationError as error:
        troubles.append(f"{file} is forgotten: {_first(error)}")
    except (OSError, ValueError, RecursionError) as error:
        troubles.append(f"{file} is forgotten: {error}")
    return Remembered()


def _text(file: Path) -> str:
    """Raises OSError, ValueError."""
    with file.open("rb") as stream:
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError(f"it is longer than {LARGEST} bytes")
    return data.decode("utf-8")


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]
