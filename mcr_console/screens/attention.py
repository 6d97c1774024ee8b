"""One list over all channels: what needs somebody now, what is coming, what was put aside, what is over."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from functools import partial
from typing import ClassVar

from textual.binding import BindingType

from mcr_console.client import ClientError
from mcr_console.drawing.attention import is_shelved
from mcr_console.drawing.attention_rows import (
    Board,
    Ink,
    alarm_page,
    board,
    channel_page,
    coming_page,
    render_alarm,
    render_coming,
    render_section,
    render_unspoken,
)
from mcr_console.drawing.strips import Part
from mcr_console.keys import Place, bindings
from mcr_console.polled import Polled, Question
from mcr_console.screens.sheet_screen import SheetScreen
from mcr_console.screens.shelving import ShelveScreen
from mcr_console.session import Session
from mcr_console.subjects import Subject, of_alarm, of_channel, of_node
from mcr_console.wall_state import ChannelState
from mcr_console.widgets.sheet import Row
from supervisor.schemas.alarm import Alarm, ShelveIn
from supervisor.schemas.coming import Coming

COMING_S = 10.0
OVER_S = 15.0
OVER_SHOWN = 30
HOURS = 4


class AttentionScreen(SheetScreen):
    """The cursor stays on its alarm; rows above it may come and go."""

    PLACE: ClassVar[Place] = "attention"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("attention")]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        feed, clock = session.feed, session.clock
        self._coming = Polled(clock, lambda: feed.coming(HOURS), COMING_S)
        self._newest = Polled(clock, lambda: feed.newest_alarms(OVER_SHOWN), OVER_S)
        self._board: Board | None = None

    def polls(self) -> Sequence[Question]:
        return (self._coming, self._newest)

    def title_parts(self) -> Sequence[Part]:
        palette, now = self.session.palette, self._now()
        alarms = self.session.wall.alarms
        loud = sum(alarm.acknowledged_at is None and not is_shelved(alarm, now) for alarm in alarms)
        parts: list[Part] = [("attention", palette.dim)]
        if loud and not self.is_stale:
            parts.append((f"  {palette.glyphs.warning} {loud} unacknowledged", palette.warning))
        return parts

    def column_heads(self, width: int) -> Sequence[Part]:
        first = 13 if width < 100 else 20
        return [(f"  {'TIME':<8} {'STATE':<{first}} {'CHANNEL':<14} WHAT", self.session.palette.dim)]

    def sheet_rows(self) -> Sequence[Row]:
        wall, now = self.session.wall, self._now()
        coming = self._coming.value.items if self._coming.value is not None else ()
        seen = self._board = board(wall, self._newest.value or (), coming, now)
        ink = self._ink()
        needs = len(seen.dark) + len(seen.alarms) + len(seen.unspoken)
        rows = [Row(None, partial(render_section, "NEEDS YOU NOW", needs, ink))]
        rows += [Row(f"c:{id_}", partial(render_unspoken, id_, ink)) for id_ in seen.dark]
        rows += [Row(f"a:{alarm.id}", partial(render_alarm, alarm, ink, now)) for alarm in seen.alarms]
        rows += [Row(f"c:{id_}", partial(render_unspoken, id_, ink)) for id_ in seen.unspoken]
        rows += [Row(f"a:{alarm.id}", partial(render_alarm, alarm, ink, now)) for alarm in seen.seen]
        rows.append(Row(None, partial(render_section, f"COMING, {HOURS} HOURS", len(seen.coming), ink)))
        rows += [Row(_key(one), partial(render_coming, one, ink, now)) for one in seen.coming]
        for title, alarms in (("SHELVED", seen.shelved), ("OVER", seen.over)):
            if alarms:
                rows.append(Row(None, partial(render_section, title, len(alarms), ink)))
                rows += [Row(f"a:{alarm.id}", partial(render_alarm, alarm, ink, now)) for alarm in alarms]
        return rows

    def detail_lines(self, width: int) -> Sequence[Sequence[Part]]:
        ink, alarm, coming = self._ink(), self.alarm, self.coming
        if alarm is not None:
            return alarm_page(alarm, ink, self._now(), width)
        if coming is not None:
            return coming_page(coming, ink, width)
        return channel_page(self.channel_id, ink, width)

    @property
    def alarm(self) -> Alarm | None:
        """The one under the cursor."""
        kind, _, wanted = (self.selected or "").partition(":")
        if kind != "a" or self._board is None:
            return None
        groups = (self._board.alarms, self._board.seen, self._board.shelved, self._board.over)
        return next((alarm for group in groups for alarm in group if alarm.id == wanted), None)

    @property
    def coming(self) -> Coming | None:
        """The one under the cursor."""
        found = () if self._board is None else self._board.coming
        return next((one for one in found if _key(one) == self.selected), None)

    @property
    def channel_id(self) -> str | None:
        """Of the row under the cursor."""
        kind, _, rest = (self.selected or "").partition(":")
        if kind == "c":
            return rest
        alarm, coming = self.alarm, self.coming
        return alarm.channel_id if alarm is not None else None if coming is None else coming.channel_id

    def aimed(self) -> ChannelState | None:
        """That of the row: keys for two channels on one foot line would be mistaken for each other."""
        return self.session.wall.channels.get(self.channel_id or "") or self.session.focused

    def subject(self) -> Subject | None:
        alarm = self.alarm
        if alarm is not None:
            return of_alarm(alarm, self._ink().who(alarm.channel_id, recorder=alarm.recorder_id is not None))
        state, coming = self.session.wall.channels.get(self.channel_id or ""), self.coming
        node = None if coming is None else self.session.wall.nodes.get(coming.node_id or "")
        if node is not None:
            return of_node(node)
        return None if state is None else of_channel(state)

    def footer_words(self) -> dict[str, str | None]:
        alarm, wall = self.alarm, self.session.wall
        known = wall.channels.get(self.channel_id or "")
        name = None if known is None else f"{known.channel.number} {known.channel.name}"
        live = alarm is not None and alarm.cleared_at is None
        aside = alarm is not None and is_shelved(alarm, self._now())
        return {
            "acknowledge": "ack" if live and alarm is not None and alarm.acknowledged_at is None else None,
            "shelve": None if not live else "unshelve" if aside else "shelve",
            "open": None if name is None else f"open {name}",
            "attention": None,
        }

    # What is done

    def acknowledge(self) -> None:
        """The alarm under the cursor, in the operator's name."""
        alarm = self.alarm
        if alarm is None or alarm.cleared_at is not None:
            self.session.message = "this row is no open alarm"
        elif alarm.acknowledged_at is not None:
            self.session.message = f"{alarm.acknowledged_by} acknowledged it already"
        else:
            self._send(lambda: self.session.feed.acknowledge(alarm.id), "acknowledged")

    def shelve(self) -> None:
        """Puts the alarm under the cursor aside, or takes that back."""
        alarm = self.alarm
        if alarm is None or alarm.cleared_at is not None:
            self.session.message = "this row is no open alarm"
            return
        if is_shelved(alarm, self._now()):
            self._send(lambda: self.session.feed.unshelve(alarm.id), "taken back: it rings again")
            return

        def answered(values: ShelveIn | None) -> None:
            if values is not None:
                done = f"shelved for {values.minutes} minutes"
                self._send(lambda: self.session.feed.shelve(alarm.id, values), done)

        self.app.push_screen(ShelveScreen(alarm.text), answered)  # pyright: ignore[reportUnknownMemberType] - App is generic

    def _send(self, ask: Callable[[], Coroutine[None, None, Alarm]], done: str) -> None:
        self.run_worker(partial(self._sent, ask, done), group="alarm", exit_on_error=False)

    async def _sent(self, ask: Callable[[], Coroutine[None, None, Alarm]], done: str) -> None:
        try:
            await ask()
        except ClientError as error:
            self.session.message = f"{error.title}: {error.detail} {error.hint}".strip()
        else:
            self.session.message = done
        self._newest.again()
        self.tick()

    def _now(self) -> datetime:
        """The supervisor's clock, which alarms and lists go by."""
        session = self.session
        return session.wall.supervisor_now(session.clock.monotonic()) or session.clock.now()

    def _ink(self) -> Ink:
        session = self.session
        return Ink(session.wall, session.clock, session.palette, self.is_stale)


def _key(one: Coming) -> str:
    at = one.at if one.kind == "port" else ""
    return f"n:{one.kind}/{one.channel_id or one.node_id or one.recorder_id}/{one.item_id or ''}/{at}"
