"""Lists of traffic systems, read: what becomes an event, exactly; what is refused, by line; and nothing lost."""

import contextlib
import csv
import io
import json
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.errors import Invalid
from supervisor.playlists.reading import LARGEST_LIST, read_list
from supervisor.playlists.schedule import (
    MOST,
    DayTime,
    Frames,
    Schedule,
    ScheduledEvent,
    Seconds,
    Timecode,
    frames_at,
)
from supervisor.schemas.listing import ListFormat, ListOptions

HERE = Path("/media/day")


def read(form: ListFormat, data: str | bytes, **options: Any) -> Schedule:
    raw = data.encode() if isinstance(data, str) else data
    return read_list(form, raw, HERE, ListOptions.model_validate(options))


# Tables


def test_a_table_with_known_names_needs_no_mapping() -> None:
    found = read(
        "csv",
        "\ufeffEvent ID;House ID;Title;Start Time;Start Mode;SOM;Duration\r\n"
        'T1;N0001;"News; at one";13:00:00:12;fixed;10:00:00:00;00:15:00:00\r\n'
        "\r\n"
        "T2;P0001;Promo;;;;30\r\n",
        rate="25",
    )
    assert found.events == (
        ScheduledEvent(
            "line 2", traffic_id="T1", house_id="N0001", title="News; at one", planned=DayTime(13, 0, 0, 12),
            start_mode="fixed", begin=Timecode("10:00:00:00", "25"), length=Timecode("00:15:00:00", "25"),
        ),
        ScheduledEvent("line 4", traffic_id="T2", house_id="P0001", title="Promo", length=Seconds(Fraction(30))),
    )  # fmt: skip
    assert (found.refused, found.remarks) == ((), ())


def test_a_mapping_says_what_is_what() -> None:
    found = read(
        "csv",
        "29.03.2026|20:15:00|MAZ|F1|Film|150000|x\n29.03.2026|22:15:00|SONST|-|-|0|\n29.03.2026|22:30|LIVE||Debatte|9|\n",
        separator="|",
        columns={"date": 1, "start": 2, "kind": 3, "house_id": 4, "title": 5, "duration": 6, "expendable": 7},
        numbers="frames",
        rate="25",
        time_format="%d.%m.%Y %H:%M:%S",
        kinds={"maz": "clip", "SONST": "skip", "LIVE": "live"},
    )
    assert found.events == (
        ScheduledEvent(
            "line 1", house_id="F1", title="Film", planned=DayTime(20, 15, 0, day=date(2026, 3, 29)),
            length=Frames(150_000, "25"), expendable=True,
        ),
    )  # fmt: skip
    assert found.remarks == ("line 2: 'SONST' is left out, as the mapping says",)
    assert [line.partition(":")[0] for line in found.refused] == ["line 3"]


