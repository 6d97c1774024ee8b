"""Consumers: an ADD that answers 202 proves nothing, and a removed last port stays listed."""

import binascii
from dataclasses import dataclass

from tests.doubles.caspar.manners import Manners
from tests.doubles.caspar.tokens import tokens

CARDS = 2
"""DeckLink cards that there are, counted from 1."""


@dataclass
class Port:
    kind: str
    """``ffmpeg`` or ``decklink``."""
    address: str
    since: int
    parameters: tuple[str, ...] = ()
    frozen_at: int | None = None
    removed: bool = False

    def frame(self, now: int) -> int:
        until = now if self.frozen_at is None else min(now, self.frozen_at)
        return max(0, until - self.since)


class Outputs:
    """One channel's, by port number."""

    def __init__(self, manners: Manners) -> None:
        self._manners = manners
        self.ports: dict[int, Port] = {}
        self._dying: dict[int, int] = {}
        self.adds: list[tuple[str, ...]] = []

    def advance(self, now: int) -> None:
        for number, tick in list(self._dying.items()):
            if tick <= now:
                del self._dying[number]
                self.ports.pop(number, None)
        for port in self.ports.values():
            if port.frozen_at is None and any(part in port.address for part in self._manners.outputs_freeze):
                port.frozen_at = now

    def add(self, number: int | None, parameters: list[str], now: int) -> str:
        """The reply's code and words."""
        self.advance(now)
        self.adds.append(tuple(parameters))
        kind = parameters[0].upper()
        if kind == "DECKLINK":
            return self._add_card(number, parameters)
        if kind not in ("STREAM", "FILE") or len(parameters) < 2:
            return "404 ADD FAILED"
        # The arguments may come as one quoted string.
        rest = [token for parameter in parameters[2:] for token in tokens(parameter)]
        address = parameters[1]
        number = number if number is not None else 100_000 + binascii.crc_hqx(address.encode(), 0)
        self._clear_ghosts()
        self.ports[number] = Port("ffmpeg", address, now, tuple(rest))
        if any(part in address for part in self._manners.outputs_die) or not _can_encode(address, rest):
            self._dying[number] = now + 1
        return "202 ADD OK"

    def remove(self, number: int | None, parameters: list[str], now: int) -> str:
        self.advance(now)
        if number is None and not parameters:
            return "402 REMOVE FAILED"
        if number is None:
            wanted = parameters[-1]
            number = next((n for n, port in self.ports.items() if port.address == wanted), -1)
        port = self.ports.get(number)
        if port is None or port.removed:
            return "404 REMOVE FAILED"
        if len([one for one in self.ports.values() if not one.removed]) == 1:
            # The state is not written any more: the last port stays listed as it was.
            port.removed, port.frozen_at = True, now
        else:
            del self.ports[number]
        return "202 REMOVE OK"

    def _add_card(self, number: int | None, parameters: list[str]) -> str:
        if len(parameters) < 2:
            parameters = [*parameters, "1"]
        if not parameters[1].isdigit():
            return "404 ADD FAILED"
        card = int(parameters[1])
        if not 1 <= card <= CARDS:
            return "403 ADD FAILED"
        number = 300 + card if number is None else number
        there = self.ports.pop(number, None)
        if there is not None and self._manners.second_add_fails:
            return "501 ADD FAILED"
        if any(port.kind == "decklink" and port.address == str(card) for port in self.ports.values()):
            return "501 ADD FAILED"
        self._clear_ghosts()
        self.ports[number] = Port("decklink", str(card), 0, tuple(parameters))
        return "202 ADD OK"

    def _clear_ghosts(self) -> None:
        for number, port in list(self.ports.items()):
            if port.removed:
                del self.ports[number]


def _can_encode(address: str, rest: list[str]) -> bool:
    """Whether the consumer opens: old ``-vcodec`` forms are not understood, a stream needs its format."""
    if "-vcodec" in rest or "-acodec" in rest:
        return False
    is_list = address.partition("?")[0].endswith(".m3u8")
    if is_list and not address.startswith("/"):
        return False
    return "-format" in rest or is_list or "://" not in address
