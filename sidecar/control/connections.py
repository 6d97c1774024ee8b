"""What a connection may cost before it has shown the token: a little time, and a place that the next one takes."""

import asyncio
from typing import Final, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

STRANGERS: Final = 32
"""Connections that have not shown the token. One more cuts off the oldest of them: the agent's own always comes in."""
HEAD_S: Final = 5.0
"""Seconds in which a request's head must be here, the first from the connection's beginning, and what is left of the
body of one that was answered already."""


class DoorProtocol(H11Protocol):
    """uvicorn's protocol, whose own limit refuses everybody once there are enough idle connections."""

    has_shown_token: bool = False
    began: float = 0.0
    """By the loop's clock."""
    _head_due: asyncio.TimerHandle | None = None
    _rest_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] - as in the base class
        """Puts itself into the state of its requests, as ``door``."""
        super().connection_made(transport)
        self.began = self.loop.time()
        self.app_state = {**self.app_state, "door": self}
        others = (one for one in cast("set[object]", self.connections) if one is not self)
        strangers = [one for one in others if isinstance(one, DoorProtocol) and not one.has_shown_token]
        if len(strangers) >= STRANGERS:
            min(strangers, key=lambda one: one.began).transport.abort()
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Begins a head's time with its first byte, and ends it with its last."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._head_due = _ended(self._head_due)
        elif self._head_due is None:
            self._await_head()
        if self.conn.their_state is not h11.SEND_BODY:
            self._rest_due = _ended(self._rest_due)

    def on_response_complete(self) -> None:
        """Of a request that was answered before its body was here the rest is read and dropped, but not for ever."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY and self._rest_due is None:
            self._rest_due = self.loop.call_later(HEAD_S, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end."""
        self._head_due, self._rest_due = _ended(self._head_due), _ended(self._rest_due)
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._head_due = self.loop.call_later(HEAD_S, self.transport.abort)


def _ended(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
