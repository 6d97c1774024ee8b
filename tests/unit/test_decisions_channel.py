"""What is decided about a channel, and the sentence an operator reads; table by table."""

from dataclasses import replace
from typing import Any

import pytest

from supervisor.decisions.channel import decide
from supervisor.decisions.pulse import Pulse
from supervisor.decisions.restarts import Restarts
from supervisor.decisions.timing import Timing
from supervisor.decisions.view import (
    Action,
    ArmNow,
    End,
    GiveList,
    MoveTo,
    NoteFailure,
    OutputSight,
    Place,
    ServerSight,
    Sighting,
    Site,
    Start,
    StartToEnd,
    View,
)

TIMING = Timing()
GOOD = Sighting(
    epoch=3,
    pid=77,
    pulse=Pulse(3, frame=100),
    state="on_air",
    nonce="n",
    frame=100,
    item_id="i",
    picture="News",
    outputs=2,
)
BASE = View(
    name="One",
    desired="on",
    phase="running",
    epoch=3,
    now=1000.0,
    phase_for=60.0,
    why_not_leading="",
    agent="answers",
    agent_name="here",
    site=Site("node", "here"),
    sighting=GOOD,
    restarts=Restarts(),
)
SILENT = replace(GOOD, pulse=Pulse(3, misses=3, why="no answer to /status within 0.8 s"))
STILL = replace(GOOD, pulse=Pulse(3, misses=3, why="its frames stand still at 100", stands_still=True))
MUTED = replace(GOOD, state="muted", frame=0)
DOWN = OutputSight("udp output", "down, no route")
SILENT_SERVER = ServerSight(answers=False, moves=False, reached=True, detail="no reply within 0.5 s", wrong_s=4.0)


def view(**changes: Any) -> View:
    return replace(BASE, **changes)


def server_view(**changes: Any) -> View:
    """Of a channel that a server plays and that is being stopped."""
    return view(**{"desired": "off", "phase": "stopping", "server": "here", "node_id": "node"} | changes)


MAY_PLAY_ON = "the stop is not confirmed, the CasparCG server may play on:"
UNTOLD = "did not end what the CasparCG server plays: the sidecar that was to end it"
NO_ANSWER = "3 polls missed in a row, no answer to /status within 0.8 s"
NO_SIGN = f"does not answer and its output stands still: {NO_ANSWER}"
ALL_DOWN = "udp output: down, no route; udp output: down, no route"
DARK = f"dark: no programme output moves ({ALL_DOWN}); the engine tries again by itself"


