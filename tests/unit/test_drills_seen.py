"""Who sees what of a drill."""

from datetime import UTC, datetime

from supervisor.drills import for_eyes
from supervisor.schemas.drill import Drill, DrilledChannel

MINE, THEIRS, NODE = "a" * 32, "b" * 32, "c" * 32


def channel(channel_id: str) -> DrilledChannel:
    return DrilledChannel(
        channel_id=channel_id, name="One", epoch_before=1, epoch=2, node_name="n1", back_ms=900, first_frame_ms=700,
        lost_frames=18,
    )  # fmt: skip


def drill(target_kind: str, target_id: str, *channels: str) -> Drill:
    return Drill.model_validate({
        "id": 1, "at": datetime(2026, 3, 1, tzinfo=UTC), "by": "ann", "target_kind": target_kind,
        "target_id": target_id, "target_name": "One", "kind": "kill", "seconds": 10, "was_test": True, "state": "back",
        "finished_at": None, "first_frame_ms": 700, "lost_frames": 18, "alarms": (),
        "channels": tuple(map(channel, channels)),
    })  # fmt: skip


def mine(channel_id: str) -> bool:
    return channel_id == MINE


def test_of_another_projects_channel_nothing_is_told() -> None:
    assert for_eyes(drill("channel", THEIRS, THEIRS), mine) is None
    own = drill("channel", MINE, MINE)
    assert for_eyes(own, mine) == own


def test_of_a_nodes_drill_only_ones_own_channels_are_told() -> None:
    seen = for_eyes(drill("node", NODE, MINE, THEIRS), mine)
    assert seen is not None
    assert [one.channel_id for one in seen.channels] == [MINE]
