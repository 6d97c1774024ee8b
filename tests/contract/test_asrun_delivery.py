"""Every broadcast day's log is delivered once it is over, numbered, tried again, and only by who leads."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from db.errors import NotLeader
from db.models import AsRunIssue
from db.repositories.channels import OutputSpec
from db.repositories.leader import Fence
from db.store import Store
from supervisor.asrun.delivery import Delivery
from supervisor.asrun.rebuilding import rebuild
from supervisor.asrun.targets import FolderTarget, Target, UrlTarget
from supervisor.errors import Invalid
from supervisor.threads import Threads
from tests.fixtures.as_run import Part, air

RUN = "a" * 32
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
OVER = datetime(2026, 3, 2, 6, tzinfo=UTC)


class Hand:
    """A clock that is moved by hand."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


async def fence_of(store: Store) -> Fence:
    async with store.write() as tx:
        leadership = await tx.leader.acquire("test", "", 60, seize=False)
    assert leadership is not None
    return leadership.fence


async def aired(store: Store) -> str:
    async with store.write() as tx:
        row = await tx.channels.add(
            {"name": "One", "width": 320, "height": 180, "rate": "25", "time_zone": "UTC", "day_start": "06:00"},
            [OutputSpec("hls")],
            BEGIN,
        )
    await air(store, row.id, RUN, 1, BEGIN, [Part("1", 250, "arm", ended="stop")])
    return row.id


async def issues(store: Store, channel_id: str) -> Sequence[AsRunIssue]:
    async with store.read() as tx:
        return await tx.as_run_issues.of(channel_id, None, 10)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def folder_of(channel_id: str) -> str:
    return f"1-One-{channel_id[:8]}"


def fence_from(fence: Fence | None) -> Callable[[], Fence | None]:
    return lambda: fence


def delivery(store: Store, clock: Hand, fence: Fence | None, *targets: Target) -> Delivery:
    return Delivery(store, targets, clock, Threads("test", places=1), lambda: fence)


async def test_a_day_is_delivered_once_when_it_is_over(store: Store, tmp_path: Path) -> None:
    channel_id = await aired(store)
    clock = Hand(OVER + timedelta(minutes=1))
    target = FolderTarget(tmp_path, Threads("writers", places=1))
    it = delivery(store, clock, await fence_of(store), target)
    await it.round()
    assert await issues(store, channel_id) == []  # the last records may still come in
    clock.at = OVER + timedelta(minutes=3)
    await it.round()
    await it.round()
    (issue,) = await issues(store, channel_id)
    assert (issue.day, issue.number, issue.state, issue.events) == ("2026-03-01", 1, "delivered", 1)
    assert issue.verdict.startswith("0 unaccounted frames of 2160000: 250 aired")
    assert names_in(tmp_path / folder_of(channel_id)) == [
        f"1-One.2026-03-01.asrun.1.{suffix}" for suffix in ("bxf.xml", "csv", "jsonl", "txt")
    ]
    assert "Item 1" in (tmp_path / folder_of(channel_id) / "1-One.2026-03-01.asrun.1.csv").read_text()


async def test_a_day_is_issued_again_under_the_next_number(store: Store, tmp_path: Path) -> None:
    channel_id = await aired(store)
    clock = Hand(OVER + timedelta(minutes=3))
    it = delivery(store, clock, await fence_of(store), FolderTarget(tmp_path, Threads("writers", places=1)))
    await it.round()
    async with store.write() as tx:
        await tx.as_run_issues.add(channel_id, "2026-03-01", "ann", clock.now())
    await it.round()
    assert [(one.number, one.state, one.asked_by) for one in await issues(store, channel_id)] == [
        (2, "delivered", "ann"),
        (1, "delivered", "system"),
    ]
    assert (tmp_path / folder_of(channel_id) / "1-One.2026-03-01.asrun.2.csv").exists()


