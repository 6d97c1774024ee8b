"""For how long the station keeps what is past."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kept:
    """Days; 0 keeps it for ever."""

    history: int = 30
    alarms: int = 400
    audit: int = 400
    asrun: int = 0
    journals: int = 90

    def words(self) -> str:
        """For people."""
        named = (
            ("decisions and events", self.history),
            ("cleared alarms", self.alarms),
            ("the audit log", self.audit),
            ("the as-run log", self.asrun),
            ("journals on the nodes of what is whole in it", self.journals),
        )
        return ", ".join(f"{what} {f'{days} days' if days else 'for ever'}" for what, days in named)
