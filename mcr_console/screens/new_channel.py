"""The first ten minutes: a name, a format, a folder and an output make a channel that is on air."""

from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.suggester import SuggestFromList
from textual.widgets import Button, Input, Label

from mcr_console.client import ClientError
from mcr_console.faults import Guarded
from mcr_console.formats import parse_format, parse_output
from mcr_console.safe_text import safe
from mcr_console.screens.modal import OwnModal
from mcr_console.session import Session
from mcr_console.widgets.field import Field
from supervisor.schemas.channel import Channel, ChannelIn
from supervisor.schemas.playlist import ImportResult, PlaylistImport

FORMATS: Final = tuple(f"{height}p{rate}" for height in (720, 1080) for rate in ("25", "50", "29.97", "59.94"))
"""What the field completes to; every format that ``parse_format`` reads may be typed."""
FIELDS: Final = ("name", "folder", "format", "output")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the fields ask for."""

    channel: ChannelIn
    source: PlaylistImport


def wanted_of(name: str, folder: str, written: str, outputs: str) -> Wanted:
    """``outputs`` stand apart by spaces; none is HLS. Raises ValueError with the sentence to show."""
    name, folder = name.strip(), folder.strip()
    if not name or not folder:
        raise ValueError("It needs a name and a folder.")
    if not PurePath(folder).is_absolute():
        raise ValueError(
            "Write the folder from its root, as in /srv/clips: the supervisor does not know where you are."
        )
    channel = ChannelIn(
        name=name,
        format=parse_format(written),
        outputs=tuple(parse_output(one) for one in outputs.split() or ["hls"]),
        after_last="loop",
    )
    return Wanted(channel, PlaylistImport(name=name, source="folder", path=folder))


class CreateScreen(Guarded, OwnModal[str | None]):
    """A channel that plays a folder: import, create, start. Dismissed with the new channel's id, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel")]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._at_work = False

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Label(
                Text.assemble("New channel", ("   Enter goes on, Shift-Tab back, Esc leaves", "not bold")),
                id="question",
            )
            yield Label("Name")
            yield Field(id="name", placeholder="News 24", then="folder")
            yield Label("Folder of clips, on the supervisor's machine; it plays in a loop")
            yield Field(id="folder", placeholder="/srv/clips", then="format")
            yield Label("Format: height, p, and a rate of 25, 50, 29.97 or 59.94")
            yield Field(
                "720p25",
                id="format",
                placeholder="720p25",
                suggester=SuggestFromList(FORMATS, case_sensitive=False),
                then="output",
            )
            yield Label("Outputs, apart by spaces: hls udp://HOST:PORT srt://… rtmp://…")
            # Not Cancel, which comes first by Tab: one more Enter would lose what was typed.
            yield Field("hls", id="output", placeholder="hls", then="do")
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="cancel")
                yield Button("Create and start", id="do")
            yield Label("", id="progress")

    def on_mount(self) -> None:
        """Begin with the name."""
        self.query_one("#name", Input).focus()

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        if self._at_work:
            self._session.message = "the folder is being read; what is made stays made"
        self.dismiss(None)

    @on(Button.Pressed, "#do")
    def _create(self) -> None:
        if self._at_work:
            return
        try:
            wanted = wanted_of(*(self.query_one(f"#{field}", Input).value for field in FIELDS))
        except ValueError as error:
            self._say(str(error).splitlines()[0])
            return
        self._at_work = True
        self.run_worker(partial(self._make, wanted), group="create", exit_on_error=False)

    async def _make(self, wanted: Wanted) -> None:
        feed, session = self._session.feed, self._session
        made: Channel | None = None
        try:
            self._say("Reading every clip of the folder; this may take minutes.")
            found = await self._read(wanted.source)
            refused = f" {len(found.refused)} files cannot be used." if found.refused else ""
            self._say(f"{found.playlist.items} clips.{refused} Creating the channel.")
            made = await feed.create_channel(wanted.channel.model_copy(update={"playlist_id": found.playlist.id}))
            await feed.start(made.id)
        except ClientError as error:
            words = f"{error.title}: {error.detail} {error.hint}".strip()
            if made is None:
                self._say(words)
                return
            # It is there: asked again with the same name, a second one would be made.
            session.message = f"{made.name} is made but not started, S starts it. {words}"
            self.dismiss(made.id)
        else:
            session.message = f"{made.number} {made.name} starts; enter opens it"
            self.dismiss(made.id)
        finally:
            self._at_work = False

    async def _read(self, source: PlaylistImport) -> ImportResult:
        """Raises ClientError; the field that it is about is where one goes on then."""
        try:
            return await self._session.feed.import_playlist(source)
        except ClientError:
            if self.is_active:
                self.set_focus(self.query_one("#folder", Input))
            raise

    def _say(self, words: str) -> None:
        if self.is_mounted:
            self.query_one("#progress", Label).update(Text(safe(words)))
