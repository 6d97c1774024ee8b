"""One thing that was looked at."""

from dataclasses import asdict, dataclass
from typing import Literal

from mcr_console.safe_text import safe

Verdict = Literal["ok", "note", "warning", "missing"]
"""``note``: only some need it; ``warning``: it may fail some night; ``missing``: nothing plays without it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """``seen`` is what is so; ``advice``, where there is any, what to do about it."""

    verdict: Verdict
    what: str
    seen: str
    advice: str = ""

    def lines(self) -> list[str]:
        first = f"{self.verdict:<8}{self.what}: {safe(self.seen)}"
        return [first, f"        {safe(self.advice)}"] if self.advice else [first]

    def as_json(self) -> dict[str, str]:
        return asdict(self)
