"""A bug in the console is written to a file and shown on the screen; it does not end the console.

It leans on Textual's insides, as ``changed_cells`` does: ``_dispatch_message`` and ``_handle_exception`` of 8.2.8.
There, a handler that raises ends its widget's message loop and then the program.
"""

import logging
from collections.abc import Callable
from typing import Final, Protocol, cast

from textual.message import Message
from textual.message_pump import MessagePump

log = logging.getLogger("mcr_console")

TOO_MANY: Final = 50
"""Faults after which going on would only fill the log: the console then ends, and says so."""


class FaultSink(Protocol):
    """Whoever is told of a fault; ``report_fault`` must not raise."""

    def report_fault(self, where: str, error: Exception) -> None: ...


def sink_of(pump: MessagePump) -> FaultSink:
    """The app, which collects faults."""
    app: object = pump.app  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - App is generic
    return cast("FaultSink", app)


class Guarded(MessagePump):
    """Mixed in before a Textual class: a handler that raises is reported, and the widget lives on."""

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            sink_of(self).report_fault(f"{type(self).__name__} on {type(message).__name__}", error)


def guarded(sink: FaultSink, where: str, work: Callable[[], None]) -> None:
    """Calls ``work``; what it raises is reported."""
    try:
        work()
    except Exception as error:
        sink.report_fault(where, error)
