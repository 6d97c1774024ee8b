"""A person moves a channel: where it goes, what keeps it, and that nothing else is begun meanwhile."""

from dataclasses import replace
from typing import Any

import pytest

from supervisor.decisions.by_hand import judge
from supervisor.decisions.channel import decide
from supervisor.decisions.fencing import Fencing
from supervisor.decisions.pulse import Pulse
from supervisor.decisions.restarts import Restarts
from supervisor.decisions.timing import Timing
from supervisor.decisions.view import (
    Candidate,
    End,
    HandMove,
    OldSidecar,
    Place,
    Relocate,
    Sighting,
    Site,
    Stray,
    View,
)

BETA, GAMMA = Candidate("b", "beta"), Candidate("c", "gamma")
FULL = Candidate("d", "delta", "node delta is full: 4 of 4 channels")
ON_AIR = Sighting(3, 7, Pulse(3, frame=9), state="on_air", nonce="n", frame=9, outputs=1)
RUNNING = View(
    name="One", desired="on", phase="running", epoch=3, now=1000.0, phase_for=60.0, why_not_leading="",
    agent="answers", agent_name="alpha", site=Site("a", "alpha"), sighting=ON_AIR, restarts=Restarts(), node_id="a",
    targets=(BETA, GAMMA, FULL), start_ordered=True, armed_for=60.0, by_hand=HandMove("olga", "c"),
)  # fmt: skip


def running(**changes: Any) -> View:
    return replace(RUNNING, **changes)


def done(view: View) -> tuple[object, ...]:
    return decide(view, Timing()).actions


@pytest.mark.parametrize(
    "view",
    [
        running(),
        running(sighting=replace(ON_AIR, pulse=Pulse(3, frame=9, misses=9))),
        running(sighting=replace(ON_AIR, exit="ended with signal 9")),
        running(phase="starting", sighting=None),
        running(phase="fencing"),
        running(agent="away"),
        running(agent="away", why_stay="this supervisor itself stood still a moment ago"),
        running(agent="away", fencing="hold", node_lost=True),
    ],
)
def test_it_goes_where_the_person_says_in_whatever_state_it_is(view: View) -> None:
    decision = decide(view, Timing())
    assert (decision.actions, decision.sentence) == ((Relocate("c"),), "olga moves it from alpha to gamma")


def test_what_waits_to_be_placed_is_placed_there() -> None:
    waits = Restarts(not_before=2000.0, failures=3, cause="ended with signal 9")
    assert done(running(phase="placing", sighting=None, restarts=waits)) == (Place("c"),)
    assert done(running(phase="placing")) == (End(3, patient=False),), "what still runs is ended first"


def test_what_is_left_of_it_is_ended_first() -> None:
    assert done(running(strays=(2,))) == (End(2, patient=False),)
    elsewhere = (Stray("c", "gamma", 2),)
    assert not any(isinstance(it, Relocate) for it in done(running(elsewhere=elsewhere)))


def test_who_does_not_lead_moves_nothing() -> None:
    assert done(running(why_not_leading="follows")) == ()


def test_without_a_name_it_is_the_best_node() -> None:
    assert judge(RUNNING, None).target == BETA


OLD = OldSidecar("z", "zeta", "answers")
KEPT: list[tuple[View, str | None, str]] = [
    (running(desired="off"), None, "it is off"),
    (running(phase="stopping"), None, "it is off"),
    (running(node_id=None, phase="placing"), None, "it is on no node yet"),
    (running(phase="fencing", old=OLD), None, "it is being moved from zeta to alpha already"),
    (running(fencing="cable", pinned=True), None, "a DeckLink output leaves by a card of alpha"),
    (running(pinned=True), None, "it is to play on alpha and nowhere else"),
    (running(vetoed_by="ann"), None, "failover is held by ann"),
    (running(server="here"), None, "its CasparCG server is on alpha and would play on"),
    (running(agent="undriven"), None, "alpha takes no orders from this supervisor"),
    (running(agent="unseen"), None, "alpha has not answered yet"),
    (running(), "a", "it is on alpha already"),
    (running(), "d", FULL.why_not),
    (running(), "nowhere", "there is no such node"),
    (running(targets=()), None, "there is no other node"),
    (running(targets=(FULL,)), None, f"no other node can take it: {FULL.why_not}"),
]


@pytest.mark.parametrize(("view", "node_id", "why"), KEPT, ids=[why for _, _, why in KEPT])
def test_what_keeps_it_is_said_and_nothing_is_begun(view: View, node_id: str | None, why: str) -> None:
    verdict = judge(view, node_id)
    assert (verdict.target, verdict.why_not) == (None, why)
    wished = replace(view, by_hand=HandMove("olga", node_id or "c"))
    assert not any(isinstance(it, Relocate) for it in done(wished))


@pytest.mark.parametrize("fencing", ["hold", "server", "unleased"])
def test_what_may_still_send_on_a_silent_node_is_not_moved_by_hand_either(fencing: Fencing) -> None:
    """P2: a person's word that it is to move says nothing about what the old one sends."""
    silent = running(agent="away", fencing=fencing)
    assert judge(silent, "c").why_not.startswith("alpha does not answer, and ")
    assert not any(isinstance(it, Relocate) for it in done(silent))
    assert judge(running(fencing=fencing), "c").target == GAMMA, "a node that answers confirms the end"
