"""Nodes, claims, media roots and history over a real socket."""

import getpass
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db.repositories.events import NewEvent
from db.repositories.ports import PortWanted
from db.store import Store
from supervisor.agent.interface import Device, NodeCondition
from supervisor.live import UNDRIVEN, NodeSeen
from supervisor.loops.supervision import Supervision
from tests.fixtures.running import Json, Running

NOBODY = "0" * 32
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
async def store(supervisor: Running) -> AsyncGenerator[Store]:
    opened = Store(supervisor.settings.store_url)
    yield opened
    await opened.close()


def condition(*devices: Device, incarnation: str = "1" * 32, engine_fault: str = "") -> NodeCondition:
    return NodeCondition(
        incarnation=incarnation,
        boot="b",
        version="1.2",
        launcher="docker",
        capabilities=frozenset({"ffmpeg", "decklink"}),
        devices=devices,
        at=NOW,
        load=0.25,
        engine_fault=engine_fault,
    )


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, NodeSeen]:
    """What supervision sees of each node, for a test to choose."""
    nodes: dict[str, NodeSeen] = {}

    def node_seen(_: Supervision, node_id: str) -> NodeSeen:
        return nodes.get(node_id, UNDRIVEN)

    monkeypatch.setattr(Supervision, "node_seen", node_seen)
    return nodes


async def made_node(supervisor: Running, name: str = "node-b") -> Json:
    return await supervisor.call("POST", "/nodes", json={"name": name, "url": "http://127.0.0.1:1/"}, expect=201)


async def test_a_node_shows_what_its_agent_says(supervisor: Running, store: Store, seen: dict[str, NodeSeen]) -> None:
    node = await made_node(supervisor)
    channel = await supervisor.call("POST", "/channels", json={"name": "One"})
    async with store.write() as tx:
        wanted = PortWanted(node["id"], "card-7", 1)
        await tx.ports.claim(wanted, owner_kind="channel", owner_id=channel["id"], epoch=1, now=NOW)
    cards = (Device(1, "DeckLink Duo 2", "card-7", busy=True), Device(2, "DeckLink Duo 2"))
    seen[node["id"]] = NodeSeen("answers", 0.4, -0.25, condition(*cards, engine_fault="no answer"))
    shown = await supervisor.call("GET", f"/nodes/{node['id']}")
    assert (shown["url"], shown["state"], shown["last_answer_age_ms"]) == ("http://127.0.0.1:1", "answers", 400)
    assert (shown["version"], shown["launcher"], shown["load"], shown["clock_offset_ms"]) == (
        "1.2",
        "docker",
        0.25,
        -250,
    )
    assert (shown["capabilities"], shown["engine_fault"]) == (["decklink", "ffmpeg"], "no answer")
    first, second = shown["devices"]
    assert (first["busy"], first["held_by"]["owner_name"], first["held_by"]["state"]) == (True, "One", "reserved")
    assert second["held_by"] is None


async def test_a_node_is_put_in_maintenance_by_name(supervisor: Running) -> None:
    node = await made_node(supervisor)
    changes = {"maintenance": True, "draining": True, "url": "http://127.0.0.1:2"}
    changed = await supervisor.call("PATCH", f"/nodes/{node['id']}", rev=node["rev"], json=changes)
    assert {name: changed[name] for name in changes} == changes
    row = next(row for row in await supervisor.audit() if row["action"] == "update_node")
    assert (row["principal"], row["detail"]["changed"]["maintenance"]) == (getpass.getuser(), True)


@pytest.mark.parametrize("url", ["http://169.254.169.254", "http://ok@evil:1", "http://h:1/x"])
async def test_a_url_where_no_agent_can_be_is_refused(supervisor: Running, url: str) -> None:
    """F39."""
    problem = await supervisor.call("POST", "/nodes", json={"name": "x", "url": url}, expect=422)
    assert problem["code"] == "invalid"


async def test_nothing_goes_in_the_clear_to_another_machine_unless_that_is_meant(supervisor: Running) -> None:
    plain = {"name": "x", "url": "http://10.0.0.7:6271"}
    problem = await supervisor.call("POST", "/nodes", json=plain, expect=422)
    assert "could be read on the way" in problem["detail"]
    meant = await supervisor.call("POST", "/nodes", json={**plain, "insecure_http": True}, expect=201)
    path = f"/nodes/{meant['id']}"
    better = await supervisor.call("PATCH", path, rev=meant["rev"], json={"url": "https://10.0.0.7:6271"})
    await supervisor.call("PATCH", path, rev=better["rev"], json={"url": plain["url"]}, expect=422)
    await supervisor.call("PATCH", path, rev=better["rev"], json={"url": plain["url"], "insecure_http": True})


