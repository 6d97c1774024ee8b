"""Nodes, their ports, and what would become of what plays there: as rows and as the page beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.style import Style
from textual.strip import Strip

from mcr_console.clock import Clock
from mcr_console.drawing.prose import prose
from mcr_console.drawing.strips import Part, columns, line
from mcr_console.palette import Palette
from mcr_console.safe_text import age
from supervisor.schemas.claim import Claim
from supervisor.schemas.node import Device, Node
from supervisor.schemas.what_if import Fate, WhatIf

CLOCK_OFF_MS = 100
"""Offset of a node's clock from which it is worth a warning."""
WIDE = 78
"""Width of a list from which it says in the row how many move too."""
BUSY = 1.0
"""Load per processor from which it is."""


@dataclass(frozen=True, slots=True)
class NodeView:
    """``aged``: seconds that have passed since the supervisor told of it."""

    node: Node
    aged: float
    what_if: WhatIf | None
    stale: bool
    whole: bool = True
    """False: who looks does not look after the machines, and is told of this one that it plays what is theirs."""

    @property
    def answered_s(self) -> float | None:
        """Seconds since its agent answered the supervisor."""
        told = self.node.last_answer_age_ms
        return None if told is None else told / 1000 + self.aged


def state_of(node: Node, palette: Palette) -> tuple[str, Style]:
    """Sign, word and style."""
    glyphs = palette.glyphs
    if node.lost_at is not None:
        return f"{glyphs.off_air} DEAD", palette.off_air
    match node.state:
        case "away":
            return f"{glyphs.unknown} AWAY", palette.warning
        case "unseen":
            return f"{glyphs.unknown} UNSEEN", palette.warning
        case "undriven":
            return f"{glyphs.off} UNDRIVEN", palette.dim
        case "foreign":
            return f"{glyphs.warning} FOREIGN", palette.warning
        case "other_cluster":
            return f"{glyphs.warning} NOT OURS", palette.warning
        case "answers":
            pass
    if node.engine_fault:
        return f"{glyphs.warning} ENGINE", palette.warning
    if node.maintenance:
        return f"{glyphs.hold} MAINTENANCE", palette.warning
    if node.draining:
        return f"{glyphs.hold} DRAINS", palette.warning
    return f"{glyphs.done} answers", palette.text


NODE_HEADS = (("", 1), ("NODE", 14), ("STATE", 13), ("SEEN", -6), ("CH", -6), ("LOAD", -5), ("CLOCK", -8))


def node_heads(width: int, palette: Palette) -> list[Part]:
    cells = [f"{head:>{-size}}" if size < 0 else f"{head:<{size}}" for head, size in NODE_HEADS]
    return [(" ".join(cells) + (" IF IT DIES NOW" if width >= WIDE else " IF DEAD"), palette.dim)]


def render_node(view: NodeView, width: int, ground: Style, palette: Palette) -> Strip:
    node = view.node
    word, style = state_of(node, palette)
    seen = palette.glyphs.none if view.answered_s is None else age(view.answered_s)
    load = palette.glyphs.none if node.load is None else f"{node.load:.2f}"
    offset = node.clock_offset_ms
    clock = palette.glyphs.none if offset is None else f"{offset:+d} ms"
    off = offset is not None and abs(offset) >= CLOCK_OFF_MS
    none = (palette.glyphs.none, palette.dim)
    dies, dies_style = _dies(view.what_if, palette, short=width < WIDE) if view.whole else none
    cells: list[tuple[str, Style, int]] = [
        (palette.glyphs.cursor if ground == palette.cursor_row else " ", palette.frame, 1),
        (node.name, palette.strong, 14),
        (word, style, 13),
        (seen, palette.text if node.state == "answers" else palette.warning, -6),
        (f"{node.channels}/{node.capacity}" if view.whole else palette.glyphs.none, palette.text, -6),
        (load, palette.warning if node.load is not None and node.load > BUSY else palette.text, -5),
        (clock, palette.warning if off else palette.text, -8),
        (dies, dies_style, 20),
    ]
    if view.stale:
        cells = [(text, palette.dim, size) for text, _, size in cells]
    return columns(width, ground, cells)


def render_port(
    device: Device, claim: Claim | None, width: int, ground: Style, palette: Palette, *, stale: bool
) -> Strip:
    """A port below its node: who has it."""
    owner, style = "free", palette.dim
    held = device.held_by
    if held is not None:
        doubt = ", nobody can confirm: it blocks" if held.state == "unknown" else f", {held.state}"
        epoch = "" if claim is None else f", epoch {claim.epoch}"
        owner = f"{held.owner_kind} {held.owner_name or held.owner_id}{doubt}{epoch}"
        style = palette.warning if held.state == "unknown" else palette.text
    elif device.busy:
        owner, style = "a program that is not ours has it open", palette.warning
    mark = palette.glyphs.cursor if ground == palette.cursor_row else " "
    left: list[Part] = [
        (mark, palette.frame),
        (f"   port {device.index} ", palette.dim),
        (f"{device.model}  ", palette.dim),
        (owner, palette.dim if stale else style),
    ]
    return line(width, ground, left)