CASES: list[tuple[str, View, tuple[Action, ...], str, str | None]] = [
    ("off", view(desired="off", phase="off", sighting=None), (), "off, as wanted", None),
    ("wanted", view(phase="off", sighting=None), (MoveTo("placing"),), "wanted on air: looks for a node", None),
    (
        "off but it runs",
        view(desired="off", phase="off"),
        (End(3, patient=True),),
        "off, but a sidecar of it still runs: ends it",
        "on_air",
    ),
    ("placed", view(phase="placing", sighting=None), (Place("node"),), "starts on here", None),
    (
        "blocked",
        view(phase="placing", sighting=None, site=Site("node", "here", "node here is full: 2 of 2 channels")),
        (MoveTo("blocked"),),
        "cannot be placed: node here is full: 2 of 2 channels",
        None,
    ),
    (
        "no node",
        view(phase="placing", sighting=None, site=None),
        (MoveTo("blocked"),),
        "cannot be placed: no node is known",
        None,
    ),
    ("stays blocked", view(phase="blocked", sighting=None, site=None), (), "cannot be placed: no node is known", None),
    ("free again", view(phase="blocked", sighting=None), (MoveTo("placing"),), "can be placed again", None),
    (
        "backs off",
        view(phase="placing", sighting=None, restarts=Restarts(3, 4.0, 1002.5, 1000.0, "ended with code 3")),
        (),
        "restart 3 waits 4.0 s: the sidecar ended with code 3",
        None,
    ),
    (
        "an old one runs",
        view(phase="placing", sighting=replace(GOOD, epoch=2), strays=(2,)),
        (End(3, patient=False),),
        "ends what still runs of it before a new start",
        None,
    ),
    (
        "one runs above the row's epoch",
        view(phase="placing", sighting=None, strays=(9,)),
        (End(9, patient=False),),
        "ends what still runs of it before a new start",
        None,
    ),
    (
        "agent away while placing",
        view(phase="placing", sighting=None, agent="unseen", site=Site("node", "here", answers=False)),
        (),
        "waits for the agent of here before it starts",
        None,
    ),
    ("start", view(phase="starting", sighting=None), (Start(3),), "starts epoch 3", None),
    (
        "start failed",
        view(phase="starting", sighting=None, fault="no such file"),
        (MoveTo("placing"), NoteFailure("could not be started: no such file", None)),
        "the sidecar could not be started: no such file: restarts in place",
        None,
    ),
    (
        "placed by another leader, and not there",
        view(phase="starting", sighting=None, placed_now=False),
        (MoveTo("placing"), NoteFailure("that another leader placed is not there", None)),
        "the sidecar that another leader placed is not there: restarts in place",
        None,
    ),
    (
        "placed by another leader, and nothing heard yet",
        view(phase="starting", sighting=None, placed_now=False, fresh=False),
        (),
        "waits for the next word of here",
        None,
    ),
    (
        "start vanished",
        view(phase="starting", sighting=None, start_ordered=True),
        (MoveTo("placing"), NoteFailure("was gone before it could be seen", None)),
        "the sidecar was gone before it could be seen: restarts in place",
        None,
    ),
    (
        "getting ready",
        view(
            phase="starting", phase_for=2.0, sighting=replace(MUTED, state=None), beginning="continues News at frame 9"
        ),
        (),
        "waits for epoch 3 to get ready; continues News at frame 9",
        None,
    ),
    (
        "not ready in time",
        view(phase="starting", phase_for=20.1, sighting=replace(MUTED, state=None)),
        (MoveTo("fencing"), NoteFailure("did not get ready in 20 s", "i")),
        "the sidecar did not get ready in 20 s: replaces it",
        None,
    ),
    (
        "not decoded yet",
        view(phase="starting", sighting=replace(MUTED, undecoded="News"), muted_for=1.9),
        (),
        "waits for the first picture of News",
        None,
    ),
    (
        "never decoded",
        view(phase="starting", sighting=replace(MUTED, undecoded="News"), muted_for=2.0),
        (ArmNow(3, "n"),),
        "News gave no picture in 2 s: arms epoch 3 all the same",
        None,
    ),
    ("ready", view(phase="starting", sighting=MUTED), (ArmNow(3, "n"),), "ready and muted: arms epoch 3", None),
    (
        "armed without a frame",
        view(phase="starting", sighting=replace(GOOD, frame=0), armed_for=1.0),
        (),
        "armed: waits for the first frame",
        "on_air",
    ),
    (
        "armed and nothing came",
        view(phase="starting", sighting=replace(GOOD, frame=0), armed_for=8.1),
        (MoveTo("fencing"), NoteFailure("sent no frame in 8 s after arming", "i")),
        "the sidecar sent no frame in 8 s after arming: replaces it",
        "on_air",
    ),
    ("first frames", view(phase="starting", armed_for=0.1), (MoveTo("running"),), "the first frames left", "on_air"),
    (
        "died while starting",
        view(phase="starting", sighting=replace(MUTED, exit="ended with code 3")),
        (MoveTo("placing"), NoteFailure("ended with code 3", "i")),
        "the sidecar ended with code 3: restarts in place",
        None,
    ),
    ("on air", view(), (), "on air: News", "on_air"),
    ("adopted", view(adopted=True), (), "on air: News; found running as process 77 and adopted untouched", "on_air"),
    (
        "late",
        view(sighting=replace(GOOD, pulse=Pulse(3, frame=100, late_at=991.0))),
        (),
        "on air, frames late: News",
        "late",
    ),
    ("late long ago", view(sighting=replace(GOOD, pulse=Pulse(3, late_at=989.0))), (), "on air: News", "on_air"),
    ("degraded", view(sighting=replace(GOOD, down=(DOWN,))), (), "on air, degraded 1/2: News", "on_air"),
    (
        "all down",
        view(sighting=replace(GOOD, down=(DOWN, DOWN))),
        (),
        DARK,
        "dark",
    ),
    (
        "nothing to go out by",
        view(sighting=replace(GOOD, outputs=0)),
        (),
        "dark: it has no programme output; give the channel one and start it anew",
        "dark",
    ),
    (
        "two misses",
        view(sighting=replace(GOOD, pulse=Pulse(3, misses=2, why="no answer"))),
        (),
        "on air: News; 2 polls missed in a row, no answer",
        "on_air",
    ),
    ("a new list", view(list_changed=True), (GiveList(3),), "on air: News; gives it the new list", "on_air"),
    (
        "dark, and a stray may hold the place",
        view(strays=(2,), sighting=replace(GOOD, down=(DOWN, DOWN))),
        (End(2, patient=False),),
        f"{DARK}; ends a stray sidecar of epoch 2",
        "dark",
    ),
    (
        "a stray",
        view(strays=(2,)),
        (End(2, patient=False),),
        "on air: News; ends a stray sidecar of epoch 2",
        "on_air",
    ),
    (
        "silent",
        view(sighting=SILENT),
        (MoveTo("fencing"), NoteFailure(NO_SIGN, "i")),
        f"the sidecar {NO_SIGN}: replaces it",
        "silent",
    ),
    (
        "hung",
        view(sighting=replace(SILENT, output_age_s=1.0)),
        (),
        f"left on air, its output moves, but it does not answer: {NO_ANSWER}",
        "hung",
    ),
    (
        "hung for a minute",
        view(sighting=replace(SILENT, output_age_s=1.0, pulse=Pulse(3, misses=60, why="no answer"))),
        (MoveTo("fencing"), NoteFailure("has not answered for 60 s", "i")),
        "the sidecar has not answered for 60 s: replaces it",
        "hung",
    ),
    (
        "still",
        view(sighting=STILL),
        (
            MoveTo("fencing"),
            NoteFailure("answers but stands still: 3 polls missed in a row, its frames stand still at 100", "i"),
        ),
        "the sidecar answers but stands still: 3 polls missed in a row, its frames stand still at 100: replaces it",
        "dark",
    ),
    (
        "leaves by itself",
        view(sighting=replace(GOOD, state="stopping"), off_air_for=1.0),
        (),
        "says it is stopping: waits for its exit, then starts anew",
        "dark",
    ),
    (
        "leaves and does not go",
        view(sighting=replace(GOOD, state="stopping"), off_air_for=5.0),
        (MoveTo("fencing"), NoteFailure("says it is stopping though it is wanted on air", "i")),
        "the sidecar says it is stopping though it is wanted on air: replaces it",
        "dark",
    ),
    (
        "exited",
        view(sighting=replace(GOOD, exit="was ended by signal 9")),
        (MoveTo("placing"), NoteFailure("was ended by signal 9", "i")),
        "the sidecar was ended by signal 9: restarts in place",
        "gone",
    ),
    (
        "not in the inventory",
        view(sighting=None),
        (MoveTo("placing"), NoteFailure("is gone from its node", None)),
        "the sidecar is gone from its node: restarts in place",
        "gone",
    ),
    (
        "only an older one",
        view(sighting=replace(GOOD, epoch=2)),
        (MoveTo("placing"), NoteFailure("is gone from its node", None)),
        "the sidecar is gone from its node: restarts in place",
        "gone",
    ),
    (
        "agent away",
        view(agent="away"),
        (),
        "left alone: the agent of here does not answer, which says nothing: there is no other node",
        "unknown",
    ),
    (
        "not leading",
        view(why_not_leading="another supervisor leads", sighting=None),
        (),
        "watches only: another supervisor leads",
        "gone",
    ),
    (
        "just watched",
        view(sighting=replace(GOOD, state=None, frame=0)),
        (),
        "waits for the sidecar's first answer",
        None,
    ),
    ("fencing", view(phase="fencing"), (End(3, patient=False),), "ends the old sidecar before a new start", "on_air"),
    (
        "fencing failed",
        view(phase="fencing", fault="process 77 does not go"),
        (End(3, patient=False),),
        "ends the old sidecar before a new start, again: process 77 does not go",
        "on_air",
    ),
    (
        "fenced",
        view(phase="fencing", sighting=replace(GOOD, exit="was ended by signal 9")),
        (MoveTo("placing"),),
        "the old sidecar is gone: starts anew",
        "gone",
    ),
    (
        "fencing unseen",
        view(phase="fencing", agent="away"),
        (),
        "waits for the agent of here to confirm that the old sidecar is gone: there is no other node",
        "unknown",
    ),
    ("stop", view(desired="off"), (MoveTo("stopping"),), "wanted off air: stops", "on_air"),
    (
        "stop while starting",
        view(desired="off", phase="starting", sighting=MUTED),
        (MoveTo("stopping"),),
        "wanted off air: stops",
        None,
    ),
    (
        "stop while fencing",
        view(desired="off", phase="fencing"),
        (MoveTo("stopping"),),
        "wanted off air: stops",
        "on_air",
    ),
    (
        "stop while placing",
        view(desired="off", phase="placing", sighting=None),
        (MoveTo("stopping"),),
        "wanted off air: stops",
        None,
    ),
    (
        "stop while blocked",
        view(desired="off", phase="blocked", sighting=None),
        (MoveTo("stopping"),),
        "wanted off air: stops",
        None,
    ),
    ("stopping", view(desired="off", phase="stopping"), (End(3, patient=True),), "leaves the air", "on_air"),
    (
        "stopping, unseen",
        view(desired="off", phase="stopping", agent="away"),
        (),
        "waits for the agent of here to confirm the stop",
        "unknown",
    ),
    ("stopped", view(desired="off", phase="stopping", sighting=None), (MoveTo("off"),), "off air, confirmed", None),
    (
        "stopped, and its start may still come",
        view(desired="off", phase="stopping", sighting=None, start_ordered=True, node_id="node"),
        (End(3, patient=False),),
        "makes sure that epoch 3, whose start was ordered and not seen, does not start yet",
        None,
    ),
    (
        "stopped, and its start was refused: it has no node",
        view(desired="off", phase="stopping", sighting=None, start_ordered=True, node_id=None),
        (MoveTo("off"),),
        "off air, confirmed",
        None,
    ),
    (
        "stopped, and its start comes too late",
        view(desired="off", phase="stopping", sighting=None, start_ordered=True, node_id="node", ended=True),
        (MoveTo("off"),),
        "off air, confirmed",
        None,
    ),
    (
        "stopped, and the server said so",
        server_view(sighting=replace(GOOD, exit="ended with code 0", ended_well=True)),
        (MoveTo("off"),),
        "off air, confirmed",
        None,
    ),
    (
        "the sidecar is gone, the server was not told",
        server_view(sighting=replace(GOOD, exit="was ended by signal 9")),
        (NoteFailure(f"{UNTOLD} was ended by signal 9", None), StartToEnd("node")),
        f"{MAY_PLAY_ON} the sidecar that was to end it was ended by signal 9; ends it again",
        None,
    ),
    (
        "nobody told the server",
        server_view(sighting=None),
        (
            NoteFailure("did not end what the CasparCG server plays: no sidecar has told it to end", None),
            StartToEnd("node"),
        ),
        f"{MAY_PLAY_ON} no sidecar has told it to end; ends it again",
        None,
    ),
    (
        "the server is told again, with a pause",
        server_view(sighting=None, restarts=replace(Restarts(), not_before=1002.0)),
        (),
        f"{MAY_PLAY_ON} no sidecar has told it to end; ends it again in a moment",
        None,
    ),
    (
        "what is to tell the server cannot be asked yet",
        server_view(sighting=replace(GOOD, state=None), phase_for=1.0),
        (),
        "leaves the air: waits for the sidecar that is to end it on the server",
        None,
    ),
    ("never placed", server_view(sighting=None, node_id=None), (MoveTo("off"),), "off air, confirmed", None),
    (
        "the server's node is dead",
        server_view(sighting=None, node_lost=True),
        (MoveTo("off"),),
        "off air: its node was declared dead",
        None,
    ),
    (
        "stopped, never started",
        view(desired="off", phase="stopping", agent="unseen", epoch=0, sighting=None),
        (MoveTo("off"),),
        "off: it never started",
        "unknown",
    ),
    (
        "stopped, wanted again",
        view(phase="stopping", sighting=None),
        (MoveTo("off"),),
        "off air, confirmed, then starts: wanted on air again",
        None,
    ),
]


