"""What the command line says of nodes, ports, history and explanations."""

from datetime import timedelta

import pytest

from mcr_console.cli.commands import as_failure
from mcr_console.cli.explain import explanation_lines
from mcr_console.cli.failover import failover_line
from mcr_console.cli.failures import Exit, Failure
from mcr_console.cli.history import line
from mcr_console.cli.naming import pick_node
from mcr_console.cli.node_lines import claim_line, node_line, node_lines
from mcr_console.http import problem
from supervisor.errors import Follows
from supervisor.schemas.claim import Claim
from supervisor.schemas.explanation import Candidate, Decision, Explanation, OutputFencing, Placement
from supervisor.schemas.fencing import fencing_words
from supervisor.schemas.history import HistoryEvent
from supervisor.schemas.node import Device, Holder, Node
from tests.fixtures.channels import AT, make_channel

A, B = "a" * 32, "b" * 32


def node(**values: object) -> Node:
    known: dict[str, object] = {
        "id": A, "name": "node-a", "kind": "agent", "url": "http://10.0.0.7:6271", "capacity": 16, "draining": False,
        "created_at": AT, "rev": 1, "channels": 2, "last_answer_age_ms": 400, "state": "answers",
    }  # fmt: skip
    return Node.model_validate({**known, **values})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "node-a: agent, http://10.0.0.7:6271, 2 of 16 channels, answered 0.4 s ago"),
        ({"state": "away", "last_answer_age_ms": 9000, "fault": "no route"},
         "does not answer for 0:09 (no route): what plays there is unknown"),
        ({"state": "unseen", "last_answer_age_ms": None}, "has not answered yet"),
        ({"state": "foreign"}, "mcr node accept trusts it"),
        ({"state": "undriven"}, "no agent of it is connected to this supervisor"),
        ({"draining": True, "maintenance": True}, "draining, in maintenance"),
        ({"lost_at": AT, "lost_by": "olga"}, "declared dead by olga"),
        ({"encrypted": False}, "not encrypted"),
        ({"encrypted": False, "url": "http://127.0.0.1:6271"}, "answered 0.4 s ago"),
        ({"encrypted": True, "certificate": "ab" * 32, "certificate_seen": "cd" * 32}, "its certificate changed"),
        ({"engine_fault": "timed out"}, "its container engine does not answer: timed out"),
    ],
)  # fmt: skip
def test_a_node_is_one_line(values: dict[str, object], said: str) -> None:
    assert node_line(node(**values)).endswith(said)


def test_a_node_shows_who_holds_each_port() -> None:
    held = Holder(owner_kind="channel", owner_id=B, owner_name="News", state="unknown", since=AT)
    devices = (
        Device(index=1, model="DeckLink Duo 2", persistent_id="c7", busy=True, held_by=held),
        Device(index=2, model="DeckLink Duo 2", persistent_id=None, busy=True),
        Device(index=3, model="DeckLink Duo 2", persistent_id=None, busy=False),
    )
    shown = node(version="1.2", launcher="docker", capabilities=("ffmpeg",), devices=devices, clock_offset_ms=-250)
    lines = node_lines(shown, [])
    assert lines[1] == "Agent 1.2, launcher docker, plays ffmpeg, its clock is 250 ms behind"
    assert lines[2] == (
        "Port 1 DeckLink Duo 2 (c7): held by channel News, which nobody can confirm: it blocks "
        "since 2026-03-01 12:00:00 UTC, in use"
    )
    assert lines[3] == "Port 2 DeckLink Duo 2: free, but a program that is not ours has it open"
    assert lines[4] == "Port 3 DeckLink Duo 2: free"


def test_a_claim_is_one_line() -> None:
    values: dict[str, object] = {
        "id": "0" * 24 + "1c0e6fd9", "node_id": A, "node_name": "node-a", "port": "index:1", "device_index": 1,
        "owner_kind": "channel", "owner_id": B, "owner_name": "News", "epoch": 3, "state": "active", "since": AT,
    }  # fmt: skip
    held = Claim.model_validate(values)
    assert claim_line(held) == "1c0e6fd9 node-a port 1: channel News, epoch 3, since 2026-03-01 12:00:00 UTC"
    released = held.model_copy(
        update={"state": "released", "released_at": AT, "released_by": "olga", "released_reason": "card pulled"}
    )
    assert claim_line(released).endswith("released 2026-03-01 12:00:00 UTC by olga: card pulled")


