"""What Prometheus scrapes, of a whole supervisor with a real sidecar and of two nodes with scripted ones."""

import os
import signal
from collections.abc import Iterator

import httpx
from httpx_sse import aconnect_sse
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from supervisor.lag import LoopLag
from supervisor.metrics.exposition import exposition
from supervisor.metrics.families import FAMILIES
from supervisor.metrics.reading import read
from tests.fixtures.agents import NodeHome, until
from tests.fixtures.fleets import fleet
from tests.fixtures.running import Running, eventually
from tests.fixtures.stations import FOREVER, OLGA

FORMAT = {"width": 128, "height": 72, "rate": "25"}
ONLY_SOMETIMES = {
    "mcr_output_delay_seconds", "mcr_recorder_heartbeat_age_seconds", "mcr_recorder_free_bytes",
    "mcr_webhook_waiting", "mcr_webhook_dead",
}  # fmt: skip
"""Of an output that said so, of a recorder that records, and of a receiver."""
LABELS = {name: set(family.labels) for family in FAMILIES.values() for name in family.samples}


def samples(text: str) -> Iterator[Sample]:
    for family in text_string_to_metric_families(text):
        yield from family.samples


def value(text: str, metric: str, /, **labels: str) -> float | None:
    """Of the only sample that has these labels; None where there is none."""
    found = [it.value for it in samples(text) if it.name == metric and labels.items() <= it.labels.items()]
    assert len(found) <= 1, f"{metric} {labels}: {found}"
    return found[0] if found else None


async def scraped(supervisor: Running) -> str:
    answer = await supervisor.unix.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return answer.text


async def test_one_scrape_tells_of_supervisor_channels_nodes_and_recorders(supervisor: Running) -> None:
    playlist = await supervisor.call("POST", "/playlists", json={"name": "Day"})
    insert = {"revision": playlist["revision"], "items": [{"kind": "slate", "slate_frames": FOREVER}]}
    await supervisor.call("POST", f"/playlists/{playlist['id']}/items", json=insert)
    channel = await supervisor.call(
        "POST", "/channels", json={"name": 'A "b"\\', "format": FORMAT, "playlist_id": playlist["id"]}
    )
    id_ = channel["id"]
    recorder = await supervisor.call("POST", "/recorders", json={"name": "Ingest", "input": {"kind": "test"}})
    await supervisor.call("POST", f"/channels/{id_}/take", expect=409)
    await supervisor.call("POST", f"/channels/{id_}/start")

    async def collected() -> str | None:
        text = await scraped(supervisor)
        is_there = value(text, "mcr_frames_total", channel=id_) and value(text, "mcr_output_up", role="programme")
        return text if is_there and value(text, "mcr_journal_lag_records", channel=id_) == 0 else None

    async with aconnect_sse(supervisor.unix, "GET", "/api/v1/events") as source:
        assert source.response.status_code == 200
        text = await eventually(collected, "on air, and its journal collected", deadline_s=60.0)
        assert value(text, "mcr_event_streams") == 1

    told = {sample.name for sample in samples(text)}
    assert told <= LABELS.keys()
    for sample in samples(text):
        assert set(sample.labels) - {"le"} == LABELS[sample.name], sample.name
    wanted = {name for family in FAMILIES.values() if family.name not in ONLY_SOMETIMES for name in family.samples}
    assert wanted - told <= {"mcr_heartbeats_missed_total"}, "what the table names and nobody exports"

    assert value(text, "mcr_leader") == 1
    assert value(text, "mcr_store_up") == 1
    assert value(text, "mcr_channel_info", channel=id_, name='A "b"\\', number=str(channel["number"])) == 1
    assert value(text, "mcr_channel_on_air", channel=id_) == 1
    assert value(text, "mcr_off_air_seconds", channel=id_) == 0
    assert value(text, "mcr_output_up", channel=id_, role="programme", kind="hls") == 1
    assert value(text, "mcr_recorder_info", recorder=recorder["id"], name="Ingest") == 1
    assert value(text, "mcr_api_requests_total", operation="take", status="409") == 1
    assert value(text, "mcr_api_request_seconds_count", operation="take") == 1
    assert value(text, "mcr_api_request_seconds_bucket", operation="take", le="+Inf") == 1
    age = value(text, "mcr_heartbeat_age_seconds", channel=id_)
    assert age is not None
    assert 0 <= age < 60


async def test_who_shows_no_token_reads_no_metrics(supervisor: Running) -> None:
    async with supervisor.tcp_client() as nobody:
        refused = await nobody.get("/metrics")
    assert refused.status_code == 401
    assert "mcr_" not in refused.text
    allowed: httpx.Response = await supervisor.tcp.get("/metrics")
    assert allowed.status_code == 200


async def test_restarts_interruptions_and_failovers_are_counted(node_home: NodeHome) -> None:
    async with fleet(node_home) as made:
        lag = LoopLag()

        def now(name: str, **labels: str) -> float | None:
            return value(exposition(read(made.supervision, made.events, lag)).decode(), name, **labels)

        restarts, failovers = "mcr_sidecar_restarts_total", "mcr_failovers_total"
        measured, interruptions = "mcr_failover_seconds_count", "mcr_interruption_seconds_count"

        def counts() -> dict[str, float]:
            found = {name: now(name) for name in (restarts, failovers, measured, interruptions)}
            there = {name: number for name, number in found.items() if number is not None}
            assert there.keys() == found.keys()
            return there

        row = await made.channel(FOREVER)
        await made.commands.start(row.id, OLGA)
        await made.on_air(row.id, timeout=60.0)
        before = counts()
        first = await made.node_of(row.id)
        living = next(it for it in (await made.link(first).agent.report(-1, 0.0)).sidecars if it.exit is None)
        os.kill(living.pid, signal.SIGKILL)
        await made.on_air(row.id, epoch=made.live(row.id).epoch + 1, timeout=60.0)
        await until(lambda: counts()[interruptions] >= before[interruptions] + 1, 60.0, "the interruption counted")
        after = counts()
        assert after[restarts] >= before[restarts] + 1
        assert (after[failovers], after[measured]) == (before[failovers], before[measured])

        await until(lambda: not made.supervision.why_stay(made.nodes["a"].id), 60.0, "warmed up")
        node = made.nodes[first].id
        assert now("mcr_node_up", node=node) == 1
        before = counts()
        made.link(first).cut = True
        await made.on_air(row.id, epoch=made.live(row.id).epoch + 1, timeout=60.0)
        await until(lambda: counts()[failovers] >= before[failovers] + 1, 60.0, "the failover counted")
        after = counts()
        assert after[measured] >= before[measured] + 1
        assert after[interruptions] >= before[interruptions] + 1
        took = now("mcr_failover_seconds_sum")
        assert took is not None
        assert took > 0
        assert now("mcr_node_up", node=node) == 0
        made.link(first).cut = False
        await made.off(row.id, timeout=60.0)
