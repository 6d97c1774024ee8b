"""Air keys made into orders: which verb, at what target, asked first or not."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Protocol

from mcr_console.air import ADJUST_MS, Order, Verb, adjust_order, drop_order, order
from mcr_console.client import ClientError
from mcr_console.drawing.footer import target
from mcr_console.hands import holder
from mcr_console.keys import BY_ID, Action
from mcr_console.screens.arming import Outcome, Question
from mcr_console.session import Session
from mcr_console.wall_state import ChannelState
from supervisor.schemas.channel import RundownRow


class Host(Protocol):
    """The app, as far as an air key needs it."""

    def start_work(self, name: str, work: Callable[[], Coroutine[None, None, None]]) -> None: ...
    def ask(self, question: Question, state: ChannelState, then: Callable[[Outcome], None]) -> None: ...
    def aimed(self) -> ChannelState | None: ...
    def selected_row(self) -> RundownRow | None: ...
    def blind(self, action: Action) -> str: ...
    @property
    def hides_channels(self) -> bool: ...


class AirKeys:
    """Fixes the target when the key is pressed and hands the order to the desk."""

    def __init__(self, session: Session, host: Host) -> None:
        self._session = session
        self._host = host

    def press(self, action_id: str) -> None:
        """One press of an air key, one ``:`` command or one choice of the palette."""
        session, state = self._session, self._host.aimed()
        if self._blind(action_id):
            return
        if state is None:
            session.message = session.no_focus
            return
        why = others_have_it(state) if session.hands.whose(state) == "other" else self._vain(action_id, state)
        if why:
            session.desk.refuse(state.channel.id, BY_ID[action_id].word.upper(), why)
            if self._host.hides_channels:
                session.message = f"{BY_ID[action_id].word} {target(state)}: {why}"
            return
        # Both are asked: a press during a pending command must also put off the end of a held key.
        repeats = session.desk.repeats(action_id, state.channel.id)
        if repeats or session.desk.pending(state.channel.id):
            return
        match action_id:
            case _ if BY_ID[action_id].armed or self._host.hides_channels:
                self._arm(action_id, state)
            case "cue":
                self._cue(state)
            case "drop":
                self._drop(state)
            case "undo":
                self._undo(state)
            case "longer" | "shorter":
                self._adjust(state, ADJUST_MS if action_id == "longer" else -ADJUST_MS)
            case "take" if state.live.next is None:
                is_off = state.live.desired == "off"
                session.desk.refuse(state.channel.id, "TAKE", "it is off, S starts it" if is_off else "nothing is next")
            case _:
                self._send(order(_verb(action_id, state), state))

    def control(self) -> None:
        """Takes control of the focused channel or gives it back; from another only after a question to the taker."""
        session, state = self._session, self._host.aimed()
        if self._blind("control"):
            return
        if state is None:
            session.message = session.no_focus
            return
        match session.hands.whose(state):
            case "free":
                self._take_control(state, over=False)
            case "mine":
                self._host.start_work("control", partial(self._give_back, state))
            case "other":

                def answered(answer: Outcome) -> None:
                    if answer == "do" and not self._blind("control"):
                        self._take_control(state, over=True)
                    elif answer in {"changed", "late"}:
                        why = "the channel or its holder changed" if answer == "changed" else "nobody answered"
                        session.desk.refuse(state.channel.id, "CONTROL", f"{why}, nothing done")

                self._host.ask(_take_over_question(state), state, answered)

    def _take_control(self, state: ChannelState, *, over: bool) -> None:
        self._host.start_work("control", partial(self._take_over, state, over=over))

    async def _take_over(self, state: ChannelState, *, over: bool) -> None:
        try:
            await self._session.hands.take(state.channel.id, over=over)
        except ClientError as error:
            self._session.desk.refuse(state.channel.id, "CONTROL", f"{error.title}. {error.detail}")
        else:
            self._session.message = f"you have control of {target(state)}"

    async def _give_back(self, state: ChannelState) -> None:
        try:
            await self._session.hands.give_back(state.channel.id)
        except ClientError as error:
            self._session.desk.refuse(state.channel.id, "CONTROL", f"{error.title}. {error.detail}")
        else:
            self._session.message = f"nobody has control of {target(state)} now"

    def acknowledge(self) -> None:
        """Acknowledges the focused channel's alarms."""
        session, state = self._session, self._host.aimed()
        if self._blind("acknowledge"):
            return
        if state is None:
            session.message = session.no_focus
            return
        wanted = [
            alarm.id
            for alarm in session.wall.alarms
            if alarm.channel_id == state.channel.id and alarm.acknowledged_at is None
        ]
        if not wanted:
            session.message = f"no open alarm on {target(state)}"
            return
        self._host.start_work("acknowledge", partial(self._acknowledge, wanted))

    def _blind(self, action_id: str) -> bool:
        """True, and the screen says so, where the operator cannot see what the key would act on."""
        why = self._host.blind(BY_ID[action_id])
        if why:
            self._session.message = f"{BY_ID[action_id].word}: nothing sent, {why}"
        return bool(why)

    def _vain(self, action_id: str, state: ChannelState) -> str:
        """Why a start or a stop would do nothing; empty where it may, or where what is known of the channel is old."""
        live, session = state.live, self._session
        if action_id not in {"start", "stop"} or session.wall.stale(session.clock.monotonic()):
            return ""
        match action_id, live.desired:
            case "start", "on":
                is_there = live.phase == "running" and live.off_air_since is None
                return "it is on air already" if is_there else "it was started already; e says why it is not on air"
            case "stop", "off":
                return "it is off already" if live.phase == "off" else "it was stopped already and is about to end"
            case _:
                return ""

    async def _acknowledge(self, alarm_ids: list[str]) -> None:
        try:
            for alarm_id in alarm_ids:
                await self._session.feed.acknowledge(alarm_id)
        except ClientError as error:
            self._session.message = f"{error.title}: {error.detail}"
        else:
            self._session.message = f"acknowledged {len(alarm_ids)}"

    def _cue(self, state: ChannelState) -> None:
        row = self._host.selected_row()
        if row is None:
            self._session.message = "open the channel and select a row to cue"
            return
        follows = state.live.next
        clear = follows is not None and follows.cued and follows.item_id == row.item_id
        self._send(order("cue", state, cue_item=(None if clear else row.item_id, row.title)))

    def _drop(self, state: ChannelState) -> None:
        row = self._host.selected_row()
        if row is None:
            self._session.message = "open the channel and select a row to drop"
            return
        self._send(drop_order(state, row.item_id, row.title, undo=row.state == "dropped"))

    def _adjust(self, state: ChannelState, ms: int) -> None:
        if state.live.item is None:
            self._session.desk.refuse(state.channel.id, f"{ms // 1000:+d} s", "no item is on air")
            return
        self._send(adjust_order(state, ms))

    def _undo(self, state: ChannelState) -> None:
        wanted = self._session.desk.undo(state)
        if wanted is None:
            self._session.desk.refuse(
                state.channel.id, "UNDO", "nothing of yours to take back (^z: an edit of the list)"
            )
            return
        self._send(wanted)

    def _arm(self, action_id: str, state: ChannelState) -> None:
        wanted = order(_verb(action_id, state), state)
        question = _question(action_id, state)

        def answered(answer: Outcome) -> None:
            if answer == "do" and not self._blind(action_id):
                self._send(wanted)
            elif answer in {"changed", "late"}:
                why = "channel changed" if answer == "changed" else "nobody answered"
                self._session.desk.refuse(state.channel.id, wanted.word, f"{why}, nothing sent")

        self._host.ask(question, state, answered)

    def _send(self, wanted: Order) -> None:
        if self._session.desk.begin(wanted):
            self._host.start_work(wanted.words, partial(self._session.desk.send, wanted))


