"""Moving a channel off a node: when it may be, what proves that the old sidecar is off air, and the sentence for it."""

from dataclasses import replace
from typing import Any

import pytest

from sidecar.protocol.channel import Item, Playlist
from supervisor.decisions.alarms import channel_alarms
from supervisor.decisions.channel import decide
from supervisor.decisions.doubt import Fleet, is_mass_silence, why_no_evacuation
from supervisor.decisions.fencing import Fencing, ServerPlace, fencing_of_output, server_place, strictest
from supervisor.decisions.media import coming_clips, media_verdict, needs_of_paths, root_of
from supervisor.decisions.placement import MediaVerdict, NodeFacts, candidates
from supervisor.decisions.pulse import Pulse
from supervisor.decisions.restarts import Restarts
from supervisor.decisions.timing import Timing
from supervisor.decisions.view import (
    Action,
    ArmNow,
    Candidate,
    End,
    MoveTo,
    NoteFailure,
    OldSidecar,
    Place,
    Relocate,
    Sighting,
    Site,
    Start,
    Stray,
    View,
)

TIMING = Timing()
THERE = Candidate("b", "beta")
MUTED = Sighting(4, 8, Pulse(4), state="muted", nonce="n")
ON_AIR = Sighting(3, 7, Pulse(3, frame=9), state="on_air", nonce="n", frame=9, outputs=1)
RUNNING = View(
    name="One", desired="on", phase="running", epoch=3, now=1000.0, phase_for=60.0, why_not_leading="",
    agent="away", agent_name="alpha", site=Site("a", "alpha"), sighting=ON_AIR, restarts=Restarts(), node_id="a",
    targets=(THERE,), start_ordered=True, armed_for=60.0,
)  # fmt: skip
AWAY = OldSidecar("a", "alpha", "away", (3,))
MOVING = replace(
    RUNNING, phase="fencing", epoch=4, agent="answers", agent_name="beta", node_id="b", sighting=None, old=AWAY,
    start_ordered=False, armed_for=None, targets=(),
)  # fmt: skip


def running(**changes: Any) -> View:
    return replace(RUNNING, **changes)


def moving(**changes: Any) -> View:
    return replace(MOVING, **changes)


UNREACHED = "the new sidecar on beta cannot be reached: that node does not answer"
SAYS_NOTHING = "left alone: the agent of alpha does not answer, which says nothing"
HEALTHY = OldSidecar("a", "alpha", "answers", (3,), healthy=True)
GONE = OldSidecar("a", "alpha", "answers")