def _dies(seen: WhatIf | None, palette: Palette, *, short: bool) -> tuple[str, Style]:
    if seen is None:
        return palette.glyphs.pending, palette.dim
    if not seen.fates:
        return palette.glyphs.none if short else "nothing there", palette.dim
    stay = len(seen.fates) if seen.why_nothing else sum(bool(fate.why_not) for fate in seen.fates)
    moved = len(seen.fates) - stay
    if stay:
        more = "" if short else f" OFF, {moved} move"
        return f"{palette.glyphs.warning} {stay} STAY{more}", palette.warning
    return f"{moved} move", palette.text


def node_page(view: NodeView, width: int, clock: Clock, palette: Palette) -> list[list[Part]]:
    """What becomes of each, the room that is left, and what is known of the machine."""
    node = view.node
    if not view.whole:
        words = (
            "It plays channels of yours. Its ports, its load, what else is there and what would become of it are told"
        )
        return [[(f" {node.name}", palette.strong)], *prose(f"{words} to engineers and admins.", palette.dim, width)]
    made: list[list[Part]] = [[(f" IF {node.name} DIES NOW", palette.strong)]]
    made += _fates(view.what_if, width, palette)
    made.append([])
    made += _facts(node, width, clock, palette)
    return made


def _fates(seen: WhatIf | None, width: int, palette: Palette) -> list[list[Part]]:
    if seen is None:
        return [[(" not known yet", palette.dim)]]
    made: list[list[Part]] = []
    if seen.supervisor_here:
        words = "This supervisor runs there and dies with it: another one has to lead first."
        made += prose(words, palette.warning, width)
    if seen.fates and seen.why_nothing:
        made += prose(f"Nothing by itself: {seen.why_nothing}.", palette.warning, width)
    if not seen.fates:
        made.append([(" Nothing is wanted there.", palette.dim)])
    for fate in seen.fates:
        made += _fate(fate, width, palette, nothing=bool(seen.why_nothing))
    for room in seen.rooms:
        full = room.after >= room.capacity
        closed = f", {room.why_not}" if room.why_not else ", then full" if full and room.after > room.placed else ""
        style = palette.warning if closed else palette.dim
        made.append([(f" room on {room.node_name}: {room.placed} {palette.glyphs.arrow} ", palette.dim)])
        made[-1].append((f"{room.after} of {room.capacity}{closed}", style))
    return made


def _fate(fate: Fate, width: int, palette: Palette, *, nothing: bool) -> list[list[Part]]:
    who = f"{fate.number} {fate.name}" if fate.number is not None else f"rec {fate.name}"
    glyphs = palette.glyphs
    if not fate.why_not and not nothing:
        when = "at once" if fate.when == "at_once" else "once its lease is over"
        return [
            [
                (f" {glyphs.arrow} ", palette.text),
                (f"{who} ", palette.strong),
                (f"to {fate.to_node_name}, {when}; media there", palette.text),
            ]
        ]
    could = f"; {fate.to_node_name} once declared dead" if fate.to_node_name else ""
    why = fate.why_not or "does not move by itself"
    made = prose(
        f"{who} stays off: {why}{could}", palette.warning, width, first=f" {glyphs.warning} ", rest="   ", most=3
    )
    for candidate in fate.candidates:
        for path, reason in sorted(candidate.missing.items())[:2]:
            made.append([(f"     missing on {candidate.node_name}: {path}: {reason}", palette.dim)])
    return made


def _facts(node: Node, width: int, clock: Clock, palette: Palette) -> list[list[Part]]:
    made: list[list[Part]] = [[(f" {node.name}", palette.strong), (f"  {node.kind} {node.url or ''}", palette.dim)]]
    if node.fault:
        made += prose(node.fault, palette.warning, width)
    if node.engine_fault:
        made += prose(f"Its container engine does not answer: {node.engine_fault}", palette.warning, width)
    if node.away_since is not None:
        at = f"{clock.local(node.away_since):%H:%M:%S}"
        made += prose(f"Last answered at {at}: what plays there is unknown, which is not dead.", palette.warning, width)
    if node.lost_at is not None:
        at = f"{clock.local(node.lost_at):%H:%M:%S}"
        words = f"Declared dead at {at} by {node.lost_by or 'somebody'}: {node.lost_reason or 'no reason given'}"
        made += prose(words, palette.off_air, width)
    if node.maintenance:
        made += prose("In maintenance: what can be moved is moved off it.", palette.warning, width)
    elif node.draining:
        made += prose("Drains: it gets nothing new, what plays there plays on.", palette.warning, width)
    if node.version:
        can = ", ".join(node.capabilities) or "nothing"
        made.append([(f" agent {node.version}, {node.launcher or 'no launcher'}, plays {can}", palette.dim)])
    if not node.devices:
        made.append([(" no DeckLink ports are known there", palette.dim)])
    return made


def claims_by_port(claims: Sequence[Claim], node_id: str) -> Mapping[int, Claim]:
    """The live claims on a node's ports, by their index."""
    return {claim.device_index: claim for claim in claims if claim.node_id == node_id}