def test_an_encoding_is_named_and_never_guessed() -> None:
    data = "house id,title\nA,Größe\n".encode("cp1252")
    with pytest.raises(Invalid, match="line 2 is not utf-8"):
        read("csv", data)
    assert read("csv", data, encoding="cp1252").events[0].title == "Größe"
    assert read("csv", "house id,title\nA,Größe\n".encode("utf-16")).events[0].title == "Größe"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("1,2\n3,4\n", "no column is known"),
        ('house id,title\nA,"open\nB,x\n', "line 2: this is no table"),
    ],
)
def test_what_is_no_table_is_said_so(text: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        read("csv", text)


def test_a_mapping_that_names_no_column_there_is_says_what_there_is() -> None:
    with pytest.raises(Invalid, match="no column 'Clip'; the first line holds 'Clip No', 'Name'"):
        read("csv", "Clip No,Name\nA,B\n", columns={"house_id": "Clip"})


@pytest.mark.parametrize(
    "row",
    ["A,25:61:00,1", "A,30:00:00,1", "A,,1:2:3:4:5", "A,,-1", "A,,1e400", "A,tomorrow,1", "A,2026-02-30 10:00:00,1",
     ",20:00:00,1", f"{'A' * 81},,1"],
)  # fmt: skip
def test_a_row_that_cannot_be_is_refused_alone(row: str) -> None:
    found = read("csv", f"house id,start,duration\n{row}\nB,20:00:00,1\n")
    assert [event.house_id for event in found.events] == ["B"]
    assert len(found.refused) == 1
    assert found.refused[0].startswith("line 2: ")


@given(st.binary(max_size=300), st.sampled_from([",", ";", "\t", "|"]))
def test_whatever_a_table_holds_every_row_is_accounted_for(data: bytes, separator: str) -> None:
    options = {"columns": {"house_id": 1, "start": 2, "duration": 3}, "separator": separator, "encoding": "latin-1"}
    try:
        found = read("csv", data, **options)
    except Invalid:
        return
    text = data.decode("latin-1") if not data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")) else None
    if text is not None:
        rows = [
            row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if any(map(str.strip, row))
        ]
        assert len(found.events) + len(found.refused) + len(found.remarks) == len(rows)


# Our own JSON


def schedule(*events: object, **head: object) -> str:
    return json.dumps({"format": "mcr-schedule", "version": 1, "events": events, **head})


def test_a_schedule_of_ours() -> None:
    found = read(
        "json",
        schedule(
            {"traffic_id": "T1", "house_id": "N1", "title": "News", "start": "2026-03-29T18:00:00+02:00",
             "start_mode": "fixed", "in": "00:00:01:00", "duration": {"frames": 750}},
            {"kind": "live", "source": "srt://studio", "start": "26:30:00", "duration": 60.5, "colour": "red"},
            {"path": "a.mp4", "start": "02:30:00", "date": "2026-03-30"},
            {"kind": "comment", "title": "Break"},
            {"kind": "slate", "duration": "00:00:10"},
            date="2026-03-29", time_zone="Europe/Berlin", rate="29.97", made_by="hand",
        ),
    )  # fmt: skip
    assert (found.day, found.time_zone) == (date(2026, 3, 29), "Europe/Berlin")
    assert found.events == (
        ScheduledEvent(
            "event 1", traffic_id="T1", house_id="N1", title="News", planned=datetime(2026, 3, 29, 16, tzinfo=UTC),
            start_mode="fixed", begin=Timecode("00:00:01:00", "30000/1001"), length=Frames(750, "30000/1001"),
        ),
        ScheduledEvent(
            "event 2", kind="live", source="srt://studio", planned=DayTime(26, 30, 0), length=Seconds(Fraction(121, 2))
        ),
        ScheduledEvent("event 3", path=HERE / "a.mp4", planned=DayTime(2, 30, 0, day=date(2026, 3, 30))),
        ScheduledEvent("event 4", kind="comment", title="Break"),
        ScheduledEvent("event 5", kind="slate", length=Seconds(Fraction(10))),
    )  # fmt: skip
    assert found.remarks == ("'made_by' is not known and not used", "event 2: 'colour' is not known and not used")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "mcr-schedule", "version": 2, "events": []}', "[" * 10**5]
)
def test_what_is_no_schedule_of_ours_is_said_so(text: str) -> None:
    with pytest.raises(Invalid):
        read("json", text)


@pytest.mark.parametrize(
    "event",
    [1, {}, {"kind": "comment"}, {"house_id": 7}, {"house_id": "A", "in": True}, {"house_id": "A", "in": -1},
     {"house_id": "A", "duration": {"frames": 1.5}}, {"house_id": "A", "expendable": 1}, {"house_id": "\ud800"},
     {"path": "http://a/b.mp4"}, {"path": "http://[/b.mp4"}, {"house_id": "A", "start": "24:00:00Z"}],
)  # fmt: skip
def test_an_event_that_cannot_be_is_refused_alone(event: object) -> None:
    found = read("json", schedule(event, {"house_id": "B"}))
    assert [one.house_id for one in found.events] == ["B"]
    assert len(found.refused) == 1


