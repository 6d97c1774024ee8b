"""The chain of facts behind a row: what it says itself, what was decided and why, where it could go and where not."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar, Final, TypeAlias

from rich.style import Style
from textual.binding import BindingType
from textual.strip import Strip

from mcr_console.drawing.prose import prose
from mcr_console.drawing.refusals import refusal_words
from mcr_console.drawing.strips import Part, line
from mcr_console.keys import Place, bindings
from mcr_console.polled import Polled, Question
from mcr_console.screens.sheet_screen import SheetScreen
from mcr_console.session import Session
from mcr_console.subjects import Subject
from mcr_console.widgets.sheet import Row
from supervisor.schemas.base import Page
from supervisor.schemas.explanation import Explanation, Placement
from supervisor.schemas.history import HistoryEvent

EVERY_S: Final = 3.0
AROUND: Final = timedelta(minutes=10)
"""Before and after something that was; what is further away does not belong to it."""
MOST: Final = 60

_Said: TypeAlias = tuple[datetime, str, str]
"""When, of what kind, in which words."""


class ExplainScreen(SheetScreen):
    """Of what was selected when the key was pressed."""

    PLACE: ClassVar[Place] = "explain"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("explain")]

    def __init__(self, session: Session, subject: Subject) -> None:
        super().__init__(session)
        self._subject = subject
        feed, clock, channel_id = session.feed, session.clock, subject.channel_id
        self._why: Polled[Explanation] = Polled(
            clock, None if channel_id is None else partial(feed.explain, channel_id), EVERY_S
        )
        self._where: Polled[Placement] = Polled(
            clock,
            None if channel_id is None or subject.at is not None else partial(feed.placement, channel_id),
            EVERY_S,
        )
        asks_history = channel_id is None and (subject.node_id or subject.recorder_id)
        self._history: Polled[Page[HistoryEvent]] = Polled(
            clock,
            partial(feed.history_page, channel_id=subject.recorder_id, node_id=subject.node_id, limit=MOST)
            if asks_history
            else None,
            EVERY_S,
        )

    def polls(self) -> Sequence[Question]:
        return tuple(poll for poll in (self._why, self._where, self._history) if poll.asks)

    def title_parts(self) -> Sequence[Part]:
        palette = self.session.palette
        return [("explain ", palette.dim), (self._subject.title, palette.strong)]

    def column_heads(self, width: int) -> Sequence[Part]:
        return [(" THE CHAIN, THE NEWEST FIRST", self.session.palette.dim)]

    def sheet_rows(self) -> Sequence[Row]:
        width = max(20, self.sheet.size.width)
        lines = self._lines(width)
        if self.is_stale:  # what it says of now was so then
            lines = [[(text, self.session.palette.dim) for text, _ in parts] for parts in lines]
        return [Row(key, partial(_draw, tuple(parts))) for key, parts in zip(_keys(lines), lines, strict=True)]

    def tick(self) -> None:
        """What was scrolled to stays where it is when something newer comes above it."""
        before = self.sheet.cursor
        super().tick()
        after = self.sheet.cursor
        if before is not None and after is not None and before != after and self.sheet.scroll_offset.y:
            self.sheet.scroll_relative(y=after - before, animate=False)

    def footer_words(self) -> dict[str, str | None]:
        return {"explain": None}

    def _lines(self, width: int) -> list[list[Part]]:
        palette = self.session.palette
        made: list[list[Part]] = [[(" WHAT IT SAYS ITSELF", palette.strong)]]
        for fact in self._subject.facts:
            made += prose(fact, palette.text, width, most=4)
        why, events = self._why.value, self._history.value
        if why is not None:
            title = " WHAT WAS DECIDED OR REFUSED, AND WHY" if why.kept else " WHAT THIS SUPERVISOR REMEMBERS"
            made.append([(title, palette.strong)])
            said: list[_Said] = [(one.at, one.kind, one.sentence) for one in why.decisions]
            said += [(one.at, one.outcome, refusal_words(one)) for one in why.refusals]
            made += self._told(said, width) + self._outputs(why, width)
        if events is not None:
            made.append([(" WHAT HAPPENED", palette.strong)])
            made += self._told([(one.at, one.kind, one.text) for one in reversed(events.items)], width)
        return made + self._places(width)

    def _told(self, said: Sequence[_Said], width: int) -> list[list[Part]]:
        """The newest first: what one looks for has just happened, and stands in sight without a key. ``said`` has the
        oldest first where several are of one instant."""
        palette, at = self.session.palette, self._subject.at
        near = [one for one in reversed(said) if at is None or abs(one[0] - at) <= AROUND]
        near = sorted(near, key=lambda one: one[0], reverse=True)[:MOST]
        made: list[list[Part]] = []
        for when, kind, text in near:
            style = (
                palette.warning
                if kind in ("alarm", "refused", "failed")
                else palette.text
                if kind == "decision"
                else palette.dim
            )
            mark = "" if kind == "decision" else f"{kind}: "
            stamp = f" {self.session.clock.local(when):%H:%M:%S} "
            made += prose(f"{mark}{text}", style, width - 8, first=stamp, rest=" " * 10, most=4)
        if not near:
            words = "nothing is kept" if at is None else "nothing is kept of the ten minutes around it"
            made.append([(f" {words}", palette.dim)])
        return made

    def _outputs(self, why: Explanation, width: int) -> list[list[Part]]:
        palette = self.session.palette
        made: list[list[Part]] = []
        if why.outputs:
            made.append([(" WHAT BECOMES OF ITS OUTPUTS WHEN ITS NODE IS SILENT", palette.strong)])
        for one in why.outputs:
            made += prose(f"{one.kind} {one.url}".rstrip() + f": {one.words}", palette.dim, width)
        if why.hold_failover_by:
            made += prose(f"Failover is held by {why.hold_failover_by}: it is not moved.", palette.warning, width)
        return made

    def _places(self, width: int) -> list[list[Part]]:
        palette, where = self.session.palette, self._where.value
        if where is None:
            return []
        made: list[list[Part]] = [[(" WHERE ELSE IT COULD BE", palette.strong)]]
        for one in where.candidates:
            if one.here:
                continue
            if one.why_not:
                made += prose(f"not {one.node_name}: {one.why_not}", palette.dim, width)
            else:
                made.append([(f" {palette.glyphs.done} {one.node_name}, now", palette.text)])
            for path, reason in sorted(one.missing.items())[:2]:
                made.append([(f"   missing there: {path}: {reason}", palette.dim)])
        if len(made) == 1:
            made.append([(" there is no other node", palette.dim)])
        if where.why_not:
            kept = f"Nobody can move it by hand now: {where.why_not}. {where.hint}".rstrip()
            made += prose(kept, palette.warning, width)
        return made


def _keys(lines: Sequence[Sequence[Part]]) -> list[str]:
    """One of each line, by its words: it stays the same when lines come above it."""
    known: Counter[str] = Counter()
    made: list[str] = []
    for parts in reversed(lines):
        words = "".join(text for text, _ in parts)
        known[words] += 1
        made.append(f"{words} {known[words]}")
    return made[::-1]


def _draw(parts: tuple[Part, ...], width: int, ground: Style) -> Strip:
    return line(width, ground, parts)
