"""Who stands behind a call."""

from dataclasses import dataclass
from typing import Final, Literal

Role = Literal["viewer", "operator", "engineer", "admin", "system"]
Right = Literal["view", "operate", "edit"]


@dataclass(frozen=True, slots=True)
class Principal:
    """``name`` goes into the audit log and the as-run log.

    ``origin`` is the door: ``unix``, ``tcp 127.0.0.1`` or ``supervisor``. ``projects`` are the ids of those whose
    things it may see, ``operates`` and ``edits`` of those where it may change more; an admin may all, also with what
    belongs to no project. ``needs`` is the right that the call under way takes. ``session`` is the sitting at a console
    that the call came from, ``station`` where that is; both may be empty. ``id`` is of its row in the store and
    ``token_id`` of the token that it came with, where there are such; ``unix_user`` is whom the unix socket takes for
    it.
    """

    name: str
    origin: str
    role: Role
    projects: frozenset[str] = frozenset()
    session: str = ""
    station: str = ""
    operates: frozenset[str] = frozenset()
    edits: frozenset[str] = frozenset()
    needs: Right = "view"
    id: str = ""
    token_id: str = ""
    unix_user: str = ""

    def within(self, right: Right) -> frozenset[str]:
        """The projects where it has that right."""
        return {"view": self.projects, "operate": self.operates, "edit": self.edits}[right]


SYSTEM: Final = Principal(name="system", origin="supervisor", role="system")
"""The supervisor acting by itself: a restart, an adoption, a resume after a power cut."""
