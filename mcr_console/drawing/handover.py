"""The handover page: what stands, the loudest first, and what was noted."""

from textwrap import wrap

from textual.strip import Strip

from mcr_console.clock import Clock
from mcr_console.drawing.strips import Part, blank, line, parts_width
from mcr_console.palette import Palette
from mcr_console.safe_text import fit, safe
from supervisor.schemas.handover import Handover, ShiftNote, Standing

KIND = 14
WHO = 14


def render_handover(page: Handover, width: int, clock: Clock, palette: Palette, *, stale: bool) -> list[Strip]:
    """All its lines, long texts on several."""
    base = palette.ground
    rows: list[list[Part]] = [[(f" STANDS ({len(page.standing)})", palette.strong)]]
    if not page.standing:
        rows.append([("   nothing: no alarm, no hold, no override, no veto, no maintenance", palette.dim)])
    for one in page.standing:
        rows.extend(_standing(one, width, clock, palette))
    rows.append([])
    rows.append([(f" NOTES ({len(page.notes)})", palette.strong), (f"  of the last {page.hours} h", palette.dim)])
    if not page.notes:
        rows.append([("   none; ! writes one", palette.dim)])
    for note in page.notes:
        rows.extend(_note(note, width, clock, palette))
    if stale:
        rows = [[(text, palette.dim) for text, _ in row] for row in rows]
    return [line(width, base, row) if row else blank(width, base) for row in rows]


def render_handover_heading(page: Handover, width: int, clock: Clock, palette: Palette, *, stale: bool) -> Strip:
    """One line: how many are on air, and when this was so."""
    missing = page.wanted - page.on_air
    on_air: list[Part] = [(f" {page.on_air} of {page.channels} channels on air", palette.text)]
    if missing > 0:
        words = f"  {palette.glyphs.off_air} {missing} wanted and not seen on air "
        on_air.append((words, palette.off_air))
    if stale:
        on_air = [(text, palette.dim) for text, _ in on_air]
    return line(width, palette.ground, on_air, [(f"as of {clock.local(page.at):%H:%M:%S} ", palette.dim)])


def _standing(one: Standing, width: int, clock: Clock, palette: Palette) -> list[list[Part]]:
    style = {"off air": palette.off_air, "stopped": palette.dim, "control": palette.signal}.get(
        one.kind, palette.warning
    )
    tail: list[str] = []
    if one.since is not None:
        tail.append(f"since {clock.local(one.since):%H:%M:%S}")
    if one.by and one.kind != "control":
        tail.append(f"{'acknowledged by' if one.kind == 'alarm' else 'by'} {one.by}")
    words = ", ".join([one.text, *tail])
    head: list[Part] = [(f"   {fit(one.kind, KIND)} ", style), (f"{fit(one.who, WHO)} ", palette.strong)]
    return _wrapped(head, words, width, palette)


def _note(note: ShiftNote, width: int, clock: Clock, palette: Palette) -> list[list[Part]]:
    about = f"{note.about}: " if note.about else ""
    head: list[Part] = [(f"   {clock.local(note.at):%H:%M} ", palette.dim), (f"{fit(note.by, 10)} ", palette.strong)]
    return _wrapped(head, about + note.text, width, palette)


def _wrapped(head: list[Part], text: str, width: int, palette: Palette) -> list[list[Part]]:
    """``head`` and the text beside it, its further lines below its beginning."""
    indent = parts_width(head)
    # A line of a text is safe in itself; what is longer than a screen is cut by ``safe`` at its end.
    first, *others = wrap(safe(text), max(16, width - indent - 1)) or [""]
    return [[*head, (first, palette.text)], *([(" " * indent, palette.dim), (one, palette.text)] for one in others)]
