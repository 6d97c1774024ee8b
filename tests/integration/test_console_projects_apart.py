"""No screen of the console tells a second project's operator of the first's; what is withdrawn is gone from it (P7)."""

import asyncio
import html
import zipfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mcr_console.app import McrApp
from mcr_console.client import Client
from mcr_console.palette import truecolor
from tests.console.conftest import screen_text
from tests.fixtures.people import person
from tests.fixtures.projects import project_of
from tests.fixtures.running import Running, eventually
from tests.fixtures.small_clips import make_small_clip

SECRET, OWN = "Canary", "Plainly"
"""In every name and text of the first and of the second project."""
STEPS = (
    ("wall", ("w",), f"{OWN} chann"),
    ("list", ("l",), f"{OWN} chann"),
    ("the number of another", ("colon", *"ch", "space", "1", "enter"), "no channel 1"),
    ("filter", ("slash", *"cana"), "node; ! is not: cana"),
    ("palette", ("escape", "ctrl+p"), "attention"),
    ("command line", ("escape", "colon", "c"), ":c"),
    ("help", ("escape", "question_mark"), "STANDBY"),
    ("channel", ("escape", "2", "enter"), "DURATION"),
    ("insert", ("i", *"clip"), f"{OWN} clip"),
    ("edit", ("escape", "G", "enter"), f"{OWN} end"),
    ("import", ("escape", "ctrl+o"), "Import a list"),
    ("stop", ("escape", "X"), "OFF AIR?"),
    ("failover", ("escape", "P"), "no other node"),
    ("why a channel", ("escape", "e"), f"{OWN} decided"),
    ("as-run", ("escape", "r"), f"{OWN} slate"),
    ("as-run of all", ("o",), f"{OWN} slate"),
    ("attention", ("escape", "f6"), "NEEDS YOU NOW"),
    ("shelving", ("z",), "Minutes"),
    ("nodes", ("escape", "f7"), "It plays channels of yours"),
    ("why a node", ("e",), "here"),
    ("recorders", ("escape", "f8"), f"{OWN} recorder"),
    ("why a recorder", ("e",), f"{OWN} recorder"),
    ("handover", ("escape", "f9"), f"{OWN} note"),
    ("incident bundle", ("ctrl+r",), "incident bundle: "),
    ("new channel", ("escape", "w", "c"), "New channel"),
    ("the channel again", ("escape", "enter"), "ON AIR"),
)  # fmt: skip
"""Each screen and dialog, the keys that lead there from the one before, and what shows that its answers have come."""


class Console:
    """The app as its operator has it before them."""

    def __init__(self, app: McrApp, press: Callable[..., Awaitable[None]]) -> None:
        self.app = app
        self.press = press

    def text(self) -> str:
        return screen_text(self.app)

    async def shows(self, words: str, *, gone: str = "\0") -> str:
        """The whole of the screen once it shows ``words``, and no ``gone``."""

        async def look() -> str | None:
            await asyncio.sleep(0.1)  # a look costs as much as a picture
            self.app.tick()
            text = self.text()
            return text if words in text and gone not in text else None

        try:
            return await eventually(look, words, 30.0)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.text()}") from error


@asynccontextmanager
async def console_of(supervisor: Running, token: str) -> AsyncGenerator[Console, None]:
    async with Client.at(url=f"http://{supervisor.host}:{supervisor.port}", token=token) as client:
        app = McrApp(client.sit("b" * 32, "desk 2"), palette=truecolor())
        async with app.run_test(size=(140, 40)) as pilot:
            yield Console(app, pilot.press)
        assert not app.faults


def clips(folder: Path, word: str) -> Path:
    folder.mkdir()
    make_small_clip(folder / f"{word} clip.mp4")
    return folder


async def on_air(supervisor: Running, word: str, folder: Path) -> dict[str, str]:
    """A project whose channel plays, with a clip that no list names."""
    made = await project_of(supervisor, word)
    source = {"name": f"{word} more", "source": "folder", "path": str(folder), "project_id": made["project_id"]}
    await supervisor.call("POST", "/playlists/import", json=source)
    slates = [{"kind": "slate", "title": f"{word} {what}", "slate_frames": 25} for what in ("slate", "first")]
    end = {"kind": "slate", "title": f"{word} end", "slate_frames": 100_000}
    listed = {"revision": 2, "at": 1, "items": [*slates, end]}
    await supervisor.call("POST", f"/playlists/{made['playlist_id']}/items", json=listed)
    outputs = [{"kind": "hls"}, {"kind": "rtmp", "url": f"rtmp://127.0.0.1/live/{word}"}]
    values = {"format": {"width": 128, "height": 72, "rate": "25"}, "outputs": outputs}
    await supervisor.call("PATCH", f"/channels/{made['channel_id']}", json=values, rev=1)
    await supervisor.call("POST", f"/channels/{made['channel_id']}/start")
    return made


async def test_no_screen_tells_of_another_project_and_what_is_withdrawn_is_gone_from_it(
    supervisor: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCR_HOME", str(tmp_path / "home"))
    theirs = await on_air(supervisor, SECRET, clips(tmp_path / SECRET, SECRET))
    mine = await on_air(supervisor, OWN, clips(tmp_path / OWN, OWN))
    bob, token = await person(supervisor, "bob", "operator", {mine["project_id"]: ("operate", "edit")})
    _, other = await person(supervisor, f"{SECRET}-ann", "operator", {theirs["project_id"]: ("operate", "edit")})
    async with supervisor.tcp_client({"Authorization": f"Bearer {other}", "X-MCR-Session": "a" * 32}) as ann:
        assert (await ann.post(f"/api/v1/channels/{theirs['channel_id']}/control", json={})).is_success
    async with console_of(supervisor, token) as console:
        await console.shows("ON AIR")
        for name, keys, words in STEPS:
            await console.press(*keys)
            text = await console.shows(words)
            assert SECRET.lower() not in text.lower(), name
            assert SECRET.lower() not in html.unescape(console.app.export_screenshot()).lower(), name
        [bundle] = (tmp_path / "home" / "incidents").iterdir()
        with zipfile.ZipFile(bundle) as parts:
            for part in parts.namelist():
                assert SECRET not in parts.read(part).decode(), part
            for part in ("channels.json", "as-run.jsonl"):
                assert OWN in parts.read(part).decode(), part

        # Another may see it no longer, while it looks at it.
        await supervisor.call("DELETE", f"/principals/{bob}/projects/{mine['project_id']}")
        gone = await console.shows("channel is gone", gone=OWN)
        assert "ON AIR" not in gone
        await console.press("w")
        assert "ON AIR" not in await console.shows("No channels yet", gone=OWN)
