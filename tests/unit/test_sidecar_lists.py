"""What a sidecar is told of a list: how every item airs, when it was planned, and the channel's rules beside it."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

from db.models import Asset, Channel, Item, Playlist
from sidecar.protocol import channel as protocol
from supervisor.sidecar_lists import Spare, instant, nanoseconds, sidecar_playlist

EIGHT = datetime(2026, 3, 29, 18, 0, tzinfo=UTC)
FILM = Asset(id="f" * 32, title="Film", path="/m/film.mp4", rate="25", duration_frames=250, asset_duration_ms=10_000)
LIST = Playlist(id="c" * 32, name="Day", revision=7)


def item(number: int, **values: object) -> Item:
    given = {"kind": "clip", "asset_id": FILM.id, "start_mode": "follow", "in_frames": 0, **values}
    return Item(id=f"{number:032x}", position=number, title=f"Item {number}", **given)


def told(*items: Item, channel: Channel | None = None, spare: Spare | None = None) -> protocol.Playlist:
    channel = channel or Channel(rate="25", after_last="filler")
    return sidecar_playlist(channel, LIST, items, {FILM.id: FILM}, Fraction(25), spare or Spare())


def test_every_item_is_told_how_it_airs() -> None:
    live = item(
        0, kind="live", asset_id=None, url="srt://h:9000", slate_frames=750, start_mode="fixed", fixed_at=EIGHT,
        end_at=EIGHT + timedelta(hours=1), block="b", block_until=EIGHT + timedelta(hours=2),
        airing={
            "fixed_kind": "soft", "late_policy": "join", "late_limit_ms": 2000, "end_mode": "at", "repeat": 3,
            "before_fixed": "run_on", "expendable": True, "hold_show": "loop", "hold_timeout_ms": 60_000,
            "gain_mb": -150, "meant": ["black", "silence"], "logo": "off", "captions": False,
        },
    )  # fmt: skip
    (one,) = told(live).items
    eight = nanoseconds(EIGHT)
    assert one == protocol.Item(
        id=live.id, title="Item 0", kind="live", url="srt://h:9000", duration_frames=750, start_mode="fixed",
        fixed_at_ns=eight, fixed_kind="soft", late_policy="join", late_limit_ms=2000, end_mode="at",
        end_at_ns=eight + 3600 * 10**9, block="b", block_until_ns=eight + 7200 * 10**9, repeat=3,
        before_fixed="run_on", expendable=True, hold_show="loop", hold_timeout_ms=60_000, gain_mb=-150,
        meant=("black", "silence"), logo="off", captions=False, planned_at_ns=eight,
    )  # fmt: skip


def test_comments_and_what_is_dropped_are_told_as_such() -> None:
    told_ = told(item(0, kind="comment", asset_id=None), item(1, dropped=True), item(2)).items
    assert [(one.kind, one.dropped) for one in told_] == [("comment", False), ("clip", True), ("clip", False)]


def test_a_plan_goes_on_below_what_the_list_plans_as_far_as_lengths_are_known() -> None:
    items = [
        item(0), item(1, planned_start=EIGHT), item(2, airing={"repeat": 2}), item(3, dropped=True),
        item(4, kind="comment", asset_id=None), item(5, airing={"end_mode": "take"}), item(6),
    ]  # fmt: skip
    planned = [one.planned_at_ns for one in told(*items).items]
    seconds = [None if ns is None else (instant(ns) - EIGHT).total_seconds() for ns in planned]
    assert seconds == [None, 0.0, 10.0, None, None, 30.0, None]


def test_the_channels_rules_filler_and_standby_go_with_the_list() -> None:
    channel = Channel(
        rate="25", after_last="hold",
        playout={
            "hold_timeout_ms": 60_000, "hold_fallback": "filler", "fixed_ends_hold": False,
            "ladder": ["last_frame", "next"], "ladder_first_ms": 1000, "ladder_next_ms": 5000, "black_s": 3,
        },
    )  # fmt: skip
    spare = Spare([item(8), item(9, dropped=True)], {FILM.id: FILM}, FILM)
    rules = told(channel=channel, spare=spare).rules
    assert rules.standby is not None
    assert (rules.standby.path, [one.id for one in rules.filler]) == (FILM.path, [f"{8:032x}"])
    assert (rules.hold_timeout_ms, rules.hold_fallback, rules.fixed_ends_hold) == (60_000, "filler", False)
    assert (rules.ladder, rules.ladder_first_ms, rules.ladder_next_ms) == (("last_frame", "next"), 1000, 5000)


def test_a_channel_that_decides_nothing_has_the_protocols_own_rules() -> None:
    assert told().rules == protocol.Rules()


def test_what_a_person_put_into_a_list_of_traffics_is_told_as_such() -> None:
    """The as-run says *Inserted by Operator* of it; a list that a person made has nothing inserted."""
    film = Asset(id=FILM.id, title="Film", path="/m/film.mp4", rate="25", duration_frames=250, fingerprint="f1")
    channel = Channel(rate="25", after_last="filler")
    items = [item(0, traffic_id="T1"), item(1)]
    told_ = sidecar_playlist(channel, LIST, items, {FILM.id: film}, Fraction(25), Spare()).items
    assert [(one.inserted, one.fingerprint) for one in told_] == [(False, "f1"), (True, "f1")]
    assert [one.inserted for one in told(item(0), item(1)).items] == [False, False]


def test_an_item_that_inherits_has_the_logo_as_the_channel_says_of_its_category() -> None:
    logo = {"path": "/m/logo.png", "categories": {"Commercial": "off", "news": "on"}}
    channel = Channel(rate="25", after_last="filler", playout={"logo": logo})
    items = [
        item(0, airing={"category": "commercial"}), item(1, airing={"category": "NEWS", "logo": "inherit"}),
        item(2, airing={"category": "commercial", "logo": "on"}), item(3, airing={"category": "film"}), item(4),
    ]  # fmt: skip
    filler = Spare(filler=[item(5, airing={"category": "commercial"})], assets={FILM.id: FILM})
    list_ = told(*items, channel=channel, spare=filler)
    assert [one.logo for one in list_.items] == ["off", "on", "on", "inherit", "inherit"]
    assert [one.logo for one in list_.rules.filler] == ["off"]
    assert [one.logo for one in told(*items).items] == ["inherit", "inherit", "on", "inherit", "inherit"], "no logo"
