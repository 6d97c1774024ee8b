"""Schedules in the shapes of SMPTE's own use cases, and what else its schema allows: each event is what it says."""

from datetime import UTC, date, datetime, time
from fractions import Fraction
from pathlib import Path

import pytest

from supervisor.errors import Invalid
from supervisor.playlists.items import item_of
from supervisor.playlists.reading import read_list
from supervisor.playlists.schedule import DayTime, Schedule, Seconds, Timecode
from supervisor.schemas.listing import ListOptions

ON = date(2026, 3, 29)
LIVE = "<RouterSource><Name>STUDIO</Name><CrossPoint>LINE 4</CrossPoint></RouterSource>"
SATELLITE = (
    "<Satellite><SatelliteName>East 3</SatelliteName><Transponders><TransponderName>T7</TransponderName></Transponders>"
    "<Receiver>IRD 2</Receiver><Encoder>none</Encoder></Satellite>"
)
FILE = '<AssetServer fileTransferAllowed="true" playoutAllowed="true"><PathName>D:\\Spots</PathName></AssetServer>'
SHOW = "<ProgramEvent><SegmentNumber>1</SegmentNumber><ProgramName>Harbour</ProgramName></ProgramEvent>"
SPOT = "<NonProgramEvent><Details><AdType>Promo</AdType><SpotType>Standard</SpotType></Details></NonProgramEvent>"


def message(*events: str, body: str = 'BxfData action="add"') -> str:
    """Without zone and rate, and with a name where the schema has none: as the published use cases are."""
    return (
        '<?xml version="1.0"?>\n<BxfMessage xmlns="http://smpte-ra.org/schemas/2021/2018/BXF" '
        'messageType="Information" xmlns:pmcp="http://www.atsc.org/XMLSchemas/pmcp/2007/3.1">\n'
        f'<{body}><Schedule type="Primary" scheduleName="Two" scheduleStart="2026-03-29T18:00:00.00">\n'
        '<Channel channelNumber="2-1" status="active"><pmcp:Name lang="eng">Two</pmcp:Name></Channel>\n'
        + "\n".join(events)
        + f"\n</Schedule></{body.partition(' ')[0]}></BxfMessage>"
    )


def event(
    ident: str = "<EventId>urn:uuid:1</EventId>", *, kind: str = "Primary", primary: str = SHOW, extra: str = "",
    start: str = "20:00:00:00", length: str = "", mode: str = "Follow", ends: str = "Duration",
) -> str:  # fmt: skip
    length = length or "<Duration><SmpteDuration><SmpteTimeCode>00:00:30:00</SmpteTimeCode></SmpteDuration></Duration>"
    return (
        f'<EventData eventType="{kind}"><EventId>{ident}</EventId><PrimaryEvent>{primary}</PrimaryEvent>'
        '<StartDateTime nominalFlag="false"><SmpteDateTime broadcastDate="2026-03-29" frameRate="25">'
        f"<SmpteTimeCode>{start}</SmpteTimeCode></SmpteDateTime></StartDateTime><LengthOption>{length}</LengthOption>"
        f"<StartMode>{mode}</StartMode><EndMode>{ends}</EndMode>{extra}</EventData>"
    )


def media(location: str = FILE, som: str = "00:00:00:00", *, source: str = "") -> str:
    return (
        f"<MediaLocation{source}><Location>{location}</Location><SOM><SmpteTimeCode>{som}</SmpteTimeCode></SOM>"
        "<Duration><SmpteDuration><SmpteTimeCode>00:00:30:00</SmpteTimeCode></SmpteDuration></Duration></MediaLocation>"
    )


def content(house: str = "H1", *places: str) -> str:
    inside = "".join(f"<Media><BaseBand/>{one}</Media>" for one in places or (media(),))
    return f"<Content><ContentId><HouseNumber>{house}</HouseNumber></ContentId><Name>{house}'s</Name>{inside}</Content>"


def one(*parts: str) -> str:
    return f"<ScheduledEvent>{''.join(parts)}</ScheduledEvent>"


def read(*events: str, body: str = 'BxfData action="add"') -> Schedule:
    return read_list("bxf", message(*events, body=body).encode(), Path("/"), ListOptions())


