"""Who has control of which channel: in the leader's memory, by leases that the holders' consoles renew."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from supervisor.clock import Clock
from supervisor.errors import Conflict, Invalid
from supervisor.principal import Principal
from supervisor.schemas.control import LEASE_S, SESSION_HEADER, Control, seat_of

RESUME_S: Final = 2 * LEASE_S
"""A leader that has just begun believes for so long who says that it has control: its predecessor knew."""
_SWEEP_S: Final = 1.0


@dataclass(slots=True)
class _Held:
    operator: str
    session: str
    station: str
    since: datetime
    until: float


class Controls:
    """``term`` is the leader's: with another one nothing of before counts. ``changed`` is told of every channel whose
    holder is another. Belongs to one event loop; only ``run`` waits.

    It is for people who sit at several desks, not against thieves: who may operate may also take control over.
    """

    def __init__(self, clock: Clock, term: Callable[[], int], changed: Callable[[str], None]) -> None:
        self._clock = clock
        self._term_now = term
        self._changed = changed
        self._held: dict[str, _Held] = {}
        self._term: int | None = None
        self._began = 0.0

    def of(self, channel_id: str) -> Control | None:
        """Who has it now, as everybody may see it."""
        held = self._held.get(channel_id)
        return None if held is None or held.until <= self._clock.monotonic() else _shown(held)

    def all(self) -> dict[str, Control]:
        """By channel id."""
        shown = ((channel_id, self.of(channel_id)) for channel_id in self._held)
        return {channel_id: control for channel_id, control in shown if control is not None}

    def require(self, channel_id: str, name: str, by: Principal) -> None:
        """Whether ``by`` may command this channel's air; raises Conflict naming who has control.

        Where nobody has, a session's command takes control for it; what has no session is done and takes none. A
        holder's own commands by another way, without a session, are the holder's.
        """
        self._new_term()
        held = self._living(channel_id)
        if held is None:
            if by.session:
                self._give(channel_id, by)
            return
        if _is_of(held, by):
            held.until = self._clock.monotonic() + LEASE_S
            return
        if by.session or by.name != held.operator:
            raise _controlled(name, held)

    def take(self, channel_id: str, name: str, by: Principal, *, over: bool) -> Control:
        """Gives control to the session of ``by``. Raises Conflict where another has it and this is not ``over``."""
        if not by.session:
            raise Invalid(
                "control belongs to a session, and this call names none",
                hint=f"Send {SESSION_HEADER} with 32 hexadecimal digits of your own, and the same with each command.",
            )
        self._new_term()
        held = self._living(channel_id)
        if held is not None and not _is_of(held, by) and not over:
            raise _controlled(name, held)
        if held is not None and _is_of(held, by):
            held.until = self._clock.monotonic() + LEASE_S
            return _shown(held)
        return self._give(channel_id, by)

    def release(self, channel_id: str, name: str, by: Principal) -> None:
        """Nobody has it then. Raises Conflict where another has it; repeating it changes nothing."""
        self._new_term()
        held = self._living(channel_id)
        if held is None:
            return
        if not _is_of(held, by):
            raise _controlled(name, held)
        del self._held[channel_id]
        self._changed(channel_id)

    def renew(self, channel_ids: Iterable[str], by: Principal) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Prolongs what the session still has; the answer is that, and what it has not any more.

        A leader that has just begun gives what is free to who says that it had it.
        """
        self._new_term()
        now = self._clock.monotonic()
        held_now, lost = list[str](), list[str]()
        for channel_id in channel_ids:
            held = self._living(channel_id)
            if held is not None and _is_of(held, by):
                held.until = now + LEASE_S
                held_now.append(channel_id)
            elif held is None and by.session and now - self._began < RESUME_S:
                self._give(channel_id, by)
                held_now.append(channel_id)
            else:
                lost.append(channel_id)
        return tuple(held_now), tuple(lost)

    def sweep(self) -> None:
        """Tells of what has lapsed."""
        self._new_term()
        now = self._clock.monotonic()
        for channel_id in [id_ for id_, held in self._held.items() if held.until <= now]:
            del self._held[channel_id]
            self._changed(channel_id)

    async def run(self) -> None:
        """Sweeps once a second until cancelled."""
        while True:
            self.sweep()
            await self._clock.sleep(_SWEEP_S)

    def _living(self, channel_id: str) -> _Held | None:
        held = self._held.get(channel_id)
        return None if held is None or held.until <= self._clock.monotonic() else held

    def _give(self, channel_id: str, by: Principal) -> Control:
        now = self._clock
        held = _Held(by.name, by.session, by.station, now.now(), now.monotonic() + LEASE_S)
        self._held[channel_id] = held
        self._changed(channel_id)
        return _shown(held)

    def _new_term(self) -> None:
        term = self._term_now()
        if term == self._term:
            return
        self._term, self._began = term, self._clock.monotonic()
        before, self._held = self._held, {}
        for channel_id in before:
            self._changed(channel_id)


def _is_of(held: _Held, by: Principal) -> bool:
    return bool(by.session) and (held.session, held.operator) == (by.session, by.name)


def _shown(held: _Held) -> Control:
    return Control(operator=held.operator, seat=seat_of(held.session), station=held.station, since=held.since)


def _controlled(name: str, held: _Held) -> Conflict:
    where = f" at {held.station}" if held.station else ""
    return Conflict(
        f"{held.operator}{where} has control of {name} since {held.since:%H:%M:%S} UTC",
        conflict="controlled",
        hint="To take it over: C at the console, --take-over in a shell, POST …/control with over. It is granted.",
        operator=held.operator,
        station=held.station,
        since=held.since.isoformat(),
    )