def others_have_it(state: ChannelState) -> str:
    """Why an air key does nothing there."""
    control = state.live.control
    who = "another" if control is None else holder(control)
    return f"{who} has control. Nothing sent; C takes over"


def _take_over_question(state: ChannelState) -> Question:
    control, who = state.live.control, target(state)
    if control is None:
        return Question(f"Take control of {who}?", (), f"Take control of {who}")
    since = f"{holder(control)} has had it since {control.since:%H:%M:%S} UTC and will be told."
    return Question(
        f"Take control of {who} over from {control.operator}?",
        (since, "Nothing on air changes. Their air keys do nothing from then on."),
        f"Take control of {who}",
    )


def _verb(action_id: str, state: ChannelState) -> Verb:
    live = state.live
    match action_id:
        case "hold":
            return "play" if live.hold or live.picture == "hold" else "hold"
        case "freeze":
            return "resume" if live.picture == "freeze" else "pause"
        case "take" | "skip" | "standby" | "rejoin" | "start" | "stop":
            return action_id
        case _:
            raise ValueError(f"{action_id} is no air key")


def _question(action_id: str, state: ChannelState) -> Question:
    live, who = state.live, target(state)
    now = "nothing" if live.item is None else live.item.title
    match action_id:
        case "start":
            return Question(f"Put {who} on air?", ("It will be on air until somebody stops it.",), f"Start {who}")
        case "stop":
            return Question(
                f"Take {who} OFF AIR?",
                (f"On air now: {now}", "Viewers lose the channel at once, and nothing brings it back but a start."),
                f"Take {who} off air",
            )
        case "standby":
            follows = "The emergency slate is on air until somebody rejoins."
            return Question(f"STANDBY on {who}?", (f"On air now: {now}", follows), f"STANDBY {who}")
        case "rejoin":
            return Question(f"REJOIN on {who}?", (f"On air now: {live.picture or now}",), f"REJOIN {who}")
        case _:
            if live.picture == "freeze":
                return Question(f"Let {who} run on?", (f"Frozen now: {now}",), f"Unfreeze {who}")
            stands = "Picture and sound stand still."
            return Question(f"Freeze the picture of {who}?", (f"On air now: {now}", stands), f"Freeze {who}")
