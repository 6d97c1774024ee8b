"""Lines that an operator, a screen reader and a log all can read."""

from datetime import timedelta
from uuid import UUID

import pytest

from mcr_console.asrun_words import how
from mcr_console.cli.asrun import COLUMNS, line, row
from mcr_console.cli.wording import channel_line, clock, counted
from supervisor.schemas.asrun import AsRunEvent
from tests.fixtures.channels import AT, make_channel

ON_AIR = {
    "desired": "on",
    "phase": "running",
    "observed": "on_air",
    "picture": "item",
    "epoch": 3,
    "node_name": "local",
    "heartbeat_age_ms": 340,
    "item": {"item_id": "a", "title": "Weather", "position_frames": 250, "duration_frames": 750, "started_at": AT},
    "next": {"item_id": "b", "title": "Sport", "cued": False, "ready": True, "in_frames_left": 500},
}


def test_a_channel_on_air_is_one_line() -> None:
    found = channel_line(make_channel(live=ON_AIR))
    assert found == ('1 News 24: ON AIR, "Weather" 0:10 of 0:30, next "Sport" in 0:20, node local, heartbeat 0.3 s old')


def test_a_channel_that_should_be_on_air_and_is_not_says_so_first() -> None:
    live = {**ON_AIR, "observed": "gone", "phase": "starting", "off_air_since": AT, "decision": "Starting it again."}
    assert channel_line(make_channel(live=live)).startswith("1 News 24: OFF AIR, STARTING, Starting it again.")


def test_a_title_cannot_steer_the_terminal() -> None:
    item = {**ON_AIR["item"], "title": "x\x1b[2Jy\n\x9b31m"}  # type: ignore[dict-item]
    found = channel_line(make_channel(live={**ON_AIR, "item": item}))
    assert "\x1b" not in found
    assert "\n" not in found
    assert "\x9b" not in found


def event(**values: object) -> AsRunEvent:
    known: dict[str, object] = {
        "channel_id": UUID(int=1).hex, "run_id": "r1", "epoch": 2, "seq": 7, "kind": "item", "item_id": "a",
        "asset_id": None, "house_id": None, "title": "Weather", "start_at": AT,
        "end_at": AT + timedelta(seconds=10), "start_frame": 500, "frames": 250, "planned_frames": 250, "rate": "25",
        "start_cause": "follow", "end_cause": "end", "by": "", "status": "aired", "detail": "", "late": 0,
    }  # fmt: skip
    return AsRunEvent.model_validate({**known, **values})


def test_an_event_is_shown_in_the_channels_own_time() -> None:
    found = line(event(), make_channel(time_zone="Europe/Berlin"))
    assert found == '2026-03-01 13:00:00 1 News 24: "Weather" aired, 250 frames (0:10)'


def test_what_did_not_air_says_why_and_by_whom() -> None:
    jumped = event(kind="skipped", status="skipped", start_cause="jumped", by="ann", detail="Sport was cued", frames=0)
    assert how(jumped) == "skipped: jumped; by ann; Sport was cued"


def test_what_is_late_is_said_once() -> None:
    live = {**ON_AIR, "observed": "late", "decision": "on air, frames late: Weather"}
    assert channel_line(make_channel(live=live)).startswith('1 News 24: ON AIR, LATE, "Weather" 0:10 of 0:30, next')


def test_who_began_an_item_is_not_taken_for_who_cut_it() -> None:
    cut = event(status="cut", start_cause="take", by="root", end_cause="rejoin")
    assert line(cut, make_channel()).endswith('"Weather" cut by rejoin, 250 frames (0:10); began by take (root)')


def test_an_event_of_a_deleted_channel_is_still_shown() -> None:
    assert "deleted channel" in line(event(), None)
    assert len(row(event(), None)) == len(COLUMNS)


def test_csv_has_every_fact_of_an_event_under_its_name() -> None:
    found = dict(zip(COLUMNS, row(event(late=2), make_channel()), strict=True))
    assert found["start_utc"] == "2026-03-01T12:00:00.000Z"
    assert (found["frames"], found["late"], found["channel_name"], found["seq"]) == (250, 2, "News 24", 7)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (7.9, "0:07"), (754, "12:34"), (3723, "1:02:03"), (-1, "0:00")]
)
def test_durations(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_counting() -> None:
    assert [counted(n, "channel") for n in (0, 1, 2)] == ["0 channels", "1 channel", "2 channels"]
