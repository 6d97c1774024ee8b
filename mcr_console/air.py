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
from supervisor.schemas.channel import Channel, CommandDone, CommandIn, CueIn

REPEAT_S: Final = 0.7
"""A key that comes again sooner is held down or bounced: a terminal waits up to 0.66 s before it repeats a key."""

Verb: TypeAlias = TransportVerb | Literal["cue", "start", "stop"]


class AirFeed(Protocol):
    """What an order is sent by. Raises ``ClientError``."""

    async def transport(self, channel_id: str, verb: TransportVerb, command: CommandIn) -> CommandDone: ...
    async def cue(self, channel_id: str, command: CueIn) -> CommandDone: ...
    async def start(self, channel_id: str) -> Channel: ...
    async def stop(self, channel_id: str) -> Channel: ...


@dataclass(frozen=True, slots=True)
class Order:
    """One command with everything fixed that could change between the press and its arrival."""

    channel_id: str
    verb: Verb
    word: str
    words: str
    waits_for: str
    command: CommandIn | CueIn


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
    return Order(state.channel.id, verb, word, words, _waits_for(verb, state), command)


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

    def note(self, channel_id: str) -> Note | None:
        """The last command's note while it is fresh."""
        note = self._notes.get(channel_id)
        return None if note is None or note.faded(self._clock.monotonic()) else note

    def pending(self, channel_id: str) -> bool:
        """True while a command of this console is under way there."""
        return channel_id in self._pending

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
            self._refuse(wanted, f"{error.title}. {error.detail}".removesuffix(". "), error.hint)
        except ClientError as error:
            self._refuse(wanted, f"{error.title}. It may still have been done.", error.hint)
        except BaseException:
            self._refuse(wanted, "interrupted; it may still have been done", "")
            raise
        else:
            self._pending.discard(wanted.channel_id)
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
            case "cue", CueIn() as cue:
                done = await self._feed.cue(wanted.channel_id, cue)
            case ("cue", _):
                raise ValueError("a cue names its item")
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
