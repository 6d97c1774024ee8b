"""The log as files: what they say, and that a million rows would not be held in memory."""

import csv
import io
import json
import tracemalloc
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from db.models import AsRunEvent, Channel, Output
from db.store import Store
from supervisor.asrun.delays import delays_of
from supervisor.asrun.export import formats
from supervisor.asrun.export.bxf import NAMESPACE, OWN
from supervisor.asrun.export.formats import export, file_name
from supervisor.asrun.export.table import COLUMNS
from supervisor.asrun.spans import Span, span_of_day
from supervisor.schemas.asrun import ExportFormat
from tests.fixtures.as_run import Part, air

CHANNEL, RUN = "c" * 32, "a" * 32
ROW = Channel(id=CHANNEL, name="Das Eine & <Erste>", number=7, rate="25", time_zone="Europe/Berlin", day_start="06:00")
DAY = span_of_day(ROW, date(2026, 3, 28))
BEGIN = datetime(2026, 3, 28, 19, tzinfo=UTC)
NOW = datetime(2026, 3, 29, 6, tzinfo=UTC)
TRAFFIC = "abccdddd-1111-22e3-9aff-0038338391f1"


async def written(store: Store, form: ExportFormat) -> str:
    return b"".join([piece async for piece in export(store, DAY, form, NOW)]).decode()


@pytest.fixture
async def aired(store: Store) -> Store:
    await air(
        store, CHANNEL, RUN, 1, BEGIN,
        [
            Part("1", 250, "arm", more={"title": '=HYPERLINK("x")', "traffic_id": TRAFFIC, "house_id": "N1"}),
            Part("", 50),
            Part("2", 100, ended="stop", more={"title": "A & B", "traffic_id": "T-2", "planned_frames": 120}),
        ],
    )  # fmt: skip
    async with store.write() as tx:
        await tx.as_run_notes.add(
            CHANNEL, BEGIN, "upcut by the switcher", "ann", NOW, run_id=RUN, seq=3, field="frames", value="248"
        )
    return store


async def test_csv(aired: Store) -> None:
    rows = list(csv.DictReader(io.StringIO(await written(aired, "csv"))))
    assert list(rows[0]) == list(COLUMNS)
    assert [row["kind"] for row in rows] == ["item", "filler", "item"]
    first, last = rows[0], rows[2]
    assert first["title"] == '\'=HYPERLINK("x")'
    assert (first["start_utc"], first["start_local"], first["duration"]) == (
        "2026-03-28T19:00:00.000Z", "20:00:00:00", "00:00:10:00",
    )  # fmt: skip
    assert (first["statuses"], first["traffic_id"], first["house_id"]) == ("Aired Without Discrepancy", TRAFFIC, "N1")
    assert first["notes"] == "frames is 248: upcut by the switcher (ann)"
    assert last["statuses"] == "Aired with Duration Discrepancy"
    assert last["predicted_start_utc"] == ""  # filler was before it


async def test_every_form_tells_what_the_outputs_add_to_its_times(aired: Store) -> None:
    outputs = [Output(id="e" * 32, kind="hls", url="", encoding=None)]
    span = replace(DAY, delays=delays_of(outputs, ()))
    for form in formats.FORMS:
        text = b"".join([piece async for piece in export(aired, span, form, NOW)]).decode()
        if form == "jsonl":
            lines = [json.loads(line) for line in text.splitlines()]
            assert [line["output_delays"][0]["total_ms"] for line in lines] == [2000, 2000, 2000]
            assert lines[0]["notes"]
        else:
            assert ("An output adds: hls, 2000 ms" if form == "report" else "hls 2000 ms") in text


