"""The table of keys as a page: ``python -m mcr_console.key_sheet`` prints ``docs/keys.md``."""

from typing import Final

from mcr_console.keys import ACTIONS, Action

_NAMES: Final = {
    "exclamation_mark": "!",
    "kp_enter": "keypad enter",
    "escape": "esc",
    "question_mark": "?",
    "slash": "/",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "colon": ":",
    "plus": "+",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "delete": "Del",
}

_HEAD: Final = """\
# Keys

Made from the console's table by `make keys`. In the console `?` shows the same, Ctrl-P finds an action by its words,
and `:` takes the command. An *id* is what `console.toml` names an action by (docs/console.md).
Digits go to a channel: type its number.
"""


def key_names(keys: tuple[str, ...]) -> list[str]:
    """As they stand on a keyboard."""
    return [_name(key) for key in keys]


def _name(key: str) -> str:
    if key.startswith("ctrl+"):
        return f"^{key.removeprefix('ctrl+')}"
    return _NAMES.get(key, key.upper() if key.startswith("f") and key[1:].isdigit() else key)


def command_of(action: Action) -> str:
    """``:filter TEXT``; empty where it has none."""
    return f":{action.command} {action.argument}".rstrip() if action.command else ""


def sheet() -> str:
    """The whole page, in Markdown."""
    parts = [_HEAD]
    for group in dict.fromkeys(action.group for action in ACTIONS):
        parts.append(f"\n## {group}\n\n| keys | command | what it does | on | id |\n|---|---|---|---|---|\n")
        parts.extend(_row(action) for action in ACTIONS if action.group == group)
    return "".join(parts)


def _row(action: Action) -> str:
    keys = " ".join(f"`{name}`" for name in key_names(action.keys)) or action.key_label
    command = command_of(action)
    cells = (keys, f"`{command}`" if command else "", action.help, ", ".join(action.places), f"`{action.id}`")
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    print(sheet(), end="")  # noqa: T201 - this program prints
