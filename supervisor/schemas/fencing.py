"""What each output does when nobody can say whether its old sidecar still sends, in an operator's words."""

from supervisor.schemas.channel import OutputKind

LEASE_S = 6
"""Seconds that a lease lasts after the last word of a supervisor."""


def fencing_words(kind: OutputKind, *, lease_stop: bool) -> str:
    """What becomes of the output when its node cannot be reached, and so whether its channel can be moved."""
    match kind:
        case "file":
            return "moves at once: a recording goes on in the file of the machine it plays on"
        case "hls":
            return "moves at once: every start writes into a folder of its own"
        case "rtmp" | "srt":
            return "moves when its lease is over: an open session goes on, but never connects again without a lease"
        case "udp" if lease_stop:
            return f"stops when its lease ends, {LEASE_S} s without a supervisor; then it is moved"
        case "udp":
            return "holds: if its node is unreachable it is not moved"
        case "decklink":
            return "holds: it never stops by itself, and a card is in one machine"