async def test_a_certificate_is_given_and_taken_back(supervisor: Running) -> None:
    known = {"name": "x", "url": "https://10.0.0.7:6271", "fingerprint": "ab" * 32}
    await supervisor.call("POST", "/nodes", json={**known, "fingerprint": "AB:CD"}, expect=422)
    made = await supervisor.call("POST", "/nodes", json=known, expect=201)
    assert (made["certificate"], made["certificate_given"], made["certificate_seen"]) == ("ab" * 32, True, "")
    path = f"/nodes/{made['id']}"
    moved = await supervisor.call("PATCH", path, rev=made["rev"], json={"url": "https://10.0.0.8:6271"})
    assert moved["certificate"] == "ab" * 32, "what people gave they change"
    freed = await supervisor.call("PATCH", path, rev=moved["rev"], json={"fingerprint": ""})
    assert (freed["certificate"], freed["certificate_given"]) == ("", False)


async def test_this_machines_own_node_has_no_url(supervisor: Running) -> None:
    (local,) = (await supervisor.call("GET", "/nodes"))["items"]
    path = f"/nodes/{local['id']}"
    problem = await supervisor.call("PATCH", path, rev=local["rev"], json={"url": "http://h:1"}, expect=409)
    assert problem["code"] == "local_node"


async def test_a_machine_is_declared_dead_by_a_person_and_with_a_reason(
    supervisor: Running, seen: dict[str, NodeSeen]
) -> None:
    """P2: an operator's word against a machine's silence is signed, and not taken against a machine that speaks."""
    node = await made_node(supervisor)
    path = f"/nodes/{node['id']}/declare-lost"
    await supervisor.call("POST", path, json={}, expect=422)
    seen[node["id"]] = NodeSeen("answers", 0.1, 0.0, condition())
    assert (await supervisor.call("POST", path, json={"reason": "on fire"}, expect=409))["code"] == "node_answers"
    seen[node["id"]] = NodeSeen("away", 9.0, 0.0, condition(), "no answer within 2 s")
    lost = await supervisor.call("POST", path, json={"reason": "on fire"})
    assert (lost["lost_by"], lost["lost_reason"], lost["state"]) == (getpass.getuser(), "on fire", "away")
    assert lost["lost_at"]
    assert lost["away_since"]
    row = (await supervisor.audit())[0]
    assert (row["action"], row["outcome"], row["detail"]["reason"]) == ("declare_node_lost", "done", "on fire")


async def test_only_another_machine_that_answers_can_be_accepted(
    supervisor: Running, store: Store, seen: dict[str, NodeSeen]
) -> None:
    node = await made_node(supervisor)
    path = f"/nodes/{node['id']}/accept"
    seen[node["id"]] = NodeSeen("answers", 0.1, 0.0, condition())
    assert (await supervisor.call("POST", path, expect=409))["code"] == "nothing_to_accept"
    seen[node["id"]] = NodeSeen("foreign", 9.0, 0.0, condition(), "another answers", "2" * 32)
    await supervisor.call("POST", path)
    async with store.read() as tx:
        assert (await tx.nodes.get(node["id"])).incarnation == "2" * 32
    assert (await supervisor.audit())[0]["detail"]["incarnation"] == "2" * 32


async def test_a_node_of_another_cluster_is_taken_over_by_a_person_and_is_never_dead(
    supervisor: Running, seen: dict[str, NodeSeen], monkeypatch: pytest.MonkeyPatch
) -> None:
    """P2: it lives and plays for the other one until then."""

    class Elsewhere:
        adopted = 0

        async def adopt(self) -> None:
            self.adopted += 1

    agent = Elsewhere()

    def agent_of(_: Supervision, node_id: str) -> Elsewhere:
        del node_id
        return agent

    monkeypatch.setattr(Supervision, "agent_of", agent_of)
    node = await made_node(supervisor)
    path = f"/nodes/{node['id']}"
    seen[node["id"]] = NodeSeen("answers", 0.1, 0.0, condition())
    assert (await supervisor.call("POST", f"{path}/adopt", expect=409))["code"] == "nothing_to_adopt"
    seen[node["id"]] = NodeSeen("other_cluster", None, None, None, "it belongs to another cluster")
    problem = await supervisor.call("POST", f"{path}/declare-lost", json={"reason": "it is silent"}, expect=409)
    assert problem["code"] == "other_cluster"
    assert agent.adopted == 0
    await supervisor.call("POST", f"{path}/adopt")
    assert agent.adopted == 1
    row = (await supervisor.audit())[0]
    assert (row["action"], row["outcome"], row["detail"]["name"]) == ("adopt_node", "done", "node-b")