async def test_every_form_says_what_was_inferred(store: Store) -> None:
    """And not that it was confirmed: traffic bills by it."""
    parts = [Part("1", 250, "arm", proof="inferred"), Part("2", 100, ended="stop", more={"proof": "inferred"})]
    await air(store, CHANNEL, RUN, 1, BEGIN, parts)
    rows = list(csv.DictReader(io.StringIO(await written(store, "csv"))))
    proofs = [("confirmed", "inferred"), ("inferred", "confirmed")]
    assert [(row["start_proof"], row["end_proof"]) for row in rows] == proofs
    lines = [json.loads(line) for line in (await written(store, "jsonl")).splitlines()]
    assert [(line["start_proof"], line["end_proof"]) for line in lines] == proofs
    bxf = await written(store, "bxf")
    assert "<mcr:startProof>confirmed</mcr:startProof><mcr:endProof>inferred</mcr:endProof>" in bxf
    report = await written(store, "report")
    assert "its end is inferred" in report
    assert "its start is inferred" in report
    assert f"{'by time':<12} {350:>12} frames" in report


async def test_json_lines(aired: Store) -> None:
    lines = [json.loads(line) for line in (await written(aired, "jsonl")).splitlines()]
    assert [line["frames"] for line in lines] == [250, 50, 100]
    assert lines[0]["notes"][0]["value"] == "248"
    assert "notes" not in lines[1]


async def test_the_printed_report_adds_up(aired: Store) -> None:
    text = await written(aired, "report")
    assert "Broadcast day 2026-03-28" in text
    assert "20:00:12:00 00:00:04:00 A & B" in text
    span = 23 * 3600 * 25
    for name, frames in (
        ("aired", 350),
        ("filler", 50),
        ("off air", span - 400),
        ("unaccounted", 0),
        ("the span", span),
    ):
        assert f"{name:<12} {frames:>12} frames" in text


async def test_bxf(aired: Store) -> None:
    root = ET.fromstring(await written(aired, "bxf"))
    of = {"b": NAMESPACE}
    assert root.tag == f"{{{NAMESPACE}}}BxfMessage"
    schedule = root.find("b:BxfData/b:Schedule", of)
    assert schedule is not None
    assert schedule.attrib["type"] == "Primary"
    events = schedule.findall("b:AsRun/b:BasicAsRun", of)
    assert len(events) == 2  # filler is no event of BXF's
    assert events[0].findtext("b:AsRunEventId/b:EventId", namespaces=of) == f"urn:uuid:{TRAFFIC}"
    assert events[1].findtext("b:AsRunEventId/b:BillingReferenceCode", namespaces=of) == "T-2"
    assert events[0].findtext("b:Content/b:ContentId/b:HouseNumber", namespaces=of) == "N1"
    assert events[1].findtext("b:Content/b:Name", namespaces=of) == "A & B"
    detail = events[1].find("b:AsRunDetail", of)
    assert detail is not None
    assert [child.tag.partition("}")[2] for child in detail] == [
        "Status", "Type", "StartDateTime", "Duration", "PrivateInformation",
    ]  # fmt: skip
    assert detail.findtext("b:Status", namespaces=of) == "Aired with Duration Discrepancy"
    start = detail.find("b:StartDateTime/b:SmpteDateTime", of)
    assert start is not None
    assert start.attrib == {
        "broadcastDate": "2026-03-28", "utcStartofBroadcastDay": "2026-03-28T05:00:00Z", "frameRate": "25",
    }  # fmt: skip
    assert start.findtext("b:SmpteTimeCode", namespaces=of) == "20:00:12:00"
    assert detail.findtext("b:Duration/b:SmpteDuration/b:SmpteTimeCode", namespaces=of) == "00:00:04:00"
    assert schedule.findtext("b:PrivateInformation/m:channel", None, {**of, "m": OWN}) == CHANNEL
    own = detail.find("b:PrivateInformation", of)
    assert own is not None
    told = {child.tag.partition("}")[2]: child.text for child in own}
    assert (told["startUtc"], told["endUtc"]) == ("2026-03-28T19:00:12.000000Z", "2026-03-28T19:00:16.000000Z")
    assert (told["item"], told["startCause"], told["endCause"]) == ("2" * 32, "follow", "stop")
    note = events[0].findtext("b:AsRunDetail/b:EventNotes/b:EventNote", namespaces=of)
    assert note == "frames is 248: upcut by the switcher (ann)"


