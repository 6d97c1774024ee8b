"""``mcr node what-if [NODE]``: what would become of what plays there if the machine died now."""

from typing import Annotated

import typer

from mcr_console.cli.commands import AsJson, print_json, with_supervisor
from mcr_console.cli.naming import pick_node
from mcr_console.cli.wording import counted
from mcr_console.client import Client
from mcr_console.safe_text import safe
from supervisor.schemas.what_if import Fate, WhatIf

_FILES = 3
"""Missing files shown of a node."""


def what_if(
    named: Annotated[str | None, typer.Argument(metavar="[NODE]", help="Its name; every node when left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what would move where if a node died now, what could not and why, and what room would be left."""

    async def run(client: Client) -> tuple[WhatIf, ...]:
        nodes = await client.nodes()
        wanted = nodes if named is None else (pick_node(named, nodes),)
        return tuple([await client.what_if(node.id) for node in wanted])

    found = with_supervisor(run)
    if as_json:
        print_json(found)
        return
    for one in found:
        for line in what_if_lines(one):
            print(line)


def what_if_lines(seen: WhatIf) -> list[str]:
    """A heading, one line a channel and recorder, and the room that is left."""
    name = safe(seen.node_name)
    staying = sum(bool(fate.why_not) for fate in seen.fates)
    if not seen.fates:
        lines = [f"If {name} died now: nothing is wanted there."]
    else:
        moved = len(seen.fates) - staying
        counts = f"{moved} would move, {staying} would stay off" if not seen.why_nothing else "nothing would move"
        lines = [f"If {name} died now: {counts}."]
    if seen.supervisor_here:
        lines.append("  This supervisor runs there and dies with it: another one has to lead first.")
    if seen.why_nothing and seen.fates:
        lines.append(f"  Nothing by itself: {seen.why_nothing}.")
    for fate in seen.fates:
        lines += _fate_lines(fate)
    for room in seen.rooms:
        closed = f", {room.why_not}" if room.why_not else ""
        lines.append(f"  Room on {safe(room.node_name)}: {room.after} of {counted(room.capacity, 'channel')}{closed}")
    return lines


def fate_words(fate: Fate) -> str:
    """``to node-b at once``, or why it stays off and what an operator could do."""
    if not fate.why_not:
        when = "at once" if fate.when == "at_once" else "once its lease has run out"
        return f"to {safe(fate.to_node_name or '')} {when}"
    could = f"; to {safe(fate.to_node_name)} once the machine is declared dead" if fate.to_node_name else ""
    return f"stays off: {safe(fate.why_not)}{could}"


def _fate_lines(fate: Fate) -> list[str]:
    who = f"{fate.number} {safe(fate.name)}" if fate.number is not None else f"recorder {safe(fate.name)}"
    lines = [f"  {who}: {fate_words(fate)}"]
    for candidate in fate.candidates:
        missing = sorted(candidate.missing.items())
        lines += [
            f"    missing on {safe(candidate.node_name)}: {safe(path)}: {safe(why)}" for path, why in missing[:_FILES]
        ]
        if len(missing) > _FILES:
            lines.append(f"    and {len(missing) - _FILES} more")
    return lines
