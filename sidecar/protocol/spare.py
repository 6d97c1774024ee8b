"""What is said between a node agent and the spare sidecar that it keeps warm; see ``sidecar.spare``."""

import msgspec
from msgspec import Struct

DESCRIPTOR = "MCR_SPARE_FD"
"""The variable that names the spare's end of the socket."""
RESERVED = "MCR_RESERVED"
"""A variable as long as what the spare will have to show of its environment once it is a sidecar."""
RESERVED_BYTES = 6144
MOST_BYTES = 1 << 16
READY, NAMED = b"r", b"n"
"""Said by the spare: it can be used; its environment shows whose sidecar it is."""


def reservation() -> str:
    """The variable as it stands in the environment of a spare."""
    return f"{RESERVED}=".ljust(RESERVED_BYTES, "x")


class Becoming(Struct, frozen=True, forbid_unknown_fields=True):
    """``environment`` is what a sidecar that was started plainly would have beside the agent's own, ``log`` takes what
    it prints."""

    environment: dict[str, str]
    directory: str
    log: str

    def encode(self) -> bytes:
        return msgspec.json.encode(self) + b"\n"

    @staticmethod
    def decode(line: bytes) -> "Becoming":
        """Raises msgspec.MsgspecError."""
        return msgspec.json.decode(line, type=Becoming)

    def fits(self) -> bool:
        """Whether the spare can show it."""
        return sum(len(name) + len(value.encode()) + 2 for name, value in self.environment.items()) < RESERVED_BYTES
