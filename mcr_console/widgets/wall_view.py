"""The wall: every channel as a tile, the focused one framed."""

from dataclasses import dataclass

from rich.segment import Segment
from textual import events
from textual.strip import Strip

from mcr_console.drawing.grid import Grid, grid_for
from mcr_console.drawing.kept import Kept
from mcr_console.drawing.strips import blank
from mcr_console.drawing.tile import picture_size, render_tile
from mcr_console.session import Session
from mcr_console.widgets.strip_view import StripView

FOCUS_WORD = " FOCUS "


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """What a line across the tiles is made of. ``framed``: the column of the focused tile, where it is in this row."""

    parts: list[Strip]
    framed: int | None
    width: int
    grid: Grid

    def is_same(self, other: "_Made") -> bool:
        """A tile that looks alike is the same object; one of another palette is another."""
        return (
            (self.framed, self.width, self.grid) == (other.framed, other.width, other.grid)
            and len(self.parts) == len(other.parts)
            and all(one is two for one, two in zip(self.parts, other.parts, strict=True))
        )


class WallView(StripView):
    """Draws the visible rows of tiles, and tells the thumbnails which channels are in sight."""

    def __init__(self, session: Session) -> None:
        super().__init__(id="wall")
        self._session = session
        self._kept: Kept[list[Strip]] = Kept()
        self._across_kept: dict[int, tuple[_Made, Strip]] = {}

    @property
    def grid(self) -> Grid:
        """Columns and sizes for the present size and number of channels."""
        return grid_for(len(self._session.visible()), *self.size)

    def lines_for(self, width: int) -> int:
        return self.grid.total_height

    def draw(self, first: int, count: int, width: int) -> list[Strip]:
        shown = self._session.visible()
        grid = self.grid
        place = self._focus_place(grid)
        strips: list[Strip] = []
        rows: dict[int, list[list[Strip]]] = {}
        for line in range(first, first + count):
            row, offset = divmod(line, grid.pitch)
            if offset == 0 or row >= grid.rows:
                strips.append(self._gap(line, grid, width, place))
                continue
            if row not in rows:
                rows[row] = [self._tile(id_, grid) for id_ in shown[row * grid.columns : (row + 1) * grid.columns]]
            framed = place[1] if place is not None and place[0] == row else None
            strips.append(self._line(line, _Made([tile[offset - 1] for tile in rows[row]], framed, width, grid)))
        if count > 1:
            self._kept.prune()
            self._across_kept = {y: kept for y, kept in self._across_kept.items() if first <= y < first + count}
        return strips

    def show_focus(self) -> None:
        """Scrolls the focused tile and its frame into sight."""
        grid = self.grid
        place = self._focus_place(grid)
        if place is None:
            return
        pitch, height, row = grid.pitch, self.size.height, place[0]
        top = self.scroll_offset.y
        whole = max(1, (height - 1) // pitch)
        if row * pitch < top or (row + 1) * pitch + 1 > top + height:
            # Whole rows of tiles: half a tile at the top would look like another state.
            first = row if row * pitch < top else max(0, row - whole + 1)
            self.scroll_to(y=first * pitch, animate=False)

    def on_resize(self) -> None:
        """Other lines may be seen: the focused tile stays among them."""
        super().on_resize()
        self.show_focus()

    def in_sight(self) -> list[str]:
        """Ids of the channels whose tiles are at least partly visible."""
        grid, top = self.grid, self.scroll_offset.y
        rows = range(top // grid.pitch, (top + max(1, self.size.height) - 1) // grid.pitch + 1)
        return [id_ for row in rows for id_ in self._session.visible()[row * grid.columns : (row + 1) * grid.columns]]

    def on_click(self, event: events.Click) -> None:
        """Focuses the tile; a click alone never touches air."""
        grid = self.grid
        row, column = (event.y + self.scroll_offset.y) // grid.pitch, event.x // (grid.width + 1)
        index = row * grid.columns + column
        shown = self._session.visible()
        if column < grid.columns and 0 <= index < len(shown):
            self._session.focus = shown[index]
            self.paint()

    def _tile(self, channel_id: str, grid: Grid) -> list[Strip]:
        palette = self._session.palette
        size = grid.width, grid.height
        view = self._session.tile(channel_id, picture_size(*size, palette))
        return self._kept.get(view, size, palette, lambda: render_tile(view, *size, palette))

    def _focus_place(self, grid: Grid) -> tuple[int, int] | None:
        shown, focus = self._session.visible(), self._session.focus
        if focus is None or focus not in shown:
            return None
        return divmod(shown.index(focus), grid.columns)

    def _line(self, line: int, made: "_Made") -> Strip:
        """The very strip that stood there where its tiles are the very ones: nothing of it is then looked at again."""
        known = self._across_kept.get(line)
        if known is not None and known[0].is_same(made):
            return known[1]
        strip = self._across(made)
        self._across_kept[line] = (made, strip)
        return strip

    def _across(self, made: "_Made") -> Strip:
        palette = self._session.palette
        side = Segment(palette.glyphs.frame[3], palette.ground + palette.frame)
        gap = Segment(" ", palette.ground)
        segments: list[Segment] = []
        for column, part in enumerate(made.parts):
            segments.append(side if made.framed is not None and column in {made.framed, made.framed + 1} else gap)
            segments.extend(part)
        segments.append(side if made.framed == len(made.parts) - 1 else gap)
        used = len(made.parts) * (made.grid.width + 1) + 1
        if used < made.width:
            segments.append(Segment(" " * (made.width - used), palette.ground))
        return Strip(segments, max(used, made.width)).crop(0, made.width)

    def _gap(self, line: int, grid: Grid, width: int, place: tuple[int, int] | None) -> Strip:
        palette = self._session.palette
        if place is None or line not in {place[0] * grid.pitch, (place[0] + 1) * grid.pitch}:
            return blank(width, palette.ground)
        frame = palette.glyphs.frame
        upper = line == place[0] * grid.pitch
        left, right = (frame[0], frame[2]) if upper else (frame[4], frame[5])
        word = FOCUS_WORD if upper else ""
        edge = f"{left}{frame[1]}{word}{frame[1] * (grid.width - 1 - len(word))}{right}"
        before = place[1] * (grid.width + 1)
        style = palette.ground + palette.frame
        return Strip(
            [
                Segment(" " * before, palette.ground),
                Segment(edge, style),
                Segment(" " * max(0, width - before - len(edge)), palette.ground),
            ]
        ).crop(0, width)
