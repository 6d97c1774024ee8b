"""The keypad's Enter, told from the other one: it takes, as on a switcher.

Terminals of the Kitty protocol name it by themselves; others send SS3 M for it in application keypad mode (DECKPAM,
VT100), in which the keypad's digits still come as digits. It leans on the tables of Textual 8.2.8's parser: both say
``enter`` there.
"""

import enum
from typing import Any, Final, cast

from textual import _ansi_sequences, _keyboard_protocol

KEYPAD_APPLICATION: Final = "\x1b="
KEYPAD_NUMERIC: Final = "\x1b>"
KEYPAD_ENTER: Final = "kp_enter"


class _Keypad(enum.Enum):
    """Named as Textual's own ``Keys`` are."""

    ENTER = KEYPAD_ENTER


def distinguish_keypad() -> None:
    """From now on the keypad's Enter is the key ``kp_enter``. May be repeated."""
    sequences = cast("dict[str, Any]", _ansi_sequences.ANSI_SEQUENCES_KEYS)
    sequences["\x1bOM"] = (_Keypad.ENTER,)
    _keyboard_protocol.FUNCTIONAL_KEYS["57414u"] = _Keypad.ENTER.value