async def test_a_claim_says_who_owns_the_port_and_is_released_by_name(supervisor: Running, store: Store) -> None:
    """P3."""
    node = await made_node(supervisor)
    channel = await supervisor.call("POST", "/channels", json={"name": "One"})
    async with store.write() as tx:
        wanted = PortWanted(node["id"], "index:1", 1)
        await tx.ports.claim(wanted, owner_kind="channel", owner_id=channel["id"], epoch=1, now=NOW)
        await tx.ports.mark("channel", channel["id"], 1, "unknown")
    (claim,) = (await supervisor.call("GET", "/claims"))["items"]
    assert (claim["node_name"], claim["owner_name"], claim["device_index"], claim["state"]) == (
        "node-b", "One", 1, "unknown",
    )  # fmt: skip
    assert (await supervisor.call("GET", f"/nodes/{node['id']}/claims"))["items"] == [claim]
    await supervisor.call("GET", f"/nodes/{NOBODY}/claims", expect=404)
    path = f"/claims/{claim['id']}/release"
    await supervisor.call("POST", path, json={"reason": ""}, expect=422)
    released = await supervisor.call("POST", path, json={"reason": "the card was pulled"})
    assert (released["state"], released["released_by"]) == ("released", getpass.getuser())
    await supervisor.call("POST", path, json={"reason": "again"}, expect=404)
    assert (await supervisor.call("GET", "/claims"))["items"] == []
    assert (await supervisor.call("GET", "/claims?live_only=false"))["items"] == [released]
    row = next(row for row in await supervisor.audit() if row["outcome"] == "done")
    assert (row["action"], row["detail"]["owner"], row["detail"]["reason"]) == (
        "release_claim", "One", "the card was pulled",
    )  # fmt: skip


async def test_a_media_root_is_marked_listed_and_forgotten(supervisor: Running, tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    made = await supervisor.call("POST", "/media-roots", json={"path": f"{clips}/"}, expect=201)
    assert (made["path"], made["marker"]) == (str(clips), (clips / ".mcr-media-root").read_text().strip())
    assert (await supervisor.call("GET", "/media-roots"))["items"] == [made]
    assert (await supervisor.call("POST", "/media-roots", json={"path": str(clips)}, expect=409))["code"] == "taken"
    for path in ("relative", f"{clips}/../x", f"{clips}/nowhere", "/"):
        await supervisor.call("POST", "/media-roots", json={"path": path}, expect=422)
    await supervisor.call("DELETE", f"/media-roots/{made['id']}", expect=204)
    await supervisor.call("DELETE", f"/media-roots/{made['id']}", expect=404)
    assert (clips / ".mcr-media-root").exists()


async def test_history_is_filtered_and_comes_in_pages(supervisor: Running, store: Store) -> None:
    channel = (await supervisor.call("POST", "/channels", json={"name": "One"}))["id"]
    async with store.write() as tx:
        await tx.events.add(
            [
                NewEvent(at=NOW, kind=kind, text=f"{kind} {number}", channel_id=channel, detail={"n": number})
                for number in range(3)
                for kind in ("decision", "claim")
            ]
        )
    path = f"/history?channel_id={channel}&kind=decision&limit=2"
    first = await supervisor.call("GET", path)
    second = await supervisor.call("GET", f"{path}&cursor={first['next_cursor']}")
    assert [event["text"] for event in (*first["items"], *second["items"])] == [
        "decision 2",
        "decision 1",
        "decision 0",
    ]
    assert second["next_cursor"] is None
    both = await supervisor.call("GET", f"/history?channel_id={channel}&kind=decision&kind=claim")
    assert len(both["items"]) == 6
    await supervisor.call("GET", "/history?kind=nonsense", expect=422)


async def test_what_would_become_of_a_node_that_is_alone(supervisor: Running) -> None:
    (node,) = (await supervisor.call("GET", "/nodes"))["items"]
    seen = await supervisor.call("GET", f"/nodes/{node['id']}/what-if")
    assert (seen["node_name"], seen["why_nothing"]) == (node["name"], "there is no other node")
    assert (seen["supervisor_here"], seen["fates"], seen["rooms"]) == (True, [], [])
    await supervisor.call("GET", f"/nodes/{'0' * 32}/what-if", expect=404)
