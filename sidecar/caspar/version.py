"""What a server's VERSION says about how it is to be spoken to. Pure; from the sources of 2.3.3, 2.4.3 and 2.5.0."""

import re
from dataclasses import dataclass
from typing import Final

_FORM: Final = re.compile(r"\s*(?P<major>[0-9]{1,4})\.(?P<minor>[0-9]{1,4})")
_OLDEST: Final = (2, 3)


@dataclass(frozen=True, slots=True)
class Version:
    """``told`` word for word. One that cannot be read is taken for the newest."""

    told: str = ""
    number: tuple[int, int] = (2, 5)

    @classmethod
    def read(cls, told: str) -> "Version":
        match = _FORM.match(told)
        return cls(told) if match is None else cls(told, (int(match["major"]), int(match["minor"])))

    @property
    def fault(self) -> str:
        """Why it cannot be driven; empty where it can."""
        if self.number >= _OLDEST:
            return ""
        return f"the CasparCG server's version {self.told.strip()} is too old: 2.3, 2.4 and 2.5 can be driven"

    @property
    def takes_whole_paths(self) -> bool:
        """Before, only what lies below its media folder is found, and named from there."""
        return self.number >= (2, 4)

    @property
    def subscribes_osc(self) -> bool:
        return self.number >= (2, 4)