def test_a_show_of_elements_live_and_from_files() -> None:
    elements = (
        (event(kind="Primary-ProgramHeader", mode="Fixed"), content("H1", media(LIVE))),
        (event("<EventId>urn:uuid:2</EventId>", kind="Primary-BreakHeader", primary=SPOT), content("H2")),
        (event("<EventId>urn:uuid:3</EventId>", start="20:10:00:00", mode="Fixed"), content("H3", media(SATELLITE))),
    )
    found = read(one(*(f"<ScheduleElements>{a}{b}</ScheduleElements>" for a, b in elements)))
    assert [(part.kind, part.traffic_id, part.house_id, part.source, part.start_mode) for part in found.events] == [
        ("live", "urn:uuid:1", "H1", "LINE 4", "fixed"),
        ("clip", "urn:uuid:2", "H2", None, "follow"),
        ("live", "urn:uuid:3", "H3", "IRD 2", "fixed"),
    ]
    assert [part.category for part in found.events] == ["", "Promo", ""]
    assert found.events[0].planned == DayTime(20, 0, 0, day=ON)
    assert {part.length for part in found.events} == {Timecode("00:00:30:00", None)}
    assert (found.refused, found.remarks) == ((), ())


def test_news_of_contents_is_no_event_and_says_so() -> None:
    found = read(one(content("H1")), one(content("H2")))
    assert found.events == ()
    assert [("news of a content" in line) for line in found.refused] == [True, True]


def test_an_event_is_known_by_its_bill_where_it_has_no_id() -> None:
    billed = event("<Null/><BillingReferenceCode>B-17</BillingReferenceCode>")
    both = event("<EventId>urn:uuid:2</EventId><BillingReferenceCode>B-18</BillingReferenceCode>")
    found = read(*(one(part, content()) for part in (billed, both, event("<Null/>"))))
    assert [part.traffic_id for part in found.events] == ["B-17", "urn:uuid:2", None]


def test_what_stands_by_for_an_event_does_not_air_beside_it() -> None:
    flag = '<AlternateScheduleEventFlag LinkedEventId="urn:uuid:1">{}</AlternateScheduleEventFlag>'
    stands_by = one(event(), content("H2"), flag.format("1"))
    found = read(one(event(), content()), stands_by, one(event(), content("H3"), flag.format("false")))
    assert [part.house_id for part in found.events] == ["H1", "H3"]
    assert len(found.remarks) == 1
    assert "stands in for urn:uuid:1" in found.remarks[0]


def test_the_main_one_of_several_media_airs() -> None:
    backup = media(LIVE, "00:00:09:00", source=' sourceType="Backup"')
    found = read(
        one(event(), content("H1", backup + media(som="00:00:02:00"))),
        one(event(), content("H2", backup, media(som="00:00:03:00", source=' sourceType="Primary"'))),
        one(event(), content("H3", backup)),
    )
    assert [(part.kind, part.begin) for part in found.events] == [
        ("clip", Timecode("00:00:02:00", None)), ("clip", Timecode("00:00:03:00", None)), ("live", None),
    ]  # fmt: skip


def test_a_content_may_be_one_of_several() -> None:
    inside = "<ContentMetaData><ContentId><HouseNumber>{}</HouseNumber></ContentId></ContentMetaData>"
    several = "".join(
        f"<MultiContent><ProgramContent>{inside.format(house)}</ProgramContent></MultiContent>"
        for house in ("M1", "M2")
    )
    found = read(one(f"<ScheduleElements>{event()}{several}</ScheduleElements>"))
    assert [part.house_id for part in found.events] == ["M1"]
    assert "names 2 contents" in found.remarks[0]


def test_elements_without_events_leave_the_show_itself_to_air() -> None:
    found = read(one(event(), content(), f"<ScheduleElements>{content('H9')}</ScheduleElements>"))
    assert [(part.kind, part.house_id) for part in found.events] == [("clip", "H1")]
    assert "without EventData" in found.remarks[0]


def test_how_it_ends_and_what_becomes_of_it_when_it_is_late() -> None:
    jip = "<JipFlag>true</JipFlag>"
    found = read(
        one(event(ends="Manual"), content("H1", media(LIVE))),
        one(event(ends="Manual"), content("H2")),
        one(event(mode="Fixed", extra=jip), content("H3")),
        one(event(extra=jip), content("H4")),
    )
    items = [item_of(part, None, None, "25").spec for part in found.events]
    assert items[0].airing == {"end_mode": "take"}
    assert items[0].slate_frames == 750
    assert items[1].airing is None
    assert "end mode Manual is not used" in found.remarks[0]
    fixed = found.events[2]
    assert item_of(fixed, None, datetime(2026, 3, 29, 18, tzinfo=UTC), "25").spec.airing == {"late_policy": "join"}
    assert item_of(fixed, None, None, "25").spec.airing is None, "its time is not known, so it follows"
    assert items[3].airing is None