def test_an_explanation_says_how_it_came_and_where_it_could_go() -> None:
    live = {"desired": "on", "phase": "running", "observed": "unknown", "decision": "left alone: node-a is away"}
    channel = make_channel(live=live, time_zone="Europe/Berlin")
    explanation = Explanation(
        channel_id=channel.id,
        decisions=(
            Decision(at=AT, sentence="starts on node-a"),
            Decision(at=AT + timedelta(seconds=2), sentence="running", kind="phase"),
        ),
        outputs=(OutputFencing(kind="udp", url="udp://h:1", words=fencing_words("udp", lease_stop=False)),),
        hold_failover_by="olga",
    )
    placement = Placement(
        channel_id=channel.id,
        node_id=A,
        hold_failover_by="olga",
        candidates=(
            Candidate(node_id=A, node_name="node-a", here=True),
            Candidate(node_id=B, node_name="node-b"),
            Candidate(node_id="c" * 32, node_name="node-c", why_not="it drains"),
            Candidate(node_id="d" * 32, node_name="node-d", missing={"/clips/x.mp4": "no such file"}),
        ),
    )
    lines = explanation_lines(channel, explanation, placement)
    assert lines[0].startswith("1 News 24: UNKNOWN, left alone")
    assert lines[1:] == [
        "2026-03-01 13:00:00 starts on node-a",
        "2026-03-01 13:00:02 phase: running",
        "Now: left alone: node-a is away",
        "Output udp udp://h:1: holds: if its node is unreachable it is not moved",
        "Failover is held by olga: it is not moved. mcr channel release-failover 1 takes that back.",
        "Could go to node-b.",
        "Could not go to node-c: it drains",
        "Could not go to node-d: media is missing there",
        "  missing on node-d: /clips/x.mp4: no such file",
    ]


def test_an_explanation_from_memory_says_so() -> None:
    channel = make_channel()
    explanation = Explanation(channel_id=channel.id, kept=False, decisions=())
    lines = explanation_lines(channel, explanation, None, "no answer")
    assert "From this supervisor's memory" in lines[1]
    assert lines[-1] == "Where it could go is not known: no answer"


def test_an_event_of_the_past_is_one_line() -> None:
    event = HistoryEvent(id=1, at=AT, kind="phase", channel_id=B, node_id=None, text="off\x1b[2J", detail={})
    assert line(event, {B: "1 News"}) == "2026-03-01 12:00:00 UTC phase, 1 News: off·[2J"
    assert line(event, {}) == "2026-03-01 12:00:00 UTC phase, off·[2J"


def test_a_veto_says_by_whom() -> None:
    held = make_channel(hold_failover=True, hold_failover_by="olga")
    assert failover_line(held) == "1 News 24: failover is held by olga; it is not moved"
    assert failover_line(make_channel()) == "1 News 24: may be moved to another node"


def test_what_each_output_does_without_a_supervisor_is_said_in_words() -> None:
    assert fencing_words("udp", lease_stop=True).startswith("stops when its lease ends, 6 s without a supervisor")
    assert fencing_words("udp", lease_stop=False) == "holds: if its node is unreachable it is not moved"
    for kind in ("hls", "rtmp", "decklink"):
        assert fencing_words(kind, lease_stop=False)


def test_a_node_is_named_by_its_name() -> None:
    nodes = (node(), node(id=B, name="Node-B"))
    assert pick_node("node-b", nodes).id == B
    with pytest.raises(Failure, match="No such node"):
        pick_node("node-c", nodes)


def test_who_asks_a_follower_is_told_the_leader_by_an_exit_code_of_its_own() -> None:
    error = Follows("unix:/run/mcr/mcr.sock")
    document = (
        f'{{"title": "{error.title}", "status": 503, "code": "{error.code}", "detail": "{error.detail}", '
        f'"hint": "{error.hint}", "extra": {{"leader": "{error.leader}"}}}}'
    )
    failure = as_failure(problem(503, document.encode(), {"retry-after": "2"}))
    assert (failure.title, failure.code) == ("This supervisor follows", Exit.FOLLOWS)
    assert failure.detail == "the leader is at unix:/run/mcr/mcr.sock"
    assert Exit.FOLLOWS == 75
