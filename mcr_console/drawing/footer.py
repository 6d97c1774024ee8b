"""The last line of every screen: what the keys will do, and to what, before they are pressed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rich.cells import cell_len
from rich.style import Style
from textual.strip import Strip

from mcr_console.condition import condition
from mcr_console.drawing.strips import Part, line
from mcr_console.hands import Whose
from mcr_console.keymap import Keymap
from mcr_console.keys import ON_CHANNELS, Action, Place, actions_at
from mcr_console.palette import Palette
from mcr_console.safe_text import fit, safe
from mcr_console.wall_state import ChannelState
from supervisor.schemas.channel import RundownRow

TITLE_WIDTH = 22
MARKED_WIDTH = 44
"""Cells for the names of marked channels."""
NO_KEYMAP: Final = Keymap()


@dataclass(frozen=True, slots=True)
class FooterView:
    """``row`` is the rundown's selected row; ``typed`` what has been typed of a channel number."""

    place: Place
    focused: ChannelState | None
    stale: bool
    pending: bool
    row: RundownRow | None = None
    filter_text: str = ""
    typed: str = ""
    message: str = ""
    empty: bool = False
    undo: str = ""
    """The word of the order that undo takes back."""
    own: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])
    """What the screen itself says of its entries, by their ids; None where it would do nothing."""
    whose: Whose = "free"
    """In whose hands the focused channel is."""
    read_only: bool = False
    keymap: Keymap = NO_KEYMAP
    marked: tuple[ChannelState, ...] = ()
    """Those that take, hold and drop act on, all of them."""


def render_footer(view: FooterView, width: int, palette: Palette) -> Strip:
    """What fits, by rank, in the table's order of rank."""
    base = palette.ground
    left: list[Part] = []
    if view.typed:
        left = [(f" channel {view.typed}_ ", palette.cursor_row), (" ", base)]
    if view.message:
        left += [
            (f" {fit(view.message, min(cell_len(safe(view.message)), width // 2))} ", palette.cursor_row),
            (" ", base),
        ]
    elif not view.typed and view.filter_text and view.place in {"wall", "list"}:
        left = [(f" filter {view.filter_text} ", palette.cursor_row), (" ", base)]
    used = sum(cell_len(safe(text)) for text, _ in left)
    for action in sorted((one for one in actions_at(view.place) if one.rank), key=lambda one: _rank(one, view)):
        label = _marked(action, view, palette) if _acts_on_marked(action, view) else label_of(action, view, palette)
        if label is None:
            continue
        words, style = label
        key = view.keymap.label(action)
        size = cell_len(key) + 2 + 1 + cell_len(safe(words)) + 2
        if used + size > width:
            continue
        left.extend([(f" {key} ", palette.key_block), (f" {words}", style), ("  ", base)])
        used += size
    return line(width, base, left)


def _rank(action: Action, view: FooterView) -> int:
    """What one has to do first comes first: no air key does anything before control is taken over. What nobody has, the
    next air key takes by itself. Then what the moment asks for: start where it is off, the way back from the slate,
    undo after a key, why a warning, more time for a live.
    """
    match action.id:
        case "control":
            return {"other": 2, "mine": 8, "free": action.rank}[view.whose]
        case "note" if view.place == "handover":
            return 3
        case "start" | "rejoin" if view.place in ON_CHANNELS:
            return 2  # either is offered only where the channel is off, or on its slate
        case "undo":
            return 4  # it is offered only while there is something of one's own to take back
        case "explain" if view.place == "attention" or _is_odd(view):
            return 6
        case "longer" if _is_live(view):
            return 6
        case _:
            return action.rank


def _is_odd(view: FooterView) -> bool:
    """Something about the focused channel asks for its reason."""
    verdict = None if view.focused is None or view.stale else condition(view.focused)
    return verdict is not None and (verdict.tally in {"off_air", "unknown"} or bool(verdict.warnings))


def _is_live(view: FooterView) -> bool:
    """What overruns is a live input."""
    item = None if view.focused is None else view.focused.live.item
    return item is not None and item.live is not None


def label_of(action: Action, view: FooterView, palette: Palette) -> tuple[str, Style] | None:
    """What ``action`` would do now; None when it would do nothing."""
    if action.id in view.own:
        word = view.own[action.id]
        return None if word is None else (word, palette.text)
    state = view.focused
    if _does_nothing(action, view):
        return None
    style = palette.dim if view.pending and action.air else palette.text
    if action.id == "back":
        return _back(view, palette)
    if state is None:
        return action.word, style
    if action.id == "control":
        return _control(view, state, palette)
    live = state.live
    if view.whose == "other" and action.air:
        return _others(state, palette) if action.id == "take" else None
    running = live.phase in {"running", "starting"} or live.desired == "on"
    if action.id == "take":
        return _take(view, palette) if running else None
    words = {
        "hold": "release" if live.hold or live.picture == "hold" else "hold",
        "freeze": "unfreeze" if live.picture == "freeze" else "freeze",
        "acknowledge": f"ack {live.alarms}",
        "undo": f"undo {view.undo}",
        "start": f"START {fit(target(state), min(TITLE_WIDTH, cell_len(target(state))))}",
    }.get(action.id, action.word)
    hidden = (
        (action.id == "start" and live.desired == "on")
        or (action.id == "stop" and live.desired == "off")
        or (action.air and action.id not in {"start", "stop"} and not running)
        or (action.id == "rejoin" and live.picture not in {"standby", "filler"})
        or (action.id == "acknowledge" and not live.alarms)
        or (action.id == "undo" and not view.undo)
        or (action.id in {"longer", "shorter"} and live.item is None)
    )
    if hidden:
        return None
    if action.air and view.place not in ON_CHANNELS:
        return f"{words} {fit(target(state), min(TITLE_WIDTH, cell_len(target(state))))}", style
    if action.id == "cue":
        return _cue(view, palette)
    if action.id == "drop":
        return _drop(view, palette)
    return words, style


