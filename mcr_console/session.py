"""What one sitting at the console holds, apart from how it is drawn: the wall, the focus, the filter, the desk."""

from collections.abc import AsyncGenerator, Callable
from typing import Final, Protocol

from mcr_console.air import AirDesk, AirFeed
from mcr_console.clock import Clock
from mcr_console.condition import condition
from mcr_console.desk_feed import DeskFeed
from mcr_console.drawing.tile import TileView
from mcr_console.drawing.verdict import control_words
from mcr_console.edit_feed import EditFeed
from mcr_console.event_stream import LinkMessage
from mcr_console.hands import ControlFeed, Hands
from mcr_console.keymap import Keymap
from mcr_console.palette import Palette
from mcr_console.preferences import Sort
from mcr_console.safe_text import safe
from mcr_console.thumbnails import PictureSource, Thumbnails
from mcr_console.wall_state import ChannelState, WallBuilder, WallState
from supervisor.schemas.alarm import Alarm
from supervisor.schemas.channel import Channel, ChannelIn
from supervisor.schemas.playlist import ImportResult, PlaylistImport

SETTLED_S: Final = 5.0
"""Seconds after a key that moved the focus in which no channel changes its place by itself."""
DIGITS_S: Final = 1.2
"""Digits typed within this time make one channel number."""


class Feed(AirFeed, ControlFeed, EditFeed, PictureSource, DeskFeed, Protocol):
    """What the console asks of a supervisor, as ``Client`` does it. All but ``events`` raise ``ClientError``."""

    @property
    def where(self) -> str: ...
    def events(self) -> AsyncGenerator[LinkMessage, None]: ...
    async def acknowledge(self, alarm_id: str) -> Alarm: ...
    async def create_channel(self, values: ChannelIn) -> Channel: ...
    async def import_playlist(self, values: PlaylistImport) -> ImportResult: ...


