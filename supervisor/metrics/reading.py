"""Takes every figure at one moment, from what is in memory: a scrape asks no sidecar, no node and no database."""

from typing import Final

from sidecar.protocol.status import OutputStatus, Status
from supervisor.events import Events
from supervisor.lag import LoopLag
from supervisor.live import Sight
from supervisor.loops.supervision import Supervision
from supervisor.metrics.exposition import Reading
from supervisor.tally import Tally
from supervisor.version import program_version

_SEVERITIES: Final = ("critical", "warning", "info")
_ON_AIR: Final = frozenset({"on_air", "late", "hung"})
"""What ``observed`` says of a channel whose output moves."""
_MIB: Final = 1024 * 1024


def read(supervision: Supervision, events: Events, lag: LoopLag) -> Reading:
    """A follower tells what it sees itself of channels and nodes; alarms and journals are the leader's."""
    reading = Reading()
    _of_supervisor(reading, supervision, events, lag)
    _of_channels(reading, supervision)
    _of_nodes(reading, supervision)
    _of_recorders(reading, supervision)
    return reading


def _of_supervisor(reading: Reading, supervision: Supervision, events: Events, lag: LoopLag) -> None:
    standing = supervision.standing()
    reading.add("mcr_supervisor_info", 1, program_version())
    reading.add("mcr_leader", standing.leader)
    reading.add("mcr_term", standing.term)
    reading.add("mcr_store_up", not supervision.store_fault)
    reading.add("mcr_loop_lag_seconds", lag.worst_ms / 1000)
    reading.add("mcr_loop_held_up_total", lag.held_up)
    if standing.leader or supervision.store_fault:
        counts = supervision.alarms.by_severity()
        for severity in _SEVERITIES:
            reading.add("mcr_alarms_open", counts.get(severity, 0), severity)
    reading.add("mcr_event_streams", events.readers)
    reading.add("mcr_event_streams_opened_total", events.opened)
    for reason, count in events.ended.items():
        reading.add("mcr_event_streams_dropped_total", count, reason)
    for name, count in events.published.items():
        reading.add("mcr_events_total", count, name)
    _of_tally(reading, supervision.tally)


def _of_tally(reading: Reading, tally: Tally) -> None:
    reading.add("mcr_task_faults_total", tally.task_faults)
    for operation, spread in tally.answer_s.items():
        reading.add_spread("mcr_api_request_seconds", spread, operation)
    for (operation, status), count in tally.answers.items():
        reading.add("mcr_api_requests_total", count, operation, str(status))
    for webhook_id, (waiting, dead) in tally.webhooks.items():
        reading.add("mcr_webhook_waiting", waiting, webhook_id)
        reading.add("mcr_webhook_dead", dead, webhook_id)
    for outcome, count in tally.webhook_calls.items():
        reading.add("mcr_webhook_calls_total", count, outcome)
    reading.add_spread("mcr_interruption_seconds", tally.interruption_s)
    reading.add_spread("mcr_failover_seconds", tally.failover_s)


def _of_channels(reading: Reading, supervision: Supervision) -> None:
    tally, now = supervision.tally, supervision.now()
    for row in supervision.rows():
        reading.add("mcr_channel_info", 1, row.id, str(row.number), row.name)
        reading.add("mcr_sidecar_restarts_total", tally.restarts[row.id], row.id)
        reading.add("mcr_failovers_total", tally.failovers[row.id], row.id)
    for sight, age in supervision.live.sights():
        id_ = sight.channel_id
        reading.add("mcr_channel_desired", sight.desired == "on", id_)
        reading.add("mcr_channel_on_air", sight.observed in _ON_AIR, id_)
        reading.add("mcr_channel_phase", 1, id_, sight.phase)
        if sight.observed is not None:
            reading.add("mcr_channel_observed", 1, id_, sight.observed)
        reading.add("mcr_channel_epoch", sight.epoch, id_)
        if sight.node_id is not None:
            reading.add("mcr_channel_node", 1, id_, sight.node_id)
        since = sight.off_air_since
        reading.add("mcr_off_air_seconds", 0 if since is None else max(0.0, (now - since).total_seconds()), id_)
        _of_heartbeat(reading, sight, age)
        if sight.status is not None:
            _of_status(reading, id_, sight.status)
    for id_, records in supervision.journal_lag().items():
        reading.add("mcr_journal_lag_records", records, id_)
    for id_, count in supervision.missed().items():
        reading.add("mcr_heartbeats_missed_total", count, id_)


