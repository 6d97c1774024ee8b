"""BXF (SMPTE ST 2021): a ``BxfMessage`` with a ``Schedule`` of ``BasicAsRun`` elements.

Names, places and order are those of the schema that SMPTE publishes as st2021-4 (bxfschema.xsd, schedule.xsd,
asrun.xsd, bxftypes.xsd, eventdata.xsd, bxfcontentid.xsd, contentmetadata.xsd), written from its description. Filler is
no event of BXF's; what did not air is, with a length of nothing. An event that a failover broke is an element for each
segment, all with the traffic system's one id. What BXF's labels cannot count (a day and more, over 60 frames a second)
is told in seconds.
"""

import re
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from db.models import AsRunEvent as Stored
from sidecar.rundown.rate import parse_rate
from supervisor.asrun.delays import in_words
from supervisor.asrun.export.interface import NotesOf, said
from supervisor.asrun.spans import Span
from supervisor.playlists.broadcast_day import begins
from supervisor.schemas.asrun import AsRunEvent
from supervisor.schemas.timecode import format_timecode, nominal_rate, time_of_day

NAMESPACE: Final = "http://smpte-ra.org/schemas/2021/2017/BXF"
OWN: Final = "urn:mcr-console:as-run"
"""Of what BXF has no place for: under ``PrivateInformation``."""
_URN: Final = re.compile(r"urn:uuid:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SHORT_NAME: Final = 7
"""Characters that a short name has in ATSC's tables (A/65), from which BXF takes its channel."""
_MOST_FRAMES: Final = 60
"""Frames of a second that BXF's labels count."""
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DAY_HOURS: Final = 24


class BxfWriter:
    counts_span = False

    def __init__(self, span: Span, now: datetime, notes: NotesOf) -> None:
        self._span, self._now, self._notes = span, now, notes
        rate = parse_rate(span.rate)
        self._rate = _decimal(rate)
        self._started: dict[date, str] = {}

    def begin(self) -> str:
        span = self._span
        # The same span is the same schedule, however often it is issued; a message is one issue.
        schedule = uuid.uuid5(uuid.NAMESPACE_URL, f"{OWN}:{span.channel_id}:{span.called}")
        message = uuid.uuid5(schedule, self._now.isoformat())
        name = _attribute((span.name or span.channel_id)[:_SHORT_NAME].strip())
        number = "" if span.number is None else f" channelNumber={quoteattr(str(span.number))}"
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<BxfMessage xmlns="{NAMESPACE}" xmlns:mcr="{OWN}" id="urn:uuid:{message}" '
            f'dateTime="{_utc(self._now)}" messageType="Information" origin="MCR Console" originType="Automation" '
            'userName="MCR Console">\n'
            '<BxfData action="add">\n'
            f'<Schedule type="Primary" scheduleId="urn:uuid:{schedule}" scheduleStart="{_utc(span.start)}" '
            f'scheduleEnd="{_utc(span.end)}">\n'
            f"<Channel{number} shortName={name}/>\n"
            f"<ScheduleName>{_text(span.name or span.channel_id)}</ScheduleName>\n"
        )

    def event(self, stored: Stored, event: AsRunEvent) -> str:
        del stored
        if event.kind == "filler" and event.start_cause != "standby":
            return ""
        statuses = event.statuses or ("Unknown",)
        parts = [
            "<AsRun><BasicAsRun>",
            self._event_id(event),
            self._content(event),
            "<AsRunDetail>",
            *(f"<Status>{status}</Status>" for status in statuses),
            "<Type>Primary</Type>",
            f"<StartDateTime>{self._instant(event.start_at)}</StartDateTime>",
            f"<Duration>{self._length(event.frames or 0, event.rate)}</Duration>",
            self._event_notes(event),
            self._private(event),
            "</AsRunDetail>",
            "</BasicAsRun></AsRun>\n",
        ]
        return "".join(parts)

    def end(self) -> str:
        own = f"<PrivateInformation><mcr:channel>{self._span.channel_id}</mcr:channel></PrivateInformation>"
        return f"{own}\n</Schedule>\n</BxfData>\n</BxfMessage>\n"

    @staticmethod
    def _event_id(event: AsRunEvent) -> str:
        """Traffic's own to the letter where it is a UUID, as BXF wants it; any other goes where the event's bill is
        found by."""
        given = (event.traffic_id or "").strip()
        if not given:
            return "<AsRunEventId><Null/></AsRunEventId>"
        urn = given if given.startswith("urn:uuid:") else f"urn:uuid:{given}"
        if _URN.fullmatch(urn):
            return f"<AsRunEventId><EventId>{urn}</EventId></AsRunEventId>"
        return f"<AsRunEventId><Null/><BillingReferenceCode>{_text(given[:255])}</BillingReferenceCode></AsRunEventId>"

    @staticmethod
    def _content(event: AsRunEvent) -> str:
        if event.house_id:
            identity = f"<HouseNumber>{_text(event.house_id)}</HouseNumber>"
        else:
            identity = (
                f'<AlternateId idType="MCR">{_text(event.asset_id or event.item_id or event.title)}</AlternateId>'
            )
        return f"<Content><ContentId>{identity}</ContentId><Name>{_text(event.title)}</Name></Content>"

    def _instant(self, at: datetime) -> str:
        """By the channel's clock, and with it the day's start in UTC: who reads it need not know the channel's zone."""
        span = self._span
        if nominal_rate(span.rate) > _MOST_FRAMES:
            return f"<UtcDateTime>{_utc(at)}</UtcDateTime>"
        day = span.broadcast_date(at)
        started = self._started.get(day)
        if started is None:
            started = self._started[day] = f"{begins(day, span.day_start, span.zone):%Y-%m-%dT%H:%M:%SZ}"
        local = at.astimezone(span.zone)
        return (
            f'<SmpteDateTime broadcastDate="{day:%Y-%m-%d}" utcStartofBroadcastDay="{started}" '
            f'frameRate="{self._rate}">'
            f"<SmpteTimeCode>{time_of_day(local, span.rate)}</SmpteTimeCode></SmpteDateTime>"
        )

    def _length(self, frames: int, rate: str) -> str:
        """As a timecode; what is longer than timecode counts is a duration in seconds."""
        label = format_timecode(frames, rate)
        if int(label.split(":", 1)[0]) >= _DAY_HOURS or nominal_rate(rate) > _MOST_FRAMES:
            seconds = Fraction(frames) / parse_rate(rate)
            return f"<UtcDuration>PT{_decimal(seconds)}S</UtcDuration>"
        return (
            f'<SmpteDuration frameRate="{_decimal(parse_rate(rate))}" framecount="{frames}">'
            f"<SmpteTimeCode>{label}</SmpteTimeCode></SmpteDuration>"
        )

    def _event_notes(self, event: AsRunEvent) -> str:
        notes = [said(note) for note in self._notes.get((event.run_id, event.seq), ())]
        if event.detail:
            notes.insert(0, event.detail)
        if not notes:
            return ""
        return "<EventNotes>" + "".join(f"<EventNote>{_text(note)}</EventNote>" for note in notes) + "</EventNotes>"

    def _private(self, event: AsRunEvent) -> str:
        values: dict[str, object] = {
            "run": event.run_id,
            "epoch": event.epoch,
            "sequence": event.seq,
            "item": event.item_id,
            "startUtc": _utc(event.start_at),
            "endUtc": _utc(event.end_at) if event.end_at else None,
            "startCause": event.start_cause,
            "startBy": event.by or None,
            "endCause": event.end_cause,
            "startProof": event.start_proof,
            "endProof": event.end_proof,
            "plannedUtc": _utc(event.planned_at) if event.planned_at else None,
            "plannedEndUtc": _utc(event.planned_end_at) if event.planned_end_at else None,
            "predictedUtc": _utc(event.predicted_at) if event.predicted_at else None,
            "predictedEndUtc": _utc(event.predicted_end_at) if event.predicted_end_at else None,
            "frames": event.frames,
            "plannedFrames": event.planned_frames,
            "lateFrames": event.late,
            "source": event.source,
            "fingerprint": event.fingerprint,
            "sourceIn": event.source_in,
            "sourceOut": event.source_out,
            "sourceRate": event.source_rate,
            "trafficId": event.traffic_id,
            "continuesRun": event.continues.run_id if event.continues else None,
            "continuesSequence": event.continues.seq if event.continues else None,
            "lostFrames": event.lost_frames,
            "outputDelays": in_words(self._span.delays) or None,
        }
        inside = "".join(
            f"<mcr:{name}>{_text(str(value))}</mcr:{name}>" for name, value in values.items() if value is not None
        )
        return f"<PrivateInformation>{inside}</PrivateInformation>"


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))


def _attribute(text: str) -> str:
    return quoteattr(_NOT_XML.sub("\ufffd", text))


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _decimal(value: Fraction) -> str:
    """``25``, ``29.97``: as many digits as people write."""
    if value.denominator == 1:
        return str(value.numerator)
    return f"{(Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal('0.001')).normalize():f}"
