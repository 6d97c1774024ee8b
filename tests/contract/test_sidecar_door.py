"""The sidecar's HTTP contract on the real process (P2, P4, P7, P8)."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from uuid import uuid4

import httpx
import msgspec
import pytest

from sidecar.clips.make import make_clip
from sidecar.clips.specification import ClipSpecification
from sidecar.configuration import EXIT_BAD_CONFIGURATION
from sidecar.journal.reading import damages
from sidecar.protocol.channel import Item, Output, Playlist, ResumePoint
from sidecar.protocol.status import Status
from tests.fixtures.sidecars import RunningSidecar, document, sidecar

ROUTES = [("GET", path) for path in ("/status", "/asrun", "/thumbnail.jpg", "/metrics")] + [
    ("POST", f"/{verb}")
    for verb in ("arm", "lease", "take", "skip", "cue", "play", "pause", "resume", "hold", "standby", "rejoin", "stop")
]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> tuple[Item, ...]:
    """Six items of three files, 20 s each."""
    folder = tmp_path_factory.mktemp("clips")
    made = [make_clip(ClipSpecification(n, f"Clip {n}", 320, 180, Fraction(25), 500), folder) for n in (1, 2, 3)]
    return tuple(
        Item(id=f"{n:032x}", title=f"Clip {n}", path=str(made[n % 3]), duration_frames=500, asset_id=f"a{n}")
        for n in range(6)
    )


@pytest.fixture(scope="module")
def muted(clips: tuple[Item, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSidecar]:
    """One for all tests that leave it muted."""
    with sidecar(document(clips), tmp_path_factory.mktemp("muted")) as running:
        yield running


@pytest.fixture(scope="module")
def on_air(clips: tuple[Item, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSidecar]:
    """One for all tests that leave it on air."""
    with sidecar(document(clips), tmp_path_factory.mktemp("on_air"), epoch=7) as running:
        running.arm()
        yield running


def settled(running: RunningSidecar) -> None:
    """An item is on air, the next is ready, nothing is held, and the take guard is over."""
    status = running.status()
    if status.picture == "freeze":
        running.do("resume")
    if status.hold:
        running.do("play")
    if status.next is not None and status.next.cued:
        running.do("cue", item_id=None)
    begun = running.status().frame
    running.until(
        lambda s: s.picture == "item" and s.next is not None and s.next.ready and s.frame > begun + 26, "a calm channel"
    )


class TestMuted:
    def test_it_opens_ahead_and_sends_nothing(self, muted: RunningSidecar) -> None:
        status = muted.until(lambda s: s.next is not None and s.next.ready, "the first item decoded")
        assert (status.state, status.frame, status.item, status.lease_left_ms) == ("muted", 0, None, None)
        assert not list(muted.live.rglob("*.ts"))
        assert [record.kind for record in muted.records()] == ["run_start"]
        assert status.pid == muted.process.pid

    def test_it_enters_the_air_once_by_a_fresh_nonce(self, clips: tuple[Item, ...], tmp_path: Path) -> None:
        """P2: an arming that was meant for another process, or comes too late, does nothing."""
        with sidecar(document(clips), tmp_path) as running:
            self.arms_once(running)

    def arms_once(self, muted: RunningSidecar) -> None:
        assert "nonce" in muted.refused("arm", "stale_nonce", 409, nonce=uuid4().hex)
        nonce = muted.status().nonce
        assert muted.refused("arm", "stale_epoch", 409, nonce=nonce, epoch=9).count("epoch") == 2
        assert muted.status().state == "muted"
        first = muted.do("arm", nonce=nonce)
        assert first["frame"] == 0
        assert muted.status().state == "on_air"
        muted.refused("arm", "stale_nonce", 409, nonce=nonce)
        again = muted.do("arm", nonce=muted.status().nonce)
        assert again["done"] == "on air already"
        muted.until(lambda s: s.frame > 25, "a second on air")
        kinds = [record.kind for record in muted.records()]
        assert kinds.count("on_air") == 1
        assert kinds[:2] == ["run_start", "on_air"]

    def test_what_needs_air_is_refused_and_what_does_not_is_done(
        self, muted: RunningSidecar, clips: tuple[Item, ...]
    ) -> None:
        for verb in ("take", "skip", "play", "pause", "resume", "standby", "rejoin"):
            muted.refused(verb, "not_armed", 409)
        muted.do("cue", item_id=clips[3].id)
        following = muted.status().next
        assert following is not None
        assert (following.item_id, following.cued) == (clips[3].id, True)
        muted.do("cue", item_id=None)


class TestWho:
    def test_no_route_answers_without_the_token(self, on_air: RunningSidecar) -> None:
        """P7. Routes that do not exist are not told apart."""
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {on_air.token}"}):
            for method, path in [*ROUTES, ("PUT", "/playlist"), ("GET", "/nothing")]:
                answer = httpx.request(method, f"{on_air.client.base_url}{path}", headers=headers, trust_env=False)
                assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), path
        assert on_air.status().state == "on_air"

    def test_the_token_is_not_in_the_log(self, on_air: RunningSidecar) -> None:
        on_air.send("take", command_id="x")
        assert on_air.token not in on_air.log

    def test_every_command_names_its_epoch(self, on_air: RunningSidecar) -> None:
        """P2."""
        for verb in ("take", "skip", "play", "pause", "resume", "hold", "standby", "rejoin", "stop"):
            detail = on_air.refused(verb, "stale_epoch", 409, epoch=6)
            assert "7" in detail
            assert "6" in detail

    def test_it_listens_on_the_loopback_only(self, on_air: RunningSidecar) -> None:
        port = on_air.client.base_url.port
        assert port is not None
        listening = [
            line.split()[1]
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
            if line.split()[3] == "0A" and line.split()[1].endswith(f":{port:04X}")
        ]
        assert listening == [f"0100007F:{port:04X}"]


class TestCommands:
    def test_take_cuts_to_the_next_and_tells_the_frame(self, on_air: RunningSidecar) -> None:
        """P8, P4."""
        settled(on_air)
        before = on_air.status()
        assert before.next is not None
        assert before.item is not None
        reply = on_air.do("take", expect_item_id=before.next.item_id)
        assert reply["item_id"] == before.next.item_id
        assert reply["done"] == f"on air: {before.next.title}"
        # A status counts frames from 1, a reply from 0: the very next one may show it.
        assert 0 <= reply["frame"] - before.frame < 50
        after = on_air.until(lambda s: s.frame > reply["frame"], "a frame more")
        assert after.item is not None
        assert (after.item.item_id, after.item.started_frame) == (before.next.item_id, reply["frame"])
        on_air.until(lambda s: on_air.records()[-1].kind == "item_start", "the as-run")
        command, end, start = on_air.records()[-3:]
        assert (command.kind, command.cause, command.by) == ("command", "take", "ada")
        assert (end.kind, end.cause, end.item_id) == ("item_end", "take", before.item.item_id)
        assert end.frames == reply["frame"] - before.item.started_frame
        assert (start.kind, start.frame, start.item_id) == ("item_start", reply["frame"], before.next.item_id)

    def test_a_second_take_within_a_second_is_refused(self, on_air: RunningSidecar) -> None:
        settled(on_air)
        on_air.do("take")
        on_air.refused("take", "take_guard", 409)
        on_air.refused("skip", "take_guard", 409)

    def test_a_take_of_something_else_than_was_seen_is_refused(self, on_air: RunningSidecar) -> None:
        settled(on_air)
        on_air.refused("take", "target_changed", 409, expect_item_id="e" * 32)

    def test_cue_take_and_skip(self, on_air: RunningSidecar, clips: tuple[Item, ...]) -> None:
        settled(on_air)
        now = on_air.status().item
        assert now is not None
        cued = clips[(int(now.item_id, 16) + 3) % 6]
        following = clips[(int(now.item_id, 16) + 1) % 6]
        on_air.do("cue", item_id=cued.id)
        on_air.until(lambda s: s.next is not None and s.next.cued and s.next.ready, "the cue decoded")
        assert on_air.do("skip")["item_id"] == following.id
        on_air.until(lambda s: s.frame > s.item.started_frame + 25 if s.item else False, "the guard's end")
        assert on_air.do("take")["item_id"] == cued.id
        on_air.refused("cue", "no_such_item", 422, item_id="e" * 32)

    def test_pause_freezes_and_resume_runs_on(self, on_air: RunningSidecar) -> None:
        settled(on_air)
        waited = on_air.waited_for_data()
        frozen_at = on_air.do("pause")["frame"]
        status = on_air.until(lambda s: s.frame > frozen_at + 10, "frames while frozen")
        assert status.picture == "freeze"
        assert status.item is not None
        position = status.item.position_frames
        later = on_air.until(lambda s: s.frame > status.frame + 5, "more frames while frozen")
        assert later.item is not None
        assert later.item.position_frames == position
        assert on_air.waited_for_data() == waited
        run_on = on_air.do("resume")["frame"]
        after = on_air.until(lambda s: s.frame > run_on + 5, "frames that run on")
        assert after.picture == "item"
        assert after.item is not None
        assert after.item.position_frames == position + after.frame - run_on

    def test_hold_and_play(self, on_air: RunningSidecar) -> None:
        settled(on_air)
        assert on_air.do("hold")["frame"] is None
        held = on_air.status()
        assert held.hold
        assert held.next is not None
        assert held.next.in_frames_left is None
        on_air.do("play")
        assert not on_air.status().hold

    def test_standby_and_rejoin(self, on_air: RunningSidecar) -> None:
        settled(on_air)
        before = on_air.status()
        assert before.item is not None
        cut = on_air.do("standby")["frame"]
        assert on_air.until(lambda s: s.frame > cut + 5, "the slate").picture == "standby"
        on_air.do("rejoin")
        back = on_air.until(lambda s: s.picture == "item", "the rundown again")
        assert back.item is not None
        started = before.frame - before.item.position_frames
        assert (back.item.item_id, back.item.position_frames) == (before.item.item_id, back.frame - started)

    def test_a_repeated_id_gets_the_first_answer_and_is_done_once(self, on_air: RunningSidecar) -> None:
        """P2: also while the first is still under way, and also of a refusal."""
        settled(on_air)
        takes = {"command_id": uuid4().hex, "epoch": 7, "by": "ada"}
        answers: list[dict[str, object]] = []
        one = httpx.Client(base_url=on_air.client.base_url, headers=on_air.client.headers, trust_env=False)

        def take() -> None:
            answers.append(one.post("/take", json=takes).json())

        askers = [threading.Thread(target=take) for _ in range(8)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        take()
        nonces = {msgspec.convert(answer.pop("status"), Status).nonce for answer in answers}
        assert len(nonces) == len(answers), "each is told how it is by then"
        assert all(answer == answers[0] for answer in answers)
        assert answers[0]["item_id"]
        refused = {"command_id": uuid4().hex, "epoch": 7}
        first = one.post("/take", json=refused)
        assert first.json()["code"] == "take_guard"
        settled(on_air)
        assert one.post("/take", json=refused).content == first.content
        taken = [r for r in on_air.records() if r.kind == "command" and r.frame == answers[0]["frame"]]
        assert len(taken) == 1
        one.close()

    def test_the_lease_counts_from_the_issue_of_its_nonce(self, on_air: RunningSidecar) -> None:
        nonce = on_air.status().nonce
        on_air.do("lease", nonce=nonce, ttl_ms=30_000, by=None)
        left = on_air.status().lease_left_ms
        assert left is not None
        assert 20_000 < left <= 30_000
        on_air.refused("lease", "stale_nonce", 409, nonce=nonce, ttl_ms=30_000, by=None)
        on_air.do("lease", nonce=on_air.status().nonce, ttl_ms=5_000, by=None)
        later = on_air.status().lease_left_ms
        assert later is not None
        assert later > 5_000, "an extension never shortens"


class TestPlaylist:
    def test_what_is_on_air_runs_on_and_what_comes_changes(self, clips: tuple[Item, ...], tmp_path: Path) -> None:
        with sidecar(document(clips), tmp_path) as running:
            running.arm()
            before = running.until(lambda s: s.frame > 10, "frames").item
            assert before is not None
            new = Playlist(2, (clips[4], clips[0], clips[2]), "filler")
            assert running.do("playlist", playlist=msgspec.to_builtins(new))["frame"] is None
            status = running.until(
                lambda s: s.playlist_revision == 2 and s.next is not None and s.next.ready, "the list"
            )
            assert status.item is not None
            assert status.next is not None
            assert (status.item.airing, status.item.started_frame) == (before.airing, before.started_frame)
            assert (status.next.item_id, status.after_last) == (clips[2].id, "filler")
            assert running.waited_for_data() == 0
            older = msgspec.to_builtins(Playlist(1, clips))
            running.refused("playlist", "stale_revision", 409, playlist=older)
            running.do("playlist", playlist=msgspec.to_builtins(Playlist(3, (clips[5],), "filler")))
            running.until(lambda s: s.next is not None and s.next.item_id == clips[5].id and s.next.ready, "the list")
            running.do("take")
            records = running.records()
            assert next(r.item_id for r in records if r.kind == "item_start") == clips[0].id

    def test_a_list_of_thousands_is_taken_and_a_larger_body_is_not(self, muted: RunningSidecar) -> None:
        items = tuple(Item(id=f"{n:032x}", title=f"Item {n}", kind="slate", duration_frames=25) for n in range(5000))
        muted.do("playlist", playlist=msgspec.to_builtins(Playlist(2, items)))
        huge = tuple(msgspec.structs.replace(item, title="x" * 500) for item in items)
        muted.refused("playlist", "invalid", 413, playlist=msgspec.to_builtins(Playlist(3, huge)))
        muted.refused("hold", "invalid", 413, by="x" * 70_000)
        assert muted.status().playlist_revision == 2


class TestReading:
    def test_the_as_run_is_read_page_by_page(self, on_air: RunningSidecar) -> None:
        records = on_air.records()
        assert [record.seq for record in records] == [*range(1, len(records) + 1)]
        page = on_air.client.get("/asrun", params={"after": 1, "limit": 2}).json()
        assert [record["seq"] for record in page["records"]] == [2, 3]
        assert on_air.client.get("/asrun", params={"run": "e" * 32}).status_code == 404
        assert on_air.client.get("/asrun", params={"run": "../x"}).status_code == 404
        for query in ({"after": "-1"}, {"limit": "0"}, {"limit": "99999"}, {"after": "x"}):
            answer = on_air.client.get("/asrun", params=query)
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid")

    def test_the_thumbnail_is_a_picture_and_the_metrics_are_prometheus(self, on_air: RunningSidecar) -> None:
        picture = on_air.client.get("/thumbnail.jpg")
        assert (picture.headers["content-type"], picture.content[:3]) == ("image/jpeg", b"\xff\xd8\xff")
        lines = on_air.client.get("/metrics").text.splitlines()
        assert f'mcr_on_air{{channel="{on_air.document.channel_id}"}} 1' in lines
        values = [line for line in lines if not line.startswith("#")]
        assert all(line.split()[-1].isdigit() for line in values)

    def test_what_is_not_in_the_contract_is_a_problem_document(self, on_air: RunningSidecar) -> None:
        for method, path, status in (("GET", "/nothing", 404), ("GET", "/take", 405), ("POST", "/playlist", 405)):
            answer = on_air.client.request(method, path)
            assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        for body in (
            b"",
            b"{",
            b"[]",
            b'{"command_id":"x","epoch":7}',
            b'{"command_id":"12345678","epoch":7,"extra":1}',
        ):
            answer = on_air.client.post("/take", content=body)
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), body

    def test_nonces_differ(self, on_air: RunningSidecar) -> None:
        assert len({on_air.status().nonce for _ in range(5)}) == 5


class TestTheEnd:
    @pytest.mark.parametrize("how", ["command", "SIGTERM", "leash"])
    def test_a_clean_stop_writes_every_end(self, clips: tuple[Item, ...], tmp_path: Path, how: str) -> None:
        """P4, and exit code 0 only after it."""
        ours, theirs = os.pipe()
        environment = {"MCR_LEASH_FD": str(ours)} if how == "leash" else {}
        with sidecar(document(clips), tmp_path, environment=environment, pass_fds=(ours,)) as running:
            os.close(ours)
            running.arm()
            running.until(lambda s: any(o.segments for o in s.outputs if o.role == "programme"), "a segment")
            run_id = running.status().run_id
            if how == "command":
                assert running.do("stop")["done"] == "leaves the air"
            elif how == "SIGTERM":
                running.process.send_signal(signal.SIGTERM)
            else:
                os.close(theirs)
            assert running.ended() == 0, running.log
            records = records_on_disk(running, run_id)
            assert [record["kind"] for record in records[-3:]] == ["command", "item_end", "run_end"]
            assert records[-1]["cause"] == {"command": "stop"}.get(how, how)
            starts = next(record["frame"] for record in records if record["kind"] == "item_start")
            assert starts == 0
            assert records[-2]["frames"] == records[-2]["frame"] == records[-1]["frame"]
            ends = "#EXT-X-ENDLIST" in (running.live / "1.m3u8").read_text()
            assert ends == (how != "SIGTERM"), "a signal ends the run, and only people end the programme"
            assert list(damages(running.journals)) == []
        if how != "leash":
            os.close(theirs)

    def test_a_full_log_disk_costs_neither_air_nor_a_clean_end(self, clips: tuple[Item, ...], tmp_path: Path) -> None:
        """P1."""
        with sidecar(document(clips), tmp_path, log_to=Path("/dev/full")) as running:
            running.arm()
            running.until(lambda s: s.frame > 5, "air")
            running.process.send_signal(signal.SIGTERM)
            assert running.ended() == 0

    def test_what_a_killed_sidecar_reported_is_served_by_the_next(
        self, clips: tuple[Item, ...], tmp_path: Path
    ) -> None:
        """P4: no row lost, none twice, and the chain goes on."""
        what = document(clips)
        with sidecar(what, tmp_path, epoch=1) as first:
            first.arm()
            first.until(lambda s: s.frame > 10 and s.next is not None and s.next.ready, "air")
            first.do("take")
            first.until(lambda _: first.records()[-1].kind == "item_start", "the as-run")
            reported, run_id = first.records(), first.status().run_id
            first.process.kill()
            assert first.ended() == -signal.SIGKILL
        with sidecar(what, tmp_path, epoch=2) as second:
            assert second.records(run_id)[: len(reported)] == reported
            second.process.send_signal(signal.SIGTERM)
            assert second.ended() == 0
        assert list(damages(second.journals)) == []


def records_on_disk(running: RunningSidecar, run_id: str) -> list[dict[str, object]]:
    lines = b"".join(path.read_bytes() for path in sorted((running.journals / run_id).glob("*.jsonl"))).splitlines()
    return [json.loads(line[9:]) for line in lines]


class TestStart:
    def test_it_resumes_at_item_and_frame(self, clips: tuple[Item, ...], tmp_path: Path) -> None:
        with sidecar(document(clips, resume=ResumePoint(clips[2].id, 40)), tmp_path) as running:
            running.arm()
            status = running.until(lambda s: s.item is not None, "the item")
            assert status.item is not None
            assert status.item.item_id == clips[2].id
            assert status.item.position_frames == status.frame + 40
            running.until(lambda _: len(running.records()) > 2, "the as-run")
            start = next(record for record in running.records() if record.kind == "item_start")
            assert (start.cause, start.in_frames, start.by) == ("resume", 40, "ada")

    def test_an_arm_may_say_where_it_begins_and_since_when(self, clips: tuple[Item, ...], tmp_path: Path) -> None:
        """P1: the real file, opened anew; the frame is the one due at the instant that the as-run gives it."""
        with sidecar(document(clips, resume=ResumePoint(clips[0].id, 40)), tmp_path) as running:
            running.until(lambda s: s.next is not None and s.next.ready, "the first item decoded")
            since = datetime.now(UTC) - timedelta(seconds=15)
            said = {"resume": {"item_id": clips[1].id, "frame": 200}, "resume_at": since.isoformat()}
            reply = running.do("arm", nonce=running.status().nonce, **said)
            assert reply["frame"] == 0
            running.until(lambda _: len(running.records()) > 2, "the as-run")
            start = next(record for record in running.records() if record.kind == "item_start")
            passed_ns = start.wall_ns - (since - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1_000
            due = 200 + passed_ns * 25 // 1_000_000_000 - 500
            assert (start.item_id, start.cause, start.frame) == (clips[2].id, "resume", 0)
            assert start.in_frames is not None
            assert abs(start.in_frames - due) <= 1  # the two clocks are read one after the other

    def test_a_first_item_that_is_missing_costs_no_air(self, clips: tuple[Item, ...], tmp_path: Path) -> None:
        """P1: it is found out while muted, and frame 0 is the next item's."""
        missing = msgspec.structs.replace(clips[0], path=str(tmp_path / "gone.mp4"))
        with sidecar(document((missing, *clips[1:])), tmp_path) as running:
            running.until(lambda s: s.next is not None and s.next.item_id == clips[1].id and s.next.ready, "the second")
            running.arm()
            status = running.until(lambda s: s.frame > 5, "air")
            assert status.item is not None
            assert (status.item.item_id, status.item.started_frame) == (clips[1].id, 0)
            assert [skipped.item_id for skipped in status.skipped] == [clips[0].id]
            assert status.skipped[0].reason == f"no such file: {tmp_path / 'gone.mp4'}"

    def test_a_file_that_cannot_be_opened_for_ever_costs_two_seconds_of_filler(
        self, clips: tuple[Item, ...], tmp_path: Path
    ) -> None:
        """P1: opening a pipe nobody writes to hangs like a dead file server."""
        pipe = tmp_path / "hangs.mp4"
        os.mkfifo(pipe)
        with sidecar(document((msgspec.structs.replace(clips[0], path=str(pipe)), *clips[1:])), tmp_path) as running:
            running.do("arm", nonce=running.status().nonce)
            status = running.until(lambda s: s.item is not None, "the second item", seconds=10)
            assert status.item is not None
            assert status.item.item_id == clips[1].id
            assert 50 <= status.item.started_frame <= 75
            assert "no data" in status.skipped[0].reason
            running.process.send_signal(signal.SIGTERM)
            assert running.ended() == 0

    @pytest.mark.parametrize(
        ("change", "names"),
        [
            ({"MCR_EPOCH": "0"}, "MCR_EPOCH"),
            ({"MCR_TOKEN": "short"}, "MCR_TOKEN"),
            ({"CHANNEL_ID": "f" * 32}, "CHANNEL_ID"),
            ({"MCR_DOCUMENT": "/nowhere.json"}, "MCR_DOCUMENT"),
            ({"MCR_LEASH_FD": "77"}, "MCR_LEASH_FD"),
            ({"MCR_STATE_DIR": "/proc/nothing"}, "MCR_STATE_DIR"),
            ({"document": '{"channel_id": 1}'}, "$.channel_id"),
            ({"document": "time_zone"}, "Nowhere/Atlantis"),
            ({"document": "lease_stop"}, "lease_stop is for udp, not file"),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_a_bad_configuration_is_told_and_ends_with_64(
        self, tmp_path: Path, change: dict[str, str], names: str
    ) -> None:
        what = document(())
        path = tmp_path / "document.json"
        path.write_bytes(msgspec.json.encode(what))
        if change.get("document") == "time_zone":
            path.write_bytes(msgspec.json.encode(msgspec.structs.replace(what, time_zone="Nowhere/Atlantis")))
        elif change.get("document") == "lease_stop":
            refused = Output("a", "file", "/tmp/x.ts", lease_stop=True)
            path.write_bytes(msgspec.json.encode(msgspec.structs.replace(what, outputs=(refused,))))
        elif "document" in change:
            path.write_text(change["document"])
        environment = os.environ | {
            "CHANNEL_ID": what.channel_id,
            "MCR_EPOCH": "1",
            "MCR_TOKEN": "t" * 32,
            "MCR_DOCUMENT": str(path),
            "MCR_STATE_DIR": str(tmp_path / "state"),
            "MCR_JOURNAL_DIR": str(tmp_path / "journal"),
            "MCR_MEDIA_ROOT": str(tmp_path / "media"),
            **{name: value for name, value in change.items() if name != "document"},
        }
        ended = subprocess.run(
            [sys.executable, "-m", "sidecar"], env=environment, capture_output=True, text=True, timeout=30, check=False
        )
        assert ended.returncode == EXIT_BAD_CONFIGURATION
        assert ended.stderr.startswith("sidecar: ")
        assert names in ended.stderr
        assert ended.stderr.count("\n") == 1
        assert "t" * 32 not in ended.stderr

    def test_an_empty_list_is_filler_and_not_a_dead_process(self, tmp_path: Path) -> None:
        """P1."""
        with sidecar(document(()), tmp_path) as running:
            running.arm()
            status = running.until(lambda s: s.frame > 25, "a second of filler")
            assert (status.picture, status.reason) == ("filler", "the rundown is empty")
            assert running.waited_for_data() == 0


@pytest.mark.long
async def test_a_client_that_sends_half_a_body_holds_up_nobody(on_air: RunningSidecar) -> None:
    port = on_air.client.base_url.port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /take HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {on_air.token}\r\nContent-Length: 100\r\n\r\n{{"
    writer.write(head.encode())
    await writer.drain()
    assert await asyncio.to_thread(lambda: on_air.status().state) == "on_air"
    async with asyncio.timeout(60):
        assert b" 408 " in await reader.readline()
    writer.close()
