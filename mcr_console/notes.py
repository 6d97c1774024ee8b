"""What became of the last command on a channel: drawn on the channel itself, at once."""

from dataclasses import dataclass
from typing import Final, Literal

ANSWER_S: Final = 0.15
"""So long an operator waits for an answer; then the screen says what it waits for."""
DONE_SHOWN_S: Final = 5.0
REFUSED_SHOWN_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Note:
    """``verb`` alone is for narrow places, ``text`` names the target too.

    ``detail`` is what the engine did, why not, or what is waited for; ``hint`` what to do.
    ``at`` is the monotonic second at which this became so.
    """

    kind: Literal["pending", "done", "refused"]
    verb: str
    text: str
    detail: str
    hint: str
    at: float

    def faded(self, now: float) -> bool:
        """True when it has been read and only takes room."""
        match self.kind:
            case "pending":
                return False
            case "done":
                return now - self.at > DONE_SHOWN_S
            case "refused":
                return now - self.at > REFUSED_SHOWN_S

    def waits(self, now: float) -> bool:
        """True when it is pending for longer than an operator should wait."""
        return self.kind == "pending" and now - self.at >= ANSWER_S