@pytest.mark.parametrize(
    ("seen", "actions", "sentence", "observed"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_every_pass_decides_and_says_why(
    seen: View, actions: tuple[Action, ...], sentence: str, observed: str | None
) -> None:
    """P1, P2, P6."""
    decision = decide(seen, TIMING)
    assert decision.actions == actions
    assert decision.sentence == sentence
    assert decision.observed == observed


def test_a_server_that_tells_nothing_is_left_alone_and_its_sidecar_still_gets_its_list() -> None:
    seen = view(sighting=replace(GOOD, server=SILENT_SERVER, down=(DOWN,)), list_changed=True)
    decision = decide(seen, TIMING)
    assert decision.observed == "unknown"
    assert "its sidecar answers and its CasparCG server does not" in decision.sentence
    assert [type(action) for action in decision.actions] == [GiveList]


def test_a_wait_says_when_to_look_again() -> None:
    seen = view(phase="placing", sighting=None, restarts=Restarts(3, 4.0, 1002.5, 1000.0, "ended"))
    assert decide(seen, TIMING).again_in == 2.5


@pytest.mark.parametrize("bad", [{"answer": 1.0}, {"lease_margin": 7.0}, {"misses": 0}])
def test_timings_that_cannot_be_safe_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Timing(**bad)
