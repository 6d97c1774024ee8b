"""What stands where the channels would be while there is none to be seen: why, and what to do."""

from textual.strip import Strip

from mcr_console.drawing.strips import Part, blank, line
from mcr_console.session import Session
from mcr_console.widgets.strip_view import Panel


class EmptyWall(Panel):
    """On the wall and in the list."""

    def __init__(self, session: Session) -> None:
        super().__init__(self._draw_empty, id="empty")
        self._session = session

    def _draw_empty(self, width: int, height: int) -> list[Strip]:
        session, palette = self._session, self._session.palette
        rows: list[list[Part]]
        if session.wall.loaded and session.wall.order:
            rows = [
                [(f"No channel matches {session.filter_text!r}.", palette.strong)],
                [("esc clears the filter.", palette.dim)],
            ]
        elif session.wall.loaded:
            rows = [
                [("No channels yet.", palette.strong)],
                [],
                [
                    (" c ", palette.key_block),
                    ("  new channel: a name and a folder of clips is all it takes", palette.text),
                ],
                [
                    (" ? ", palette.key_block),
                    ("  the desk in one page", palette.text),
                ],
                [],
                [("or in a shell:", palette.dim)],
                [("mcr channel add NAME --from FOLDER --format 1080p25 --start", palette.text)],
            ]
        else:
            rows = [[(f"Waiting for the supervisor at {session.feed.where}", palette.text)]]
            if session.wall.link.reason:
                rows.append([(session.wall.link.reason, palette.warning)])
            if session.wall.link.hint:
                rows.append([(session.wall.link.hint, palette.dim)])
        top = max(0, (height - len(rows)) // 3)
        strips = [blank(width, palette.ground)] * top
        strips.extend(line(width, palette.ground, [("    ", palette.ground), *row]) for row in rows)
        return (strips + [blank(width, palette.ground)] * height)[:height]
