"""If this node died now: what would move where, what would not, and what room is left."""

from dataclasses import replace

import pytest

from mcr_console.cli.what_if import what_if_lines
from supervisor.decisions.fencing import Fencing
from supervisor.decisions.placement import MediaVerdict, NodeFacts
from supervisor.decisions.what_if import Aboard, Fate, if_node_dies, rooms, why_nothing_moves
from supervisor.schemas.what_if import WhatIf
from tests.fixtures.channels import AT

READS = MediaVerdict()
A = NodeFacts("a", "node-a", "answers", draining=False, capacity=4, others=3, media=READS)
B = NodeFacts("b", "node-b", "answers", draining=False, capacity=2, others=1, media=READS)
C = NodeFacts("c", "node-c", "answers", draining=False, capacity=8, others=7, media=READS)


def aboard(number: int, fencing: Fencing = "resource", nodes: tuple[NodeFacts, ...] = (A, B, C)) -> Aboard:
    return Aboard("channel", f"{number:032}", f"C{number}", number, "ffmpeg", fencing, False, "", nodes)


def where(fates: tuple[Fate, ...]) -> list[str | None]:
    return [None if one.why_not or one.target is None else one.target.node_name for one in fates]


def test_each_channel_takes_room_that_the_next_one_does_not_find() -> None:
    fates = if_node_dies("a", [aboard(3), aboard(1), aboard(2)])
    assert [one.of.number for one in fates] == [1, 2, 3]
    assert where(fates) == ["node-b", "node-c", None]
    assert fates[2].why_not == (
        "no other node can take it: node node-b is full: 2 of 2 channels; node node-c is full: 8 of 8 channels"
    )
    left = {room.name: (room.placed, room.after, room.capacity) for room in rooms((A, B, C), "a", fates)}
    assert left == {"node-b": (1, 2, 2), "node-c": (7, 8, 8)}


@pytest.mark.parametrize(
    ("fencing", "when", "said"),
    [
        ("resource", "at_once", ""),
        ("lease", "after_lease", ""),
        ("unleased", "never", "it was started without a lease that could run out"),
        ("hold", "never", "its UDP output holds, so it may still be sending"),
        ("cable", "never", "a DeckLink output is moved by people alone"),
    ],
)
def test_what_may_still_send_stays_and_says_where_a_person_could_put_it(fencing: Fencing, when: str, said: str) -> None:
    (fate,) = if_node_dies("a", [aboard(1, fencing)])
    assert (fate.when, fate.why_not) == (when, said)
    assert fate.target is not None
    assert fate.target.node_name == "node-b"
    room = rooms((A, B, C), "a", (fate,))[0]
    assert room.after - room.placed == (0 if said else 1), "who stays takes no room"


def test_a_veto_and_a_pin_leave_nothing_to_declare() -> None:
    vetoed, pinned = replace(aboard(1), vetoed_by="ann"), replace(aboard(2), pinned=True)
    first, second = if_node_dies("a", [vetoed, pinned])
    assert (first.why_not, first.target) == ("failover is held by ann", None)
    assert (second.why_not, second.target) == ("it is to play there and nowhere else", None)


def test_media_that_are_not_there_are_named() -> None:
    lacks = replace(B, media=MediaVerdict("media is missing there", {"/clips/x.mp4": "no such file"}))
    silent = replace(C, agent="silent")
    (fate,) = if_node_dies("a", [aboard(1, nodes=(A, lacks, silent))])
    assert fate.why_not.startswith("no other node can take it: ")
    assert [dict(one.missing) for one in fate.candidates if one.node_name == "node-b"] == [
        {"/clips/x.mp4": "no such file"}
    ]
    assert [room.why_not for room in rooms((A, lacks, silent), "a", (fate,))] == ["", "does not answer"]


@pytest.mark.parametrize(
    ("nodes", "away", "said"),
    [
        (1, frozenset[str](), "there is no other node"),
        (2, frozenset[str](), ""),
        (3, frozenset({"c"}), "2 of 3 nodes would then not answer"),
        (4, frozenset({"c"}), ""),
    ],
)
def test_the_supervisor_would_doubt_itself(nodes: int, away: frozenset[str], said: str) -> None:
    """P6: as it would then, and not only now."""
    found = why_nothing_moves("a", nodes, away)
    assert found.startswith(said)
    assert bool(found) == bool(said)


def test_the_command_line_tells_it() -> None:
    known = {
        "node_id": "a" * 32, "node_name": "node-a", "at": AT, "supervisor_here": True,
        "fates": [
            {"kind": "channel", "id": "1" * 32, "name": "News", "number": 1, "to_node_id": "b" * 32,
             "to_node_name": "node-b", "when": "after_lease"},
            {"kind": "recorder", "id": "2" * 32, "name": "Ingest", "number": None, "to_node_id": None,
             "to_node_name": None, "when": "never", "why_not": "there is no other node"},
        ],
        "rooms": [{"node_id": "b" * 32, "node_name": "node-b", "capacity": 2, "placed": 1, "after": 2}],
    }  # fmt: skip
    assert what_if_lines(WhatIf.model_validate(known)) == [
        "If node-a died now: 1 would move, 1 would stay off.",
        "  This supervisor runs there and dies with it: another one has to lead first.",
        "  1 News: to node-b once its lease has run out",
        "  recorder Ingest: stays off: there is no other node",
        "  Room on node-b: 2 of 2 channels",
    ]
