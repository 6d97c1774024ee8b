"""Failover from the operator's side: the veto, why a channel is where it is, and where it could go."""

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from db.errors import StoreUnavailable
from db.repositories.events import NewEvent
from db.repositories.ports import PortWanted
from db.store import Store
from supervisor.api import views
from supervisor.loops.supervision import Supervision
from supervisor.principal import Principal
from supervisor.schemas.channel import Channel
from tests.fixtures.running import Running, eventually

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RTMP = {"kind": "rtmp", "url": "rtmp://live.example/app/s3cr3t"}


@dataclass(frozen=True)
class Candidate:
    node_id: str
    node_name: str
    why_not: str = ""
    missing: Mapping[str, str] = field(default_factory=dict[str, str])


async def test_an_operator_vetoes_by_name_and_takes_it_back(supervisor: Running) -> None:
    made = await supervisor.call("POST", "/channels", json={"name": "One"})
    path, me = f"/channels/{made['id']}", getpass.getuser()
    held = await supervisor.call("POST", f"{path}/hold-failover")
    assert (held["hold_failover"], held["hold_failover_by"]) == (True, me)
    again = await supervisor.call("POST", f"{path}/hold-failover")
    assert again["rev"] == held["rev"]
    assert (await supervisor.call("GET", f"{path}/explain"))["hold_failover_by"] == me
    free = await supervisor.call("POST", f"{path}/release-failover")
    assert (free["hold_failover"], free["hold_failover_by"]) == (False, None)
    actions = [(row["principal"], row["action"]) for row in await supervisor.audit()]
    assert actions[:3] == [(me, "release_failover"), (me, "hold_failover"), (me, "hold_failover")]