def test_an_end_is_counted_at_the_rate_that_stands_beside_it() -> None:
    end = (
        '<EndDateTime><SmpteDateTime broadcastDate="2026-03-30"{}><SmpteTimeCode>00:00:10:05</SmpteTimeCode>'
        "</SmpteDateTime></EndDateTime>"
    )
    found = read(
        one(event(start="23:59:50:00", length=end.format(' frameRate="50"')), content()),
        one(event(start="23:59:50:00", length=end.format("")), content()),  # as its start does
    )
    assert [part.length for part in found.events] == [Seconds(20 + Fraction(5, 50)), Seconds(20 + Fraction(5, 25))]


def test_an_end_on_the_next_broadcast_date_may_be_minutes_after_a_start_before_the_days_begin() -> None:
    end = (
        '<EndDateTime><SmpteDateTime broadcastDate="2026-03-30" frameRate="25"><SmpteTimeCode>06:10:00:00'
        "</SmpteTimeCode></SmpteDateTime></EndDateTime>"
    )
    text = message(one(event(start="05:50:00:00", length=end), content())).encode()

    def length(options: ListOptions, day_start: time) -> object:
        return read_list("bxf", text, Path("/"), options, day_start).events[0].length

    assert length(ListOptions(), time(6)) == Seconds(Fraction(20 * 60))
    assert length(ListOptions(), time(5)) == Seconds(Fraction(86_400 + 20 * 60)), "both are after that day's begin"
    assert length(ListOptions(dates="calendar"), time(6)) == Seconds(Fraction(86_400 + 20 * 60))


@pytest.mark.parametrize("text", ["P0Y0M0DT0H1M30.5S", "PT1M30.5S", "PT90.500S"])
def test_a_length_as_xml_schema_writes_it(text: str) -> None:
    found = read(one(event(length=f"<Duration><UtcDuration>{text}</UtcDuration></Duration>"), content()))
    assert found.events[0].length == Seconds(Fraction(181, 2))


@pytest.mark.parametrize("text", ["P1Y", "P1M", "P0M1Y", "-PT1S"])
def test_a_length_that_depends_on_the_calendar_is_refused(text: str) -> None:
    found = read(one(event(length=f"<Duration><UtcDuration>{text}</UtcDuration></Duration>"), content()))
    assert (found.events, len(found.refused)) == ((), 1)


def test_the_answer_to_a_query_holds_a_schedule_too() -> None:
    assert len(read(one(event(), content()), body="BxfQueryResponse").events) == 1
    with pytest.raises(Invalid, match="no primary schedule"):
        read_list("bxf", b"<BxfMessage messageType='Heartbeat'/>", Path("/"), ListOptions())


def test_a_message_that_acts_on_single_events_is_no_whole_list() -> None:
    other = event("<EventId>urn:uuid:2</EventId>", extra="").replace("<EventData ", '<EventData action="update" ')
    gone = '<EventData action="remove"><EventId><EventId>urn:uuid:3</EventId></EventId></EventData>'
    follows = "</EventId><InsertAfterEventId>urn:uuid:1</InsertAfterEventId><PrimaryEvent>"
    added = event("<EventId>urn:uuid:4</EventId>").replace("</EventId><PrimaryEvent>", follows)
    found = read(one(other, content()), one(gone), one(added, content("H4")))
    assert [(part.traffic_id, part.after) for part in found.events] == [
        ("urn:uuid:2", None),
        ("urn:uuid:4", "urn:uuid:1"),
    ]
    assert [(part.line, part.traffic_id) for part in found.removed] == [("line 6", "urn:uuid:3")]
    assert (found.changes_only, found.refused) == (True, ())
    assert read(one(added, content())).changes_only
    assert not read(one(event(), content())).changes_only
    nameless = read(one('<EventData action="remove"><EventTitle>6</EventTitle></EventData>'))
    assert (nameless.removed, len(nameless.refused)) == ((), 1)


def test_a_secondary_event_that_changes_makes_no_list_of_changes() -> None:
    logo = (
        '<EventData eventType="NonPrimary" action="remove"><EventId><EventId>urn:uuid:9</EventId></EventId>'
        "<NonPrimaryEvent><NonPrimaryEventName>Logo</NonPrimaryEventName></NonPrimaryEvent></EventData>"
    )
    found = read(one(event(), content()), one(logo))
    assert (len(found.events), found.removed, found.changes_only) == (1, (), False)
