"""Moving one channel by hand: where it would go is asked first, then the operator; the supervisor knows the rest."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Final, Protocol

from mcr_console.actions import others_have_it
from mcr_console.air import Order, failover_order
from mcr_console.client import ClientError
from mcr_console.drawing.footer import target
from mcr_console.keys import BY_ID, Action
from mcr_console.safe_text import safe
from mcr_console.screens.arming import Outcome, Question
from mcr_console.session import Session
from mcr_console.wall_state import ChannelState
from supervisor.schemas.explanation import Candidate, Placement

WORD: Final = "FAILOVER"


class Host(Protocol):
    """The app, as far as this key needs it."""

    def start_work(self, name: str, work: Callable[[], Coroutine[None, None, None]]) -> None: ...
    def ask(self, question: Question, state: ChannelState, then: Callable[[Outcome], None]) -> None: ...
    def aimed(self) -> ChannelState | None: ...
    def blind(self, action: Action) -> str: ...
    @property
    def is_asking(self) -> bool: ...


class Failover:
    """The channel is fixed at the press, the node when the question is asked."""

    def __init__(self, session: Session, host: Host) -> None:
        self._session = session
        self._host = host

    def press(self, node: str = "") -> None:
        """The key, the palette, or ``:failover NODE``; without a node the best one is named."""
        session, state = self._session, self._host.aimed()
        if self._blind():
            return
        if state is None:
            session.message = session.no_focus
            return
        if session.hands.whose(state) == "other":
            session.desk.refuse(state.channel.id, WORD, others_have_it(state))
            return
        repeats = session.desk.repeats("failover", state.channel.id)
        if not repeats and not session.desk.pending(state.channel.id):
            session.message = asks = f"asks where {target(state)} could go"
            self._host.start_work("failover", partial(self._look, state, node, asks))

    async def _look(self, state: ChannelState, node: str, asks: str) -> None:
        session, channel_id = self._session, state.channel.id
        try:
            placement = await session.feed.placement(channel_id)
        except ClientError as error:
            session.desk.refuse(channel_id, WORD, f"{error.title}. {error.detail}. Nothing sent")
            return
        finally:
            if session.message == asks:
                session.message = ""
        found = destination(placement, node)
        now = session.wall.channels.get(channel_id)
        if isinstance(found, str):
            session.desk.refuse(channel_id, WORD, f"{found}. Nothing sent")
        elif now is None or now.live.epoch != state.live.epoch:
            session.desk.refuse(channel_id, WORD, "the channel changed, nothing sent")
        elif self._host.is_asking:
            # Over what is being answered or typed it would take the keys that are meant for that.
            session.desk.refuse(channel_id, WORD, "another question was open: press again. Nothing sent")
        elif not self._blind():
            self._ask(state, found, failover_order(state, found.node_id, found.node_name), placement)

    def _ask(self, state: ChannelState, to: Candidate, wanted: Order, placement: Placement) -> None:
        session = self._session

        def answered(answer: Outcome) -> None:
            if answer == "do" and not self._blind():
                if session.desk.begin(wanted):
                    self._host.start_work(wanted.words, partial(session.desk.send, wanted))
            elif answer in {"changed", "late"}:
                why = "channel changed" if answer == "changed" else "nobody answered"
                session.desk.refuse(state.channel.id, WORD, f"{why}, nothing sent")

        self._host.ask(question(state, to, placement), state, answered)

    def _blind(self) -> bool:
        why = self._host.blind(BY_ID["failover"])
        if why:
            self._session.message = f"failover: nothing sent, {why}"
        return bool(why)


def destination(placement: Placement, node: str) -> Candidate | str:
    """The node that is named, empty: the best; or why there is none."""
    if placement.target_id is None and placement.why_not:
        return f"{placement.why_not}. {placement.hint}".removesuffix(". ").removesuffix(".")
    others = [it for it in placement.candidates if not it.here]
    if not node:
        best = next((it for it in others if it.node_id == placement.target_id), None)
        return best or "the supervisor names no node that it could go to"
    found = next((it for it in others if safe(it.node_name).casefold() == node.casefold()), None)
    if found is None:
        there = ", ".join(safe(it.node_name) for it in others[:6])
        return f"no other node is named {node}" + (f"; there are {there}" if there else "")
    return found.why_not or found


def question(state: ChannelState, to: Candidate, placement: Placement) -> Question:
    """Names the channel, where it is, and where it goes."""
    live, who = state.live, target(state)
    here = live.node_name or "its node"
    now = "nothing" if live.item is None else live.item.title
    others = [it.node_name for it in placement.candidates if not (it.here or it.why_not or it.node_id == to.node_id)]
    lines = [
        f"On air now: {now}",
        f"It gets ready on {to.node_name} first, then {here} ends it: viewers see a break. It stays there.",
    ]
    if others:
        lines.append(f"It could go to {', '.join(others[:4])} too: :failover NODE")
    return Question(f"Move {who} off {here} to {to.node_name}?", tuple(lines), f"Move {who} to {to.node_name}")