@pytest.mark.parametrize("number", ["1e-99999999", "1e99999999", "9" * 5000, "NaN"])
def test_a_number_that_would_fill_the_memory_is_refused(number: str) -> None:
    with pytest.raises(Invalid):
        read("json", schedule({"house_id": "A", "in": 7}).replace("7", number))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    ["traffic_id", "house_id", "path", "title", "kind", "date", "start", "start_mode", "in", "out", "duration", "x"]
)
WORDS = JSON | st.sampled_from(["clip", "comment", "20:15:00", "2026-03-29", "fixed", "00:00:10:00", "A"])


@given(st.lists(st.dictionaries(FIELDS, WORDS, max_size=6) | JSON, max_size=4))
def test_whatever_a_schedule_holds_every_event_is_taken_or_refused(events: list[object]) -> None:
    found = read("json", schedule(*events))
    assert len(found.events) + len(found.refused) == len(events)


# BXF

NAMESPACE = "http://smpte-ra.org/schemas/2021/2017/BXF"


def bxf(*events: str, schedule: str = 'type="Primary"', channel: str = '<Channel shortName="ONE"/>') -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<BxfMessage xmlns="{NAMESPACE}" messageType="Information">'
        f"<BxfData action='add'><Schedule {schedule}>{channel}\n{chr(10).join(events)}\n</Schedule></BxfData>"
        "</BxfMessage>"
    )


def scheduled(
    event_id: str, *, kind: str = "Primary", house: str = "H1", extra: str = "", mode: str = "Follow", media: str = "",
    start: str = "20:00:00:00", length: str = "00:00:30:00", rate: str = "25",
) -> str:  # fmt: skip
    content = f"<Content><ContentId><HouseNumber>{house}</HouseNumber></ContentId><Name>N</Name>{media}</Content>"
    return (
        f'<ScheduledEvent><EventData eventType="{kind}"><EventId><EventId>{event_id}</EventId></EventId>'
        "<PrimaryEvent><ProgramEvent><SegmentNumber>1</SegmentNumber><ProgramName>P</ProgramName></ProgramEvent>"
        f'</PrimaryEvent><StartDateTime><SmpteDateTime broadcastDate="2026-03-29" frameRate="{rate}">'
        f"<SmpteTimeCode>{start}</SmpteTimeCode></SmpteDateTime></StartDateTime><LengthOption><Duration>"
        f'<SmpteDuration frameRate="{rate}"><SmpteTimeCode>{length}</SmpteTimeCode></SmpteDuration></Duration>'
        f"</LengthOption><StartMode>{mode}</StartMode><EndMode>Duration</EndMode>{extra}</EventData>"
        f"{content if house else ''}</ScheduledEvent>"
    )


SOM = "<Media><BaseBand/><MediaLocation><SOM><SmpteTimeCode>00:00:02,00</SmpteTimeCode></SOM></MediaLocation></Media>"
LIVE = (
    "<Media><BaseBand/><MediaLocation><Location><RouterSource><Name>NEWS</Name><CrossPoint>PCL</CrossPoint>"
    "</RouterSource></Location></MediaLocation></Media>"
)


