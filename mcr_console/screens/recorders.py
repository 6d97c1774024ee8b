"""The recorders: what each does, what comes, and what it has recorded. Start and stop are armed."""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from rich.style import Style
from textual.binding import BindingType
from textual.strip import Strip

from mcr_console.clock import Clock
from mcr_console.drawing.recorder_rows import elapsed, input_words, recorder_heads, recorder_page, render_recorder
from mcr_console.drawing.strips import Part, line
from mcr_console.keys import Place, bindings
from mcr_console.palette import Palette
from mcr_console.polled import Polled
from mcr_console.polled import Question as Asked
from mcr_console.screens.armed import ArmedScreen
from mcr_console.screens.arming import Question
from mcr_console.session import Session
from mcr_console.subjects import Subject, of_recorder
from mcr_console.widgets.sheet import Row
from supervisor.schemas.recorder import RecordedFile, Recorder
from supervisor.schemas.schedule import Schedule

RECORDERS_S = 1.0
SCHEDULES_S = 15.0
FILES_S = 10.0


class RecordersScreen(ArmedScreen):
    """A row a recorder; beside it its page."""

    PLACE: ClassVar[Place] = "recorders"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("recorders")]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        feed, clock = session.feed, session.clock
        self._recorders = Polled(clock, feed.recorders, RECORDERS_S)
        self._schedules = Polled(clock, feed.schedules, SCHEDULES_S)
        self._files: Polled[tuple[RecordedFile, ...]] = Polled(clock, None, FILES_S)
        self._files_of: str | None = None

    def polls(self) -> Sequence[Asked]:
        return (self._recorders, self._schedules, self._files)

    def title_parts(self) -> Sequence[Part]:
        palette, known = self.session.palette, self._recorders.value or ()
        busy = sum(one.live.state == "recording" for one in known)
        counted = "" if self._recorders.value is None else f"  {len(known)}, {busy} recording"
        return [("recorders", palette.dim), (counted, palette.dim)]

    def column_heads(self, width: int) -> Sequence[Part]:
        return recorder_heads(self.session.palette)

    def sheet_rows(self) -> Sequence[Row]:
        session = self.session
        palette = session.palette
        known = self._recorders.value
        rows = [
            Row(one.id, partial(_draw, one, self._coming(one), session.clock, palette, self.is_stale))
            for one in known or ()
        ]
        if not rows:
            words = "" if known is None else " No recorder yet. In a shell: mcr recorder add NAME INPUT"
            rows.append(Row(None, lambda width, ground: line(width, ground, [(words, palette.dim)])))
        return rows

    def tick(self) -> None:
        selected = self.recorder
        wanted = None if selected is None else selected.id
        if wanted != self._files_of:
            self._files_of = wanted
            feed = self.session.feed
            self._files.about(None if wanted is None else lambda: feed.recordings(wanted))
        super().tick()

    def detail_lines(self, width: int) -> Sequence[Sequence[Part]]:
        one, session = self.recorder, self.session
        if one is None:
            return ()
        return recorder_page(one, self._coming(one), self._files.value, width, session.clock, session.palette)

    @property
    def recorder(self) -> Recorder | None:
        """The one under the cursor."""
        return next((one for one in self._recorders.value or () if one.id == self.selected), None)

    def subject(self) -> Subject | None:
        return None if self.recorder is None else of_recorder(self.recorder)

    def footer_words(self) -> dict[str, str | None]:
        one = self.recorder
        on = one is not None and one.desired == "on"
        return {
            "record": None if one is None or on else f"record {one.name}",
            "end_recording": f"stop {one.name}" if one is not None and on else None,
            "recorders": None,
        }

    def record(self) -> None:
        """Starts the selected one."""
        one = self.recorder
        if one is None or one.desired == "on":
            self.session.message = "it is to record already" if one is not None else "no recorder is selected"
            return
        lines = (f"It records {input_words(one)} until somebody stops it.",)
        question = Question(f"Start the recorder {one.name}?", lines, f"Record {one.name}")
        feed = self.session.feed
        self.arm(question, lambda: self._essence(one.id), lambda _: feed.start_recorder(one.id), f"{one.name} starts")

    def end_recording(self) -> None:
        """Stops the selected one."""
        one = self.recorder
        if one is None or one.desired == "off":
            self.session.message = "it is off already" if one is not None else "no recorder is selected"
            return
        what = f"{one.live.title or one.live.path}, {elapsed(one.live)}" if one.live.path else "nothing yet"
        lines = (f"Recorded now: {what}", "What its schedules want just now is not begun again.")
        question = Question(f"Stop the recorder {one.name}?", lines, f"Stop {one.name}")
        feed = self.session.feed
        self.arm(question, lambda: self._essence(one.id), lambda _: feed.stop_recorder(one.id), f"{one.name} stops")

    def done_again(self) -> None:
        for poll in (self._recorders, self._schedules, self._files):
            poll.again()

    def _coming(self, one: Recorder) -> Sequence[Schedule]:
        mine = [it for it in self._schedules.value or () if it.recorder_id == one.id and it.next_start_at is not None]
        return sorted(mine, key=lambda it: it.next_start_at or self.session.clock.now())

    def _essence(self, recorder_id: str) -> object:
        found = next((one for one in self._recorders.value or () if one.id == recorder_id), None)
        return None if found is None else (found.rev, found.desired, found.live.epoch, found.live.path)


def _draw(
    one: Recorder, coming: Sequence[Schedule], clock: Clock, palette: Palette, stale: bool, width: int, ground: Style
) -> Strip:  # fmt: skip
    return render_recorder(one, coming, clock, width, ground, palette, stale=stale)
