"""The first lines of every screen: where one is, how it stands, and how old the truth is."""

from collections import Counter
from collections.abc import Sequence

from rich.style import Style
from textual.strip import Strip

from mcr_console.clock import Clock
from mcr_console.condition import condition
from mcr_console.drawing.prose import prose
from mcr_console.drawing.strips import Part, line
from mcr_console.drawing.verdict import off_air_for
from mcr_console.palette import Palette
from mcr_console.safe_text import age, safe
from mcr_console.wall_state import WallState

WIDE = 100
MOST = 3
"""Lines of each sentence that stays: a narrow terminal still has its channels below."""
CLOCK_OFF_S = 2.0
"""Difference between this machine's clock and the supervisor's from which it is worth a word."""


def render_header(
    state: WallState, title: Sequence[Part], width: int, clock: Clock, palette: Palette, *, counts: bool
) -> Strip:
    """One line: screen, counts, link and clock."""
    now = clock.monotonic()
    stale = state.stale(now)
    left: list[Part] = [(" MCR ", palette.strong), *title]
    if counts and state.loaded:
        left.extend(_counts(state, palette, stale=stale, short=width < WIDE))
    right: list[Part] = []
    if state.supervisor is not None and not stale:
        if width >= WIDE:
            right.append((f"{state.supervisor.name}  ", palette.dim))
        off = _clock_off(state, now, clock)
        if abs(off) >= CLOCK_OFF_S:
            right.append((f"{palette.glyphs.warning} clock off {off:+.0f} s  ", palette.warning))
        if width >= WIDE:
            right.append((f"beat {age(now - state.link.heard)}  ", palette.dim))
    local = clock.local(clock.now())
    right.append((f"{local:%H:%M:%S} {local.tzname() or ''}".rstrip() + " ", palette.strong))
    return line(width, palette.ground, left, right)


def render_banner(
    state: WallState, fault: str, width: int, clock: Clock, palette: Palette, *, notice: str = ""
) -> list[Strip]:
    """A lost supervisor, an answer that cannot be read, a fault of the console itself, ``notice``: lines that stay."""
    now = clock.monotonic()
    strips: list[Strip] = []
    mark = palette.glyphs.warning
    if state.stale(now):
        words = f"{mark} CONNECTING"
        if state.link.kind != "connecting":
            lasts = age(now - state.link.heard)
            since = f"{clock.local(state.link.since):%H:%M:%S}"
            what = "SUPERVISOR SILENT" if state.link.silent else "SUPERVISOR LOST"
            if state.blind and state.link.kind == "live":
                what = "CANNOT READ SUPERVISOR"
            words = f"{mark} {what} since {since} ({lasts}). All below is old. Playout goes on."
        strips += _wrapped(words, palette.warning_block, palette.warning_block, width)
        wait = "" if state.link.retry_at is None else f"Next try in {age(state.link.retry_at - now)}. "
        reason = f"{wait}{state.link.reason}. {state.link.hint}".strip(" .")
        if reason:
            strips += _wrapped(f"  {reason}", palette.ground, palette.warning, width)
    if state.unreadable:
        words = f"{mark} cannot read from supervisor: {state.unreadable}"
        strips += _wrapped(words, palette.ground, palette.warning, width)
    if fault:
        strips += _wrapped(f"{mark} this console has a fault: {fault}", palette.ground, palette.warning, width)
    if notice:
        strips += _wrapped(f"{mark} {notice}", palette.ground, palette.warning, width)
    return strips


def _wrapped(words: str, base: Style, style: Style, width: int) -> list[Strip]:
    """A sentence that stays, in as many lines as it needs, within bounds."""
    return [line(width, base, row) for row in prose(words, style, width, most=MOST)]


def render_off_air(state: WallState, width: int, clock: Clock, palette: Palette) -> list[Strip]:
    """Channels that should be on air and are not: the loudest thing on a screen that is about something else."""
    now = clock.monotonic()
    if state.stale(now):
        return []
    dark = [state.channels[id_] for id_ in state.order if condition(state.channels[id_]).tally == "off_air"]
    if not dark:
        return []
    first = dark[0]
    verdict = condition(first)
    lasts = off_air_for(first, state.supervisor_now(now))
    words = f"{palette.glyphs.off_air} OFF AIR  {first.channel.number} {safe(first.channel.name).upper()}  {lasts}"
    more = f"  and {len(dark) - 1} more" if len(dark) > 1 else ""
    block = palette.off_air_block
    return _wrapped(f"{words}{more}: {verdict.why}" if verdict.why else f"{words}{more}", block, block, width)


def _counts(state: WallState, palette: Palette, *, stale: bool, short: bool) -> list[Part]:
    """``short``: those that hold are left out where somebody is needed, who are counted whole."""
    verdicts = [condition(state.channels[id_]) for id_ in state.order]
    tallies = Counter(verdict.tally for verdict in verdicts)
    held = sum("HOLD" in verdict.warnings for verdict in verdicts)
    number = len(verdicts)
    parts: list[Part] = [(f"  {number} channel{'' if number == 1 else 's'}", palette.dim)]
    if stale:
        return parts
    parts.append((f"  {tallies['on_air']} on air", palette.dim))
    need = sum(verdict.needs_somebody for verdict in verdicts)
    if held and not (short and need):
        parts.append((f"  {held} hold", palette.dim))
    if tallies["off_air"]:
        parts.append(("  ", palette.dim))
        parts.append((f" {palette.glyphs.off_air} {tallies['off_air']} OFF AIR ", palette.off_air_block))
    if need:
        parts.append((f"  {palette.glyphs.warning} {need} need{'s' if need == 1 else ''} you", palette.warning))
    return parts


def _clock_off(state: WallState, now: float, clock: Clock) -> float:
    theirs = state.supervisor_now(now)
    return 0.0 if theirs is None else (clock.now() - theirs).total_seconds()