def _does_nothing(action: Action, view: FooterView) -> bool:
    """Without a channel or a mark, on an empty wall, or at a console that only looks."""
    if view.read_only and (action.air or action.id in {"control", "acknowledge", "create"}):
        return True
    if action.id == "drop_next" or (action.needs != "nothing" and view.focused is None):
        return True
    nothing_there = {"filter", "list", "asrun", *(("explain",) if view.place in {"wall", "list"} else ())}
    return view.empty and action.id in nothing_there


def target(state: ChannelState) -> str:
    """The channel as an air key names it: ``3 SPORT``."""
    return f"{state.channel.number} {safe(state.channel.name).upper()}"


def _acts_on_marked(action: Action, view: FooterView) -> bool:
    many = action.id in {"take", "hold", "drop_next"} and view.place in {"wall", "list"}
    return many and bool(view.marked) and not view.read_only


def _marked(action: Action, view: FooterView, palette: Palette) -> tuple[str, Style]:
    """The take's place has room to name all of them; as many as fit, and how many more."""
    if action.id != "take":
        held = all(one.live.hold or one.live.picture == "hold" for one in view.marked)
        word = "drop next" if action.id == "drop_next" else "release" if held else "hold"
        return f"{word} {len(view.marked)}", palette.text
    named: list[str] = []
    for one in view.marked:
        if sum(len(name) + 2 for name in named) + len(target(one)) > MARKED_WIDTH:
            break
        named.append(fit(target(one), min(TITLE_WIDTH, cell_len(target(one)))))
    more = len(view.marked) - len(named)
    return f"TAKE {len(view.marked)}: {', '.join(named)}{f' and {more} more' if more else ''}", palette.strong


def _take(view: FooterView, palette: Palette) -> tuple[str, Style] | None:
    if view.focused is None:
        return None
    follows = view.focused.live.next
    name = fit(target(view.focused), min(TITLE_WIDTH, cell_len(target(view.focused))))
    if view.pending:
        return f"{name}: answer is due", palette.dim
    if follows is None:
        return f"TAKE {name} (nothing next)", palette.dim
    title = fit(follows.title, min(TITLE_WIDTH, cell_len(safe(follows.title))))
    if view.stale:
        return f"TAKE {name} (what is next is not known)", palette.dim
    return f"TAKE {name} {palette.glyphs.arrow} {title}", palette.strong


def _control(view: FooterView, state: ChannelState, palette: Palette) -> tuple[str, Style]:
    control = state.live.control
    if control is not None and view.whose == "other":
        return f"take over from {fit(control.operator, 12).rstrip()}", palette.strong
    return ("give control back" if view.whose == "mine" else "take control"), palette.text


def _others(state: ChannelState, palette: Palette) -> tuple[str, Style]:
    """What the take key does while another has control: nothing but to say so."""
    control = state.live.control
    who = "another" if control is None else fit(control.operator, 12).rstrip()
    name = fit(target(state), min(TITLE_WIDTH, cell_len(target(state))))
    return f"{name}: {who} has control", palette.dim


def _cue(view: FooterView, palette: Palette) -> tuple[str, Style] | None:
    if view.row is None or view.focused is None:
        return None
    follows = view.focused.live.next
    if follows is not None and follows.cued and follows.item_id == view.row.item_id:
        return "clear cue", palette.text
    title = fit(view.row.title, min(TITLE_WIDTH, cell_len(safe(view.row.title))))
    item = view.focused.live.item
    if item is not None and item.item_id == view.row.item_id:
        return f"cue again, from its start: {title}", palette.text
    return f"cue {title}", palette.text


def _drop(view: FooterView, palette: Palette) -> tuple[str, Style] | None:
    if view.row is None:
        return None
    title = fit(view.row.title, min(TITLE_WIDTH, cell_len(safe(view.row.title))))
    return f"{'undrop' if view.row.state == 'dropped' else 'drop'} {title}", palette.text


def _back(view: FooterView, palette: Palette) -> tuple[str, Style] | None:
    if view.place not in {"wall", "list"}:
        return "back", palette.text
    if view.marked:
        return "clear marks", palette.text
    if view.filter_text:
        return "clear filter", palette.text
    return None