async def test_bxf_gives_traffics_ids_back_to_the_letter(store: Store) -> None:
    given = [f"urn:uuid:{TRAFFIC.upper()}", TRAFFIC.upper(), "T 9/\u00df", "", None]
    parts = [Part("1", 25, more={"traffic_id": one}) for one in given]
    await air(store, CHANNEL, RUN, 1, BEGIN, parts)
    of = {"b": NAMESPACE}
    ids = ET.fromstring(await written(store, "bxf")).findall(".//b:AsRunEventId", of)
    assert [(one.findtext("b:EventId", None, of), one.findtext("b:BillingReferenceCode", None, of)) for one in ids] == [
        (f"urn:uuid:{TRAFFIC.upper()}", None), (f"urn:uuid:{TRAFFIC.upper()}", None), (None, "T 9/\u00df"),
        (None, None), (None, None),
    ]  # fmt: skip
    assert [one.find("b:Null", of) is not None for one in ids] == [False, False, True, True, True]


async def test_bxf_tells_in_seconds_what_its_labels_cannot_count(store: Store) -> None:
    """Its labels end at 23:59:59, and at 60 frames a second."""
    await air(store, CHANNEL, RUN, 1, BEGIN, [Part("1", 25 * 86_400)])
    await air(store, CHANNEL, "b" * 32, 2, BEGIN + timedelta(hours=1), [Part("2", 150)], rate="100")
    of = {"b": NAMESPACE}
    lengths = ET.fromstring(await written(store, "bxf")).findall(".//b:AsRunDetail/b:Duration/b:UtcDuration", of)
    assert [one.text for one in lengths] == ["PT86400S", "PT1.5S"]
    fast = replace(DAY, rate="100")
    text = b"".join([piece async for piece in export(store, fast, "bxf", NOW)]).decode()
    assert "<UtcDateTime>2026-03-28T19:00:00.000000Z</UtcDateTime>" in text
    assert "SmpteTimeCode" not in text


async def test_bxf_names_the_channel_short_enough_for_its_tables(store: Store) -> None:
    schedule = ET.fromstring(await written(store, "bxf")).find(f".//{{{NAMESPACE}}}Schedule")
    assert schedule is not None
    channel = schedule.find(f"{{{NAMESPACE}}}Channel")
    assert channel is not None
    assert channel.attrib == {"channelNumber": "7", "shortName": "Das Ein"}
    assert schedule.findtext(f"{{{NAMESPACE}}}ScheduleName") == "Das Eine & <Erste>"


def test_a_file_is_named_by_letters_that_every_file_system_takes() -> None:
    assert file_name(DAY, "bxf") == "7-Das-Eine----Erste.2026-03-28.asrun.bxf.xml"


@pytest.mark.long
@pytest.mark.parametrize("store_place", ["simulated"], indirect=True)  # the events are made here: one store is enough
@pytest.mark.parametrize("form", ["csv", "jsonl", "report", "bxf"])
async def test_memory_does_not_grow_with_the_log(
    store: Store, form: ExportFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten times as many rows are not held: the stream is what bounds a million."""

    def events_of(count: int) -> object:
        async def events(_store: Store, _span: Span, *, begun_before: bool) -> AsyncIterator[AsRunEvent]:
            del begun_before
            for number in range(count):
                at = BEGIN + timedelta(seconds=number)
                yield AsRunEvent(
                    channel_id=CHANNEL, run_id=RUN, seq=number + 1, epoch=1, kind="item", title=f"Item {number}",
                    start_at=at, end_at=at + timedelta(seconds=1), start_frame=number * 25, frames=25,
                    planned_frames=25, rate="25", start_cause="follow", end_cause="ended", by="", status="aired",
                    detail="", late=0,
                )  # fmt: skip

        return events

    async def peak(count: int) -> int:
        monkeypatch.setattr(formats, "events_of", events_of(count))
        tracemalloc.start()
        async for _ in export(store, DAY, form, NOW):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    await peak(500)
    assert await peak(6000) < 2 * await peak(600) + 500_000
