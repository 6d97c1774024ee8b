"""Keys of one's own: by the ids of the table, and checked against it so that no key means two things. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from mcr_console.key_sheet import key_names
from mcr_console.keys import ACTIONS, BY_ID, Action

DIGITS: Final = frozenset(str(digit) for digit in range(10))
LIST_KEYS: Final = frozenset({
    "up", "down", "left", "right", "pageup", "pagedown", "home", "end", "space", "enter", "escape", "tab", "j", "k",
    "g", "G", "h", "n", "N", "slash", "colon",
})  # fmt: skip
"""Keys that an operator presses without looking: none of them may touch air."""
_WRITTEN: Final = {
    "?": "question_mark", "/": "slash", "[": "left_square_bracket", "]": "right_square_bracket", ":": "colon",
    "+": "plus", "-": "minus", "*": "asterisk", ".": "full_stop", "esc": "escape", "del": "delete",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Keymap:
    """``keys`` replaces the keys of those actions, in Textual's names."""

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    def of(self, action: Action) -> tuple[str, ...]:
        """The keys that do it."""
        return self.keys.get(action.id, action.keys)

    def label(self, action: Action) -> str:
        """The key as the footer names it."""
        given = self.keys.get(action.id)
        return action.key_label if given is None else key_names(given)[0]

    def bindings(self) -> dict[str, str]:
        """By the ids of bindings, as Textual's keymap is."""
        return {
            f"{place}.{action_id}": ",".join(keys)
            for action_id, keys in self.keys.items()
            for place in BY_ID[action_id].places
        }


def keymap_of(wanted: Mapping[str, str]) -> tuple[Keymap, tuple[str, ...]]:
    """Those that can be, and a sentence for each that cannot; its action keeps the keys of the table."""
    refused: list[str] = []
    kept: dict[str, tuple[str, ...]] = {}
    for action_id, text in wanted.items():
        why = _why_not(action_id, text)
        if why:
            refused.append(f"keys.{action_id}: {why}")
        else:
            kept[action_id] = _keys(text)
    while clash := _clash(kept):
        action_id, words = clash
        refused.append(f"keys.{action_id}: {words}")
        del kept[action_id]
    return Keymap(kept), tuple(refused)


def _keys(text: str) -> tuple[str, ...]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return tuple(dict.fromkeys(_WRITTEN.get(part, part) for part in parts))


def _why_not(action_id: str, text: str) -> str:
    action = BY_ID.get(action_id)
    if action is None:
        return "no action has this id; docs/keys.md lists them"
    if not action.keys:
        return "this is done by no key"
    keys = _keys(text)
    if not keys:
        return "it names no key"
    for key in keys:
        if key in DIGITS:
            return f"{key} goes to a channel"
        if action.air and key in LIST_KEYS:
            return f"{key} moves about, and such keys never touch air"
    return ""


def _clash(kept: Mapping[str, tuple[str, ...]]) -> tuple[str, str] | None:
    """The first action of one's own whose key does something else on one of its screens, and what."""
    for action_id, keys in kept.items():
        places = set(BY_ID[action_id].places)
        for other in ACTIONS:
            if other.id == action_id or not places & set(other.places):
                continue
            shared = set(keys) & set(kept.get(other.id, other.keys))
            if shared:
                return action_id, f"{key_names((min(shared),))[0]} is the key of {other.id}"
    return None