def _of_heartbeat(reading: Reading, sight: Sight, age: float | None) -> None:
    reading.add("mcr_heartbeat_age_seconds", age, sight.channel_id)
    last = sight.beats_ms[-1] if sight.beats_ms else -1
    if last >= 0:
        reading.add("mcr_heartbeat_round_trip_seconds", last / 1000, sight.channel_id)


def _of_status(reading: Reading, id_: str, status: Status) -> None:
    reading.add("mcr_channel_picture", 1, id_, status.picture)
    reading.add("mcr_frames_total", status.frame, id_)
    reading.add("mcr_frames_late_total", status.frames_late, id_)
    reading.add("mcr_frames_skipped_total", status.frames_skipped, id_)
    faults = status.faults
    for fault, lasts_ms in (("black", faults.black_ms), ("freeze", faults.freeze_ms), ("silence", faults.silence_ms)):
        reading.add("mcr_programme_fault_seconds", lasts_ms / 1000, id_, fault)
    for output in status.outputs:
        _of_output(reading, id_, output)
    reading.add("mcr_journal_degraded", status.journal.degraded is not None, id_)


def _of_output(reading: Reading, id_: str, output: OutputStatus) -> None:
    labels = (id_, output.id, output.kind, output.role)
    reading.add("mcr_output_up", output.state == "up", *labels)
    reading.add("mcr_output_state", 1, *labels, output.state)
    reading.add("mcr_output_bytes_total", output.bytes_sent, *labels)
    reading.add("mcr_output_frames_dropped_total", output.frames_dropped, *labels)
    reading.add("mcr_output_delay_seconds", None if output.delay_ms is None else output.delay_ms / 1000, *labels)


def _of_nodes(reading: Reading, supervision: Supervision) -> None:
    for row, watch in supervision.nodes():
        reading.add("mcr_node_info", 1, row.id, row.name)
        reading.add("mcr_node_capacity", row.capacity, row.id)
        if watch is None:
            continue
        reading.add("mcr_node_up", watch.state == "answers" and not watch.foreign, row.id)
        reading.add("mcr_node_answer_age_seconds", watch.answer_age(), row.id)
        reading.add("mcr_node_clock_offset_seconds", watch.offset_s, row.id)
        reading.add("mcr_node_sidecars", len(watch.running()), row.id)
        if watch.condition is not None:
            reading.add("mcr_node_load", watch.condition.load, row.id)
            reading.add("mcr_node_engine_up", not watch.condition.engine_fault, row.id)


def _of_recorders(reading: Reading, supervision: Supervision) -> None:
    for row in supervision.recorder_rows():
        live = supervision.recorders_live.get(row.id)
        reading.add("mcr_recorder_info", 1, row.id, row.name)
        reading.add("mcr_recorder_desired", live.desired == "on", row.id)
        reading.add("mcr_recorder_recording", live.observed == "recording", row.id)
        age = live.heartbeat_age_ms
        reading.add("mcr_recorder_heartbeat_age_seconds", None if age is None else age / 1000, row.id)
        reading.add("mcr_recorder_lost_frames", live.lost_frames, row.id)
        reading.add("mcr_recorder_free_bytes", None if live.free_mb is None else live.free_mb * _MIB, row.id)
        reading.add("mcr_recorder_restarts_total", supervision.tally.restarts[row.id], row.id)
