"""``decklink://<index>[?key=<index>]`` as a value: ports of this node, counted from 1 as CasparCG does."""

import re
from dataclasses import dataclass

_FORM = re.compile(r"decklink://([1-9][0-9]?)(?:\?key=([1-9][0-9]?))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class DeckLinkAddress:
    """``key`` is the port that carries the key of an external keyer."""

    index: int
    key: int | None = None

    @property
    def ports(self) -> tuple[int, ...]:
        """Every physical port that the output takes."""
        return (self.index,) if self.key is None else (self.index, self.key)


def parse_decklink_url(url: str) -> DeckLinkAddress:
    """Raises ValueError with what is wrong."""
    match = _FORM.fullmatch(url)
    if match is None:
        raise ValueError(f"not a DeckLink port: {url[:100]!r}; write decklink://1 or decklink://1?key=2")
    address = DeckLinkAddress(int(match[1]), int(match[2]) if match[2] else None)
    if address.key == address.index:
        raise ValueError(f"DeckLink port {address.index} cannot carry both the picture and its key")
    return address
