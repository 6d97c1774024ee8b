"""A revised list of a traffic system: first its difference, then, by the same key, done."""

from functools import partial
from pathlib import PurePath
from typing import ClassVar, Final

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.strip import Strip
from textual.widgets import Input, Label

from mcr_console.client import ApiProblem, ClientError
from mcr_console.drawing.strips import blank, line
from mcr_console.faults import Guarded
from mcr_console.palette import Palette
from mcr_console.safe_text import safe
from mcr_console.screens.edit_base import STALE, field
from mcr_console.screens.modal import OwnModal
from mcr_console.session import Session
from mcr_console.widgets.strip_view import Panel
from supervisor.schemas.channel import Rundown
from supervisor.schemas.playlist import PlaylistRevise, Revision, RevisionChange

SIGNS: Final = {"kept": " ", "inserted": "+", "removed": "-", "moved": ">", "changed": "~", "locked": "!"}
"""What stands before each line of a difference, as on the command line."""
SOURCES: Final = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".json": "json", ".m3u": "m3u", ".m3u8": "m3u", ".xml": "bxf",
    ".bxf": "bxf", "": "folder",
}  # fmt: skip


def revision_of(path: str, rundown: Rundown) -> PlaylistRevise:
    """What is asked of a list at ``path``. Raises ValueError with the sentence to show."""
    written = path.strip()
    if not PurePath(written).is_absolute():
        raise ValueError(
            "Write the file from its root, as in /srv/lists/monday.csv: it is of the supervisor's machine."
        )
    source = SOURCES.get(PurePath(written).suffix.lower())
    if source is None:
        raise ValueError(f"A list is .csv, .json, .m3u, .bxf or .xml, or a folder of clips, not {written!r}.")
    return PlaylistRevise.model_validate(
        {"revision": rundown.revision, "source": source, "path": written, "channel_id": rundown.channel_id}
    )


class ImportScreen(Guarded, OwnModal[Revision | None]):
    """Enter compares; Enter again, while the text is the same, changes the list. Dismissed with what was done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("up", "scroll(-1)", show=False),
        Binding("down", "scroll(1)", show=False),
        Binding("pageup", "scroll(-9)", show=False),
        Binding("pagedown", "scroll(9)", show=False),
    ]
    DEFAULT_CSS = """
    ImportScreen { align: center bottom; }
    ImportScreen #edit { width: 100%; max-width: 124; height: auto; padding: 0 1; background: $surface;
                         border: heavy $foreground; margin: 0 0 1 0; }
    ImportScreen .field { height: 1; }
    ImportScreen .field Label { width: 8; }
    ImportScreen .field Input { width: 1fr; }
    ImportScreen #difference { height: 11; margin: 1 0 0 0; }
    ImportScreen #says { width: 100%; height: 2; color: $warning; }
    """

    def __init__(self, session: Session, rundown: Rundown, path: str = "") -> None:
        super().__init__()
        self._session = session
        self._rundown = rundown
        self._path = path
        self._shown: tuple[str, Revision] | None = None
        self._top = 0
        self._at_work = False

    def compose(self) -> ComposeResult:
        with Vertical(id="edit"):
            yield Label("Import a list over this one: what aired, is on air, cued or due at once stays", id="question")
            with Horizontal(classes="field"):
                yield Label("File")
                yield field("path", self._path, "/srv/lists/monday.csv, .json, .m3u, .bxf, or a folder")
            yield Panel(self._draw, id="difference")
            yield Label("", id="says")
            yield Label(Text("Enter shows what it changes, Enter again does it   ↑ ↓ scroll   Esc leaves"), id="keys")

    def on_mount(self) -> None:
        """A path that came with the command is compared at once."""
        self.query_one("#path", Input).focus()
        if self._path:
            self._go()

    def on_input_submitted(self) -> None:
        """The same key compares and then does."""
        self._go()

    def action_cancel(self) -> None:
        self.dismiss(None)

    def action_scroll(self, step: int) -> None:
        """Through a long difference."""
        self._top = max(0, min(len(self._lines()) - 1, self._top + step))
        self.query_one("#difference", Panel).paint()

    def _go(self) -> None:
        path = self.query_one("#path", Input).value
        if self._at_work:
            return
        try:
            asked = revision_of(path, self._rundown)
        except ValueError as error:
            self._say(str(error).splitlines()[0])
            return
        shown = self._shown
        is_shown = shown is not None and shown[0] == path and shown[1].playlist.revision == self._rundown.revision
        self._at_work = True
        self._say("Changing the list." if is_shown else "Comparing; files that are new are looked at.")
        self.run_worker(partial(self._ask, path, asked, do=is_shown), group="edit", exit_on_error=False)

    async def _ask(self, path: str, asked: PlaylistRevise, *, do: bool) -> None:
        playlist_id = self._rundown.playlist_id
        if playlist_id is None:
            self._say("This channel has no list: mcr playlist play gives it one.")
            self._at_work = False
            return
        try:
            found = await self._session.feed.revise_playlist(playlist_id, asked, dry_run=not do)
        except ClientError as error:
            await self._refused(error)
            return
        finally:
            self._at_work = False
        if do:
            self.dismiss(found)
            return
        self._shown, self._top = (path, found), 0
        told = [f"{len(found.refused)} lines cannot be used" if found.refused else ""]
        told.append(f"{len(found.missing)} clips have not come" if found.missing else "")
        changes = sum(change.verdict not in {"kept", "locked"} for change in found.changes)
        told.append(f"{changes} changes, Enter does them" if changes else "nothing would change")
        self._say("; ".join(filter(None, told)))
        self.query_one("#difference", Panel).paint()

    async def _refused(self, error: ClientError) -> None:
        self._shown = None
        if isinstance(error, ApiProblem) and error.code in STALE:
            was = self._rundown.revision
            try:
                self._rundown = await self._session.feed.rundown(self._rundown.channel_id or "")
            except ClientError as trouble:
                error = trouble
            else:
                now = self._rundown.revision
                self._say(f"Somebody edited this list: revision {was} is now {now}. Enter compares with that one.")
                return
        self._say(f"{error.title}: {error.detail} {error.hint}".strip())

    def _say(self, words: str) -> None:
        if self.is_mounted:
            self.query_one("#says", Label).update(Text(safe(words)))

    def _lines(self) -> list[tuple[str, Style]]:
        palette = self._session.palette
        if self._shown is None:
            return []
        found = self._shown[1]
        kept = sum(change.verdict == "kept" for change in found.changes)
        lines = [_change(change, palette) for change in found.changes if change.verdict != "kept"]
        lines += [(f"! {words}", palette.warning) for words in (*found.refused, *found.warnings)]
        lines += [(f"! no clip yet: {house_id}", palette.warning) for house_id in found.missing]
        return [*lines, (f"  {kept} kept as they are", palette.dim)]

    def _draw(self, width: int, height: int) -> list[Strip]:
        palette = self._session.palette
        rows = [line(width, palette.ground, [(words, style)]) for words, style in self._lines()[self._top :][:height]]
        return (rows + [blank(width, palette.ground)] * height)[:height]


def _change(change: RevisionChange, palette: Palette) -> tuple[str, Style]:
    start = f"{change.planned_start:%H:%M:%S}Z " if change.planned_start else ""
    house = f" ({change.house_id})" if change.house_id else ""
    what = f": {change.what}" if change.what else ""
    style = {"locked": palette.warning, "removed": palette.dim}.get(change.verdict, palette.text)
    return f"{SIGNS[change.verdict]} {change.verdict:8} {start}{change.title}{house}{what}", style
