"""Rundowns: the list a sidecar is told, and the times an operator reads, from rows and from what is on air."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from db.models import Asset, Channel, Item, Playlist
from supervisor.rundowns import (
    Listing,
    rundown,
    timing_of_start,
    timing_on_air,
)
from supervisor.schemas.channel import ChannelLive, Rundown
from supervisor.sidecar_lists import channel_frames, sidecar_playlist
from tests.fixtures.channels import make_channel

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FILM = Asset(id="f" * 32, title="Film", path="/m/film.mp4", rate="25", duration_frames=250, asset_duration_ms=10_000)
NTSC = Asset(id="a" * 32, title="NTSC", path="/m/n.mp4", rate="30000/1001", duration_frames=300)
SOUND = Asset(id="b" * 32, title="Sound", path="/m/s.wav", rate=None, asset_duration_ms=2_500)


def item(number: int, asset: Asset | None = FILM, **values: object) -> Item:
    defaults = {"in_frames": 0, "out_frames": None, "slate_frames": None, "start_mode": "follow", "kind": "clip"}
    return Item(
        id=f"{number:032x}", position=number, title=f"Item {number}", asset_id=asset.id if asset else None,
        **{**defaults, **values},
    )  # fmt: skip


def listing(*items: Item, missing: frozenset[str] = frozenset()) -> Listing:
    playlist = Playlist(id="c" * 32, name="Day", revision=7)
    return Listing(playlist, items, {asset.id: asset for asset in (FILM, NTSC, SOUND)}, missing)


def on_air(number: int, position: int, *, at: datetime = NOON, **values: object) -> ChannelLive:
    started = at - timedelta(seconds=position / 25)
    live: dict[str, Any] = {
        "as_of": at,
        "picture": "item",
        "item": {
            "item_id": f"{number:032x}", "title": "x", "position_frames": position, "duration_frames": 250,
            "started_at": started,
        },
        **values,
    }  # fmt: skip
    return make_channel(live=live).live


def following(number: int, *, cued: bool = False) -> dict[str, Any]:
    return {"item_id": f"{number:032x}", "title": "x", "cued": cued, "ready": True, "in_frames_left": None}


def rows_on_air(
    list_: Listing, live: ChannelLive, *, after_last: str = "filler", aired: dict[str, datetime] | None = None
) -> Rundown:
    channel = Channel(rate="25", after_last=after_last)
    told = sidecar_playlist(channel, list_.playlist, list_.items, list_.assets, Fraction(25))
    return rundown(list_, timing_on_air(told, Fraction(25), live, aired or {}), Fraction(25), "UTC")


def starts(shown: Rundown) -> list[float | None]:
    """Seconds from noon."""
    return [None if row.start_at is None else (row.start_at - NOON).total_seconds() for row in shown.rows]


@pytest.mark.parametrize(
    ("one", "asset", "rate", "frames"),
    [
        (item(0), FILM, "25", 250),
        (item(0), FILM, "50", 500),
        (item(0, in_frames=10, out_frames=35), FILM, "25", 25),
        (item(0), NTSC, "25", 250),  # 10.01 s
        (item(0), NTSC, "30000/1001", 300),
        (item(0, in_frames=299), NTSC, "25", 1),
        (item(0), SOUND, "25", 62),  # 2.5 s; a half frame does not count
        (item(0, None, kind="slate", slate_frames=75), None, "25", 75),
        (item(0), None, "25", None),
    ],
)
def test_an_item_airs_as_many_channel_frames_as_its_trim_lasts(
    one: Item, asset: Asset | None, rate: str, frames: int | None
) -> None:
    assert channel_frames(one, asset, Fraction(rate)) == frames


def test_a_sidecar_is_told_all_that_it_plays() -> None:
    list_ = listing(item(0, in_frames=25), item(1, None, kind="slate", slate_frames=50, start_mode="hold"))
    told = sidecar_playlist(
        Channel(rate="25", after_last="loop"), list_.playlist, list_.items, list_.assets, Fraction(25)
    )
    first, second = told.items
    assert (told.revision, told.after_last) == (7, "loop")
    assert (first.path, first.source_rate, first.in_frames, first.duration_frames) == ("/m/film.mp4", "25", 25, 225)
    assert first.asset_duration_ms == 10_000
    assert (second.kind, second.path, second.duration_frames, second.start_mode) == ("slate", None, 50, "hold")


def test_a_channel_without_a_playlist_is_told_an_empty_one() -> None:
    assert sidecar_playlist(Channel(rate="25", after_last="filler"), None, (), {}, Fraction(25)).items == ()


def test_times_follow_from_a_start() -> None:
    list_ = listing(item(0), item(1, out_frames=25), item(2))
    told = sidecar_playlist(
        Channel(rate="25", after_last="filler"), list_.playlist, list_.items, list_.assets, Fraction(25)
    )
    shown = rundown(list_, timing_of_start(told, Fraction(25), NOON, note="as if"), Fraction(25), "UTC")
    assert starts(shown) == [0.0, 10.0, 11.0]
    assert [row.state for row in shown.rows] == ["next", "planned", "planned"]
    assert [row.note for row in shown.rows] == ["as if", "", ""]


def test_times_follow_from_what_is_on_air() -> None:
    shown = rows_on_air(listing(item(0), item(1), item(2)), on_air(1, 100, next=following(2)))
    assert starts(shown) == [None, -4.0, 6.0]
    assert [row.state for row in shown.rows] == ["planned", "on_air", "next"]


def test_what_aired_keeps_its_start_and_a_loop_comes_again() -> None:
    aired = {f"{0:032x}": NOON - timedelta(seconds=14)}
    list_ = listing(item(0), item(1))
    once = rows_on_air(list_, on_air(1, 100), aired=aired)
    assert [(row.state, start) for row, start in zip(once.rows, starts(once), strict=True)] == [
        ("aired", -14.0),
        ("on_air", -4.0),
    ]
    again = rows_on_air(list_, on_air(1, 100), after_last="loop", aired=aired)
    assert [(row.state, start) for row, start in zip(again.rows, starts(again), strict=True)] == [
        ("planned", 6.0),
        ("on_air", -4.0),
    ]


@pytest.mark.parametrize("waiting", [{"hold": True}, {"item": None, "picture": "filler", "next": following(0)}])
def test_nothing_of_a_loop_is_past_while_it_waits_for_a_take(waiting: dict[str, Any]) -> None:
    aired = {f"{number:032x}": NOON - timedelta(seconds=30 - 10 * number) for number in range(3)}
    list_ = listing(item(0), item(1), item(2))
    values: dict[str, Any] = {"next": following(0), **waiting}
    live = on_air(2, 100, **values)
    last = "planned" if live.item is None else "on_air"
    looping = rows_on_air(list_, live, after_last="loop", aired=aired)
    assert [row.state for row in looping.rows] == ["next", "planned", last]
    assert starts(looping)[:2] == [None, None]
    assert rows_on_air(list_, live, aired=aired).rows[1].state == "aired", "of one that ends it is"


def test_behind_a_hold_nobody_can_tell() -> None:
    list_ = listing(item(0), item(1), item(2, start_mode="hold"), item(3))
    assert starts(rows_on_air(list_, on_air(0, 0))) == [0.0, 10.0, None, None]


@pytest.mark.parametrize(
    "waiting", [{"hold": True}, {"picture": "hold"}, {"picture": "freeze"}, {"picture": "standby"}]
)
def test_while_it_waits_nothing_has_a_time(waiting: dict[str, Any]) -> None:
    assert starts(rows_on_air(listing(item(0), item(1)), on_air(0, 0, **waiting))) == [0.0, None]


def test_a_cue_changes_what_follows() -> None:
    list_ = listing(item(0), item(1), item(2))
    shown = rows_on_air(list_, on_air(0, 0, next=following(2, cued=True)))
    assert starts(shown) == [0.0, None, 10.0]
    assert [row.state for row in shown.rows] == ["on_air", "planned", "next"]


def test_times_stand_still_from_report_to_report() -> None:
    """A report that is a few milliseconds late must not move what the operator reads."""
    list_ = listing(item(0), item(1))
    begun = on_air(0, 0).item
    seen = {
        starts(rows_on_air(list_, on_air(0, 50, at=NOON + timedelta(seconds=2, milliseconds=late), item=item_)))[1]
        for late in (0, 7, 31)
        if begun is not None
        for item_ in [begun.model_copy(update={"position_frames": 50})]
    }
    assert seen == {10.0}


def test_after_a_freeze_times_follow_what_is_shown_and_not_the_clock() -> None:
    live = on_air(0, 50, item={**_item_of(0, 50), "started_at": NOON - timedelta(seconds=60)})
    assert starts(rows_on_air(listing(item(0), item(1)), live)) == [-60.0, 8.0]


def _item_of(number: int, position: int) -> dict[str, Any]:
    return {"item_id": f"{number:032x}", "title": "x", "position_frames": position, "duration_frames": 250}


def test_a_file_that_is_gone_is_said_so_but_not_of_what_is_on_air() -> None:
    list_ = listing(item(0), item(1), missing=frozenset({FILM.path}))
    shown = rows_on_air(list_, on_air(0, 0))
    assert [row.state for row in shown.rows] == ["on_air", "missing"]
    assert FILM.path in shown.rows[1].note


def test_an_item_that_the_list_has_no_more_leaves_times_open() -> None:
    assert starts(rows_on_air(listing(item(0), item(1)), on_air(9, 10))) == [None, None]


def test_a_fixed_start_is_predicted_with_what_it_cuts_drops_and_leaves_open() -> None:
    at = NOON + timedelta(seconds=25)
    fixed = {"start_mode": "fixed", "fixed_at": at}
    list_ = listing(item(0), item(1), item(2), item(3), item(4, **fixed), item(5, start_mode="fixed",
                    fixed_at=at + timedelta(seconds=12)))  # fmt: skip
    shown = rows_on_air(list_, on_air(0, 100))
    assert starts(shown) == [-4.0, 6.0, 16.0, None, 25.0, 37.0]
    assert [row.cut_frames for row in shown.rows] == [0, 0, 25, 0, 0, 0]
    assert [row.gap_frames for row in shown.rows] == [0, 0, 0, 0, 0, 50]
    assert shown.rows[3].note == "will not air: a fixed start comes before its turn"
    assert [row.over_under_frames for row in shown.rows[4:]] == [275, -50]
    assert shown.next_fixed_item_id == shown.rows[4].item_id


def test_a_fixed_start_that_was_is_none_in_the_next_round() -> None:
    """The sidecar has done with it, however long ago it was due: nothing between is passed over for its sake."""
    at = NOON - timedelta(seconds=30)
    list_ = listing(item(1), item(2), item(3, start_mode="fixed", fixed_at=at))
    aired = {f"{3:032x}": at + timedelta(seconds=4)}
    assert starts(rows_on_air(list_, on_air(1, 100), after_last="loop", aired=aired)) == [-4.0, 6.0, 16.0]
    # One that has a new time since it aired is still to be.
    list_ = listing(item(1), item(2), item(3, start_mode="fixed", fixed_at=NOON + timedelta(seconds=20)))
    assert starts(rows_on_air(list_, on_air(1, 100), after_last="loop", aired=aired)) == [-4.0, 6.0, 20.0]


def test_comments_and_dropped_items_are_passed_over() -> None:
    shown = rows_on_air(listing(item(0), item(1, kind="comment", asset=None), item(2, dropped=True), item(3)),
                        on_air(0, 100))  # fmt: skip
    assert starts(shown) == [-4.0, None, None, 6.0]
    assert [row.state for row in shown.rows] == ["on_air", "planned", "dropped", "planned"]
    assert shown.next_action == "the list ends"
    assert shown.next_action_at == NOON + timedelta(seconds=16)


def test_what_an_operator_dropped_on_air_has_no_time_and_what_follows_comes_sooner() -> None:
    list_ = listing(item(0), item(1), item(2), item(3))
    shown = rows_on_air(list_, on_air(0, 100, next=following(1), dropped=(f"{2:032x}",)))
    assert starts(shown) == [-4.0, 6.0, None, 16.0]
    assert [row.state for row in shown.rows] == ["on_air", "next", "dropped", "planned"]
    assert shown.next_action_at == NOON + timedelta(seconds=26)


def test_what_follows_an_item_that_was_made_longer_comes_later() -> None:
    live = on_air(0, 100, next=following(1))
    assert live.item is not None
    longer = live.model_copy(update={"item": live.item.model_copy(update={"duration_frames": 250 + 750})})
    shown = rows_on_air(listing(item(0), item(1)), longer)
    assert starts(shown) == [-4.0, 36.0]
    assert [row.duration_frames for row in shown.rows] == [1000, 250]
    assert shown.ends_at == NOON + timedelta(seconds=46)
    again = rows_on_air(listing(item(0), item(1)), longer, after_last="loop")
    assert starts(again) == [-4.0, 36.0], "the next round has its own length"