class Told:
    """What the history is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, _channel_id: str, text: str, _detail: Mapping[str, object]) -> None:
        self.texts.append(text)


async def rounds(it: Delivery, clock: Hand, seconds: int) -> None:
    """As often as the supervisor goes round in so long."""
    for _ in range(0, seconds, 15):
        clock.at += timedelta(seconds=15)
        await it.round()


async def test_a_journal_that_comes_in_late_issues_its_day_again(store: Store, tmp_path: Path) -> None:
    channel_id = await aired(store)
    clock, told = Hand(OVER + timedelta(minutes=3)), Told()
    target = FolderTarget(tmp_path, Threads("writers", places=1))
    it = Delivery(store, [target], clock, Threads("test", places=1), fence_from(await fence_of(store)), told)
    await rounds(it, clock, 300)
    assert [one.number for one in await issues(store, channel_id)] == [1]

    late = BEGIN + timedelta(hours=1)
    await air(store, channel_id, "b" * 32, 2, late, [Part("2", 25, "arm", ended="stop")])
    await it.round()
    assert [one.number for one in await issues(store, channel_id)] == [1], "more may come in"
    await rounds(it, clock, 90)
    again, first = await issues(store, channel_id)
    assert (again.number, again.state, again.asked_by, again.events) == (2, "delivered", "system", 2)
    assert first.why == "records came in after it was made"
    assert told.texts == [
        "the as-run log of 2026-03-01 is issued again, as number 2: records came in after it was made"
    ]
    folder = tmp_path / folder_of(channel_id)
    assert "Item 2" not in (folder / "1-One.2026-03-01.asrun.1.csv").read_text()
    assert "Item 2" in (folder / "1-One.2026-03-01.asrun.2.csv").read_text()
    await rounds(it, clock, 300)
    assert len(await issues(store, channel_id)) == 2
    assert len(told.texts) == 1


async def test_so_does_a_correction(store: Store, tmp_path: Path) -> None:
    channel_id = await aired(store)
    clock, told = Hand(OVER + timedelta(minutes=3)), Told()
    target = FolderTarget(tmp_path, Threads("writers", places=1))
    it = Delivery(store, [target], clock, Threads("test", places=1), fence_from(await fence_of(store)), told)
    await it.round()
    async with store.write() as tx:
        await tx.as_run_notes.add(
            channel_id, BEGIN, "upcut", "ann", clock.now(), run_id=RUN, seq=3, field="frames", value="248"
        )
    await rounds(it, clock, 90)
    assert [one.number for one in await issues(store, channel_id)] == [2, 1]
    assert told.texts == ["the as-run log of 2026-03-01 is issued again, as number 2: a correction by ann"]
    assert "upcut" in (tmp_path / folder_of(channel_id) / "1-One.2026-03-01.asrun.2.csv").read_text()


async def test_what_airs_on_the_next_day_issues_none_before_it_again(store: Store, tmp_path: Path) -> None:
    channel_id = await aired(store)
    clock = Hand(OVER + timedelta(minutes=3))
    it = delivery(store, clock, await fence_of(store), FolderTarget(tmp_path, Threads("writers", places=1)))
    await it.round()
    await air(store, channel_id, "b" * 32, 2, OVER, [Part("2", 25, "arm", ended="stop")])
    await rebuild(store, Threads("test", places=1), channel_id, fence_from(await fence_of(store)))
    await rounds(it, clock, 150)
    assert [one.number for one in await issues(store, channel_id)] == [1]


async def test_a_day_without_anything_is_issued_when_its_journal_comes(store: Store, tmp_path: Path) -> None:
    channel_id = await aired(store)
    clock = Hand(OVER + timedelta(days=1, minutes=3))
    it = delivery(store, clock, await fence_of(store), FolderTarget(tmp_path, Threads("writers", places=1)))
    await it.round()
    assert await issues(store, channel_id) == []
    await air(store, channel_id, "b" * 32, 2, OVER + timedelta(hours=1), [Part("2", 25, "arm", ended="stop")])
    await rounds(it, clock, 90)
    assert [(one.day, one.number, one.state) for one in await issues(store, channel_id)] == [
        ("2026-03-02", 1, "delivered")
    ]


async def test_what_changes_while_a_day_is_being_delivered_is_in_the_next_issue(store: Store, tmp_path: Path) -> None:
    channel_id = await aired(store)
    clock = Hand(OVER + timedelta(minutes=3))

    class Slow(FolderTarget):
        async def put(self, folder: str, name: str, data: AsyncIterator[bytes]) -> None:
            await super().put(folder, name, data)
            if name.endswith("1.csv"):
                async with store.write() as tx:
                    await tx.as_run_notes.add(channel_id, BEGIN, "seen just now", "ann", clock.now())

    it = delivery(store, clock, await fence_of(store), Slow(tmp_path, Threads("writers", places=1)))
    await it.round()
    await rounds(it, clock, 90)
    assert [one.number for one in await issues(store, channel_id)] == [2, 1]


async def test_what_fails_is_tried_again(store: Store, tmp_path: Path) -> None:
    channel_id = await aired(store)
    clock = Hand(OVER + timedelta(minutes=3))
    (tmp_path / folder_of(channel_id)).write_text("a file in the way of the folder")
    it = delivery(store, clock, await fence_of(store), FolderTarget(tmp_path, Threads("writers", places=1)))
    await it.round()
    await it.round()  # at once again: it waits
    (issue,) = await issues(store, channel_id)
    assert (issue.state, issue.attempts) == ("waiting", 1)
    assert folder_of(channel_id) in issue.fault
    (tmp_path / folder_of(channel_id)).unlink()
    clock.at += timedelta(seconds=20)
    await it.round()
    (issue,) = await issues(store, channel_id)
    assert (issue.state, issue.attempts, issue.fault) == ("delivered", 2, "")


async def test_days_that_nobody_delivered_are_made_up_for(store: Store, tmp_path: Path) -> None:
    channel_id = await aired(store)
    await air(store, channel_id, "b" * 32, 2, BEGIN + timedelta(days=2), [Part("1", 25, "arm", ended="stop")])
    clock = Hand(OVER + timedelta(minutes=3))
    it = delivery(store, clock, await fence_of(store), FolderTarget(tmp_path, Threads("writers", places=1)))
    await it.round()
    clock.at = OVER + timedelta(days=2, minutes=3)
    await it.round()
    # Nothing aired on the second of March: there is nothing to deliver of it.
    assert [one.day for one in await issues(store, channel_id)] == ["2026-03-03", "2026-03-01"]


async def test_who_does_not_lead_delivers_nothing(store: Store, tmp_path: Path) -> None:
    channel_id = await aired(store)
    await fence_of(store)
    logs = tmp_path / "logs"
    it = delivery(store, Hand(OVER + timedelta(minutes=3)), None, FolderTarget(logs, Threads("writers", places=1)))
    with pytest.raises(NotLeader):
        await it.round()
    assert await issues(store, channel_id) == []
    assert not logs.exists()


async def test_an_issue_of_the_running_day_is_no_delivery_of_it(store: Store, tmp_path: Path) -> None:
    channel_id = await aired(store)
    clock = Hand(BEGIN + timedelta(hours=1))
    it = delivery(store, clock, await fence_of(store), FolderTarget(tmp_path, Threads("writers", places=1)))
    async with store.write() as tx:
        await tx.as_run_issues.add(channel_id, "2026-03-01", "ann", clock.now())
    await it.round()
    clock.at = OVER + timedelta(minutes=3)
    await it.round()
    assert [(one.number, one.state, one.asked_by) for one in await issues(store, channel_id)] == [
        (2, "delivered", "system"),
        (1, "delivered", "ann"),
    ]


async def test_a_target_that_is_away_keeps_nothing_from_the_others(store: Store, tmp_path: Path) -> None:
    channel_id = await aired(store)
    clock = Hand(OVER + timedelta(minutes=3))
    asked: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if len(asked) == 1:
            raise httpx.ConnectError("nobody is there")
        await request.aread()
        return httpx.Response(201)

    away = UrlTarget("https://logs.example/day", httpx.MockTransport(answer))
    it = delivery(store, clock, await fence_of(store), away, FolderTarget(tmp_path, Threads("writers", places=1)))
    await it.round()
    (issue,) = await issues(store, channel_id)
    assert (issue.state, issue.fault) == ("waiting", "nobody is there")
    written = {path.name: path.stat().st_mtime_ns for path in (tmp_path / folder_of(channel_id)).iterdir()}
    assert len(written) == 4
    clock.at += timedelta(seconds=20)
    await it.round()
    (issue,) = await issues(store, channel_id)
    assert issue.state == "delivered"
    assert len(asked) == 5
    # The folder has them already.
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / folder_of(channel_id)).iterdir()} == written


async def test_a_file_that_is_there_is_never_written_over(store: Store, tmp_path: Path) -> None:
    """As after a restore of the database, which gives numbers again."""
    channel_id = await aired(store)
    folder = tmp_path / folder_of(channel_id)
    folder.mkdir()
    (folder / "1-One.2026-03-01.asrun.1.jsonl").write_text("what was delivered then")
    clock = Hand(OVER + timedelta(minutes=3))
    it = delivery(store, clock, await fence_of(store), FolderTarget(tmp_path, Threads("writers", places=1)))
    await it.round()
    await it.round()
    (issue,) = await issues(store, channel_id)
    assert (issue.number, issue.state) == (2, "delivered")
    assert (folder / "1-One.2026-03-01.asrun.1.jsonl").read_text() == "what was delivered then"
    assert "Item 1" in (folder / "1-One.2026-03-01.asrun.2.jsonl").read_text()
    assert not [name for name in names_in(folder) if name.endswith(".part")]


async def test_one_that_cannot_be_made_does_not_keep_the_others(store: Store, tmp_path: Path) -> None:
    channel_id = await aired(store)
    clock = Hand(OVER + timedelta(minutes=3))
    async with store.write() as tx:
        await tx.as_run_issues.add(channel_id, "no day", "ann", BEGIN)
        await tx.as_run_issues.add("d" * 32, "2026-03-01", "ann", BEGIN)
    it = delivery(store, clock, await fence_of(store), FolderTarget(tmp_path, Threads("writers", places=1)))
    await it.round()
    clock.at += timedelta(seconds=20)
    await it.round()
    bad, good = await issues(store, channel_id)
    assert (good.state, good.attempts) == ("delivered", 1)
    assert (bad.state, bad.attempts) == ("waiting", 2)
    assert "no day" in bad.fault
    (left,) = await issues(store, "d" * 32)
    assert (left.attempts, left.fault) == (0, "the channel is no more: this is not delivered")


async def test_by_put_with_who_sends_it_in_no_message(store: Store) -> None:
    channel_id = await aired(store)
    clock = Hand(OVER + timedelta(minutes=3))
    got: dict[str, tuple[str, bytes]] = {}
    answers = [503]

    async def answer(request: httpx.Request) -> httpx.Response:
        got[request.url.path] = request.headers["authorization"], await request.aread()
        return httpx.Response(answers.pop() if answers else 201)

    target = UrlTarget("https://ann:s3cret@logs.example/day", httpx.MockTransport(answer))
    it = delivery(store, clock, await fence_of(store), target)
    await it.round()
    (issue,) = await issues(store, channel_id)
    assert issue.fault == f"logs.example answered 503 to {folder_of(channel_id)}/1-One.2026-03-01.asrun.1.csv"
    clock.at += timedelta(seconds=20)
    await it.round()
    (issue,) = await issues(store, channel_id)
    assert issue.state == "delivered"
    assert len(got) == 4
    kind, body = got[f"/day/{folder_of(channel_id)}/1-One.2026-03-01.asrun.1.csv"]
    assert kind.startswith("Basic ")
    assert b"Item 1" in body


def test_a_url_of_another_kind_is_refused() -> None:
    with pytest.raises(Invalid, match="MCR_ASRUN_URL"):
        UrlTarget("ftp://host/path")
