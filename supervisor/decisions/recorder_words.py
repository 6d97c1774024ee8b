"""What is decided about a channel, said of a recorder. Pure: nearly all decisions are the same, the words are not."""

from dataclasses import replace
from typing import Final

from supervisor.decisions.alarms import Wanted
from supervisor.decisions.view import Decision, End

_WORDS: Final = (
    ("wanted on air", "wanted recording"),
    ("wanted off air", "wanted off"),
    ("though it is wanted on air", "though it is to record"),
    ("should be on air and is not", "should record and does not"),
    ("may still be on air", "may still be recording"),
    ("may be off air", "may not be recording"),
    ("no programme output moves", "nothing is recorded"),
    ("file output: ", ""),
    ("leaves the air", "ends the recording"),
    ("entered the air", "recorded"),
    ("off air, confirmed", "off, confirmed"),
    ("off air: ", "off: "),
    ("left on air", "left recording"),
    ("on air", "recording"),
    ("as-run", "as-recorded"),
    ("new list", "new jobs"),
)
"""In this order."""


def said_of_recorder(text: str) -> str:
    for of_channel, of_recorder in _WORDS:
        text = text.replace(of_channel, of_recorder)
    return text


def decision_of_recorder(decision: Decision) -> Decision:
    """What is left of it on another node is asked first: nobody's air waits for its end, and its file is ended well."""
    actions = tuple(replace(it, patient=True) if isinstance(it, End) and it.node_id else it for it in decision.actions)
    kept = None if decision.kept is None else said_of_recorder(decision.kept)
    return replace(decision, actions=actions, sentence=said_of_recorder(decision.sentence), kept=kept)


def alarms_of_recorder(wanted: dict[str, Wanted]) -> dict[str, Wanted]:
    return {code: Wanted(alarm.severity, said_of_recorder(alarm.text)) for code, alarm in wanted.items()}
