"""Air keys: the target is fixed at the press, one command a channel is under way, and its fate is noted at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

from mcr_console.client import TransportVerb, new_command_id
from mcr_console.clock import Clock
from mcr_console.http import ApiProblem, ClientError
from mcr_console.notes import Note
from mcr_console.safe_text import age
from mcr_console.wall_state import LATE_S, ChannelState
from supervisor.schemas.channel import AdjustIn, Channel, CommandDone, CommandIn, CueIn, DropIn, MoveIn

REPEAT_S: Final = 0.7
"""A key that comes again sooner is held down or bounced: a terminal waits up to 0.66 s before it repeats a key."""

_KINDS: Final = ("Cannot be used", "Conflicts with what is")

ADJUST_MS: Final = 30_000
"""One press makes the item on air so much longer or shorter."""

Verb: TypeAlias = TransportVerb | Literal["cue", "drop", "undrop", "adjust", "start", "stop", "move"]


class AirFeed(Protocol):
    """What an order is sent by. Raises ``ClientError``."""

    async def transport(self, channel_id: str, verb: TransportVerb, command: CommandIn) -> CommandDone: ...
    async def cue(self, channel_id: str, command: CueIn) -> CommandDone: ...
    async def drop(self, channel_id: str, command: DropIn, *, undo: bool = False) -> CommandDone: ...
    async def adjust(self, channel_id: str, command: AdjustIn) -> CommandDone: ...
    async def start(self, channel_id: str) -> Channel: ...
    async def stop(self, channel_id: str) -> Channel: ...
    async def move(self, channel_id: str, values: MoveIn) -> Channel: ...


@dataclass(frozen=True, slots=True)
class Order:
    """One command with everything fixed that could change between the press and its arrival.

    ``before`` is the item, id and title, that was on air at the press: what undoing a take cues again. ``title`` is of
    the item that is dropped.
    """

    channel_id: str
    verb: Verb
    word: str
    words: str
    waits_for: str
    command: CommandIn
    before: tuple[str, str] | None = None
    title: str = ""
    node_id: str = ""
    """Where a move goes."""


def order(verb: Verb, state: ChannelState, *, cue_item: tuple[str | None, str] | None = None) -> Order:
    """``cue_item`` is the item's id (None clears the cue) and title."""
    live = state.live
    expect = live.next.item_id if live.next is not None and verb == "take" else None
    command = CommandIn(command_id=new_command_id(), expect_item_id=expect, expect_epoch=live.epoch or None)
    word = words = {"play": "RELEASE", "pause": "FREEZE", "resume": "UNFREEZE"}.get(verb, verb.upper())
    if verb == "take" and live.next is not None:
        words = f"{word} {live.next.title}"
    if verb == "cue":
        item_id, title = cue_item or (None, "")
        command = CueIn(command_id=new_command_id(), expect_epoch=live.epoch or None, item_id=item_id)
        words = f"CUE {title}" if item_id is not None else "CLEAR CUE"
        if live.item is not None and item_id == live.item.item_id:
            words = f"CUE AGAIN, from its start: {title}"
    before = None if live.item is None else (live.item.item_id, live.item.title)
    return Order(state.channel.id, verb, word, words, _waits_for(verb, state), command, before)


def drop_order(state: ChannelState, item_id: str, title: str, *, undo: bool) -> Order:
    """The item will not air; ``undo``: it will after all."""
    command = DropIn(command_id=new_command_id(), expect_epoch=state.live.epoch or None, item_id=item_id)
    verb: Verb = "undrop" if undo else "drop"
    words = f"{verb.upper()} {title}"
    return Order(state.channel.id, verb, verb.upper(), words, _waits_for(verb, state), command, title=title)


def adjust_order(state: ChannelState, ms: int) -> Order:
    """The item on air becomes longer, or shorter; only that item: it is what the operator saw."""
    live = state.live
    command = AdjustIn(
        command_id=new_command_id(), expect_epoch=live.epoch or None, ms=ms,
        expect_item_id=None if live.item is None else live.item.item_id,
    )  # fmt: skip
    word = f"{ms // 1000:+d} s"
    words = word if live.item is None else f"{word} {live.item.title}"
    before = None if live.item is None else (live.item.item_id, live.item.title)
    return Order(state.channel.id, "adjust", word, words, _waits_for("adjust", state), command, before)


def failover_order(state: ChannelState, node_id: str, node_name: str) -> Order:
    """The channel goes to that node, if it is still the epoch that was seen."""
    command = CommandIn(command_id=new_command_id(), expect_epoch=state.live.epoch or None)
    words = f"FAILOVER to {node_name}"
    return Order(state.channel.id, "move", "FAILOVER", words, "waits for the supervisor", command, node_id=node_id)


def undoing(done: Order, state: ChannelState) -> Order | None:
    """What takes ``done`` back, as far as it can be: what has aired has aired. None: nothing can.

    What concerned the item on air is not taken back once another airs: it would act on that one.
    """
    live = state.live
    on_air = None if live.item is None else live.item.item_id
    is_same = done.before is not None and done.before[0] == on_air
    if done.verb in {"hold", "play", "adjust"} and not is_same:
        return None
    match done.verb, done.command:
        case (("take" | "skip"), _):
            return None if done.before is None else order("cue", state, cue_item=done.before)
        case "cue", CueIn() as cued:
            is_cued = live.next is not None and live.next.cued and live.next.item_id == cued.item_id
            return order("cue", state, cue_item=(None, "")) if is_cued else None
        case "hold", _ if live.hold and live.picture != "hold":
            return order("play", state)
        case "play", _ if not live.hold:
            return order("hold", state)
        case (("drop" | "undrop"), DropIn() as command):
            return drop_order(state, command.item_id, done.title, undo=done.verb == "drop")
        case "adjust", AdjustIn() as command:
            return adjust_order(state, -command.ms)
        case _:
            return None