def test_a_schedule_in_bxf() -> None:
    found = read(
        "bxf",
        bxf(
            scheduled("urn:uuid:1", kind="Primary-ProgramHeader", house=""),
            scheduled("urn:uuid:2", mode="Fixed", start="20:00:00;12", rate="29.97", media=SOM, house="H2"),
            scheduled("urn:uuid:3", mode="Manual", extra="<Expendable>true</Expendable>"),
            scheduled("urn:uuid:4", media=LIVE),
            scheduled("urn:uuid:5", kind="NonPrimary"),
            "<ScheduledEvent><Content><ContentId><HouseNumber>H9</HouseNumber></ContentId></Content></ScheduledEvent>",
        ),
    )
    on = date(2026, 3, 29)
    header, fixed, held, live = found.events
    assert (header.kind, header.title, header.traffic_id) == ("comment", "P", "urn:uuid:1")
    assert fixed == ScheduledEvent(
        "line 4", traffic_id="urn:uuid:2", house_id="H2", title="N", planned=DayTime(20, 0, 0, 12, day=on),
        start_mode="fixed", begin=Timecode("00:00:02;00", None), length=Timecode("00:00:30:00", "30000/1001"),
    )  # fmt: skip
    assert (held.start_mode, held.expendable, held.begin) == ("hold", True, None)
    assert (live.kind, live.source, live.house_id) == ("live", "PCL", "H1")
    assert [line.partition(":")[0] for line in found.remarks] == ["line 7"]
    assert not found.changes_only
    assert [line.partition(":")[0] for line in found.refused] == ["line 8"]


def test_elements_of_one_scheduled_event_are_events_of_their_own() -> None:
    one = scheduled("1").removeprefix("<ScheduledEvent>").removesuffix("</ScheduledEvent>")
    two = scheduled("2").removeprefix("<ScheduledEvent>").removesuffix("</ScheduledEvent>")
    head = "<EventData><EventId><EventId>0</EventId></EventId><EventTitle>The show</EventTitle></EventData>"
    elements = f"<ScheduleElements>{one}</ScheduleElements><ScheduleElements>{two}</ScheduleElements>"
    found = read("bxf", bxf(f"<ScheduledEvent>{head}{elements}</ScheduledEvent>"))
    assert [(event.kind, event.traffic_id) for event in found.events] == [
        ("comment", "0"),
        ("clip", "1"),
        ("clip", "2"),
    ]


