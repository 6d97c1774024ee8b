"""What the console's own client sends, against a real supervisor: its screens are otherwise tried with a double of it,
which takes whatever it is given."""

import pytest

from mcr_console.client import Client
from supervisor.schemas.handover import ShiftNoteIn
from supervisor.schemas.playlist import ItemIn, ItemPatch
from supervisor.schemas.rundown_edit import (
    AnyEdit,
    ChangeEdit,
    DuplicateEdit,
    InsertEdit,
    MoveEdit,
    RemoveEdit,
    RundownEdit,
)
from tests.fixtures.running import Running

pytestmark = pytest.mark.short


async def test_every_edit_of_a_rundown_is_shown_and_done(supervisor: Running) -> None:
    playlist = await supervisor.call("POST", "/playlists", json={"name": "Day"})
    made = await supervisor.call("POST", "/channels", json={"name": "One", "playlist_id": playlist["id"]})
    async with Client.at(socket=supervisor.settings.socket_path) as client:
        rundown = await client.rundown(made["id"])

        async def do(edit: AnyEdit) -> list[str]:
            nonlocal rundown
            wanted = RundownEdit(revision=rundown.revision, edit=edit)
            shown = await client.preview_edit(made["id"], wanted)
            rundown = await client.edit_rundown(made["id"], wanted)
            titles = [row.title for row in rundown.rows]
            assert [row.title for row in shown.rows] == titles, "as it was shown"
            return titles

        slates = tuple(ItemIn(kind="slate", slate_frames=250, title=title) for title in "AB")
        assert await do(InsertEdit(items=slates)) == ["A", "B"]
        first, second = (row.item_id for row in rundown.rows)
        assert await do(ChangeEdit(item_id=first, changes=ItemPatch(title="X"))) == ["X", "B"]
        assert await do(MoveEdit(item_id=second, to=0)) == ["B", "X"]
        assert await do(DuplicateEdit(item_id=first)) == ["B", "X", "X"]
        assert await do(RemoveEdit(item_id=second)) == ["X", "X"]


async def test_what_the_screens_beside_the_wall_ask_is_answered(supervisor: Running) -> None:
    made = await supervisor.call("POST", "/channels", json={"name": "One"})
    async with Client.at(socket=supervisor.settings.socket_path) as client:
        client.sit("a" * 32, "desk 1")
        (node,) = await client.nodes()
        assert (await client.what_if(node.id)).fates == ()
        assert await client.claims() == ()
        assert (await client.coming()).items == ()
        assert await client.newest_alarms(5) == ()
        assert (await client.recorders(), await client.schedules(), await client.upcoming(24)) == ((), (), ())
        assert (await client.explain(made["id"])).decisions is not None
        assert (await client.placement(made["id"])) is not None
        assert (await client.history_page(channel_id=made["id"])).items is not None
        assert await client.find_assets("nothing has this title") == ()
        note = await client.add_shift_note(ShiftNoteIn(text="bulb is out", channel_id=made["id"]))
        assert (note.about, (await client.handover()).notes[0].text) == ("1 One", "bulb is out")
        assert (await client.take_control(made["id"], over=False)).station == "desk 1"
        assert (await client.renew_controls([made["id"]])).held == (made["id"],)
        assert (await client.release_control(made["id"])).control is None
