"""What a row says of itself before anybody is asked: the first links of the chain behind it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mcr_console.condition import condition
from mcr_console.drawing.rundown_line import short_length
from mcr_console.wall_state import ChannelState
from supervisor.schemas.alarm import Alarm
from supervisor.schemas.asrun import AsRunEvent
from supervisor.schemas.channel import RundownRow
from supervisor.schemas.node import Node
from supervisor.schemas.recorder import Recorder

_STARTS: Final = {"hold": "it waits for a take", "fixed": "it has a fixed start", "follow": "it follows what is above"}


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be explained. ``at``: about when it happened; None: now."""

    title: str
    facts: tuple[str, ...] = ()
    channel_id: str | None = None
    node_id: str | None = None
    recorder_id: str | None = None
    at: datetime | None = None


def of_channel(state: ChannelState) -> Subject:
    verdict = condition(state)
    words = " ".join((verdict.word, *verdict.warnings))
    facts = [f"{words}: {verdict.why}" if verdict.why else words]
    live = state.live
    if live.item is not None:
        facts.append(f"It shows {live.item.title} since {live.item.started_at:%H:%M:%S} UTC.")
    if live.frames_late or live.frames_skipped:
        facts.append(f"{live.frames_late} frames were late and {live.frames_skipped} skipped in this run.")
    return Subject(f"{state.channel.number} {state.channel.name}", tuple(facts), channel_id=state.channel.id)


def of_row(state: ChannelState, row: RundownRow) -> Subject:
    """Why a row of the rundown starts when it does."""
    rate = state.channel.format.rate
    facts = [f"It is {row.state.replace('_', ' ')}; {_STARTS.get(row.start_mode, row.start_mode)}."]
    if row.start_at is None:
        facts.append("Nobody can tell when it starts: what is above waits for a take, or it does not air.")
    elif row.planned_at is not None:
        late = round((row.start_at - row.planned_at).total_seconds())
        if abs(late) >= 1:
            way = "later" if late > 0 else "earlier"
            facts.append(f"It was planned at {row.planned_at:%H:%M:%S} UTC and comes {abs(late)} s {way}.")
        else:
            facts.append(f"It comes when it was planned, at {row.planned_at:%H:%M:%S} UTC.")
    if row.over_under_frames:
        way = "too long" if row.over_under_frames > 0 else "too short"
        facts.append(f"What stands before its fixed start is {short_length(row.over_under_frames, rate)} {way}.")
    if row.overlap_frames:
        way = "plans it over what is above by" if row.overlap_frames > 0 else "plans nothing before it for"
        facts.append(f"The list itself {way} {short_length(row.overlap_frames, rate)}.")
    if row.cut_frames:
        facts.append(f"A fixed start will cut {short_length(row.cut_frames, rate)} of it.")
    if row.gap_frames:
        facts.append(f"Filler airs for {short_length(row.gap_frames, rate)} before it.")
    if row.note:
        facts.append(row.note)
    return Subject(f"{state.channel.number} {state.channel.name}: {row.title}", tuple(facts), state.channel.id)


def of_event(event: AsRunEvent, name: str) -> Subject:
    """Why something aired as it did."""
    by = f" by {event.by}" if event.by else ""
    facts = [
        f"It began by {event.start_cause}{by} at {event.start_at:%H:%M:%S} UTC, epoch {event.epoch}: {event.status}."
    ]
    if event.planned_frames is not None and event.frames is not None and event.planned_frames != event.frames:
        facts.append(f"{event.frames} frames of {event.planned_frames} aired.")
    if event.end_cause:
        facts.append(f"It ended by {event.end_cause}.")
    if event.late:
        facts.append(f"{event.late} frames were late.")
    if event.detail:
        facts.append(event.detail)
    return Subject(f"{name}: {event.title or event.kind}", tuple(facts), event.channel_id, at=event.start_at)


def of_alarm(alarm: Alarm, who: str) -> Subject:
    facts = [alarm.text]
    if alarm.instruction:
        facts.append(f"The station says: {alarm.instruction}")
    return Subject(
        f"{who}: {alarm.code}", tuple(facts), alarm.channel_id, alarm.node_id, alarm.recorder_id, alarm.raised_at
    )


def of_node(node: Node) -> Subject:
    facts = [f"It {'answers' if node.state == 'answers' else f'is {node.state}: {node.fault}'}."]
    if node.draining or node.maintenance:
        facts.append("It is in maintenance." if node.maintenance else "It drains.")
    return Subject(f"node {node.name}", tuple(facts), node_id=node.id)


def of_recorder(recorder: Recorder) -> Subject:
    live = recorder.live
    facts = [f"It is wanted {recorder.desired} by a {recorder.wanted_by}.", live.decision, live.detail]
    return Subject(f"recorder {recorder.name}", tuple(fact for fact in facts if fact), recorder_id=recorder.id)
