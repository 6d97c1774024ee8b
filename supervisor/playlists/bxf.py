"""A schedule from BXF (SMPTE ST 2021): the ``Schedule`` of a ``BxfMessage``. Pure.

Names, places and words are those of the schema that SMPTE publishes as st2021-4 (schedule.xsd, scheduledevent.xsd,
eventdata.xsd). All its versions are read: names count, the namespace does not.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import time
from pathlib import Path
from typing import Final

from supervisor.assets.names import title_of
from supervisor.errors import Invalid
from supervisor.playlists import wording
from supervisor.playlists.broadcast_day import DAY_START
from supervisor.playlists.bxf_content import contents, house_id, live_source, place
from supervisor.playlists.bxf_times import label_of, length_of, start_of
from supervisor.playlists.schedule import Collecting, Planned, Removed, Schedule, ScheduledEvent, StartMode
from supervisor.playlists.tables import LONGEST_HOUSE_ID, LONGEST_TRAFFIC_ID
from supervisor.playlists.xmltext import Element, parse
from supervisor.schemas.listing import ListOptions

_HEADERS: Final = frozenset({"Primary-ProgramHeader", "Primary-BreakHeader", "Comment"})
_START_MODES: Final[dict[str, StartMode]] = {"Follow": "follow", "Fixed": "fixed", "Manual": "hold", "External": "hold"}
_OF_ONE_EVENT: Final = frozenset({"update", "remove"})
"""Actions that say that the list is not whole: it changes single events of one that is there."""
_TRUE: Final = frozenset({"true", "1"})


def of_bxf(data: bytes, folder: Path, options: ListOptions, day_start: time = DAY_START) -> Schedule:
    """Every primary event of the message's schedule. Raises Invalid when the message holds no schedule, or several."""
    del folder
    root = parse(data)
    if root.name != "BxfMessage":
        raise Invalid(f"this is not BXF: its root is {root.name[:40]!r} and not BxfMessage")
    bodies = tuple(_bodies(root))
    schedules = [schedule for body in bodies for schedule in body.all("Schedule")]
    primary = [schedule for schedule in schedules if schedule.attributes.get("type", "Primary") == "Primary"]
    channels = sorted({_channel(schedule) for schedule in primary})
    if not primary:
        raise Invalid(
            "this BXF message holds no primary schedule", hint="Only schedules are read, nothing else of BXF."
        )
    if len(channels) > 1:
        raise Invalid(
            f"this BXF message holds schedules of {len(channels)} channels: {', '.join(channels)[:200]}",
            hint="Send one message a channel.",
        )
    if any(part.attributes.get("action") == "remove" for part in (*bodies, *primary)):
        raise Invalid("this BXF message asks to remove a schedule; a list is replaced by sending the one that holds")
    found = Collecting()
    found.remarks += [
        f"line {schedule.line}: a schedule of type {schedule.attributes.get('type', '')[:40]!r} is not used"
        for schedule in schedules
        if schedule not in primary
    ]
    for schedule in primary:
        for event in schedule.all("AsRun"):
            found.refused.append(f"line {event.line}: an as-run record, not a scheduled event")
        for scheduled in schedule.all("ScheduledEvent"):
            _read(scheduled, options, day_start, found)
    return replace(found.schedule(), ends=_end(primary[0]) if len(primary) == 1 else None)


@dataclass(frozen=True, slots=True)
class _Part:
    """One event: what is said of its airing, and what of its contents."""

    event: Element
    contents: tuple[Element, ...]
    has_elements: bool


def _bodies(root: Element) -> Iterator[Element]:
    """What holds the schedules: the data that was sent, or the answer to a query, which holds the same."""
    for name in ("BxfData", "BxfQueryResponse"):
        for body in root.all(name):
            yield body
            yield from body.all("BxfData")


def _read(scheduled: Element, options: ListOptions, day_start: time, found: Collecting) -> None:
    parts = tuple(_parts(scheduled))
    if not parts:
        found.refused.append(f"line {scheduled.line}: it has no EventData: news of a content, not an event")
        return
    found.remarks += [
        f"line {element.line}: an element of a show without EventData, which is not used"
        for element in scheduled.all("ScheduleElements")
        if element.find("EventData") is None
    ]
    stands_in = _stands_in_for(scheduled)
    for part in parts:
        line = f"line {part.event.line}"
        if secondary := stands_in or _secondary(part.event):
            found.remarks.append(f"{line}: {secondary}, which is not used")
            continue
        actions = {scheduled.attributes.get("action"), part.event.attributes.get("action")}
        if not actions.isdisjoint(_OF_ONE_EVENT) or part.event.find("InsertAfterEventId") is not None:
            found.changes_only = True
        if "remove" in actions:
            _remove(line, part.event, found)
            continue
        try:
            found.events.append(_event(line, part, options, day_start, found.remarks))
        except (ValueError, Invalid) as error:
            found.refused.append(f"{line}: {error}")


def _remove(line: str, event: Element, found: Collecting) -> None:
    traffic_id = _traffic_id(event)
    if not traffic_id:
        found.refused.append(f"{line}: an event that is to be removed, without the id that it is known by")
    else:
        found.removed.append(Removed(line, traffic_id))


