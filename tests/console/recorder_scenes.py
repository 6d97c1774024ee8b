"""Recorders, their schedules and their files, as a supervisor tells them."""

from datetime import UTC, datetime, timedelta

from supervisor.schemas.recorder import RecordedFile, Recorder
from supervisor.schemas.schedule import Schedule

NOON = datetime(2026, 11, 22, 14, 3, 47, tzinfo=UTC)


def recorder_id(number: int) -> str:
    return f"{ord('r'):04x}{number:028x}"


def recorder(number: int, name: str, url: str = "srt://ob-truck-2:9000", **live: object) -> Recorder:
    on = live.pop("on", True)
    seen: dict[str, object] = {
        "desired": "on" if on else "off", "phase": "running" if on else "off", "epoch": 3 if on else 0,
        "observed": "recording" if on else None, "node_name": "node-a" if on else None, "heartbeat_age_ms": 300,
        "decision": "recording on node-a, epoch 3" if on else "off, as asked",
    }  # fmt: skip
    if on:
        seen |= {
            "state": "recording", "title": "Cup final", "path": "cup_final/2026-11-22_130000_1.ts", "rate": "25",
            "file_frames": 95_675, "file_bytes": 3_900_000_000, "files": 1, "free_mb": 412_000,
        }  # fmt: skip
    return Recorder.model_validate(
        {
            "id": recorder_id(number), "name": name, "project_id": None, "node_id": None,
            "input": {"kind": "srt", "url": url}, "template": "{title}/{date}_{time}_{segment}", "segment_s": 3600,
            "floor_mb": 1024, "time_zone": "UTC", "desired": "on" if on else "off", "wanted_by": "person",
            "held_until": None, "created_at": NOON - timedelta(days=3), "rev": 2, "live": {**seen, **live},
        }
    )  # fmt: skip


def recorders() -> tuple[Recorder, ...]:
    return (recorder(1, "Ingest 1"), recorder(2, "Ingest 2", on=False), recorder(3, "Newsfeed", on=False))


def troubled_recorders() -> tuple[Recorder, ...]:
    return (
        recorder(1, "Ingest 1", state="no_signal", detail="nothing has come for 12 s", gaps=2, lost_frames=311),
        recorder(2, "Ingest 2", state="no_room", detail="900 MiB are left, 1024 are kept", free_mb=900),
        recorder(3, "Newsfeed", observed="gone", state=None, path="", title="", phase="running"),
        recorder(4, "Spare", observed="silent", heartbeat_age_ms=9_000),
        recorder(5, "Card", phase="blocked", observed=None, path="", title="", decision="port 1 is held by Music"),
    )


def schedules() -> tuple[Schedule, ...]:
    known = {
        "id": f"{ord('s'):04x}{1:028x}", "recorder_id": recorder_id(2), "title": "Evening news", "kind": "daily",
        "date": "2026-11-20", "at": "18:00:00", "time_zone": "UTC", "duration_s": 1800, "created_at": NOON, "rev": 1,
        "until": None, "weekdays": (), "pre_roll_s": 0, "post_roll_s": 0, "enabled": True,
        "next_start_at": NOON.replace(hour=18, minute=0, second=0), "clashes": (),
        "next_end_at": NOON.replace(hour=18, minute=30, second=0),
    }  # fmt: skip
    return (Schedule.model_validate(known),)


def recordings() -> tuple[RecordedFile, ...]:
    def file(number: int, frames: int | None, lost: int) -> RecordedFile:
        start = NOON - timedelta(hours=number)
        return RecordedFile.model_validate(
            {
                "recorder_id": recorder_id(1), "run_id": "r1", "seq": number, "epoch": 3, "title": "Cup final",
                "path": f"cup_final/2026-11-22_{14 - number}0000_{number}.ts", "rate": "25", "start_at": start,
                "end_at": None if frames is None else start + timedelta(hours=1), "frames": frames,
                "lost_frames": lost, "gaps": (), "cause": "operator", "end_cause": None, "sha256": None, "bytes": 1,
            }
        )  # fmt: skip

    return (file(1, None, 0), file(2, 90_000, 0), file(3, 89_120, 311))
