"""Who stands behind a call."""

from dataclasses import dataclass
from typing import Final, Literal

Role = Literal["admin", "operator", "viewer", "system"]


@dataclass(frozen=True, slots=True)
class Principal:
    """``name`` goes into the audit log and the as-run log.

    ``origin`` is the door: ``unix``, ``tcp 127.0.0.1`` or ``supervisor``. ``projects`` are the ids of those whose
    things it may see; an admin sees all, also what belongs to no project. ``session`` is the sitting at a console that
    the call came from, ``station`` where that is; both may be empty.
    """

    name: str
    origin: str
    role: Role
    projects: frozenset[str] = frozenset()
    session: str = ""
    station: str = ""


SYSTEM: Final = Principal(name="system", origin="supervisor", role="system")
"""The supervisor acting by itself: a restart, an adoption, a resume after a power cut."""
