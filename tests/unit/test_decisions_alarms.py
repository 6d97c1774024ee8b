"""The alarms that a channel's state calls for: levels, which name the channel and the layer that is wrong."""

from dataclasses import replace
from typing import Any

import pytest

from supervisor.decisions.alarms import CHANNEL_ALARMS, Wanted, channel_alarms
from supervisor.decisions.channel import decide
from supervisor.decisions.pulse import Pulse
from supervisor.decisions.restarts import Restarts
from supervisor.decisions.view import View
from tests.unit.test_decisions_channel import DOWN, GOOD, SILENT, SILENT_SERVER, TIMING, server_view, view

ALARMS: list[tuple[str, View, set[str]]] = [
    ("well", view(), set()),
    ("off", view(desired="off", phase="off", sighting=None, skipped=("x",), restarts=Restarts(failures=2)), set()),
    ("dark at once", view(sighting=None, phase="placing", was_on_air=True, off_air_for=2.0), {"channel_dark"}),
    ("a quick restart", view(sighting=None, phase="placing", was_on_air=True, off_air_for=1.9), set()),
    ("a first start", view(sighting=None, phase="starting", off_air_for=9.9), set()),
    ("a first start that takes long", view(sighting=None, phase="starting", off_air_for=10.0), {"channel_dark"}),
    (
        "out of reach for long, and known to be off air since a moment",
        view(sighting=None, phase="placing", off_air_for=2.0, unseen_for=12.0),
        {"channel_dark"},
    ),
    (
        "stopped and started again where nobody reaches it",
        view(sighting=None, phase="stopping", agent="away", unseen_for=1.0),
        {"channel_unreachable", "stop_unconfirmed"},
    ),
    (
        "for too long nothing is known, whatever it is that is waited for",
        view(sighting=None, phase="running", agent="unseen", unseen_for=10.0),
        {"channel_unreachable"},
    ),
    ("blocked", view(sighting=None, phase="blocked", off_air_for=1.0), {"channel_blocked"}),
    ("hung", view(sighting=replace(SILENT, output_age_s=0.5)), {"channel_hung"}),
    ("restarted", view(restarts=Restarts(failures=1, cause="was ended by signal 9")), {"sidecar_restarted"}),
    ("skipped", view(skipped=("Film was skipped: broken",)), {"item_skipped"}),
    ("output", view(sighting=replace(GOOD, down=(DOWN,))), {"output_down"}),
    ("journal", view(sighting=replace(GOOD, journal_degraded="No space left")), {"journal_degraded"}),
    ("black", view(sighting=replace(GOOD, faults=("black",))), {"output_black"}),
    (
        "still and silent",
        view(sighting=replace(GOOD, faults=("freeze", "silence"))),
        {"output_freeze", "output_silence"},
    ),
    ("muted", view(sighting=replace(GOOD, state="muted", faults=("black",))), set()),
    ("logo", view(sighting=replace(GOOD, logo_fault="No such file")), {"logo_missing"}),
    ("server silent", view(sighting=replace(GOOD, server=SILENT_SERVER, down=(DOWN,))), {"server_silent"}),
    (
        "server silent a moment",
        view(sighting=replace(GOOD, server=replace(SILENT_SERVER, wrong_s=1.0), down=(DOWN,))),
        set(),
    ),
    ("server heard", view(sighting=replace(GOOD, server=replace(SILENT_SERVER, moves=True))), {"server_silent"}),
    (
        "server gone",
        view(sighting=replace(GOOD, server=replace(SILENT_SERVER, reached=False), down=(DOWN,)), off_air_for=11.0),
        {"server_silent", "channel_dark"},
    ),
    (
        "server stands",
        view(sighting=replace(GOOD, server=replace(SILENT_SERVER, answers=True), down=(DOWN,))),
        {"server_stands", "output_down"},
    ),
    ("hold", view(sighting=replace(GOOD, hold_timed_out=True)), {"hold_timed_out"}),
    ("late", view(sighting=replace(GOOD, pulse=Pulse(3, late_at=999.0))), {"late_frames"}),
    ("a server was not told", server_view(sighting=None), {"stop_unconfirmed"}),
    ("no end", view(desired="off", phase="stopping", fault="process 77 does not go"), {"stop_unconfirmed"}),
]


@pytest.mark.parametrize(("seen", "codes"), [case[1:] for case in ALARMS], ids=[case[0] for case in ALARMS])
def test_alarms_are_levels_and_name_the_channel(seen: View, codes: set[str]) -> None:
    """P1."""
    wanted = channel_alarms(seen, decide(seen, TIMING), TIMING)
    assert wanted.keys() == codes
    assert wanted.keys() <= set(CHANNEL_ALARMS)
    assert all("One" in alarm.text for alarm in wanted.values())


def test_the_alarm_of_a_server_says_which_layer_is_wrong() -> None:
    def told(**more: Any) -> Wanted:
        seen = view(sighting=replace(GOOD, server=replace(SILENT_SERVER, **more)))
        (alarm,) = channel_alarms(seen, decide(seen, TIMING), TIMING).values()
        return alarm

    assert told().severity == "critical"
    assert "its sidecar answers, its CasparCG server has not for 4 s; what it was told last may play on" in told().text
    assert told(moves=True).severity == "warning"
    assert "plays on" in told(moves=True).text
    assert "nothing plays there" in told(reached=False).text
    assert "answer, the server's channel stands" in told(answers=True).text
