"""The base of all of them, and the plainest one."""

from collections.abc import Callable, Iterable

from rich.cells import cached_cell_len
from rich.segment import Segment
from rich.style import Style
from textual.filter import ANSIToTruecolor
from textual.geometry import Region, Size
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mcr_console.faults import Guarded, sink_of


def changed_parts(before: Strip | None, now: Strip, width: int) -> list[tuple[int, int]]:
    """First cell and number of cells of each part of a line that looks another way: a far terminal is sent no more."""
    if before is now:
        return []
    if before is None or before.cell_length != now.cell_length:
        return [(0, width)]
    was, new = list(before), list(now)
    if was == new:
        return []
    shorter = min(len(was), len(new))
    # Most of a line is the very segments that stood there: told apart without measuring or hashing them.
    begin = next((index for index, (one, other) in enumerate(zip(was, new, strict=False)) if one != other), shorter)
    backwards = enumerate(zip(reversed(was), reversed(new), strict=False))
    end = next((index for index, (one, other) in backwards if one != other), shorter)
    end = min(end, shorter - begin)
    at = first = sum(cached_cell_len(segment.text) for segment in new[:begin])
    known: dict[int, Segment] = {}
    for segment in was[begin : len(was) - end]:
        known[at] = segment
        at += cached_cell_len(segment.text)
    found: list[tuple[int, int]] = []
    at = first
    for segment in new[begin : len(new) - end]:
        cells = cached_cell_len(segment.text)
        if cells and known.get(at) != segment:
            if found and sum(found[-1]) == at:
                found[-1] = (found[-1][0], found[-1][1] + cells)
            else:
                found.append((at, cells))
        at += cells
    return found


class StripView(Guarded, ScrollView, can_focus=False):
    """``paint`` draws the visible lines anew and repaints those that differ from what is on the screen.

    Textual's DataTable repaints every visible cell for one that changed (110 ms for 500 rows); this takes what the
    drawing takes.
    """

    DEFAULT_CSS = """
    StripView { background: transparent; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0; overflow-x: hidden; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._shown: dict[int, Strip] = {}

    def lines_for(self, width: int) -> int:
        """How many lines there are altogether."""
        raise NotImplementedError

    def draw(self, first: int, count: int, width: int) -> list[Strip]:
        """Lines ``first`` to ``first + count`` (exclusive), each ``width`` cells."""
        raise NotImplementedError

    def paint(self) -> None:
        """Called at every tick of the screen, and at once when a key changed something."""
        width, height = self.size
        if width <= 0 or height <= 0:
            return
        wanted = Size(width, max(1, self.lines_for(width)))
        if wanted != self.virtual_size:
            self.virtual_size = wanted
        top = self.scroll_offset.y
        fresh = dict(enumerate(self._safely_drawn(top, height, width), start=top))
        stale = self._shown
        self._shown = fresh
        changed = [
            Region(first, y - top, cells, 1)
            for y, strip in fresh.items()
            for first, cells in changed_parts(stale.get(y), strip, width)
        ]
        if changed:
            self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        """What ``paint`` drew; after a scroll or a resize, what it would draw now."""
        return self._strip_at(y + self.scroll_offset.y, self.size.width)

    def _strip_at(self, line: int, width: int) -> Strip:
        strip = self._shown.get(line)
        if strip is None or strip.cell_length != width:
            self._shown.update(enumerate(self._safely_drawn(line, 1, width), start=line))
            strip = self._shown.get(line, Strip.blank(width))
        return strip

    def render_lines(self, crop: Region) -> list[Strip]:
        """What was drawn, as it is. Textual would go through every cell of a changed line for borders, tints and the
        colours of 24 bits that stand for a terminal's sixteen: no palette has any of them. ``NO_COLOR`` is its to keep.
        """
        if not all(isinstance(one, ANSIToTruecolor) for one in self.get_line_filters()):
            return super().render_lines(crop)
        # Both are worked out by Textual each time they are asked for.
        top, width = self.scroll_offset.y, self.size.width
        lines = (self._strip_at(top + y, width) for y in crop.line_range)
        if (crop.x, crop.width) == (0, width):
            return list(lines)
        return [one.crop(crop.x, crop.right) for one in lines]

    def on_resize(self) -> None:
        """A new width is a new drawing."""
        self._shown = {}
        self.paint()

    def on_mount(self) -> None:
        """The first drawing."""
        self.call_after_refresh(self.paint)

    def show_line(self, first: int, count: int = 1) -> None:
        """Scrolls so far that these lines are seen."""
        top, height = self.scroll_offset.y, self.size.height
        if first < top:
            self.scroll_to(y=first, animate=False)
        elif first + count > top + height:
            self.scroll_to(y=first + count - height, animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Textual's own, and other lines are now to be drawn."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._shown = {}
            self.paint()

    def _safely_drawn(self, first: int, count: int, width: int) -> list[Strip]:
        try:
            return self.draw(first, count, width)
        except Exception as error:
            sink_of(self).report_fault(f"{type(self).__name__}.draw", error)
            return [
                Strip([Segment("! this part cannot be drawn".ljust(width)[:width], Style(reverse=True))], width)
            ] * count


def draw_at_once(screen: Screen[object], views: Iterable[StripView]) -> None:
    """Sends what ``views`` painted. Textual would hear of it when it has nothing else to do, and then wait for its next
    sixtieth of a second, which is later still where others want the core.

    By the insides of 8.2, as ``changed_cells`` is: a view that was sent says no more that it wants to be. Those that
    painted nothing are left out, as one that is not seen makes Textual arrange the whole screen anew.
    """
    for view in views:
        if view._repaint_required and view.is_attached and view.display:  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - see above
            view._repaint_required = False  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - see above
            screen._dirty_widgets.add(view)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - see above
    screen._on_timer_update()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - see above


class Panel(StripView):
    """Shows what a function draws for (width, height). With ``grows`` it is as high as what was drawn."""

    def __init__(
        self,
        source: Callable[[int, int], list[Strip]],
        *,
        grows: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._source = source
        self._grows = grows

    def lines_for(self, width: int) -> int:
        return self.size.height

    def draw(self, first: int, count: int, width: int) -> list[Strip]:
        return self._source(width, self.size.height)[first : first + count]

    def paint(self) -> None:
        if self._grows:
            width = self.size.width or self.app.size.width  # pyright: ignore[reportUnknownMemberType] - App is generic
            wanted = len(self._source(width, self.size.height))
            self.display = wanted > 0
            if wanted and self.styles.height is not None and self.styles.height.value != wanted:
                self.styles.height = wanted
        super().paint()