ITS_SERVER = "its CasparCG server is there and would play on: stop the channel, then start it elsewhere"
CASES: list[tuple[str, View, tuple[Action, ...], str]] = [
    ("node lost", running(), (Relocate("b"),), "its node alpha does not answer: moves to beta"),
    ("not seen yet", running(agent="unseen"), (), SAYS_NOTHING),
    ("pinned", running(pinned=True), (), f"{SAYS_NOTHING}: it is to play on alpha and nowhere else"),
    ("vetoed", running(vetoed_by="olga"), (), f"{SAYS_NOTHING}: failover is held by olga"),
    ("holds", running(fencing="hold"), (), f"{SAYS_NOTHING}: its UDP output holds, so it may still be sending"),
    ("a card", running(fencing="cable"), (), f"{SAYS_NOTHING}: a DeckLink output is moved by people alone"),
    (
        "no lease was given",
        running(fencing="unleased"),
        (),
        f"{SAYS_NOTHING}: it was started without a lease that could run out",
    ),
    ("leased", running(fencing="lease"), (Relocate("b"),),
     "its node alpha does not answer: moves to beta"),
    ("our own fault", running(why_stay="this supervisor itself stood still a moment ago"), (),
     f"{SAYS_NOTHING}: this supervisor itself stood still a moment ago"),
    ("declared dead", running(fencing="hold", node_lost=True, why_stay="x"), (Relocate("b"),),
     "its node alpha does not answer: moves to beta"),
    ("nobody can", running(targets=(Candidate("b", "beta", "node beta drains"),)), (),
     f"{SAYS_NOTHING}: no other node can take it: node beta drains"),
    ("armed, then lost", running(phase="starting"), (Relocate("b"),), "its node alpha does not answer: moves to beta"),
    (
        "lost before it was armed",
        running(phase="starting", armed_for=None),
        (MoveTo("placing"), NoteFailure("its node alpha stopped answering before it entered the air", None)),
        "waits for the agent of alpha, which does not answer, and was not armed: looks for another node",
    ),
    ("of another leader, lost", running(phase="starting", start_ordered=False, armed_for=None), (Relocate("b"),),
     "its node alpha does not answer: moves to beta"),
    (
        "maintenance",
        running(agent="answers", leave_node="in maintenance"),
        (Relocate("b"),),
        "leaves alpha, in maintenance: moves to beta",
    ),
    (
        "maintenance, pinned",
        running(agent="answers", leave_node="in maintenance", pinned=True),
        (),
        "on air; stays on alpha though that is in maintenance: it is to play there and nowhere else",
    ),
    (
        "maintenance, its own node's server plays",
        running(agent="answers", leave_node="in maintenance", fencing="server", server="here"),
        (),
        f"on air; stays on alpha though that is in maintenance: {ITS_SERVER}",
    ),
    (
        "maintenance, a server elsewhere plays",
        running(agent="answers", leave_node="in maintenance", fencing="server", server="elsewhere"),
        (Relocate("b"),),
        "leaves alpha, in maintenance: moves to beta",
    ),
    ("left over, and its node's server plays", running(agent="answers", server="here",
     elsewhere=(Stray("c", "gamma", 2),)), (End(2, patient=True, node_id="c"),),
     "on air; ends what is left of it on gamma"),
    ("left over", running(agent="answers", elsewhere=(Stray("c", "gamma", 2),)),
     (End(2, patient=False, node_id="c", final=False),), "on air; ends what is left of it on gamma"),
    ("the row does not know where it plays", running(phase="placing", agent="answers", sighting=None,
     elsewhere=(Stray("c", "gamma", 4),)), (End(4, patient=False, node_id="c", final=False),),
     "ends what still runs of it on gamma before a new start"),
    ("nor when it is to be armed", running(phase="starting", agent="answers", armed_for=None,
     sighting=replace(MUTED, epoch=3), elsewhere=(Stray("c", "gamma", 3),)),
     (End(3, patient=False, node_id="c", final=False),),
     "ready and muted: ends what still runs of it on gamma before it is armed"),
    ("what was fenced and does not go keeps no start back", running(phase="placing", agent="answers", sighting=None,
     elsewhere=(Stray("c", "gamma", 2),)), (Place("a"),), "starts on alpha"),
    ("nor an arm", running(phase="starting", agent="answers", armed_for=None, sighting=replace(MUTED, epoch=3),
     elsewhere=(Stray("c", "gamma", 2),)), (ArmNow(3, "n"),), "ready and muted: arms epoch 3"),
    ("it plays elsewhere, and cannot be placed", running(phase="placing", agent="answers", sighting=None,
     site=Site("a", "alpha", why_not="it drains"), elsewhere=(Stray("c", "gamma", 4),)), (MoveTo("blocked"),),
     "cannot be placed: it drains"),
    ("published nowhere", moving(), (MoveTo("starting"),),
     "enters the air on beta: what the old one may still write on alpha is published nowhere"),
    (
        "the lease still runs",
        moving(fencing="lease", lease_left=4.0),
        (Start(4),),
        "the new sidecar gets ready, muted, on beta; waits until every lease of the old one on alpha is certainly over",
    ),
    (
        "how long is not known",
        moving(fencing="lease", sighting=MUTED, start_ordered=True),
        (),
        "the new sidecar is ready, muted, on beta; waits until every lease of the old one on alpha is certainly over",
    ),
    ("the lease is over", moving(fencing="lease", lease_left=-0.01, sighting=MUTED, start_ordered=True),
     (MoveTo("starting"),), "enters the air on beta: every lease of the old one on alpha has run out"),
    ("it comes back with it", moving(fencing="lease", lease_left=2.0, old=HEALTHY), (Start(4),),
     "the new sidecar gets ready, muted, on beta; the old one stays on air on alpha until then"),
    (
        "then it is ended",
        moving(old=HEALTHY, sighting=MUTED, start_ordered=True),
        (End(3, patient=True, node_id="a", final=False),),
        "the new sidecar is ready, muted, on beta; ends the old one on alpha",
    ),
    ("and gone", moving(fencing="hold", old=GONE, sighting=MUTED, start_ordered=True), (MoveTo("starting"),),
     "enters the air on beta: alpha confirms that the old sidecar is gone"),
    ("a lease that ran out proves nothing of what is healthy", moving(fencing="lease", lease_left=-9.0, old=HEALTHY),
     (Start(4),), "the new sidecar gets ready, muted, on beta; the old one stays on air on alpha until then"),
    ("the target goes too", moving(agent="away", start_ordered=True, targets=(Candidate("c", "gamma"),)),
     (Relocate("c"), NoteFailure("cannot be reached: that node does not answer", None, "b")),
     "the new sidecar on beta cannot be reached: that node does not answer: tries gamma"),
    (
        "held meanwhile",
        moving(agent="away", start_ordered=True, targets=(Candidate("c", "gamma"),), vetoed_by="olga"),
        (),
        f"{UNREACHED}; no other node can take it now: failover is held by olga",
    ),
    ("held meanwhile, and the old node answers",
     moving(agent="away", start_ordered=True, targets=(Candidate("c", "gamma"), Candidate("a", "alpha")),
            vetoed_by="olga", old=HEALTHY),
     (Relocate("a"), NoteFailure("cannot be reached: that node does not answer", None, "b")),
     f"{UNREACHED}: tries alpha"),
    ("the target fails", moving(sighting=replace(MUTED, exit="ended with code 1"), start_ordered=True),
     (Relocate("b"), NoteFailure("ended with code 1", None, "b")),
     "the new sidecar on beta ended with code 1: tries again"),
    ("stopped meanwhile", moving(desired="off"), (MoveTo("stopping"),), "wanted off air: stops"),
    ("stop, the old node is silent", moving(desired="off", phase="stopping", sighting=None), (),
     "waits for the agent of alpha to confirm the stop"),
    ("stop, declared dead", moving(desired="off", phase="stopping", sighting=None, old=replace(AWAY, lost=True)),
     (MoveTo("off"),), "off air: its node was declared dead"),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "actions", "sentence"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_move_is_decided_with_its_reason(seen: View, actions: tuple[Action, ...], sentence: str) -> None:
    """P1, P2, P6."""
    decision = decide(seen, TIMING)
    assert decision.actions == actions
    assert decision.sentence == sentence


def test_no_move_enters_the_air_while_the_old_one_is_healthy() -> None:
    """P2: whatever is known of leases, ports and declarations, what is seen on air is ended first."""
    for fencing in ("resource", "lease", "hold"):
        seen = moving(fencing=fencing, lease_left=-1.0, old=HEALTHY, sighting=MUTED, start_ordered=True)
        assert not any(isinstance(action, MoveTo) for action in decide(seen, TIMING).actions)


def test_a_channel_whose_node_is_away_has_an_alarm_that_is_critical() -> None:
    """P1: on air or worked on, and an alarm says so."""
    for seen in (running(fencing="hold"), moving(fencing="lease", lease_left=3.0)):
        alarms = channel_alarms(seen, decide(seen, TIMING), TIMING)
        assert any(alarm.severity == "critical" for alarm in alarms.values())


FLEET = Fleet(now=100.0, nodes=4, away=frozenset({"a"}), led_since=0.0)


@pytest.mark.parametrize(
    ("fleet", "why"),
    [
        (FLEET, ""),
        (replace(FLEET, led_since=None), "does not lead"),
        (replace(FLEET, led_since=92.0), "too short a time"),
        (replace(FLEET, led_since=91.0), ""),
        (replace(FLEET, stalled_at=96.0), "stood still"),
        (replace(FLEET, stalled_at=95.0), ""),
        (replace(FLEET, away=frozenset("abc")), "3 of 4 nodes do not answer"),
        (replace(FLEET, away=frozenset("ab")), ""),
        (replace(FLEET, evacuated={"b": 95.0, "c": 96.0}), "2 nodes are being evacuated"),
        (replace(FLEET, evacuated={"b": 90.0, "c": 96.0}), ""),
        (replace(FLEET, evacuated={"a": 90.1, "b": 95.0, "c": 96.0}), ""),
    ],
)
def test_when_nothing_is_moved_because_of_ourselves(fleet: Fleet, why: str) -> None:
    """P6."""
    said = why_no_evacuation(fleet, "a", TIMING)
    assert why in said
    assert bool(why) == bool(said)


def test_half_of_the_nodes_is_not_yet_us() -> None:
    """P1, P6: of two nodes one may be lost, and the other takes its channels."""
    assert not is_mass_silence(replace(FLEET, nodes=2))
    assert is_mass_silence(replace(FLEET, nodes=1))


@pytest.mark.parametrize(
    ("kind", "lease_stop", "fencing"),
    [
        ("hls", False, "resource"),
        ("udp", False, "hold"),
        ("udp", True, "lease"),
        ("rtmp", False, "lease"),
        ("decklink", False, "cable"),
        ("of a later version", False, "hold"),
    ],
)
def test_how_each_output_is_fenced(kind: str, lease_stop: bool, fencing: Fencing) -> None:
    assert fencing_of_output(kind, lease_stop=lease_stop) == fencing
    assert strictest(("resource", fencing, "resource")) == fencing


READS = MediaVerdict()


@pytest.mark.parametrize(
    ("engine", "host", "place"),
    [
        ("ffmpeg", "127.0.0.1", "none"),
        ("caspar", "127.0.0.1", "here"),
        ("caspar", "127.1.2.3", "here"),
        ("caspar", "LOCALHOST", "here"),
        ("caspar", "::1", "here"),
        ("caspar", "192.0.2.10", "elsewhere"),
    ],
)
def test_whether_another_node_would_drive_another_server(engine: str, host: str, place: ServerPlace) -> None:
    """P2."""
    assert server_place(engine, host) == place


def facts(name: str, **changes: Any) -> NodeFacts:
    given = {"agent": "answers", "draining": False, "capacity": 2, "others": 0, "media": READS, **changes}
    return NodeFacts(id=name, name=name, **given)


def test_targets_are_nodes_that_can_and_the_best_comes_first() -> None:
    found = candidates(
        [
            facts("a"),
            facts("b", others=1),
            facts("c"),
            facts("d", agent="silent"),
            facts("e", draining=True),
            facts("f", maintenance=True),
            facts("g", others=2),
            facts("h", engines=frozenset({"caspar"})),
            facts("i", media=MediaVerdict("it cannot read /x", {"/x": "no such file"})),
            facts("j", troubled=True),
            facts("k", agent="undriven"),
        ],
        placed="a",
    )
    assert [it.node_id for it in found if not it.why_not] == ["c", "b"]
    why = {it.node_id: it.why_not for it in found if it.why_not}
    for node, part in {
        "d": "did not answer the last probes", "e": "drains", "f": "in maintenance", "g": "full: 2 of 2",
        "h": "no engine ffmpeg", "i": "cannot read /x", "j": "again and again", "k": "no agent",
    }.items():  # fmt: skip
        assert part in why[node]
    assert {it.node_id: dict(it.missing) for it in found if it.missing} == {"i": {"/x": "no such file"}}


def test_a_node_on_which_it_fails_again_and_again_is_left() -> None:
    restarts = Restarts()
    for second in range(4):
        assert restarts.troubled(1000.0 + second, 60.0) == frozenset()
        restarts = restarts.failed(1000.0 + second, "x", 0.0, item_id=None, node_id="a")
    assert restarts.troubled(1004.0, 60.0) == {"a"}
    assert restarts.troubled(1061.5, 60.0) == frozenset()


ITEMS = tuple(Item(id=name, title=name, path=f"/m/{name}.mp4", duration_frames=25 * 60) for name in "abc")


def test_what_is_needed_begins_with_what_airs_and_ends_with_the_time() -> None:
    once = Playlist(1, ITEMS, "filler")
    assert coming_clips(once, "b", "25", 7200) == ("/m/b.mp4", "/m/c.mp4")
    assert coming_clips(Playlist(1, ITEMS, "loop"), "b", "25", 7200) == ("/m/b.mp4", "/m/c.mp4", "/m/a.mp4")
    assert coming_clips(once, "b", "25", 60) == ("/m/b.mp4",)
    assert coming_clips(Playlist(1), None, "25", 60) == ()


def test_a_path_that_merely_exists_is_no_media_root() -> None:
    """An empty mount point has no marker, another disk has another's."""
    markers = {"/m": "one", "/m/deep": "two"}
    assert root_of("/m/deep/a.mp4", markers) == "/m/deep"
    assert root_of("/mm/a.mp4", markers) is None
    needs = needs_of_paths(["/m/a.mp4"], markers)
    assert media_verdict(needs, markers, {"/m": "one"}, {}) == READS
    assert "has no marker there" in media_verdict(needs, markers, {"/m": None}, {}).fault
    assert "another folder" in media_verdict(needs, markers, {"/m": "two"}, {}).fault
    homeless = needs_of_paths(["/m/a.mp4", "/x/a.mp4"], markers)
    assert "below no marked media root" in media_verdict(homeless, markers, {"/m": "one"}, {}).fault
    missing = media_verdict(needs, markers, {"/m": "one"}, {"/m/a.mp4": "no such file"})
    assert missing == MediaVerdict("it cannot read /m/a.mp4", {"/m/a.mp4": "no such file"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"horizon": 7.4}, {"fence_margin": 0.3}, {"sidecar_lease": 4.9}, {"warm_up": 8.9}, {"listen": 1.0},
        {"answer": 1.0}, {"lease_ttl": 4.9},
    ],
    ids=str,
)  # fmt: skip
def test_intervals_that_cannot_be_safe_together_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Timing(**wrong)