async def test_where_it_could_go_and_why_not(supervisor: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await supervisor.call("POST", "/channels", json={"name": "One"})
    found = [
        Candidate("a" * 32, "node-a"),
        Candidate("b" * 32, "node-b", "media is missing there", {"/clips/x.mp4": "not there"}),
    ]

    def placement(_: Supervision, channel_id: str) -> Sequence[Candidate]:
        assert channel_id == made["id"]
        return found

    monkeypatch.setattr(Supervision, "placement", placement)
    shown = await supervisor.call("GET", f"/channels/{made['id']}/placement")
    first, second = shown["candidates"]
    assert (first["node_name"], first["why_not"], first["missing"]) == ("node-a", "", {})
    assert (second["why_not"], second["missing"]) == ("media is missing there", {"/clips/x.mp4": "not there"})
    await supervisor.call("GET", f"/channels/{'0' * 32}/placement", expect=404)


async def test_what_is_explained_is_what_was_kept(supervisor: Running) -> None:
    outputs = [{"kind": "udp", "url": "udp://127.0.0.1:5999"}, RTMP]
    made = await supervisor.call("POST", "/channels", json={"name": "One", "outputs": outputs})
    path = f"/channels/{made['id']}/explain"
    store = Store(supervisor.settings.store_url)
    try:
        async with store.write() as tx:
            texts = [("decision", "starts on node-a"), ("phase", "starting"), ("claim", "left out"), ("alarm", "dark")]
            await tx.events.add([NewEvent(at=NOW, kind=k, text=t, channel_id=made["id"]) for k, t in texts])
    finally:
        await store.close()
    shown = await supervisor.call("GET", path)
    told = [(one["kind"], one["sentence"]) for one in shown["decisions"]]
    assert shown["kept"] is True
    assert told[-3:] == [("decision", "starts on node-a"), ("phase", "starting"), ("alarm", "dark")]
    udp, rtmp = shown["outputs"]
    assert udp["words"] == "holds: if its node is unreachable it is not moved"
    assert (rtmp["url"], "lease" in rtmp["words"]) == ("rtmp://live.example/app/***", True)


async def test_a_refusal_is_explained_on_its_channel_with_who_and_why(supervisor: Running) -> None:
    """P7: of this channel alone; what was done is no refusal."""
    made = await supervisor.call("POST", "/channels", json={"name": "One"})
    other = await supervisor.call("POST", "/channels", json={"name": "Two"})
    path, me = f"/channels/{made['id']}", getpass.getuser()
    assert (await supervisor.call("GET", f"{path}/explain"))["refusals"] == []
    await supervisor.call("POST", f"{path}/take", expect=409)
    await supervisor.call("POST", f"{path}/stop")
    await supervisor.call("POST", f"{path}/adjust", json={"ms": "much"}, expect=422)
    await supervisor.call("POST", f"/channels/{other['id']}/move", json={}, expect=409)
    told = (await supervisor.call("GET", f"{path}/explain"))["refusals"]
    assert [(one["by"], one["action"], one["outcome"], one["status"]) for one in told] == [
        (me, "take", "refused", 409), (me, "adjust", "refused", 422),
    ]  # fmt: skip
    assert (told[0]["code"], told[0]["why"]) == ("not_armed", "One is not on air: off, as wanted")
    (moved,) = (await supervisor.call("GET", f"/channels/{other['id']}/explain"))["refusals"]
    assert (moved["code"], moved["why"]) == ("not_movable", "Two is not moved: it is off")


async def test_while_the_database_is_away_it_is_explained_from_memory(
    supervisor: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P6."""
    made = await supervisor.call("POST", "/channels", json={"name": "One"})
    path = f"/channels/{made['id']}/explain"

    async def looked() -> bool:
        return bool(supervisor.application.events) and bool((await supervisor.call("GET", path))["decisions"])

    await eventually(looked, "a first pass over the channel")

    def away(*_: object, **__: object) -> object:
        raise StoreUnavailable("the server closed the connection")

    monkeypatch.setattr("db.store.transaction", away)
    shown = await supervisor.call("GET", path)
    assert shown["kept"] is False
    assert shown["decisions"]
    monkeypatch.undo()


async def test_a_stream_key_is_for_those_who_may_change_it(supervisor: Running) -> None:
    """P7: a key in a url is a secret; it is in no audit row, no refusal, and in no viewer's answer."""
    made = await supervisor.call("POST", "/channels", json={"name": "One", "outputs": [RTMP]})
    assert made["outputs"][0]["url"] == RTMP["url"]
    bad = {"kind": "rtmp", "url": "rtmp://live.example/s3cr3t"}
    refused = await supervisor.unix.post("/api/v1/channels", json={"name": "Two", "outputs": [bad]})
    assert (refused.status_code, "s3cr3t" in refused.text) == (422, False)
    await supervisor.call(
        "PATCH", f"/channels/{made['id']}", rev=made["rev"], json={"outputs": [RTMP, {"kind": "hls"}]}
    )
    assert "s3cr3t" not in str(await supervisor.audit())
    view = Channel.model_validate(made)
    viewer = Principal(name="v", origin="unix", role="viewer")
    admin = Principal(name="a", origin="unix", role="admin")
    assert views.without_keys(view, viewer).outputs[0].url == "rtmp://live.example/app/***"
    assert views.without_keys(view, admin) == view


async def test_a_card_needs_its_node(supervisor: Running) -> None:
    (local,) = (await supervisor.call("GET", "/nodes"))["items"]
    card = [{"kind": "decklink", "url": "decklink://1?key=2"}]
    problem = await supervisor.call("POST", "/channels", json={"name": "One", "outputs": card}, expect=422)
    assert "node" in problem["detail"]
    values = {"name": "One", "outputs": card, "node_id": local["id"]}
    made = await supervisor.call("POST", "/channels", json=values, expect=201)
    path = f"/channels/{made['id']}"
    await supervisor.call("PATCH", path, rev=made["rev"], json={"node_id": None}, expect=422)
    plain = await supervisor.call("POST", "/channels", json={"name": "Two"})
    await supervisor.call("PATCH", f"/channels/{plain['id']}", rev=plain["rev"], json={"outputs": card}, expect=422)


async def test_whoever_is_refused_a_port_is_told_who_has_it(
    supervisor: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P3: the refusal names owner, node, port and since when."""
    (local,) = (await supervisor.call("GET", "/nodes"))["items"]
    owner = await supervisor.call("POST", "/channels", json={"name": "One"})
    other = await supervisor.call("POST", "/channels", json={"name": "Two"})

    async def start(*_: object) -> None:
        store = Store(supervisor.settings.store_url)
        try:
            async with store.write() as tx:
                wanted = PortWanted(local["id"], "card-7", 1)
                for channel in (owner, other):
                    await tx.ports.claim(wanted, owner_kind="channel", owner_id=channel["id"], epoch=1, now=NOW)
        finally:
            await store.close()

    monkeypatch.setattr("supervisor.commands.Commands.start", start)
    problem = await supervisor.call("POST", f"/channels/{other['id']}/start", expect=409)
    assert problem["code"] == "port_taken"
    told = {name: problem["extra"][name] for name in ("owner_name", "node_name", "device_index", "port", "since")}
    assert told == {
        "owner_name": "One", "node_name": "here", "device_index": 1, "port": "card-7", "since": NOW.isoformat(),
    }  # fmt: skip
    assert "One" in problem["detail"]
    assert "here" in problem["detail"]
