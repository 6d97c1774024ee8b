"""SDI from a DeckLink card: the output that never stops by itself and is never moved, as only this node has the cable.

The ``ffmpeg`` engine drives no card. A driver comes with the engine that does; tests have a stand-in.
"""

from typing import Protocol

from sidecar.outputs.decklink_address import DeckLinkAddress
from sidecar.outputs.packet import Batch
from sidecar.outputs.templates import StreamTemplates
from sidecar.protocol.channel import OutputKind
from sidecar.protocol.fencing import Fencing


class PortMissing(OSError):
    """There is no such port; that does not change by waiting."""

    def __init__(self, index: int) -> None:
        super().__init__(f"this node has no DeckLink port {index}: see which it has, and correct the output")


class PortBusy(OSError):
    """Somebody else has it, or the card has not let go of it yet."""

    def __init__(self, index: int) -> None:
        super().__init__(f"DeckLink port {index} is in use by another process: stop that, or take another port")


class DeckLinkPort(Protocol):
    """One port that this process holds. It is released by ``close``, or by the end of the process."""

    def write(self, batch: Batch) -> int:
        """Bytes taken. Raises OSError when the card does not send any more."""
        ...

    def close(self) -> None: ...


class DeckLinkDriver(Protocol):
    def open(self, index: int) -> DeckLinkPort:
        """Raises PortMissing, PortBusy, or another OSError. ``index`` counts from 1."""
        ...


class DeckLinkSink:
    """A ``Sink`` for a port, and the port of its key. ``driver`` None: this engine drives no card."""

    kind: OutputKind = "decklink"
    fencing: Fencing = "cable"

    def __init__(self, address: DeckLinkAddress, driver: DeckLinkDriver | None) -> None:
        self._address = address
        self._driver = driver
        self._ports: list[DeckLinkPort] = []
        self.bytes_sent = 0
        self.segments = 0

    def open(self, templates: StreamTemplates) -> None:
        self.abandon()
        if self._driver is None:
            raise OSError("this engine drives no DeckLink card")
        for index in self._address.ports:  # what is open when a later one fails, the worker abandons
            self._ports.append(self._driver.open(index))

    def write(self, batch: Batch, *, after_gap: bool) -> None:
        if not self._ports:
            raise OSError("the output is not open")
        for port in self._ports:
            self.bytes_sent += port.write(batch)

    def abandon(self) -> None:
        ports, self._ports = self._ports, []
        for port in ports:
            port.close()

    def close(self, *, final: bool = True) -> None:
        self.abandon()