class Session:
    """Belongs to the app's loop. Focus is a channel id and moves by keys only, never because something changed."""

    def __init__(self, feed: Feed, clock: Clock, palette: Palette, changed: Callable[[], None]) -> None:
        self.feed = feed
        self.clock = clock
        self.palette = palette
        self.builder = WallBuilder(clock)
        self.desk = AirDesk(feed, clock, changed)
        self.hands = Hands(feed, clock)
        self.read_only = False
        self.thumbnails = Thumbnails(feed, clock)
        self.fault = ""
        self._message = ""
        self.told = 0
        """Grows with every message, one that says the same again too."""
        self.notice = ""
        """A line that stays: what of the operator's own files cannot be used."""
        self.keymap = Keymap()
        self.filter_text = ""
        self.sort: Sort = "number"
        self.marked: set[str] = set()
        self.unfiltered: Callable[[], bool] = lambda: False
        """True while the screen shows one channel, whatever the filter; the app says so."""
        self._focus: str | None = None
        self._digits = ""
        self._digit_at = 0.0
        self._visible: tuple[WallState, str, Sort, tuple[str, ...]] | None = None
        self._touched = -SETTLED_S

    @property
    def message(self) -> str:
        """What was told last, for some seconds."""
        return self._message

    @message.setter
    def message(self, words: str) -> None:
        self._message = words
        self.told += 1

    @property
    def wall(self) -> WallState:
        """What is known now."""
        return self.builder.state()

    @property
    def focus(self) -> str | None:
        """The focused channel's id, always one that is shown; the first one before any key was pressed.

        None when the chosen one is gone, or hidden by the filter: no other may take its place unasked.
        """
        shown = self.wall.order if self.unfiltered() else self.visible()
        if self._focus is None and shown:
            self._focus = shown[0]
        return self._focus if self._focus in shown else None

    @focus.setter
    def focus(self, channel_id: str | None) -> None:
        self._focus = channel_id
        self._touched = self.clock.monotonic()

    @property
    def focused(self) -> ChannelState | None:
        """The focused channel."""
        return self.wall.channels.get(self.focus or "")

    def mark(self, channel_id: str) -> None:
        """Marks the channel, or takes the mark away."""
        self.marked ^= {channel_id}

    def marked_states(self) -> tuple[ChannelState, ...]:
        """The marked channels that are there, by number, also those that the filter hides."""
        wall = self.wall
        return tuple(wall.channels[id_] for id_ in wall.order if id_ in self.marked)

    @property
    def no_focus(self) -> str:
        """Why there is no focus."""
        hidden = self.wall.channels.get(self._focus or "")
        if hidden is not None:
            return f"{hidden.channel.number} {hidden.channel.name} is hidden by the filter: no channel is focused"
        return "no channel is focused"

    def filter(self, text: str) -> None:
        """Shows only what ``text`` matches; the focus goes to the first of these unless it is one of them."""
        self.filter_text = text.strip()
        shown = self.visible()
        if shown and self.focus not in shown:
            self._focus = shown[0]

    @property
    def digits(self) -> str:
        """What has been typed of a channel number, while more may come."""
        return self._digits if self.clock.monotonic() - self._digit_at < DIGITS_S else ""

    def digit(self, digit: int) -> None:
        """One more digit of a channel number; focuses the channel as soon as there is one of that number."""
        self._digits = (self.digits + str(digit))[-4:]
        self._digit_at = self._touched = self.clock.monotonic()
        found = self.wall.by_number(int(self._digits))
        if found is None and len(self._digits) > 1 and self.wall.by_number(digit) is not None:
            self._digits = str(digit)
            found = self.wall.by_number(digit)
        if found is not None:
            self._focus = found

    def visible(self) -> tuple[str, ...]:
        """Channel ids that the filter shows, in the chosen order.

        With trouble first, they change places only when no key has moved the focus for a while.
        """
        wall, known = self.wall, self._visible
        if known is None or known[0] is not wall or known[1:3] != (self.filter_text, self.sort):
            shown = tuple(id_ for id_ in wall.order if matches(wall.channels[id_], self.filter_text))
            stays = known is not None and known[1:3] == (self.filter_text, self.sort)
            if known is not None and stays and self.clock.monotonic() - self._touched < SETTLED_S:
                there = set(shown)
                kept = tuple(id_ for id_ in known[3] if id_ in there)
                shown = kept + tuple(id_ for id_ in shown if id_ not in set(kept))
            else:
                shown = arranged(shown, wall, self.sort)
            known = self._visible = (wall, self.filter_text, self.sort, shown)
        return known[3]

    def move(self, step: int, *, wrap: bool = False) -> None:
        """Moves the focus over the visible channels; from a hidden one to the first."""
        self._touched = self.clock.monotonic()
        shown = self.visible()
        if not shown:
            return
        focus = self.focus
        if focus not in shown:
            self._focus = shown[0]
            return
        index = shown.index(focus) + step
        self._focus = shown[index % len(shown) if wrap else max(0, min(len(shown) - 1, index))]

    def tile(self, channel_id: str, picture: tuple[int, int]) -> TileView:
        """One channel as the wall draws it; ``picture`` is the size of its thumbnail in cells.

        Only the focused one counts frames: the others step with their heartbeats, so that a wall is calm, and cheap.
        """
        wall, now = self.wall, self.clock.monotonic()
        stale, focused = wall.stale(now), channel_id == self.focus
        return TileView(
            state=wall.channels[channel_id],
            hands=control_words(wall.channels[channel_id].live.control, self.feed.seat),
            now=wall.as_of(now) if focused else wall.calm(channel_id, now),
            stale=stale,
            focused=focused,
            marked=channel_id in self.marked,
            as_of=f"{self.clock.local(wall.link.since):%H:%M:%S}",
            supervisor_now=wall.supervisor_now(now),
            note=self.desk.note(channel_id),
            note_now=now,
            picture=self.thumbnails.lines(channel_id, *picture, stale=stale),
            picture_age=self.thumbnails.age(channel_id) if picture[0] else None,
        )


def arranged(ids: tuple[str, ...], wall: WallState, sort: Sort) -> tuple[str, ...]:
    """``ids``, by number as they come, in that order; those that are equal in it stay by number."""
    if sort == "number":
        return ids

    def key(id_: str) -> tuple[int, str]:
        state = wall.channels[id_]
        if sort == "name":
            return 0, safe(state.channel.name).casefold()
        if sort == "node":
            return 0, state.live.node_name or "\uffff"
        verdict = condition(state)
        return (0 if verdict.tally == "off_air" else 1 if verdict.needs_somebody else 2), ""

    return tuple(sorted(ids, key=key))


def matches(state: ChannelState, text: str) -> bool:
    """``text`` in number, name, state or node; a leading ``!`` turns it round.

    Not in titles: these change by themselves, and channels would come and go under the operator's hand.
    """
    wanted = text.removeprefix("!").strip().casefold()
    if not wanted:
        return True
    live, verdict = state.live, condition(state)
    words = [str(state.channel.number), state.channel.name, verdict.word, *verdict.warnings, live.node_name or ""]
    found = any(wanted in safe(word).casefold() for word in words)
    return found != text.startswith("!")
