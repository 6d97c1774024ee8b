"""The one table of what an operator can do: bindings, footer, help, palette and ``:`` commands are made from it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from textual.binding import Binding

Place: TypeAlias = Literal["wall", "list", "channel", "asrun", "attention", "nodes", "recorders", "explain", "handover"]
Needs: TypeAlias = Literal["nothing", "channel", "row"]

EVERYWHERE: Final[tuple[Place, ...]] = (
    "wall", "list", "channel", "asrun", "attention", "nodes", "recorders", "explain", "handover",
)  # fmt: skip
WITH_ROWS: Final[tuple[Place, ...]] = ("channel", "asrun", "attention", "nodes", "recorders", "explain")
ON_CHANNELS: Final[tuple[Place, ...]] = ("wall", "list", "channel")


@dataclass(frozen=True, slots=True)
class Action:
    """``rank`` 1 is the last to leave a narrow footer; 0 never stands there. ``air`` changes what goes out.

    ``armed`` asks first. ``command`` is its ``:`` word; ``argument`` says what follows it.
    """

    id: str
    keys: tuple[str, ...]
    key_label: str
    word: str
    help: str
    rank: int = 0
    places: tuple[Place, ...] = EVERYWHERE
    needs: Needs = "nothing"
    air: bool = False
    armed: bool = False
    command: str = ""
    argument: str = ""
    group: str = "Get around"


AIR = "Air keys: they act on the focused channel"
EDIT = "Edit the rundown: each shows what it makes before it is done"
ARMED = "Armed: they ask first, with the focus on Cancel"

NODES = "Nodes, armed too: they act on the selected row"

RECORDERS = "Recorders, armed too: they act on the selected row"

ACTIONS: Final[tuple[Action, ...]] = (
    Action(
        "take", ("t", "f12", "kp_enter"), "t", "TAKE",
        "Cut now to what is cued, else to what is next; also out of a hold.",
        1, ON_CHANNELS, "channel", air=True, command="take", group=AIR,
    ),
    Action(
        "hold", ("H",), "H", "hold", "Do not follow on after this item, wait for a take; again: release the hold.",
        4, ON_CHANNELS, "channel", air=True, command="hold", group=AIR,
    ),
    Action(
        "cue", ("c",), "c", "cue", "Make the selected row what the next take cuts to; on the cued row: clear the cue.",
        3, ("channel",), "row", air=True, command="cue", group=AIR,
    ),
    Action(
        "standby", ("B",), "B", "STANDBY",
        "Cut now to the channel's emergency slate. Where the channel is not seen: asks first, naming it.",
        5, EVERYWHERE, "channel", air=True, command="standby", group=AIR,
    ),
    Action(
        "rejoin", ("R",), "R", "REJOIN",
        "Return from the slate to what should be on air. Where the channel is not seen: asks first, naming it.",
        6, EVERYWHERE, "channel", air=True, command="rejoin", group=AIR,
    ),
    Action(
        "skip", ("s",), "s", "skip", "Cut now to the next item in the list, whatever is cued.",
        11, ON_CHANNELS, "channel", air=True, command="skip", group=AIR,
    ),
    Action(
        "drop", ("D",), "D", "drop", "The selected row will not air; on a dropped row: it will after all.",
        9, ("channel",), "row", air=True, command="drop", group=AIR,
    ),
    Action(
        "drop_next", ("D",), "D", "drop next", "On the marked channels: what is next will not air.",
        9, ("wall", "list"), air=True, command="drop-next", group=AIR,
    ),
    Action(
        "longer", ("right_square_bracket",), "]", "+30 s", "Make the item on air 30 s longer.",
        18, ON_CHANNELS, "channel", air=True, command="longer", group=AIR,
    ),
    Action(
        "shorter", ("left_square_bracket",), "[", "-30 s",
        "Make the item on air 30 s shorter; at the least it ends now.",
        19, ON_CHANNELS, "channel", air=True, command="shorter", group=AIR,
    ),
    Action(
        "undo", ("U",), "U", "undo",
        "Take back your last take (cues the old item again), cue, hold, drop or +30 s on this channel.",
        7, ON_CHANNELS, "channel", air=True, command="undo", group=AIR,
    ),
    Action(
        "control", ("C",), "C", "control",
        "Take control of the channel, or give it back. Of another's: asks, then takes it over, and tells them.",
        20, ON_CHANNELS, "channel", command="control", group=AIR,
    ),
    Action(
        "start", ("S",), "S", "start", "Put the channel on air.",
        12, ON_CHANNELS, "channel", air=True, armed=True, command="start", group=ARMED,
    ),
    Action(
        "stop", ("X",), "X", "stop", "Take the channel off air.",
        13, ON_CHANNELS, "channel", air=True, armed=True, command="stop", group=ARMED,
    ),
    Action(
        "freeze", ("F",), "F", "freeze", "Stop the picture; again: let it run on from the same frame.",
        15, ON_CHANNELS, "channel", air=True, armed=True, command="freeze", group=ARMED,
    ),
    Action(
        "failover", ("P",), "P", "failover", "Move the channel to another node: the best, or the one that is named.",
        24, ON_CHANNELS, "channel", air=True, armed=True, command="failover", argument="[NODE]", group=ARMED,
    ),
    Action(
        "edit", ("enter",), "enter", "edit", "Change title, start, trim, end and length of the selected row.",
        8, ("channel",), "row", command="edit", group=EDIT,
    ),
    Action(
        "insert", ("i",), "i", "insert", "Put a clip, live input, slate or comment before the selected row.",
        8, ("channel",), "channel", command="insert", group=EDIT,
    ),
    Action(
        "insert_below", ("I",), "I", "insert below", "The same after the selected row.",
        20, ("channel",), "channel", command="insert-below", group=EDIT,
    ),
    Action(
        "move", ("m",), "m", "move", "Give the selected row another place.",
        10, ("channel",), "row", command="move", group=EDIT,
    ),
    Action(
        "copy", ("y",), "y", "copy", "A copy of the selected row, right below it.",
        14, ("channel",), "row", command="copy", group=EDIT,
    ),
    Action(
        "delete", ("delete",), "Del", "delete", "Take the selected row out of the list.",
        14, ("channel",), "row", command="delete", group=EDIT,
    ),
    Action(
        "undo_edit", ("ctrl+z",), "^z", "undo edit", "Take back the last edit of this list; again: do it again.",
        16, ("channel",), "channel", command="undo-edit", group=EDIT,
    ),
    Action(
        "import", ("ctrl+o",), "^o", "import", "A revised list over this one; its difference is shown first.",
        20, ("channel",), "channel", command="import", argument="[FILE]", group=EDIT,
    ),
    Action(
        "open", ("enter", "f4"), "enter", "open", "Open the focused channel.",
        8, ("wall", "list", "attention"), "channel", command="open",
    ),
    Action("back", ("escape",), "esc", "back", "Clears marks, then the filter; back to where you came from.", 2),
    Action("wall", ("f2", "w"), "w", "wall", "All channels as tiles.", 0, command="wall"),
    Action("list", ("f3", "l"), "l", "list", "All channels, a line each.", 10, ("wall", "list"), command="list"),
    Action("asrun", ("f5", "r"), "r", "as-run", "What aired, to the frame.", 9, ON_CHANNELS, command="asrun"),
    Action(
        "attention", ("f6", "A"), "A", "attention",
        "What needs somebody now and in the coming hours, over all channels; alarms seen, shelved and over.",
        8, command="attention",
    ),
    Action(
        "nodes", ("f7", "M"), "M", "nodes", "The machines: how they stand, who has their ports, what dies with each.",
        12, command="nodes",
    ),
    Action(
        "recorders", ("f8", "V"), "V", "recorders", "What records: state, file, room, what comes, what was recorded.",
        13, command="recorders",
    ),
    Action(
        "explain", ("e",), "e", "explain", "The chain of facts behind the selected row: what was decided, and why.",
        9, command="explain",
    ),
    Action(
        "record", ("S",), "S", "record", "Start the selected recorder.",
        3, ("recorders",), armed=True, command="record", group=RECORDERS,
    ),
    Action(
        "end_recording", ("X",), "X", "stop recording", "Stop the selected recorder.",
        4, ("recorders",), armed=True, command="stop-recording", group=RECORDERS,
    ),
    Action(
        "drain", ("d",), "d", "drain",
        "The selected node gets no new channels; what plays there plays on. Again: it does.",
        3, ("nodes",), armed=True, command="drain", group=NODES,
    ),
    Action(
        "maintenance", ("m",), "m", "maintenance",
        "Empty the selected node: what can be moved is moved off it. Again: it ends.",
        4, ("nodes",), armed=True, command="maintenance", group=NODES,
    ),
    Action(
        "declare_dead", ("L",), "L", "declare dead",
        "The selected node's machine is off, you know it: its channels start elsewhere without waiting.",
        5, ("nodes",), armed=True, command="lost", group=NODES,
    ),
    Action(
        "free_port", ("f",), "f", "free port", "Free the selected port, whose owner never confirmed that it let go.",
        6, ("nodes",), armed=True, command="release", group=NODES,
    ),
    Action(
        "handover", ("f9",), "F9", "handover",
        "What stands as somebody left it: alarms, holds, overrides, vetoes, control; and the notes of the shift.",
        21, command="handover",
    ),
    Action(
        "note", ("exclamation_mark",), "!", "note",
        "Write into the shift log: of the selected alarm or event, the focused channel, or on its page of the station.",
        22, ("wall", "list", "channel", "asrun", "attention", "handover"), command="note",
    ),
    Action(
        "only", ("o",), "o", "one / all", "As-run of the focused channel, or of all.", 3, ("asrun",), command="only",
    ),
    Action(
        "acknowledge", ("a",), "a", "ack",
        "Acknowledge the focused channel's alarms, or the selected one, in your name.",
        6, (*ON_CHANNELS, "attention"), "channel", command="ack",
    ),
    Action(
        "shelve", ("z",), "z", "shelve",
        "Put the selected alarm aside for a while, with a reason. Again: take that back.",
        7, ("attention",), command="shelve",
    ),
    Action(
        "channel", (), "0-9", "channel", "Focus a channel by its number: type it.", 0, command="ch", argument="NUMBER",
    ),
    Action(
        "filter", ("slash",), "/", "filter", "Only channels with this in number, name, state, node; !text: the others.",
        14, ("wall", "list"), command="filter", argument="TEXT",
    ),
    Action(
        "mark", ("space",), "space", "mark", "Mark the focused channel: t, H and D then act on all that are marked.",
        17, ("wall", "list"), "channel", command="mark",
    ),
    Action("next_match", ("n",), "n", "next", "Focus the next channel that the filter shows.", 0, ("wall", "list")),
    Action("previous_match", ("N",), "N", "previous", "Focus the one before.", 0, ("wall", "list")),
    Action(
        "find", ("slash",), "/", "find", "Go to the next row with this in it; of a rundown: in its title.",
        0, WITH_ROWS, command="find", argument="TEXT",
    ),
    Action("find_next", ("n",), "n", "find next", "To the next row with what was sought last.", 0, WITH_ROWS),
    Action("find_previous", ("N",), "N", "find previous", "To the one before.", 0, WITH_ROWS),
    Action(
        "create", ("c", "plus"), "c", "new channel", "Make a channel that plays a folder, and start it.",
        16, ("wall", "list"), command="new",
    ),
    Action(
        "sort", ("O",), "O", "order", "Order the channels by number, name, node, or what needs somebody first.",
        18, ("wall", "list"), command="sort", argument="[number|name|node|trouble]",
    ),
    Action(
        "theme", (), "", "theme", "Another theme; alone: the next one.",
        0, command="theme", argument="[auto|dark|light|cvd|sixteen|plain]",
    ),
    Action("command", ("colon",), ":", "command", "Type a command.", 17),
    Action("palette", ("ctrl+p",), "^p", "palette", "Find a command by its words.", 0),
    Action(
        "incident", ("ctrl+r",), "^r", "incident",
        "Write state, events, as-run, logs and a picture of this screen into one file to send.",
        0, command="incident",
    ),
    Action("help", ("question_mark", "f1"), "?", "help", "This page.", 7, command="help"),
    Action(
        "quit", ("ctrl+q",), "^q", "quit", "Leave the console. Nothing goes off air.", 19, command="quit",
    ),
    Action("up", ("k", "up"), "k ↑", "up", "One up. These never touch air, and so are the five below.", 0),
    Action("down", ("j", "down"), "j ↓", "down", "One down.", 0),
    Action("left", ("h", "left"), "h ←", "left", "One to the left.", 0, ("wall",)),
    Action("right", ("right",), "→", "right", "One to the right.", 0, ("wall",)),
    Action("page_up", ("pageup",), "PgUp", "page up", "A page up.", 0),
    Action("page_down", ("pagedown",), "PgDn", "page down", "A page down.", 0),
    Action("first", ("g", "home"), "g", "first", "To the first.", 0),
    Action("last", ("G", "end"), "G", "last", "To the last.", 0),
)  # fmt: skip

BY_ID: Final = {action.id: action for action in ACTIONS}
BY_COMMAND: Final = {action.command: action for action in ACTIONS if action.command}


def actions_at(place: Place) -> Iterator[Action]:
    """What can be done on that screen, in the table's order."""
    return (action for action in ACTIONS if place in action.places)


def bindings(place: Place) -> list[Binding]:
    """The keys of a screen, digits among them. None has priority: a field that is typed into keeps its keys."""
    made = [
        Binding(
            ",".join(action.keys),
            f"app.act('{action.id}')",
            action.word,
            show=False,
            id=f"{place}.{action.id}",
            tooltip=action.help,
        )
        for action in actions_at(place)
        if action.keys
    ]
    made.extend(Binding(str(digit), f"app.digit({digit})", show=False) for digit in range(10))
    return made