def _waits_for(verb: Verb, state: ChannelState) -> str:
    live = state.live
    if verb in {"start", "stop"}:
        return "waits for the supervisor"
    if verb == "take" and live.next is not None and not live.next.ready:
        return f"{live.next.title} is still opening"
    silent = (live.heartbeat_age_ms or 0) / 1000
    node = live.node_name or "its node"
    if silent >= LATE_S:
        return f"{node}: no heartbeat for {age(silent)}"
    return f"waits for {node}"


class AirDesk:
    """Sends orders and keeps the last note of each channel."""

    def __init__(self, feed: AirFeed, clock: Clock, changed: Callable[[], None]) -> None:
        self._feed = feed
        self._clock = clock
        self._changed = changed
        self._notes: dict[str, Note] = {}
        self._pending: set[str] = set()
        self._pressed: dict[tuple[str, str], float] = {}
        self._done: dict[str, Order] = {}

    def note(self, channel_id: str) -> Note | None:
        """The last command's note while it is fresh."""
        note = self._notes.get(channel_id)
        return None if note is None or note.faded(self._clock.monotonic()) else note

    def undo(self, state: ChannelState) -> Order | None:
        """What takes back the last order that this console gave to the channel and that was done."""
        done = self._done.get(state.channel.id)
        return None if done is None else undoing(done, state)

    def undoable(self, state: ChannelState) -> str:
        """The word of the order that ``undo`` takes back; empty where there is none."""
        return "" if self.undo(state) is None else self._done[state.channel.id].word

    def pending(self, channel_id: str) -> bool:
        """True while a command of this console is under way there."""
        return channel_id in self._pending

    @property
    def waits(self) -> bool:
        """True while any command of this console is under way."""
        return bool(self._pending)

    def repeats(self, action: str, channel_id: str) -> bool:
        """True when this press is the repeat of a key held down, or a bounce. Every press puts the end off."""
        now = self._clock.monotonic()
        last = self._pressed.get((action, channel_id))
        self._pressed[action, channel_id] = now
        return last is not None and now - last < REPEAT_S

    def begin(self, wanted: Order) -> bool:
        """Marks the order as pending; False, and nothing happens, while another is under way on that channel."""
        if wanted.channel_id in self._pending:
            return False
        self._pending.add(wanted.channel_id)
        self._write(wanted, "pending", wanted.waits_for)
        return True

    async def send(self, wanted: Order) -> None:
        """Sends what ``begin`` marked, and notes what became of it. Never raises for a refusal or a lost supervisor."""
        try:
            detail = await self._answer(wanted)
        except ApiProblem as error:
            self._refuse(wanted, words_of(error), error.hint)
        except ClientError as error:
            self._refuse(wanted, f"{error.title}. It may still have been done.", error.hint)
        except BaseException:
            self._refuse(wanted, "interrupted; it may still have been done", "")
            raise
        else:
            self._pending.discard(wanted.channel_id)
            self._done[wanted.channel_id] = wanted
            self._write(wanted, "done", detail)

    def refuse(self, channel_id: str, words: str, detail: str) -> None:
        """Notes that nothing was sent, and why."""
        self._notes[channel_id] = Note("refused", words, words, detail, "", self._clock.monotonic())
        self._changed()

    async def _answer(self, wanted: Order) -> str:
        match wanted.verb, wanted.command:
            case "start", _:
                await self._feed.start(wanted.channel_id)
                return "start accepted"
            case "stop", _:
                await self._feed.stop(wanted.channel_id)
                return "stop accepted"
            case "move", command:
                values = MoveIn(node_id=wanted.node_id, expect_epoch=command.expect_epoch)
                await self._feed.move(wanted.channel_id, values)
                return "begun: it gets ready there"
            case "cue", CueIn() as cue:
                done = await self._feed.cue(wanted.channel_id, cue)
            case (("drop" | "undrop"), DropIn() as drop):
                done = await self._feed.drop(wanted.channel_id, drop, undo=wanted.verb == "undrop")
            case "adjust", AdjustIn() as adjust:
                done = await self._feed.adjust(wanted.channel_id, adjust)
            case (("cue" | "drop" | "undrop" | "adjust"), _):
                raise ValueError(f"{wanted.verb} without what it acts on")
            case (verb, command):
                done = await self._feed.transport(wanted.channel_id, verb, command)
        took = f"took {done.took_ms:.0f} ms"
        return took if done.frame is None else f"{took}, frame {done.frame}"

    def _refuse(self, wanted: Order, detail: str, hint: str) -> None:
        self._pending.discard(wanted.channel_id)
        self._notes[wanted.channel_id] = Note(
            "refused", wanted.word, wanted.words, detail, hint, self._clock.monotonic()
        )
        self._changed()

    def _write(self, wanted: Order, kind: Literal["pending", "done"], detail: str) -> None:
        self._notes[wanted.channel_id] = Note(kind, wanted.word, wanted.words, detail, "", self._clock.monotonic())
        self._changed()


def words_of(error: ApiProblem) -> str:
    """Where the title names no more than the kind of refusal, what was refused and why begins the line."""
    return (
        error.detail if error.title in _KINDS and error.detail else f"{error.title}. {error.detail}".removesuffix(". ")
    )
