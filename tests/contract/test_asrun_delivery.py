"""Every broadcast day's log is delivered once it is over, numbered, tried again, and only by who leads."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from db.models import AsRunIssue
from db.repositories.channels import OutputSpec
from db.repositories.leader import Fence
from db.store import Store
from supervisor.asrun.delivery import Delivery
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
    assert names_in(tmp_path / "1-One") == [
        f"1-One.2026-03-01.asrun.1.{suffix}" for suffix in ("bxf.xml", "csv", "jsonl", "txt")
    ]
    assert "Item 1" in (tmp_path / "1-One" / "1-One.2026-03-01.asrun.1.csv").read_text()


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
    assert (tmp_path / "1-One" / "1-One.2026-03-01.asrun.2.csv").exists()


async def test_what_fails_is_tried_again(store: Store, tmp_path: Path) -> None:
    channel_id = await aired(store)
    clock = Hand(OVER + timedelta(minutes=3))
    (tmp_path / "1-One").write_text("a file in the way of the folder")
    it = delivery(store, clock, await fence_of(store), FolderTarget(tmp_path, Threads("writers", places=1)))
    await it.round()
    await it.round()  # at once again: it waits
    (issue,) = await issues(store, channel_id)
    assert (issue.state, issue.attempts) == ("waiting", 1)
    assert "1-One" in issue.fault
    (tmp_path / "1-One").unlink()
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
    it = delivery(store, Hand(OVER + timedelta(minutes=3)), None, FolderTarget(tmp_path, Threads("writers", places=1)))
    with pytest.raises(Exception, match=r"leader|term|lead"):
        await it.round()
    assert await issues(store, channel_id) == []
    assert names_in(tmp_path) == []


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
    assert issue.fault == "logs.example answered 503 to 1-One/1-One.2026-03-01.asrun.1.csv"
    clock.at += timedelta(seconds=20)
    await it.round()
    (issue,) = await issues(store, channel_id)
    assert issue.state == "delivered"
    assert len(got) == 4
    kind, body = got["/day/1-One/1-One.2026-03-01.asrun.1.csv"]
    assert kind.startswith("Basic ")
    assert b"Item 1" in body


def test_a_url_of_another_kind_is_refused() -> None:
    with pytest.raises(Invalid, match="MCR_ASRUN_URL"):
        UrlTarget("ftp://host/path")
