"""``GET /metrics``: Prometheus text exposition format 0.0.4."""

from collections.abc import Iterable, Mapping

from sidecar.protocol.status import OutputStatus, Status

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(status: Status) -> str:
    channel = {"channel": status.channel_id}
    journal = status.journal
    lines = [
        *_family("mcr_on_air", "gauge", "1 while the channel is on air.", [(channel, status.state == "on_air")]),
        *_family("mcr_frames_total", "counter", "Frames that left since arming.", [(channel, status.frame)]),
        *_family(
            "mcr_frames_late_total",
            "counter",
            "Frames late.",
            [(channel, status.frames_late)],
        ),
        *_family("mcr_frames_skipped_total", "counter", "Frame times passed over.", [(channel, status.frames_skipped)]),
        *_family(
            "mcr_picture", "gauge", "1 for what the picture is.", [({**channel, "picture": status.picture}, True)]
        ),
        *_family("mcr_journal_last_seq", "gauge", "Highest as-run number on disk.", [(channel, journal.last_seq)]),
        *_family(
            "mcr_journal_degraded", "gauge", "1 while as-run records wait.", [(channel, journal.degraded is not None)]
        ),
    ]
    by_output = [({**channel, **_labels(output)}, output) for output in status.outputs]
    lines += [
        *_family("mcr_output_up", "gauge", "1 while it moves.", [(labels, o.state == "up") for labels, o in by_output]),
        *_family(
            "mcr_output_bytes_total", "counter", "Bytes sent.", [(labels, o.bytes_sent) for labels, o in by_output]
        ),
        *_family(
            "mcr_output_frames_dropped_total",
            "counter",
            "Frames it could not take in time.",
            [(labels, o.frames_dropped) for labels, o in by_output],
        ),
    ]
    return "\n".join(lines) + "\n"


def _labels(output: OutputStatus) -> dict[str, str]:
    return {"output": output.id, "kind": output.kind, "role": output.role}


def _family(name: str, kind: str, meaning: str, samples: Iterable[tuple[Mapping[str, str], int]]) -> list[str]:
    values = [f"{name}{{{_written(labels)}}} {int(value)}" for labels, value in samples]
    return [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}", *values] if values else []


def _written(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
