"""What is wrong with what will air, and when that is an alarm."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from db.models import Asset, Item
from supervisor.ahead.checking import ChannelFacts, Code, FileLook, Finding, Known, Measured, Severity, check
from supervisor.ahead.looking import Due, Report, Role
from supervisor.ahead.watch import AT_ONCE, alarms_of

HD = ChannelFacts(Fraction(25), Fraction(16, 9), target=-2300)
THERE = FileLook("there", 1000)
LEVEL = Measured(-2300)
NOW = datetime(2026, 3, 29, 4, 0, tzinfo=UTC)


def clip(**facts: Any) -> Asset:
    plain = {
        "path": "/media/a.mxf", "title": "Film", "size_bytes": 1000, "rate": "25", "duration_frames": 100,
        "aspect": "16/9", "variable_rate": False, "captions": False, "audio_codec": "pcm_s24le",
        "audio_tracks": ["stereo"], "silent": False, "start_timecode": None,
    }  # fmt: skip
    return Asset(**{**plain, **facts})


def item(**facts: Any) -> Item:
    return Item(**{"kind": "clip", "in_frames": 0, "title": "Film", "house_id": "N1", **facts})


def test_what_is_as_it_should_be_has_no_findings() -> None:
    assert check(item(), Known(clip(), THERE, measured=LEVEL), HD) == ()
    assert check(item(kind="slate"), Known(), HD) == ()
    assert check(item(kind="comment"), Known(), HD) == ()


@pytest.mark.parametrize(
    ("code", "severity", "known"),
    [
        ("missing", "critical", Known(clip(), FileLook("gone"))),
        ("unreadable", "critical", Known(clip(), FileLook("unreadable", detail="Permission denied"))),
        ("changed", "warning", Known(clip(), FileLook("there", 999), measured=LEVEL)),
        ("rate", "warning", Known(clip(rate="24"), THERE, measured=LEVEL)),
        ("variable_rate", "warning", Known(clip(variable_rate=True), THERE, measured=LEVEL)),
        ("aspect", "info", Known(clip(aspect="4/3"), THERE, measured=LEVEL)),
        ("audio_layout", "info", Known(clip(audio_tracks=["mono"] * 8), THERE, measured=LEVEL)),
        ("audio_layout", "info", Known(clip(audio_tracks=["5.1"]), THERE, measured=LEVEL)),
        ("no_audio", "warning", Known(clip(audio_codec=None, audio_tracks=[]), THERE)),
        ("silent", "warning", Known(clip(silent=True), THERE)),
        ("unmeasured", "warning", Known(clip(), THERE)),
        ("loudness", "warning", Known(clip(), THERE, measured=Measured(-3100))),
        ("loudness", "info", Known(clip(), THERE, measured=Measured(-1800))),
        ("captions", "warning", Known(clip(captions=True, rate="50"), THERE, measured=LEVEL)),
        ("missing", "critical", Known()),
        ("arriving", "critical", Known(arriving="arriving")),
        ("unreadable", "critical", Known(arriving="no picture in it")),
    ],
)  # fmt: skip
def test_each_fault_is_found_by_itself(code: str, severity: str, known: Known) -> None:
    assert [(one.code, one.severity) for one in check(item(), known, HD)] == [(code, severity)]


def test_a_live_input_that_does_not_connect() -> None:
    assert check(item(kind="live"), Known(), HD) == ()
    (found,) = check(item(kind="live"), Known(live_fault="nobody answers"), HD)
    assert (found.code, found.severity, found.text) == ("live", "critical", "nobody answers")


@pytest.mark.parametrize(
    ("trims", "severity", "text"),
    [
        ({"in_frames": 100}, "critical", "its in point is frame 100"),
        ({"out_frames": 125}, "warning", "ends 25 frames before"),
        ({"listed": {"length": {"frames": 150, "rate": None}}}, "warning", "ends 50 frames before"),
        ({"in_frames": 50, "listed": {"length": {"seconds": "4"}}}, "warning", "ends 50 frames before"),
    ],
)
def test_a_clip_shorter_than_its_trims(trims: dict[str, Any], severity: str, text: str) -> None:
    (found,) = check(item(**trims), Known(clip(), THERE, measured=LEVEL), HD)
    assert (found.code, found.severity) == ("short", severity)
    assert text in found.text


def test_a_clip_that_came_and_has_nothing_between_its_trims() -> None:
    listed = {"in": {"timecode": "00:00:10:00", "rate": None}}
    (found,) = check(item(listed=listed), Known(candidate=clip()), HD)
    assert (found.code, found.severity) == ("short", "critical")


def test_a_channel_that_levels_nothing_needs_no_measurement() -> None:
    assert check(item(), Known(clip(), THERE), ChannelFacts(Fraction(25), Fraction(16, 9))) == ()


def due(minutes: float | None, severity: Any = "critical", code: Any = "missing") -> Due:
    needed_by = None if minutes is None else NOW + timedelta(minutes=minutes)
    return Due(item(title=f"at {minutes}"), "N1", needed_by, (Finding(code, severity, "it is not there"),))


def test_what_is_near_and_not_ready_is_an_alarm() -> None:
    assert alarms_of("One", Report((), 5, NOW)) == {}
    assert alarms_of("One", Report((due(None),), 5, NOW)) == {}, "nobody can tell when"
    wanted = alarms_of("One", Report((due(20), due(12)), 5, NOW))["ahead_not_ready"]
    assert wanted.severity == "warning"
    assert wanted.text == 'One: "at 12", needed by 04:12:00 UTC: it is not there; and 1 more'
    near = AT_ONCE / timedelta(minutes=1)
    assert alarms_of("One", Report((due(near),), 5, NOW))["ahead_not_ready"].severity == "critical"


def test_only_what_is_heard_or_seen_wrong_is_doubtful() -> None:
    assert alarms_of("One", Report((due(2, "warning", "rate"),), 5, NOW)) == {}
    assert alarms_of("One", Report((due(2, "warning", "silent"),), 5, NOW)).keys() == {"ahead_doubtful"}


def spare(role: Role, severity: Severity = "critical", code: Code = "missing") -> Due:
    return Due(item(title=role), "N1", NOW, (Finding(code, severity, "it is not there"),), role)


def test_filler_and_the_standby_clip_are_alarms_of_their_own() -> None:
    some = alarms_of("One", Report((spare("filler"),), 5, NOW, filler=2))
    assert some.keys() == {"spare_not_ready"}
    assert some["spare_not_ready"].severity == "warning", "there is other filler"
    assert some["spare_not_ready"].text == 'One: filler "filler", needed by now: it is not there'
    assert alarms_of("One", Report((spare("filler"),), 5, NOW, filler=1))["spare_not_ready"].severity == "critical"
    both = alarms_of("One", Report((spare("filler"), spare("standby")), 5, NOW, filler=2))["spare_not_ready"]
    assert both.severity == "critical"
    assert both.text == 'One: the STANDBY clip "standby", needed by now: it is not there; and 1 more'
    odd = alarms_of("One", Report((spare("standby", "warning", "silent"),), 5, NOW))
    assert odd.keys() == {"spare_doubtful"}