def _parts(scheduled: Element) -> Iterator[_Part]:
    """Its own event, and each of its elements. Beside elements its own is the heading of them all."""
    elements = [
        _Part(event, contents(element), has_elements=False)
        for element in scheduled.all("ScheduleElements")
        if (event := element.find("EventData")) is not None
    ]
    own = scheduled.find("EventData")
    if own is not None:
        yield _Part(own, contents(scheduled), bool(elements))
    yield from elements


def _stands_in_for(scheduled: Element) -> str:
    """What it is if it only stands by for an event whose content may be missing, empty else."""
    flag = scheduled.find("AlternateScheduleEventFlag")
    if flag is None or flag.text.lower() not in _TRUE:
        return ""
    return f"an event that stands in for {flag.attributes.get('LinkedEventId', 'another')[:60]}"


def _secondary(event: Element) -> str:
    """What it is if it is not a primary event, empty else."""
    kind = event.attributes.get("eventType", "")
    if kind == "Macro" or event.find("MacroEvent") is not None:
        return "a macro"
    if kind == "NonPrimary" or event.find("NonPrimaryEvent") is not None:
        name = event.text_at("NonPrimaryEvent/NonPrimaryEventName") or event.text_at("EventTitle")
        return f"a secondary event ({title_of(name)[:40]})" if name else "a secondary event"
    return ""


def _event(line: str, part: _Part, options: ListOptions, day_start: time, remarks: list[str]) -> ScheduledEvent:
    """Raises ValueError, Invalid."""
    event, content = part.event, part.contents[0] if part.contents else None
    title = title_of(_title(event, content)) or None
    planned, length = start_of(event), length_of(event, options, day_start)
    is_header = part.has_elements or (content is None and event.attributes.get("eventType") in _HEADERS)
    made = ScheduledEvent(
        line=line,
        kind="comment" if is_header else "clip",
        traffic_id=wording.identifier(_traffic_id(event), LONGEST_TRAFFIC_ID, "event id"),
        title=title,
        planned=planned,
        after=event.text_at("InsertAfterEventId") or None,
    )
    if is_header:
        return made if title else replace(made, title="header")
    mode = event.text_at("StartMode") or "Follow"
    if mode not in _START_MODES:
        raise ValueError(f"its start mode {mode[:40]!r} is none of BXF's")
    media = place(content)
    source = live_source(media)
    made = replace(
        made,
        kind="clip" if source is None else "live",
        source=source or None,
        house_id=wording.identifier(house_id(content), LONGEST_HOUSE_ID, "house number"),
        start_mode=_START_MODES[mode],
        length=length,
        expendable=event.text_at("Expendable").lower() in _TRUE,
        joins_late=event.text_at("JipFlag").lower() in _TRUE,
        ends_by_take=source is not None and _ends_by_hand(event),
    )
    category, remark = wording.category(_category(event))
    made = replace(made, category=category)
    som = None if media is None or source is not None else media.find("SOM")
    if som is not None:
        made = replace(made, begin=label_of(som, options))
    if source is None and made.house_id is None:
        raise ValueError("it names no clip: its content has no house number")
    remarks += [f"{line}: {one}" for one in (remark, *_left_out(part, made)) if one]
    return made


def _traffic_id(event: Element) -> str:
    """The event's id, else the code that its bill is found by: an event without an id of its own is known by that."""
    return event.text_at("EventId/EventId") or event.text_at("EventId/BillingReferenceCode")


def _category(event: Element) -> str:
    """Of what is no programme its sort, in the schema's words (General, Promo, PSA…), or the sender's own."""
    details = event.find("PrimaryEvent/NonProgramEvent/Details")
    return "" if details is None else details.text_at("AdType") or details.text_at("SpotType")


def _ends_by_hand(event: Element) -> bool:
    return event.text_at("EndMode") in {"Manual", "External"}


def _left_out(part: _Part, made: ScheduledEvent) -> Iterator[str]:
    """What of the event is not used, for people."""
    if part.event.text_at("StartMode") == "External":
        yield "started from outside, in the list's words; it waits for a take"
    if _ends_by_hand(part.event) and not made.ends_by_take:
        yield f"its end mode {part.event.text_at('EndMode')} is not used: a clip ends with its length"
    if len(part.contents) > 1:
        yield f"it names {len(part.contents)} contents, of which the first airs"
    if alternatives := sum(1 for _ in part.event.all("AlternateEvent")):
        yield f"its alternatives ({alternatives}) are not used"


def _title(event: Element, content: Element | None) -> str:
    program = event.text_at("PrimaryEvent/ProgramEvent/ProgramName")
    return event.text_at("EventTitle") or ("" if content is None else content.text_at("Name")) or program


def _end(schedule: Element) -> Planned | None:
    """Up to when it holds; None where it does not say so, or not in a way that can be meant."""
    said = {name.casefold(): value for name, value in schedule.attributes.items()}.get("scheduleend")
    try:
        return wording.planned(said) if said else None
    except ValueError:
        return None


def _channel(schedule: Element) -> str:
    channel = schedule.find("Channel")
    if channel is None:
        return ""
    names = {name.casefold(): value for name, value in channel.attributes.items()}
    return names.get("shortname") or names.get("channelnumber", "")