def test_a_length_may_be_an_end() -> None:
    utc = (
        "<ScheduledEvent><EventData><EventId><EventId>1</EventId></EventId><StartDateTime><UtcDateTime>"
        "2026-03-29T18:00:00</UtcDateTime></StartDateTime><LengthOption><EndDateTime><UtcDateTime>2026-03-29T18:01:30.5"
        "</UtcDateTime></EndDateTime></LengthOption></EventData><Content><ContentId><AlternateId>AD1</AlternateId>"
        "</ContentId></Content></ScheduledEvent>"
    )
    (event,) = read("bxf", bxf(utc)).events
    assert (event.planned, event.length) == (datetime(2026, 3, 29, 18, tzinfo=UTC), Seconds(Fraction(181, 2)))
    assert event.house_id == "AD1"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not XML"),
        ("<a/>", "not BXF"),
        ("<BxfMessage/>", "no primary schedule"),
        (bxf(schedule='type="Alternate"'), "no primary schedule"),
        (bxf(schedule='type="Primary" action="remove"'), "asks to remove"),
        (bxf().replace("</BxfData>", "") , "line 4: this is not XML"),
        (bxf().replace('"UTF-8"', '"no-such"'), "not XML"),
        (bxf().replace('"UTF-8"', '"utf-7"'), "not XML"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "DTD"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "DTD"),
        ("<a>" * 100, "too deep"),
        (bxf().replace("</Schedule>", '</Schedule><Schedule type="Primary"><Channel shortName="TWO"/></Schedule>'),
         "2 channels: ONE, TWO"),
    ],
)  # fmt: skip
def test_what_is_no_schedule_in_bxf_is_said_so(text: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        read("bxf", text)


TEXTS = st.text("0123456789:;.,TZP-abc &<>é", max_size=12).map(
    lambda text: text.replace("&", "&amp;").replace("<", "&lt;")
)


@given(
    st.lists(
        st.tuples(TEXTS, TEXTS, TEXTS, TEXTS, st.sampled_from(["Primary", "NonPrimary", "Comment", "x"])), max_size=4
    )
)
def test_whatever_stands_in_bxf_every_event_is_accounted_for(events: list[tuple[str, str, str, str, str]]) -> None:
    text = bxf(*(scheduled(i, house=h, start=s, length=n, kind=k, media=SOM) for i, h, s, n, k in events))
    found = read("bxf", text)
    assert len(found.events) + len(found.refused) + len(found.remarks) == len(events)


# All of them


@given(st.sampled_from(get_args(ListFormat)), st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_no_reader_raises_anything_but_invalid(form: ListFormat, data: bytes) -> None:
    with contextlib.suppress(Invalid):
        read(form, data)


@given(st.sampled_from(get_args(ListFormat)), st.integers(0, 3000), st.integers(0, 255))
def test_a_good_list_with_one_byte_changed(form: ListFormat, place: int, byte: int) -> None:
    good: dict[str, str] = {
        "csv": "house id,title,start,duration\nA,x,20:00:00,00:00:10:00\nB,y,,3\n",
        "json": schedule({"house_id": "A", "start": "20:00:00", "in": 1.5}, rate="25", date="2026-03-29"),
        "m3u": "#EXTM3U\n#EXTINF:1,A\n/a.mp4\nfile:///b.mp4\n",
        "ffplayout": '{"program": [{"source": "/a.mp4", "in": 0, "out": 1.5, "duration": 3}]}',
        "bxf": bxf(scheduled("urn:uuid:1", media=SOM), scheduled("urn:uuid:2")),
    }
    data = bytearray(good[form].encode())
    data[place % len(data)] = byte
    with contextlib.suppress(Invalid):
        read(form, bytes(data))


def test_a_list_that_is_too_long_or_too_large_is_refused_whole() -> None:
    with pytest.raises(Invalid, match=str(MOST)):
        read("csv", "house id\n" + "A\n" * (MOST + 1))
    with pytest.raises(Invalid, match=str(LARGEST_LIST)):
        read("csv", b"a" * (LARGEST_LIST + 1))


@pytest.mark.parametrize(
    ("extent", "rate", "frames"),
    [
        (Frames(7), "25", 7),
        (Frames(50, "25"), "50", 100),
        (Frames(1, "25"), "30000/1001", 1),
        (Seconds(Fraction(1, 50)), "25", 1),
        (Timecode("00:10:00:00"), "25", 15_000),
        (Timecode("00:10:00;00"), "30000/1001", 17_982),
        (Timecode("00:10:00:00", "25"), "50", 30_000),
        (Timecode("00:00:30;00"), "25", 751),
    ],
)
def test_an_extent_becomes_frames_once_the_rate_is_known(
    extent: Frames | Seconds | Timecode, rate: str, frames: int
) -> None:
    assert frames_at(extent, Fraction(rate)) == frames


@pytest.mark.parametrize("label", ["00:00:00:25", "00:01:00;00"])
def test_a_label_that_does_not_exist_is_refused(label: str) -> None:
    with pytest.raises(Invalid):
        frames_at(Timecode(label), Fraction(25))


def test_a_category_comes_with_every_list_that_has_one() -> None:
    table = read("csv", f"house id,category\nA,Commercial\nB,\nC,{'x' * 41}\n")
    assert [event.category for event in table.events] == ["Commercial", "", "x" * 40]
    assert (table.refused, len(table.remarks)) == ((), 1), "one that is too long makes no hole, and is told"
    own = read("json", schedule({"house_id": "A", "category": "Promo"}, {"house_id": "B", "category": 7}))
    assert ([event.category for event in own.events], len(own.refused)) == (["Promo"], 1)
    own = read("json", schedule({"house_id": "A", "category": "Y" * 1500}))
    assert ([event.category for event in own.events], len(own.remarks)) == (["Y" * 40], 1)
    program = '{"program": [{"source": "a.mp4", "category": "advertisement"}, {"source": "b.mp4", "category": ""}]}'
    assert [event.category for event in read("ffplayout", program).events] == ["advertisement", ""]
