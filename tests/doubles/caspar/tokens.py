"""How the server reads a line (``protocol/util/tokenize.cpp``): quotes group and part, a backslash always escapes."""

import re

TRANSITION = re.compile(r".*(?P<kind>VFADE|FADECUT|CUTFADE|CUT|PUSH|SLIDE|WIPE|MIX) *(?P<ticks>[0-9]+)")
"""Over all parameters joined and in capitals, the name included; the last match counts."""


def tokens(text: str) -> list[str]:
    found: list[str] = []
    current: list[str] = []
    quoted = escaped = False
    depth = 0
    was_quoted = False

    def flush() -> None:
        nonlocal was_quoted
        if current or was_quoted:
            found.append("".join(current))
        current.clear()
        was_quoted = False

    for character in text:
        if escaped:
            current.append({"\\": "\\", '"': '"', "n": "\n"}.get(character, ""))
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"':
            if quoted or current:
                was_quoted = quoted
                flush()
            quoted = not quoted
            was_quoted = quoted
        elif quoted:
            current.append(character)
        elif character == "(":
            depth += 1
            current.append(character)
        elif character == ")" and depth:
            depth -= 1
            current.append(character)
        elif character == " " and not depth:
            was_quoted = False
            flush()
        else:
            current.append(character)
    flush()
    return found


def transition_ticks(parameters: list[str]) -> int:
    match = TRANSITION.match(" ".join(parameters).upper())
    return 0 if match is None or match["kind"] == "CUT" else int(match["ticks"])


def number_after(parameters: list[str], keyword: str) -> int | None:
    """The whole number after ``keyword``, wherever it stands. Raises ValueError for what is none."""
    upper = [parameter.upper() for parameter in parameters]
    if keyword not in upper:
        return None
    at = upper.index(keyword) + 1
    return int(parameters[at]) if at < len(parameters) else None
