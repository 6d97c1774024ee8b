"""Take, hold and drop on the marked channels: every target is fixed at the press, and every answer is told."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Final, Literal, Protocol, TypeAlias

from mcr_console.air import Order, drop_order, order
from mcr_console.drawing.footer import target
from mcr_console.keys import BY_ID, Action
from mcr_console.screens.arming import ArmScreen, Outcome, Question
from mcr_console.screens.marked import ResultScreen
from mcr_console.session import Session
from mcr_console.wall_state import ChannelState

Many: TypeAlias = Literal["take", "hold", "drop_next"]
PLACES: Final = frozenset({"wall", "list"})
ARMED_S: Final = 15.0
"""There is more to read than of one."""


class Host(Protocol):
    """The app, as far as marked channels need it."""

    def start_work(self, name: str, work: Callable[[], Coroutine[None, None, None]]) -> None: ...
    def place(self) -> str: ...
    def blind(self, action: Action) -> str: ...
    def ask_of(self, screen: ArmScreen, then: Callable[[Outcome], None]) -> None: ...
    def tell_marked(self, screen: ResultScreen) -> None: ...


class Marking:
    """``alone`` does an action to the focused channel, where none is marked."""

    def __init__(self, session: Session, host: Host, alone: Callable[[str], None]) -> None:
        self._session = session
        self._host = host
        self._alone = alone

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        """By the ids of the table."""
        return {
            "mark": self._mark,
            "take": partial(self._press, "take"),
            "hold": partial(self._press, "hold"),
            "drop_next": partial(self._press, "drop_next"),
        }

    def _mark(self) -> None:
        """Marks the focused channel, or takes the mark away, and goes to the next."""
        focus = self._session.focus
        if focus is None:
            self._session.message = self._session.no_focus
            return
        self._session.mark(focus)
        self._session.move(1)

    def _press(self, action_id: Many) -> None:
        session = self._session
        states = session.marked_states()
        if not states or self._host.place() not in PLACES:
            focused = session.focused
            in_others_hands = focused is not None and session.hands.whose(focused) == "other"
            if action_id == "drop_next" and not in_others_hands and not self._host.blind(BY_ID[action_id]):
                session.message = "space marks channels, D drops what is next on them; on a channel D drops the row"
            else:
                self._alone(action_id)
            return
        why = self._host.blind(BY_ID[action_id])
        if why:
            session.message = f"{BY_ID[action_id].word}: nothing sent, {why}"
            return
        others = [state for state in states if session.hands.whose(state) == "other"]
        orders, left_out = _orders(action_id, [state for state in states if state not in others])
        left_out += [f"left out: {target(state)} is in another's hands, C takes it over" for state in others]
        busy = [one for one in orders if session.desk.pending(one.channel_id)]
        if not orders:
            session.message = "; ".join(left_out)
            return
        if busy:
            session.message = "an answer is due on a marked channel; nothing sent"
            return
        word = "DROP NEXT" if action_id == "drop_next" else orders[0].word
        named = {state.channel.id: target(state) for state in states}
        lines = (*(f"{named[one.channel_id]}: {one.words}" for one in orders), *left_out)
        question = Question(
            f"{word} on {len(orders)} channel{'' if len(orders) == 1 else 's'}?", lines, f"{word} on all {len(orders)}"
        )
        ids = tuple(one.channel_id for one in orders)

        def answered(answer: Outcome) -> None:
            if answer == "do":
                self._host.start_work(word, partial(self._send, word, orders, named))
            elif answer in {"changed", "late"}:
                session.message = f"{'a channel changed' if answer == 'changed' else 'nobody answered'}, nothing sent"

        essence = partial(_essence, session, ids)
        self._host.ask_of(ArmScreen(question, session.clock, essence, seconds=ARMED_S), answered)

    async def _send(self, word: str, orders: Sequence[Order], named: Mapping[str, str]) -> None:
        """All at once: one that waits keeps no other waiting."""
        desk = self._session.desk
        begun = [one for one in orders if desk.begin(one)]
        await asyncio.gather(*(desk.send(one) for one in begun))
        refused: list[str] = [
            f"not sent, an answer was due: {named[one.channel_id]}" for one in orders if one not in begun
        ]
        done: list[str] = []
        for one in begun:
            note = desk.note(one.channel_id)
            words = "" if note is None else f"{note.detail} {note.hint}".strip()
            if note is not None and note.kind == "done":
                done.append(f"done: {named[one.channel_id]}, {words}")
            else:
                refused.append(f"REFUSED: {named[one.channel_id]}, {words}")
        self._session.marked.difference_update(one.channel_id for one in begun)
        title = f"{word}: {len(done)} done, {len(refused)} not"
        self._host.tell_marked(ResultScreen(title, (*refused, *done)))


def _orders(action_id: Many, states: Sequence[ChannelState]) -> tuple[list[Order], list[str]]:
    """One for each channel that it means something to, and a sentence for each other."""
    made: list[Order] = []
    left_out: list[str] = []
    held = [state.live.hold or state.live.picture == "hold" for state in states]
    for state, is_held in zip(states, held, strict=True):
        live, name = state.live, target(state)
        if live.desired == "off":
            left_out.append(f"left out: {name} is off")
        elif action_id == "hold":
            # One verb for all: where some are held and some not, it is hold.
            if all(held):
                made.append(order("play", state))
            elif not is_held:
                made.append(order("hold", state))
            else:
                left_out.append(f"left out: {name} is held")
        elif live.next is None:
            left_out.append(f"left out: {name}, nothing is next")
        elif action_id == "take":
            made.append(order("take", state))
        else:
            made.append(drop_order(state, live.next.item_id, live.next.title, undo=False))
    return made, left_out


def _essence(session: Session, ids: Sequence[str]) -> object:
    """What must not change between the question and the answer."""
    channels = session.wall.channels
    found = [channels.get(id_) for id_ in ids]
    return [
        None
        if one is None
        else (one.live.epoch, one.live.desired, one.live.phase, one.live.next and one.live.next.item_id)
        for one in found
    ]
