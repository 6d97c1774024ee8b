"""A day of the as-run log through the API and the command line's client: exported, proven, noted, issued."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from db.store import Store
from db.urls import database_url
from mcr_console.cli.asrun_days import issue_line, proof_lines, service_lines
from mcr_console.client import ApiProblem, Client
from supervisor.schemas.asrun import AsRunIssue, AsRunNoteIn
from tests.fixtures.as_run import Part, air
from tests.fixtures.running import Running, eventually

RUN = "a" * 32
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def aired(supervisor: Running) -> str:
    channel = await supervisor.call("POST", "/channels", json={"name": "One", "time_zone": "UTC"})
    other = Store(supervisor.settings.store_url)
    async with other.write() as tx:
        leadership = await tx.leader.acquire("test", "", 60, seize=True)
    assert leadership is not None
    await air(other, channel["id"], RUN, 1, BEGIN, [Part("1", 250, "arm"), Part("2", 250, ended="stop")])
    async with other.write() as tx:
        await tx.leader.release(leadership.fence)
    await other.close()

    async def leads() -> bool:
        said = await supervisor.call("GET", "/supervisor")
        return bool(said["leader"]) and said["term"] > leadership.fence.term

    await eventually(leads, "the supervisor leads again")
    return str(channel["id"])


async def test_a_day_by_the_client(supervisor: Running) -> None:
    channel_id = await aired(supervisor)
    async with Client.at(socket=supervisor.settings.socket_path) as client:
        (channel,) = await client.channels()
        proof = await client.verify_asrun(channel_id, day=BEGIN.date())
        assert proof.holds
        assert proof_lines(proof, channel)[0].startswith("0 unaccounted frames of 2160000: 500 aired, 0 filler")
        data = b"".join([piece async for piece in client.export_asrun(channel_id, "csv", day=BEGIN.date())])
        assert data.count(b"\r\n") == 3
        report = await client.service_report(channel_id, day=BEGIN.date())
        assert (report.items, report.failovers) == (2, ())
        assert "on air        0.0231 %" in service_lines(report, channel)
        values = AsRunNoteIn(run_id=RUN, seq=3, text="upcut", field="frames", value="248")
        written = await client.add_asrun_note(channel_id, values)
        assert (written.kind, written.at) == ("correction", BEGIN)
        with pytest.raises(ApiProblem, match="no event 99"):
            await client.add_asrun_note(channel_id, values.model_copy(update={"seq": 99}))
        with pytest.raises(ApiProblem, match="nowhere to deliver"):
            await client.issue_asrun(channel_id, BEGIN.date())
        assert await client.asrun_issues(channel_id) == ()
        with pytest.raises(ApiProblem, match="ends before it begins"):
            async for _ in client.export_asrun(channel_id, "csv", since=BEGIN, until=BEGIN - timedelta(seconds=1)):
                pass
    notes = await supervisor.call("GET", f"/channels/{channel_id}/asrun/notes?day=2026-03-01")
    assert [one["value"] for one in notes["items"]] == ["248"]
    answer = await supervisor.unix.get(f"/api/v1/channels/{channel_id}/asrun/export?day=2026-03-01&format=report")
    assert answer.headers["content-disposition"] == 'attachment; filename="1-One.2026-03-01.asrun.txt"'
    assert "note: frames is 248: upcut" in answer.text


async def test_events_are_made_again_from_their_records(supervisor: Running) -> None:
    channel_id = await aired(supervisor)
    changed = create_async_engine(database_url(supervisor.settings.store_url))
    async with changed.begin() as connection:
        await connection.execute(text("UPDATE as_run_event SET title = 'Other', frames = 1 WHERE seq = 3"))
        await connection.execute(text("UPDATE as_run_event SET seq = 6 WHERE seq = 5"))
    await changed.dispose()
    async with Client.at(socket=supervisor.settings.socket_path) as client:
        assert not (await client.verify_asrun(channel_id, day=BEGIN.date())).holds
        done = await client.rebuild_asrun(channel_id)
        assert (done.runs, done.events) == (1, 2)
        proof = await client.verify_asrun(channel_id, day=BEGIN.date())
        assert proof.faults == ()
        assert proof.aired_frames == 500


async def test_the_log_of_a_deleted_channel_stays(supervisor: Running) -> None:
    channel_id = await aired(supervisor)
    channel = await supervisor.call("GET", f"/channels/{channel_id}")
    await supervisor.call("DELETE", f"/channels/{channel_id}", rev=channel["rev"])
    span = "from=2026-03-01T06:00:00Z&to=2026-03-02T06:00:00Z"
    proof = await supervisor.call("GET", f"/channels/{channel_id}/asrun/verify?{span}")
    assert (proof["holds"], proof["aired_frames"]) == (True, 500)
    await supervisor.call("GET", f"/channels/{channel_id}/asrun/verify?day=2026-03-01", expect=422)
    await supervisor.call("GET", f"/channels/{'0' * 32}/asrun/verify?{span}", expect=404)


def test_an_issue_in_one_line() -> None:
    one = AsRunIssue(
        channel_id="c" * 32, day=BEGIN.date(), number=2, state="waiting", asked_by="ann", asked_at=BEGIN,
        delivered_at=None, attempts=3, events=None, verdict="", fault="disk full",
    )  # fmt: skip
    assert issue_line(one) == "2026-03-01 issue 2 waiting, asked for by ann, 3 attempts: disk full"
