"""What a channel's outputs ask of supervision: how sure one must be of an old sidecar, and which ports they use."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from db.models import Output
from db.repositories.ports import PortWanted
from supervisor.agent.interface import Device
from supervisor.decisions.fencing import Fencing, fencing_of_output, strictest

_CARD: Final = re.compile(r"decklink://([0-9]{1,3})(?:\?key=([0-9]{1,3}))?")


@dataclass(frozen=True, slots=True)
class OutputNeeds:
    """``ports`` are DeckLink ports as people type them, from 1: those that are keyed too. ``ids`` names the outputs."""

    fencing: Fencing = "resource"
    ports: tuple[int, ...] = ()
    ids: frozenset[str] = frozenset()


def needs_of(outputs: Iterable[Output]) -> OutputNeeds:
    """Of a channel's outputs as they are stored."""
    rows = tuple(outputs)
    ports = [port for row in rows if row.kind == "decklink" for port in card_ports(row.url)]
    return OutputNeeds(
        strictest(fencing_of_output(row.kind, lease_stop=row.lease_stop) for row in rows),
        tuple(dict.fromkeys(ports)),
        frozenset(row.id for row in rows),
    )


def card_ports(url: str) -> tuple[int, ...]:
    """The ports that ``decklink://index[?key=index]`` uses: fill, and key where it is another. Raises ValueError."""
    match = _CARD.fullmatch(url)
    if match is None:
        raise ValueError(f"{url!r} does not name a DeckLink card: decklink://1 or decklink://1?key=2")
    return tuple(int(index) for index in match.groups() if index is not None)


def ports_on(node_id: str, ports: Sequence[int], devices: Sequence[Device]) -> tuple[PortWanted, ...]:
    """The claims for these ports of the node: by the card's persistent id where it has one, else by its index."""
    known = {device.index: device.persistent_id for device in devices}
    return tuple(PortWanted(node_id, known.get(port) or f"index:{port}", port) for port in ports)
