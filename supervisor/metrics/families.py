"""Every metric there is, in one table: what is exported, documented, alerted on and drawn is checked against it.

Labels are bounded: ids of rows, operation ids, and words that the program itself has. Names that people gave are in
``mcr_channel_info``, ``mcr_node_info`` and ``mcr_recorder_info`` alone, to be joined by id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["gauge", "counter", "histogram"]


@dataclass(frozen=True, slots=True)
class Family:
    """``name`` as it is exported; of a histogram without its endings. Times are in seconds, sizes in bytes."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()

    @property
    def samples(self) -> tuple[str, ...]:
        """The names that its samples have."""
        return tuple(f"{self.name}{end}" for end in _ENDINGS) if self.kind == "histogram" else (self.name,)


_ENDINGS: Final = ("_bucket", "_count", "_sum")
_CHANNEL: Final = ("channel",)
_OUTPUT: Final = ("channel", "output", "kind", "role")
_NODE: Final = ("node",)
_RECORDER: Final = ("recorder",)

_SUPERVISOR: Final = (
    Family("mcr_supervisor_info", "gauge", "Always 1: which version answers.", ("version",)),
    Family("mcr_leader", "gauge", "1 while this supervisor leads."),
    Family("mcr_term", "gauge", "The term in which it led last; 0 before the first."),
    Family("mcr_store_up", "gauge", "1 while the database answers."),
    Family("mcr_loop_lag_seconds", "gauge", "The event loop's longest hold-up of the last ten seconds."),
    Family("mcr_loop_held_up_total", "counter", "Hold-ups of the event loop of more than 50 ms."),
    Family("mcr_task_faults_total", "counter", "Tasks of the supervisor that failed and were begun anew."),
    Family("mcr_alarms_open", "gauge", "Alarms that are open, of those that this supervisor leads.", ("severity",)),
    Family("mcr_event_streams", "gauge", "Readers of GET /events."),
    Family("mcr_event_streams_opened_total", "counter", "Readers that came."),
    Family("mcr_event_streams_dropped_total", "counter", "Readers that were cut off for being slow.", ("reason",)),
    Family("mcr_events_total", "counter", "Events that were published.", ("event",)),
    Family("mcr_api_request_seconds", "histogram", "How long answers took, to their first byte.", ("operation",)),
    Family("mcr_api_requests_total", "counter", "Calls that were answered.", ("operation", "status")),
    Family("mcr_webhook_waiting", "gauge", "What a receiver was not told of yet.", ("webhook",)),
    Family("mcr_webhook_dead", "gauge", "What was given up, and waits for a person.", ("webhook",)),
    Family("mcr_webhook_calls_total", "counter", "Calls of receivers: taken, refused.", ("outcome",)),
    Family("mcr_interruption_seconds", "histogram", "Until a channel was seen on air again, each time it was not."),
    Family("mcr_failover_seconds", "histogram", "The same for those that came back on another node."),
)
_CHANNELS: Final = (
    Family("mcr_channel_info", "gauge", "Always 1: number and name of a channel.", ("channel", "number", "name")),
    Family("mcr_channel_desired", "gauge", "1 while people want it on air.", _CHANNEL),
    Family("mcr_channel_on_air", "gauge", "1 while it is seen on air.", _CHANNEL),
    Family("mcr_channel_phase", "gauge", "1 for the phase that the supervisor is in with it.", ("channel", "phase")),
    Family("mcr_channel_observed", "gauge", "1 for what is observed of it.", ("channel", "observed")),
    Family("mcr_channel_picture", "gauge", "1 for what the picture is.", ("channel", "picture")),
    Family("mcr_channel_epoch", "gauge", "Grows with every decision to place it.", _CHANNEL),
    Family("mcr_channel_node", "gauge", "1 for the node it is placed on.", ("channel", "node")),
    Family("mcr_off_air_seconds", "gauge", "For how long it should be on air and is not; 0: it is.", _CHANNEL),
    Family("mcr_heartbeat_age_seconds", "gauge", "Since the last answer of its sidecar.", _CHANNEL),
    Family("mcr_heartbeat_round_trip_seconds", "gauge", "How long the last answer took.", _CHANNEL),
    Family("mcr_heartbeats_missed_total", "counter", "Polls that its sidecar did not answer well.", _CHANNEL),
    Family("mcr_frames_total", "counter", "Frames that left since its sidecar entered the air.", _CHANNEL),
    Family("mcr_frames_late_total", "counter", "Frames that were not there: the last picture was repeated.", _CHANNEL),
    Family("mcr_frames_skipped_total", "counter", "Frame times passed over after a stall of the process.", _CHANNEL),
    Family("mcr_programme_fault_seconds", "gauge", "For how long it is black, still or silent.", ("channel", "fault")),
    Family("mcr_output_up", "gauge", "1 while the output moves.", _OUTPUT),
    Family("mcr_output_state", "gauge", "1 for the state of the output.", (*_OUTPUT, "state")),
    Family("mcr_output_bytes_total", "counter", "Bytes sent.", _OUTPUT),
    Family("mcr_output_frames_dropped_total", "counter", "Frames that it could not take in time.", _OUTPUT),
    Family("mcr_output_delay_seconds", "gauge", "From the playout clock until a frame was handed on.", _OUTPUT),
    Family("mcr_journal_lag_records", "gauge", "As-run records at the sidecar that are not collected.", _CHANNEL),
    Family("mcr_journal_degraded", "gauge", "1 while as-run records are only in its memory.", _CHANNEL),
    Family("mcr_sidecar_restarts_total", "counter", "Ends of its sidecar while it was wanted.", _CHANNEL),
    Family("mcr_failovers_total", "counter", "Times that it went to another node.", _CHANNEL),
)
_NODES: Final = (
    Family("mcr_node_info", "gauge", "Always 1: the name of a node.", ("node", "name")),
    Family("mcr_node_up", "gauge", "1 while its agent answers.", _NODE),
    Family("mcr_node_answer_age_seconds", "gauge", "Since its agent last had something new.", _NODE),
    Family("mcr_node_clock_offset_seconds", "gauge", "By how much its clock is ahead of ours.", _NODE),
    Family("mcr_node_load", "gauge", "One-minute load over its number of processors.", _NODE),
    Family("mcr_node_sidecars", "gauge", "Sidecars that run there.", _NODE),
    Family("mcr_node_capacity", "gauge", "Sidecars that it may have.", _NODE),
    Family("mcr_node_engine_up", "gauge", "1 while its container engine answers, or it has none.", _NODE),
)
_RECORDERS: Final = (
    Family("mcr_recorder_info", "gauge", "Always 1: the name of a recorder.", ("recorder", "name")),
    Family("mcr_recorder_desired", "gauge", "1 while it is to record.", _RECORDER),
    Family("mcr_recorder_recording", "gauge", "1 while it is seen recording.", _RECORDER),
    Family("mcr_recorder_heartbeat_age_seconds", "gauge", "Since the last answer of its sidecar.", _RECORDER),
    Family("mcr_recorder_lost_frames", "gauge", "Frames missing from what it records now.", _RECORDER),
    Family("mcr_recorder_free_bytes", "gauge", "Room on the disk that it records to.", _RECORDER),
    Family("mcr_recorder_restarts_total", "counter", "Ends of its sidecar while it was wanted.", _RECORDER),
)
PROCESS: Final = (
    Family("process_cpu_seconds_total", "counter", "CPU time of the supervisor."),
    Family("process_resident_memory_bytes", "gauge", "Memory of the supervisor."),
    Family("process_virtual_memory_bytes", "gauge", "Address space of the supervisor."),
    Family("process_start_time_seconds", "gauge", "When it began, since 1970."),
    Family("process_open_fds", "gauge", "Descriptors that it has open."),
    Family("process_max_fds", "gauge", "Descriptors that it may have open."),
)
"""By the client library's own names and means."""

FAMILIES: Final[Mapping[str, Family]] = {
    family.name: family for group in (_SUPERVISOR, _CHANNELS, _NODES, _RECORDERS, PROCESS) for family in group
}
