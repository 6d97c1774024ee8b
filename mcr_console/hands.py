"""Whose hands a channel is in: this console's, another's or nobody's; renewed while it is ours, and told when lost."""

import os
import re
import socket
from collections.abc import Sequence
from typing import Final, Literal, Protocol, TypeAlias

from mcr_console.clock import Clock
from mcr_console.http import ClientError
from mcr_console.wall_state import ChannelState, WallState
from supervisor.schemas.control import RENEW_S, Control, ControlRenewed, ControlSeen

Whose: TypeAlias = Literal["free", "mine", "other"]
RETRY_S: Final = 1.0


class ControlFeed(Protocol):
    """Raises ``ClientError``. ``seat`` is what the supervisor shows of this console's session."""

    @property
    def seat(self) -> str: ...
    async def take_control(self, channel_id: str, *, over: bool) -> Control: ...
    async def release_control(self, channel_id: str) -> ControlSeen: ...
    async def renew_controls(self, channel_ids: Sequence[str]) -> ControlRenewed: ...


class Hands:
    """Belongs to the app's loop. ``watch`` at every tick, ``renew`` when it is ``due``."""

    def __init__(self, feed: ControlFeed, clock: Clock) -> None:
        self._feed = feed
        self._clock = clock
        self._mine: set[str] = set()
        self._giving: set[str] = set()
        """Given back, and shown as ours until the supervisor's word of it is here."""
        self._seen: WallState | None = None
        self._renew_at = 0.0
        self._renewing = False

    def whose(self, state: ChannelState) -> Whose:
        """In whose hands the channel is, as far as the supervisor told."""
        control = state.live.control
        if control is None:
            return "free"
        return "mine" if control.seat == self._feed.seat else "other"

    def watch(self, wall: WallState) -> list[tuple[str, str]]:
        """Channels that another took from this console since the last call, and what to say of each."""
        if wall is self._seen:
            return []
        self._seen = wall
        taken: list[tuple[str, str]] = []
        for channel_id, state in wall.channels.items():
            control = state.live.control
            ours = control is not None and control.seat == self._feed.seat
            if not ours:
                self._giving.discard(channel_id)
            if ours:
                if channel_id not in self._mine and channel_id not in self._giving:
                    self._mine.add(channel_id)
                    self._renew_at = self._clock.monotonic() + RENEW_S
            elif channel_id in self._mine and control is not None:
                self._mine.discard(channel_id)
                taken.append((channel_id, f"{holder(control)} has control now"))
            elif channel_id in self._mine:
                # It lapsed, or another supervisor leads, which believes who had it.
                self._renew_at = min(self._renew_at, self._clock.monotonic())
        self._mine &= wall.channels.keys()
        self._giving &= wall.channels.keys()
        return taken

    @property
    def due(self) -> bool:
        """Whether it is time to renew."""
        return bool(self._mine) and not self._renewing and self._clock.monotonic() >= self._renew_at

    def begin(self) -> tuple[str, ...]:
        """Marks a renewal as under way; the answer is what ``renew`` is to be given."""
        self._renewing = True
        return tuple(sorted(self._mine))

    async def renew(self, channel_ids: Sequence[str]) -> list[str]:
        """Says that this console is still there. Channels that lapsed meanwhile; a lost supervisor is asked again."""
        try:
            renewed = await self._feed.renew_controls(channel_ids)
        except ClientError:
            self._renew_at = self._clock.monotonic() + RETRY_S
            return []
        finally:
            self._renewing = False
        self._renew_at = self._clock.monotonic() + RENEW_S
        wall = self._seen
        lapsed = [id_ for id_ in renewed.lost if id_ in self._mine]
        self._mine.difference_update(lapsed)
        # Of what another took, ``watch`` tells more.
        return [id_ for id_ in lapsed if wall is None or _is_free(wall, id_)]

    async def give_back(self, channel_id: str) -> None:
        """Raises ClientError."""
        self._mine.discard(channel_id)
        self._giving.add(channel_id)
        try:
            await self._feed.release_control(channel_id)
        except ClientError:
            self._giving.discard(channel_id)
            raise

    async def take(self, channel_id: str, *, over: bool) -> None:
        """Raises ClientError."""
        self._giving.discard(channel_id)
        await self._feed.take_control(channel_id, over=over)

    async def leave(self) -> None:
        """The console ends: nobody is to wait for a lease. Best effort."""
        for channel_id in sorted(self._mine):
            try:
                await self._feed.release_control(channel_id)
            except ClientError:
                return
        self._mine.clear()


def holder(control: Control) -> str:
    """``ann at desk 2``."""
    return f"{control.operator} at {control.station}" if control.station else control.operator


def station() -> str:
    """This terminal's name for people: machine and terminal, in printable ASCII."""
    try:
        terminal = os.ttyname(0).removeprefix("/dev/")
    except OSError:
        terminal = "no terminal"
    return re.sub(r"[^ -~]", "?", f"{socket.gethostname()} {terminal}")[:60]


def _is_free(wall: WallState, channel_id: str) -> bool:
    state = wall.channels.get(channel_id)
    return state is not None and state.live.control is None
